//! A turn of a stream that takes from others: some messages of each origin that has any, read where they lie
//! and stored like published ones.

use recado_log::Journal;

use super::feed::{Feed, Role};
use super::header;
use crate::consumer::{Read, Stored};
use crate::context::Context;
use crate::error::ApiError;
use crate::index::Scan;
use crate::jetstream::JetStream;
use crate::stream::{Accepted, Env, Origin, Stream};

/// Messages that one feed takes in a turn.
const MESSAGES_MAX: usize = 512;
/// Bytes of them.
const BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a stream that may wait for the disk before its feeds do.
const BACKLOG_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Messages or subjects of the origin that are looked at for the next one.
const SCAN_MAX: usize = 100_000;

/// One of the origin's messages, between there and here.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) sequence: u64,
    pub(super) time_ns: i64,
    pub(super) subject: Vec<u8>,
    pub(super) headers: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

/// What a turn came to.
#[derive(Default)]
pub(super) struct Turn {
    /// Messages that were stored.
    pub(super) copies: u64,
    /// Of the origin's, some left no copy.
    pub(super) is_without_copy: bool,
    pub(super) has_more: bool,
    pub(super) lost: Vec<u64>,
}

impl JetStream {
    /// Takes what there is for a stream from its origins, and has those act that take from it. Whether there is
    /// more at once.
    pub(in crate::jetstream) fn feed(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
    ) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else {
            return false;
        };
        let visible = stream.messages.visible();
        let mut feeds = std::mem::take(&mut stream.feeding.feeds);
        let is_news = stream.feeding.is_news(visible) && !self.followers.is_empty();
        if is_news {
            let name = stream.config.name.clone();
            self.wake_followers(&name);
        }
        let mut more = false;
        for feed in &mut feeds {
            feed.became_durable(visible);
            if feed.remote.is_some() {
                self.drive(context, id, feed);
                continue;
            }
            // There may be room now.
            if feed.is_due || feed.is_held() {
                feed.is_due = false;
                more |= self.take_some(context, journal, id, feed);
            }
            if !self.settle_origin(context, journal, id, feed) {
                feed.origin = None;
                feed.is_due = true;
                more = true;
            }
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.feeding.feeds = feeds;
        }
        more
    }

    /// Lets one feed take some messages. Whether it could go on at once; it is due if it is to go on later.
    fn take_some(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        feed: &mut Feed,
    ) -> bool {
        let origin_id = match self.find_origin(feed) {
            // Nobody takes from itself: it would never end.
            Ok(origin_id) if origin_id == id => return false,
            Ok(origin_id) => origin_id,
            Err(error) => {
                feed.unlink(error);
                return false;
            }
        };
        if feed.origin != Some(origin_id)
            && let Err(error) = self.link(context, journal, id, origin_id, feed)
        {
            feed.origin = None;
            feed.hold(error, context.now_ns);
            return false;
        }
        let Some(storage) = self.streams.get(&id).map(|stream| stream.config.storage) else {
            return false;
        };
        let mut env = Env {
            now_ns: context.now_ns,
            room: self.room(storage),
            chance: (context.random)() as u32,
            journal,
        };
        let Some(mut target) = self.streams.remove(&id) else {
            return false;
        };
        let turn = self
            .streams
            .get_mut(&origin_id)
            .map(|origin| transfer(&mut env, origin, &mut target, feed));
        self.streams.entry(id).or_insert(target);
        let Some(turn) = turn else {
            return false;
        };
        if let Some(origin) = self.streams.get(&origin_id) {
            let name = &origin.config.name;
            let lost = turn.lost.iter().map(|sequence| (name.clone(), *sequence));
            self.lost.extend(lost);
        }
        self.note_turn(id, feed, &turn);
        feed.is_due |= turn.has_more;
        turn.has_more
    }
}

impl JetStream {
    /// Sees to it that what a feed has stored becomes durable and is seen.
    pub(super) fn note_turn(&mut self, id: u32, feed: &mut Feed, turn: &Turn) {
        let Some(target) = self.streams.get_mut(&id) else {
            return;
        };
        target.feeding.note_copies(turn.copies);
        if turn.is_without_copy {
            target.feeding.note_without_copy();
        }
        let (last, on_file) = (target.last_sequence(), target.messages.is_on_file());
        if turn.copies == 0 && !turn.is_without_copy {
            return;
        }
        feed.mark(last);
        self.unsaved.insert(id);
        if on_file {
            self.replies.grown(id, last);
        } else {
            self.activate(id);
        }
    }
}

