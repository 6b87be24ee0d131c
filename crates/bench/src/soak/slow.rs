//! Slow consumers: subscribers that stop reading, while somebody publishes a lot, until they are cut off.

use std::time::Duration;

use super::line::Way;
use super::place::STEADY;
use super::tally::Shared;
use crate::error::Result;

const PAYLOAD_BYTES: usize = 64 * 1024;
/// More than sockets and `max_pending` hold together.
const MESSAGES_MAX: usize = 400;
const MESSAGES_AT_ONCE: usize = 20;
/// How long it may take until it is cut off, from the last message on: the server's deadline, and some.
const PATIENCE: Duration = Duration::from_secs(10);

/// One slow consumer after the other, over each way in turn.
pub(super) fn dawdle(shared: &Shared, pause: Duration) -> Result<()> {
    let payload = "s".repeat(PAYLOAD_BYTES);
    let mut round = 0u64;
    while shared.rest(pause) {
        round += 1;
        let subject = format!("soak.slow.{round}");
        let message = format!("PUB {subject} {PAYLOAD_BYTES}\r\n{payload}\r\n");
        let batch = message.repeat(MESSAGES_AT_ONCE);
        let subscribe = format!("SUB {subject} 1\r\n");
        let mut slow = shared
            .doors
            .open_small(Way::nth(round), STEADY, &subscribe)?;
        let mut publisher = shared.doors.open(Way::Clear, 8, STEADY, "")?;
        let before = cut_off(shared)?;
        for _ in 0..MESSAGES_MAX / MESSAGES_AT_ONCE {
            publisher.send(batch.as_bytes())?;
            publisher.flush()?;
            if cut_off(shared)? > before {
                break;
            }
        }
        if !slow.read_to_the_end(PATIENCE)? {
            let what = format!("{subject} over {:?}", Way::nth(round));
            shared.tally.wrong("slow consumers not cut off", what);
        }
        shared.tally.add("slow consumers", 1);
    }
    Ok(())
}

fn cut_off(shared: &Shared) -> Result<u64> {
    Ok(shared.monitor.varz()?["slow_consumers"]
        .as_u64()
        .unwrap_or_default())
}
