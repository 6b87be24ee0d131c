//! Frames of one batch, staged per destination until the batch is written.
//!
//! A destination's frames lie either in its own buffer or in one that several destinations share,
//! never in both: as soon as a member of a shared buffer gets anything else, the buffer is split up
//! among its members, so that each receives its messages in the order they were routed.

use std::sync::Arc;

use super::connection::{Connection, Delivered};
use super::counters::Resolved;
use super::frames::Frames;
use super::subscription::Subscription;

/// Staged bytes above which the batch is written before it goes on.
pub(crate) const STAGED_MAX: usize = 4 * 1024 * 1024;
/// Staged bytes above which even a single message's frames are written before it goes on: one
/// message may be for a million subscriptions.
const STAGED_HARD_MAX: usize = 4 * STAGED_MAX;
/// A message whose copies have more bytes than this may be written in parts: what was staged before
/// it is below [`STAGED_MAX`].
pub(crate) const IN_PARTS_MIN: usize = STAGED_HARD_MAX - STAGED_MAX;
/// Room that is kept for the next batch, in bytes, shared by the destinations of this one.
const KEEP_MAX: usize = 4 * 1024 * 1024;

/// What is staged, as the figures count it.
#[derive(Clone, Copy, Default)]
struct Carried {
    messages: u64,
    /// Of their headers and payloads.
    bytes: u64,
}

impl Carried {
    #[inline]
    fn note(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

/// One destination in this batch.
#[derive(Default)]
struct Destination {
    connection_id: u64,
    /// `None`: it is gone, nothing is staged for it.
    connection: Option<Arc<Connection>>,
    frames: Frames,
    carried: Carried,
    /// Its frames lie in this shared buffer.
    shared: Option<u32>,
    /// It got something of its own in this batch and shares no more.
    apart: bool,
}

/// One buffer for several destinations.
#[derive(Default)]
struct Shared {
    frames: Frames,
    members: Vec<u32>,
    carried: Carried,
    /// Not split up.
    live: bool,
}

/// Everything staged by one thread.
#[derive(Default)]
pub(crate) struct Stage {
    destinations: Vec<Destination>,
    used: usize,
    /// Slot of a connection → its destination, which must have the right id.
    index: Vec<u32>,
    shared: Vec<Shared>,
    shared_used: usize,
    staged_bytes: usize,
    rounds: u64,
    work: usize,
    /// Subjects that were resolved in this batch.
    pub(crate) resolved: Resolved,
}

impl Stage {
    /// Number of the round that is being staged; a flush ends it, and with it what shared buffers
    /// are spoken of by number.
    #[inline]
    pub(crate) fn round(&self) -> u64 {
        self.rounds + 1
    }

    /// Work done since [`Stage::start_batch`], in destinations looked at.
    #[inline]
    pub(crate) fn work(&self) -> usize {
        self.work
    }

    /// Counts work that left no frame.
    #[inline]
    pub(crate) fn add_work(&mut self, work: usize) {
        self.work += work;
    }

    /// A batch begins.
    pub(crate) fn start_batch(&mut self) {
        self.work = 0;
    }

    /// Whether so much is staged that it must be written now.
    #[inline]
    pub(crate) fn is_overfull(&self) -> bool {
        self.staged_bytes > STAGED_HARD_MAX
    }

    /// Bytes that wait to be written.
    #[inline]
    pub(crate) fn staged_bytes(&self) -> usize {
        self.staged_bytes
    }

    /// The buffer of a subscription's connection for frames of its own; `None` if that is gone.
    #[inline]
    pub(crate) fn buffer_for(
        &mut self,
        slot: u32,
        connection_id: u64,
        sub: &Subscription,
    ) -> Option<Appender<'_>> {
        let at = self
            .find(slot, connection_id)
            .unwrap_or_else(|| self.add(slot, connection_id, sub.connection.upgrade()));
        self.appender(at)
    }

    /// The buffer of a connection for frames of its own.
    pub(crate) fn buffer_of(&mut self, connection: &Arc<Connection>) -> Option<Appender<'_>> {
        let at = self
            .find(connection.slot, connection.id)
            .unwrap_or_else(|| {
                self.add(connection.slot, connection.id, Some(Arc::clone(connection)))
            });
        self.appender(at)
    }

    #[inline]
    fn find(&self, slot: u32, connection_id: u64) -> Option<usize> {
        let at = *self.index.get(slot as usize)? as usize;
        let known = at < self.used && self.destinations[at].connection_id == connection_id;
        known.then_some(at)
    }

    #[cold]
    fn add(&mut self, slot: u32, connection_id: u64, connection: Option<Arc<Connection>>) -> usize {
        let at = self.used;
        self.used += 1;
        if at == self.destinations.len() {
            self.destinations.push(Destination::default());
        }
        let destination = &mut self.destinations[at];
        destination.connection_id = connection_id;
        // One that is closed and not cleared up yet takes nothing any more.
        destination.connection = connection.filter(|open| open.close_reason().is_none());
        if self.index.len() <= slot as usize {
            self.index.resize(slot as usize + 1, u32::MAX);
        }
        self.index[slot as usize] = at as u32;
        at
    }

