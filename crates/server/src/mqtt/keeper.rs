//! The streams of one account, as the task of one MQTT client uses them: requests and their answers, what is stored and
//! deleted, and deliveries of its consumers.
//!
//! It is a part of the server, so nothing is asked of it: what the client may do is looked at before.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use recado_wire::{Headers, PONG, ServerFrame, push_publish};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::time::{Instant, timeout_at};

use super::names;
use crate::engine::{Account, Engine};
use crate::internal_client::{FrameReader, connect_to};

/// Bytes of deliveries that may wait for their turn. What comes beyond is asked for again when there is room.
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Deliveries that may be asked for again: as many as a client may leave unacknowledged.
const POSTPONED_MAX: usize = 65_535;
/// What a message that waits costs beside its bytes.
const ARRIVED_BYTES: usize = 160;
/// The sid of answers.
const REPLIES_SID: &str = "r";

/// Why something could not be had of the streams.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// Their answer.
    #[error("the streams refused {what}: {description}")]
    Refused {
        what: &'static str,
        err_code: u64,
        description: String,
    },
    /// They did not.
    #[error("the streams did not answer {what} within {timeout_ms} ms (js_api_timeout)")]
    Late { what: &'static str, timeout_ms: u64 },
    /// Nobody serves them.
    #[error("nobody answers for the streams of the account: is JetStream on for it?")]
    Nobody,
    /// The connection to the engine ended.
    #[error("the engine closed the connection to the streams")]
    Lost,
    /// What is stored is not what it should be.
    #[error("{0}")]
    Unusable(String),
}

impl Trouble {
    /// The number of an error of the streams' API.
    pub(super) fn err_code(&self) -> Option<u64> {
        match self {
            Self::Refused { err_code, .. } => Some(*err_code),
            _ => None,
        }
    }
}

/// A message as it came.
pub(super) struct Arrived {
    /// Of an answer: the number of the request.
    pub(super) number: Option<u64>,
    /// Of a delivery: the subscription.
    pub(super) sid: u64,
    pub(super) subject: String,
    pub(super) reply: String,
    pub(super) headers: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

impl Arrived {
    fn of(frame: ServerFrame<'_>) -> Option<Self> {
        let ServerFrame::Message {
            subject,
            sid,
            reply,
            headers,
            payload,
        } = frame
        else {
            return None;
        };
        let subject = String::from_utf8_lossy(subject).into_owned();
        let number = match sid == REPLIES_SID.as_bytes() {
            true => Some(subject.rsplit('.').next()?.parse().ok()?),
            false => None,
        };
        let sid = std::str::from_utf8(sid)
            .ok()
            .and_then(|sid| sid.parse().ok());
        Some(Self {
            number,
            sid: sid.unwrap_or_default(),
            subject,
            reply: String::from_utf8_lossy(reply).into_owned(),
            headers: headers.to_vec(),
            payload: payload.to_vec(),
        })
    }

    /// What a header says.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        Headers::new(&self.headers).get(name)
    }

    /// Bytes that it holds.
    fn weight(&self) -> usize {
        let texts = self.subject.len() + self.reply.len();
        ARRIVED_BYTES + texts + self.headers.len() + self.payload.len()
    }

    fn status(&self) -> Option<u16> {
        Headers::new(&self.headers).status().map(|(code, _)| code)
    }

    /// What the streams' API answered, as JSON.
    pub(super) fn answer(&self, what: &'static str) -> Result<Value, Trouble> {
        if self.status() == Some(503) {
            return Err(Trouble::Nobody);
        }
        let answer: Value = serde_json::from_slice(&self.payload)
            .map_err(|_| Trouble::Unusable(format!("the answer to {what} can't be read")))?;
        let Some(error) = answer.get("error") else {
            return Ok(answer);
        };
        let text = error["description"].as_str().unwrap_or("no description");
        Err(Trouble::Refused {
            what,
            err_code: error["err_code"].as_u64().unwrap_or_default(),
            description: text.to_owned(),
        })
    }
}

/// Access to the streams of one account.
pub(super) struct Keeper {
    read: FrameReader,
    write: OwnedWriteHalf,
    out: Vec<u8>,
    waiting: VecDeque<Arrived>,
    waiting_bytes: usize,
    /// Deliveries that there was no room for: the subscription, and where the stream hears of it.
    postponed: Vec<(u64, String)>,
    replies: String,
    requests: u64,
    /// `$JS.API.`, or that of a domain.
    api: String,
    timeout: Duration,
}

