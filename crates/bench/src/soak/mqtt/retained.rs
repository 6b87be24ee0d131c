//! Retained messages: set, replaced and removed, and read by clients that come for them alone.

use std::collections::BTreeMap;
use std::time::Duration;

use recado_mqtt::Qos;

use super::super::chance::Chance;
use super::super::place::STEADY;
use super::super::tally::Shared;
use super::client::{Client, Road, Who};
use super::{ALL_QOS, last_level, number_in, numbered};
use crate::error::Result;

const TOPICS: u64 = 20;
const PAUSE: Duration = Duration::from_secs(1);
/// Messages that are set in a round, at most.
const SET_A_ROUND: u64 = 8;
const WRONG: &str = "MQTT retained messages wrong";

/// What is retained: by topic, the number and its QoS.
type Kept = BTreeMap<usize, (u64, Qos)>;

/// Changes some, and looks at all.
pub(super) fn replace(shared: &Shared) -> Result<()> {
    let who = Who::passing("soak-retainer", STEADY, Road::Socket);
    let mut client = Client::open_passing(&shared.doors, 16, &who)?;
    // Another attempt begins with what the last one left.
    remove_all(&mut client)?;
    let mut chance = Chance::new(shared.seed ^ 0x4e7a);
    let (mut kept, mut number, mut round) = (Kept::new(), 0, 0);
    while shared.rest(PAUSE) {
        round += 1;
        for _ in 0..=chance.below(SET_A_ROUND) {
            number += 1;
            let topic = chance.below(TOPICS) as usize;
            if chance.below(5) == 0 {
                client.retain(&topic_of(topic), b"", Qos::AtLeastOnce)?;
                kept.remove(&topic);
                continue;
            }
            // With QoS 0 nobody is told that it is kept.
            let qos = ALL_QOS[1 + chance.below(2) as usize];
            client.retain(&topic_of(topic), &numbered(number), qos)?;
            kept.insert(topic, (number, qos));
            shared.tally.add("MQTT retained messages set", 1);
            // The order of what is under way together is not promised across QoS 1 and 2.
            client.settle()?;
        }
        client.settle()?;
        look(shared, round, &kept)?;
        shared.tally.add("MQTT pings answered", client.pings());
    }
    remove_all(&mut client)?;
    look(shared, round + 1, &Kept::new())?;
    client.leave().map(drop)
}

fn topic_of(number: usize) -> String {
    format!("mq/retained/{number}")
}

fn remove_all(client: &mut Client) -> Result<()> {
    for topic in 0..TOPICS as usize {
        client.retain(&topic_of(topic), b"", Qos::AtLeastOnce)?;
    }
    client.settle()
}

/// Whoever subscribes gets the last one of each topic, once.
fn look(shared: &Shared, round: u64, kept: &Kept) -> Result<()> {
    let id = format!("soak-reader-{:x}-{round}", shared.seed);
    let who = Who::passing(&id, STEADY, Road::nth(round));
    let mut client = Client::open_passing(&shared.doors, round, &who)?;
    let wanted = ALL_QOS[(round % 3) as usize];
    client.subscribe(&[("mq/retained/+", wanted)])?;
    // They come before the answer to what is said after the subscription.
    client.round_trip()?;
    let mut found = Kept::new();
    while let Some(message) = client.message(Duration::ZERO)? {
        let topic = last_level(&message)?;
        let number = number_in(&message.payload)?;
        let doubled = found.insert(topic, (number, message.qos)).is_some();
        if doubled || !message.retain || message.dup {
            let what = format!("{} of {}: {message:?}", number, topic_of(topic));
            shared.tally.wrong(WRONG, what);
        }
        shared.tally.add("MQTT retained messages read", 1);
    }
    let due: Kept = kept
        .iter()
        .map(|(topic, (number, qos))| (*topic, (*number, (*qos).min(wanted))))
        .collect();
    if found != due {
        let what = format!("{found:?} instead of {due:?}");
        shared.tally.wrong(WRONG, what);
    }
    // Each second one goes without a word, and without having acknowledged it all.
    let gone = match round.is_multiple_of(2) {
        true => client.leave(),
        false => client.reset(),
    };
    gone.map(drop)
}