/// Moves messages until there are none, or the turn is over, or one is not taken.
fn transfer(env: &mut Env<'_>, origin: &mut Stream, target: &mut Stream, feed: &mut Feed) -> Turn {
    let mut turn = Turn::default();
    let mut taken = Taken::default();
    let mut bytes = 0;
    for _ in 0..MESSAGES_MAX {
        if bytes >= BYTES_MAX {
            break;
        }
        if target.backlog_bytes() > BACKLOG_BYTES_MAX {
            // Goes on when that is on disk.
            feed.is_due = true;
            return turn;
        }
        let visible = origin.messages.visible();
        let mut budget = SCAN_MAX;
        let index = &origin.messages.index;
        let next = match index.next_matching(feed.cursor, visible, &mut feed.filters, &mut budget) {
            Scan::Found(sequence) => sequence,
            Scan::OutOfBudget(resume) => {
                feed.cursor = resume;
                break;
            }
            Scan::None => {
                feed.cursor = feed.cursor.max(visible + 1);
                return turn;
            }
        };
        match origin.messages.read(env.journal, next) {
            Read::Message(message) => taken.fill(&message),
            Read::Gone => {
                feed.cursor = next + 1;
                continue;
            }
            Read::Unreadable => {
                let why = "the disk could not be read";
                feed.hold(
                    ApiError::with(&crate::error::STREAM_STORE_FAILED, why),
                    env.now_ns,
                );
                return turn;
            }
            Read::Lost => {
                turn.lost.push(next);
                feed.cursor = next + 1;
                continue;
            }
        }
        bytes += taken.len();
        let now_ns = env.now_ns;
        match store(env, target, feed, &taken) {
            Ok(true) => turn.copies += 1,
            Ok(false) => turn.is_without_copy = true,
            Err(error) => {
                feed.hold(error, now_ns);
                return turn;
            }
        }
        env.room.take(taken.len() as u64);
        feed.cursor = next + 1;
        feed.taken = next;
        feed.goes_on(now_ns);
    }
    turn.has_more = true;
    turn
}

/// Stores one. Whether there is a copy now that says where it came from.
pub(super) fn store(
    env: &mut Env<'_>,
    target: &mut Stream,
    feed: &Feed,
    taken: &Taken,
) -> Result<bool, ApiError> {
    let renamed = feed.renamed(&taken.subject, env.chance);
    let subject = renamed.as_deref().unwrap_or(&taken.subject);
    if feed.role == Role::Mirror {
        let headers = header::for_mirror(&taken.headers);
        let mut env = Env {
            now_ns: taken.time_ns,
            journal: &mut *env.journal,
            ..*env
        };
        target.store_mirrored(&mut env, taken.sequence, subject, &headers, &taken.payload)?;
        return Ok(true);
    }
    let place = header::value(
        &feed.index_name,
        taken.sequence,
        &taken.subject,
        &feed.identity,
    );
    let headers = header::for_source(&taken.headers);
    let headers = crate::stream::with_header(&headers, header::SOURCE_HEADER, &place);
    let accepted = target.publish(env, Origin::Source, subject, &headers, &taken.payload)?;
    Ok(match accepted {
        Accepted::Stored(sequence) => target.messages.index.get(sequence).is_some(),
        Accepted::Counted(..) => true,
        Accepted::Duplicate(_) => false,
    })
}

impl Taken {
    fn fill(&mut self, message: &Stored<'_>) {
        self.sequence = message.sequence;
        self.time_ns = message.time_ns;
        for (room, part) in [
            (&mut self.subject, message.subject),
            (&mut self.headers, message.headers),
            (&mut self.payload, message.payload),
        ] {
            room.clear();
            room.extend_from_slice(part);
        }
    }

    fn len(&self) -> usize {
        self.subject.len() + self.headers.len() + self.payload.len()
    }
}
