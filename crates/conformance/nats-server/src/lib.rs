//! Starts servers for tests of clients. It has the public face that the tests inside the released
//! async-nats crate expect from a crate of this name, so that they can be built and run unchanged.
//!
//! The program is the one called `nats-server` that PATH finds, or the one that the variable
//! `RECADO_NATS_SERVER` names. Nothing in here knows which server that is: all that it relies on
//! is nats-server's flags, its log file and its INFO.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take until it serves.
const READY_MS_MAX: u64 = 20_000;

/// A running server. Dropping it kills the process.
#[derive(Debug)]
pub struct Server {
    launch: Launch,
    child: Child,
    /// What INFO said when it came up.
    port: u16,
    tls_required: bool,
}

/// Three servers that know each other.
#[derive(Debug)]
pub struct Cluster {
    /// Its members; a client may start with any of them.
    pub servers: Vec<Server>,
}

/// What is needed to start the same server once more.
#[derive(Debug)]
struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    /// Log, process id and stored messages.
    dir: TempDir,
}

/// A server without a configuration file, on a free port.
pub fn run_basic_server() -> Server {
    run_server_with_port("", None)
}

/// A server with this configuration file, relative to the working directory, on a free port.
pub fn run_server(config: &str) -> Server {
    run_server_with_port(config, None)
}

/// A server with this configuration file (none where it is empty) on this port (any free one
/// where none is given).
///
/// # Panics
/// With its log, when the server does not come up.
pub fn run_server_with_port(config: &str, port: Option<&str>) -> Server {
    run_program(program(), config, port)
}

/// The same with another program than the one that PATH or the environment name.
///
/// # Panics
/// With its log, when the server does not come up.
pub fn run_program(program: PathBuf, config: &str, port: Option<&str>) -> Server {
    let args = vec!["-p".into(), port.unwrap_or("-1").into()];
    let launch = Launch::new(program, args, config);
    let child = launch.spawn();
    launch.wait_until_serving(child)
}

/// Three servers in a cluster, each with this configuration file.
///
/// # Panics
/// When a member does not come up.
pub fn run_cluster(config: &str) -> Cluster {
    // Routes have to be known before the servers run, so free ports are looked up beforehand.
    let ports = free_ports(6);
    let (clients, routes) = ports.split_at(3);
    let url = |port: &u16| format!("nats://127.0.0.1:{port}");
    let all_routes = routes.iter().map(url).collect::<Vec<_>>().join(",");
    let launches = clients.iter().zip(routes).map(|(client, route)| {
        let name = format!("node-{client}");
        let mut args: Vec<OsString> = vec!["-p".into(), client.to_string().into()];
        args.extend(["--server_name".into(), name.into()]);
        args.extend(["--cluster_name".into(), "cluster".into()]);
        args.extend(["--cluster".into(), url(route).into()]);
        args.extend(["--routes".into(), all_routes.clone().into()]);
        Launch::new(program(), args, config)
    });
    // All have to run before the first can say that a cluster of three is ready.
    let started: Vec<(Launch, Child)> = launches
        .map(|launch| {
            let child = launch.spawn();
            (launch, child)
        })
        .collect();
    let servers = started
        .into_iter()
        .map(|(launch, child)| launch.wait_until_serving(child));
    Cluster {
        servers: servers.collect(),
    }
}

/// Asks the server to let its clients go and to end, by the program's own flag.
///
/// # Panics
/// When that fails.
pub fn set_lame_duck_mode(server: &Server) {
    let status = Command::new(&server.launch.program)
        .arg("--signal")
        .arg(format!("ldm={}", server.client_pid()))
        .status()
        .expect("the program starts");
    assert!(status.success(), "--signal ldm failed: {status}");
}

/// Whether nobody listens on this port of the loopback interface.
pub fn is_port_available(port: usize) -> bool {
    u16::try_from(port).is_ok_and(|port| TcpListener::bind(("127.0.0.1", port)).is_ok())
}

impl Server {
    /// The URL that a client connects to.
    pub fn client_url(&self) -> String {
        format!("{}:{}", self.origin(""), self.port)
    }

    /// The URL that a client connects to, with a user and a password in it.
    pub fn client_url_with(&self, user: &str, password: &str) -> String {
        let user = format!("{user}:{password}@");
        format!("{}:{}", self.origin(&user), self.port)
    }

    /// The URL that a client connects to, with a token in it.
    pub fn client_url_with_token(&self, token: &str) -> String {
        let user = format!("{token}@");
        format!("{}:{}", self.origin(&user), self.port)
    }

    /// The port that clients connect to.
    pub fn client_port(&self) -> u16 {
        self.port
    }

    /// The server's process id.
    ///
    /// # Panics
    /// When the file with the process id does not hold one.
    pub fn client_pid(&self) -> usize {
        let text = std::fs::read_to_string(self.launch.pid_file()).expect("a process id file");
        text.trim()
            .parse()
            .unwrap_or_else(|_| panic!("no process id: {text:?}"))
    }

