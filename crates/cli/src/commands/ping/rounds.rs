//! Round trips over one connection: a PING at each interval, whether the last was answered or not.
//!
//! The server answers in order, so a PONG belongs to the oldest PING that has none. Over TCP
//! nothing is lost on the way: what is missed comes late, or the connection breaks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::{Instant as Moment, sleep_until};

use super::Arguments;
use crate::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::line::{Frame, Line};
use crate::settings::Settings;
use crate::span;
use crate::summary::Times;
use crate::terminal::{self, Out};
use crate::text::ping as text;

/// So many PINGs may be unanswered; then no more are sent until one is.
const UNANSWERED_MAX: usize = 10_000;

/// A time that never comes: longer than anybody lets a program run.
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A PING that has no PONG yet.
struct Waiting {
    number: u64,
    sent: Instant,
    /// Whether the person was told that it is late.
    missed: bool,
}

/// What has been measured so far.
pub(super) struct Rounds<'a> {
    settings: &'a Settings,
    arguments: &'a Arguments,
    out: Out,
    as_json: bool,
    times: Times,
    start: Instant,
    sent: u64,
    /// PINGs without a PONG within the limit; some of them may have been answered later.
    missed: u64,
    late: u64,
    waiting: VecDeque<Waiting>,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        arguments: &'a Arguments,
        out: Out,
        as_json: bool,
    ) -> Self {
        Self {
            settings,
            arguments,
            out,
            as_json,
            times: Times::new(),
            start: Instant::now(),
            sent: 0,
            missed: 0,
            late: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Pings until the count, the duration or the person ends it.
    pub(super) async fn all(
        &mut self,
        line: &mut Line,
        interrupt: &mut Interrupt,
    ) -> Result<(), Failure> {
        loop {
            let failure = tokio::select! {
                biased;
                () = interrupt.asked() => return Ok(()),
                ended = self.over(line) => match ended {
                    Ok(()) => return Ok(()),
                    Err(failure) => failure,
                },
            };
            if !(self.settings.retry && failure.may_pass()) {
                return Err(failure);
            }
            let gone = Instant::now();
            terminal::notice(&text::broke(&failure.what()));
            *line = tokio::select! {
                biased;
                () = interrupt.asked() => return Ok(()),
                line = connect::line(self.settings) => line?,
            };
            let unanswered = self.waiting.len() as u64;
            self.missed += self.waiting.drain(..).filter(|ping| !ping.missed).count() as u64;
            terminal::notice(&text::back(&span::show(gone.elapsed()), unanswered));
        }
    }

    /// Pings over one connection.
    async fn over(&mut self, line: &mut Line) -> Result<(), Failure> {
        let end = self.arguments.duration.map(|length| self.start + length);
        let mut next = Instant::now();
        loop {
            let all_sent = self.arguments.count() == Some(self.sent);
            if all_sent && self.waiting.is_empty() {
                return Ok(());
            }
            let may_send = !all_sent
                && self.waiting.len() < UNANSWERED_MAX
                && (!self.arguments.flood || self.waiting.is_empty());
            let limit = self.settings.reply_limit();
            let overdue = self.first_in_time().map(|ping| ping.sent + limit);
            if all_sent && overdue.is_none() {
                // Those that are left are told already.
                return Ok(());
            }
            tokio::select! {
                biased;
                frame = line.next() => if frame? == Frame::Pong {
                    self.answered(&line.address)?;
                },
                () = reached(end) => return Ok(()),
                () = reached(overdue) => self.miss()?,
                () = sleep_until(next.into()), if may_send => {
                    self.send(line).await?;
                    // From when it was due, so that delays don't add up; but without catching up.
                    next = match self.arguments.flood {
                        true => Instant::now(),
                        false => (next + self.arguments.interval).max(Instant::now()),
                    };
                }
            }
        }
    }

    /// The oldest that may still be answered in time.
    fn first_in_time(&self) -> Option<&Waiting> {
        self.waiting.iter().find(|ping| !ping.missed)
    }

    async fn send(&mut self, line: &mut Line) -> Result<(), Failure> {
        self.sent += 1;
        self.waiting.push_back(Waiting {
            number: self.sent,
            sent: Instant::now(),
            missed: false,
        });
        line.ping().await
    }

    fn answered(&mut self, address: &str) -> Result<(), Failure> {
        let Some(ping) = self.waiting.pop_front() else {
            return Ok(());
        };
        let took = ping.sent.elapsed();
        self.times.record(took);
        self.late += u64::from(ping.missed);
        if self.arguments.quiet || self.arguments.flood {
            return Ok(());
        }
        if self.as_json {
            let mut object =
                json!({ "round_trip": ping.number, "rtt_ms": span::millis_number(took) });
            if ping.missed {
                object["late"] = json!(true);
            }
            self.out.json(&object)?;
        } else {
            let words = if ping.missed { text::late } else { text::pong };
            self.out
                .line(&words(ping.number, address, &span::millis(took)))?;
        }
        self.out.flush()
    }

    fn miss(&mut self) -> Result<(), Failure> {
        let Some(ping) = self.waiting.iter_mut().find(|ping| !ping.missed) else {
            return Ok(());
        };
        ping.missed = true;
        self.missed += 1;
        let (number, limit) = (ping.number, self.settings.reply_limit());
        if self.arguments.quiet {
            return Ok(());
        }
        if self.as_json {
            self.out.json(&json!({
                "missed": number, "limit_ms": span::millis_number(limit),
            }))?;
        } else {
            self.out.line(&text::missed(number, &span::show(limit)))?;
        }
        self.out.flush()
    }

    /// What came of all of them.
    pub(super) fn sum_up(&mut self, address: &str) -> Result<(), Failure> {
        let elapsed = self.start.elapsed();
        let answered = self.times.len();
        // One that is under way when the person ends it is neither answered nor lost.
        let under_way = self.waiting.iter().filter(|ping| !ping.missed).count() as u64;
        let sent = self.sent - under_way;
        let loss = match sent {
            0 => 0.0,
            sent => (sent - answered.min(sent)) as f64 * 100.0 / sent as f64,
        };
        if self.as_json {
            let mut rtt = self.times.json();
            let (mean, deviation) = self.times.spread();
            rtt["avg_ms"] = json!(mean);
            rtt["mdev_ms"] = json!(deviation);
            self.out.json(&json!({ "summary": {
                "sent": sent, "round_trips": answered, "missed": self.missed, "late": self.late,
                "loss_percent": (loss * 1e3).round() / 1e3,
                "elapsed_ms": span::millis_number(elapsed), "rtt": rtt,
            }}))?;
            return self.out.flush();
        }
        let percent = format!("{:.*}", usize::from(loss.fract() != 0.0), loss);
        let took = span::show(elapsed);
        self.out
            .line(&text::sent(sent, address, answered, &percent, &took))?;
        if self.late > 0 {
            let limit = span::show(self.settings.reply_limit());
            self.out.line(&text::sent_late(self.late, &limit))?;
        }
        if answered > 0 {
            let (mean, deviation) = self.times.spread();
            let spread = text::spread(&format!("{mean:.3}"), &format!("{deviation:.3}"));
            let total = text::total(answered, &self.times.show());
            self.out.line(&format!("{total}; {spread}"))?;
        }
        self.out.flush()
    }

    /// A failure if anything was missed.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.missed == 0 {
            return Ok(());
        }
        let limit = span::show(self.settings.reply_limit());
        Err(Failure::Deadline {
            what: text::missed_total(self.missed, self.sent, &limit),
            next: text::missed_next().to_owned(),
        })
    }
}

async fn reached(time: Option<Instant>) {
    let time = time.unwrap_or_else(|| Instant::now() + NEVER);
    sleep_until(Moment::from_std(time)).await;
}
