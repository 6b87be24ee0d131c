//! `recado sub --stream`: what a stream has kept, and then what comes; as a consumer that remembers what was
//! shown, if one is named.

use std::time::Instant;

use serde_json::Value;

use super::{Arguments, silence, summary};
use crate::connect::{self, Session};
use crate::exit::Status;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::jetstream::about::About;
use crate::jetstream::pull::{Pull, Pulled, Verdict};
use crate::jetstream::reader::{Ended, Reader, Start};
use crate::jetstream::{api, fields};
use crate::settings::Settings;
use crate::terminal::{self, Out};
use crate::text::{help as text, talk};

/// Refuses options that are about a stream where none is named.
pub(super) fn not_without(arguments: &Arguments) -> Result<(), Failure> {
    let option = match (
        &arguments.durable,
        arguments.new,
        arguments.beginning.start(),
    ) {
        (Some(_), ..) => "--durable",
        (None, true, _) => "--new",
        (None, false, Some(start)) => start.option(),
        (None, false, None) => return Ok(()),
    };
    Err(Failure::Usage {
        what: text::sub_needs_stream(option),
        next: text::sub_needs_stream_next().to_owned(),
    })
}

/// Runs the command.
pub(super) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    stream: &str,
    as_json: bool,
) -> Result<(), Failure> {
    let mut session = connect::session(settings).await?;
    let mut reading = Reading {
        arguments,
        stream,
        as_json,
        settings,
        out: Out::new(),
        received: 0,
        bytes: 0,
    };
    let start = Instant::now();
    let ended = match &arguments.durable {
        Some(name) => reading.durable(&mut session, name).await,
        None => reading.ordered(&mut session).await,
    };
    // What was received is shown whatever happened.
    reading.out.flush()?;
    let (received, bytes) = (reading.received, reading.bytes);
    if ended.is_ok() || received > 0 {
        summary(received, bytes, start);
    }
    match ended? {
        Ended::Enough | Ended::Asked => Ok(()),
        Ended::Silence(limit) => silence(arguments, received, limit),
    }
}

struct Reading<'a> {
    arguments: &'a Arguments,
    stream: &'a str,
    as_json: bool,
    settings: &'a Settings,
    out: Out,
    received: u64,
    bytes: u64,
}

impl Reading<'_> {
    fn start(&self) -> Start {
        self.arguments.beginning.start().unwrap_or(Start::New)
    }

    fn told(&self) -> Result<Interrupt, Failure> {
        // Before the person is told that it reads: Ctrl-C must end it well from then on.
        let interrupt = Interrupt::new()?;
        terminal::notice(&talk::reading(self.stream, &self.settings.label()));
        Ok(interrupt)
    }

    /// In order, and without leaving anything behind.
    async fn ordered(&mut self, session: &mut Session) -> Result<Ended, Failure> {
        let about = About::Stream(self.stream.to_owned());
        let filter = self.arguments.subject.as_deref();
        let mut reader =
            Reader::open(session, self.stream, filter, self.start(), false, &about).await?;
        let mut interrupt = self.told()?;
        if reader.only_looks() {
            terminal::notice(&talk::only_looking(self.stream));
        }
        let style = self.arguments.style(self.as_json);
        let wanted = self.arguments.count;
        let (received, bytes) = (&mut self.received, &mut self.bytes);
        let silence = self.settings.timeout;
        reader
            .follow(
                session,
                &mut interrupt,
                &mut self.out,
                silence,
                |out, stored| {
                    *received += 1;
                    *bytes += stored.message.payload.len() as u64;
                    stored.show(out, style)?;
                    Ok(wanted.is_none_or(|wanted| *received < wanted))
                },
            )
            .await
    }

    /// As a consumer that stays; each message is acknowledged when it has been shown.
    async fn durable(&mut self, session: &mut Session, name: &str) -> Result<Ended, Failure> {
        self.provide(session, name).await?;
        let mut pull = Pull::open(session, self.stream, name).await?;
        let mut interrupt = self.told()?;
        let style = self.arguments.style(self.as_json);
        let wanted = self.arguments.count;
        let ended = loop {
            if wanted.is_some_and(|wanted| self.received >= wanted) {
                break Ended::Enough;
            }
            let left = wanted.map(|wanted| wanted - self.received);
            let silence = self.settings.timeout;
            let until = silence.map(|silence| tokio::time::Instant::now() + silence);
            let pulled = tokio::select! {
                biased;
                () = interrupt.asked() => break Ended::Asked,
                pulled = pull.follow(session, left, until) => pulled?,
            };
            let Pulled::Message(stored) = pulled else {
                break Ended::Silence(silence.unwrap_or_default());
            };
            self.received += 1;
            self.bytes += stored.message.payload.len() as u64;
            stored.show(&mut self.out, style)?;
            self.out.flush()?;
            pull.judge(session, &stored, &Verdict::Ack, false).await?;
        };
        // What was acknowledged is to have arrived.
        session.settle().await?;
        Ok(ended)
    }

    /// Makes the consumer, unless it is there.
    async fn provide(&self, session: &mut Session, name: &str) -> Result<(), Failure> {
        api::stream(session, self.stream).await?;
        match api::consumer(session, self.stream, name).await {
            Err(failure) if failure.status() == Status::NotFound => {}
            found => return found.map(|_| ()),
        }
        let mut config = fields::object([
            ("name", name.into()),
            ("durable_name", name.into()),
            ("ack_policy", "explicit".into()),
            ("replay_policy", "instant".into()),
        ]);
        if let Value::Object(start) = self.start().json() {
            config.extend(start);
        }
        let filter = self.arguments.subject.as_deref();
        fields::put(&mut config, "filter_subject", filter.map(Value::from));
        api::put_consumer(session, self.stream, name, config, "create").await?;
        Ok(())
    }
}
