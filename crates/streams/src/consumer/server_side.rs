//! A consumer that stands for a feed of another stream (E157): the server takes the messages itself, and
//! tells the consumer what is done with.

use super::source::Source;
use super::{Consumer, Place};

impl Consumer {
    /// Everything up to `sequence` is delivered and settled: `messages` more than before.
    pub(crate) fn finish_upto(
        &mut self,
        source: &mut dyn Source,
        sequence: u64,
        messages: u64,
        now_ns: i64,
    ) {
        if sequence <= self.floor.stream_seq {
            return;
        }
        self.unacked.clear();
        let next = self.position.next().max(sequence + 1);
        self.position.go_to(next, &mut self.filters, source);
        self.delivered = Place {
            consumer_seq: self.delivered.consumer_seq + messages,
            stream_seq: self.delivered.stream_seq.max(sequence),
        };
        self.floor = Place {
            consumer_seq: self.delivered.consumer_seq,
            stream_seq: sequence,
        };
        self.activity.delivered_ns = Some(now_ns);
        self.activity.acked_ns = Some(now_ns);
        self.activity.used_ns = now_ns;
        self.dirty = true;
        self.must_tell_all = true;
    }
}
