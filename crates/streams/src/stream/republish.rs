//! Messages that are published again once they are stored (E160, ADR-28). What that takes is noted when a message
//! comes: by the time it is durable it may have given way to a newer one, as in every bucket of a
//! key-value store.

use recado_log::{Journal, Location};

use super::Stream;
use crate::api::status::{self, Extra, append_stored};
use crate::context::Context;

/// A message that is to be published again when it is durable.
#[derive(Debug)]
pub(crate) struct Republished {
    sequence: u64,
    time_ns: i64,
    /// The message before it on its subject; 0 for none.
    before: u64,
    subject: Box<[u8]>,
    to: Box<[u8]>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Stored(Location),
    /// Headers and payload of a message in memory.
    Held(Box<[u8]>, Box<[u8]>),
}

impl Stream {
    /// Notes a message that was just stored, if it is to be published again.
    pub(super) fn note_republished(&mut self, sequence: u64, chance: u32) {
        let Some(transform) = &self.republish else {
            return;
        };
        let index = &self.messages.index;
        let Some(meta) = index.get(sequence) else {
            return;
        };
        let subject = index.subject(meta.subject);
        let Some(to) = transform.apply(subject, chance) else {
            return;
        };
        if recado_wire::has_wildcard(&to) || !recado_wire::is_publish_subject(&to) {
            return;
        }
        let (time_ns, content) = match self.messages.held(sequence) {
            Some(held) => {
                let content = Content::Held(held.headers.into(), held.payload.into());
                (held.time_ns, content)
            }
            None => (meta.time_ns, Content::Stored(meta.place)),
        };
        let before = index.previous_in(meta.subject, sequence - 1).unwrap_or(0);
        self.republished.push_back(Republished {
            sequence,
            time_ns,
            before,
            subject: subject.into(),
            to: to.into(),
            content,
        });
    }

    /// Publishes those again that are visible.
    pub(crate) fn republish_visible(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
    ) {
        let visible = self.messages.visible();
        while let Some(first) = self.republished.front()
            && first.sequence <= visible
        {
            let Some(one) = self.republished.pop_front() else {
                return;
            };
            match &one.content {
                Content::Held(headers, payload) => {
                    self.publish_again(context, &one, one.time_ns, headers, payload);
                }
                // Damage is found, and told of, by whoever reads it next.
                Content::Stored(at) => {
                    if let Ok(record) = journal.read(*at) {
                        let (headers, payload) = (record.headers, record.payload);
                        self.publish_again(context, &one, record.time_ns, headers, payload);
                    }
                }
            }
        }
    }

    fn publish_again(
        &self,
        context: &mut Context<'_>,
        one: &Republished,
        time_ns: i64,
        headers: &[u8],
        payload: &[u8],
    ) {
        let republish = self.config.republish.as_ref();
        let headers_only = republish.is_some_and(|republish| republish.headers_only);
        let stored = status::Stored {
            stream: &self.config.name,
            subject: &one.subject,
            seq: one.sequence,
            time: time_ns,
            headers,
        };
        let told = Extra {
            last_seq: Some(one.before),
            msg_size: headers_only.then_some(payload.len() as u64),
            ..Extra::default()
        };
        let mut headers = Vec::new();
        append_stored(&mut headers, &stored, told);
        let payload = if headers_only { b"" } else { payload };
        context.out.publish(&one.to, b"", &headers, payload);
    }

    /// What was not durable is not published again.
    pub(super) fn forget_republished(&mut self) {
        let visible = self.messages.visible();
        self.republished.retain(|one| one.sequence <= visible);
    }
}
