//! `recado reply`: answers the requests on a subject, and shows each with the time it took.

use std::time::{Duration, Instant};

use async_nats::{Message, Subscriber};
use bytes::Bytes;
use clap::Args;
use futures_util::StreamExt;
use serde_json::json;

use crate::connect::{self, Session};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::settings::Settings;
use crate::shown;
use crate::span;
use crate::subject;
use crate::terminal::{self, Out, harmless};
use crate::text::{help as text, talk};

/// The queue group of responders that name none: each request is answered by one of them.
const QUEUE: &str = "recado";

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = text::value_subject(), value_parser = subject::filter,
        help = text::reply_subject())]
    subject: String,
    #[command(flatten)]
    answer: AnswerArguments,
    #[arg(short, long, value_name = text::value_group(), default_value = QUEUE,
        value_parser = subject::queue, help = text::reply_queue())]
    queue: String,
    #[arg(long, conflicts_with = "queue", help = text::reply_all())]
    all: bool,
    #[arg(short, long, value_name = "N", value_parser = super::positive,
        help = text::reply_count())]
    count: Option<u64>,
}

/// What is answered; exactly one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct AnswerArguments {
    #[arg(short, long, help = text::reply_echo())]
    echo: bool,
    #[arg(long, value_name = text::value_text(), help = text::reply_text())]
    text: Option<String>,
    #[arg(long, help = text::reply_time())]
    time: bool,
}

impl AnswerArguments {
    /// The answer to the `number`th request.
    fn to(&self, request: &Message, number: u64) -> Bytes {
        match &self.text {
            Some(text) => text.replace("{{count}}", &number.to_string()).into(),
            None if self.time => shown::timestamp().into(),
            None => request.payload.clone(),
        }
    }
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let mut session = connect::session(settings).await?;
    let subject = arguments.subject.clone();
    let subscribed = if arguments.all {
        session.client.subscribe(subject).await
    } else {
        session
            .client
            .queue_subscribe(subject, arguments.queue.clone())
            .await
    };
    let mut requests = subscribed.map_err(|_| session.closed())?;
    if let Some(count) = arguments.count {
        requests
            .unsubscribe_after(count)
            .await
            .map_err(|_| session.closed())?;
    }
    session.settle().await?;
    // Before the person is told that it answers: Ctrl-C must end it well from then on.
    let mut interrupt = Interrupt::new()?;
    let label = settings.label();
    terminal::notice(&match arguments.all {
        true => talk::answering_all(&arguments.subject, &label),
        false => talk::answering(&arguments.subject, &arguments.queue, &label),
    });
    let mut answering = Answering {
        out: Out::new(),
        as_json,
        arguments,
        received: 0,
        answered: 0,
    };
    let result = answering
        .until_end(&mut session, &mut requests, &mut interrupt)
        .await;
    answering.out.flush()?;
    terminal::notice(&match answering.answered {
        1 => talk::answered_one().to_owned(),
        answered => talk::answered_many(answered),
    });
    result
}

struct Answering<'a> {
    out: Out,
    as_json: bool,
    arguments: &'a Arguments,
    received: u64,
    answered: u64,
}

impl Answering<'_> {
    async fn until_end(
        &mut self,
        session: &mut Session,
        requests: &mut Subscriber,
        interrupt: &mut Interrupt,
    ) -> Result<(), Failure> {
        loop {
            let request = tokio::select! {
                biased;
                () = interrupt.asked() => return self.drain(session, requests).await,
                trouble = session.trouble() => return Err(trouble),
                request = requests.next() => request.ok_or_else(|| session.closed())?,
            };
            // While the server is gone an answer can't leave, and may wait for long.
            tokio::select! {
                biased;
                answered = self.answer(session, &request) => answered?,
                () = interrupt.asked() => return Ok(()),
            }
            if self.arguments.count == Some(self.received) {
                return Ok(());
            }
        }
    }

    /// Takes no more requests, but answers those that are here already.
    async fn drain(
        &mut self,
        session: &mut Session,
        requests: &mut Subscriber,
    ) -> Result<(), Failure> {
        requests.drain().await.map_err(|_| session.closed())?;
        let rest = async {
            while let Some(request) = requests.next().await {
                self.answer(session, &request).await?;
            }
            Ok(())
        };
        // The person has asked us to end: a server that does not react must not prevent it.
        tokio::time::timeout(Duration::from_secs(2), rest)
            .await
            .unwrap_or(Ok(()))
    }

    async fn answer(&mut self, session: &Session, request: &Message) -> Result<(), Failure> {
        let start = Instant::now();
        self.received += 1;
        let Some(reply) = request.reply.clone() else {
            return self.show(request, None);
        };
        let answer = self.arguments.answer.to(request, self.received);
        session
            .client
            .publish(reply, answer)
            .await
            .map_err(|_| session.closed())?;
        session.client.flush().await.map_err(|_| session.closed())?;
        self.answered += 1;
        self.show(request, Some(start.elapsed()))
    }

    fn show(&mut self, request: &Message, took: Option<Duration>) -> Result<(), Failure> {
        if self.as_json {
            let mut object = shown::json(request);
            let took = took.map(span::millis_number);
            object.insert("answered".into(), json!(took.is_some()));
            object.insert("took_ms".into(), json!(took));
            self.out.json(&object.into())?;
        } else {
            let time = self.out.dim(&shown::clock());
            let subject = self.out.bold(&harmless(&request.subject));
            let end = match (took, &request.reply) {
                (Some(took), Some(reply)) => {
                    talk::answered_in(&harmless(reply), &span::millis(took))
                }
                _ => talk::no_reply_subject().to_owned(),
            };
            let payload = shown::payload(&request.payload);
            let end = self.out.dim(&end);
            self.out
                .line(&format!("{time} {subject}: {payload} {end}"))?;
        }
        self.out.flush()
    }
}
