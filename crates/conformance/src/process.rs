//! One server as a process of its own: started on a free port, waited for until it serves, and
//! ended by its process id when the test lets go of it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt,
};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::program::genuine_program;
use crate::{PATIENCE, server_program};

/// What a server is to be started with.
#[derive(Debug)]
pub struct ServerBuilder {
    name: &'static str,
    args: Vec<OsString>,
    config: Option<String>,
    descriptors_max: Option<u32>,
    variables: Vec<(&'static str, &'static str)>,
    /// Another program than the one under test.
    program: Option<PathBuf>,
    greets_over_tls: bool,
    stores: bool,
}

/// A running server. Dropping it kills the process.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    addr: SocketAddr,
    log: Log,
    launch: Launch,
    /// Keeps the port while the server is away, so that nobody else is found there.
    kept_port: Option<OwnedFd>,
}

/// What is needed to start the same server once more.
#[derive(Debug)]
struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    descriptors_max: Option<u32>,
    variables: Vec<(&'static str, &'static str)>,
    greets_over_tls: bool,
    /// Holds the configuration, the ports file and the link that names the program.
    dir: TempDir,
}

/// The lines that a process has written to standard error, as they come.
#[derive(Clone, Debug, Default)]
struct Log {
    shared: Arc<(Mutex<LogState>, Condvar)>,
}

#[derive(Debug, Default)]
struct LogState {
    lines: Vec<String>,
    ended: bool,
}

impl ServerBuilder {
    /// A server that is called `nats-server`, so that it has that program's flags and manners.
    pub fn nats() -> Self {
        Self {
            name: "nats-server",
            args: Vec::new(),
            config: None,
            descriptors_max: None,
            variables: Vec::new(),
            program: None,
            greets_over_tls: false,
            stores: false,
        }
    }

    /// A server under its own name.
    pub fn recado() -> Self {
        Self {
            name: "recado-server",
            args: Vec::new(),
            config: None,
            descriptors_max: None,
            variables: Vec::new(),
            program: None,
            greets_over_tls: false,
            stores: false,
        }
    }

    /// A real nats-server, whichever is under test: for what `recado-server` can't do yet. Where
    /// nobody says which (`RECADO_NATS_SERVER_BIN`), the test is left out, and that is said by name.
    pub fn genuine() -> Option<Self> {
        let Some(program) = genuine_program() else {
            let test = std::thread::current();
            let test = test.name().unwrap_or("a test");
            // Not `eprintln!`, which the test harness keeps to itself.
            let words = format!("SKIPPED {test}: RECADO_NATS_SERVER_BIN names no nats-server\n");
            let _ = std::io::stderr().write_all(words.as_bytes());
            return None;
        };
        let mut builder = Self::nats();
        builder.program = Some(program);
        Some(builder)
    }

    /// The server says nothing before TLS (`handshake_first`): it serves as soon as it accepts.
    pub fn greets_over_tls(mut self) -> Self {
        self.greets_over_tls = true;
        self
    }

    /// Has streams, stored in the server's own directory.
    pub fn jetstream(mut self) -> Self {
        self.stores = true;
        self
    }

    /// Adds flags.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Has the server read this text as its configuration file.
    pub fn config(mut self, text: impl Into<String>) -> Self {
        self.config = Some(text.into());
        self
    }

    /// Sets a variable in the process's environment.
    pub fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Lets the process have no more open files and sockets than this.
    pub fn descriptors_max(mut self, count: u32) -> Self {
        self.descriptors_max = Some(count);
        self
    }

    /// Starts the server on a free port of the loopback interface and waits until it serves.
    ///
    /// # Panics
    /// With what it wrote to standard error, when the server does not come up.
    pub fn start(self) -> ServerProcess {
        let dir = tempfile::Builder::new()
            .prefix("recado-conformance-")
            .tempdir();
        let dir = dir.expect("a temporary directory");
        let program = dir.path().join(self.name);
        let genuine = self.program.as_deref();
        symlink(genuine.unwrap_or_else(|| server_program()), &program)
            .expect("a link in a fresh directory");
        let mut args: Vec<OsString> = vec!["-a".into(), "127.0.0.1".into()];
        args.extend(["--ports_file_dir".into(), dir.path().into()]);
        if let Some(text) = &self.config {
            let path = dir.path().join("server.conf");
            std::fs::write(&path, text).expect("a file in a fresh directory");
            args.extend(["-c".into(), path.into()]);
        }
        args.extend(self.args);
        if self.stores {
            args.extend(["-js".into(), "-sd".into(), dir.path().join("store").into()]);
        }
        let launch = Launch {
            program,
            args,
            descriptors_max: self.descriptors_max,
            variables: self.variables,
            greets_over_tls: self.greets_over_tls,
            dir,
        };
        let (child, addr, log) = launch.spawn("-1");
        ServerProcess {
            child,
            addr,
            log,
            launch,
            kept_port: None,
        }
    }
}

