//! Single messages over the API: get and delete (E28, E29).

use super::{Call, Outcome};
use crate::api::{self, MsgDeleteResponse, MsgGetResponse, StoredMessage};
use crate::consumer::Read;
use crate::error::{self, ApiError};
use crate::jetstream::JetStream;
use crate::stream::{Stream, store_failed};

impl JetStream {
    pub(super) fn message_get(&mut self, call: &mut Call<'_, '_>, name: &str) -> Outcome {
        let durable = self.stream(name).map_or(0, |s| s.messages.visible());
        let result = self.stored_message(call, name);
        self.mind_damage(name);
        match &result {
            // Nobody may see what a power failure could still take back.
            Ok(found) if found.message.seq > durable => Outcome::of_change(result),
            _ => Outcome::of(result),
        }
    }

    fn stored_message(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<MsgGetResponse, ApiError> {
        let strict = self.settings.strict;
        let request = api::MsgGetRequest::parse(call.message.payload, strict)?;
        let stream = self.stream_mut(name)?;
        let last = stream.last_sequence();
        let not_found = || ApiError::new(&error::NO_MESSAGE_FOUND);
        let sequence = stream
            .find(call.journal, &request, last)
            .ok_or_else(not_found)?;
        match stream.messages.read(call.journal, sequence) {
            Read::Message(message) => Ok(MsgGetResponse {
                message: StoredMessage {
                    subject: String::from_utf8_lossy(message.subject).into_owned(),
                    seq: message.sequence,
                    hdrs: match request.no_hdr {
                        true => Vec::new(),
                        false => message.headers.to_vec(),
                    },
                    data: message.payload.to_vec(),
                    time: message.time_ns,
                },
            }),
            Read::Gone | Read::Lost => Err(not_found()),
            Read::Unreadable => {
                let why = "the disk could not be read";
                Err(ApiError::with(&error::STREAM_STORE_FAILED, why))
            }
        }
    }

    pub(super) fn message_delete(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<MsgDeleteResponse, ApiError> {
        let strict = self.settings.strict;
        let request = api::MsgDeleteRequest::parse(call.message.payload, strict)?;
        let stream = self.stream_mut(name)?;
        if stream.config.sealed {
            return Err(ApiError::new(&error::STREAM_SEALED));
        }
        if stream.config.deny_delete {
            let why = "message delete not permitted";
            return Err(ApiError::with(&error::STREAM_MSG_DELETE_FAILED, why));
        }
        let removed = stream
            .remove_one(call.journal, request.seq, !request.no_erase)
            .map_err(|refused| store_failed(&refused))?;
        if !removed {
            return Err(not_there(stream, request.seq));
        }
        let id = stream.id;
        self.activate(id);
        Ok(MsgDeleteResponse { success: true })
    }
}

/// What is said of a sequence that is not there: nats-server's file store tells one beyond its ends from a gap.
fn not_there(stream: &Stream, sequence: u64) -> ApiError {
    let failed = |why| ApiError::with(&error::STREAM_MSG_DELETE_FAILED, why);
    match &stream.messages {
        messages if !messages.is_on_file() => ApiError::with(&error::SEQUENCE_NOT_FOUND, sequence),
        messages if sequence < messages.index.first_sequence() => failed("no message found"),
        messages if sequence > messages.index.last_sequence() => failed("stream store EOF"),
        _ => ApiError::with(&error::SEQUENCE_NOT_FOUND, sequence),
    }
}
