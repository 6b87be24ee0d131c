//! The JetStream API (E01 to E50): which call it is, who answers it, when the answer may leave.

mod answers;
mod consumers;
mod messages;
mod sourcing;
mod streams;
mod transfers;

use recado_log::Journal;
use recado_wire::Headers;

use super::acks::say_nobody_there;
use super::{Incoming, JetStream, SID_API, SID_DOMAIN, Settings};
use crate::api::advisory::ApiLimitReached;
use crate::api::{
    self, AccountInfoResponse, ApiCall, ConsumerStepDownResponse, RequestKind, Response,
    StreamRemovePeerResponse, StreamStepDownResponse, refusal, refusal_of_type, status,
};
use crate::config::is_level_met;
use crate::context::Context;
use crate::error::{self, ApiError};

pub(super) use transfers::Transfers;

/// One call, with what acting on it takes.
pub(super) struct Call<'a, 'c> {
    pub(super) context: &'a mut Context<'c>,
    pub(super) journal: &'a mut dyn Journal,
    pub(super) message: &'a Incoming<'a>,
}

/// What a call came to.
pub(super) enum Outcome {
    /// This is the answer, at once.
    Answer(Vec<u8>),
    /// This is the answer once what was done is durable.
    AnswerWhenDurable(Vec<u8>),
    /// The same, with headers.
    AnswerWithHeaders { headers: Vec<u8>, answer: Vec<u8> },
    /// It was answered in another way, or is to be met with silence.
    Done,
    /// Nobody serves that: as if nobody had subscribed.
    Nobody,
}

impl Outcome {
    /// The answer to a question: `Ok` counts as one, `Err` as a refusal.
    fn of<R: Response>(result: Result<R, ApiError>) -> Self {
        Self::Answer(api::answer_to(&result))
    }

    /// The answer to what changed something that lasts.
    fn of_change<R: Response>(result: Result<R, ApiError>) -> Self {
        match result {
            Ok(_) => Self::AnswerWhenDurable(api::answer_to(&result)),
            Err(_) => Self::Answer(api::answer_to(&result)),
        }
    }
}

impl Settings {
    /// So many requests were dropped.
    pub(crate) fn requests_dropped(&self, dropped: usize) -> ApiLimitReached {
        ApiLimitReached {
            server: self.server_name.clone(),
            dropped: i64::try_from(dropped).unwrap_or(i64::MAX),
            domain: self.domain.clone().unwrap_or_default(),
        }
    }
}

impl JetStream {
    /// A message on the API's subjects.
    pub(super) fn handle_api(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) {
        let domain = self.settings.domain.as_deref().unwrap_or_default();
        let api_call = ApiCall::parse(message.subject, domain);
        let is_direct = matches!(
            api_call,
            ApiCall::DirectGet(_) | ApiCall::DirectGetLast { .. }
        );
        if is_direct && message.reply.is_empty() {
            return;
        }
        let mut call = Call {
            context,
            journal,
            message,
        };
        let is_counted = !matches!(
            api_call,
            ApiCall::ConsumerNext(_)
                | ApiCall::DirectGet(_)
                | ApiCall::DirectGetLast { .. }
                | ApiCall::Unserved
                | ApiCall::Unknown
        );
        let outcome = match self.refuse_level(&api_call, message) {
            Some(refused) => refused,
            None => self.dispatch(&mut call, &api_call),
        };
        if is_counted {
            self.api_total += 1;
        }
        let reply = message.reply;
        // Without a reply subject a call is acted on all the same.
        let is_awaited = !reply.is_empty();
        match outcome {
            Outcome::Answer(answer) => {
                if is_awaited {
                    call.context.out.publish(reply, b"", b"", &answer);
                }
                self.note_answer(call.context, message, &api_call, &answer);
            }
            Outcome::AnswerWhenDurable(answer) => {
                if is_awaited {
                    self.replies.push(0, reply, &answer);
                }
                self.note_answer(call.context, message, &api_call, &answer);
            }
            Outcome::AnswerWithHeaders { headers, answer } => {
                if is_awaited {
                    self.replies.push_answer(reply, &headers, &answer);
                }
                self.note_answer(call.context, message, &api_call, &answer);
            }
            Outcome::Nobody => say_nobody_there(call.context, message),
            Outcome::Done => {}
        }
    }

    /// What kind of request a message is, if it is one that may wait until there is time for it.
    pub fn request_kind(&self, message: &Incoming<'_>) -> Option<RequestKind> {
        if !matches!(message.sid, SID_API | SID_DOMAIN) {
            return None;
        }
        let domain = self.settings.domain.as_deref().unwrap_or_default();
        // Pull requests are many, and told by their first bytes.
        let rest = api::strip_prefix(message.subject, domain)?;
        if rest.starts_with(b"CONSUMER.MSG.NEXT.") {
            return None;
        }
        ApiCall::parse(message.subject, domain).request_kind()
    }

    /// So many requests were dropped because no more may wait (E220).
    pub fn requests_dropped(&self, context: &mut Context<'_>, dropped: usize) {
        let advisory = self.settings.requests_dropped(dropped);
        self.advise(context, &advisory);
    }

    /// A request may name the level that it needs (E08).
    fn refuse_level(&self, call: &ApiCall<'_>, message: &Incoming<'_>) -> Option<Outcome> {
        if is_level_met(required_level(message)?) {
            return None;
        }
        let kind = call.response_type()?;
        let error = ApiError::new(&error::REQUIRED_API_LEVEL);
        Some(Outcome::Answer(refusal_of_type(kind, &error)))
    }

