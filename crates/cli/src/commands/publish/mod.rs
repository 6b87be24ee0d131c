//! `recado pub`: sends messages, and ends only when the server has confirmed them.

mod ack;

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::line::{Line, Outgoing};
use crate::payload::{self, Content};
use crate::settings::Settings;
use crate::shown;
use crate::span;
use crate::subject;
use crate::terminal::Out;
use crate::text::{failures, help as text, talk};

/// Staged bytes are written when there are this many.
const WRITE_BYTES: usize = 64 * 1024;

/// The server's confirmation is asked for at least every so many bytes, so that a break leaves
/// little in doubt.
const CONFIRM_BYTES: u64 = 4 * 1024 * 1024;

/// How long the server's last confirmation is waited for after Ctrl-C.
const LAST_CONFIRMATION: Duration = Duration::from_secs(1);

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = text::value_subject(), value_parser = subject::literal,
        help = text::pub_subject())]
    subject: String,
    #[command(flatten)]
    content: Content,
    #[arg(short, long, conflicts_with_all = ["text", "file", "count"], help = text::pub_lines())]
    lines: bool,
    #[arg(short, long, value_name = text::value_subject(), value_parser = subject::literal,
        help = text::pub_reply())]
    reply: Option<String>,
    #[arg(short, long, value_name = "N", default_value = "1", value_parser = super::positive,
        help = text::pub_count())]
    count: u64,
    #[arg(long, conflicts_with = "reply", help = text::pub_ack())]
    ack: bool,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    if arguments.ack {
        return ack::run(settings, arguments, as_json).await;
    }
    let header_block = arguments.content.header_block();
    let mut sending = Sending {
        subject: &arguments.subject,
        reply: arguments.reply.as_deref(),
        headers: &header_block,
        limit: settings.reply_limit(),
        messages: 0,
        bytes: 0,
        confirmed: 0,
        unconfirmed_bytes: 0,
    };
    // Read before connecting: a connection must not wait idle for someone who is typing.
    let payload = if arguments.lines {
        Vec::new()
    } else {
        arguments.content.payload()?
    };
    let mut line = connect::line(settings).await?;
    let mut interrupt = Interrupt::new()?;
    let start = Instant::now();
    let work = async {
        if arguments.lines {
            sending.lines(&mut line).await
        } else {
            sending.copies(&mut line, &payload, arguments.count).await
        }
    };
    let ended = tokio::select! {
        ended = work => ended,
        () = interrupt.asked() => Err(Failure::Interrupted),
    };
    if ended == Err(Failure::Interrupted) {
        // What has been taken from the input is still brought to its end.
        sending.limit = sending.limit.min(LAST_CONFIRMATION);
        sending.confirm(&mut line).await?;
    } else {
        ended.clone()?;
    }
    report(&sending, start.elapsed(), as_json)?;
    ended
}

/// Messages on their way, and how many of them the server has confirmed.
struct Sending<'a> {
    subject: &'a str,
    reply: Option<&'a str>,
    headers: &'a [u8],
    limit: Duration,
    messages: u64,
    bytes: u64,
    confirmed: u64,
    unconfirmed_bytes: u64,
}

impl Sending<'_> {
    async fn put(&mut self, line: &mut Line, payload: &[u8]) -> Result<(), Failure> {
        let (subject, reply, headers) = (self.subject, self.reply, self.headers);
        line.publish(Outgoing {
            subject,
            reply,
            headers,
            payload,
        })?;
        self.messages += 1;
        self.bytes += payload.len() as u64;
        self.unconfirmed_bytes += (headers.len() + payload.len()) as u64;
        if self.unconfirmed_bytes >= CONFIRM_BYTES {
            self.confirm(line).await
        } else if line.staged() >= WRITE_BYTES {
            let sent = line.send().await;
            self.explain(sent)
        } else {
            Ok(())
        }
    }

    async fn confirm(&mut self, line: &mut Line) -> Result<(), Failure> {
        let confirmed = line.confirm(self.limit).await;
        self.explain(confirmed)?;
        self.confirmed = self.messages;
        self.unconfirmed_bytes = 0;
        Ok(())
    }

    /// The same message so many times.
    async fn copies(&mut self, line: &mut Line, payload: &[u8], count: u64) -> Result<(), Failure> {
        for _ in 0..count {
            self.put(line, payload).await?;
        }
        self.confirm(line).await
    }

    /// One message per line of standard input, sent as soon as it is there.
    async fn lines(&mut self, line: &mut Line) -> Result<(), Failure> {
        let mut input = payload::lines();
        loop {
            tokio::select! {
                next = input.recv() => match next {
                    Some(payload) => self.put(line, &payload?).await?,
                    None => break,
                },
                // Only errors and a broken connection matter here; both must stop us at once.
                frame = line.next() => {
                    let _ = self.explain(frame)?;
                }
            }
            // Whoever writes the lines has paused: nothing may be left in doubt meanwhile.
            if input.is_empty() && self.confirmed < self.messages {
                self.confirm(line).await?;
            }
        }
        self.confirm(line).await
    }

    /// Adds to a failure that leaves messages in doubt how many they are.
    fn explain<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        let doubtful = || failures::unconfirmed(self.messages - self.confirmed);
        result.map_err(|failure| failure.leaving(&doubtful()))
    }
}

fn report(sending: &Sending<'_>, took: Duration, as_json: bool) -> Result<(), Failure> {
    let Sending {
        subject,
        confirmed,
        bytes,
        ..
    } = *sending;
    let mut out = Out::new();
    if as_json {
        out.json(&json!({
            "subject": subject,
            "messages": confirmed,
            "bytes": bytes,
            "took_ms": span::millis_number(took),
        }))?;
    } else {
        let (took, size) = (span::millis(took), shown::size(bytes));
        out.line(&match confirmed {
            1 => talk::sent_one(&size, subject, &took),
            _ => talk::sent_many(confirmed, &size, subject, &took),
        })?;
    }
    out.flush()
}
