//! What a process has used: CPU time from its own clock, in nanoseconds, and memory from `/proc`.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

use crate::error::{Doing, Error, Result};

/// Looks at one process from outside (or at our own).
#[derive(Clone, Copy)]
pub(crate) struct Meter {
    pid: Pid,
    clock: ClockId,
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) rss: u64,
    /// Resident now, shared pages counted in part.
    pub(crate) pss: u64,
    /// The most that was ever resident.
    pub(crate) peak: u64,
}

impl Meter {
    /// A meter for the process with this id.
    pub(crate) fn of(pid: i32) -> Result<Meter> {
        let pid = Pid::from_raw(pid);
        let clock = clock_getcpuclockid(pid).doing(format!("the CPU clock of process {pid}"))?;
        Ok(Meter { pid, clock })
    }

    /// A meter for ourselves.
    pub(crate) fn own() -> Meter {
        Meter {
            pid: Pid::this(),
            clock: ClockId::CLOCK_PROCESS_CPUTIME_ID,
        }
    }

    /// CPU time so far, user and system, of all threads, those that have ended too.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        self.clock
            .now()
            .map(Duration::from)
            .doing(format!("the CPU time of process {}", self.pid))
    }

    /// Memory now.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let rollup = self.read("smaps_rollup")?;
        let status = self.read("status")?;
        let missing = || Error::Server(format!("process {} tells no memory use", self.pid));
        Ok(Memory {
            rss: kilobytes(&rollup, "Rss:").ok_or_else(missing)?,
            pss: kilobytes(&rollup, "Pss:").ok_or_else(missing)?,
            peak: kilobytes(&status, "VmHWM:").ok_or_else(missing)?,
        })
    }

    /// Memory once it has stopped moving (or after three seconds): runtimes give back late.
    pub(crate) fn settled_memory(&self) -> Result<Memory> {
        let mut before = self.memory()?;
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(300));
            let now = self.memory()?;
            if now.pss.abs_diff(before.pss) * 200 <= before.pss {
                return Ok(now);
            }
            before = now;
        }
        Ok(before)
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.pid);
        fs::read_to_string(&path).doing(path)
    }
}

fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_ascii_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kb| kb * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_use_is_seen_and_grows_with_work() {
        let meter = Meter::of(std::process::id() as i32).expect("own clock");
        let (before, memory) = (meter.cpu().expect("cpu"), meter.memory().expect("memory"));
        let mut block = vec![0u8; 32 << 20];
        for round in 0..4u8 {
            block
                .iter_mut()
                .for_each(|b| *b = b.wrapping_add(std::hint::black_box(round | 1)));
        }
        let (after, grown) = (meter.cpu().expect("cpu"), meter.memory().expect("memory"));
        assert!(after > before);
        assert!(grown.rss > memory.rss + (24 << 20), "{memory:?} {grown:?}");
        assert!(grown.peak >= grown.pss);
        drop(std::hint::black_box(block));
    }
}
