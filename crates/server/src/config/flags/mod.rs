//! The command line of both personalities, and what is to be done after it: serve, check a
//! configuration, signal a server, make a token, check a store, or show something.
//!
//! Flags are read by hand: nats-server's have long names behind one dash (`-DV`, `-sd=X`,
//! `-sl ldm=1`), which clap has no notion of, and its help and errors exist in English only.

mod arguments;
mod completions;
mod explain;
mod init;
mod manual;
mod settings;
mod table;
#[cfg(test)]
mod tests;
mod verify;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use self::arguments::{Arguments, Flaglike, Given, read_flag};
use self::table::{Flag, Meaning};
use super::fault::Fault;
use super::keys::{Findings, nearest_word};
use super::load::load_file;
use super::locale::Lang;
use super::messages::{FlagProblem, Notice, help, help_tls};
use super::options::{Options, Personality};
use super::programs::{Programs, shell_word};
use super::surroundings::Surroundings;
use super::token::TOKEN_FILE;

pub use self::explain::Explained;
pub use self::init::Init;
pub use self::manual::Manual;
pub use self::verify::Verify;

/// A command line that was understood.
#[derive(Clone, Debug)]
pub struct CommandLine {
    /// Whose manners the program has.
    pub personality: Personality,
    /// Language to answer in.
    pub lang: Lang,
    /// What to do.
    pub invocation: Invocation,
}

/// What the program was called for.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// Serve.
    Serve(Box<Serve>),
    /// `-t`: the configuration was checked, and is valid.
    CheckConfig(Checked),
    /// `--signal`: signal another server.
    Signal {
        /// What to tell it.
        command: SignalCommand,
        /// Which one.
        target: SignalTarget,
    },
    /// `token new`: make a token.
    TokenNew(TokenNew),
    /// `verify`: check a store.
    Verify(Verify),
    /// `--version`.
    Version,
    /// `--help`: the text to print.
    Help(String),
    /// `completions SHELL`: the script to print.
    Completions(String),
    /// `explain-config`: show what would hold.
    Explain(Explained),
    /// `init`: write a configuration.
    Init(Init),
    /// `man`: print or write the manual pages.
    Manual(Manual),
}

/// How to serve.
#[derive(Clone, Debug)]
pub struct Serve {
    /// All settings, merged and valid.
    pub options: Options,
    /// What to log once the log is there.
    pub warnings: Vec<Fault>,
    /// Configuration file, if there is one.
    pub config: Option<PathBuf>,
    /// The file's digest.
    pub digest: Option<String>,
}

/// A configuration file that is valid.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The file.
    pub config: PathBuf,
    /// Its digest.
    pub digest: String,
    /// What a server would do. The files that it names were not opened yet.
    pub options: Box<Options>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Fault>,
}

/// `token new [FILE] [--force] [--print]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenNew {
    /// File to write.
    pub path: PathBuf,
    /// Take the place of a file that is there.
    pub force: bool,
    /// Print the token too.
    pub print: bool,
}

/// What to tell of a token that was made.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenMade {
    /// The token, for standard output, if `--print` asked for it.
    pub shown: Option<String>,
    /// Where it is and how to use it, for standard error.
    pub notice: String,
}

/// What a server can be told by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalCommand {
    /// Lame duck: SIGUSR2.
    LameDuck,
    /// End at once: SIGKILL.
    Stop,
    /// Finish and leave: SIGINT.
    Quit,
    /// Finish and leave, but not out of a lame duck: SIGTERM.
    Term,
    /// Open the log file anew: SIGUSR1.
    Reopen,
    /// Read the configuration anew: SIGHUP.
    Reload,
}

/// Which server a signal is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalTarget {
    /// The only one that runs.
    TheOnly,
    /// The process with this id.
    Pid(u32),
    /// The process whose id is in this file.
    PidFile(PathBuf),
    /// All whose id begins with these digits (`ldm=12*`); all there are for none (`ldm=*`).
    PidsBeginningWith(String),
}

/// A command line or configuration that the program can't go on with.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Whose manners the program has.
    pub personality: Personality,
    /// Language to answer in.
    pub lang: Lang,
    /// All that is wrong, and what is doubtful.
    pub findings: Findings,
    /// Status to exit with: 2 for the command line, 1 for the configuration.
    pub exit_code: u8,
}