    /// Kills the server and starts it again with the same port, files and stored messages.
    pub fn restart(&mut self) {
        self.kill();
        let port = self.port.to_string();
        // The last of two flags of a name counts.
        self.launch.args.extend(["-p".into(), port.into()]);
        let child = self.launch.spawn();
        let (child, port, tls_required) = self.launch.serving(child);
        (self.child, self.port, self.tls_required) = (child, port, tls_required);
    }

    /// Scheme, user and host. Certificates bear the name.
    fn origin(&self, user: &str) -> String {
        match self.tls_required {
            true => format!("tls://{user}localhost"),
            false => format!("nats://{user}127.0.0.1"),
        }
    }

    fn kill(&mut self) {
        // Both fail only when the process has been waited for already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Cluster {
    /// The URL of the first member.
    pub fn client_url(&self) -> String {
        self.servers[0].client_url()
    }
}

impl Launch {
    fn new(program: PathBuf, mut args: Vec<OsString>, config: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("nats-server-test-")
            .tempdir();
        let dir = dir.expect("a temporary directory");
        if !config.is_empty() {
            args.extend(["-c".into(), config.into()]);
        }
        // Only a server that stores something is asked to store it here.
        if std::fs::read_to_string(config).is_ok_and(|text| text.contains("jetstream")) {
            args.extend(["--store_dir".into(), dir.path().join("store").into()]);
        }
        Self { program, args, dir }
    }

    fn spawn(&self) -> Child {
        // A log of an earlier run would name a port that nobody listens on yet.
        let _ = std::fs::remove_file(self.log_file());
        Command::new(&self.program)
            .args(["-l".into(), self.log_file(), "-P".into(), self.pid_file()])
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.program.display()))
    }

    fn wait_until_serving(self, child: Child) -> Server {
        let (child, port, tls_required) = self.serving(child);
        Server {
            launch: self,
            child,
            port,
            tls_required,
        }
    }

    /// Waits for the log line with the address, then for INFO from there.
    fn serving(&self, mut child: Child) -> (Child, u16, bool) {
        let deadline = Instant::now() + Duration::from_millis(READY_MS_MAX);
        loop {
            let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
            let ready = listening_port(&log).filter(|_| is_number(&self.pid_file()));
            if let Some((port, info)) = ready.and_then(|port| Some((port, read_info(port)?))) {
                // Who says nothing waits for the client to begin with TLS.
                let tls_required = info.is_empty() || info.contains("\"tls_required\":true");
                return (child, port, tls_required);
            }
            let over = child.try_wait().expect("a child can be asked");
            if over.is_some() || Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                panic!("the server did not come up ({over:?}):\n{log}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn pid_file(&self) -> PathBuf {
        self.dir.path().join("pid")
    }
}

/// `std::process::Command` looks the name up in PATH.
fn program() -> PathBuf {
    std::env::var_os("RECADO_NATS_SERVER")
        .unwrap_or_else(|| "nats-server".into())
        .into()
}

/// The port in the line that says where the server listens for clients.
fn listening_port(log: &str) -> Option<u16> {
    let whole_lines = &log[..log.rfind('\n')?];
    let address = whole_lines
        .lines()
        .find_map(|line| line.split_once("client connections on ")?.1.into())?;
    address.trim().rsplit(':').next()?.parse().ok()
}

fn is_number(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.trim().parse::<u32>().is_ok()
}

/// The line with which the server opens; empty for one that says nothing.
fn read_info(port: u16) -> Option<String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let patience = Duration::from_millis(500);
    stream.set_read_timeout(Some(patience)).ok()?;
    let mut line = String::new();
    if let Err(error) = BufReader::new(stream).read_line(&mut line) {
        return (error.kind() == ErrorKind::WouldBlock).then(String::new);
    }
    line.strip_prefix("INFO ").map(str::to_owned)
}

/// Free ports, all different: each is held until the last is found.
fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a free port"))
        .collect();
    held.iter()
        .map(|listener| listener.local_addr().expect("an address").port())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_log_once_its_line_is_whole() {
        let line = "[1] 2026/01/01 00:00:00.000000 [INF] Listening for client connections on ";
        assert_eq!(
            listening_port(&format!("{line}0.0.0.0:40123\n")),
            Some(40123)
        );
        assert_eq!(
            listening_port(&format!("{line}[::]:4222\nmore\n")),
            Some(4222)
        );
        assert_eq!(listening_port(&format!("{line}0.0.0.0:401")), None);
        assert_eq!(listening_port(""), None);
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_available() {
        let held = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = usize::from(held.local_addr().expect("an address").port());
        assert!(!is_port_available(port));
        drop(held);
        assert!(is_port_available(port));
        assert!(!is_port_available(70_000), "there is no such port");
    }
}
