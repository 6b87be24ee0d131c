//! `recado login`: asks for a token or a password without showing it, tries it at the server, and
//! keeps it in a context that only its owner can read.

use clap::Args;
use serde_json::json;

use crate::args::Global;
use crate::connect;
use crate::contexts::{Context, Folder};
use crate::failure::Failure;
use crate::given::variable;
use crate::interrupt::Interrupt;
use crate::prompt;
use crate::settings::{self, DEFAULT_SERVER, Settings};
use crate::terminal::{Out, harmless};
use crate::text::login as text;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = "URL", conflicts_with = "server", help = text::url())]
    url: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(global: &Global, arguments: &Arguments) -> Result<(), Failure> {
    let folder = Folder::demand()?;
    let url = arguments.url.as_ref().or(global.server.as_ref());
    let mut context = context(&folder, global, url)?;
    let server = match (url, context.text("url")?) {
        (Some(url), _) => url.clone(),
        (None, Some(url)) => url,
        (None, None) => default_server(),
    };
    if settings::names_identity(&server)? {
        return Err(Failure::Usage {
            what: text::secret_in_url().to_owned(),
            next: text::secret_in_url_next().to_owned(),
        });
    }
    context.set("url", server.as_str());
    if !context.take(global) {
        ask(&mut context, global, &server).await?;
    }
    let settings = Settings::of_context(global, &context)?;
    let line = connect::line(&settings).await?;
    folder.save(&context)?;
    folder.select(Some(&context.name))?;
    let path = context.path.display().to_string();
    let mut out = Out::new();
    match global.json {
        true => out.json(&json!({
            "context": context.name, "file": path, "server": settings.label(), "selected": true,
        }))?,
        false => out.line(&harmless(&text::kept(&line.address, &context.name, &path)))?,
    }
    out.flush()
}

/// The context that is to keep the secret: the named one, the one in effect when no server is
/// named, or one that bears the server's name.
fn context(folder: &Folder, global: &Global, url: Option<&String>) -> Result<Context, Failure> {
    if let Some(name) = &global.context {
        return folder.load_or_new(name);
    }
    if let (None, false) = (url, global.no_context) {
        let in_effect = match variable("NATS_CONTEXT") {
            Some(name) => Some(name),
            None => folder.selected()?,
        };
        if let Some(name) = in_effect {
            return folder.load_or_new(&name);
        }
    }
    let server = url.cloned().unwrap_or_else(default_server);
    folder.load_or_new(&settings::first_host(&server)?)
}

fn default_server() -> String {
    variable("NATS_URL").unwrap_or_else(|| DEFAULT_SERVER.to_owned())
}

/// Asks for what no option and no variable said.
async fn ask(context: &mut Context, global: &Global, server: &str) -> Result<(), Failure> {
    if let (Some(token), None) = (variable("RECADO_TOKEN"), &global.user) {
        context.forget_identity();
        context.set("token", token);
        return Ok(());
    }
    if !prompt::possible() {
        return Err(Failure::Usage {
            what: text::no_terminal().to_owned(),
            next: text::no_terminal_next().to_owned(),
        });
    }
    let mut interrupt = Interrupt::new()?;
    let user = match &global.user {
        Some(user) => user.clone(),
        None => {
            let question = text::ask_user(&settings::without_identity(server));
            prompt::open(&question, &mut interrupt).await?
        }
    };
    let user = user.trim();
    let secret = match user {
        "" => prompt::hidden(text::ask_token(), &mut interrupt).await?,
        _ => prompt::hidden(&text::ask_password(user), &mut interrupt).await?,
    };
    if secret.is_empty() {
        return Err(Failure::Usage {
            what: text::nothing_typed().to_owned(),
            next: text::nothing_typed_next().to_owned(),
        });
    }
    context.forget_identity();
    match user {
        "" => context.set("token", secret),
        _ => {
            context.set("user", user);
            context.set("password", secret);
        }
    }
    Ok(())
}
