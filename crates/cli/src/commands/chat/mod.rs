//! `recado chat`: a conversation in a room, on subjects that every NATS client can join by hand.
//!
//! There is no server of rooms: who is there says so by themselves, and each member keeps a list of
//! its own. Nothing is stored; who is not there does not hear it.

mod conversation;
mod deliveries;
mod editor;
mod face;
mod history;
mod past;
mod presence;
mod protocol;

use std::io::IsTerminal;

use clap::Args;
use nix::unistd::{Uid, User};
use tokio::sync::mpsc;

use crate::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::payload;
use crate::settings::Settings;
use crate::terminal::{self, Out};
use crate::text::chat as text;
use conversation::Conversation;
use editor::{Editor, Typed};
use face::Face;
use history::History;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = text::value_room(), default_value = protocol::ROOM,
        value_parser = protocol::room, help = text::room())]
    room: String,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = text::history())]
    history: Option<u64>,
}

/// Runs the command. `name` is what the person wants to be called.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    name: Option<&str>,
    as_json: bool,
) -> Result<(), Failure> {
    let name = own_name(name)?;
    let session = connect::session(settings).await?;
    let interrupt = Interrupt::new()?;
    let (face, keyboard, history) = open(as_json);
    // Remarks about the connection must not garble the line that is being typed.
    let _elsewhere = match &face {
        Face::Editor(editor, _) => {
            let lines = editor.lines();
            Some(terminal::divert(move |words: &str| {
                // A terminal that takes nothing loses remarks as it loses messages.
                let _ = lines.try_send(words.to_owned());
            }))
        }
        _ => None,
    };
    let label = settings.label();
    let room = &arguments.room;
    let mut conversation =
        Conversation::new(session, face, keyboard, history, interrupt, room, name);
    let result = conversation.run(&label, arguments.history).await;
    // The terminal first: a person who is shown an error must be able to type again.
    conversation.give_terminal_back();
    drop(_elsewhere);
    // Whatever ended it, the others are told.
    let left = conversation.leave().await;
    result.and(left)
}

/// The name from the command line, or what can be made of the user's.
fn own_name(given: Option<&str>) -> Result<String, Failure> {
    match given {
        Some(name) if protocol::is_name(name) => Ok(name.to_owned()),
        Some(name) => Err(Failure::Usage {
            what: text::bad_name(name),
            next: text::bad_name_next().to_owned(),
        }),
        None => {
            let user = std::env::var("USER").ok().or_else(account);
            let name = user.as_deref().and_then(protocol::as_name);
            Ok(name.unwrap_or_else(|| text::somebody().to_owned()))
        }
    }
}

/// The name of the account that the program runs under.
fn account() -> Option<String> {
    let user = User::from_uid(Uid::effective()).ok()??;
    Some(user.name)
}

/// How the person types.
enum Keyboard {
    /// In the editor of [`Face::Editor`].
    Editor,
    /// Line by line: a pipe, a file, or a terminal whose output goes elsewhere.
    Lines(mpsc::Receiver<Result<Vec<u8>, Failure>>),
}

impl Keyboard {
    /// The next line. Dropping the future loses nothing.
    async fn next(&mut self, face: &mut Face) -> Result<Typed, Failure> {
        match (self, face) {
            (Self::Lines(lines), _) => match lines.recv().await {
                Some(line) => Ok(Typed::Line(String::from_utf8_lossy(&line?).into_owned())),
                None => Ok(Typed::End),
            },
            (Self::Editor, Face::Editor(editor, _)) => Ok(editor.next().await),
            // The terminal was given back already.
            (Self::Editor, _) => Ok(Typed::End),
        }
    }
}

/// An editor where both ends are a terminal, plain lines otherwise.
fn open(as_json: bool) -> (Face, Keyboard, Option<History>) {
    let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if on_terminal && !as_json {
        let history = History::of_user();
        let lines = history.as_ref().map_or_else(Vec::new, |history| {
            history.load().unwrap_or_else(|error| {
                terminal::notice(&history_failed(history, &error));
                Vec::new()
            })
        });
        if let Some(editor) = Editor::start(&lines) {
            return (Face::Editor(editor, Out::new()), Keyboard::Editor, history);
        }
    }
    let face = match as_json {
        true => Face::Json(Out::new()),
        false => Face::Lines(Out::new()),
    };
    (face, Keyboard::Lines(payload::lines()), None)
}

fn history_failed(history: &History, error: &std::io::Error) -> String {
    text::history_failed(&history.path().display().to_string(), &error.to_string())
}
