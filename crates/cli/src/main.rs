//! The program `recado`: the client. It reads the command line, runs one command and reports how
//! it went; each command is a file of `commands/`.
//!
//! It must never end without saying why: every failure passes through [`terminal::complain`] and
//! has an exit status in [`exit`].

#![forbid(unsafe_code)]

mod amount;
mod args;
mod bars;
mod buckets;
mod children;
mod commands;
mod completion;
mod connect;
mod contexts;
mod credentials;
mod direct;
mod document;
mod echo;
mod errors;
mod exit;
mod failure;
mod failure_table;
mod given;
mod interrupt;
mod jetstream;
mod lang;
mod line;
mod local_server;
mod manual;
mod payload;
mod progress;
mod prompt;
mod prose;
mod reference;
mod screen;
mod service_api;
mod settings;
mod shown;
mod span;
mod subject;
mod summary;
mod table;
mod terminal;
mod text;
mod trust;
mod unique;
mod usage;
mod waiting;
mod wire_view;

use std::ffi::OsString;

use args::{Cli, Command};
use failure::Failure;
use settings::Settings;
use terminal::Out;
use usage::Asked;

fn main() -> ! {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    lang::choose(&arguments);
    completion::answer();
    // Looked for by hand, so that a mistake on the command line is reported as JSON too.
    let ours = arguments
        .iter()
        .take_while(|argument| !lang::ends_ours(argument));
    let as_json = ours.into_iter().any(|argument| argument == "--json");
    let result = usage::parse(arguments).and_then(|asked| match asked {
        Asked::Show(words) => show(&words),
        Asked::Run(cli) => run(*cli),
    });
    let status = match result {
        Ok(()) => exit::Status::Done,
        Err(Failure::OutputClosed) => exit::Status::Done,
        Err(Failure::Told(status)) => status,
        Err(failure) => {
            terminal::complain(&failure, as_json);
            failure.status()
        }
    };
    children::kill_all();
    // Not a return: a thread that still waits for standard input must not hold the program.
    std::process::exit(status.code().into())
}

fn run(cli: Cli) -> Result<(), Failure> {
    if let Command::Help { command } = &cli.command {
        return show(&usage::help(command)?);
    }
    // Before the settings: a broken context must not stand in the way of mending it.
    if let Some(result) = without_server(&cli) {
        return result;
    }
    let as_json = cli.global.json;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Local {
            what: text::failures::machine_failed(&error.to_string()),
            next: text::failures::machine_failed_next().to_owned(),
        })?;
    runtime.block_on(async {
        interrupt::install(as_json)?;
        if let Command::Login(arguments) = &cli.command {
            return commands::login::run(&cli.global, arguments).await;
        }
        let settings = match &cli.command {
            Command::Doctor(doctor) if !doctor.urls.is_empty() => {
                Settings::new(&cli.global.at(doctor.urls.join(",")))
            }
            _ => Settings::new(&cli.global),
        }?;
        match cli.command {
            Command::Chat(arguments) => {
                let name = cli.global.name.as_deref();
                commands::chat::run(&settings, &arguments, name, as_json).await
            }
            Command::Top(arguments) => commands::top::run(&settings, &arguments, as_json).await,
            Command::Publish(arguments) => {
                commands::publish::run(&settings, &arguments, as_json).await
            }
            Command::Sub(arguments) => commands::sub::run(&settings, &arguments, as_json).await,
            Command::Request(arguments) => {
                commands::request::run(&settings, &arguments, as_json).await
            }
            Command::Reply(arguments) => commands::reply::run(&settings, &arguments, as_json).await,
            Command::Service(arguments) => {
                commands::service::run(&settings, &arguments, as_json).await
            }
            Command::Stream(arguments) => {
                commands::stream::run(&settings, &arguments, as_json).await
            }
            Command::Consumer(arguments) => {
                commands::consumer::run(&settings, &arguments, as_json).await
            }
            Command::Kv(arguments) => commands::kv::run(&settings, &arguments, as_json).await,
            Command::Object(arguments) => {
                commands::object::run(&settings, &arguments, as_json).await
            }
            Command::Tour(arguments) => commands::tour::run(&settings, &arguments, as_json).await,
            Command::Ping(arguments) => commands::ping::run(&settings, &arguments, as_json).await,
            Command::Bench(arguments) => {
                let versus = arguments.versus.clone();
                let versus = versus.map(|url| Settings::new(&cli.global.at(url)));
                let versus = versus.transpose()?;
                commands::bench::run(&settings, versus.as_ref(), &arguments, as_json).await
            }
            Command::Latency(arguments) => {
                commands::latency::run(&settings, &arguments, as_json).await
            }
            Command::Wait(arguments) => commands::wait::run(&settings, &arguments, as_json).await,
            Command::Explain(arguments) => {
                commands::explain::run(&settings, &arguments, as_json).await
            }
            Command::Trace(arguments) => commands::trace::run(&settings, &arguments, as_json).await,
            Command::Doctor(_) => commands::doctor::run(&settings, as_json).await,
            Command::Context(_)
            | Command::Login(_)
            | Command::Logout
            | Command::Completions(_)
            | Command::Errors(_)
            | Command::Man(_)
            | Command::Help { .. } => Ok(()),
        }
    })
}

/// Runs a command that needs no server, if it is one.
fn without_server(cli: &Cli) -> Option<Result<(), Failure>> {
    Some(match &cli.command {
        Command::Context(arguments) => commands::context::run(&cli.global, arguments),
        Command::Logout => commands::logout::run(&cli.global),
        Command::Completions(arguments) => commands::completions::run(arguments),
        Command::Errors(arguments) => commands::errors::run(arguments, cli.global.json),
        Command::Man(arguments) => commands::man::run(arguments, cli.global.json),
        _ => return None,
    })
}

fn show(words: &str) -> Result<(), Failure> {
    let mut out = Out::new();
    out.line(words.trim_end())?;
    out.flush()
}
