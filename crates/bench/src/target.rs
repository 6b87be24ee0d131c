//! The server under test: started afresh on a free loopback port and with an empty store for each
//! run, or one that runs.

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
use tempfile::TempDir;

use crate::client::Client;
use crate::error::{Doing, Error, Result};
use crate::meter::Meter;

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same with millions of messages stored.
const PATIENCE_WITH_STORE: Duration = Duration::from_secs(180);
/// What stands for the run's own folder in the arguments of a server.
pub const STORE: &str = "{store}";

/// Where a server comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A program that is started with `-p PORT -a 127.0.0.1` and these further arguments.
    Program {
        /// Its path.
        path: PathBuf,
        /// What follows the port and the address. `{store}` stands for a folder of the run's own.
        args: Vec<String>,
        /// Where such folders are made.
        stores: PathBuf,
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
    launch: Option<Launch>,
}

/// How a server was started, and so how it is started again.
struct Launch {
    program: PathBuf,
    args: Vec<String>,
    cores: Cores,
    /// Removed with the target.
    store: TempDir,
}

impl Source {
    /// Starts it, and returns when it has answered a first client.
    pub(crate) fn start(&self, cores: Cores) -> Result<Target> {
        let (program, args, address, stores) = match self {
            Source::Running { address, pid } => {
                let meter = pid.map(Meter::of).transpose()?;
                Client::connect(*address)?;
                return Ok(Target {
                    address: *address,
                    meter,
                    child: None,
                    launch: None,
                });
            }
            Source::Program { path, args, stores } => {
                let address = free_address()?;
                let port = address.port().to_string();
                let listen = ["-p", &port, "-a", "127.0.0.1"].map(str::to_owned);
                let args = [listen.as_slice(), args].concat();
                (path.clone(), args, address, stores.clone())
            }
            Source::Floor => {
                let address = free_address()?;
                let own = std::env::current_exe().doing("finding our own program")?;
                let args = ["floor", "--port", &address.port().to_string()].map(str::to_owned);
                (own, args.to_vec(), address, std::env::temp_dir())
            }
        };
        let launch = Launch::prepare(program, args, cores, &stores)?;
        let mut target = Target {
            address,
            meter: None,
            child: None,
            launch: Some(launch),
        };
        target.launch(PATIENCE)?;
        Ok(target)
    }
}

impl Launch {
    fn prepare(
        program: PathBuf,
        mut args: Vec<String>,
        cores: Cores,
        stores: &Path,
    ) -> Result<Launch> {
        std::fs::create_dir_all(stores).doing(format!("making {}", stores.display()))?;
        let mut folder = tempfile::Builder::new();
        let store = folder
            .prefix("recado-bench-")
            .tempdir_in(stores)
            .doing(format!("making a folder in {}", stores.display()))?;
        let path = store.path().join("store").display().to_string();
        for arg in &mut args {
            *arg = arg.replace(STORE, &path);
        }
        Ok(Launch {
            program,
            args,
            cores,
            store,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        // A server that stores things without being told where must not find its user's.
        command.env("XDG_STATE_HOME", self.store.path());
        command
    }
}

impl Target {
    /// The folder under which the server stores what it stores; `None` when it ran before us.
    pub(crate) fn store(&self) -> Option<&Path> {
        self.launch.as_ref().map(|launch| launch.store.path())
    }

    /// Ends it with this signal and starts it again with what it has stored: the moment at which it
    /// was started again. Returns when it answers a client.
    pub(crate) fn restart(&mut self, signal: Signal) -> Result<Instant> {
        let running = || Error::Server("a server that ran before us is not restarted".into());
        let child = self.child.as_mut().ok_or_else(running)?;
        let ended = stop(child, signal, PATIENCE_WITH_STORE);
        self.child = None;
        if !ended {
            return Err(Error::Server(format!(
                "the server did not end within {} s of {signal}",
                PATIENCE_WITH_STORE.as_secs()
            )));
        }
        self.launch(PATIENCE_WITH_STORE)
    }

    fn launch(&mut self, patience: Duration) -> Result<Instant> {
        let running = || Error::Server("a server that ran before us is not started".into());
        let launch = self.launch.as_ref().ok_or_else(running)?;
        let mut command = launch.command();
        let name = launch.program.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let log = tempfile::tempfile().doing("a file for the server's log")?;
        let copy = || log.try_clone().doing("a file for the server's log");
        command.stdin(Stdio::null()).stdout(copy()?).stderr(copy()?);
        let started = Instant::now();
        let child = spawn_on(&mut command, launch.cores).doing(format!("starting {name}"))?;
        self.meter = Some(Meter::of(child.id() as i32)?);
        self.child = Some(child);
        self.wait_until_it_serves(&name, log, started, patience)?;
        Ok(started)
    }

    fn wait_until_it_serves(
        &mut self,
        name: &str,
        log: File,
        started: Instant,
        patience: Duration,
    ) -> Result<()> {
        loop {
            let Err(error) = Client::connect(self.address) else {
                return Ok(());
            };
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || started.elapsed() > patience {
                let how = ended.map_or("is still running".to_owned(), |how| how.to_string());
                return Err(Error::Server(format!(
                    "{name} does not serve on {} ({error}); it {how}; its log ends:\n{}",
                    self.address,
                    tail(log),
                )));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            stop(child, Signal::SIGTERM, PATIENCE);
        }
    }
}

/// Whether it ended of its own accord; if not, it is killed.
fn stop(child: &mut Child, signal: Signal, patience: Duration) -> bool {
    let _ = kill(Pid::from_raw(child.id() as i32), signal);
    let asked = Instant::now();
    while asked.elapsed() < patience {
        if child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    false
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
