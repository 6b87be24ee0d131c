//! One mirror or source of a stream: where it takes its messages from, how far it is, how far that lasts.

use std::collections::VecDeque;

use super::header;
use super::remote::Remote;
use crate::config::{StreamSource, Transform};
use crate::context::Outlet;
use crate::error::ApiError;
use crate::index::Filters;
use crate::time::SECOND;

/// The first pause after a message could not be stored.
const RETRY_FIRST_NS: i64 = SECOND;
/// The longest.
const RETRY_LONGEST_NS: i64 = 60 * SECOND;

/// What a feed makes of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The same messages under the same sequences.
    Mirror,
    /// Copies among others.
    Source,
}

/// A mirror or source at work.
pub(crate) struct Feed {
    pub(super) role: Role,
    pub(super) config: StreamSource,
    /// As headers name it; see [`header::index_name`].
    pub(super) index_name: String,
    pub(super) filters: Filters,
    pub(super) transforms: Vec<Transform>,
    /// The other side, where the stream lies in another account.
    pub(super) remote: Option<Remote>,
    /// Number and identity of the stream that it takes from, once that was found.
    pub(super) origin: Option<u32>,
    pub(super) identity: String,
    /// Where in the origin it goes on looking.
    pub(super) cursor: u64,
    /// Last sequence of the origin that it has stored.
    pub(super) taken: u64,
    /// Last one whose copy is durable.
    pub(super) durable: u64,
    /// The origin was told that everything up to it is done with.
    pub(super) settled: u64,
    /// Copies that are not durable yet: up to which sequence of its own stream, and of the origin.
    marks: VecDeque<(u64, u64)>,
    /// There may be something to take.
    pub(super) is_due: bool,
    retry: Option<Retry>,
    pub(super) heard_ns: Option<i64>,
    pub(super) error: Option<ApiError>,
}

/// It tries again then.
#[derive(Clone, Copy, Debug)]
struct Retry {
    at_ns: Option<i64>,
    pause_ns: i64,
}

impl Feed {
    /// `is_remote`: the stream lies in another account.
    pub(super) fn new(role: Role, config: &StreamSource, is_remote: bool) -> Self {
        let or_all = |text: &str| if text.is_empty() { ">" } else { text }.to_owned();
        let transforms = config.subject_transforms.iter();
        let filters: Vec<String> = match config.subject_transforms.as_slice() {
            [] if config.filter_subject.is_empty() => Vec::new(),
            [] => vec![config.filter_subject.clone()],
            some => some.iter().map(|one| or_all(&one.src)).collect(),
        };
        Self {
            role,
            config: config.clone(),
            index_name: header::index_name(config),
            filters: Filters::new(filters),
            transforms: transforms
                .filter_map(|one| Transform::parse(&one.src, &one.dest).ok())
                .collect(),
            remote: is_remote.then(Remote::default),
            origin: None,
            identity: String::new(),
            cursor: 1,
            taken: 0,
            durable: 0,
            settled: 0,
            marks: VecDeque::new(),
            is_due: true,
            retry: None,
            heard_ns: None,
            error: None,
        }
    }

    /// It has come that far already, and that lasts.
    pub(super) fn begin_behind(&mut self, taken: u64) {
        self.taken = taken;
        self.durable = taken;
        self.marks.clear();
    }

    /// Whether `known` is the same source with another configuration, and has taken something.
    pub(super) fn goes_on_from(&self, known: &Self) -> bool {
        let are_sources = (self.role, known.role) == (Role::Source, Role::Source);
        are_sources && known.index_name == self.index_name && known.taken > 0
    }

    /// It goes on where that one is.
    pub(super) fn go_on_from(&mut self, known: Self) {
        self.identity = known.identity;
        self.taken = known.taken;
        self.durable = known.durable;
        self.marks = known.marks;
        self.heard_ns = known.heard_ns;
    }

    /// A message becomes this subject.
    pub(super) fn renamed(&self, subject: &[u8], chance: u32) -> Option<Vec<u8>> {
        let mut all = self.transforms.iter();
        all.find_map(|transform| transform.apply(subject, chance))
    }

