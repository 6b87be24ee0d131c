//! The server under test: started afresh on a free loopback port for each run, or one that runs.

use std::fs::File;
use std::io::{Read, Seek};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::client::Client;
use crate::error::{Doing, Error, Result};
use crate::meter::Meter;

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a server comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A program that is started with `-p PORT -a 127.0.0.1` and these further arguments.
    Program {
        /// Its path.
        path: PathBuf,
        /// What follows the port and the address.
        args: Vec<String>,
    },
    /// The least work that any server must do: `recado-bench floor`.
    Floor,
    /// A server that runs already; without a pid its CPU and memory stay unknown.
    Running {
        /// Where it listens.
        address: SocketAddr,
        /// Its process.
        pid: Option<i32>,
    },
}

/// Which cores a server may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    /// Those there are.
    All,
    /// The first one.
    One,
}

/// A server that serves.
pub(crate) struct Target {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its CPU and memory, when its process is known.
    pub(crate) meter: Option<Meter>,
    child: Option<Child>,
}

impl Source {
    /// Starts it, and returns when it has answered a first client.
    pub(crate) fn start(&self, cores: Cores) -> Result<Target> {
        let (mut command, address) = match self {
            Source::Running { address, pid } => {
                let meter = pid.map(Meter::of).transpose()?;
                Client::connect(*address)?;
                return Ok(Target {
                    address: *address,
                    meter,
                    child: None,
                });
            }
            Source::Program { path, args } => {
                let address = free_address()?;
                let mut command = Command::new(path);
                command
                    .args(["-p", &address.port().to_string(), "-a", "127.0.0.1"])
                    .args(args);
                (command, address)
            }
            Source::Floor => {
                let address = free_address()?;
                let own = std::env::current_exe().doing("finding our own program")?;
                let mut command = Command::new(own);
                command.args(["floor", "--port", &address.port().to_string()]);
                (command, address)
            }
        };
        let program = Path::new(command.get_program());
        let name = program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let log = tempfile::tempfile().doing("a file for the server's log")?;
        let copy = || log.try_clone().doing("a file for the server's log");
        command.stdin(Stdio::null()).stdout(copy()?).stderr(copy()?);
        let child = spawn_on(&mut command, cores).doing(format!("starting {name}"))?;
        let meter = Meter::of(child.id() as i32)?;
        let mut target = Target {
            address,
            meter: Some(meter),
            child: Some(child),
        };
        target.wait_until_it_serves(&name, log)?;
        Ok(target)
    }
}

impl Target {
    fn wait_until_it_serves(&mut self, name: &str, log: File) -> Result<()> {
        let started = Instant::now();
        loop {
            let Err(error) = Client::connect(self.address) else {
                return Ok(());
            };
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || started.elapsed() > PATIENCE {
                let how = ended.map_or("is still running".to_owned(), |how| how.to_string());
                return Err(Error::Server(format!(
                    "{name} does not serve on {} ({error}); it {how}; its log ends:\n{}",
                    self.address,
                    tail(log),
                )));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A child inherits the affinity of the thread that starts it, so we borrow it for a moment.
fn spawn_on(command: &mut Command, cores: Cores) -> std::io::Result<Child> {
    if cores == Cores::All {
        return command.spawn();
    }
    let ourselves = Pid::from_raw(0);
    let before = sched_getaffinity(ourselves)?;
    let first = (0..CpuSet::count())
        .find(|&cpu| before.is_set(cpu).unwrap_or(false))
        .unwrap_or(0);
    let mut one = CpuSet::new();
    one.set(first)?;
    sched_setaffinity(ourselves, &one)?;
    let child = command.spawn();
    sched_setaffinity(ourselves, &before)?;
    child
}

/// Takes all the file descriptors that we may have; the servers that we start inherit that.
pub fn raise_descriptor_limit() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).doing("reading the descriptor limit")?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).doing("raising the descriptor limit")
}

/// A loopback port that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("looking for a free port")?;
    listener.local_addr().doing("looking for a free port")
}

fn tail(mut log: File) -> String {
    let mut text = Vec::new();
    let _ = log.rewind().and_then(|()| log.read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
