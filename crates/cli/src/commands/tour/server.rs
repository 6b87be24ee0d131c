//! Which server program the tour uses, and where: ours, or the one that was named.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::Failure;
use crate::text::tour as text;

/// The name of our server.
const OURS: &str = "recado-server";

/// How long a program may take to say which version it is.
const VERSION_LIMIT: Duration = Duration::from_secs(5);

/// Ports that are tried are these: below those that the kernel gives to outgoing connections, so that
/// nobody takes the port by chance while the server is down.
const PORTS: std::ops::Range<u16> = 10_000..30_000;

/// Whose flags a server program understands beside those that both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Personality {
    /// recado-server: `token new`, `--token-file`.
    Recado,
    /// nats-server, or who behaves as it does.
    Nats,
}

/// A program that serves.
pub(super) struct ServerProgram {
    /// Where it is.
    pub(super) path: PathBuf,
    /// What a person types to run it.
    pub(super) name: String,
    /// Its manners.
    pub(super) personality: Personality,
}

impl ServerProgram {
    /// The program that was named; without one, ours: beside this program, or in PATH.
    pub(super) async fn find(named: Option<&Path>) -> Result<Self, Failure> {
        let (path, name) = match named {
            Some(path) => (in_path_if_bare(path), path.display().to_string()),
            None => (ours()?, OURS.to_owned()),
        };
        let refused = |detail: &str| Failure::Local {
            what: text::server_unusable(&path.display().to_string(), detail),
            next: text::server_unusable_next().to_owned(),
        };
        let mut asking = tokio::process::Command::new(&path);
        asking
            .arg("--version")
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        let said = match tokio::time::timeout(VERSION_LIMIT, asking.output()).await {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => return Err(refused(&error.to_string())),
            Err(_) => return Err(refused(text::no_version())),
        };
        let personality = match String::from_utf8_lossy(&said.stdout).starts_with(OURS) {
            true => Personality::Recado,
            false => Personality::Nats,
        };
        // Its directory is not the tour's.
        let path = std::path::absolute(&path).unwrap_or(path);
        Ok(Self {
            path,
            name,
            personality,
        })
    }
}

/// A name without a slash means a program in PATH, as in a shell.
fn in_path_if_bare(path: &Path) -> PathBuf {
    if path.components().count() == 1 && !path.exists() {
        in_path(path).unwrap_or_else(|| path.to_owned())
    } else {
        path.to_owned()
    }
}

fn ours() -> Result<PathBuf, Failure> {
    let me = std::env::current_exe().ok();
    let beside = me
        .as_deref()
        .and_then(|me| Some(me.parent()?.join(OURS)))
        .filter(|path| path.is_file());
    beside
        .or_else(|| in_path(Path::new(OURS)))
        .ok_or_else(|| Failure::Local {
            what: match me.as_deref().and_then(Path::parent) {
                Some(folder) => text::no_server(&folder.display().to_string()),
                None => text::no_server("PATH"),
            },
            next: text::no_server_next(build_profile(me.as_deref())),
        })
}

/// The flag that makes cargo build the server where it is looked for.
fn build_profile(me: Option<&Path>) -> &'static str {
    let in_debug = me
        .and_then(Path::parent)
        .is_some_and(|folder| folder.ends_with("debug"));
    if in_debug { "" } else { "--release " }
}

fn in_path(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// A port on which nothing listens now.
pub(super) fn free_port() -> io::Result<u16> {
    // Two tours at once begin to look at different places.
    let count = usize::from(PORTS.end - PORTS.start);
    let first = usize::try_from(std::process::id()).unwrap_or_default() * 7919 % count;
    PORTS
        .cycle()
        .skip(first)
        .take(count)
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .ok_or_else(|| io::ErrorKind::AddrInUse.into())
}
