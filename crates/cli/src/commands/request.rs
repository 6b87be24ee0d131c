//! `recado request`: asks on a subject, shows what is answered and how long it took.

use std::time::{Duration, Instant};

use async_nats::{HeaderMap, Message, StatusCode, Subscriber};
use bytes::Bytes;
use clap::Args;
use futures_util::StreamExt;
use serde_json::json;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant as Moment, timeout_at};

use crate::connect::{self, Session};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::payload::{self, Content};
use crate::service_api;
use crate::settings::Settings;
use crate::shown;
use crate::span;
use crate::subject;
use crate::summary::Times;
use crate::terminal::{self, Out};
use crate::text::{failures, help as text, talk, waiting as text_waiting};
use crate::waiting::Waiting;

/// How often `--wait` looks whether a responder has appeared.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Of more requests than this, a reply of one line is shown with its time beside it.
const TIMES_APART_MAX: u64 = 10;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = text::value_subject(), value_parser = subject::literal,
        help = text::request_subject())]
    subject: String,
    #[command(flatten)]
    content: Content,
    #[arg(short, long, conflicts_with_all = ["text", "file", "count"],
        help = text::request_lines())]
    lines: bool,
    #[arg(short, long, value_name = "N", default_value = "1", value_parser = super::positive,
        help = text::request_count())]
    count: u64,
    #[arg(long, value_name = "N", default_value = "1", value_parser = super::count,
        help = text::request_replies())]
    replies: u64,
    #[arg(short, long, help = text::request_wait())]
    wait: bool,
    #[arg(short, long, conflicts_with = "json", help = text::request_raw())]
    raw: bool,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    // Read before connecting: a connection must not wait idle for someone who is typing.
    let mut questions = Questions::new(arguments)?;
    let mut session = connect::session(settings).await?;
    let inbox = session.client.new_inbox();
    let answers = session.client.subscribe(format!("{inbox}.*")).await;
    let mut asking = Asking {
        arguments,
        as_json,
        limit: settings.reply_limit(),
        give_up: settings.deadline.map(|deadline| Moment::now() + deadline),
        answers: answers.map_err(|_| session.closed())?,
        inbox,
        headers: arguments.content.header_map(),
        header_bytes: arguments.content.header_block().len(),
        out: Out::new(),
        times: Times::new(),
        waiting: None,
        asked: 0,
    };
    let mut interrupt = Interrupt::new()?;
    let result = tokio::select! {
        () = interrupt.asked() => Err(Failure::Interrupted),
        result = asking.all(&mut session, &mut questions) => result,
    };
    asking.out.flush()?;
    if (arguments.lines || arguments.count > 1) && asking.times.len() > 0 {
        asking.close()?;
    }
    result
}

struct Asking<'a> {
    arguments: &'a Arguments,
    as_json: bool,
    limit: Duration,
    /// When even `--wait` ends.
    give_up: Option<Moment>,
    inbox: String,
    answers: Subscriber,
    headers: Option<HeaderMap>,
    /// How much of a message's size the headers take.
    header_bytes: usize,
    out: Out,
    times: Times,
    /// The wait for a responder, while there is none.
    waiting: Option<Waiting>,
    /// Requests sent so far; the last token of each one's reply subject.
    asked: u64,
}

/// What is asked, one after the other.
enum Questions {
    /// The same thing so many times more.
    Same(Bytes, u64),
    /// Each line of standard input.
    Lines(Receiver<Result<Vec<u8>, Failure>>),
}

impl Questions {
    fn new(arguments: &Arguments) -> Result<Self, Failure> {
        if arguments.lines {
            return Ok(Self::Lines(payload::lines()));
        }
        let payload = Bytes::from(arguments.content.payload()?);
        Ok(Self::Same(payload, arguments.count))
    }

    /// The next one; dropping the future loses nothing.
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Same(_, 0) => Ok(None),
            Self::Same(payload, left) => {
                *left -= 1;
                Ok(Some(payload.clone()))
            }
            Self::Lines(lines) => match lines.recv().await {
                Some(line) => Ok(Some(line?.into())),
                None => Ok(None),
            },
        }
    }
}

/// What came of one request.
enum Outcome {
    Answered,
    NobodyThere,
}

