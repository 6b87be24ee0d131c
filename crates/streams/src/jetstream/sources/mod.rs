//! Mirrors and sources (E154 to E157, ADR-59, ADR-60): streams that take their messages from other streams of
//! the same server. Both lie with the same owner, so a feed reads the origin's durable messages itself, some at
//! each turn; a consumer is made only where the origin must know what it may let go. Copies are durable with
//! their own batch, and nothing here tells an origin earlier than that.
//!
//! Where nats-server differs: a source that was never taken from begins at its own start, also if the stream
//! has lost its first messages (there it begins at the last message's time); a stream does not take from itself.
//! What lies in another account is taken from as by a client ([`remote`]); of what does not answer, `error` says so, where
//! nats-server waits without a word.

mod feed;
mod header;
mod info;
mod origin;
mod progress;
mod pull;
mod remote;
#[cfg(test)]
mod tests;

use recado_log::Journal;

use super::JetStream;
use crate::config::{StreamConfig, StreamSource};
use crate::consumer::Read;
use crate::context::Context;
use crate::stream::{Stream, kinds};

use feed::{Feed, Role};
pub(super) use header::{hash, identity};
pub(crate) use progress::{Feeding, FoundSources};

/// Copies that are read at the most to find where sources were.
const COPIES_READ_MAX: usize = 100_000;
/// Messages of whatever kind that are looked at for that.
const MESSAGES_LOOKED_AT_MAX: usize = 1_000_000;

/// The feeds that a configuration asks for.
fn feeds_of(config: &StreamConfig, domain: Option<&str>) -> Vec<Feed> {
    let feed = |role, one: &StreamSource| {
        let external = one.external.as_ref();
        let is_remote = external.is_some_and(|external| !remote::is_here(external, domain));
        Feed::new(role, one, is_remote)
    };
    let mirror = config.mirror.iter().map(|one| feed(Role::Mirror, one));
    let sources = config.sources.iter().map(|one| feed(Role::Source, one));
    mirror.chain(sources).collect()
}

/// Sources that nothing else is known of begin where the stream's own messages say that they were: it was a
/// mirror of a stream with these sources, or was restored.
fn go_on_behind_copies(stream: &mut Stream, journal: &mut dyn Journal) {
    let Stream {
        messages, feeding, ..
    } = stream;
    let all = feeding.feeds.iter_mut();
    let unknown = |feed: &&mut Feed| feed.role == Role::Source && feed.taken == 0;
    let mut missing: Vec<&mut Feed> = all.filter(unknown).collect();
    let (mut reads, mut looks) = (0, 0);
    let mut at = messages.index.last_sequence();
    while !missing.is_empty()
        && reads < COPIES_READ_MAX
        && looks < MESSAGES_LOOKED_AT_MAX
        && let Some(sequence) = messages.index.previous(at)
    {
        at = sequence.saturating_sub(1);
        looks += 1;
        let meta = messages.index.get(sequence);
        if meta.is_none_or(|meta| meta.flags & kinds::IS_SOURCED == 0) {
            continue;
        }
        reads += 1;
        let Read::Message(message) = messages.read(journal, sequence) else {
            continue;
        };
        let headers = recado_wire::Headers::new(message.headers);
        let value = headers.get(header::SOURCE_HEADER);
        let Some((name, taken, identity)) = value.and_then(header::parse) else {
            continue;
        };
        if let Some(found) = missing.iter().position(|feed| feed.index_name == name) {
            let feed = missing.swap_remove(found);
            feed.identity = identity;
            feed.begin_behind(taken);
        }
    }
}

impl JetStream {
    /// Begins to take what a stream's configuration says, or goes on with what it says now.
    pub(super) fn start_sources(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let name = stream.config.name.clone();
        let feeding = &mut stream.feeding;
        let mut old = std::mem::take(&mut feeding.feeds);
        for mut feed in feeds_of(&stream.config, self.settings.domain.as_deref()) {
            let same = old
                .iter()
                .position(|known| (known.role, &known.config) == (feed.role, &feed.config));
            if let Some(at) = same {
                feed = old.swap_remove(at);
                feed.is_due = true;
            } else if let Some(at) = old.iter().position(|known| feed.goes_on_from(known)) {
                // Where it begins matters only as long as nothing was taken.
                let mut known = old.swap_remove(at);
                known.leave(context.out, &self.sid_prefix);
                feed.go_on_from(known);
            } else if feed.role == Role::Source
                && let Some(taken) = feeding.known.remove(&feed.index_name)
            {
                feed.identity = taken.identity;
                feed.begin_behind(taken.sequence);
            }
            feeding.feeds.push(feed);
        }
        for feed in &mut old {
            feed.leave(context.out, &self.sid_prefix);
            feeding.retire(feed);
        }
        let was_mirror = old.iter().any(|feed| feed.role == Role::Mirror);
        if was_mirror && stream.config.mirror.is_none() {
            // From now on it is published to: ids count. What its origin sourced, it goes on with.
            stream.rebuild_from_headers(context.now_ns, journal);
            go_on_behind_copies(stream, journal);
        } else if old.is_empty() && stream.feeding.place().is_none() {
            // It was restored, or the record is damaged.
            go_on_behind_copies(stream, journal);
        }
        let tells = stream.feeding.wants_record(false);
        self.follow(id);
        for feed in &old {
            self.leave_origin(context, journal, id, feed);
        }
        if tells {
            self.unsaved.insert(id);
        }
        self.wake_followers(&name);
        self.activate(id);
    }

    /// A stream goes: it takes no more.
    pub(super) fn stop_sources(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        stream.feeding.leave_others(context.out, &self.sid_prefix);
        let old = std::mem::take(&mut stream.feeding.feeds);
        self.follow(id);
        for feed in &old {
            self.leave_origin(context, journal, id, feed);
        }
    }

    /// Notes whom a stream takes from.
    pub(super) fn follow(&mut self, id: u32) {
        self.followers.retain(|_, followers| {
            followers.remove(&id);
            !followers.is_empty()
        });
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        let own = stream.feeding.feeds.iter();
        for feed in own.filter(|feed| feed.remote.is_none()) {
            let origin = feed.config.name.clone();
            self.followers.entry(origin).or_default().insert(id);
        }
    }

    /// Something happened to the stream of this name, or there is one now, or no longer.
    pub(super) fn wake_followers(&mut self, name: &str) {
        let Some(followers) = self.followers.get(name) else {
            return;
        };
        for id in followers.clone() {
            if let Some(stream) = self.streams.get_mut(&id) {
                let feeds = stream.feeding.feeds.iter_mut();
                for feed in feeds.filter(|feed| feed.config.name == name) {
                    feed.is_due = true;
                }
            }
            self.activate(id);
        }
    }
}
