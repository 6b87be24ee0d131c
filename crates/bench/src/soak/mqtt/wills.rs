//! Wills: clients that are cut, or leave, and what is said for them.

use std::time::{Duration, Instant};

use recado_mqtt::Qos;

use super::super::place::{PATIENCE, STEADY};
use super::super::tally::Shared;
use super::client::{Client, Road, Who};
use super::{ALL_QOS, number_in, numbered};
use crate::error::Result;

const PAUSE: Duration = Duration::from_millis(500);
/// Of who will say nothing, in seconds: the server waits half as long again.
const SHORT_KEEP_ALIVE_S: u16 = 1;
const WRONG: &str = "MQTT wills wrong";

/// How a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Reset,
    InAPacket,
    /// It says nothing for longer than it promised.
    Silent,
    /// As it should, so that nothing is said for it.
    Left,
}

const ENDINGS: [Ending; 4] = [
    Ending::Reset,
    Ending::InAPacket,
    Ending::Silent,
    Ending::Left,
];

/// One client after the other ends, and its will is waited for.
pub(super) fn die(shared: &Shared) -> Result<()> {
    let who = Who::passing("soak-heir", STEADY, Road::Websocket);
    let mut heir = Client::open_passing(&shared.doors, 17, &who)?;
    heir.subscribe(&[("mq/will/#", Qos::ExactlyOnce)])?;
    let mut round = 0;
    while shared.rest(PAUSE) {
        round += 1;
        let ending = ENDINGS[(round % 4) as usize];
        let qos = ALL_QOS[(round / 4 % 3) as usize];
        end_one(shared, round, ending, qos)?;
        if ending != Ending::Left {
            must_hear(shared, &mut heir, round, qos, ending)?;
        }
        shared.tally.add("MQTT pings answered", heir.pings());
    }
    // A will that should not be would come before the answer.
    heir.round_trip()?;
    if let Some(message) = heir.message(Duration::ZERO)? {
        shared
            .tally
            .wrong(WRONG, format!("one too many: {message:?}"));
    }
    heir.leave().map(drop)
}

fn end_one(shared: &Shared, round: u64, ending: Ending, qos: Qos) -> Result<()> {
    let id = format!("soak-mortal-{:x}-{round}", shared.seed);
    let topic = format!("mq/will/{}", round % 8);
    let will = numbered(round);
    let keep_alive_s = match ending {
        Ending::Silent => SHORT_KEEP_ALIVE_S,
        _ => 30,
    };
    let who = Who {
        keep_alive_s,
        will: Some((&topic, &will, qos)),
        ..Who::passing(&id, STEADY, Road::nth(round / 4))
    };
    let mut client = Client::open_passing(&shared.doors, round, &who)?;
    match ending {
        Ending::Reset => client.reset().map(drop),
        Ending::InAPacket => client.break_off().map(drop),
        Ending::Left => client.leave().map(drop),
        Ending::Silent => {
            if !client.must_end(PATIENCE)? {
                let what = format!("{id} said nothing and stayed");
                shared.tally.wrong("MQTT clients without keep-alive", what);
            }
            Ok(())
        }
    }
}

/// Any other will is of a client that had said farewell.
fn must_hear(
    shared: &Shared,
    heir: &mut Client,
    round: u64,
    qos: Qos,
    ending: Ending,
) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let Some(message) = heir.message(left)? else {
            let what = format!("none of {round} ({ending:?}, {qos:?})");
            shared.tally.wrong(WRONG, what);
            return Ok(());
        };
        if number_in(&message.payload)? == round && message.qos == qos && !message.retain {
            shared.tally.add("MQTT wills", 1);
            return Ok(());
        }
        let what = format!("{message:?} instead of {round} ({ending:?}, {qos:?})");
        shared.tally.wrong(WRONG, what);
    }
}
