//! A responder on a thread of its own that sends each request back as it came: what measurements ask
//! when they bring their own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use recado_wire::push_publish;

use crate::direct::{Direct, Heard};
use crate::failure::Failure;

/// How often it looks whether it is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// So many bytes of answers may wait for the server to take them; until then no request is read.
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Listens on the subjects, as a member of the queue group if there is one, and returns when the server
/// knows it.
pub(crate) fn listen(
    direct: &mut Direct,
    subjects: &[String],
    queue: Option<&str>,
    limit: Duration,
) -> Result<(), Failure> {
    for (number, subject) in subjects.iter().enumerate() {
        let queue = queue.map(|queue| format!(" {queue}")).unwrap_or_default();
        let sub = format!("SUB {subject}{queue} {}\r\n", number + 1);
        direct.stage().extend_from_slice(sub.as_bytes());
    }
    direct.settle(limit)
}

/// What a responder has done so far, for those who look on.
#[derive(Default)]
pub(crate) struct Served {
    /// Requests answered.
    pub(crate) requests: AtomicU64,
    /// Bytes of their payloads.
    pub(crate) bytes: AtomicU64,
}

/// Answers until `stop` is set, or `count` requests have been answered.
pub(crate) fn serve(
    direct: &mut Direct,
    served: &Served,
    count: Option<u64>,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let mut answers = Vec::new();
    let mut answered = 0;
    while !stop.load(Ordering::Relaxed) && count.is_none_or(|count| answered < count) {
        let flushed = direct.flush()?;
        direct.wait(!flushed, Instant::now() + LOOK_EVERY)?;
        if direct.stage().len() > WAITING_BYTES_MAX {
            continue;
        }
        let mut bytes = 0;
        direct.hear(|heard| {
            if let Heard::Message { reply, payload, .. } = heard
                && !reply.is_empty()
            {
                push_publish(&mut answers, reply, b"", None, payload);
                answered += 1;
                bytes += payload.len() as u64;
            }
            Ok(())
        })?;
        direct.stage().append(&mut answers);
        served.requests.store(answered, Ordering::Relaxed);
        served.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
    // What was answered must leave; the server may be slow, but not for ever.
    let until = Instant::now() + LOOK_EVERY * 10;
    while !direct.flush()? && Instant::now() < until {
        direct.wait(true, until)?;
    }
    Ok(())
}
