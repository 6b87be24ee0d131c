//! Messages of the client: passed on at once to whoever subscribes, and kept for subscriptions with QoS 1 and 2. The client is
//! answered when what it was promised is on disk.

use std::time::Instant;

use recado_mqtt::{Fault, Publish, Qos, push_puback, push_pubcomp, push_pubrec, topic_to_subject};
use serde_json::json;

use super::keeper::{Arrived, Trouble};
use super::names;
use super::outgoing::sequence_of;
use super::peer::{End, LINE_ROOM, Peer};
use crate::engine::CloseReason;

/// A stream did not take a message; its text says why.
const NOT_STORED: u64 = 10077;
/// A user's name is told with a retained message up to so many bytes: headers have a bounded room.
const SOURCE_BYTES_MAX: usize = 256;
/// Flag of a retained message.
const RETAIN: u8 = 1;

/// What is said or done when what it waits for is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing: the client was promised nothing.
    Nothing,
    /// PUBACK.
    Puback(u16),
    /// PUBREC.
    Pubrec(u16),
    /// PUBREL.
    Release(u16),
    /// The identifier is free.
    Forget(u16),
}

/// Something that waits for the disk.
pub(super) struct Unanswered {
    answer: Answer,
    /// Numbers of the requests that are not answered yet.
    waits: Vec<u64>,
    bytes: usize,
    pub(super) since: Instant,
}

impl Unanswered {
    pub(super) fn new(answer: Answer, waits: impl Into<Vec<u64>>, bytes: usize) -> Self {
        Self {
            answer,
            waits: waits.into(),
            bytes,
            since: Instant::now(),
        }
    }
}

/// A message that is to be passed on.
pub(super) struct Message<'a> {
    /// After renaming.
    pub(super) subject: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) qos: Qos,
    pub(super) retain: bool,
}

/// Over which connection the engine hears a message.
#[derive(Clone, Copy)]
pub(super) enum Speaker {
    /// The client's own.
    Client,
    /// That of the server itself, once the client's is over.
    Server,
}

impl Peer {
    /// PUBLISH.
    pub(super) async fn publish(&mut self, message: &Publish<'_>) -> Result<(), End> {
        let subject = topic_to_subject(message.topic)
            .map_err(|why| End::fault(format!("the topic of its message can't be used: {why}")))?;
        let subject = self.renamed(subject);
        self.check_size(&subject, message)?;
        let passed = Message {
            subject: &subject,
            payload: message.payload,
            qos: message.qos,
            retain: message.retain,
        };
        let (answer, waits) = match message.qos {
            Qos::AtMostOnce => (Answer::Nothing, self.pass_on(&passed, Speaker::Client)),
            Qos::AtLeastOnce => (
                Answer::Puback(message.id),
                self.pass_on(&passed, Speaker::Client),
            ),
            Qos::ExactlyOnce if self.options.reject_qos2_publish => {
                let why = "its message has QoS 2, which reject_qos2_publish forbids";
                return Err(End::fault(why));
            }
            // Told like any other, and answered: nothing is kept that would never be passed on.
            Qos::ExactlyOnce if !self.may_publish(&subject) => (
                Answer::Pubrec(message.id),
                self.pass_on(&passed, Speaker::Client),
            ),
            Qos::ExactlyOnce => {
                let waits = vec![self.keep_until_released(&passed, message.id)];
                (Answer::Pubrec(message.id), waits)
            }
        };
        if answer == Answer::Nothing && waits.is_empty() {
            // Many small ones make one write.
            return match self.user.out.len() > 64 * 1024 {
                true => self.flush().await,
                false => Ok(()),
            };
        }
        let bytes = message.payload.len();
        self.unanswered_bytes += bytes;
        self.unanswered
            .push_back(Unanswered::new(answer, waits, bytes));
        self.answer();
        // What is stored is said to the streams at once: they gather it for the disk.
        self.flush().await
    }

    /// The subject that a message goes to: the account may rename it.
    pub(super) fn renamed(&self, subject: String) -> String {
        let account = self.user.connection.account();
        if !account.renames() {
            return subject;
        }
        let renamed = account
            .terms()
            .mappings
            .rename(subject.as_bytes(), rand::random());
        renamed
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or(subject)
    }

