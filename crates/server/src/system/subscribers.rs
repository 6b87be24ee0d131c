//! How many subscriptions a subject has (A119), as nats-server counts them: those of clients that a message on it would
//! reach, or with wildcards those whose filter lies within it.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use recado_router::Subscription as _;
use recado_wire::{filter_matches, has_wildcard, is_subset};
use serde::Deserialize;

use crate::engine::{Account, Engine};

/// What is asked of an account by name.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Question {
    acc: String,
    subject: String,
    /// In base64, as Go writes bytes.
    queue: String,
}

/// The number for a question in JSON; `None`: it is none, or there is no such account, and nothing is answered. `own`: the
/// only account that may be asked about.
pub(super) fn of_account(engine: &Engine, own: Option<&str>, payload: &[u8]) -> Option<String> {
    let question: Question = serde_json::from_slice(payload).ok()?;
    if own.is_some_and(|own| own != question.acc) {
        return None;
    }
    let queue = BASE64_STANDARD.decode(&question.queue).ok()?;
    let queue = Some(&queue[..]).filter(|queue| !queue.is_empty());
    let account = engine.accounts.get(&question.acc)?;
    Some(count(engine, &account, question.subject.as_bytes(), queue).to_string())
}

/// The number for `SUBJECT [QUEUE]` in an account.
pub(super) fn of_text(engine: &Engine, account: &str, payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload);
    let mut words = text.split_whitespace();
    let (subject, queue) = (words.next(), words.next());
    let account = engine.accounts.get(account);
    match (account, subject, words.next()) {
        (Some(account), Some(subject), None) => {
            let queue = queue.map(str::as_bytes);
            count(engine, &account, subject.as_bytes(), queue).to_string()
        }
        _ => "0".to_owned(),
    }
}

fn count(engine: &Engine, account: &Arc<Account>, subject: &[u8], queue: Option<&[u8]>) -> usize {
    let wide = has_wildcard(subject);
    let connections = engine.connections.all().into_iter();
    let clients =
        connections.filter(|one| one.peer.is_some() && Arc::ptr_eq(&one.account(), account));
    clients
        .map(|client| {
            let held = client.subscriptions.lock();
            let counts = held.iter().filter(|sub| {
                let fits = match wide {
                    true => is_subset(sub.filter(), subject),
                    false => filter_matches(sub.filter(), subject),
                };
                fits && queue.is_none_or(|queue| sub.queue() == Some(queue))
            });
            counts.count()
        })
        .sum()
}
