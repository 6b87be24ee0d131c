//! `recado pub --ack`: into a stream, each message acknowledged by it. Some are on their way at once, in order;
//! what was not acknowledged when it ends is said.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Arguments;
use crate::connect::{self, Session};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::jetstream::about::About;
use crate::jetstream::publish::{Acked, Window};
use crate::payload;
use crate::progress;
use crate::settings::Settings;
use crate::shown;
use crate::span;
use crate::terminal::Out;
use crate::text::{failures, talk};

/// How many messages may be on their way without having been acknowledged.
const WAITING_MAX: usize = 256;

/// Runs the command.
pub(super) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    // Read before connecting: a connection must not wait idle for someone who is typing.
    let payload = match arguments.lines {
        true => Vec::new(),
        false => arguments.content.payload()?,
    };
    let mut session = connect::session(settings).await?;
    let about = About::Subject(arguments.subject.clone());
    let window = Window::open(&session, &arguments.subject, &about).await?;
    let mut interrupt = Interrupt::new()?;
    let mut sending = Sending {
        window,
        arguments,
        as_json,
        out: Out::new(),
        is_single: !arguments.lines && arguments.count == 1,
        bytes: 0,
        stored: 0,
        duplicates: 0,
    };
    let start = Instant::now();
    let work = async {
        match arguments.lines {
            true => sending.lines(&mut session).await,
            false => sending.copies(&mut session, &payload).await,
        }
    };
    let ended = tokio::select! {
        ended = work => ended,
        () = interrupt.asked() => Err(Failure::Interrupted),
    };
    sending.report(start.elapsed())?;
    let waiting = sending.window.waiting() as u64;
    ended.map_err(|failure| match waiting {
        0 => failure,
        // A failure may have counted them itself.
        _ if failure.what().contains(&failures::unconfirmed(waiting)) => failure,
        _ => failure.leaving(&failures::unconfirmed(waiting)),
    })
}

struct Sending<'a> {
    window: Window,
    arguments: &'a Arguments,
    as_json: bool,
    out: Out,
    /// One message: what became of it is the result.
    is_single: bool,
    bytes: u64,
    stored: u64,
    duplicates: u64,
}

impl Sending<'_> {
    async fn copies(&mut self, session: &mut Session, payload: &[u8]) -> Result<(), Failure> {
        let count = self.arguments.count;
        let bar = progress::bar(
            Some(count),
            talk::bar_sent(),
            self.is_single || self.as_json,
        );
        for _ in 0..count {
            self.send(session, payload.to_vec()).await?;
            bar.inc(1);
        }
        self.rest(session).await?;
        bar.finish_and_clear();
        Ok(())
    }

    async fn lines(&mut self, session: &mut Session) -> Result<(), Failure> {
        let mut input = payload::lines();
        loop {
            let next = tokio::select! {
                biased;
                next = input.recv() => next,
                // While nothing is typed, acknowledgements come in and failures stop us at once.
                acked = self.window.acked(session), if self.window.waiting() > 0 => {
                    if let Some(acked) = acked? {
                        self.tell(&acked)?;
                    }
                    continue;
                }
            };
            match next {
                Some(line) => self.send(session, line?).await?,
                None => return self.rest(session).await,
            }
        }
    }

    async fn send(&mut self, session: &mut Session, payload: Vec<u8>) -> Result<(), Failure> {
        self.bytes += payload.len() as u64;
        let headers = self.arguments.content.header_map();
        self.window.send(session, headers, payload.into()).await?;
        while self.window.waiting() >= WAITING_MAX {
            if let Some(acked) = self.window.acked(session).await? {
                self.tell(&acked)?;
            }
        }
        Ok(())
    }

    async fn rest(&mut self, session: &mut Session) -> Result<(), Failure> {
        while let Some(acked) = self.window.acked(session).await? {
            self.tell(&acked)?;
        }
        Ok(())
    }

    /// What became of one message.
    fn tell(&mut self, acked: &Acked) -> Result<(), Failure> {
        let Acked { number, ack, took } = acked;
        match ack.duplicate {
            true => self.duplicates += 1,
            false => self.stored += 1,
        }
        if self.as_json {
            return self.out.json(&json!({
                "subject": self.arguments.subject, "number": number + 1, "stream": ack.stream,
                "sequence": ack.sequence, "duplicate": ack.duplicate,
                "took_ms": span::millis_number(*took),
            }));
        }
        if self.is_single {
            let took = span::millis(*took);
            let words = match ack.duplicate {
                true => talk::stored_already(&ack.stream, ack.sequence, &took),
                false => talk::stored_one(&ack.stream, ack.sequence, &took),
            };
            self.out.line(&words)?;
        }
        Ok(())
    }

    fn report(&mut self, took: Duration) -> Result<(), Failure> {
        if !self.as_json && !self.is_single {
            let size = shown::size(self.bytes);
            let took = span::millis(took);
            let words = talk::stored_many(self.stored, self.duplicates, &size, &took);
            self.out.line(&words)?;
        }
        self.out.flush()
    }
}