    fn check_size(&self, subject: &str, message: &Publish<'_>) -> Result<(), End> {
        let most = self.payload_max();
        let size = headers(message.qos, None).len() + message.payload.len();
        if size > most {
            let why = format!("a message of {size} bytes is larger than {most} (max_payload)");
            let fault = Fault {
                told: None,
                why: why.into(),
            };
            return Err(End::Fault(CloseReason::MaxPayload, fault));
        }
        let most = self.engine.manner().session.parse.max_control_line;
        match subject.len() + LINE_ROOM > most {
            true => Err(End::fault(format!(
                "a topic of {} bytes is longer than max_control_line ({most}) allows",
                message.topic.len()
            ))),
            false => Ok(()),
        }
    }

    /// Whether the client may publish there.
    pub(super) fn may_publish(&self, subject: &str) -> bool {
        let standing = self.user.connection.standing();
        let permissions = standing.permissions();
        permissions.is_none_or(|may| may.may_publish(subject.as_bytes()))
    }

    /// Gives a message to those who subscribe, and stores what is to be kept of it. The numbers of what is stored. The engine
    /// tells of one that is not allowed; nothing of it is stored.
    pub(super) fn pass_on(&mut self, message: &Message<'_>, speaker: Speaker) -> Vec<u64> {
        let Message {
            subject,
            payload,
            qos,
            retain,
        } = *message;
        let is_allowed = self.may_publish(subject);
        let is_kept = qos != Qos::AtMostOnce && is_allowed;
        let account = self.user.connection.account();
        let seal = is_kept.then(|| self.engine.mqtt_sessions.seal(&account.name, subject));
        let headers = headers(qos, seal.as_deref());
        match speaker {
            Speaker::Client => self.user.publish(subject, &headers, payload),
            Speaker::Server if is_allowed => self.keeper.publish(subject, &headers, payload),
            Speaker::Server => {}
        }
        let mut waits = Vec::new();
        if is_kept {
            let stored = format!("{}{subject}", names::MESSAGES_PREFIX);
            waits.push(self.keeper.ask(&stored, &headers, payload));
        }
        if retain && is_allowed {
            waits.push(self.retain(subject, qos, payload));
        }
        waits
    }

    /// Keeps a message for those who subscribe later; an empty one removes what was kept.
    fn retain(&mut self, subject: &str, qos: Qos, payload: &[u8]) -> u64 {
        let stored = format!("{}{subject}", names::RETAINED_PREFIX);
        if payload.is_empty() {
            let request = json!({ "filter": stored }).to_string();
            let call = format!("STREAM.PURGE.{}", names::RETAINED);
            return self.keeper.ask_api(&call, request.as_bytes());
        }
        let topic = recado_mqtt::subject_to_topic(subject);
        let flags = qos.number() << 1 | RETAIN;
        let standing = self.user.connection.standing();
        let source = standing.identity.user.as_deref();
        // A name that would end the header's line is not told, nor one that is too long.
        let source = source.filter(|name| !name.contains(char::is_control));
        let source = source.filter(|name| name.len() <= SOURCE_BYTES_MAX);
        let headers = format!(
            "NATS/1.0\r\n{}:{topic}\r\n{}:{flags:x}\r\n{}:{}\r\n\r\n",
            names::RETAINED_TOPIC_HEADER,
            names::RETAINED_FLAGS_HEADER,
            names::RETAINED_SOURCE_HEADER,
            source.unwrap_or_default(),
        );
        self.keeper.ask(&stored, headers.as_bytes(), payload)
    }

    /// Stores a message of QoS 2 until the client releases it. One that is stored already stays.
    fn keep_until_released(&mut self, message: &Message<'_>, id: u16) -> u64 {
        self.session.is_stored = true;
        let flags = message.qos.number() << 1 | u8::from(message.retain);
        let headers = format!(
            "NATS/1.0\r\n{}:2{flags:x}\r\n{}:{}\r\n\r\n",
            names::QOS_HEADER,
            names::SUBJECT_HEADER,
            message.subject,
        );
        let stored = names::incoming(&self.session.hash, id);
        self.keeper
            .ask(&stored, headers.as_bytes(), message.payload)
    }

    /// PUBREL: what was stored is passed on, once.
    pub(super) async fn release(&mut self, id: u16) -> Result<(), End> {
        let kept = names::incoming(&self.session.hash, id);
        let what = "a message that is released";
        let stored = self.keeper.last_on(names::INCOMING, &kept, what).await?;
        if let Some(stored) = stored {
            self.pass_on_released(&stored).await?;
            let sequence = sequence_of(&stored)?;
            let call = format!("STREAM.MSG.DELETE.{}", names::INCOMING);
            let request = json!({ "seq": sequence, "no_erase": true });
            let what = "to delete a message that was released";
            self.keeper.call(&call, &request, what).await?;
        }
        push_pubcomp(&mut self.out, id);
        Ok(())
    }

