//! Messages as they are, without JSON (E150 to E152, ADR-31): one, a batch, or the last of many subjects.

use recado_log::Journal;

use super::Stream;
use crate::api::MsgGetRequest;
use crate::api::status::{self, Extra, append_stored};
use crate::consumer::Read;
use crate::context::Context;
use crate::index::Filters;

/// Subjects of one multi-last request.
const MULTI_LAST_MAX: usize = 1024;
/// Bytes of one answer, unless the request says less.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Messages of one batch, at the most: what asks for more gets its end of batch earlier.
const BATCH_MAX: u64 = 1 << 20;

impl Stream {
    /// Answers a request that names sequences, subjects or a time.
    pub(crate) fn direct_get(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        request: &MsgGetRequest,
        reply: &[u8],
    ) {
        if !request.multi_last.is_empty() {
            return self.get_multi_last(context, journal, request, reply);
        }
        if request.batch != 0 {
            return self.get_batch(context, journal, request, reply);
        }
        let found = self.find(journal, request, self.messages.visible());
        if self.send_one(context, journal, found, reply, request.no_hdr) {
            return;
        }
        let status = match found {
            Some(sequence) if self.is_unread(sequence) => status::UNREADABLE,
            _ => status::MESSAGE_NOT_FOUND,
        };
        answer(context, reply, status);
    }

    /// Whether a message that could not be sent is there nevertheless: one that is damaged no longer is.
    fn is_unread(&self, sequence: u64) -> bool {
        self.messages.index.get(sequence).is_some()
    }

    /// The sequence that a request for one message means, among those up to `upto`.
    pub(crate) fn find(
        &mut self,
        journal: &mut dyn Journal,
        request: &MsgGetRequest,
        upto: u64,
    ) -> Option<u64> {
        if !request.last_by_subj.is_empty() {
            return self.last_on(request.last_by_subj.as_bytes(), upto);
        }
        let from = match request.start_time {
            Some(time_ns) => self.messages.first_at_or_after(journal, time_ns)?,
            None => request.seq,
        };
        if !request.next_by_subj.is_empty() {
            let mut filters = Filters::new([&request.next_by_subj]);
            return self.messages.next_matching(from, upto, &mut filters);
        }
        let index = &self.messages.index;
        (from <= upto && index.get(from).is_some()).then_some(from)
    }

    /// The last message on a subject, which may have wildcards, among those up to `upto`.
    fn last_on(&self, subject: &[u8], upto: u64) -> Option<u64> {
        let index = &self.messages.index;
        if recado_wire::has_wildcard(subject) {
            let mut filters = Filters::new([subject]);
            return index.last_matching(upto, &mut filters);
        }
        index.previous_in(index.subject_id(subject)?, upto)
    }

    fn send_one(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        sequence: Option<u64>,
        reply: &[u8],
        no_headers: bool,
    ) -> bool {
        let told = (!no_headers).then_some(Extra::default());
        sequence
            .is_some_and(|sequence| self.send(context, journal, sequence, reply, told).is_some())
    }

    /// Sends a message, with headers that say where it lies and `told`, or without; how many bytes it has.
    fn send(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        sequence: u64,
        reply: &[u8],
        told: Option<Extra>,
    ) -> Option<u64> {
        let name = &self.config.name;
        match self.messages.read(journal, sequence) {
            Read::Message(message) => {
                let mut headers = Vec::new();
                if let Some(told) = told {
                    let stored = status::Stored {
                        stream: name,
                        subject: message.subject,
                        seq: message.sequence,
                        time: message.time_ns,
                        headers: message.headers,
                    };
                    append_stored(&mut headers, &stored, told);
                }
                context.out.publish(reply, b"", &headers, message.payload);
                let bytes = message.subject.len() + message.headers.len() + message.payload.len();
                Some(bytes as u64)
            }
            Read::Gone | Read::Lost | Read::Unreadable => None,
        }
    }

