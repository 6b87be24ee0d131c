//! `recado tour`: the first minute. Starts a server and clients as independent processes and tells, step
//! by step, what happens between them.
//!
//! Each step checks that what it tells is what happened; the first that can't ends the tour with a
//! failure. No process outlives it.

mod cast;
mod narrator;
mod scenes;
mod server;
mod sight;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::children;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::settings::Settings;
use crate::span;
use crate::text::tour as text;
use cast::Cast;
use narrator::Narrator;
use server::ServerProgram;

/// How long the whole tour may take when `--timeout` is not given.
const LIMIT: Duration = Duration::from_secs(30);

/// The pause before each step, for a person who reads along.
const PAUSE: Duration = Duration::from_millis(1800);

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long, value_name = text::value_path(), help = text::server_program())]
    server_program: Option<PathBuf>,
    #[arg(long, help = text::fast())]
    fast: bool,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let mut interrupt = Interrupt::new()?;
    let (told, mut gone) = watch::channel(false);
    tokio::spawn(terminal_gone(told));
    let for_a_reader = !arguments.fast && !as_json && std::io::stdout().is_terminal();
    let pause = if for_a_reader { PAUSE } else { Duration::ZERO };
    let limit = settings.timeout.unwrap_or(LIMIT);
    let story = async {
        let server = ServerProgram::find(arguments.server_program.as_deref()).await?;
        // On a slow machine the time is for the story.
        let narrator = Narrator::new(as_json, pause, limit * 2 / 3);
        tell(narrator, Cast::new(server, Instant::now() + limit)?).await
    };
    // Boxed: a story of many processes is a large future.
    let mut story = Box::pin(story);
    let ended = tokio::select! {
        biased;
        () = interrupt.asked() => Err(Failure::Interrupted),
        Ok(_) = gone.wait_for(|gone| *gone) => Err(Failure::Interrupted),
        told = &mut story => told,
    };
    // The story may have seen its processes end before this program saw why.
    let asked = interrupt.is_asked() || *gone.borrow();
    ended.map_err(|failure| if asked { Failure::Interrupted } else { failure })
}

async fn tell(mut narrator: Narrator, mut cast: Cast) -> Result<(), Failure> {
    narrator.frame(&text::opening(std::process::id()))?;
    let stage = &mut (&mut narrator, &mut cast);
    let asking = scenes::meeting::nobody_there(stage).await?;
    let (server, asking) = scenes::meeting::server_starts(stage, asking).await?;
    let mut responder = scenes::meeting::somebody_answers(stage, &server, asking).await?;
    scenes::latency::measured(stage).await?;
    let server = scenes::crash::killed(stage, server, &mut responder).await?;
    scenes::deadline::passes(stage, &mut responder).await?;
    let guarded = scenes::token::refused(stage).await?;
    scenes::farewell::ended(stage, responder, [server, guarded]).await?;
    let took = span::show(narrator.elapsed());
    narrator.summary(&text::closing(cast.started, &took), cast.started)
}

/// Waits until the terminal is closed, or for Ctrl-\: either would end this program at once and leave
/// the others.
async fn terminal_gone(told: watch::Sender<bool>) {
    let (Ok(mut closed), Ok(mut quit)) = (signal(SignalKind::hangup()), signal(SignalKind::quit()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = closed.recv() => {}
        _ = quit.recv() => {}
    }
    // Told first: the story must not take their end for its own failure. Killed here, for whoever tells
    // the story may be waiting for a reader that is gone.
    let _ = told.send(true);
    children::kill_all();
}
