//! Publishes: into the stream, and the ack once that is durable (E83 to E99).

use recado_log::Journal;

use super::batches::BatchOf;
use super::common::Sum;
use super::replies::WaitingReplies;
use super::{Incoming, JetStream, Settings};
use crate::api::{PubAck, append_pub_refusal, status};
use crate::config::{PersistMode, Storage};
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::stream::{Accepted, Env, Origin, Stream};

impl JetStream {
    /// A message on a stream's subject.
    pub(super) fn publish(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        message: &Incoming<'_>,
    ) {
        let Self {
            settings,
            share,
            replies,
            ..
        } = self;
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let storage = stream.config.storage;
        if storage == Storage::File
            && let Some(why) = &self.stopped
        {
            // Also what would need no room in the log: nothing that it is told would last.
            let error = ApiError::with(&error::STREAM_STORE_FAILED, why);
            return refuse(context, stream, message, &error);
        }
        let waiting = replies.bytes() + share.others(Sum::WaitingBytes);
        if is_overloaded(stream, settings, waiting) {
            return refuse_for_now(context, stream, message);
        }
        let mut env = Env {
            now_ns: context.now_ns,
            journal,
            room: share.room(settings, storage),
            chance: (context.random)() as u32,
        };
        if let Some(batch) = BatchOf::message(message) {
            return self.publish_in_batch(context, &mut env, (id, batch), message);
        }
        let outcome = stream.publish(
            &mut env,
            Origin::Client,
            message.subject,
            message.headers,
            message.payload,
        );
        match outcome {
            Ok(accepted) => {
                acknowledge(
                    (settings, replies),
                    context,
                    stream,
                    message.reply,
                    &accepted,
                );
                self.after_publish(id);
            }
            Err(error) => refuse(context, stream, message, &error),
        }
    }

    /// Consumers of a stream in memory see the message at once; timers may have changed.
    pub(super) fn after_publish(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        self.share.account_for(stream);
        let on_file = stream.messages.is_on_file();
        // All that has a deadline is asked for it, consumers too: only where this message brought an earlier one.
        let own = stream_has_timers(stream)
            .then(|| stream.own_deadline())
            .flatten();
        if stream.must_be_saved() {
            self.unsaved.insert(id);
        }
        if !on_file {
            self.activate(id);
        }
        let known = self.deadline_of.get(&id);
        if own.is_some_and(|at| known.is_none_or(|known| at < *known)) {
            self.schedule(id);
        }
    }
}

/// Answers a publish: at once where the stream lies in memory or asked for it, else when it is durable.
fn acknowledge(
    (settings, replies): (&Settings, &mut WaitingReplies),
    context: &mut Context<'_>,
    stream: &Stream,
    reply: &[u8],
    accepted: &Accepted,
) {
    let on_file = stream.messages.is_on_file();
    if on_file {
        replies.grown(stream.id, stream.last_sequence());
    }
    if reply.is_empty() || stream.config.no_ack {
        return;
    }
    let mut ack = PubAck {
        stream: &stream.config.name,
        domain: settings.domain.as_deref().unwrap_or_default(),
        ..PubAck::default()
    };
    match accepted {
        Accepted::Stored(sequence) => ack.seq = *sequence,
        Accepted::Duplicate(sequence) => (ack.seq, ack.duplicate) = (*sequence, true),
        Accepted::Counted(sequence, value) => (ack.seq, ack.value) = (*sequence, value),
    }
    if on_file && stream.config.persist_mode == PersistMode::Default {
        replies.push_with(stream.id, reply, |text| ack.append_to(text));
    } else {
        let mut body = Vec::new();
        ack.append_to(&mut body);
        context.out.publish(reply, b"", b"", &body);
    }
}

/// Whether too much waits for the disk, `waiting` bytes of answers among it.
pub(super) fn is_overloaded(stream: &Stream, settings: &Settings, waiting: u64) -> bool {
    stream.backlog_messages() > settings.backlog_messages_max
        || stream.backlog_bytes() > settings.backlog_bytes_max
        || waiting > settings.backlog_bytes_max
}

fn stream_has_timers(stream: &Stream) -> bool {
    stream.config.max_age > 0 || stream.config.allow_msg_ttl || stream.config.allow_msg_schedules
}

/// A message is not stored, and its publisher told why, if anybody is to be told anything.
fn refuse(context: &mut Context<'_>, stream: &Stream, message: &Incoming<'_>, error: &ApiError) {
    let name = &stream.config.name;
    context.out.refused(message.subject, name, error.err_code);
    if !message.reply.is_empty() && !stream.config.no_ack {
        let body = error_body(name, error);
        context.out.publish(message.reply, b"", b"", &body);
    }
}

/// Too much waits for the disk: the publisher should come again (E97).
fn refuse_for_now(context: &mut Context<'_>, stream: &Stream, message: &Incoming<'_>) {
    let (error, reply) = (
        ApiError::new(&error::STREAM_TOO_MANY_REQUESTS),
        message.reply,
    );
    let name = &stream.config.name;
    context.out.refused(message.subject, name, error.err_code);
    if reply.is_empty() {
        return;
    }
    let body = error_body(&stream.config.name, &error);
    let headers = status::TOO_MANY_REQUESTS.block();
    context.out.publish(reply, b"", &headers, &body);
}

/// What a publisher is told that was refused.
pub(super) fn error_body(stream: &str, error: &ApiError) -> Vec<u8> {
    let mut body = Vec::new();
    append_pub_refusal(&mut body, error, stream, "");
    body
}
