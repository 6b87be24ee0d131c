//! `recado sub`: shows the messages of a subject as they come.

mod stream;
mod wire;

use std::time::{Duration, Instant};

use async_nats::{Message, Subscriber};
use clap::Args;
use futures_util::{FutureExt, StreamExt};

use crate::completion;
use crate::connect::{self, Session};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::jetstream::names;
use crate::jetstream::reader::Beginning;
use crate::settings::Settings;
use crate::shown::{self, Style};
use crate::span;
use crate::subject;
use crate::terminal::{self, Out};
use crate::text::{failures, help as text, jetstream as common, talk};

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = text::value_subject(), value_parser = subject::filter,
        required_unless_present = "stream", help = text::sub_subject())]
    subject: Option<String>,
    #[arg(long, value_name = common::value_stream(), value_parser = names::name,
        conflicts_with_all = ["queue", "wire"], add = completion::streams(),
        help = text::sub_stream())]
    stream: Option<String>,
    #[command(flatten)]
    beginning: Beginning,
    #[arg(long, conflicts_with_all = ["all", "last", "since", "from_seq"],
        help = text::sub_new())]
    new: bool,
    #[arg(long, value_name = common::value_consumer(), value_parser = names::name,
        help = text::sub_durable())]
    durable: Option<String>,
    #[arg(short, long, value_name = text::value_group(), value_parser = subject::queue,
        help = text::sub_queue())]
    queue: Option<String>,
    #[arg(short, long, value_name = "N", value_parser = crate::commands::positive, help = text::sub_count())]
    count: Option<u64>,
    #[arg(short, long, conflicts_with = "json", help = text::sub_raw())]
    raw: bool,
    #[arg(long, help = text::sub_headers())]
    headers: bool,
    #[arg(long, conflicts_with_all = ["raw", "headers"], help = crate::text::wire::option())]
    wire: bool,
}

impl Arguments {
    /// The subject; of a stream, all that it keeps if none is named.
    fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or(">")
    }

    fn style(&self, as_json: bool) -> Style {
        Style::of(as_json, self.raw, self.headers)
    }
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    if let Some(name) = &arguments.stream {
        return stream::run(settings, arguments, name, as_json).await;
    }
    stream::not_without(arguments)?;
    if arguments.wire {
        return wire::run(settings, arguments, as_json).await;
    }
    let mut session = connect::session(settings).await?;
    let mut messages = subscribe(&session, arguments).await?;
    session.settle().await?;
    // Before the person is told that it listens: Ctrl-C must end it well from then on.
    let interrupt = Interrupt::new()?;
    terminal::notice(&talk::listening(arguments.subject(), &settings.label()));
    let mut listening = Listening {
        out: Out::new(),
        style: arguments.style(as_json),
        wanted: arguments.count,
        received: 0,
        bytes: 0,
        interrupt,
    };
    let start = Instant::now();
    let end = listening
        .until_end(&mut session, &mut messages, settings.timeout)
        .await;
    // What was received is shown whatever happened.
    listening.out.flush()?;
    let received = listening.received;
    summary(received, listening.bytes, start);
    match end? {
        End::Enough | End::Asked => Ok(()),
        End::Silence(limit) => silence(arguments, received, limit),
    }
}

/// How much it was, in all.
fn summary(received: u64, bytes: u64, start: Instant) {
    let (size, took) = (shown::size(bytes), span::show(start.elapsed()));
    terminal::notice(&match received {
        1 => talk::received_one(&size, &took),
        _ => talk::received_many(received, &size, &took),
    });
}

async fn subscribe(session: &Session, arguments: &Arguments) -> Result<Subscriber, Failure> {
    let subject = arguments.subject().to_owned();
    let subscribed = match &arguments.queue {
        Some(queue) => session.client.queue_subscribe(subject, queue.clone()).await,
        None => session.client.subscribe(subject).await,
    };
    let mut messages = subscribed.map_err(|_| session.closed())?;
    if let Some(count) = arguments.count {
        // The server stops by itself, so that the rest of a queue group gets what follows.
        messages
            .unsubscribe_after(count)
            .await
            .map_err(|_| session.closed())?;
    }
    Ok(messages)
}

/// A silence longer than `--timeout`: an end if something had come and no number was asked for.
fn silence(arguments: &Arguments, received: u64, limit: Duration) -> Result<(), Failure> {
    let limit = span::show(limit);
    let what = match arguments.count {
        Some(wanted) => failures::deadline_messages(received, wanted, &limit),
        None if received == 0 => failures::deadline_silence(arguments.subject(), &limit),
        None => return Ok(()),
    };
    Err(Failure::Deadline {
        what,
        next: failures::deadline_messages_next().to_owned(),
    })
}

/// Why the listening ended.
enum End {
    /// As many came as were asked for.
    Enough,
    /// The person asked for it.
    Asked,
    /// Nothing came for this long.
    Silence(Duration),
}

struct Listening {
    out: Out,
    style: Style,
    wanted: Option<u64>,
    received: u64,
    bytes: u64,
    interrupt: Interrupt,
}

impl Listening {
    async fn until_end(
        &mut self,
        session: &mut Session,
        messages: &mut Subscriber,
        silence: Option<Duration>,
    ) -> Result<End, Failure> {
        loop {
            // While more is there already, it goes out in one write.
            let message = match messages.next().now_or_never() {
                Some(message) => message,
                None => {
                    self.out.flush()?;
                    let limit = silence.unwrap_or(Duration::MAX);
                    tokio::select! {
                        biased;
                        () = self.interrupt.asked() => return Ok(End::Asked),
                        message = tokio::time::timeout(limit, messages.next()) => match message {
                            Ok(message) => message,
                            Err(_) => return Ok(End::Silence(limit)),
                        },
                        trouble = session.trouble() => return Err(trouble),
                    }
                }
            };
            let Some(message) = message else {
                return Err(session.closed());
            };
            if self.show(&message)? {
                return Ok(End::Enough);
            }
            // A stream that never pauses must not keep Ctrl-C or an error waiting.
            if self.received.is_multiple_of(1024) {
                if self.interrupt.is_asked() {
                    return Ok(End::Asked);
                }
                if let Some(trouble) = session.trouble().now_or_never() {
                    return Err(trouble);
                }
            }
        }
    }

    /// Shows a message; true when it was the last one wanted.
    fn show(&mut self, message: &Message) -> Result<bool, Failure> {
        self.received += 1;
        self.bytes += message.payload.len() as u64;
        shown::message(&mut self.out, self.style, message)?;
        Ok(self.wanted == Some(self.received))
    }
}
