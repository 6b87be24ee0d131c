//! The cast: `recado` and a server program, started as processes of their own, and what they write.
//!
//! Nothing of the person's settings reaches them (no context, no token of theirs), and all of them
//! are gone when the tour is: see [`crate::children`].

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe::Receiver as Pipe;
use tokio::process::{Child, Command};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, timeout_at};

use super::narrator::Narrator;
use super::server::{Personality, ServerProgram};
use crate::children::{self, Group};
use crate::exit::Status;
use crate::failure::Failure;
use crate::lang::{self, Lang};
use crate::prose::for_shell;
use crate::text::{failures, tour as text};

/// The longest line of a process that is looked at; what is longer counts as several.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// How many lines of a process are kept until they are looked at; then the oldest go. It never has to
/// wait for us.
const LINES_WAITING_MAX: usize = 4096;

/// How many of its last lines are shown when a process did not do what it should.
const LAST_LINES: usize = 4;

/// The programs, and the surroundings in which they are started.
pub(super) struct Cast {
    recado: PathBuf,
    server: ServerProgram,
    /// Their working directory, removed at the end.
    dir: TempDir,
    /// Where the server is.
    pub(super) port: u16,
    /// When all must be over.
    deadline: Instant,
    /// How many processes were started.
    pub(super) started: u64,
}

/// A process on the stage.
pub(super) struct Actor {
    /// Its process id, and that of its process group.
    pub(super) pid: u32,
    /// What a person would type to start it.
    pub(super) words: String,
    lines: broadcast::Receiver<String>,
    last: VecDeque<String>,
    child: Child,
    /// Kills what is left when it is dropped.
    _group: Group,
    deadline: Instant,
}

impl Cast {
    /// Nobody started yet.
    pub(super) fn new(server: ServerProgram, deadline: Instant) -> Result<Self, Failure> {
        let unable = |error: io::Error| Failure::Local {
            what: failures::machine_failed(&error.to_string()),
            next: failures::machine_failed_next().to_owned(),
        };
        Ok(Self {
            recado: std::env::current_exe().map_err(unable)?,
            server,
            dir: tempfile::Builder::new()
                .prefix("recado-tour-")
                .tempdir()
                .map_err(unable)?,
            port: super::server::free_port().map_err(unable)?,
            deadline,
            started: 0,
        })
    }

    /// The URL of the server.
    pub(super) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Where the processes work.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The server program's manners.
    pub(super) fn personality(&self) -> Personality {
        self.server.personality
    }

    /// Starts `recado` with these arguments.
    pub(super) fn client(
        &mut self,
        narrator: &mut Narrator,
        args: &[&str],
    ) -> Result<Actor, Failure> {
        let recado = self.recado.clone();
        self.start(narrator, &recado, "recado", args)
    }

    /// Starts the server program on a port of this machine, with further arguments.
    pub(super) fn server(
        &mut self,
        narrator: &mut Narrator,
        port: u16,
        further: &[&str],
    ) -> Result<Actor, Failure> {
        let port = port.to_string();
        let args = [&["-a", "127.0.0.1", "-p", &port], further].concat();
        let (path, name) = (self.server.path.clone(), self.server.name.clone());
        self.start(narrator, &path, &name, &args)
    }

    /// Runs the server program for a chore of its own.
    pub(super) fn server_chore(
        &mut self,
        narrator: &mut Narrator,
        args: &[&str],
    ) -> Result<Actor, Failure> {
        let (path, name) = (self.server.path.clone(), self.server.name.clone());
        self.start(narrator, &path, &name, args)
    }

    fn start(
        &mut self,
        narrator: &mut Narrator,
        program: &Path,
        name: &str,
        args: &[&str],
    ) -> Result<Actor, Failure> {
        let words = typed(name, args);
        let not_started = |error: io::Error| Failure::Local {
            what: text::not_started(&words, &error.to_string()),
            next: text::not_started_next(&program.display().to_string()),
        };
        let (child, group, pipe) = self.spawn(program, args).map_err(not_started)?;
        self.started += 1;
        narrator.command(group.pid(), &words)?;
        let (sender, lines) = broadcast::channel(LINES_WAITING_MAX);
        tokio::spawn(read_lines(pipe, sender));
        Ok(Actor {
            pid: group.pid(),
            words,
            lines,
            last: VecDeque::new(),
            child,
            _group: group,
            deadline: self.deadline,
        })
    }