impl Keeper {
    /// Connects to the account of a client.
    pub(super) fn connect(
        engine: &Arc<Engine>,
        account: &Arc<Account>,
        domain: Option<&str>,
        timeout: Duration,
    ) -> io::Result<Self> {
        let (read, write) = connect_to(engine, account)?.into_split();
        let replies = names::replies(&names::unique());
        let api = match domain {
            Some(domain) => format!("$JS.{domain}.API."),
            None => "$JS.API.".to_owned(),
        };
        let mut keeper = Self {
            read: FrameReader::new(read),
            write,
            out: Vec::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            postponed: Vec::new(),
            replies,
            requests: 0,
            api,
            timeout,
        };
        let line = format!("SUB {}* {REPLIES_SID}\r\n", keeper.replies);
        keeper.out.extend_from_slice(line.as_bytes());
        Ok(keeper)
    }

    /// Has deliveries on this subject come with this sid.
    pub(super) fn subscribe(&mut self, subject: &str, sid: u64) {
        self.out
            .extend_from_slice(format!("SUB {subject} {sid}\r\n").as_bytes());
    }

    /// Has no more come.
    pub(super) fn unsubscribe(&mut self, sid: u64) {
        self.out
            .extend_from_slice(format!("UNSUB {sid}\r\n").as_bytes());
    }

    /// Publishes without waiting for anything.
    pub(super) fn publish(&mut self, subject: &str, headers: &[u8], payload: &[u8]) {
        let headers = Some(headers);
        push_publish(&mut self.out, subject.as_bytes(), b"", headers, payload);
    }

    /// Publishes, to be answered under the number that is returned: an ack of a stream, for instance.
    pub(super) fn ask(&mut self, subject: &str, headers: &[u8], payload: &[u8]) -> u64 {
        self.requests += 1;
        let reply = format!("{}{}", self.replies, self.requests);
        let (subject, headers) = (subject.as_bytes(), Some(headers));
        push_publish(&mut self.out, subject, reply.as_bytes(), headers, payload);
        self.requests
    }

    /// The same of the streams' API.
    pub(super) fn ask_api(&mut self, call: &str, payload: &[u8]) -> u64 {
        let subject = format!("{}{call}", self.api);
        self.ask(&subject, b"", payload)
    }