impl ServerProcess {
    /// A server called `nats-server` without a configuration file.
    pub fn nats() -> Self {
        ServerBuilder::nats().start()
    }

    /// Where it listens for clients.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens for bare sockets, in the order of its flags.
    ///
    /// # Panics
    /// When the ports file does not say.
    pub fn plain_addrs(&self) -> Vec<SocketAddr> {
        let path = self.launch.ports_file(self.child.id());
        let text = std::fs::read_to_string(path).expect("a ports file");
        let ports: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let urls = ports["plain"]
            .as_array()
            .expect("a list of plain listeners");
        let addr = |url: &serde_json::Value| url.as_str()?.strip_prefix("tcp://")?.parse().ok();
        urls.iter()
            .map(|url| addr(url).expect("an address"))
            .collect()
    }

    /// The URL that a client connects to.
    pub fn url(&self) -> String {
        format!("nats://{}", self.addr)
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A directory of this server alone, removed together with it.
    pub fn dir(&self) -> &Path {
        self.launch.dir.path()
    }

    /// Everything it has written to standard error so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits for a line on standard error that contains `needle` in any case, and returns it.
    ///
    /// # Panics
    /// When no such line comes.
    pub fn wait_for_log(&self, needle: &str) -> String {
        self.wait_for_log_lines(needle, 1)
    }

    /// Waits until so many lines on standard error contain `needle` in any case, and returns the
    /// last of them.
    ///
    /// # Panics
    /// When they do not come.
    pub fn wait_for_log_lines(&self, needle: &str, count: usize) -> String {
        let needle = needle.to_lowercase();
        let found = self.log.wait(|lines| {
            let mut hits = lines
                .iter()
                .filter(|line| line.to_lowercase().contains(&needle));
            hits.nth(count - 1).cloned()
        });
        found.unwrap_or_else(|| panic!("not {count} lines with {needle:?} in:\n{}", self.log()))
    }

    /// Resident memory in bytes, as the kernel counts it.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("a living process has a status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("VmRSS");
        let kib = line
            .split_whitespace()
            .nth(1)
            .and_then(|kib| kib.parse::<u64>().ok());
        kib.expect("VmRSS is a number of KiB") * 1024
    }

    /// How many files and sockets the process has open.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn descriptors(&self) -> usize {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.pid()));
        open.expect("a living process has descriptors").count()
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("a child can be asked")
            .is_none()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).expect("process ids are small");
        kill(Pid::from_raw(pid), signal).expect("a child can be signalled");
    }

    /// Waits for the process to end by itself.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn wait_for_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the server does not end:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills the process without giving it a chance to say anything, and waits until it is gone. Its port stays its own:
    /// connections are refused there.
    pub fn kill(&mut self) {
        self.end();
        // Somebody may have been faster; then the port is not free, which is how it was before.
        self.kept_port = keep_port(self.addr).ok();
    }

    fn end(&mut self) {
        // Both fail only when the process has been waited for already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts the server again on the port that it had before. Kills it first if it still runs.
    pub fn restart(&mut self) {
        self.kill();
        let (child, addr, log) = self.launch.spawn(&self.addr.port().to_string());
        self.child = child;
        self.addr = addr;
        self.log = log;
        self.kept_port = None;
    }
}

/// A socket that is bound and does not listen: whoever listens here may do so beside it, and nobody gets the port by chance.
fn keep_port(addr: SocketAddr) -> nix::Result<OwnedFd> {
    let family = match addr {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let kept = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&kept, sockopt::ReuseAddr, &true)?;
    bind(kept.as_raw_fd(), &SockaddrStorage::from(addr))?;
    Ok(kept)
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.end();
    }
}

