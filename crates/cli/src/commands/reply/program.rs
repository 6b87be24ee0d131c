//! The program that `--exec` names: found before anything is promised, started in a process group
//! of its own, and its standard error told here line by line.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::Signal;
use nix::unistd::{AccessFlags, access};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use super::environment;
use super::refusal::Refusal;
use crate::children::{self, Group};
use crate::failure::Failure;
use crate::terminal::{self, harmless};
use crate::text::serving as text;

/// How much of a line on standard error is told at once.
const TOLD_LINE_BYTES_MAX: u64 = 4096;

/// What is started.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// Several words are a program and its arguments; one word with blanks in it is a line for `sh`.
    pub(crate) fn new(words: &[OsString]) -> Result<Self, Failure> {
        let line = match words {
            [word] => word
                .to_str()
                .filter(|word| word.contains(char::is_whitespace)),
            _ => None,
        };
        let owned: Vec<OsString>;
        let words = match line {
            Some(line) => {
                owned = vec!["sh".into(), "-c".into(), line.into()];
                &owned
            }
            None => words,
        };
        let (program, arguments) = words.split_first().ok_or_else(|| not_found(""))?;
        Ok(Self {
            path: find(Path::new(program)).ok_or_else(|| not_found(&program.to_string_lossy()))?,
            arguments: arguments.to_vec(),
        })
    }

    /// The command, ready but for what is particular about this start.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        environment::forget(&mut command);
        command
    }
}

/// Starts a command and has its standard error told.
pub(crate) fn start(command: &mut Command) -> std::io::Result<(Child, Group)> {
    let (mut child, group) = children::start(command)?;
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(tell(stderr, group.pid()));
    }
    Ok((child, group))
}

/// A process that did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failed {
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(String),
}

impl Failed {
    /// What a process's end means; `None` if it ended well.
    pub(crate) fn new(status: ExitStatus) -> Option<Self> {
        match status.code() {
            Some(0) => None,
            Some(code) => Some(Self::Status(code)),
            None => {
                let number = status.signal().unwrap_or_default();
                let signal = Signal::try_from(number);
                Some(Self::Signal(
                    signal.map_or_else(|_| number.to_string(), |s| s.to_string()),
                ))
            }
        }
    }

    /// For this terminal.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Status(code) => text::ended_with(*code),
            Self::Signal(signal) => text::ended_by(signal),
        }
    }

    /// For whoever asked.
    pub(crate) fn refusal(&self) -> Refusal {
        Refusal::process_failed(&match self {
            Self::Status(code) => format!("the process ended with exit status {code}"),
            Self::Signal(signal) => format!("the process was ended by {signal}"),
        })
    }
}

/// A program as a shell would find it.
fn find(program: &Path) -> Option<PathBuf> {
    let runs = |path: &Path| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    if program.components().count() > 1 || program.is_absolute() {
        return runs(program).then(|| program.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| runs(candidate))
}

fn not_found(program: &str) -> Failure {
    // Alone it would have been one: an option of ours stands behind it.
    if program.contains(char::is_whitespace) {
        return Failure::Usage {
            what: text::program_is_line(program),
            next: text::program_is_line_next().to_owned(),
        };
    }
    Failure::Usage {
        what: text::program_not_found(program),
        next: text::program_not_found_next().to_owned(),
    }
}

/// Tells what a process writes to its standard error, each line with its process id.
async fn tell(stderr: ChildStderr, pid: u32) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut part = (&mut reader).take(TOLD_LINE_BYTES_MAX);
        match part.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let words = String::from_utf8_lossy(&line);
                let words = harmless(words.trim_end_matches(['\r', '\n']));
                terminal::notice(&text::process_says(pid, &words));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(words: &[&str]) -> Result<Program, Failure> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Program::new(&words)
    }

    #[test]
    fn one_word_with_blanks_is_a_line_for_the_shell_and_several_are_not() {
        let line = program(&["tr a-z A-Z"]).unwrap();
        assert_eq!(line.arguments, ["-c", "tr a-z A-Z"]);
        assert!(line.path.ends_with("sh"), "{line:?}");
        let words = program(&["tr", "a-z", "A Z"]).unwrap();
        assert_eq!(words.arguments, ["a-z", "A Z"]);
        assert!(words.path.ends_with("tr"), "{words:?}");
    }

    #[test]
    fn a_program_that_is_not_there_or_can_not_run_is_found_out_at_once() {
        for name in ["no-such-program", "/etc/passwd", "/tmp", "./nothing", ""] {
            assert!(program(&[name]).is_err(), "{name}");
        }
    }

    #[test]
    fn the_end_of_a_process_is_told_by_status_or_signal() {
        let ended = |raw| Failed::new(ExitStatus::from_raw(raw));
        assert_eq!(ended(0), None);
        assert_eq!(ended(3 << 8), Some(Failed::Status(3)));
        assert_eq!(ended(9), Some(Failed::Signal("SIGKILL".to_owned())));
    }
}
