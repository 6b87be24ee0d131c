//! Starts the real program and talks to it. Every wait has a deadline; what was started is stopped.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Ample for a slow machine; met only by a failing test.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_recado-server");

/// A command that sees nothing of the environment that these tests happen to run in.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in [
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "LISTEN_PID",
        "LISTEN_FDS",
        "LISTEN_FDNAMES",
        "LANG",
        "LC_MESSAGES",
        "NO_COLOR",
        "CARGO_PKG_NAME",
        "STATE_DIRECTORY",
    ] {
        command.env_remove(name);
    }
    command
        .env("LC_ALL", "C")
        .env("XDG_STATE_HOME", state_home())
        .stdin(Stdio::null());
    command
}

/// A directory that no other server keeps its state in, least of all this user's own.
fn state_home() -> PathBuf {
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let number = TAKEN.fetch_add(1, Ordering::Relaxed);
    let directory = format!("state-{}-{number}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(directory)
}

/// The program under another name.
pub(crate) fn linked(directory: &Path, name: &str) -> PathBuf {
    let link = directory.join(name);
    std::os::unix::fs::symlink(PROGRAM, &link).unwrap();
    link
}

/// Runs a command to its end: exit code, standard output, standard error.
pub(crate) fn outcome(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Repeats until there is something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running server and what it writes.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Starts the program on a free port of loopback and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> (Self, SocketAddr) {
        let mut ran = Self::spawn(command(PROGRAM).args(["-p", "-1"]).args(arguments));
        let line = ran.line("is listening on");
        let address = address_in(&line);
        (ran, address)
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line that contains this.
    pub(crate) fn line(&mut self, part: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line with {part:?} among {:#?}", self.seen);
            };
            self.seen.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap());
        kill(pid, signal).unwrap();
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end: exit code and everything that was written.
    pub(crate) fn ended(mut self) -> (Option<i32>, Vec<String>) {
        let status = self.end();
        let deadline = Instant::now() + DEADLINE;
        while let Ok(line) = self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.seen.push(line);
        }
        (status.code(), std::mem::take(&mut self.seen))
    }

    fn end(&mut self) -> ExitStatus {
        eventually("the program's end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // For tests that fail half-way; where it has ended already, this does nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in `… listening on HOST:PORT…`.
pub(crate) fn address_in(line: &str) -> SocketAddr {
    let rest = &line[line.find(" on ").unwrap() + 4..];
    let end = rest.find([' ', '"']).unwrap_or(rest.len());
    rest[..end].trim_end_matches(['.', ',']).parse().unwrap()
}

/// A bare client.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
    pub(crate) info: serde_json::Value,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut client = Self {
            reader: BufReader::new(stream),
            info: serde_json::Value::Null,
        };
        let line = client.line();
        let json = line.strip_prefix("INFO ").expect("INFO comes first");
        client.info = serde_json::from_str(json).unwrap();
        client
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The next line; empty at the end of the connection.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Whether the server answers, whatever it sends before.
    pub(crate) fn is_answered(&mut self) -> bool {
        self.send("PING\r\n");
        loop {
            match self.line().as_str() {
                "PONG" => return true,
                "" => return false,
                _ => {}
            }
        }
    }

    /// Reads to the end of the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        while !self.line().is_empty() {}
        true
    }
}

/// Asks the JetStream API, or publishes to a stream: the answer.
pub(crate) fn ask(address: SocketAddr, subject: &str, text: &str) -> String {
    let mut client = Client::connect(address);
    let length = text.len();
    client.send(&format!(
        "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB {subject} answer {length}\r\n{text}\r\n"
    ));
    while !client.line().starts_with("MSG answer") {}
    client.line()
}
