//! The programs that are measured: started, waited for, looked at through `/proc`, and ended.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Failure;

/// What `/proc` counts processor time in: a hundredth of a second on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// A program that runs. It is ended when this is dropped.
pub(super) struct Running {
    child: Child,
    /// The line that said that it is ready.
    pub(super) ready: String,
}

impl Running {
    /// Starts a program and waits until a line with `ready` comes on its standard error.
    pub(super) fn start(program: &Path, args: &[String], ready: &str) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| format!("{}: {error}", program.display());
        let mut child = Command::new(program)
            .args(args)
            .env("XDG_STATE_HOME", crate::target_folder().join("serving"))
            .env_remove("LANG")
            .env_remove("LC_ALL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let stderr = child.stderr.take().ok_or("no standard error")?;
        let mut running = Self {
            child,
            ready: String::new(),
        };
        let mut lines = BufReader::new(stderr).lines();
        let said = lines.by_ref().map_while(Result::ok);
        let line = said
            .inspect(|line| running.ready.clone_from(line))
            .find(|line| line.contains(ready));
        if line.is_none() {
            return Err(format!(
                "{} did not start: {}",
                program.display(),
                running.ready
            ));
        }
        // Whatever else it says must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(running)
    }

    /// The processor time of the program and of all it started, so far.
    pub(super) fn processor_time(&self) -> Duration {
        let own =
            times(self.child.id()).map_or(0, |[user, system, of_ended]| user + system + of_ended);
        let children = children(self.child.id());
        let alive: u32 = children
            .into_iter()
            .filter_map(times)
            .map(|[user, system, _]| user + system)
            .sum();
        TICK * (own + alive)
    }

    /// The memory of the program and of all it started, what they share counted once, in bytes.
    pub(super) fn memory(&self) -> u64 {
        let all = children(self.child.id())
            .into_iter()
            .chain([self.child.id()]);
        all.filter_map(memory).sum()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A signal that lets it see to its children; Rust's own `kill` would not.
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        if asked.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// User, system, and what its children had used that have ended, in ticks.
fn times(pid: u32) -> Option<[u32; 3]> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold blanks, but no later parenthesis.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<u32> = fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .map_while(|f| f.parse().ok())
        .collect();
    match fields.as_slice() {
        [user, system, ended_user, ended_system] => {
            Some([*user, *system, ended_user + ended_system])
        }
        _ => None,
    }
}

/// Its share of memory, in bytes: pages that several map count in parts.
fn memory(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    let lists = tasks.into_iter().flatten().flatten();
    let lists = lists.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}