impl TokenNew {
    /// Makes the token.
    pub fn run(&self, lang: Lang, programs: Programs) -> Result<TokenMade, Fault> {
        let path = self.path.display().to_string();
        let token = super::token::create(&self.path, self.force).map_err(|error| {
            Fault::anywhere(match error.kind() {
                std::io::ErrorKind::AlreadyExists => FlagProblem::TokenFileExists(path.clone()),
                _ => FlagProblem::FileFailed {
                    path: path.clone(),
                    error: error.to_string(),
                },
            })
        })?;
        let word = shell_word(&self.path).unwrap_or_else(|| path.clone());
        let made = Notice::TokenMade {
            path,
            word,
            programs,
        };
        Ok(TokenMade {
            shown: self.print.then_some(token),
            notice: made.text(lang),
        })
    }
}

impl Refusal {
    /// What to print on standard error: one line a mistake, errors first.
    pub fn text(&self) -> String {
        let errors = self.findings.errors.iter();
        let errors = errors.map(|fault| report(self.personality, &fault.text(self.lang)));
        errors
            .chain(warnings(
                &self.findings.warnings,
                self.personality,
                self.lang,
            ))
            .collect()
    }
}

impl Checked {
    /// What to print on standard error: warnings, then that the file is valid.
    pub fn text(&self, personality: Personality, lang: Lang) -> String {
        let valid = Notice::ConfigValid {
            file: self.config.display().to_string(),
            digest: self.digest.clone(),
        };
        warnings(&self.warnings, personality, lang)
            .chain([report(personality, &valid.text(lang))])
            .collect()
    }
}

impl Explained {
    /// Warnings, for standard error.
    pub fn complaints(&self, personality: Personality, lang: Lang) -> String {
        warnings(&self.warnings, personality, lang).collect()
    }
}

/// Marked as such, so that nobody mends them first; nats-server does not mark its own.
fn warnings(
    faults: &[Fault],
    personality: Personality,
    lang: Lang,
) -> impl Iterator<Item = String> {
    let mark = match (personality, lang) {
        (Personality::NatsServer, _) => "",
        (Personality::Recado, Lang::En) => "warning: ",
        (Personality::Recado, Lang::Es) => "aviso: ",
    };
    faults
        .iter()
        .map(move |fault| report(personality, &format!("{mark}{}", fault.text(lang))))
}

fn report(personality: Personality, line: &str) -> String {
    format!("{}: {line}\n", personality.program_name())
}

/// Reads a command line, and the configuration file that it names.
///
/// `arguments` begins with the name that the program was called by, which decides the personality.
pub fn read_command_line(
    arguments: impl IntoIterator<Item = OsString>,
    surroundings: &dyn Surroundings,
) -> Result<CommandLine, Box<Refusal>> {
    let mut arguments = arguments.into_iter();
    let program = arguments.next().unwrap_or_default();
    let personality = Personality::from_program_name(&program);
    let mut found = arguments::split(arguments);
    let lang = choose_lang(personality, &found, surroundings);
    let refuse = |findings, exit_code| {
        Box::new(Refusal {
            personality,
            lang,
            findings,
            exit_code,
        })
    };
    let done = |invocation| CommandLine {
        personality,
        lang,
        invocation,
    };

    if let Some(invocation) = shown(&found, personality, lang) {
        return Ok(done(invocation));
    }
    let errors = std::mem::take(&mut found.errors);
    let task = match read_task(&found, personality, lang) {
        Ok(task) if errors.is_empty() => task,
        Ok(_) => return Err(refuse(only_errors(errors), 2)),
        Err(fault) => {
            let errors = errors.into_iter().chain([*fault]).collect();
            return Err(refuse(only_errors(errors), 2));
        }
    };
    match task {
        Task::Done(invocation) => Ok(done(invocation)),
        Task::Explain(asked) => explained(found.flags, asked, personality, lang, surroundings)
            .map(done)
            .map_err(|(findings, exit_code)| refuse(findings, exit_code)),
        Task::Serve { check } => serve(&found.flags, check, personality, lang, surroundings)
            .map(done)
            .map_err(|(findings, exit_code)| refuse(findings, exit_code)),
    }
}

/// What follows from flags and words alone.
enum Task {
    Done(Invocation),
    Serve { check: bool },
    Explain(explain::Asked),
}

fn only_errors(errors: Vec<Fault>) -> Findings {
    Findings {
        errors,
        warnings: Vec::new(),
    }
}

/// `--lang`, or the environment's. What `nats-server` says is read by programs: English.
fn choose_lang(
    personality: Personality,
    found: &Arguments,
    surroundings: &dyn Surroundings,
) -> Lang {
    let chosen = values_of(found, Flag::Lang)
        .filter_map(|value| Lang::from_code(value.to_str()?))
        .last();
    chosen.unwrap_or_else(|| match personality {
        Personality::NatsServer => Lang::En,
        Personality::Recado => Lang::from_env(|name| surroundings.variable(name)),
    })
}

