//! The program `recado-server`: reads the command line and does what it says.
//!
//! It exits with 0 when that was done, 1 when it could not be, 2 when the command line is wrong;
//! `verify` has more to tell (see there).

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use recado_server::config::flags::{
    CommandLine, Invocation, Manual, SignalCommand, SignalTarget, TokenNew, read_command_line,
};
use recado_server::config::{Lang, Machine, Personality, Programs};
use recado_server::{NATS_VERSION, VERSION, check_certificates, daemon};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let called = arguments.first().cloned().unwrap_or_default();
    let program = daemon::file_name(&called.to_string_lossy());
    let line = match read_command_line(arguments, &Machine) {
        Ok(line) => line,
        Err(refusal) => {
            complain(&refusal.text());
            return ExitCode::from(refusal.exit_code);
        }
    };
    let CommandLine {
        personality,
        lang,
        invocation,
    } = line;
    match invocation {
        Invocation::Serve(serve) => daemon::serve(&serve, &program),
        Invocation::CheckConfig(checked) => match check_certificates(&checked.options) {
            Ok(()) => {
                complain(&checked.text(personality, lang));
                ExitCode::SUCCESS
            }
            Err(error) => {
                complain(&format!(
                    "{program}: {}: {error}\n",
                    checked.config.display()
                ));
                ExitCode::FAILURE
            }
        },
        Invocation::Signal { command, target } => signal(command, &target, &program, lang),
        Invocation::TokenNew(new) => make_token(&new, &program, lang),
        Invocation::Verify(verify) => daemon::verify::run(&verify, &program, lang),
        Invocation::Explain(explained) => {
            complain(&explained.complaints(personality, lang));
            say(&explained.text(lang));
            ExitCode::SUCCESS
        }
        Invocation::Init(init) => daemon::init::run(&init, &program, lang, &Machine),
        Invocation::Manual(manual) => show_manual(&manual, &program, lang),
        Invocation::Version => {
            say(&match personality {
                Personality::NatsServer => format!("nats-server: v{NATS_VERSION}\n"),
                Personality::Recado => {
                    format!("recado-server {VERSION} (NATS {NATS_VERSION})\n")
                }
            });
            ExitCode::SUCCESS
        }
        Invocation::Help(text) | Invocation::Completions(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
    }
}

fn signal(command: SignalCommand, target: &SignalTarget, program: &str, lang: Lang) -> ExitCode {
    match daemon::send(command, target, program) {
        Ok(_) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&format!("{program}: {}\n", problem.text(lang)));
            ExitCode::FAILURE
        }
    }
}

fn make_token(new: &TokenNew, program: &str, lang: Lang) -> ExitCode {
    match new.run(lang, Programs::here()) {
        Ok(made) => {
            if let Some(token) = made.shown {
                say(&format!("{token}\n"));
            }
            complain(&format!("{}\n", made.notice));
            ExitCode::SUCCESS
        }
        Err(fault) => {
            complain(&format!("{program}: {}\n", fault.text(lang)));
            ExitCode::FAILURE
        }
    }
}

fn show_manual(manual: &Manual, program: &str, lang: Lang) -> ExitCode {
    let Some(directory) = &manual.directory else {
        say(&manual.page());
        return ExitCode::SUCCESS;
    };
    match manual.write(directory) {
        Ok(written) => {
            for path in written {
                say(&format!("{}\n", path.display()));
            }
            ExitCode::SUCCESS
        }
        Err(fault) => {
            complain(&format!("{program}: {}\n", fault.text(lang)));
            ExitCode::FAILURE
        }
    }
}

/// To standard output. A reader that has gone away (`--help | head -1`) is no failure.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// To standard error.
fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
