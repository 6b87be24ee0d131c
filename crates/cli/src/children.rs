//! The processes that this program starts: each leads a process group of its own, and no group
//! outlives this program, however it ends.
//!
//! One thing can't be held here: when this program itself is killed with SIGKILL nobody is left to
//! kill anything. What remains then finds its standard input ended. (The kernel could kill it, by
//! `PR_SET_PDEATHSIG`, but that has to be asked for between fork and exec, which needs `unsafe`.)

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// The groups that are alive, by the process id of their leader.
struct Groups {
    leaders: BTreeSet<i32>,
    /// The program is ending: nothing is started any more.
    ending: bool,
}

static GROUPS: Mutex<Groups> = Mutex::new(Groups {
    leaders: BTreeSet::new(),
    ending: false,
});

/// A process group; all that is left of it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Pid,
}

/// Starts a process that leads a group of its own.
pub(crate) fn start(command: &mut Command) -> io::Result<(Child, Group)> {
    // Held while it starts, so that the end of the program can't miss it.
    let mut groups = groups();
    if groups.ending {
        return Err(io::Error::from(io::ErrorKind::Interrupted));
    }
    let child = command.process_group(0).spawn()?;
    let leader = child.id().and_then(|id| i32::try_from(id).ok());
    // A process that was just started and not waited for has an id.
    let leader = leader.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    groups.leaders.insert(leader);
    let leader = Pid::from_raw(leader);
    Ok((child, Group { leader }))
}

impl Group {
    /// The process id of its first process.
    pub(crate) fn pid(&self) -> u32 {
        self.leader.as_raw().unsigned_abs()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut groups = groups();
        if groups.leaders.remove(&self.leader.as_raw()) {
            // Fails when nobody is left in it, which is as good.
            let _ = killpg(self.leader, Signal::SIGKILL);
        }
    }
}

/// Asks all processes to end.
pub(crate) fn terminate_all() {
    for leader in &groups().leaders {
        // Fails when nobody is left in it, which is as good.
        let _ = killpg(Pid::from_raw(*leader), Signal::SIGTERM);
    }
}

/// Kills all processes, for good: none can be started afterwards.
pub(crate) fn kill_all() {
    let mut groups = groups();
    groups.ending = true;
    for leader in std::mem::take(&mut groups.leaders) {
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}

fn groups() -> MutexGuard<'static, Groups> {
    // The set is whole whatever happened to whoever held it.
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}
