//! The responder as a NATS service (ADR-32): what `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS` learn
//! about it, for as long as it answers.
//!
//! An implementation of our own, because the library's insists on a queue group and on taking the
//! requests itself; ours stands beside whatever takes them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::{Client, Message, Subscriber};
use futures_util::StreamExt;
use futures_util::stream::{SelectAll, select_all};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::refusal::Refusal;
use crate::service_api::{self, Verb};
use crate::shown;

/// How the responder presents itself.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    /// Where it answers.
    pub(crate) subject: String,
    /// Empty if it has none.
    pub(crate) queue: String,
    /// What answers: `echo`, `exec`, `pool`, …
    pub(crate) answers: &'static str,
}

/// What it has done.
#[derive(Debug, Default)]
struct Figures {
    requests: u64,
    errors: u64,
    last_error: String,
    processing: Duration,
}

/// A registered responder; dropping it takes it off the list.
#[derive(Debug)]
pub(crate) struct Registration {
    figures: Arc<Mutex<Figures>>,
    task: JoinHandle<()>,
}

impl Registration {
    /// Subscribes to discovery. The caller then waits until the server knows.
    pub(crate) async fn new(
        client: &Client,
        presented: Presented,
    ) -> Result<Self, async_nats::SubscribeError> {
        let figures = Arc::new(Mutex::new(Figures::default()));
        let service = Service {
            id: instance_id(client),
            started: shown::timestamp(),
            presented,
            figures: Arc::clone(&figures),
        };
        let mut questions = Vec::new();
        for verb in Verb::ALL {
            let name = Some(service.presented.name.as_str());
            let targets = [
                (None, None),
                (name, None),
                (name, Some(service.id.as_str())),
            ];
            for (name, id) in targets {
                questions.push(client.subscribe(verb.subject(name, id)).await?);
            }
        }
        let task = tokio::spawn(service.answer(client.clone(), select_all(questions)));
        Ok(Self { figures, task })
    }

    /// Counts a request that was answered, well or with an error.
    pub(crate) fn count(&self, took: Duration, refusal: Option<&Refusal>) {
        let mut figures = lock(&self.figures);
        figures.requests += 1;
        figures.processing += took;
        if let Some(refusal) = refusal {
            figures.errors += 1;
            figures.last_error = format!("{}:{}", refusal.code, refusal.description);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Service {
    id: String,
    started: String,
    presented: Presented,
    figures: Arc<Mutex<Figures>>,
}

impl Service {
    async fn answer(self, client: Client, mut questions: SelectAll<Subscriber>) {
        while let Some(Message { subject, reply, .. }) = questions.next().await {
            let verb = Verb::ALL.into_iter().find(|verb| {
                let all = verb.subject(None, None);
                let rest = subject.strip_prefix(all.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            });
            if let (Some(verb), Some(reply)) = (verb, reply) {
                let answer = self.present(verb).to_string();
                // When the connection is gone for good, whoever listens for requests says so.
                let _ = client.publish(reply, answer.into()).await;
            }
        }
    }

    fn present(&self, verb: Verb) -> Value {
        let Presented {
            name,
            version,
            description,
            answers,
            ..
        } = &self.presented;
        let mut answer = json!({
            "type": verb.response_type(),
            "name": name,
            "id": self.id,
            "version": version,
            "metadata": { "answers": answers, "pid": std::process::id().to_string() },
        });
        match verb {
            Verb::Ping => {}
            Verb::Info => {
                answer["description"] = json!(description);
                let mut endpoint = self.endpoint();
                endpoint["metadata"] = json!({});
                answer["endpoints"] = json!([endpoint]);
            }
            Verb::Stats => {
                answer["started"] = json!(self.started);
                answer["endpoints"] = json!([self.endpoint_stats()]);
            }
        }
        answer
    }

    fn endpoint(&self) -> Value {
        let Presented {
            name,
            subject,
            queue,
            ..
        } = &self.presented;
        json!({ "name": name, "subject": subject, "queue_group": queue })
    }

    fn endpoint_stats(&self) -> Value {
        let figures = lock(&self.figures);
        let nanos = u64::try_from(figures.processing.as_nanos()).unwrap_or(u64::MAX);
        let mut stats = self.endpoint();
        stats["num_requests"] = figures.requests.into();
        stats["num_errors"] = figures.errors.into();
        stats["last_error"] = figures.last_error.as_str().into();
        stats["processing_time"] = nanos.into();
        stats["average_processing_time"] = (nanos / figures.requests.max(1)).into();
        stats
    }
}

/// A name that a service may have, made of the subject: `orders.*.new` gives `orders-any-new`.
pub(crate) fn name_of(subject: &str) -> String {
    let tokens = subject.split('.').map(|token| match token {
        "*" => "any".to_owned(),
        ">" => "all".to_owned(),
        token => {
            let letter = |c: char| {
                let fits = service_api::is_name(c.encode_utf8(&mut [0; 4]));
                if fits { c } else { '_' }
            };
            token.chars().map(letter).collect()
        }
    });
    tokens.collect::<Vec<_>>().join("-")
}

/// Unique, and safe as a token of a subject: the random part of an inbox.
fn instance_id(client: &Client) -> String {
    let inbox = client.new_inbox();
    inbox.rsplit('.').next().unwrap_or_default().to_owned()
}

fn lock(figures: &Mutex<Figures>) -> MutexGuard<'_, Figures> {
    // Counters stay usable whatever happened to whoever held them.
    figures.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_after_its_subject() {
        assert_eq!(name_of("greet"), "greet");
        assert_eq!(name_of("orders.*.new"), "orders-any-new");
        assert_eq!(name_of("orders.>"), "orders-all");
        assert_eq!(name_of("niños.a b"), "ni_os-a_b");
    }
}
