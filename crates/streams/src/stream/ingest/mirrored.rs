//! A message's way into a mirror: under the sequence and time that it has in the origin. What was decided
//! there is not decided again.

use std::borrow::Cow;

use super::{Draft, Later, store_failed};
use crate::error::{self, ApiError};
use crate::stream::conditions::{Lifetime, Rollup};
use crate::stream::publish_headers::without;
use crate::stream::{Env, NewMessage, PublishHeaders, Stream};

impl Stream {
    /// Stores a message under `sequence`, which is above all others; `env.now_ns` is when the origin stored it.
    ///
    /// # Errors
    /// When it does not fit in; nothing was stored then.
    pub(crate) fn store_mirrored(
        &mut self,
        env: &mut Env<'_>,
        sequence: u64,
        subject: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> Result<(), ApiError> {
        if self.config.sealed {
            return Err(ApiError::new(&error::STREAM_SEALED));
        }
        let mut draft = Draft {
            subject: self.renamed(subject, env.chance),
            headers: Cow::Borrowed(headers),
            payload: Cow::Borrowed(payload),
        };
        let parsed = PublishHeaders::parse(headers);
        if parsed.has_request_info {
            draft.headers = without(headers, "Nats-Request-Info").into();
        }
        self.check_size(&draft)?;
        let size = self
            .messages
            .size_of(draft.subject.len(), draft.headers.len(), payload.len());
        env.room.check(size)?;
        if self.is_unwanted(&draft.subject) {
            self.messages.index.pass(sequence, env.now_ns);
            self.skipped = true;
            return Ok(());
        }
        self.check_limits(&draft, &parsed)?;
        let message = NewMessage {
            sequence,
            time_ns: env.now_ns,
            flags: crate::stream::Messages::flags_of(&parsed),
            subject: &draft.subject,
            headers: &draft.headers,
            payload: &draft.payload,
        };
        let rollup = self.rollup(&parsed).unwrap_or(Rollup::None);
        self.append_rolling(env.journal, &[(message, rollup)])
            .map_err(|refused| store_failed(&refused))?;
        self.mirrored(env, &parsed, &draft.subject, sequence);
        Ok(())
    }

    /// What follows once a message is in the index. Ids are not remembered: nothing is published to a mirror.
    fn mirrored(
        &mut self,
        env: &mut Env<'_>,
        parsed: &PublishHeaders<'_>,
        subject: &[u8],
        sequence: u64,
    ) {
        if !self.messages.is_on_file() {
            self.messages.show_up_to(sequence);
        }
        self.note_republished(sequence, env.chance);
        if let Ok(Lifetime::Seconds(seconds)) = Lifetime::parse(parsed.ttl)
            && self.config.allow_msg_ttl
        {
            let lifetime_ns = seconds.saturating_mul(1_000_000_000);
            let end = env.now_ns.saturating_add(lifetime_ns);
            self.note_end(end, sequence);
        }
        let rollup = self.rollup(parsed).unwrap_or(Rollup::None);
        self.make_way(subject, sequence, rollup, &Later::default());
        self.purge_schedule_of(parsed);
    }
}
