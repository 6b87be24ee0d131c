//! Clients that speak MQTT: messages of every QoS among themselves and with NATS clients, sessions that wait for those who
//! come back, retained messages, wills, and clients that come once and never again.

mod client;
mod flow;
mod guests;
mod ledger;
mod memory;
mod packets;
mod retained;
mod sessions;
mod wills;

use std::time::{Duration, Instant};

use recado_mqtt::Qos;

use super::line::{Doors, Way};
use super::monitor::Mqtt;
use super::tally::{DRAIN, Finish, Shared};
use crate::client::IO_TIMEOUT;
use crate::error::{Error, Result};
use client::Road;
use packets::Message;
use sessions::{Keeper, SLEEPERS, Sleeper};

const ALL_QOS: [Qos; 3] = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];
/// Every message begins with its number in so many digits.
const DIGITS: usize = 16;
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long after the end of the load what is still to come may take: that of its publisher to have all acknowledged, and some.
const END_MAX: Duration = IO_TIMEOUT.saturating_add(DRAIN);

/// Sessions that are there all the time: of those who sleep, and of who publishes for them.
const SESSIONS: u64 = SLEEPERS.len() as u64 + 1;
/// Consumers that are there at the same time, but for guests': two for each sleeper, two for each receiver of the flow, one who
/// waits for wills, one who reads retained messages.
const CONSUMERS: u64 = 2 * SLEEPERS.len() as u64 + 2 * 2 + 1 + 1;

/// How it is when all have gone for good.
pub(super) const NOTHING: Mqtt = Mqtt {
    sessions: 0,
    consumers: 0,
    messages: 0,
};

/// What the parts know of each other: the last number of each kind of message, once there will be no more.
#[derive(Default)]
pub(super) struct Ends {
    /// By QoS, from MQTT to whoever listens.
    flow: [Finish; 3],
    /// From NATS to MQTT.
    from_nats: Finish,
    /// For the sleepers, with QoS 1 and 2.
    kept: [Finish; 2],
}

/// How often what happens from time to time happens.
#[derive(Clone, Copy)]
pub(super) struct Rhythm {
    /// From the end of a storm to the next, and its guests.
    pub(super) storms: Duration,
    pub(super) guests: u64,
}

/// A part of the load, with the name that its failures are told by.
type Part = (
    &'static str,
    Box<dyn Fn(&Shared) -> Result<()> + Send + 'static>,
);

/// Begins the sessions that stay, so that nothing that is published for them is lost.
pub(super) fn prepare(doors: &Doors) -> Result<()> {
    SLEEPERS.iter().try_for_each(|name| {
        let sleeper = Sleeper::new(name);
        sleeper.begin(doors)
    })?;
    Keeper::begin(doors)
}

/// All that goes on with MQTT.
pub(super) fn parts(rhythm: Rhythm) -> Vec<Part> {
    let mut parts: Vec<Part> = vec![
        ("publishing over MQTT", Box::new(flow::publish)),
        (
            "receiving over MQTT",
            Box::new(|s| flow::receive(s, Road::Socket)),
        ),
        (
            "receiving over MQTT",
            Box::new(|s| flow::receive(s, Road::Websocket)),
        ),
        (
            "receiving what MQTT clients publish",
            Box::new(|s| flow::receive_as_nats(s, Way::Tls)),
        ),
        ("retained messages", Box::new(retained::replace)),
        ("wills", Box::new(wills::die)),
        (
            "storms of MQTT clients",
            Box::new(move |s| guests::blow(s, rhythm)),
        ),
    ];
    // Who fails begins again with what it remembers.
    let keeper = Keeper::shared();
    parts.push((
        "publishing for MQTT sessions",
        Box::new(move |s| sessions::publish(s, &keeper)),
    ));
    for name in SLEEPERS {
        let sleeper = Sleeper::new(name).shared();
        parts.push((
            "MQTT sessions",
            Box::new(move |s| sessions::come_and_go(s, &sleeper)),
        ));
    }
    parts
}

/// Counted also where there are none: that shows that it was looked at.
const LOST: &str = "MQTT messages lost";
const DOUBLED: &str = "MQTT messages doubled";

fn tell_doubled(shared: &Shared, what: String) {
    shared.tally.add(DOUBLED, 1);
    shared.tally.wrong(DOUBLED, what);
}

/// All that should come came, but for so many.
fn tell_missing(shared: &Shared, missing: u64, of: &str) {
    shared.tally.add(LOST, missing);
    shared.tally.add(DOUBLED, 0);
    if missing > 0 {
        let what = format!("{missing} at the end: {of}");
        shared.tally.wrong_times(LOST, missing, what);
    }
}

/// Whether all came, or the time for it is over. `None`: whoever publishes has not ended yet, or failed and never tells.
fn is_over(shared: &Shared, missing: Option<u64>, ended: &mut Option<Instant>) -> bool {
    if missing == Some(0) {
        return true;
    }
    shared.is_ending() && ended.get_or_insert_with(Instant::now).elapsed() > END_MAX
}

/// The payload of the n-th message.
fn numbered(number: u64) -> Vec<u8> {
    format!("{number:016} {}", "x".repeat(64)).into_bytes()
}

fn number_in(payload: &[u8]) -> Result<u64> {
    let digits = payload.get(..DIGITS);
    let number = digits
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| {
        let shown = String::from_utf8_lossy(payload);
        Error::Differs(format!("no number in {shown:.32?}"))
    })
}

/// The last level of its topic, which says what it belongs to.
fn last_level(message: &Message) -> Result<usize> {
    let level = message.topic.rsplit('/').next().unwrap_or_default();
    let odd = |_| Error::Differs(format!("a message on {:?}", message.topic));
    level.parse().map_err(odd)
}