    #[inline]
    fn appender(&mut self, at: usize) -> Option<Appender<'_>> {
        self.work += 1;
        if let Some(shared) = self.destinations[at].shared {
            self.split_up(shared);
        }
        let destination = &mut self.destinations[at];
        destination.connection.as_ref()?;
        destination.apart = true;
        let before = destination.frames.len();
        Some(Appender {
            destination,
            staged_bytes: &mut self.staged_bytes,
            before,
        })
    }

    /// A shared buffer for these subscriptions' connections, if none of them has frames already.
    pub(crate) fn share<'a>(
        &mut self,
        targets: impl Iterator<Item = (u32, u64, &'a Subscription)>,
    ) -> Option<u32> {
        let number = self.shared_used as u32;
        if self.shared_used == self.shared.len() {
            self.shared.push(Shared::default());
        }
        let mut members = std::mem::take(&mut self.shared[number as usize].members);
        members.clear();
        let mut free = true;
        for (slot, connection_id, sub) in targets {
            let at = self
                .find(slot, connection_id)
                .unwrap_or_else(|| self.add(slot, connection_id, sub.connection.upgrade()));
            let destination = &mut self.destinations[at];
            free &= !destination.apart && destination.shared.is_none();
            if !free {
                break;
            }
            destination.shared = Some(number);
            members.push(at as u32);
        }
        if !free {
            for &at in &members {
                self.destinations[at as usize].shared = None;
            }
            self.shared[number as usize].members = members;
            return None;
        }
        let shared = &mut self.shared[number as usize];
        shared.members = members;
        shared.live = true;
        self.shared_used += 1;
        Some(number)
    }

    /// The frames of a shared buffer; `None` once it was split up.
    #[inline]
    pub(crate) fn shared_frames(&mut self, number: u32) -> Option<SharedAppender<'_>> {
        let shared = &mut self.shared[number as usize];
        if !shared.live {
            return None;
        }
        let before = shared.frames.len();
        Some(SharedAppender {
            shared,
            staged_bytes: &mut self.staged_bytes,
            before,
        })
    }

    /// Gives each member of a shared buffer its own copy, and the buffer up.
    #[cold]
    fn split_up(&mut self, number: u32) {
        let shared = &mut self.shared[number as usize];
        shared.live = false;
        for &at in &shared.members {
            let destination = &mut self.destinations[at as usize];
            destination.shared = None;
            destination.apart = true;
            destination.frames.append(&shared.frames);
            destination.carried.messages += shared.carried.messages;
            destination.carried.bytes += shared.carried.bytes;
            self.staged_bytes += shared.frames.len();
        }
        self.staged_bytes -= shared.frames.len();
        shared.frames.reset(KEEP_MAX);
        shared.carried = Carried::default();
    }

    /// Writes everything and forgets it. `report` is told what became of each destination. The
    /// `subject` is remembered where bytes begin to wait, for the log. The
    /// connection `own`, whose batch it was, comes last: once it has its PONG, what it published
    /// has to be in the others' queues.
    pub(crate) fn flush(
        &mut self,
        input: &[u8],
        own: u64,
        subject: &[u8],
        mut report: impl FnMut(&Arc<Connection>, Delivered),
    ) {
        let keep = KEEP_MAX / self.shared_used.max(1);
        for shared in &mut self.shared[..self.shared_used] {
            for &at in shared.members.iter().filter(|_| shared.live) {
                let connection = &self.destinations[at as usize].connection;
                deliver(
                    connection.as_ref(),
                    &shared.frames,
                    shared.carried,
                    input,
                    subject,
                    &mut report,
                );
            }
            shared.live = false;
            shared.carried = Carried::default();
            shared.frames.reset(keep);
        }
        self.shared_used = 0;
        let keep = KEEP_MAX / self.used.max(1);
        let used = &mut self.destinations[..self.used];
        if let Some(at) = used
            .iter()
            .position(|destination| destination.connection_id == own)
        {
            let last = used.len() - 1;
            used.swap(at, last);
        }
        for destination in &mut self.destinations[..self.used] {
            let connection = destination.connection.take();
            let frames = &destination.frames;
            deliver(
                connection.as_ref(),
                frames,
                destination.carried,
                input,
                subject,
                &mut report,
            );
            destination.frames.reset(keep);
            destination.carried = Carried::default();
            destination.shared = None;
            destination.apart = false;
            destination.connection_id = 0;
        }
        self.used = 0;
        self.staged_bytes = 0;
        self.rounds += 1;
    }
}

fn deliver(
    connection: Option<&Arc<Connection>>,
    frames: &Frames,
    carried: Carried,
    input: &[u8],
    subject: &[u8],
    report: &mut impl FnMut(&Arc<Connection>, Delivered),
) {
    let Some(connection) = connection else { return };
    if frames.is_empty() {
        return;
    }
    if carried.messages > 0 {
        connection.count_out(carried.messages, carried.bytes);
    }
    report(connection, connection.deliver(frames, input, subject));
}

/// Appends to one destination and keeps the books.
pub(crate) struct Appender<'a> {
    destination: &'a mut Destination,
    staged_bytes: &'a mut usize,
    before: usize,
}

impl Appender<'_> {
    /// Appends one message; `append` returns how long its headers and payload are together.
    #[inline]
    pub(crate) fn message(self, append: impl FnOnce(&mut Frames) -> usize) {
        let bytes = append(&mut self.destination.frames);
        self.destination.carried.note(bytes);
        *self.staged_bytes += self.destination.frames.len() - self.before;
    }

    /// Appends what is no message: PONG, +OK, -ERR, INFO.
    pub(crate) fn control(self, bytes: &[u8]) {
        self.destination.frames.push(bytes);
        *self.staged_bytes += bytes.len();
    }
}

/// Appends to a shared buffer and keeps the books.
pub(crate) struct SharedAppender<'a> {
    shared: &'a mut Shared,
    staged_bytes: &'a mut usize,
    before: usize,
}

impl SharedAppender<'_> {
    /// Appends one message for every member; `append` returns how long its headers and payload are together.
    #[inline]
    pub(crate) fn message(self, append: impl FnOnce(&mut Frames) -> usize) {
        let bytes = append(&mut self.shared.frames);
        self.shared.carried.note(bytes);
        *self.staged_bytes += self.shared.frames.len() - self.before;
    }
}