    async fn pass_on_released(&mut self, stored: &Arrived) -> Result<(), End> {
        let subject = stored.header(names::SUBJECT_HEADER).unwrap_or_default();
        if subject.is_empty() || !self.may_publish(subject) {
            return Ok(());
        }
        let flags = stored
            .header(names::QOS_HEADER)
            .and_then(|text| text.get(1..2));
        let flags = flags.and_then(|text| u8::from_str_radix(text, 16).ok());
        let retain = flags.unwrap_or_default() & RETAIN != 0;
        let account = self.user.connection.account();
        let seal = self.engine.mqtt_sessions.seal(&account.name, subject);
        let headers = headers(Qos::ExactlyOnce, Some(&seal));
        // Should the server be killed before this one is deleted, it is released again, and known again.
        let time = stored.header("Nats-Time-Stamp").unwrap_or_default();
        let sequence = sequence_of(stored)?;
        let head = headers.strip_suffix(b"\r\n").unwrap_or(&headers);
        let known_by = format!(
            "Nats-Msg-Id:{}.{sequence}.{time}\r\n\r\n",
            self.session.hash
        );
        let to_store = [head, known_by.as_bytes()].concat();
        let kept = format!("{}{subject}", names::MESSAGES_PREFIX);
        let what = "a message";
        let ack = self
            .keeper
            .store(&kept, &to_store, &stored.payload, what)
            .await?;
        if ack["duplicate"] != true {
            self.user.publish(subject, &headers, &stored.payload);
            // Whoever subscribes with QoS 0 does not wait until the disk has forgotten it, nor has it come after PUBCOMP, when
            // somebody may have changed to that who had the message by a consumer.
            self.settle().await?;
        }
        if retain {
            let number = self.retain(subject, Qos::ExactlyOnce, &stored.payload);
            self.keeper.settled(number, "a retained message").await?;
        }
        Ok(())
    }

    /// A request was answered.
    pub(super) fn answered(&mut self, number: u64, arrived: &Arrived) -> Result<(), End> {
        let mut all = self.unanswered.iter_mut();
        let Some(waiting) = all.find(|one| one.waits.contains(&number)) else {
            return Ok(());
        };
        waiting.waits.retain(|one| *one != number);
        let answer = waiting.answer;
        match (answer, arrived.answer("a message")) {
            (Answer::Release(id), Ok(ack)) => {
                self.released(id, ack["seq"].as_u64().unwrap_or_default());
            }
            (_, Ok(_)) => {}
            (Answer::Pubrec(_), Err(trouble)) if is_there_already(&trouble) => {}
            (Answer::Nothing, Err(trouble)) => {
                let cid = self.user.connection.id;
                tracing::error!(cid, %trouble, "a retained message is not kept");
            }
            // It is gone, then; what else may be wrong shows when the session is taken up.
            (Answer::Forget(_), Err(_)) => {}
            (_, Err(trouble)) => return Err(End::Trouble(trouble)),
        }
        self.answer();
        Ok(())
    }

    /// Says what can be said, in the order in which it was asked.
    fn answer(&mut self) {
        while let Some(first) = self.unanswered.front()
            && first.waits.is_empty()
        {
            match first.answer {
                Answer::Puback(id) => push_puback(&mut self.out, id),
                Answer::Pubrec(id) => push_pubrec(&mut self.out, id),
                Answer::Forget(id) => self.session.in_flight.forget(id),
                Answer::Nothing | Answer::Release(_) => {}
            }
            self.unanswered_bytes -= first.bytes;
            self.unanswered.pop_front();
        }
    }
}

/// Headers of a message: its QoS, and that it is kept for those who want it so.
fn headers(qos: Qos, seal: Option<&str>) -> Vec<u8> {
    let mut headers = format!("NATS/1.0\r\n{}:{}\r\n", names::QOS_HEADER, qos.number());
    if let Some(seal) = seal {
        headers.push_str(&format!("{}:{seal}\r\n", names::KEPT_HEADER));
    }
    headers.push_str("\r\n");
    headers.into_bytes()
}

/// The stream has a message on that subject: the client sent it again.
fn is_there_already(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Refused {
            err_code,
            description,
            ..
        } => *err_code == NOT_STORED && description.contains("per subject"),
        _ => false,
    }
}
