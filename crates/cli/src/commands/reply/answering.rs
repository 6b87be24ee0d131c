//! The loop of a responder: takes requests, hands them to whoever works, sends what comes back,
//! shows it, and at the end leaves nobody without an answer who could still have one.

use std::time::Duration;

use async_nats::{HeaderMap, Subscriber};
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::built_in::BuiltIn;
use super::crew::Crew;
use super::job::{Answer, By, Done, Job};
use super::refusal::Refusal;
use super::registration::Registration;
use crate::connect::Session;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::service_api;
use crate::shown::{self, Style};
use crate::span;
use crate::terminal::{self, Out, harmless};
use crate::text::{serving as text, talk};

/// How long, once the end is asked for, requests that are here may still take.
const DRAIN_PATIENCE: Duration = Duration::from_millis(1500);

/// How long the last error replies may take to leave.
const FAREWELL_PATIENCE: Duration = Duration::from_millis(200);

/// How this responder behaves.
pub(crate) struct Manner {
    pub(crate) style: Style,
    /// The end comes after so many requests.
    pub(crate) wanted: Option<u64>,
    /// Added to each answer.
    pub(crate) headers: HeaderMap,
    /// How long an answer may take, waiting included.
    pub(crate) deadline: Duration,
    /// Whether requests for the discovery of services are not for us.
    pub(crate) passes_discovery: bool,
}

/// Who works.
pub(crate) enum Work {
    /// The loop itself.
    Here(BuiltIn),
    /// Others, at the same time.
    Crew(Box<Crew>),
}

/// A responder at work.
pub(crate) struct Answering {
    manner: Manner,
    work: Work,
    registration: Registration,
    out: Out,
    received: u64,
    answered: u64,
    refused: u64,
}

/// What happens next.
enum Next {
    Asked,
    Trouble(Failure),
    Done(Box<Done>),
    Request(Option<async_nats::Message>),
}

impl Answering {
    pub(crate) fn new(manner: Manner, work: Work, registration: Registration) -> Self {
        Self {
            manner,
            work,
            registration,
            out: Out::new(),
            received: 0,
            answered: 0,
            refused: 0,
        }
    }

    /// Answers until the end is asked for, enough came, or something is in the way.
    pub(crate) async fn run(
        mut self,
        session: &mut Session,
        mut requests: Subscriber,
        interrupt: &mut Interrupt,
    ) -> Result<(), Failure> {
        let result = self.until_end(session, &mut requests, interrupt).await;
        let flushed = self.out.flush();
        if let Work::Crew(crew) = self.work {
            crew.close().await;
        }
        terminal::notice(&summary(self.answered, self.refused));
        result.and(flushed)
    }

    async fn until_end(
        &mut self,
        session: &mut Session,
        requests: &mut Subscriber,
        interrupt: &mut Interrupt,
    ) -> Result<(), Failure> {
        loop {
            let enough = self.manner.wanted == Some(self.received);
            if enough && self.outstanding() == 0 {
                return Ok(());
            }
            let next = tokio::select! {
                biased;
                () = interrupt.asked() => Next::Asked,
                trouble = session.trouble() => Next::Trouble(trouble),
                done = next_done(&mut self.work) => Next::Done(Box::new(done)),
                request = requests.next(), if !enough => Next::Request(request),
            };
            let done = match next {
                Next::Asked => return self.drain(session, requests).await,
                Next::Trouble(trouble) => return Err(trouble),
                Next::Done(done) => Some(*done),
                Next::Request(request) => {
                    let request = request.ok_or_else(|| session.closed())?;
                    self.take(request)?
                }
            };
            let Some(done) = done else { continue };
            // While the server is gone an answer can't leave, and may wait for long.
            tokio::select! {
                biased;
                sent = self.send(session, done) => sent?,
                () = interrupt.asked() => return Ok(()),
            }
        }
    }

    /// Takes no more requests, but answers those that are here already.
    async fn drain(
        &mut self,
        session: &mut Session,
        requests: &mut Subscriber,
    ) -> Result<(), Failure> {
        // The person has asked us to end: a server that does not react must not prevent it.
        let rest = timeout(DRAIN_PATIENCE, self.rest(session, requests)).await;
        if let Ok(result) = rest {
            return result;
        }
        let left = match &mut self.work {
            Work::Here(_) => Vec::new(),
            Work::Crew(crew) => crew.give_up(),
        };
        let farewell = async {
            for done in left {
                self.send(session, done).await?;
            }
            Ok(())
        };
        timeout(FAREWELL_PATIENCE, farewell).await.unwrap_or(Ok(()))
    }

    async fn rest(&mut self, session: &Session, requests: &mut Subscriber) -> Result<(), Failure> {
        requests.drain().await.map_err(|_| session.closed())?;
        let mut more = true;
        while more || self.outstanding() > 0 {
            let done = tokio::select! {
                biased;
                done = next_done(&mut self.work) => Some(done),
                request = requests.next(), if more => match request {
                    Some(request) => self.take(request)?,
                    None => {
                        more = false;
                        None
                    }
                },
            };
            if let Some(done) = done {
                self.send(session, done).await?;
            }
        }
        Ok(())
    }

    fn outstanding(&self) -> usize {
        match &self.work {
            Work::Here(_) => 0,
            Work::Crew(crew) => crew.outstanding(),
        }
    }

