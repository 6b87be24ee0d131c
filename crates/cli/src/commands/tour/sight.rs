//! What the kernel shows of the processes on the stage: parent, threads, memory, TCP sockets. The same
//! as `ps` and `ss` show.

use std::net::SocketAddr;

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, Process};
use serde_json::{Value, json};

use super::cast::Actor;
use crate::table::Table;
use crate::text::tour as text;

/// A process as the kernel shows it.
struct Sight {
    pid: u32,
    words: String,
    parent: i32,
    threads: i64,
    memory_kb: u64,
    /// Local and remote address; without a remote one it listens.
    sockets: Vec<(SocketAddr, Option<SocketAddr>)>,
}

/// The processes as a table, and the same for `--json`. Who can't be looked at is left out.
pub(super) fn seen(actors: &[&Actor]) -> (Vec<String>, Value) {
    let connections = procfs::net::tcp().unwrap_or_default();
    let sights: Vec<Sight> = actors
        .iter()
        .filter_map(|actor| look(actor, &connections))
        .collect();
    let figures = sights.iter().map(Sight::json).collect::<Vec<_>>();
    (rows(&sights), json!({ "processes": figures }))
}

fn look(actor: &Actor, connections: &[TcpNetEntry]) -> Option<Sight> {
    let process = Process::new(i32::try_from(actor.pid).ok()?).ok()?;
    let status = process.status().ok()?;
    let inodes: Vec<u64> = process
        .fd()
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|fd| match fd.target {
            FDTarget::Socket(inode) => Some(inode),
            _ => None,
        })
        .collect();
    let sockets = connections
        .iter()
        .filter(|entry| inodes.contains(&entry.inode))
        .filter_map(|entry| match entry.state {
            TcpState::Listen => Some((entry.local_address, None)),
            TcpState::Established => Some((entry.local_address, Some(entry.remote_address))),
            _ => None,
        })
        .collect();
    Some(Sight {
        pid: actor.pid,
        words: actor.words.clone(),
        parent: status.ppid,
        threads: i64::try_from(status.threads).ok()?,
        memory_kb: status.vmrss.unwrap_or_default(),
        sockets,
    })
}

impl Sight {
    /// The program, and its command if it has one.
    fn name(&self) -> String {
        let mut words = self.words.split(' ');
        let program = words.next().unwrap_or_default();
        let program = program.rsplit('/').next().unwrap_or_default();
        match words.next().filter(|word| !word.starts_with('-')) {
            Some(command) => format!("{program} {command}"),
            None => program.to_owned(),
        }
    }

    fn socket_words(&self) -> Vec<String> {
        self.sockets
            .iter()
            .map(|(local, remote)| match remote {
                None => text::listens(&local.to_string()),
                Some(remote) => format!("{local} ↔ {remote}"),
            })
            .collect()
    }

    fn json(&self) -> Value {
        let sockets: Vec<Value> = self
            .sockets
            .iter()
            .map(|(local, remote)| json!({ "local": local, "remote": remote }))
            .collect();
        json!({
            "pid": self.pid, "command": self.words, "parent": self.parent,
            "threads": self.threads, "memory_kb": self.memory_kb, "tcp": sockets,
        })
    }
}

fn rows(sights: &[Sight]) -> Vec<String> {
    let mut table = Table::new(&[
        text::column_process(),
        text::column_parent(),
        text::column_threads(),
        text::column_memory(),
        text::column_program(),
        "TCP",
    ]);
    for sight in sights {
        let mut sockets = sight.socket_words().into_iter();
        table.row([
            sight.pid.to_string(),
            sight.parent.to_string(),
            sight.threads.to_string(),
            format!("{:.1} MB", sight.memory_kb as f64 / 1e3),
            sight.name(),
            sockets.next().unwrap_or_default(),
        ]);
        for socket in sockets {
            table.row([const { String::new() }; 5].into_iter().chain([socket]));
        }
    }
    table.lines()
}
