//! What a consumer sees of its stream: the durable messages, by sequence and filter.

use crate::index::{Filters, Scan};

/// A message as it is delivered.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// Sequence in the stream.
    pub sequence: u64,
    /// Unix time in nanoseconds at which it was stored.
    pub time_ns: i64,
    /// Subject that it was stored under.
    pub subject: &'a [u8],
    /// Header block, or empty.
    pub headers: &'a [u8],
    /// Payload.
    pub payload: &'a [u8],
}

/// What reading a sequence gave.
#[derive(Debug)]
pub enum Read<'a> {
    /// The message.
    Message(Stored<'a>),
    /// There is none (any more).
    Gone,
    /// It was there and is damaged: it is passed over as a gap that is told of.
    Lost,
    /// It is there, and the disk could not be read: to be tried again.
    Unreadable,
}

/// The stream as its consumers see it. Only durable messages are there.
pub trait Source {
    /// Sequence of the first message, or one past the last sequence.
    fn first_sequence(&self) -> u64;
    /// Last durable sequence.
    fn last_sequence(&self) -> u64;
    /// First message from `from` on that a filter matches. `budget` is how many messages or subjects may be
    /// looked at; what is left of it stays there.
    fn next_matching(&mut self, from: u64, filters: &mut Filters, budget: &mut usize) -> Scan;
    /// Last message that a filter matches.
    fn last_matching(&mut self, filters: &mut Filters) -> Option<u64>;
    /// Messages from `from` on that a filter matches.
    fn count_matching(&mut self, from: u64, filters: &mut Filters) -> u64;
    /// The last message of each subject that a filter matches, ascending.
    fn last_per_subject(&mut self, filters: &mut Filters) -> Vec<u64>;
    /// First message stored at that time or later.
    fn first_at_or_after(&mut self, time_ns: i64) -> Option<u64>;
    /// Whether a message is there.
    fn exists(&self, sequence: u64) -> bool;
    /// Whether a message is there, and whether the filters match it.
    fn matches(&mut self, sequence: u64, filters: &mut Filters) -> bool;
    /// Reads one.
    fn read(&mut self, sequence: u64) -> Read<'_>;
    /// A consumer that decides over a message's life (interest, work queue) is done with it.
    fn settled(&mut self, sequence: u64);
}