    /// Has a request worked on; gives back what is over at once.
    fn take(&mut self, request: async_nats::Message) -> Result<Option<Done>, Failure> {
        if self.manner.passes_discovery && request.subject.starts_with(service_api::PREFIX) {
            return Ok(None);
        }
        self.received += 1;
        let arrived = Instant::now();
        let job = Job {
            number: self.received,
            request,
            arrived,
            deadline: arrived + self.manner.deadline,
        };
        if job.request.reply.is_none() {
            self.show_unanswered(&job)?;
            return Ok(None);
        }
        Ok(match &mut self.work {
            Work::Here(answer) => {
                let answered = answer.answer(&job);
                Some(job.done(Ok(answered), By::Here))
            }
            Work::Crew(crew) => crew.take(job),
        })
    }

    async fn send(&mut self, session: &Session, done: Done) -> Result<(), Failure> {
        let Done { job, outcome, by } = done;
        let Some(reply) = job.request.reply.clone() else {
            return Ok(());
        };
        let client = &session.client;
        let outcome = outcome.and_then(|answer| self.complete(answer, client.max_payload()));
        let (headers, payload, refusal) = match outcome {
            Ok(answer) => (answer.headers, answer.payload, None),
            Err(refusal) => (refusal.headers(), "".into(), Some(refusal)),
        };
        session.hands_over();
        let sent = match headers.is_empty() {
            true => client.publish(reply, payload).await,
            false => client.publish_with_headers(reply, headers, payload).await,
        };
        sent.map_err(|_| session.closed())?;
        client.flush().await.map_err(|_| session.closed())?;
        let took = job.arrived.elapsed();
        self.registration.count(took, refusal.as_ref());
        match refusal {
            None => self.answered += 1,
            Some(_) => self.refused += 1,
        }
        self.show(&job, took, refusal.as_ref(), by)
    }

    /// Adds the headers that all answers get, and refuses what the server would not take.
    fn complete(&self, mut answer: Answer, max_payload: usize) -> Result<Answer, Refusal> {
        for (name, values) in self.manner.headers.iter() {
            for value in values {
                answer.headers.append(name.clone(), value.clone());
            }
        }
        if answer.payload.len() + written_bytes(&answer.headers) > max_payload {
            return Err(Refusal::output_too_large(max_payload));
        }
        Ok(answer)
    }

    fn show(
        &mut self,
        job: &Job,
        took: Duration,
        refusal: Option<&Refusal>,
        by: By,
    ) -> Result<(), Failure> {
        if self.manner.style == Style::Json {
            let mut object = shown::json(&job.request);
            object.insert("answered".into(), json!(refusal.is_none()));
            object.insert("took_ms".into(), json!(span::millis_number(took)));
            if let Some(Refusal { code, description }) = refusal {
                let error = json!({ "code": code, "description": description });
                object.insert("error".into(), error);
            }
            match by {
                By::Here => None,
                By::Process(pid) => object.insert("pid".into(), json!(pid)),
                By::Thread(id) => object.insert("thread".into(), json!(id)),
            };
            self.out.json(&object.into())?;
            return self.out.flush();
        }
        let reply = job.request.reply.as_deref().unwrap_or_default();
        let (reply, took) = (harmless(reply), span::millis(took));
        let end = match refusal {
            None => talk::answered_in(&reply, &took),
            Some(refusal) => text::refused_in(&reply, &harmless(&refusal.to_string()), &took),
        };
        let by = match by {
            By::Here => String::new(),
            By::Process(pid) => format!(" {}", text::by_process(pid)),
            By::Thread(id) => format!(" {}", text::by_thread(id)),
        };
        self.show_to_people(job, &format!("{end}{by}"))
    }

    fn show_unanswered(&mut self, job: &Job) -> Result<(), Failure> {
        if self.manner.style == Style::Json {
            let mut object = shown::json(&job.request);
            object.insert("answered".into(), json!(false));
            object.insert("took_ms".into(), json!(null));
            self.out.json(&object.into())?;
            return self.out.flush();
        }
        self.show_to_people(job, talk::no_reply_subject())
    }

    fn show_to_people(&mut self, job: &Job, end: &str) -> Result<(), Failure> {
        if self.manner.style == Style::Raw {
            shown::message(&mut self.out, Style::Raw, &job.request)?;
            return self.out.flush();
        }
        let time = self.out.dim(&shown::clock());
        let subject = self.out.bold(&harmless(&job.request.subject));
        let payload = shown::payload(&job.request.payload);
        let end = self.out.dim(end);
        let line = format!("{time} {subject}: {payload} {end}");
        self.out.line(&line)?;
        self.out.flush()
    }
}

/// Waits until somebody has finished; without a crew, for ever.
async fn next_done(work: &mut Work) -> Done {
    match work {
        Work::Here(_) => std::future::pending().await,
        Work::Crew(crew) => crew.next().await,
    }
}

/// How many bytes headers take in the protocol.
fn written_bytes(headers: &HeaderMap) -> usize {
    if headers.is_empty() {
        return 0;
    }
    let lines = headers.iter().flat_map(|(name, values)| {
        let name: &[u8] = name.as_ref();
        values
            .iter()
            .map(|value| name.len() + value.as_str().len() + ": \r\n".len())
    });
    "NATS/1.0\r\n\r\n".len() + lines.sum::<usize>()
}

fn summary(answered: u64, refused: u64) -> String {
    let answered = match answered {
        1 => talk::answered_one().to_owned(),
        answered => talk::answered_many(answered),
    };
    match refused {
        0 => answered,
        refused => text::and_refused(&answered, refused),
    }
}