    /// Writes what is to be said.
    pub(super) async fn flush(&mut self) -> Result<(), Trouble> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = self.write.write_all(&self.out).await;
        self.out.clear();
        if self.out.capacity() > WAITING_BYTES_MAX {
            self.out = Vec::new();
        }
        written.map_err(|_| Trouble::Lost)
    }

    /// What came and was not taken yet; only answers if the client takes no deliveries now.
    pub(super) fn take(&mut self, may_deliver: bool) -> Option<Arrived> {
        let is_taken = |one: &Arrived| may_deliver || one.number.is_some();
        let at = self.waiting.iter().position(is_taken)?;
        let arrived = self.waiting.remove(at)?;
        self.waiting_bytes -= arrived.weight();
        if self.waiting_bytes <= WAITING_BYTES_MAX / 2 {
            for (_, reply) in std::mem::take(&mut self.postponed) {
                self.publish(&reply, b"", b"-NAK");
            }
        }
        Some(arrived)
    }

    /// Has no more deliveries come for these subscriptions from their consumers. All that came and was not taken: the subscription,
    /// and where the stream hears of it.
    pub(super) async fn end_deliveries(
        &mut self,
        from: impl IntoIterator<Item = (u64, String)>,
    ) -> Result<Vec<(u64, String)>, Trouble> {
        let mut last = None;
        for (sid, consumer) in from {
            self.unsubscribe(sid);
            // Who is asked looks whether anybody listens: it may deliver for a while, else, to whoever hears everything.
            let call = format!("CONSUMER.INFO.{}.{consumer}", names::MESSAGES);
            last = Some(self.ask_api(&call, b""));
        }
        if let Some(number) = last {
            // The answer comes behind all that was delivered. What it says does not matter.
            self.answer_to(number, "a look at consumers").await?;
        }
        let mut ended = std::mem::take(&mut self.postponed);
        let deliveries = self.waiting.iter().filter(|one| one.number.is_none());
        ended.extend(deliveries.map(|one| (one.sid, one.reply.clone())));
        Ok(ended)
    }

    /// Waits until something comes. Can be dropped and called again.
    pub(super) async fn hear(&mut self) -> Result<(), Trouble> {
        let Self {
            read,
            waiting,
            waiting_bytes,
            postponed,
            out,
            ..
        } = self;
        let heard = read.frames(|frame| match frame {
            ServerFrame::Ping => out.extend_from_slice(PONG),
            ServerFrame::Err(text) => {
                tracing::error!(text = %text.escape_ascii(), "the engine refused what keeps MQTT sessions");
            }
            frame => {
                let Some(arrived) = Arrived::of(frame) else {
                    return;
                };
                if arrived.number.is_some() || *waiting_bytes <= WAITING_BYTES_MAX {
                    *waiting_bytes += arrived.weight();
                    waiting.push_back(arrived);
                } else if postponed.len() < POSTPONED_MAX {
                    postponed.push((arrived.sid, arrived.reply));
                }
            }
        });
        heard.await.ok_or(Trouble::Lost)
    }

    /// Waits for the answer to the request of this number; what else comes waits its turn.
    async fn answer_to(&mut self, number: u64, what: &'static str) -> Result<Arrived, Trouble> {
        let until = Instant::now() + self.timeout;
        self.flush().await?;
        let mut looked_at = 0;
        loop {
            let mut new = self.waiting.iter().skip(looked_at);
            if let Some(at) = new.position(|one| one.number == Some(number)) {
                let arrived = self.waiting.remove(looked_at + at).ok_or(Trouble::Lost)?;
                self.waiting_bytes -= arrived.weight();
                return Ok(arrived);
            }
            looked_at = self.waiting.len();
            let heard = timeout_at(until, self.hear()).await;
            heard.map_err(|_| Trouble::Late {
                what,
                timeout_ms: self.timeout.as_millis() as u64,
            })??;
        }
    }

    /// Stores a message, and waits until that is durable. The ack.
    pub(super) async fn store(
        &mut self,
        subject: &str,
        headers: &[u8],
        payload: &[u8],
        what: &'static str,
    ) -> Result<Value, Trouble> {
        let number = self.ask(subject, headers, payload);
        self.answer_to(number, what).await?.answer(what)
    }

    /// Waits for the answer to what was asked under this number.
    pub(super) async fn settled(&mut self, number: u64, what: &'static str) -> Result<(), Trouble> {
        let answer = self.answer_to(number, what).await?.answer(what);
        answer.map(drop)
    }

    /// Calls the streams' API.
    pub(super) async fn call(
        &mut self,
        call: &str,
        request: &Value,
        what: &'static str,
    ) -> Result<Value, Trouble> {
        let request = match request {
            Value::Null => String::new(),
            request => request.to_string(),
        };
        let number = self.ask_api(call, request.as_bytes());
        self.answer_to(number, what).await?.answer(what)
    }

    /// The last message on a subject, as it is stored; `None`: there is none.
    pub(super) async fn last_on(
        &mut self,
        stream: &str,
        subject: &str,
        what: &'static str,
    ) -> Result<Option<Arrived>, Trouble> {
        let number = self.ask_api(&format!("DIRECT.GET.{stream}.{subject}"), b"");
        let arrived = self.answer_to(number, what).await?;
        stored_in(arrived, stream, what)
    }

    /// Whether a stream has a message on a subject that matches a filter.
    pub(super) async fn holds_any(
        &mut self,
        stream: &str,
        filter: &str,
        what: &'static str,
    ) -> Result<bool, Trouble> {
        let request = serde_json::json!({ "seq": 1, "next_by_subj": filter }).to_string();
        let number = self.ask_api(&format!("DIRECT.GET.{stream}"), request.as_bytes());
        let arrived = self.answer_to(number, what).await?;
        Ok(stored_in(arrived, stream, what)?.is_some())
    }

    /// Messages on the subjects that match a filter from a sequence on, at most so many; whether there may be more.
    pub(super) async fn batch(
        &mut self,
        stream: &str,
        filter: &str,
        from: u64,
        what: &'static str,
    ) -> Result<(Vec<Arrived>, bool), Trouble> {
        const MESSAGES_MAX: usize = 256;
        const BYTES_MAX: usize = 1024 * 1024;
        let request = serde_json::json!({
            "seq": from, "next_by_subj": filter, "batch": MESSAGES_MAX, "max_bytes": BYTES_MAX,
        });
        let request = request.to_string();
        let number = self.ask_api(&format!("DIRECT.GET.{stream}"), request.as_bytes());
        let mut messages = Vec::new();
        loop {
            let arrived = self.answer_to(number, what).await?;
            match arrived.status() {
                None => messages.push(arrived),
                Some(204) => {
                    let pending = arrived.header("Nats-Num-Pending");
                    return Ok((messages, pending.is_some_and(|count| count != "0")));
                }
                Some(404) => return Ok((messages, false)),
                Some(503) => return Err(Trouble::Nobody),
                Some(code) => {
                    return Err(Trouble::Unusable(format!(
                        "{what} can't be read: the stream {stream} says {code}"
                    )));
                }
            }
        }
    }
}

/// The message that a stream answers with; `None`: it has none.
fn stored_in(
    arrived: Arrived,
    stream: &str,
    what: &'static str,
) -> Result<Option<Arrived>, Trouble> {
    match arrived.status() {
        None => Ok(Some(arrived)),
        Some(404) => Ok(None),
        Some(503) => Err(Trouble::Nobody),
        Some(code) => Err(Trouble::Unusable(format!(
            "{what} can't be read: the stream {stream} says {code}"
        ))),
    }
}
