//! Runs `recado` with an environment of its own, and reads what it writes as it comes.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use recado_conformance::PATIENCE;

use crate::screen::Screen;

/// A command line that is being put together.
pub(crate) struct Recado {
    command: Command,
    input: Option<Vec<u8>>,
}

/// How a run ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// A run that is not over. Dropping it kills the process.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Stream,
    stderr: Stream,
}

/// `recado`, told to use this server.
pub(crate) fn recado<S: AsRef<OsStr>>(server: &str, args: impl IntoIterator<Item = S>) -> Recado {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recado"));
    // Nothing of the person who runs the tests may leak in: no language, server or secret.
    command.env_clear().env("NATS_URL", server).args(args);
    Recado {
        command,
        input: None,
    }
}

impl Recado {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Has it run inside a network namespace.
    pub(crate) fn inside(self, namespace: &str) -> Self {
        let mut command = Command::new("/usr/sbin/ip");
        command.args(["netns", "exec", namespace]);
        command.arg(self.command.get_program());
        command.args(self.command.get_args()).env_clear();
        command.envs(
            self.command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        Self { command, ..self }
    }

    /// What it finds on standard input; `/dev/null` if nothing is said.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Ended {
        let input = self.input.take();
        let mut running = self.start(input.is_some());
        if let Some(input) = input {
            let mut stdin = running.stdin.take().expect("standard input is a pipe");
            // It may end without reading all of it.
            let _ = stdin.write_all(&input);
        }
        running.end()
    }

    /// Runs it and expects success; its standard output as text.
    pub(crate) fn succeed(self) -> String {
        let ended = self.run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        String::from_utf8(ended.stdout).expect("the output is text")
    }

    /// Starts it, with standard input closed.
    pub(crate) fn spawn(self) -> Running {
        self.start(false)
    }

    /// Starts it, with a pipe for standard input.
    pub(crate) fn spawn_with_input(self) -> Running {
        self.start(true)
    }

    /// Starts it in a terminal of its own, of so many rows and columns.
    pub(crate) fn on_screen(self, rows: u16, columns: u16) -> Screen {
        Screen::start(self.command, rows, columns)
    }

    fn start(mut self, with_input: bool) -> Running {
        let stdin = if with_input {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        self.command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("recado starts");
        Running {
            stdin: child.stdin.take(),
            stdout: Stream::new(child.stdout.take().expect("a pipe")),
            stderr: Stream::new(child.stderr.take().expect("a pipe")),
            child,
        }
    }
}

impl Running {
    /// Waits for a line with these words on standard error, and returns it.
    pub(crate) fn told(&self, words: &str) -> String {
        self.stderr.wait_for(words)
    }

    /// Waits for a line with these words on standard output, and returns it.
    pub(crate) fn shows(&self, words: &str) -> String {
        self.stdout.wait_for(words)
    }

    /// Writes to its standard input.
    pub(crate) fn types(&mut self, words: &str) {
        let stdin = self.stdin.as_mut().expect("standard input is a pipe");
        stdin.write_all(words.as_bytes()).expect("it reads");
    }

    /// Ends its standard input.
    pub(crate) fn closes_input(&mut self) {
        self.stdin = None;
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("process ids are small");
        kill(Pid::from_raw(pid), signal).expect("a child can be signalled");
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let status = self.wait();
        let stdout = self.stdout.all();
        let stderr = String::from_utf8_lossy(&self.stderr.all()).into_owned();
        // A death by a signal counts as it does in a shell.
        let code = status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal));
        Ended {
            code,
            stdout,
            stderr,
        }
    }

    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end; so far:\n{}\n{}",
                self.stdout.so_far(),
                self.stderr.so_far()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process writes, read by a thread as it comes.
struct Stream {
    shared: Arc<(Mutex<Vec<u8>>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn new(pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let theirs = Arc::clone(&shared);
        let reader = std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            loop {
                let used = match pipe.fill_buf() {
                    Ok(bytes) if !bytes.is_empty() => {
                        theirs
                            .0
                            .lock()
                            .expect("no panic inside")
                            .extend_from_slice(bytes);
                        bytes.len()
                    }
                    _ => return,
                };
                theirs.1.notify_all();
                pipe.consume(used);
            }
        });
        Self {
            shared,
            reader: Some(reader),
        }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.shared.0.lock().expect("no panic inside")).into_owned()
    }

    fn wait_for(&self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut bytes = self.shared.0.lock().expect("no panic inside");
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            if let Some(line) = whole.lines().find(|line| line.contains(words)) {
                return line.to_owned();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no line with {words:?} in:\n{text}");
            bytes = self
                .shared
                .1
                .wait_timeout(bytes, left)
                .expect("no panic inside")
                .0;
        }
    }

    /// Everything, once the other end is closed.
    fn all(&mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        self.shared.0.lock().expect("no panic inside").clone()
    }
}