    fn get_batch(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        request: &MsgGetRequest,
        reply: &[u8],
    ) {
        let visible = self.messages.visible();
        let mut at = match request.start_time {
            Some(time_ns) => self.messages.first_at_or_after(journal, time_ns),
            None => Some(request.seq),
        };
        let next_by = [&request.next_by_subj];
        let mut filters = Filters::new(next_by.iter().filter(|filter| !filter.is_empty()));
        let mut pending = at.map_or(0, |from| {
            self.messages
                .index
                .count_matching(from, visible, &mut filters)
        });
        let (mut before, mut sent_bytes, mut sent) = (0, 0, 0);
        let bytes_max = bytes_max(request);
        // Of less than none it is told only how many there are.
        let batch = u64::try_from(request.batch).unwrap_or(0);
        while let Some(from) = at
            && sent < batch.min(BATCH_MAX)
        {
            let Some(sequence) = self.messages.next_matching(from, visible, &mut filters) else {
                break;
            };
            at = Some(sequence + 1);
            pending = pending.saturating_sub(1);
            let told = (!request.no_hdr).then(|| in_batch(pending, before));
            if let Some(bytes) = self.send(context, journal, sequence, reply, told) {
                (before, sent, sent_bytes) = (sequence, sent + 1, sent_bytes + bytes);
            } else if self.is_unread(sequence) {
                return answer(context, reply, status::UNREADABLE);
            }
            if sent_bytes >= bytes_max {
                break;
            }
        }
        if sent == 0 && batch > 0 {
            return answer(context, reply, status::MESSAGE_NOT_FOUND);
        }
        let mut headers = Vec::new();
        status::append_end_of_batch(&mut headers, pending, before, None);
        context.out.publish(reply, b"", &headers, b"");
    }

    fn get_multi_last(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        request: &MsgGetRequest,
        reply: &[u8],
    ) {
        let mut upto = match request.up_to_time {
            Some(time_ns) => match self.messages.first_at_or_after(journal, time_ns) {
                Some(first) if first <= self.messages.index.first_sequence() => {
                    return answer(context, reply, status::NO_RESULTS);
                }
                Some(first) => first - 1,
                None => 0,
            },
            None => request.up_to_seq,
        };
        if upto == 0 {
            upto = self.messages.visible();
        }
        let mut filters = Filters::new(&request.multi_last);
        let index = &self.messages.index;
        let mut found = index.last_per_subject(&mut filters, upto.min(self.messages.visible()));
        if found.len() > MULTI_LAST_MAX {
            return answer(context, reply, status::TOO_MANY_RESULTS);
        }
        if found.is_empty() {
            return answer(context, reply, status::NO_RESULTS);
        }
        found.retain(|&sequence| sequence >= request.seq);
        let mut pending = found.len() as u64;
        let (mut before, mut sent_bytes, mut sent) = (0, 0, 0);
        for sequence in found {
            pending -= 1;
            let told = Some(in_batch(pending, before));
            if let Some(bytes) = self.send(context, journal, sequence, reply, told) {
                (before, sent, sent_bytes) = (sequence, sent + 1, sent_bytes + bytes);
            } else if self.is_unread(sequence) {
                return answer(context, reply, status::UNREADABLE);
            }
            let is_full = request.batch > 0 && sent >= request.batch.unsigned_abs();
            if is_full || sent_bytes >= bytes_max(request) {
                break;
            }
        }
        let mut headers = Vec::new();
        status::append_end_of_batch(&mut headers, pending, before, Some(upto));
        context.out.publish(reply, b"", &headers, b"");
    }
}

fn in_batch(pending: u64, before: u64) -> Extra {
    Extra {
        num_pending: Some(pending),
        last_seq: Some(before),
        ..Extra::default()
    }
}

fn bytes_max(request: &MsgGetRequest) -> u64 {
    match u64::try_from(request.max_bytes) {
        Ok(0) | Err(_) => ANSWER_BYTES_MAX,
        Ok(bytes) => bytes.min(ANSWER_BYTES_MAX),
    }
}

fn answer(context: &mut Context<'_>, reply: &[u8], status: status::Status) {
    context.out.publish(reply, b"", &status.block(), b"");
}
