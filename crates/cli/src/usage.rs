//! The parser's own words, in the language of this run: headings of the help, and what is wrong
//! with a command line. Nothing of what `clap` says in English may reach the screen.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::args::Cli;
use crate::failure::Failure;
use crate::failure_table;
use crate::text::usage as text;

/// What the command line asks for.
pub(crate) enum Asked {
    /// Run this.
    Run(Box<Cli>),
    /// Show this text, and be done.
    Show(String),
}

/// Reads the command line.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Asked, Failure> {
    let command = localise(Cli::command());
    let parsed = command
        .try_get_matches_from(&arguments)
        .and_then(|matches: ArgMatches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => Ok(Asked::Run(Box::new(cli))),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Ok(Asked::Show(error.render().to_string()))
            }
            // "Which command?" is best answered by the list of them.
            ErrorKind::MissingSubcommand => help(&command_of(arguments)).map(Asked::Show),
            _ => Err(explain(&error, &command_of(arguments))),
        },
    }
}

/// All commands and options, in the language of this run.
pub(crate) fn command() -> Command {
    let mut root = localise(Cli::command());
    root.build();
    root
}

/// The help of a command, named by its words from the outermost in; of the program without any;
/// or the table of failures.
pub(crate) fn help(words: &[String]) -> Result<String, Failure> {
    if let [topic] = words
        && failure_table::TOPICS.contains(&topic.as_str())
    {
        return Ok(failure_table::markdown());
    }
    let mut root = command();
    let mut command = &mut root;
    for word in words {
        command = match command.find_subcommand_mut(word) {
            Some(command) => command,
            None => {
                return Err(Failure::Usage {
                    what: text::unknown_command(word),
                    next: text::see_help().to_owned(),
                });
            }
        };
    }
    Ok(command.render_help().to_string())
}

/// Puts the headings into the language of this run, on every level, and hides what `clap` would
/// add in English (defaults and variables stand in the options' own texts).
fn localise(command: Command) -> Command {
    let template = format!(
        "{{about-with-newline}}\n{} {{usage}}\n\n{{all-args}}{{after-help}}",
        text::heading_usage()
    );
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().into())
        .collect();
    let command = command
        .help_template(template)
        .subcommand_help_heading(text::heading_commands())
        .mut_args(|argument| {
            let heading = match argument.get_help_heading() {
                Some(_) => return plain(argument),
                None if argument.is_positional() => text::heading_arguments(),
                None => text::heading_options(),
            };
            plain(argument).help_heading(heading)
        });
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, localise)
    })
}

fn plain(argument: clap::Arg) -> clap::Arg {
    if !argument.get_action().takes_values() {
        return argument;
    }
    argument
        .hide_default_value(true)
        .hide_env(true)
        .hide_possible_values(true)
}

/// The command of a line that is wrong elsewhere, by its words from the outermost in.
fn command_of(arguments: Vec<OsString>) -> Vec<String> {
    let lenient = Cli::command().ignore_errors(true);
    let matches = lenient.try_get_matches_from(arguments);
    let mut words = Vec::new();
    let mut level = matches.as_ref().ok().and_then(ArgMatches::subcommand);
    while let Some((name, below)) = level {
        words.push(name.to_owned());
        level = below.subcommand();
    }
    words
}

/// A parser's error as a failure of ours.
fn explain(error: &clap::Error, command: &[String]) -> Failure {
    let context = |kind| error.get(kind).map(show).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg);
    let value = context(ContextKind::InvalidValue);
    let what = match error.kind() {
        ErrorKind::UnknownArgument => text::unknown_argument(&argument),
        ErrorKind::InvalidSubcommand => {
            text::unknown_command(&context(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => text::missing_argument(&argument),
        ErrorKind::InvalidValue if value.is_empty() => text::missing_value(&argument),
        ErrorKind::InvalidValue => {
            text::value_not_among(&value, &argument, &context(ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(reason) => text::bad_value_because(&argument, &reason.to_string()),
            None => text::bad_value(&value, &argument),
        },
        ErrorKind::ArgumentConflict => text::conflict(&argument, &context(ContextKind::PriorArg)),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            text::missing_value(&argument)
        }
        ErrorKind::InvalidUtf8 => text::not_utf8().to_owned(),
        _ => text::bad_command_line().to_owned(),
    };
    let suggestion = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand]
        .into_iter()
        .find_map(|kind| error.get(kind).map(show));
    let help = match command {
        [] => text::see_help().to_owned(),
        words => text::see_help_of(&words.join(" ")),
    };
    let next = match suggestion {
        Some(suggestion) => format!("{}\n{help}", text::did_you_mean(&suggestion)),
        None => help,
    };
    Failure::Usage { what, next }
}

fn show(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(list) => list.join(", "),
        other => other.to_string(),
    }
}
