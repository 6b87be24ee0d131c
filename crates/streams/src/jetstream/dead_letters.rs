//! Dead letters: copies of messages that a consumer will not get any more, in a stream that the messages' own stream names.
//!
//! Must never lose one that could be kept: a message is terminated only when its copy is stored. Once each: the copy and
//! the consumer's progress go to the disk in one batch, and the copy has an id of its own.

use recado_log::Journal;

use super::events::one_line;
use super::{JetStream, Room};
use crate::consumer::Read;
use crate::context::Context;
use crate::stream::{Accepted, Env, Origin};

/// Metadata key of a stream: the stream that its dead letters go to.
pub const DEAD_LETTER_KEY: &str = "recado.dead_letter";
/// What the subjects of dead letters begin with; stream and consumer follow.
const DEAD_LETTER_PREFIX: &str = "DLQ.";
/// Dead letters that could not be copied and are told one by one.
const UNCOPIED_MAX: usize = 100;
/// What names of headers begin with that meant something to the stream that the message was published to, or say of a
/// letter what only the server says.
const NOT_COPIED: [&str; 10] = [
    "Nats-Msg-Id:",
    "Nats-Rollup:",
    "Nats-TTL:",
    "Nats-Incr:",
    "Nats-Expected-",
    "Nats-Batch-",
    "Nats-Schedule",
    "Nats-Stream-Source:",
    "Nats-Required-Api-Level:",
    "Recado-Dead-",
];

/// A dead letter that the stream for them did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncopied {
    /// Stream that the message is in.
    pub stream: String,
    /// Its sequence.
    pub sequence: u64,
    /// Stream that was to take it.
    pub target: String,
    /// Why it did not.
    pub why: String,
}

/// A message that a consumer will not get any more.
pub(super) struct Letter<'a> {
    pub(super) sequence: u64,
    pub(super) deliveries: u64,
    pub(super) reason: &'a Reason,
}

/// Why it will not get it.
pub(super) enum Reason {
    /// It was delivered as often as it may be, and never acknowledged.
    GivenUp,
    /// A client terminated it, with these words.
    Terminated(String),
}

impl JetStream {
    /// A consumer is about to terminate a message: it is copied, if its stream asks for that. Whether it may: not when
    /// there is no copy although there could be one later. Then it comes again, as if nothing had been said.
    pub(super) fn copy_before_termination(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        (id, consumer): (u32, &str),
        sequence: u64,
        reason: &[u8],
    ) -> bool {
        let slot = self
            .streams
            .get(&id)
            .and_then(|stream| stream.consumers.get(consumer));
        // Once: a message that is terminated again was settled before.
        let Some(deliveries) = slot.and_then(|slot| slot.consumer.deliveries_of(sequence)) else {
            return true;
        };
        let reason = String::from_utf8_lossy(reason.trim_ascii()).into_owned();
        let letter = Letter {
            sequence,
            deliveries,
            reason: &Reason::Terminated(reason),
        };
        self.bring_to_dead_letters(context, journal, (id, consumer), &letter)
    }

    /// Keeps a copy of a message, if its stream asks for that. False: there is none, though there could be.
    pub(super) fn bring_to_dead_letters(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        (id, consumer): (u32, &str),
        letter: &Letter<'_>,
    ) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else {
            return true;
        };
        let Some(target) = stream.config.metadata.get(DEAD_LETTER_KEY).cloned() else {
            return true;
        };
        let Some(slot) = stream.consumers.get_mut(consumer) else {
            return true;
        };
        // With the copy, so that no crash comes between the two.
        slot.save_with_this_batch();
        let (name, made_ns) = (stream.config.name.clone(), stream.created_ns);
        let whose = (name.as_str(), consumer);
        // Others of the same names, before or after these, have letters of their own.
        let id = format!(
            "dead:{name}@{made_ns}:{consumer}@{}:{}",
            slot.consumer.created_ns(),
            letter.sequence
        );
        let (copy, may_be_later) = match stream.messages.read(journal, letter.sequence) {
            Read::Message(message) => {
                let headers = headers_of(whose, message.subject, message.headers, letter, &id);
                (Ok((headers, message.payload.to_vec())), true)
            }
            Read::Gone => return true,
            Read::Lost => (Err("it is damaged".to_owned()), false),
            Read::Unreadable => (Err("the store could not be read".to_owned()), true),
        };
        let subject = format!("{DEAD_LETTER_PREFIX}{name}.{consumer}");
        let stored = copy.and_then(|(headers, payload)| {
            self.store_as_server(context, journal, &target, &subject, &headers, &payload)
        });
        let Err(why) = stored else {
            return true;
        };
        if self.uncopied.len() < UNCOPIED_MAX {
            self.uncopied.push(Uncopied {
                stream: name,
                sequence: letter.sequence,
                target,
                why,
            });
        }
        !may_be_later
    }

    /// Stores a message of the server's own in a stream, whatever its subjects; why not, if not.
    fn store_as_server(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        stream: &str,
        subject: &str,
        headers: &[u8],
        payload: &[u8],
    ) -> Result<(), String> {
        let id = self.names.get(stream).copied();
        let Some((id, target)) = id.and_then(|id| Some((id, self.streams.get_mut(&id)?))) else {
            return Err("there is no stream of that name".to_owned());
        };
        let mut env = Env {
            now_ns: context.now_ns,
            journal,
            room: Room::ANY,
            chance: (context.random)() as u32,
        };
        let stored = target.publish(
            &mut env,
            Origin::Server,
            subject.as_bytes(),
            headers,
            payload,
        );
        if let Ok(Accepted::Stored(_)) = stored {
            let last = target.last_sequence();
            if target.messages.is_on_file() {
                self.replies.grown(id, last);
            }
            self.after_publish(id);
        }
        stored.map(drop).map_err(|error| error.to_string())
    }

    /// Dead letters that were not copied since the last call, for the server's log.
    pub fn take_uncopied(&mut self) -> Vec<Uncopied> {
        std::mem::take(&mut self.uncopied)
    }
}

/// The headers of a copy: the message's own, and what the server says of it.
fn headers_of(
    (stream, consumer): (&str, &str),
    subject: &[u8],
    block: &[u8],
    letter: &Letter<'_>,
    id: &str,
) -> Vec<u8> {
    let mut headers = b"NATS/1.0\r\n".to_vec();
    for line in block.split_inclusive(|&byte| byte == b'\n').skip(1) {
        let not_copied = |name: &&str| line.starts_with(name.as_bytes());
        if line != b"\r\n" && !NOT_COPIED.iter().any(not_copied) {
            headers.extend_from_slice(line);
        }
    }
    let (reason, detail) = match letter.reason {
        Reason::GivenUp => ("max_deliver", String::new()),
        Reason::Terminated(detail) => ("terminated", one_line(detail)),
    };
    let more = [
        ("Recado-Dead-Reason", reason),
        ("Recado-Dead-Detail", &detail),
        ("Recado-Dead-Stream", stream),
        ("Recado-Dead-Consumer", consumer),
        ("Recado-Dead-Subject", &String::from_utf8_lossy(subject)),
        ("Recado-Dead-Sequence", &letter.sequence.to_string()),
        ("Recado-Dead-Deliveries", &letter.deliveries.to_string()),
        ("Nats-Msg-Id", id),
    ];
    for (header, value) in more.iter().filter(|(_, value)| !value.is_empty()) {
        headers.extend_from_slice(format!("{header}: {value}\r\n").as_bytes());
    }
    headers.extend_from_slice(b"\r\n");
    headers
}
