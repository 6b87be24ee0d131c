//! `recado errors`: what a server's error means and what to do about it. It asks no server.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::completion;
use crate::errors::{self, search};
use crate::failure::Failure;
use crate::jetstream::report;
use crate::prose::{for_shell, wrapped};
use crate::table::Table;
use crate::terminal::{Out, harmless};
use crate::text::errors as text;
use crate::text::explained::{Explained, Kind};

/// How many others that fit are named.
const OTHERS_MAX: usize = 8;
/// How many of the texts that it is seen as are shown.
const SAYS_MAX: usize = 4;
/// How many columns an explanation takes.
const COLUMNS: usize = 78;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What is wanted.
#[derive(Debug, Subcommand)]
enum Action {
    #[command(alias = "explain", alias = "show", about = text::lookup_about(),
        override_usage = text::lookup_usage(), after_help = text::lookup_examples())]
    Lookup(Asked),
    #[command(alias = "ls", about = text::list_about(), override_usage = text::list_usage(),
        after_help = text::list_examples())]
    List {
        #[arg(value_name = text::value_asked(), help = text::asked())]
        asked: Vec<String>,
        #[arg(long, conflicts_with = "asked", help = text::as_markdown())]
        markdown: bool,
    },
}

/// The error that somebody means.
#[derive(Debug, Args)]
struct Asked {
    #[arg(value_name = text::value_asked(), required_unless_present = "err",
        add = completion::errors(), help = text::asked())]
    asked: Vec<String>,
    /// What follows the E of `-ERR '…'`: a line of the protocol looks like an option to the shell's
    /// users and to the parser, and must not have to be written behind `--`.
    #[arg(short = 'E', hide = true)]
    err: Option<String>,
}

impl Asked {
    fn words(&self) -> String {
        let err = self.err.as_ref().map(|rest| format!("-E{rest}"));
        let words: Vec<String> = err.into_iter().chain(self.asked.iter().cloned()).collect();
        words.join(" ")
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, as_json: bool) -> Result<(), Failure> {
    match &arguments.action {
        Action::Lookup(asked) => lookup(&asked.words(), as_json),
        Action::List { markdown: true, .. } => page(),
        Action::List { asked, .. } if asked.is_empty() => list(&mut errors::all(), as_json),
        Action::List { asked, .. } => {
            let hits = find(&asked.join(" "))?;
            list(&mut hits.into_iter(), as_json)
        }
    }
}

/// What fits, the best first; at least one.
fn find(asked: &str) -> Result<Vec<&'static Explained>, Failure> {
    let found = search(asked);
    if found.hits.is_empty() {
        return Err(errors::unknown(asked, &found.nearest));
    }
    Ok(found.hits)
}

fn lookup(asked: &str, as_json: bool) -> Result<(), Failure> {
    let hits = find(asked)?;
    let Some((best, others)) = hits.split_first() else {
        return Ok(());
    };
    let mut out = Out::new();
    if as_json {
        let mut object = best.object();
        let others = others.iter().map(|one| match one.kind {
            Kind::Api { number, .. } => json!({ "err_code": number, "text": one.text }),
            Kind::Status { code } => json!({ "code": code, "text": one.text }),
            Kind::Protocol { .. } => json!({ "text": one.text }),
        });
        object["others"] = others.collect();
        out.json(&object)?;
        return out.flush();
    }
    explain(&mut out, best)?;
    if !others.is_empty() {
        out.line("")?;
        let title = out.bold(text::others());
        out.line(&title)?;
        for one in others.iter().take(OTHERS_MAX) {
            out.line(&format!("  {:>5}  {}", one.key(), one.title()))?;
        }
        if let Some(more) = others.len().checked_sub(OTHERS_MAX)
            && more > 0
        {
            let more = text::more(more, &for_shell(asked));
            out.line(&format!("  {}", harmless(&more)))?;
        }
    }
    out.flush()
}

/// The first of the texts that have been seen in the placeholder's place.
fn said(one: &Explained) -> String {
    let mut said = one.says.iter().take(SAYS_MAX).copied().collect::<Vec<_>>();
    if one.says.len() > said.len() {
        said.push("…");
    }
    said.join(" | ")
}

fn explain(out: &mut Out, one: &Explained) -> Result<(), Failure> {
    let server = match one.is_sent_by_recado() {
        true => "",
        false => text::elsewhere(),
    };
    let (code, name, connection) = match one.kind {
        Kind::Api { code, constant, .. } if constant == one.title() => (code.to_string(), "", ""),
        Kind::Api { code, constant, .. } => (code.to_string(), constant, ""),
        Kind::Status { code } => (code.to_string(), "", ""),
        Kind::Protocol { closes: true } => (String::new(), "", text::closes()),
        Kind::Protocol { closes: false } => (String::new(), "", text::stays()),
    };
    let facts = [
        (text::fact_code(), code),
        (text::fact_name(), name.to_owned()),
        (text::fact_connection(), connection.to_owned()),
        (text::fact_server(), server.to_owned()),
        (text::fact_says(), said(one)),
    ];
    let title = format!("{} · {}", one.key(), one.title());
    report::facts(out, &title, &facts)?;
    let words = one.words();
    for (heading, words) in [(text::cause(), words.cause), (text::remedy(), words.remedy)] {
        out.line("")?;
        let heading = out.bold(heading);
        out.line(&heading)?;
        for line in wrapped(words, COLUMNS) {
            out.line(&format!("  {line}"))?;
        }
    }
    Ok(())
}

fn list(all: &mut dyn Iterator<Item = &'static Explained>, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    if as_json {
        for one in all {
            out.json(&one.object())?;
        }
        return out.flush();
    }
    let mut table = Table::new(&[
        text::column_error(),
        text::column_code(),
        text::column_text(),
    ]);
    for one in all {
        let code = match one.kind {
            Kind::Api { code, .. } => code.to_string(),
            _ => String::new(),
        };
        table.row([one.key(), code, one.title().to_owned()]);
    }
    table.show(&mut out)?;
    out.flush()
}

fn page() -> Result<(), Failure> {
    let mut out = Out::new();
    out.bytes(errors::markdown().as_bytes())?;
    out.flush()
}
