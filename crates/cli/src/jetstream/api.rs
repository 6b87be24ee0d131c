//! Requests to the JetStream API (`$JS.API.…`), as JSON, with the failures that come of them.

use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Message, Request, StatusCode};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::about::About;
use super::stored::Stored;
use super::trouble;
use crate::connect::Session;
use crate::failure::Failure;
use crate::span;
use crate::terminal::{self, harmless};
use crate::text::{failures, jetstream as text};

/// What all subjects of the API begin with.
const PREFIX: &str = "$JS.API.";

/// How many entries a list may have here: a limit to memory, far above what anybody reads.
const ENTRIES_MAX: usize = 1_000_000;

/// Asks the API, and returns the answer; an error in it is a failure about `about`.
pub(crate) async fn ask(
    session: &mut Session,
    verb: &str,
    body: &Value,
    about: &About,
) -> Result<Value, Failure> {
    let payload = match body {
        Value::Null => Bytes::new(),
        body => body.to_string().into(),
    };
    let message = request(session, format!("{PREFIX}{verb}"), None, payload).await?;
    let Some(message) = message else {
        return Err(trouble::no_jetstream(session.label(), None));
    };
    answer(session, &message, about)
}

/// What an answer of the API says.
pub(crate) fn answer(
    session: &Session,
    message: &Message,
    about: &About,
) -> Result<Value, Failure> {
    let answer: Value =
        serde_json::from_slice(&message.payload).map_err(|error| Failure::Server {
            address: session.label().to_owned(),
            said: text::not_json(&error.to_string()),
        })?;
    match answer.get("error") {
        Some(error) => Err(failure_in(session, error, about)),
        None => Ok(answer),
    }
}

/// The `error` of an answer as a failure.
pub(crate) fn failure_in(session: &Session, error: &Value, about: &About) -> Failure {
    let number = |key: &str| error[key].as_u64().unwrap_or_default();
    let said = error["description"].as_str().unwrap_or_default();
    match number("err_code") {
        10039 | 10076 => trouble::no_jetstream(session.label(), Some(said)),
        err_code => trouble::refused(about, number("code"), err_code, said),
    }
}

/// A request; `None` when the server knows nobody who answers.
pub(crate) async fn request(
    session: &mut Session,
    subject: String,
    headers: Option<HeaderMap>,
    payload: Bytes,
) -> Result<Option<Message>, Failure> {
    let client = session.client.clone();
    let mut request = Request::new().payload(payload);
    if let Some(headers) = headers {
        request = request.headers(headers);
    }
    let asked = client.send_request(subject.clone(), request);
    let answered = tokio::select! {
        biased;
        answered = asked => answered,
        trouble = session.trouble() => return Err(trouble),
    };
    match answered {
        Ok(message) if message.status == Some(StatusCode::NO_RESPONDERS) => Ok(None),
        Ok(message) => Ok(Some(message)),
        Err(error) => match error.kind() {
            RequestErrorKind::NoResponders => Ok(None),
            RequestErrorKind::TimedOut => Err(Failure::Deadline {
                what: failures::deadline_reply(&subject, &span::show(session.limit())),
                next: text::slow_next().to_owned(),
            }),
            RequestErrorKind::MaxPayloadExceeded => Err(Failure::TooLarge {
                what: text::too_large(&subject, session.client.max_payload()),
            }),
            _ => Err(Failure::Server {
                address: session.label().to_owned(),
                said: error.to_string(),
            }),
        },
    }
}

/// A list, and what should be in it.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) entries: Vec<Value>,
    /// Names of streams or consumers that the server has and can't serve, each with the reason.
    offline: Vec<(String, String)>,
}

impl Listed {
    /// Nothing is in it, nor should be.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.offline.is_empty()
    }

    /// Its entries, after the user was told what is not among them.
    pub(crate) fn told(self) -> Vec<Value> {
        self.told_of(|_| true)
    }

    /// The same, where only some names are of interest.
    pub(crate) fn told_of(self, interests: impl Fn(&str) -> bool) -> Vec<Value> {
        for (name, why) in self.offline.iter().filter(|(name, _)| interests(name)) {
            terminal::notice(&text::offline(&harmless(name), &harmless(why)));
        }
        self.entries
    }

    fn sorted_by(mut self, name: impl Fn(&Value) -> &Value) -> Self {
        let key = |one: &Value| name(one).as_str().unwrap_or_default().to_owned();
        self.entries.sort_by_key(key);
        self
    }
}