fn values_of(found: &Arguments, flag: Flag) -> impl Iterator<Item = &OsStr> {
    found
        .flags
        .iter()
        .filter(move |given| given.meaning == Meaning::Is(flag))
        .map(|given| given.value.as_os_str())
}

/// Whether a switch was given and not taken back (`-t=false`).
fn is_on(found: &Arguments, flag: Flag) -> bool {
    values_of(found, flag)
        .last()
        .is_some_and(|value| value.to_str().and_then(settings::parse_bool) == Some(true))
}

/// Version or help, which are shown whatever else is said.
fn shown(found: &Arguments, personality: Personality, lang: Lang) -> Option<Invocation> {
    let word = found.words.first().and_then(|word| word.to_str());
    if is_on(found, Flag::Version) || word == Some("version") {
        return Some(Invocation::Version);
    }
    let asked_after_command = found
        .words
        .iter()
        .any(|word| matches!(word.to_str(), Some("-h" | "-help" | "--help")));
    if is_on(found, Flag::HelpTls) {
        return Some(Invocation::Help(help_tls(personality, lang)));
    }
    let asked = is_on(found, Flag::Help) || word == Some("help") || asked_after_command;
    asked.then(|| Invocation::Help(help(personality, lang)))
}

fn read_task(found: &Arguments, personality: Personality, lang: Lang) -> Result<Task, Box<Fault>> {
    let fault = |problem| Err(Box::new(Fault::anywhere(problem)));
    if let Some(word) = found.words.first() {
        let known = completions::WORDS.into_iter().any(|known| word == known);
        if !known {
            let word = word.to_string_lossy().into_owned();
            let nearest = nearest_word(completions::WORDS.into_iter(), &word);
            return fault(FlagProblem::UnknownCommand { word, nearest });
        }
        if word == "explain-config" {
            let asked = explain::read(found.words.get(1..).unwrap_or_default())?;
            return Ok(Task::Explain(asked));
        }
        let other_flags = |given: &Given| given.meaning != Meaning::Is(Flag::Lang);
        if found.flags.iter().any(other_flags) {
            let word = word.to_string_lossy().into_owned();
            return fault(FlagProblem::CommandWithFlags(word));
        }
        if word == "completions" {
            let shell = found.words.get(1).and_then(|shell| shell.to_str());
            let help = help(personality, lang);
            let script = shell
                .and_then(|shell| completions::script(shell, personality.program_name(), &help));
            return match script {
                Some(script) if found.words.len() == 2 => {
                    Ok(Task::Done(Invocation::Completions(script)))
                }
                _ => fault(FlagProblem::CompletionsShell(completions::SHELLS.join("|"))),
            };
        }
        if word == "verify" {
            let verify = verify::read(found.words.get(1..).unwrap_or_default())?;
            return Ok(Task::Done(Invocation::Verify(verify)));
        }
        if word == "init" {
            let init = init::read(found.words.get(1..).unwrap_or_default())?;
            return Ok(Task::Done(Invocation::Init(init)));
        }
        if word == "man" {
            let manual = manual::read(found.words.get(1..).unwrap_or_default(), lang)?;
            return Ok(Task::Done(Invocation::Manual(manual)));
        }
        let token_new = read_token_new(found.words.get(1..).unwrap_or_default())?;
        return Ok(Task::Done(Invocation::TokenNew(token_new)));
    }
    if let Some(signal) = values_of(found, Flag::Signal).last() {
        return Ok(Task::Done(read_signal(signal)?));
    }
    let check = is_on(found, Flag::Check);
    if check && settings::config_file(&found.flags).is_none() {
        return fault(FlagProblem::CheckWithoutConfig);
    }
    Ok(Task::Serve { check })
}

fn read_token_new(words: &[OsString]) -> Result<TokenNew, Box<Fault>> {
    let fault = |problem| Err(Box::new(Fault::anywhere(problem)));
    let Some((subcommand, words)) = words.split_first() else {
        return fault(FlagProblem::TokenSubcommand);
    };
    if subcommand != "new" {
        return fault(FlagProblem::TokenSubcommand);
    }
    let mut path = None;
    let (mut force, mut print) = (false, false);
    let mut only_words = false;
    for word in words {
        match read_flag(word) {
            Flaglike::End if !only_words => only_words = true,
            Flaglike::Named {
                name, value: None, ..
            } if !only_words && name == "force" => {
                force = true;
            }
            Flaglike::Named {
                name, value: None, ..
            } if !only_words && name == "print" => {
                print = true;
            }
            Flaglike::Named { written, name, .. } if !only_words => {
                let nearest = nearest_word(["force", "print"].into_iter(), &name);
                return fault(FlagProblem::UnknownFlag {
                    flag: written,
                    nearest: nearest.map(|name| format!("--{name}")),
                });
            }
            _ if path.is_some() => return fault(FlagProblem::TokenFileCount),
            _ => path = Some(PathBuf::from(word)),
        }
    }
    Ok(TokenNew {
        path: path.unwrap_or_else(|| PathBuf::from(TOKEN_FILE)),
        force,
        print,
    })
}

