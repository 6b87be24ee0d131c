//! What a stream shows of its mirror and sources (E79), and which mirror may answer for it.

use super::feed::{Feed, Role};
use crate::api::SourceInfo;
use crate::index::Filters;
use crate::jetstream::JetStream;
use crate::stream::Stream;
use crate::time::SECOND;

/// How often an origin would be heard of elsewhere: one in the same server is not silent longer than that.
const HEARTBEAT_NS: i64 = SECOND;
/// A mirror that is further behind does not answer for its origin.
const CAUGHT_UP_WITHIN: u64 = 10;

impl JetStream {
    /// How far a mirror is.
    pub(in crate::jetstream) fn mirror_info(
        &self,
        stream: &Stream,
        now_ns: i64,
    ) -> Option<SourceInfo> {
        let mut feeds = stream.feeding.feeds.iter();
        let mirror = feeds.find(|feed| feed.role == Role::Mirror)?;
        Some(self.feed_info(mirror, now_ns))
    }

    /// How far each of the sources is.
    pub(in crate::jetstream) fn source_infos(
        &self,
        stream: &Stream,
        now_ns: i64,
    ) -> Vec<SourceInfo> {
        let feeds = stream.feeding.feeds.iter();
        let sources = feeds.filter(|feed| feed.role == Role::Source);
        sources.map(|feed| self.feed_info(feed, now_ns)).collect()
    }

    fn feed_info(&self, feed: &Feed, now_ns: i64) -> SourceInfo {
        let silent_ns = |heard_ns: i64| now_ns.saturating_sub(heard_ns).max(0);
        let active = match (feed.heard_ns, feed.origin) {
            (None, _) => -1,
            (Some(heard_ns), Some(_)) => silent_ns(heard_ns) % HEARTBEAT_NS,
            (Some(heard_ns), None) => silent_ns(heard_ns),
        };
        SourceInfo {
            name: feed.config.name.clone(),
            external: feed.config.external.clone(),
            lag: self.lag(feed),
            seq: match feed.role {
                Role::Mirror => 0,
                Role::Source => feed.taken,
            },
            active,
            error: feed.error.clone(),
            filter_subject: match feed.role {
                Role::Mirror => String::new(),
                Role::Source => feed.config.filter_subject.clone(),
            },
            subject_transforms: feed.config.subject_transforms.clone(),
        }
    }

    /// Messages of the origin that are still to be taken.
    fn lag(&self, feed: &Feed) -> u64 {
        if let Some(remote) = &feed.remote {
            return remote.lag;
        }
        let Some(origin) = feed.origin.and_then(|origin| self.streams.get(&origin)) else {
            return 0;
        };
        let (index, visible) = (&origin.messages.index, origin.messages.visible());
        if feed.filters.is_everything() {
            return index.count_between(feed.cursor, visible);
        }
        let transforms = feed.config.subject_transforms.iter();
        let mut filters: Vec<&str> = transforms.map(|one| one.src.as_str()).collect();
        filters.push(&feed.config.filter_subject);
        let filters = filters.into_iter().filter(|filter| !filter.is_empty());
        let mut filters = Filters::new(filters);
        index.count_matching(feed.cursor, visible, &mut filters)
    }

    /// Streams that mirror the one of this name, by name.
    fn mirrors_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Stream> {
        let followers = self.followers.get(name).into_iter().flatten();
        let mut mirrors: Vec<&Stream> = followers
            .filter_map(|id| self.streams.get(id).map(|stream| &**stream))
            .filter(|stream| {
                let mirror = stream.config.mirror.as_ref();
                mirror.is_some_and(|mirror| mirror.name == *name)
            })
            .collect();
        mirrors.sort_by(|a, b| a.config.name.cmp(&b.config.name));
        mirrors.into_iter()
    }

    /// A mirror that may answer direct gets for a stream that does not, or is not there (E153).
    pub(in crate::jetstream) fn mirror_for_direct(&self, name: &str) -> Option<u32> {
        let mut mirrors = self.mirrors_of(name);
        let ready = mirrors.find(|stream| {
            let mut feeds = stream.feeding.feeds.iter();
            stream.config.mirror_direct
                && feeds.any(|feed| feed.heard_ns.is_some() && self.lag(feed) < CAUGHT_UP_WITHIN)
        });
        ready.map(|stream| stream.id)
    }
}
