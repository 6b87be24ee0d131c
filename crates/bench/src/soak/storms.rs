//! Storms: hundreds of connections at once, of all kinds, that all go at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::chance::Chance;
use super::line::{Line, Login, Way};
use super::place::{CAREFUL, STEADY};
use super::tally::Shared;
use crate::error::{Error, Result};

const STRANGER: Login = Login {
    user: "steady",
    password: "not the word",
};
const NOBODY: Login = Login {
    user: "nobody",
    password: "no word",
};
/// Every so manieth storm is one of strangers.
const STRANGERS_EVERY: u64 = 3;

/// How storms go.
#[derive(Clone, Copy)]
pub(super) struct Storms {
    /// Connections that are there at once.
    pub(super) connections: u64,
    /// From the end of one to the next.
    pub(super) pause: Duration,
}

/// One storm after the other.
pub(super) fn blow(shared: &Shared, storms: Storms) -> Result<()> {
    let mut chance = Chance::new(shared.seed ^ 2);
    let mut round = 0;
    while shared.rest(storms.pause) {
        round += 1;
        if round % STRANGERS_EVERY == 0 {
            strangers(shared, storms.connections, &mut chance)?;
        } else {
            guests(shared, storms.connections, &mut chance)?;
        }
        shared.tally.add("storms", 1);
    }
    Ok(())
}

/// They log in, subscribe, publish; then all go: in order, without a word, or in the middle of something.
fn guests(shared: &Shared, connections: u64, chance: &mut Chance) -> Result<()> {
    let mut there = Vec::new();
    for number in 0..connections {
        if shared.is_ending() {
            break;
        }
        let login = if chance.below(8) == 0 {
            CAREFUL
        } else {
            STEADY
        };
        let way = Way::nth(chance.any());
        let inbox = chance.any();
        let say = format!(
            "SUB _INBOX.{inbox:x}.* 1\r\nSUB soak.storm.{number} 2\r\nSUB soak.storm.*.{number} gang 3\r\nSUB soak.flow.never.> 4\r\nUNSUB 4\r\nPUB soak.storm.{number} 5\r\nhello\r\n"
        );
        there.push(shared.doors.open(way, number, login, &say)?);
    }
    shared
        .tally
        .add("connections in storms", there.len() as u64);
    there.into_iter().try_for_each(|line| leave(line, chance))
}

fn leave(mut line: Line, chance: &mut Chance) -> Result<()> {
    match chance.below(4) {
        // The server may still be sending us something.
        0 => line.reset(),
        1 => line.send(b"PUB soak.storm.half 1000\r\nonly the begin"),
        2 => line.send(b"SUB soak.storm.last 9\r\nPUB soak.storm.last 2\r\nhi\r\n"),
        _ => Ok(()),
    }
}

/// They have the wrong password, say what is no protocol, or begin a handshake and leave it.
fn strangers(shared: &Shared, connections: u64, chance: &mut Chance) -> Result<()> {
    let mut silent = Vec::new();
    for number in 0..connections {
        if shared.is_ending() {
            break;
        }
        let way = Way::nth(chance.any());
        match chance.below(4) {
            0 | 1 => {
                let login = [STRANGER, NOBODY][(number % 2) as usize];
                must_be_refused(shared, way, number, login)?;
            }
            2 => silent.push(half_handshake(shared, way, number)?),
            _ => nonsense(shared.doors.knock(way, number, false)?, chance),
        }
    }
    shared.tally.add("strangers in storms", connections);
    Ok(())
}

fn must_be_refused(shared: &Shared, way: Way, number: u64, login: Login) -> Result<()> {
    match shared.doors.open(way, number, login, "") {
        Err(Error::Refused(text)) if text.contains("Authorization Violation") => {}
        Ok(_) => {
            let what = format!("{} over {way:?}", login.user);
            shared.tally.wrong("strangers let in", what);
        }
        Err(error) => return Err(error),
    }
    shared.tally.add("logins refused", 1);
    Ok(())
}

/// Leaves the server waiting, until it loses patience or the storm is over.
fn half_handshake(shared: &Shared, way: Way, number: u64) -> Result<TcpStream> {
    let mut socket = shared.doors.knock(way, number, false)?;
    let half: &[u8] = match way {
        Way::Clear => b"CONNECT {\"user\":\"st",
        // The head of a record that says more than follows.
        Way::Tls => &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01],
        Way::Websocket => b"GET / HTTP/1.1\r\nHost: local",
    };
    // Should it have been closed already, that is as good.
    let _ = socket.write_all(half);
    Ok(socket)
}

fn nonsense(mut socket: TcpStream, chance: &mut Chance) {
    let noise: Vec<u8> = (0..200).map(|_| chance.any() as u8).collect();
    let _ = socket.write_all(&noise);
    let _ = socket.write_all(b"\r\n");
    let _ = socket.set_read_timeout(Some(Duration::from_millis(20)));
    let _ = socket.read(&mut [0; 512]);
}