    fn spawn(&self, program: &Path, args: &[&str]) -> io::Result<(Child, Group, Pipe)> {
        // One pipe for both streams, as on a terminal: their lines keep their order.
        let (ours, theirs) = io::pipe()?;
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("NATS_URL", self.url())
            .env("XDG_CONFIG_HOME", self.dir.path())
            .env("XDG_STATE_HOME", self.dir.path())
            .env(
                "LANG",
                match lang::current() {
                    Lang::En => "en_US.UTF-8",
                    Lang::Es => "es_ES.UTF-8",
                },
            )
            .envs(
                ["PATH", "TZ"]
                    .into_iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .stdin(Stdio::null())
            .stdout(theirs.try_clone()?)
            .stderr(theirs);
        let (child, group) = children::start(&mut command)?;
        Ok((child, group, Pipe::from_owned_fd(OwnedFd::from(ours))?))
    }
}

/// Hands on the lines of a process, until it has closed its side or nobody wants them any more.
async fn read_lines(pipe: Pipe, lines: broadcast::Sender<String>) {
    let mut pipe = BufReader::new(pipe);
    loop {
        let mut line = Vec::new();
        match (&mut pipe)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if lines.send(line).is_err() {
            return;
        }
    }
}

impl Actor {
    /// Waits for a line with these words, and shows it.
    pub(super) async fn says(
        &mut self,
        narrator: &mut Narrator,
        words: &str,
    ) -> Result<String, Failure> {
        while let Some(line) = self.line().await {
            if line.contains(words) {
                narrator.line(self.pid, &line)?;
                return Ok(line);
            }
        }
        Err(self.broken(narrator, &text::expected_words(words)))
    }

    /// Waits until a server says where it listens, and shows that.
    pub(super) async fn announces(
        &mut self,
        narrator: &mut Narrator,
        port: u16,
    ) -> Result<(), Failure> {
        let address = format!("127.0.0.1:{port}");
        while let Some(line) = self.line().await {
            if let Some((before, _)) = line.split_once(&address) {
                return narrator.line(self.pid, &format!("{before}{address}"));
            }
        }
        Err(self.broken(narrator, &text::expected_words(&address)))
    }

    /// Waits for its end with this status, and shows what it writes until then.
    pub(super) async fn ends(
        &mut self,
        narrator: &mut Narrator,
        expected: Status,
    ) -> Result<(), Failure> {
        while let Some(line) = self.line().await {
            narrator.line(self.pid, &line)?;
        }
        self.is_over(narrator, expected).await
    }

    /// The same, but only its last line is shown.
    pub(super) async fn ends_with_a_word(
        &mut self,
        narrator: &mut Narrator,
        expected: Status,
    ) -> Result<(), Failure> {
        let mut last = None;
        while let Some(line) = self.line().await {
            last = Some(line);
        }
        if let Some(last) = last {
            narrator.line(self.pid, &last)?;
        }
        self.is_over(narrator, expected).await
    }

    /// The same, but its lines are not shown but handed over.
    pub(super) async fn ends_quietly(
        &mut self,
        narrator: &mut Narrator,
        expected: Status,
    ) -> Result<Vec<String>, Failure> {
        let mut lines = Vec::new();
        while let Some(line) = self.line().await {
            lines.push(line);
        }
        self.is_over(narrator, expected).await?;
        Ok(lines)
    }

    async fn is_over(&mut self, narrator: &mut Narrator, expected: Status) -> Result<(), Failure> {
        let code = self.code().await;
        if code == Some(i32::from(expected.code())) {
            return narrator.check(&text::exit_status(expected.code(), expected.meaning()));
        }
        let expected = text::exit_status(expected.code(), expected.meaning());
        let expected = match code {
            Some(code) => text::expected_but(&expected, &text::got_status(code)),
            None => text::expected_but(&expected, text::got_no_end()),
        };
        Err(self.broken(narrator, &expected))
    }

    /// Its exit status as a shell tells it; none if it has not ended in time.
    async fn code(&mut self) -> Option<i32> {
        let status = timeout_at(self.deadline, self.child.wait())
            .await
            .ok()?
            .ok()?;
        status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal))
    }

    /// Sends a signal, to the whole group: a server may be wrapped in a script.
    pub(super) fn signal(&self, signal: Signal) {
        if let Ok(pid) = i32::try_from(self.pid) {
            // Fails when it has ended, which the next wait will tell.
            let _ = killpg(Pid::from_raw(pid), signal);
        }
    }

    /// Kills it, and waits until it is gone.
    pub(super) async fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.code().await;
    }

    /// The next line that it writes; none after its end, or when there is no more time.
    async fn line(&mut self) -> Option<String> {
        let line = loop {
            match timeout_at(self.deadline, self.lines.recv()).await {
                Ok(Ok(line)) => break line,
                Ok(Err(RecvError::Lagged(_))) => {}
                Ok(Err(RecvError::Closed)) | Err(_) => return None,
            }
        };
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.clone());
        Some(line)
    }

    /// The failure for a process that did not do what it was to do.
    pub(super) fn broken(&self, narrator: &Narrator, expected: &str) -> Failure {
        let mut next = match self.last.is_empty() {
            true => text::wrote_nothing(self.pid, &self.words),
            false => text::wrote_last(self.pid, &self.words),
        };
        for line in &self.last {
            next.push('\n');
            next.push_str(line);
        }
        if Instant::now() >= self.deadline {
            next.push('\n');
            next.push_str(text::out_of_time());
        }
        narrator.broken(expected, next)
    }
}

/// The command line as a person types it.
fn typed(name: &str, args: &[&str]) -> String {
    let mut words = for_shell(name);
    for arg in args {
        words.push(' ');
        words.push_str(&for_shell(arg));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_the_shell_takes_it() {
        assert_eq!(
            typed("recado", &["reply", "greet", "--text", "it's me", ""]),
            r"recado reply greet --text 'it'\''s me' ''"
        );
    }
}
