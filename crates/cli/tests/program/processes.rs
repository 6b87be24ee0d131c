//! Other processes as `ps` sees them, and responders that start some.

use std::process::Command;
use std::time::{Duration, Instant};

use recado_conformance::PATIENCE;

use crate::harness::{Running, recado};

/// A responder that serves already, with the PATH of this test.
pub(crate) fn responder(url: &str, args: &[&str]) -> Running {
    let path = std::env::var("PATH").unwrap_or_default();
    let responder = recado(url, ["reply"].iter().chain(args))
        .env("PATH", &path)
        .spawn();
    responder.told("Answering");
    responder
}

/// The processes whose parent this is, with their process groups: `(pid, group)`.
pub(crate) fn children(parent: u32) -> Vec<(u32, u32)> {
    let ppid = parent.to_string();
    let listed = ps(&["-o", "pid=,pgid=", "--ppid", &ppid]);
    let row = |line: &str| {
        let mut numbers = line
            .split_whitespace()
            .map(|number| number.parse().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap())
    };
    listed.lines().map(row).collect()
}

/// The processes of a group that have not ended.
pub(crate) fn living_in_group(group: u32) -> Vec<String> {
    let all = ps(&["-A", "-o", "pgid=,pid=,stat=,args="]);
    let group = group.to_string();
    let alive = |line: &&str| {
        let mut words = line.split_whitespace();
        // Who has ended and was not asked about yet is a zombie, and no process any more.
        words.next() == Some(&group) && !words.nth(1).is_some_and(|stat| stat.starts_with('Z'))
    };
    all.lines().filter(alive).map(str::to_owned).collect()
}

/// Waits until nobody is left in a group: who was killed is gone when the kernel gets round to it.
pub(crate) fn until_empty(group: u32) {
    until("the end of a process group", || {
        living_in_group(group).is_empty().then_some(())
    });
}

/// Waits for what is not announced anywhere.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ps(args: &[&str]) -> String {
    let listed = Command::new("ps").args(args).output().expect("ps runs");
    String::from_utf8_lossy(&listed.stdout).into_owned()
}