    fn dispatch(&mut self, call: &mut Call<'_, '_>, api_call: &ApiCall<'_>) -> Outcome {
        match *api_call {
            ApiCall::ConsumerNext(of) => self.consumer_next(call, of),
            ApiCall::DirectGet(stream) => self.direct_get(call, stream),
            ApiCall::DirectGetLast { stream, subject } => {
                self.direct_get_last(call, stream, subject)
            }
            ApiCall::Info => Outcome::of(Ok(self.account_info())),
            ApiCall::StreamNames => Outcome::of(self.stream_names(call)),
            ApiCall::StreamList => Outcome::of(self.stream_list(call)),
            ApiCall::StreamCreate(name) => Outcome::of_change(self.stream_create(call, name)),
            ApiCall::StreamUpdate(name) => Outcome::of_change(self.stream_update(call, name)),
            ApiCall::StreamInfo(name) => Outcome::of(self.stream_info(call, name)),
            ApiCall::StreamDelete(name) => Outcome::of_change(self.stream_delete(call, name)),
            ApiCall::StreamPurge(name) => Outcome::of_change(self.stream_purge(call, name)),
            ApiCall::MsgGet(name) => self.message_get(call, name),
            ApiCall::MsgDelete(name) => Outcome::of_change(self.message_delete(call, name)),
            ApiCall::StreamSnapshot(name) => self.stream_snapshot(call, name),
            ApiCall::StreamRestore(name) => self.stream_restore(call, name),
            ApiCall::StreamStepDown(_) => needs_cluster::<StreamStepDownResponse>(),
            ApiCall::StreamPeers(_) => needs_cluster::<StreamRemovePeerResponse>(),
            ApiCall::ConsumerStepDown(_) => needs_cluster::<ConsumerStepDownResponse>(),
            ApiCall::ConsumerCreate(of) => self.consumer_create(call, &of),
            ApiCall::ConsumerNames(stream) => Outcome::of(self.consumer_names(call, stream)),
            ApiCall::ConsumerList(stream) => Outcome::of(self.consumer_list(call, stream)),
            ApiCall::ConsumerInfo(of) => Outcome::of(self.consumer_info(call, of)),
            ApiCall::ConsumerDelete(of) => Outcome::of_change(self.consumer_delete(call, of)),
            ApiCall::ConsumerPause(of) => Outcome::of_change(self.consumer_pause(call, of)),
            ApiCall::ConsumerUnpin(of) => Outcome::of(self.consumer_unpin(call, of)),
            ApiCall::ConsumerReset(of) => self.consumer_reset(call, of),
            ApiCall::Unserved => Outcome::Nobody,
            ApiCall::Unknown => Outcome::Done,
        }
    }

    /// Whatever the request holds: clients send `null` here.
    fn account_info(&self) -> AccountInfoResponse {
        AccountInfoResponse {
            info: self.account(),
        }
    }

    fn direct_get(&mut self, call: &mut Call<'_, '_>, name: &str) -> Outcome {
        let Ok(stream) = stream_for_direct(self, name) else {
            return Outcome::Nobody;
        };
        let reply = call.message.reply;
        if let Some(status) = level_status(call.message) {
            call.context.out.publish(reply, b"", &status.block(), b"");
            return Outcome::Done;
        }
        match api::MsgGetRequest::parse_direct(call.message.payload) {
            Ok(request) => stream.direct_get(call.context, call.journal, &request, reply),
            Err(status) => call.context.out.publish(reply, b"", &status.block(), b""),
        }
        self.mind_damage(name);
        Outcome::Done
    }

    fn direct_get_last(&mut self, call: &mut Call<'_, '_>, name: &str, subject: &[u8]) -> Outcome {
        let Ok(stream) = stream_for_direct(self, name) else {
            return Outcome::Nobody;
        };
        let reply = call.message.reply;
        if let Some(status) = level_status(call.message) {
            call.context.out.publish(reply, b"", &status.block(), b"");
            return Outcome::Done;
        }
        let subject = String::from_utf8_lossy(subject);
        match api::MsgGetRequest::parse_direct_last(call.message.payload, &subject) {
            Ok(request) => stream.direct_get(call.context, call.journal, &request, reply),
            Err(status) => call.context.out.publish(reply, b"", &status.block(), b""),
        }
        self.mind_damage(name);
        Outcome::Done
    }
}

/// The API level that a request needs, if it says so. Of nothing that is none.
fn required_level<'a>(message: &Incoming<'a>) -> Option<&'a str> {
    if message.headers.is_empty() {
        return None;
    }
    let level = Headers::new(message.headers).get("Nats-Required-Api-Level")?;
    (!level.is_empty()).then_some(level)
}

/// The status of a direct request that needs a newer server.
fn level_status(message: &Incoming<'_>) -> Option<status::Status> {
    let level = required_level(message)?;
    (!is_level_met(level)).then_some(status::REQUIRED_API_LEVEL)
}

fn stream_for_direct<'a>(
    jetstream: &'a mut JetStream,
    name: &str,
) -> Result<&'a mut crate::stream::Stream, ApiError> {
    let own = jetstream.names.get(name).copied();
    let answers = |id: &u32| jetstream.streams[id].config.allow_direct;
    let id = own
        .filter(answers)
        .or_else(|| jetstream.mirror_for_direct(name));
    id.and_then(|id| jetstream.streams.get_mut(&id))
        .map(|stream| &mut **stream)
        .ok_or_else(|| ApiError::new(&error::STREAM_NOT_FOUND))
}

/// What only a cluster can do (E44 to E46).
fn needs_cluster<R: Response>() -> Outcome {
    let error = ApiError::new(&error::CLUSTER_REQUIRED);
    Outcome::Answer(refusal::<R>(&error))
}