/// All entries of a list that comes in pages, found under `key`.
pub(crate) async fn all(
    session: &mut Session,
    verb: &str,
    mut body: Value,
    key: &str,
    about: &About,
) -> Result<Listed, Failure> {
    let mut listed = Listed::default();
    loop {
        // Those that are offline have their places in the list, too.
        let seen = listed.entries.len() + listed.offline.len();
        body["offset"] = seen.into();
        let mut page = ask(session, verb, &body, about).await?;
        let total = page["total"].as_u64().unwrap_or_default();
        let found = match page[key].take() {
            Value::Array(found) => found,
            _ => Vec::new(),
        };
        listed.entries.extend(found);
        if let Value::Object(offline) = page["offline"].take() {
            let reason = |why: Value| why.as_str().unwrap_or_default().to_owned();
            let offline = offline.into_iter().map(|(name, why)| (name, reason(why)));
            listed.offline.extend(offline);
        }
        let now = listed.entries.len() + listed.offline.len();
        if now == seen || now as u64 >= total || now >= ENTRIES_MAX {
            return Ok(listed);
        }
    }
}

/// A stream's configuration and state.
pub(crate) async fn stream(session: &mut Session, name: &str) -> Result<Value, Failure> {
    let about = About::Stream(name.to_owned());
    stream_about(session, name, &about).await
}

/// The same, for the stream of a bucket.
pub(crate) async fn stream_about(
    session: &mut Session,
    name: &str,
    about: &About,
) -> Result<Value, Failure> {
    ask(session, &format!("STREAM.INFO.{name}"), &Value::Null, about).await
}

/// The message of a stream that `body` describes.
pub(crate) async fn message(
    session: &mut Session,
    stream: &str,
    body: &Value,
    about: &About,
) -> Result<Stored, Failure> {
    let answer = ask(session, &format!("STREAM.MSG.GET.{stream}"), body, about).await?;
    let stored = Stored::got(stream, &answer["message"]);
    stored.ok_or_else(|| trouble::not_found(about, None))
}

/// A consumer's configuration and state.
pub(crate) async fn consumer(
    session: &mut Session,
    stream: &str,
    name: &str,
) -> Result<Value, Failure> {
    let about = About::Consumer(stream.to_owned(), name.to_owned());
    let verb = format!("CONSUMER.INFO.{stream}.{name}");
    ask(session, &verb, &Value::Null, &about).await
}

/// Makes a consumer (`action` is `create`) or changes it (`update`); how it is then.
pub(crate) async fn put_consumer(
    session: &mut Session,
    stream: &str,
    name: &str,
    config: Map<String, Value>,
    action: &str,
) -> Result<Value, Failure> {
    let about = About::Consumer(stream.to_owned(), name.to_owned());
    let verb = format!("CONSUMER.CREATE.{stream}.{name}");
    let body = json!({ "stream_name": stream, "config": config, "action": action });
    ask(session, &verb, &body, &about).await
}

/// The streams, those that store a subject if one is named, by name.
pub(crate) async fn streams(
    session: &mut Session,
    subject: Option<&str>,
) -> Result<Listed, Failure> {
    let body = match subject {
        Some(subject) => json!({ "subject": subject }),
        None => json!({}),
    };
    let found = all(session, "STREAM.LIST", body, "streams", &About::Streams).await?;
    Ok(found.sorted_by(|stream| &stream["config"]["name"]))
}

/// The consumers of a stream, by name.
pub(crate) async fn consumers(session: &mut Session, stream: &str) -> Result<Listed, Failure> {
    let about = About::Stream(stream.to_owned());
    let verb = format!("CONSUMER.LIST.{stream}");
    let found = all(session, &verb, json!({}), "consumers", &about).await?;
    Ok(found.sorted_by(|one| &one["name"]))
}
