//! What a stream makes of a message that is traced (ADR-41): told to whoever traces it, whether the message is stored or
//! only looked at.

use recado_log::Journal;

use super::common::Sum;
use super::publish::is_overloaded;
use super::{Incoming, JetStream, leading_number};
use crate::config::Storage;
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::stream::{Env, Foretold};

/// What became of a traced message in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// Name of the stream.
    pub stream: String,
    /// Subject that it is stored under; empty where it is refused.
    pub subject: Vec<u8>,
    /// It is not stored because no consumer is interested in it.
    pub no_interest: bool,
    /// Why it is not stored, where it is refused.
    pub error: Option<String>,
}

impl JetStream {
    /// Takes a traced message in like any other, unless it is traced `only`. What becomes of it; `None`: it is not for
    /// a stream, or that is gone.
    pub fn handle_traced(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
        only: bool,
    ) -> Option<Traced> {
        let id = match message.sid {
            [b's', rest @ ..] => leading_number(rest),
            _ => None,
        };
        let traced = id.and_then(|id| self.foretell(context, journal, id, message));
        if !only {
            self.handle(context, journal, message);
        }
        traced
    }

    fn foretell(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        message: &Incoming<'_>,
    ) -> Option<Traced> {
        let config = &self.streams.get(&id)?.config;
        let (stream, storage) = (config.name.clone(), config.storage);
        let outcome = self.foretell_outcome(context, journal, (id, storage), message);
        Some(match outcome {
            // A message that was stored before is refused, as far as a trace goes.
            Ok((_, Foretold::Duplicate)) => Traced {
                stream,
                subject: Vec::new(),
                no_interest: false,
                error: Some("msgid is duplicate".to_owned()),
            },
            Ok((subject, outcome)) => Traced {
                stream,
                no_interest: outcome == Foretold::Unwanted,
                error: None,
                subject,
            },
            Err(error) => Traced {
                stream,
                subject: Vec::new(),
                no_interest: false,
                error: Some(error.description.into_owned()),
            },
        })
    }

    fn foretell_outcome(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        (id, storage): (u32, Storage),
        message: &Incoming<'_>,
    ) -> Result<(Vec<u8>, Foretold), ApiError> {
        if storage == Storage::File
            && let Some(why) = &self.stopped
        {
            return Err(ApiError::with(&error::STREAM_STORE_FAILED, why));
        }
        let room = self.room(storage);
        let waiting = self.replies.bytes() + self.share.others(Sum::WaitingBytes);
        let Some(stream) = self.streams.get_mut(&id) else {
            return Err(ApiError::new(&error::STREAM_NOT_FOUND));
        };
        if is_overloaded(stream, &self.settings, waiting) {
            return Err(ApiError::new(&error::STREAM_TOO_MANY_REQUESTS));
        }
        let mut env = Env {
            now_ns: context.now_ns,
            journal,
            room,
            chance: (context.random)() as u32,
        };
        stream.foretell(&mut env, message.subject, message.headers, message.payload)
    }
}