/// `CMD`, `CMD=PID`, `CMD=PIDFILE` or `CMD=DIGITS*`.
fn read_signal(value: &OsStr) -> Result<Invocation, Box<Fault>> {
    let text = value.to_string_lossy();
    let (command, target) = text.split_once('=').unwrap_or((&text, ""));
    let command = match command {
        "ldm" => SignalCommand::LameDuck,
        "stop" => SignalCommand::Stop,
        "quit" => SignalCommand::Quit,
        "term" => SignalCommand::Term,
        "reopen" => SignalCommand::Reopen,
        "reload" => SignalCommand::Reload,
        other => {
            let problem = FlagProblem::UnknownSignal(other.to_owned());
            return Err(Box::new(Fault::anywhere(problem)));
        }
    };
    let digits = target.strip_suffix('*').unwrap_or(target);
    let numeric = digits.bytes().all(|digit| digit.is_ascii_digit());
    let target = match target.parse::<u32>() {
        _ if target.is_empty() => SignalTarget::TheOnly,
        Ok(pid) if pid > 0 && numeric => SignalTarget::Pid(pid),
        _ if numeric && target.ends_with('*') => SignalTarget::PidsBeginningWith(digits.to_owned()),
        _ => SignalTarget::PidFile(PathBuf::from(target)),
    };
    Ok(Invocation::Signal { command, target })
}

/// What `explain-config` shows: the same that would be served.
fn explained(
    mut flags: Vec<Given>,
    asked: explain::Asked,
    personality: Personality,
    lang: Lang,
    surroundings: &dyn Surroundings,
) -> Result<Invocation, (Findings, u8)> {
    flags.extend(asked.file.map(|file| Given {
        meaning: Meaning::Is(Flag::Config),
        written: "-c".to_owned(),
        value: file.into_os_string(),
    }));
    let serve = merged(&flags, personality, lang, surroundings)?;
    let rows = explain::explain(&serve.options, serve.config.as_ref(), &flags, surroundings)
        .map_err(|fault| (only_errors(vec![*fault]), 1))?;
    Ok(Invocation::Explain(Explained {
        config: serve.config,
        digest: serve.digest,
        rows,
        json: asked.json,
        warnings: serve.warnings,
    }))
}

/// What `-t` and a server do.
fn serve(
    flags: &[Given],
    check: bool,
    personality: Personality,
    lang: Lang,
    surroundings: &dyn Surroundings,
) -> Result<Invocation, (Findings, u8)> {
    let serve = merged(flags, personality, lang, surroundings)?;
    Ok(match (check, serve.config, serve.digest) {
        (true, Some(config), Some(digest)) => Invocation::CheckConfig(Checked {
            config,
            digest,
            options: Box::new(serve.options),
            warnings: serve.warnings,
        }),
        (_, config, digest) => Invocation::Serve(Box::new(Serve {
            config,
            digest,
            ..serve
        })),
    })
}

/// Merges defaults, file and flags.
fn merged(
    flags: &[Given],
    personality: Personality,
    lang: Lang,
    surroundings: &dyn Surroundings,
) -> Result<Serve, (Findings, u8)> {
    let mut options = Options::of(personality);
    options.lang = lang;
    let mut findings = Findings::default();
    let config = settings::config_file(flags);
    let mut digest = None;
    if let Some(path) = &config {
        match load_file(path, &mut options, surroundings) {
            Ok(file) => {
                options.config_digest = Some(file.digest.clone());
                digest = Some(file.digest);
                findings = file.findings;
            }
            Err(fault) => findings.errors.push(*fault),
        }
    }
    let errors_in_file = findings.errors.len();
    settings::apply(flags, &mut options, surroundings, &mut findings);
    let errors_in_flags = findings.errors.len() - errors_in_file;
    let temporary = options.streams.find_store(surroundings);
    findings.warnings.extend(temporary.map(Fault::anywhere));
    if findings.errors.is_empty() {
        let together = options.validate();
        findings.errors.extend(together.errors);
        findings.warnings.extend(together.warnings);
    }
    if !findings.errors.is_empty() {
        let exit_code = if errors_in_flags > 0 { 2 } else { 1 };
        return Err((findings, exit_code));
    }
    Ok(Serve {
        options,
        warnings: findings.warnings,
        config,
        digest,
    })
}