impl Asking<'_> {
    async fn all(
        &mut self,
        session: &mut Session,
        questions: &mut Questions,
    ) -> Result<(), Failure> {
        loop {
            let question = tokio::select! {
                biased;
                question = questions.next() => question?,
                trouble = session.trouble() => return Err(trouble),
            };
            let Some(payload) = question else {
                return Ok(());
            };
            let size = payload.len() + self.header_bytes;
            let max_payload = session.client.max_payload();
            if size > max_payload {
                return Err(Failure::TooLarge {
                    what: failures::too_large(session.label(), size, max_payload),
                });
            }
            while let Outcome::NobodyThere = self.once(session, &payload).await? {
                self.wait_for_responder(session).await?;
            }
            self.waiting = None;
        }
    }

    /// With `--wait` a pause before the next attempt; otherwise nobody answering is an error.
    async fn wait_for_responder(&mut self, session: &Session) -> Result<(), Failure> {
        let over = |moment| Moment::now() + LOOK_EVERY > moment;
        let subject = &self.arguments.subject;
        if !self.arguments.wait || self.give_up.is_some_and(over) {
            let (subject, server) = (subject.clone(), session.label().to_owned());
            return Err(Failure::NoResponders { subject, server });
        }
        let what = text_waiting::responder_missing(subject);
        let said = talk::waiting_for_responder(subject);
        let waiting = self
            .waiting
            .get_or_insert_with(|| Waiting::for_what(what.clone()));
        waiting.because_saying(what, &said);
        waiting.during(tokio::time::sleep(LOOK_EVERY)).await;
        Ok(())
    }

    async fn once(&mut self, session: &mut Session, payload: &Bytes) -> Result<Outcome, Failure> {
        self.asked += 1;
        let reply = format!("{}.{}", self.inbox, self.asked);
        let start = Instant::now();
        let deadline = Moment::now() + self.limit;
        self.publish(session, reply.clone(), payload.clone())
            .await?;
        let wanted = self.arguments.replies;
        let mut received = 0;
        let mut refused = None;
        while wanted == 0 || received < wanted {
            let answer = tokio::select! {
                biased;
                answer = timeout_at(deadline, self.answers.next()) => answer,
                trouble = session.trouble() => return Err(trouble),
            };
            let answer = match answer {
                Ok(Some(answer)) => answer,
                Ok(None) => return Err(session.closed()),
                Err(_) => {
                    let late = self.late(received)?;
                    return refused.map_or(Ok(late), Err);
                }
            };
            let took = start.elapsed();
            if answer.subject.as_str() != reply {
                // A late answer to an earlier request.
                continue;
            }
            if answer.status == Some(StatusCode::NO_RESPONDERS) {
                return Ok(Outcome::NobodyThere);
            }
            received += 1;
            self.times.record(took);
            // Of several answers the good ones are worth having, whatever one of them says.
            let error = service_api::error_in(answer.headers.as_ref());
            self.show(&answer, took, error.is_some())?;
            if let Some((code, said)) = error {
                refused.get_or_insert(Failure::Service { code, said });
            }
        }
        refused.map_or(Ok(Outcome::Answered), Err)
    }

    async fn publish(
        &self,
        session: &Session,
        reply: String,
        payload: Bytes,
    ) -> Result<(), Failure> {
        let (client, subject) = (&session.client, self.arguments.subject.clone());
        let sent = match self.headers.clone() {
            None => client.publish_with_reply(subject, reply, payload).await,
            Some(headers) => {
                client
                    .publish_with_reply_and_headers(subject, reply, headers, payload)
                    .await
            }
        };
        sent.map_err(|_| session.closed())
    }

    /// The deadline passed: an end if "all that come" were asked for, and at least one came.
    fn late(&self, received: u64) -> Result<Outcome, Failure> {
        let limit = span::show(self.limit);
        let subject = &self.arguments.subject;
        let what = match self.arguments.replies {
            0 if received > 0 => return Ok(Outcome::Answered),
            0 | 1 => failures::deadline_reply(subject, &limit),
            wanted => failures::deadline_replies(received, wanted, &limit),
        };
        Err(Failure::Deadline {
            what,
            next: failures::deadline_reply_next().to_owned(),
        })
    }

    fn show(&mut self, answer: &Message, took: Duration, is_error: bool) -> Result<(), Failure> {
        if self.as_json {
            let mut object = shown::json(answer);
            object.insert("latency_ms".into(), json!(span::millis_number(took)));
            self.out.json(&object.into())?;
        } else if self.arguments.raw {
            self.out.bytes(&answer.payload)?;
        } else if !is_error || !answer.payload.is_empty() {
            // An error without content is told as such, and only so.
            self.show_to_people(answer, took)?;
        }
        self.out.flush()
    }

    fn show_to_people(&mut self, answer: &Message, took: Duration) -> Result<(), Failure> {
        let payload = shown::payload(&answer.payload);
        let took = span::millis(took);
        let many = self.arguments.lines || self.arguments.count > TIMES_APART_MAX;
        let beside = many && !payload.contains('\n');
        if beside {
            let took = self.out.dim(&format!("({took})"));
            self.out.line(&format!("{payload} {took}"))?;
        } else {
            self.out.line(&payload)?;
        }
        if let Some(headers) = &answer.headers {
            shown::headers(&mut self.out, headers)?;
        }
        if !beside {
            // Both streams may be one terminal: the answer must stand above its time.
            self.out.flush()?;
            terminal::notice(&talk::reply_in(&took));
        }
        Ok(())
    }

    /// The percentiles of several requests.
    fn close(&mut self) -> Result<(), Failure> {
        if self.as_json {
            let summary = json!({ "summary": {
                "requests": self.asked,
                "replies": self.times.len(),
                "latency": self.times.json(),
            }});
            self.out.json(&summary)?;
            return self.out.flush();
        }
        terminal::notice(&talk::replies_total(self.times.len(), &self.times.show()));
        Ok(())
    }
}
