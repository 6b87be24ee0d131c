//! Replies that must not leave before what they promise is on disk. They wait by batch: all that was asked
//! while a batch was gathered is answered when that batch is durable. The one place that releases an ack.

use std::collections::VecDeque;

use recado_log::Position;

use crate::context::Outlet;

/// Batches whose buffers are kept for the next ones.
const SPARE_MAX: usize = 4;
/// Bytes of a buffer that is kept.
const SPARE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Who waits for which batch.
#[derive(Debug, Default)]
pub(super) struct WaitingReplies {
    /// The batch that is being gathered.
    open: Batch,
    /// Batches on their way to the disk, oldest first.
    sealed: VecDeque<(Position, Batch)>,
    /// Bytes of `sealed`.
    sealed_bytes: u64,
    spare: Vec<Batch>,
    /// Replies so far.
    pushed: u64,
}

/// The replies of one batch.
#[derive(Debug, Default)]
struct Batch {
    /// Subjects, headers and payloads, one behind the other.
    text: Vec<u8>,
    replies: Vec<Reply>,
    /// Streams that gained messages, each with its last sequence in this batch.
    grown: Vec<(u32, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Reply {
    /// Stream that a publisher is told of if this fails; 0: it was an API call.
    stream: u32,
    subject_len: u32,
    headers_len: u32,
    payload_len: u32,
}

/// A batch that is on disk.
#[derive(Debug, Default)]
pub(super) struct Released {
    /// Streams that gained messages, each with its last durable sequence.
    pub(super) grown: Vec<(u32, u64)>,
}

impl WaitingReplies {
    /// Answers `subject` with `payload` when the open batch is durable. `stream` is 0 for what is no publish.
    pub(super) fn push(&mut self, stream: u32, subject: &[u8], payload: &[u8]) {
        self.push_with(stream, subject, |text| text.extend_from_slice(payload));
    }

    /// The same for an answer to a call, with headers: a whole block, or none.
    pub(super) fn push_answer(&mut self, subject: &[u8], headers: &[u8], payload: &[u8]) {
        self.push_whole(0, subject, headers, |text| text.extend_from_slice(payload));
    }

    /// The same with a payload that `write` appends.
    pub(super) fn push_with(
        &mut self,
        stream: u32,
        subject: &[u8],
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.push_whole(stream, subject, b"", write);
    }

    fn push_whole(
        &mut self,
        stream: u32,
        subject: &[u8],
        headers: &[u8],
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let open = &mut self.open;
        open.text.extend_from_slice(subject);
        open.text.extend_from_slice(headers);
        let before = open.text.len();
        write(&mut open.text);
        let payload_len = open.text.len() - before;
        self.pushed += 1;
        open.replies.push(Reply {
            stream,
            subject_len: subject.len() as u32,
            headers_len: headers.len() as u32,
            payload_len: payload_len as u32,
        });
    }

    /// Notes that the open batch holds a stream's messages up to this one.
    pub(super) fn grown(&mut self, stream: u32, last: u64) {
        match self
            .open
            .grown
            .iter_mut()
            .rev()
            .take(8)
            .find(|(id, _)| *id == stream)
        {
            Some((_, known)) => *known = last,
            None => self.open.grown.push((stream, last)),
        }
    }

    /// Whether anything waits for the open batch.
    pub(super) fn is_open(&self) -> bool {
        !self.open.replies.is_empty() || !self.open.grown.is_empty()
    }

    /// Whether nothing waits for any batch.
    pub(super) fn is_empty(&self) -> bool {
        self.sealed.is_empty() && !self.is_open()
    }

    /// Replies so far, those that left among them.
    pub(super) fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> u64 {
        self.sealed_bytes + self.open.text.len() as u64
    }

    /// The open batch goes to the disk: it is all that was appended before `end`. Which streams it concerns.
    pub(super) fn seal(&mut self, end: Position) -> Vec<u32> {
        let next = self.spare.pop().unwrap_or_default();
        let batch = std::mem::replace(&mut self.open, next);
        let concerned = batch.grown.iter().map(|(id, _)| *id).collect();
        self.sealed_bytes += batch.text.len() as u64;
        self.sealed.push_back((end, batch));
        concerned
    }

    /// Sends all replies that `durable` allows.
    pub(super) fn release(&mut self, durable: Position, out: &mut dyn Outlet) -> Released {
        let mut released = Released::default();
        while self.sealed.front().is_some_and(|(end, _)| *end <= durable) {
            let Some((_, mut batch)) = self.sealed.pop_front() else {
                break;
            };
            self.sealed_bytes -= batch.text.len() as u64;
            batch.each(|_, subject, headers, payload| out.publish(subject, b"", headers, payload));
            released.grown.append(&mut batch.grown);
            self.keep(batch);
        }
        released
    }

    /// Gives all that waits up: `refuse` is told of each reply's stream and subject, but not of one that would have
    /// been empty: whoever waits for it takes anything for a yes.
    pub(super) fn fail(&mut self, mut refuse: impl FnMut(u32, &[u8])) {
        let open = std::mem::take(&mut self.open);
        self.sealed_bytes = 0;
        let all = self.sealed.drain(..).map(|(_, batch)| batch);
        for batch in all.chain([open]) {
            batch.each(|stream, subject, _, payload| {
                if !payload.is_empty() {
                    refuse(stream, subject);
                }
            });
        }
    }

    fn keep(&mut self, mut batch: Batch) {
        if self.spare.len() < SPARE_MAX && batch.text.capacity() <= SPARE_BYTES_MAX {
            batch.text.clear();
            batch.replies.clear();
            batch.grown.clear();
            self.spare.push(batch);
        }
    }
}

impl Batch {
    fn each(&self, mut visit: impl FnMut(u32, &[u8], &[u8], &[u8])) {
        let mut rest = self.text.as_slice();
        for reply in &self.replies {
            let (subject, tail) = rest.split_at(reply.subject_len as usize);
            let (headers, tail) = tail.split_at(reply.headers_len as usize);
            let (payload, tail) = tail.split_at(reply.payload_len as usize);
            visit(reply.stream, subject, headers, payload);
            rest = tail;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<(Vec<u8>, Vec<u8>)>);

    impl Outlet for Seen {
        fn publish(&mut self, subject: &[u8], _: &[u8], _: &[u8], payload: &[u8]) {
            self.0.push((subject.to_vec(), payload.to_vec()));
        }

        fn deliver(&mut self, _: &[u8], _: &[u8], _: &[u8], _: &[u8], _: &[u8]) -> bool {
            false
        }

        fn has_interest(&self, _: &[u8], _: Option<&[u8]>) -> bool {
            false
        }

        fn is_congested(&self, _: &[u8]) -> bool {
            false
        }

        fn subscribe(&mut self, _: &[u8], _: &[u8]) {}

        fn unsubscribe(&mut self, _: &[u8]) {}
    }

    #[test]
    fn a_reply_leaves_when_its_batch_is_durable_and_not_before() {
        let (mut replies, mut seen) = (WaitingReplies::default(), Seen::default());
        replies.push(1, b"r1", b"{\"seq\":1}");
        replies.grown(1, 1);
        replies.seal(Position(10));
        replies.push(1, b"r2", b"2");
        replies.grown(1, 2);
        replies.release(Position(9), &mut seen);
        assert!(seen.0.is_empty());
        let released = replies.release(Position(10), &mut seen);
        assert_eq!(released.grown, [(1, 1)]);
        assert_eq!(seen.0, [(b"r1".to_vec(), b"{\"seq\":1}".to_vec())]);
        replies.seal(Position(20));
        replies.release(Position(20), &mut seen);
        assert_eq!(seen.0.len(), 2);
    }

    #[test]
    fn all_that_waits_is_refused_when_the_store_fails() {
        let mut replies = WaitingReplies::default();
        replies.push(1, b"a", b"1");
        replies.seal(Position(10));
        replies.push(2, b"b", b"2");
        replies.push(0, b"confirmation", b"");
        let mut refused = Vec::new();
        replies.fail(|stream, subject| refused.push((stream, subject.to_vec())));
        assert_eq!(refused, [(1, b"a".to_vec()), (2, b"b".to_vec())]);
    }
}
