//! A flow of messages of every QoS from one MQTT client to others and to a NATS client, and one from NATS to MQTT.

use std::time::{Duration, Instant};

use recado_mqtt::Qos;

use super::super::line::Way;
use super::super::place::STEADY;
use super::super::tally::{Finish, Shared};
use super::client::{Client, Road, Who};
use super::ledger::Ledger;
use super::packets::Message;
use super::{
    ALL_QOS, LOOK_EVERY, is_over, last_level, number_in, numbered, tell_doubled, tell_missing,
};
use crate::error::{Error, Result};

const TURN: Duration = Duration::from_millis(50);
/// Messages of a turn, by QoS, and from NATS.
const MESSAGES_A_TURN: [u64; 3] = [3, 2, 1];
const FROM_NATS_A_TURN: u64 = 2;
/// More are not left unacknowledged.
const UNDER_WAY_MAX: usize = 400;

const PUBLISHED: [&str; 3] = [
    "MQTT messages published, QoS 0",
    "MQTT messages published, QoS 1",
    "MQTT messages published, QoS 2",
];
const DELIVERED: [&str; 3] = [
    "MQTT messages delivered, QoS 0",
    "MQTT messages delivered, QoS 1",
    "MQTT messages delivered, QoS 2",
];
const TO_NATS: &str = "MQTT messages delivered to NATS";
const FROM_NATS: &str = "NATS messages delivered to MQTT";
const CHANGED: &str = "MQTT messages of another QoS, or out of order";

/// Publishes numbered messages, from both sides.
pub(super) fn publish(shared: &Shared) -> Result<()> {
    let who = Who::passing("soak-flow", STEADY, Road::Socket);
    let mut client = Client::open_passing(&shared.doors, 10, &who)?;
    let mut nats = shared.doors.open(Way::Clear, 10, STEADY, "")?;
    let (mut numbers, mut from_nats, mut due) = ([0; 3], 0, Instant::now());
    while shared.rest(due.saturating_duration_since(Instant::now())) {
        // What a busy machine made late is not caught up with.
        due = Instant::now() + TURN;
        for qos in ALL_QOS {
            let level = usize::from(qos.number());
            for _ in 0..MESSAGES_A_TURN[level] {
                numbers[level] += 1;
                let topic = format!("mq/flow/{level}");
                client.publish(&topic, &numbered(numbers[level]), qos)?;
            }
            shared.tally.add(PUBLISHED[level], MESSAGES_A_TURN[level]);
        }
        client.flush()?;
        let mut batch = Vec::new();
        for _ in 0..FROM_NATS_A_TURN {
            from_nats += 1;
            let payload = numbered(from_nats);
            batch.extend_from_slice(format!("PUB mq.back {}\r\n", payload.len()).as_bytes());
            batch.extend_from_slice(&payload);
            batch.extend_from_slice(b"\r\n");
        }
        nats.send(&batch)?;
        if client.message(Duration::ZERO)?.is_some() {
            return Err(Error::Differs(
                "a message for who subscribed to nothing".into(),
            ));
        }
        if client.under_way() > UNDER_WAY_MAX {
            client.settle()?;
        }
        shared.tally.add("MQTT pings answered", client.pings());
    }
    client.settle()?;
    client.round_trip()?;
    nats.flush()?;
    for (finish, number) in shared.mqtt.flow.iter().zip(numbers) {
        finish.tell(number);
    }
    shared.mqtt.from_nats.tell(from_nats);
    client.leave().map(drop)
}

/// What is due of one kind of message, and what came of it.
struct Kind<'a> {
    finish: &'a Finish,
    ledger: Ledger,
    last: u64,
    qos: Qos,
    counted_as: &'static str,
}

impl<'a> Kind<'a> {
    fn new(finish: &'a Finish, qos: Qos, counted_as: &'static str) -> Self {
        Self {
            finish,
            ledger: Ledger::default(),
            last: 0,
            qos,
            counted_as,
        }
    }

