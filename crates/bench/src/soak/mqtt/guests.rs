//! Storms of MQTT clients: each comes once, under an identifier that nobody had, and of none anything may stay.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use recado_mqtt::{Qos, ReturnCode};

use super::super::chance::Chance;
use super::super::line::Login;
use super::super::place::{CAREFUL, PATIENCE, STEADY};
use super::super::tally::Shared;
use super::client::{Client, Road, Who};
use super::memory::Memory;
use super::{ALL_QOS, CONSUMERS, Rhythm, SESSIONS, numbered};
use crate::error::{Error, Result};

const STRANGER: Login = Login {
    user: "steady",
    password: "not the word",
};
/// Every so manieth storm is one of strangers.
const STRANGERS_EVERY: u64 = 3;
/// Every so manieth guest has a session, and comes back to end it.
const STAYING_EVERY: u64 = 4;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A guest that is there.
struct Guest {
    client: Client,
    id: String,
    road: Road,
    stays: bool,
}

/// One storm after the other.
pub(super) fn blow(shared: &Shared, rhythm: Rhythm) -> Result<()> {
    let mut chance = Chance::new(shared.seed ^ 0x6e57);
    let mut round = 0;
    while shared.rest(rhythm.storms) {
        round += 1;
        if round % STRANGERS_EVERY == 0 {
            strangers(shared, rhythm.guests, &mut chance)?;
        } else {
            guests(shared, rhythm.guests, &mut chance)?;
            must_be_gone(shared)?;
        }
        shared.tally.add("MQTT storms", 1);
    }
    Ok(())
}

/// They subscribe, publish, and go: in order, without a word, or in the middle of something.
fn guests(shared: &Shared, count: u64, chance: &mut Chance) -> Result<()> {
    let mut there = Vec::new();
    for number in 0..count {
        if shared.is_ending() {
            break;
        }
        there.push(arrive(shared, number, chance)?);
    }
    let many = there.len() as u64;
    shared.tally.add("MQTT clients in storms", many);
    for guest in there {
        let Guest {
            client,
            id,
            road,
            stays,
        } = guest;
        leave(client, chance)?;
        if stays {
            let who = Who::passing(&id, STEADY, road);
            Client::open_passing(&shared.doors, 18, &who)?.leave()?;
        }
    }
    Ok(())
}

fn arrive(shared: &Shared, number: u64, chance: &mut Chance) -> Result<Guest> {
    let id = format!("soak-guest-{:016x}", chance.any());
    let road = Road::nth(chance.any());
    let stays = number.is_multiple_of(STAYING_EVERY);
    let login = match chance.below(8) {
        0 => CAREFUL,
        _ => STEADY,
    };
    let will: (&str, &[u8], Qos) = ("mq/storm/will", b"gone", Qos::AtLeastOnce);
    let who = Who {
        clean_session: !stays,
        will: (chance.below(2) == 0).then_some(will),
        ..Who::passing(&id, login, road)
    };
    let (mut client, present) = Client::open(&shared.doors, number, &who, Memory::default())?;
    if present {
        return Err(Error::Differs(format!("a session of {id}, which is new")));
    }
    let own = format!("mq/storm/{number}");
    client.subscribe(&[
        (&own, ALL_QOS[(number % 3) as usize]),
        ("mq/storm/#", Qos::AtLeastOnce),
    ])?;
    for qos in ALL_QOS {
        client.publish(&own, &numbered(number), qos)?;
    }
    client.flush()?;
    Ok(Guest {
        client,
        id,
        road,
        stays,
    })
}

fn leave(mut client: Client, chance: &mut Chance) -> Result<()> {
    let gone = match chance.below(5) {
        0 => client.leave(),
        1 => client.reset(),
        2 => client.break_off(),
        3 => {
            client.settle()?;
            client.leave()
        }
        // The socket is closed, with messages unread.
        _ => return Ok(()),
    };
    gone.map(drop)
}

/// What stays after a storm is what was there before.
fn must_be_gone(shared: &Shared) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let now = shared.monitor.mqtt()?;
        if now.sessions <= SESSIONS && now.consumers <= CONSUMERS {
            return Ok(());
        }
        if Instant::now() >= until {
            let what = format!(
                "{} sessions and {} consumers, instead of {SESSIONS} and {CONSUMERS} at most",
                now.sessions, now.consumers
            );
            shared.tally.wrong("MQTT clients left something", what);
            return Ok(());
        }
        if !shared.rest(LOOK_EVERY) {
            return Ok(());
        }
    }
}

/// They have the wrong password, say what is no protocol, or begin and go no further.
fn strangers(shared: &Shared, count: u64, chance: &mut Chance) -> Result<()> {
    let mut silent = Vec::new();
    for number in 0..count {
        if shared.is_ending() {
            break;
        }
        match chance.below(3) {
            0 => must_be_refused(shared, number)?,
            1 => silent.push(begin(shared, number, b"\x10\x40\x00\x04MQTT\x04")?),
            _ => {
                let noise: Vec<u8> = (0..100).map(|_| chance.any() as u8).collect();
                drop(begin(shared, number, &noise)?);
            }
        }
    }
    shared.tally.add("MQTT strangers in storms", count);
    Ok(())
}

fn must_be_refused(shared: &Shared, number: u64) -> Result<()> {
    let id = format!("soak-stranger-{number}");
    let who = Who::passing(&id, STRANGER, Road::nth(number));
    let expected = format!("CONNACK {}", ReturnCode::NotAuthorized as u8);
    match Client::open(&shared.doors, number, &who, Memory::default()) {
        Err(Error::Refused(text)) if text == expected => {
            shared.tally.add("logins refused", 1);
            Ok(())
        }
        Ok(_) => {
            shared.tally.wrong("strangers let in", id);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Says this much, and no more.
fn begin(shared: &Shared, number: u64, bytes: &[u8]) -> Result<TcpStream> {
    let mut socket = shared.doors.knock_for_mqtt(number)?;
    // Should it have been closed already, that is as good.
    let _ = socket.write_all(bytes);
    Ok(socket)
}
