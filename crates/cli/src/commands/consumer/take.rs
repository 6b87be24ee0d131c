//! Messages taken from a consumer: the next ones, or all as they come.

use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use super::Named;
use crate::connect::Session;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::jetstream::pull::{Pull, Pulled, Verdict};
use crate::jetstream::stored::Look;
use crate::span;
use crate::terminal::{self, Out};
use crate::text::consumer as text;

/// `recado consumer next`.
#[derive(Debug, Args)]
pub(super) struct Next {
    #[command(flatten)]
    named: Named,
    #[arg(short, long, value_name = "N", default_value = "1",
        value_parser = crate::commands::positive, help = text::count_next())]
    count: u64,
    #[arg(long, conflicts_with_all = ["nak", "term"], help = text::no_ack())]
    no_ack: bool,
    #[arg(long, conflicts_with = "term", help = text::nak())]
    nak: bool,
    #[arg(long, value_name = text::value_reason(), help = text::term())]
    term: Option<String>,
    #[command(flatten)]
    look: Look,
}

impl Next {
    fn verdict(&self) -> Verdict {
        match (&self.term, self.nak, self.no_ack) {
            (Some(reason), ..) => Verdict::Term(reason.clone()),
            (None, true, _) => Verdict::Nak,
            (None, false, true) => Verdict::Silent,
            (None, false, false) => Verdict::Ack,
        }
    }

    pub(super) async fn run(
        &self,
        session: &mut Session,
        limit: Option<Duration>,
        as_json: bool,
    ) -> Result<(), Failure> {
        let Named { stream, name } = &self.named;
        let limit = limit.unwrap_or(session.limit());
        let verdict = self.verdict();
        let style = self.look.style(as_json);
        let mut out = Out::new();
        let mut pull = Pull::open(session, stream, name).await?;
        pull.ask(session, self.count, limit, None).await?;
        // The server's own word that time is up comes a little later than the time.
        let until = Instant::now() + limit + Duration::from_secs(1);
        let mut received = 0;
        while received < self.count {
            match pull.next(session, until).await? {
                Pulled::Nothing => break,
                Pulled::Message(stored) => {
                    received += 1;
                    stored.show(&mut out, style)?;
                    out.flush()?;
                    pull.judge(session, &stored, &verdict, true).await?;
                }
            }
        }
        if received < self.count {
            let limit = span::show(limit);
            let what = match received {
                0 => text::nothing(name, &limit),
                _ => text::too_few(name, received, self.count, &limit),
            };
            return Err(Failure::Deadline {
                what,
                next: text::nothing_next(stream, name),
            });
        }
        Ok(())
    }
}

/// `recado consumer sub`.
#[derive(Debug, Args)]
pub(super) struct Sub {
    #[command(flatten)]
    named: Named,
    #[arg(short, long, value_name = "N", value_parser = crate::commands::positive,
        help = text::count_sub())]
    count: Option<u64>,
    #[arg(long, help = text::no_ack())]
    no_ack: bool,
    #[command(flatten)]
    look: Look,
}

impl Sub {
    pub(super) async fn run(
        &self,
        session: &mut Session,
        silence: Option<Duration>,
        as_json: bool,
    ) -> Result<(), Failure> {
        let Named { stream, name } = &self.named;
        let style = self.look.style(as_json);
        let verdict = match self.no_ack {
            true => Verdict::Silent,
            false => Verdict::Ack,
        };
        let mut pull = Pull::open(session, stream, name).await?;
        let mut interrupt = Interrupt::new()?;
        terminal::notice(&text::taking(stream, name));
        let mut out = Out::new();
        let mut received = 0;
        while self.count.is_none_or(|count| received < count) {
            let left = self.count.map(|count| count - received);
            let until = silence.map(|silence| Instant::now() + silence);
            let pulled = tokio::select! {
                biased;
                () = interrupt.asked() => break,
                pulled = pull.follow(session, left, until) => pulled?,
            };
            let Pulled::Message(stored) = pulled else {
                break;
            };
            received += 1;
            stored.show(&mut out, style)?;
            out.flush()?;
            pull.judge(session, &stored, &verdict, false).await?;
        }
        // What was acknowledged is to have arrived.
        session.settle().await?;
        match (self.count, silence) {
            (Some(count), Some(limit)) if received < count && !interrupt.is_asked() => {
                Err(Failure::Deadline {
                    what: text::too_few(name, received, count, &span::show(limit)),
                    next: text::nothing_next(stream, name),
                })
            }
            _ => Ok(()),
        }
    }
}