impl Launch {
    /// The program itself, or a shell that lowers its own limit and then becomes the program.
    fn command(&self) -> Command {
        let Some(count) = self.descriptors_max else {
            return Command::new(&self.program);
        };
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {count} && exec \"$0\" \"$@\"")]);
        shell.arg(&self.program);
        shell
    }

    fn spawn(&self, port: &str) -> (Child, SocketAddr, Log) {
        let mut child = self
            .command()
            .args(&self.args)
            .args(["-p", port])
            // A server that stores by default stores here.
            .env("XDG_STATE_HOME", self.dir.path())
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.program.display()));
        let log = Log::default();
        log.follow(child.stderr.take().expect("standard error is piped"));
        let addr = self.wait_until_serving(&mut child, &log);
        (child, addr, log)
    }

    fn ports_file(&self, pid: u32) -> PathBuf {
        let name = self.program.file_name().expect("a program has a name");
        let name = name.to_string_lossy();
        self.dir.path().join(format!("{name}_{pid}.ports"))
    }

    /// The ports file or the log says where it listens; serving means that it answers with INFO.
    fn wait_until_serving(&self, child: &mut Child, log: &Log) -> SocketAddr {
        let name = self
            .program
            .file_name()
            .expect("a program has a name")
            .to_string_lossy();
        let ports_file = self.dir.path().join(format!("{name}_{}.ports", child.id()));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let addr = addr_in_ports_file(&ports_file).or_else(|| log.find(addr_in_log_line));
            let serves = |addr: &SocketAddr| match self.greets_over_tls {
                true => TcpStream::connect(addr).is_ok(),
                false => sends_info(*addr),
            };
            if let Some(addr) = addr.filter(serves) {
                return addr;
            }
            let over = child.try_wait().expect("a child can be asked");
            if over.is_some() || Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                panic!("the server did not come up ({over:?}):\n{}", log.text());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The first client URL in a ports file, once that is completely written.
fn addr_in_ports_file(path: &Path) -> Option<SocketAddr> {
    let text = std::fs::read_to_string(path).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    let url = ports["nats"][0].as_str()?;
    url.strip_prefix("nats://")?.parse().ok()
}

/// nats-server's words for where it listens.
fn addr_in_log_line(line: &str) -> Option<SocketAddr> {
    line.split_once("client connections on ")?
        .1
        .trim()
        .parse()
        .ok()
}

fn sends_info(addr: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(addr) else {
        return false;
    };
    let mut start = [0; 5];
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .expect("a positive timeout");
    stream.read_exact(&mut start).is_ok() && &start == b"INFO "
}

impl Log {
    /// Reads `stream` to its end in a thread of its own, so that the process never blocks on it.
    fn follow(&self, stream: impl Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n') {
                let Ok(line) = line else { break };
                let line = String::from_utf8_lossy(&line).into_owned();
                log.shared
                    .0
                    .lock()
                    .expect("no panic under this lock")
                    .lines
                    .push(line);
                log.shared.1.notify_all();
            }
            log.shared.0.lock().expect("no panic under this lock").ended = true;
            log.shared.1.notify_all();
        });
    }

    fn text(&self) -> String {
        self.shared
            .0
            .lock()
            .expect("no panic under this lock")
            .lines
            .join("\n")
    }

    /// The first line so far that `pick` makes something of.
    fn find<T>(&self, pick: impl Fn(&str) -> Option<T>) -> Option<T> {
        let state = self.shared.0.lock().expect("no panic under this lock");
        state.lines.iter().find_map(|line| pick(line))
    }

    /// What `pick` makes of all lines, as soon as it makes something of them.
    fn wait<T>(&self, pick: impl Fn(&[String]) -> Option<T>) -> Option<T> {
        let (state, changed) = &*self.shared;
        let deadline = Instant::now() + PATIENCE;
        let mut state = state.lock().expect("no panic under this lock");
        loop {
            if let Some(found) = pick(&state.lines) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                return None;
            }
            state = changed
                .wait_timeout(state, left)
                .expect("no panic under this lock")
                .0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::net::TcpListener;

    #[test]
    fn a_port_that_is_kept_refuses_connections_until_somebody_listens_there() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("it has one");
        drop(listener);
        let kept = keep_port(addr).expect("nobody else has it");
        let refused = TcpStream::connect(addr).expect_err("nobody listens");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let again = TcpListener::bind(addr).expect("beside the one that does not listen");
        TcpStream::connect(addr).expect("somebody listens");
        drop((kept, again));
    }
}