    /// Each once, and in the order in which they were sent.
    fn note(&mut self, shared: &Shared, number: u64) {
        shared.tally.add(self.counted_as, 1);
        if !self.ledger.note(number) {
            let what = format!("{number}: {}", self.counted_as);
            tell_doubled(shared, what);
        } else if number < self.last {
            let what = format!("{number} after {}: {}", self.last, self.counted_as);
            shared.tally.wrong(CHANGED, what);
        }
        self.last = self.last.max(number);
    }

    /// How many are still to come; `None`: there may be more.
    fn missing(&self) -> Option<u64> {
        self.finish.known().map(|last| self.ledger.missing(last))
    }

    fn tell_missing(&self, shared: &Shared) {
        let missing = self.missing().unwrap_or_default();
        tell_missing(shared, missing, self.counted_as);
    }
}

/// How many are still to come of all kinds.
fn missing(kinds: &[Kind<'_>]) -> Option<u64> {
    kinds.iter().map(Kind::missing).sum()
}

fn by_qos<'a>(shared: &'a Shared, names: [&'static str; 3]) -> Vec<Kind<'a>> {
    let kinds = shared.mqtt.flow.iter().zip(ALL_QOS).zip(names);
    kinds
        .map(|((finish, qos), name)| Kind::new(finish, qos, name))
        .collect()
}

/// Receives it all over MQTT.
pub(super) fn receive(shared: &Shared, road: Road) -> Result<()> {
    let id = format!("soak-receiver-{road:?}");
    let who = Who::passing(&id, STEADY, road);
    let mut client = Client::open_passing(&shared.doors, 11, &who)?;
    client.subscribe(&[
        ("mq/flow/+", Qos::ExactlyOnce),
        ("mq/back", Qos::AtLeastOnce),
    ])?;
    let mut kinds = by_qos(shared, DELIVERED);
    kinds.push(Kind::new(
        &shared.mqtt.from_nats,
        Qos::AtMostOnce,
        FROM_NATS,
    ));
    let mut ended = None;
    while !is_over(shared, missing(&kinds), &mut ended) {
        let Some(message) = client.message(LOOK_EVERY)? else {
            continue;
        };
        let kind = kind_of(&mut kinds, &message)?;
        if message.qos != kind.qos || message.retain {
            let what = format!("{:?} with retain {}", message.qos, message.retain);
            shared.tally.wrong(CHANGED, what);
        }
        kind.note(shared, number_in(&message.payload)?);
        shared.tally.add("MQTT pings answered", client.pings());
    }
    kinds.iter().for_each(|kind| kind.tell_missing(shared));
    client.unsubscribe("mq/back")?;
    client.leave().map(drop)
}

fn kind_of<'k, 'a>(kinds: &'k mut [Kind<'a>], message: &Message) -> Result<&'k mut Kind<'a>> {
    let at = match &*message.topic {
        "mq/back" => ALL_QOS.len(),
        _ => last_level(message)?,
    };
    let odd = || Error::Differs(format!("a message on {:?}", message.topic));
    kinds.get_mut(at).ok_or_else(odd)
}

/// Receives what MQTT clients publish as a NATS client.
pub(super) fn receive_as_nats(shared: &Shared, way: Way) -> Result<()> {
    let mut line = shared.doors.open(way, 12, STEADY, "SUB mq.flow.* 1\r\n")?;
    let (mut kinds, mut ended) = (by_qos(shared, [TO_NATS; 3]), None);
    while !is_over(shared, missing(&kinds), &mut ended) {
        let Some(message) = line.message(LOOK_EVERY)? else {
            continue;
        };
        let level = message.subject.rsplit('.').next().unwrap_or_default();
        let level: Option<usize> = level.parse().ok();
        let kind = level.and_then(|level| kinds.get_mut(level));
        let odd = || Error::Differs(format!("a message on {:?}", message.subject));
        kind.ok_or_else(odd)?
            .note(shared, number_in(&message.payload)?);
    }
    kinds.iter().for_each(|kind| kind.tell_missing(shared));
    Ok(())
}