    /// Everything that was taken so far lies in the target up to `last`.
    pub(super) fn mark(&mut self, last: u64) {
        match self.marks.back_mut() {
            Some((known, taken)) if *known == last => *taken = self.taken,
            _ => self.marks.push_back((last, self.taken)),
        }
    }

    /// The target is durable up to `visible`.
    pub(super) fn became_durable(&mut self, visible: u64) {
        while let Some((last, taken)) = self.marks.front().copied()
            && last <= visible
        {
            self.durable = taken;
            self.marks.pop_front();
        }
    }

    /// Listens to no other account any more; should it go on, it asks anew.
    pub(super) fn leave(&mut self, out: &mut dyn Outlet, prefix: &str) {
        if let Some(remote) = &mut self.remote {
            remote.leave(out, prefix);
            self.is_due = true;
        }
    }

    /// Looks for its origin again.
    pub(super) fn relink(&mut self) {
        self.origin = None;
        self.is_due = true;
    }

    /// A message could not be stored.
    pub(super) fn hold(&mut self, error: ApiError, now_ns: i64) {
        self.error = Some(error);
        self.is_due = false;
        if self.next_retry().is_some() {
            // It was tried before its time, because something changed.
            return;
        }
        let pause_ns = self.retry.map_or(RETRY_FIRST_NS, |retry| {
            (retry.pause_ns * 2).min(RETRY_LONGEST_NS)
        });
        self.retry = Some(Retry {
            at_ns: Some(now_ns.saturating_add(pause_ns)),
            pause_ns,
        });
    }

    /// The origin can't be used as it is: it waits for a change there.
    pub(super) fn unlink(&mut self, error: ApiError) {
        self.origin = None;
        self.error = Some(error);
        self.is_due = false;
    }

    /// All is well.
    pub(super) fn goes_on(&mut self, now_ns: i64) {
        self.retry = None;
        self.error = None;
        self.heard_ns = Some(now_ns);
    }

    /// When it tries again.
    pub(super) fn next_retry(&self) -> Option<i64> {
        self.retry.and_then(|retry| retry.at_ns)
    }

    /// When it has something to do although nothing happens.
    pub(super) fn next_deadline(&self) -> Option<i64> {
        let late = self.remote.as_ref().and_then(Remote::until);
        self.next_retry().into_iter().chain(late).min()
    }

    /// Whether it waits for its own stream to have room.
    pub(super) fn is_held(&self) -> bool {
        self.retry.is_some()
    }

    /// Its pause is over.
    pub(super) fn end_pause(&mut self, now_ns: i64) {
        if let Some(retry) = &mut self.retry
            && retry.at_ns.is_some_and(|at_ns| at_ns <= now_ns)
        {
            retry.at_ns = None;
            self.is_due = true;
        }
        if let Some(remote) = &mut self.remote {
            self.is_due |= remote.notice_time(now_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error;

    fn feed() -> Feed {
        let config = StreamSource {
            name: "O".to_owned(),
            ..StreamSource::default()
        };
        Feed::new(Role::Source, &config, false)
    }

    #[test]
    fn what_was_taken_lasts_when_its_copies_do() {
        let mut feed = feed();
        feed.taken = 5;
        feed.mark(3);
        feed.taken = 9;
        feed.mark(7);
        feed.became_durable(6);
        assert_eq!((feed.taken, feed.durable), (9, 5));
        feed.became_durable(7);
        assert_eq!(feed.durable, 9);
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_end() {
        let mut feed = feed();
        let error = || ApiError::new(&error::STREAM_STORE_FAILED);
        feed.hold(error(), 0);
        assert_eq!(feed.next_retry(), Some(SECOND));
        feed.end_pause(SECOND - 1);
        assert!(!feed.is_due);
        feed.end_pause(SECOND);
        assert!(feed.is_due && feed.next_retry().is_none());
        feed.hold(error(), SECOND);
        feed.hold(error(), 2 * SECOND);
        assert_eq!(feed.next_retry(), Some(3 * SECOND));
        for _ in 0..10 {
            feed.end_pause(i64::MAX);
            feed.hold(error(), 0);
        }
        assert_eq!(feed.next_retry(), Some(RETRY_LONGEST_NS));
        feed.goes_on(5);
        assert!(!feed.is_held() && feed.error.is_none());
    }
}
