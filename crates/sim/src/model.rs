//! What is known of the streams: a plain model, told of every operation in the order in which the server took
//! it, and of every answer. Between the last answer and now a crash may have undone anything.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Error that a condition on a sequence was not met.
pub const WRONG_LAST: u64 = 10071;
/// Error that a message could not be stored.
pub const STORE_FAILED: u64 = 10077;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Msg {
    /// Subject.
    pub subject: String,
    /// Header block, or empty.
    pub headers: Vec<u8>,
    /// Payload.
    pub payload: Vec<u8>,
    /// When it was stored.
    pub time_ns: i64,
    /// Its message id.
    pub id: Option<String>,
}

/// Which messages a stream keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Until limits are met.
    Limits,
    /// Until every consumer has settled them.
    Interest,
    /// Until the consumer has settled them.
    WorkQueue,
}

/// A stream's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSpec {
    /// Number of the operation that created the stream.
    pub birth: u64,
    /// Number of the operation that gave it this configuration; its description.
    pub given: u64,
    /// In memory rather than on disk.
    pub memory: bool,
    /// Which messages it keeps.
    pub retention: Retention,
    /// New messages are refused rather than old ones given up.
    pub discard_new: bool,
    /// Most messages; 0 for any.
    pub max_msgs: u64,
    /// Most messages of a subject; 0 for any.
    pub max_per_subject: u64,
    /// Most bytes; 0 for any.
    pub max_bytes: u64,
    /// Longest age; 0 for any.
    pub max_age_ns: i64,
    /// How long message ids are remembered.
    pub window_ns: i64,
}

/// A publish.
#[derive(Clone, Debug)]
pub struct Publish {
    /// What is published.
    pub message: Msg,
    /// Last sequence that must be the stream's.
    pub expected_last: Option<u64>,
    /// Last sequence that must be the subject's.
    pub expected_last_on_subject: Option<u64>,
    /// It takes the place of all on its subject.
    pub rollup: bool,
}

/// How a publish ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Stored with this sequence.
    Stored(u64),
    /// Stored before with this sequence.
    Duplicate(u64),
    /// Refused with this code.
    Refused(u64),
}

/// A stream at one moment.
#[derive(Clone, Debug)]
pub struct StreamState {
    /// Its configuration.
    pub spec: StreamSpec,
    /// Its messages.
    pub msgs: BTreeMap<u64, Rc<Msg>>,
    /// The last sequence given out.
    pub last: u64,
    /// Message ids: sequence and time.
    pub ids: BTreeMap<String, (u64, i64)>,
    /// Messages that may be gone, for consumers settled them.
    pub may_go: BTreeSet<u64>,
    /// Messages of which a bit was flipped on the disk.
    pub damaged: BTreeSet<u64>,
    /// What limits took away.
    pub evicted: BTreeMap<u64, Rc<Msg>>,
    /// What consumers settled while the disk was full: nothing tells of that yet.
    pub may_return: BTreeMap<u64, Rc<Msg>>,
}

impl StreamState {
    /// A stream without messages.
    #[must_use]
    pub fn new(spec: StreamSpec) -> Self {
        Self {
            spec,
            msgs: BTreeMap::new(),
            last: 0,
            ids: BTreeMap::new(),
            may_go: BTreeSet::new(),
            damaged: BTreeSet::new(),
            evicted: BTreeMap::new(),
            may_return: BTreeMap::new(),
        }
    }

    fn size(&self, message: &Msg) -> u64 {
        let fixed = match (self.spec.memory, message.headers.is_empty()) {
            (true, _) => 16,
            (false, true) => 30,
            (false, false) => 34,
        };
        (fixed + message.subject.len() + message.headers.len() + message.payload.len()) as u64
    }

    fn bytes(&self) -> u64 {
        self.msgs.values().map(|message| self.size(message)).sum()
    }

    fn on(&self, subject: &str) -> Vec<u64> {
        let all = self.msgs.iter();
        let own = all.filter(|(_, message)| message.subject == subject);
        own.map(|(sequence, _)| *sequence).collect()
    }

    /// What a publish must come to. `kept` is whether anybody wants the message: else it needs no room.
    #[must_use]
    pub fn verdict(&self, publish: &Publish, now_ns: i64, kept: bool) -> Verdict {
        let message = &publish.message;
        let on_subject = self.on(&message.subject);
        if let Some(expected) = publish.expected_last_on_subject
            && on_subject.last().copied().unwrap_or(0) != expected
        {
            return Verdict::Refused(WRONG_LAST);
        }
        if publish
            .expected_last
            .is_some_and(|expected| expected != self.last)
        {
            return Verdict::Refused(WRONG_LAST);
        }
        if let Some(id) = &message.id
            && let Some((sequence, time_ns)) = self.ids.get(id)
            && now_ns - time_ns < self.spec.window_ns
        {
            return Verdict::Duplicate(*sequence);
        }
        if self.spec.discard_new && kept {
            let (count, bytes) = (self.msgs.len() as u64, self.bytes());
            let per_subject = self.spec.max_per_subject;
            let gives_way = per_subject > 0 && on_subject.len() as u64 >= per_subject;
            if self.spec.max_msgs > 0 && count >= self.spec.max_msgs && !gives_way {
                return Verdict::Refused(STORE_FAILED);
            }
            let size = self.size(message);
            let first = on_subject.first().and_then(|at| self.msgs.get(at));
            let freed = first.map_or(0, |first| self.size(first));
            if self.spec.max_bytes > 0
                && bytes + size > self.spec.max_bytes
                && (!gives_way || freed < size)
            {
                return Verdict::Refused(STORE_FAILED);
            }
        }
        Verdict::Stored(self.last + 1)
    }

    /// Does what [`StreamState::verdict`] says.
    pub fn publish(&mut self, publish: &Publish, now_ns: i64, kept: bool) -> Verdict {
        let verdict = self.verdict(publish, now_ns, kept);
        let Verdict::Stored(sequence) = verdict else {
            return verdict;
        };
        let message = &publish.message;
        self.last = sequence;
        if let Some(id) = &message.id {
            self.ids.insert(id.clone(), (sequence, now_ns));
        }
        if !kept {
            return verdict;
        }
        self.msgs.insert(sequence, Rc::new(message.clone()));
        self.enforce();
        if publish.rollup {
            for older in self.on(&message.subject) {
                if older < sequence {
                    self.evict(older);
                }
            }
        }
        verdict
    }

    /// Gives up what is too much.
    pub fn enforce(&mut self) {
        let per_subject = self.spec.max_per_subject;
        if per_subject > 0 {
            let mut by_subject: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for (sequence, message) in &self.msgs {
                by_subject
                    .entry(message.subject.clone())
                    .or_default()
                    .push(*sequence);
            }
            for all in by_subject.into_values() {
                let too_many = (all.len() as u64).saturating_sub(per_subject);
                for sequence in all.iter().take(too_many as usize) {
                    self.evict(*sequence);
                }
            }
        }
        if self.spec.discard_new {
            return;
        }
        let (max, max_bytes) = (self.spec.max_msgs, self.spec.max_bytes);
        while (max > 0 && self.msgs.len() as u64 > max)
            || (max_bytes > 0 && self.bytes() > max_bytes)
        {
            let Some(first) = self.msgs.keys().next().copied() else {
                return;
            };
            self.evict(first);
        }
    }

    fn evict(&mut self, sequence: u64) {
        if let Some(message) = self.msgs.remove(&sequence) {
            self.evicted.insert(sequence, message);
        }
    }

    /// Messages that a purge takes: before a sequence (0: all), on a subject (empty: all).
    #[must_use]
    pub fn purged_by(&self, before: u64, subject: &str) -> Vec<u64> {
        let all = self.msgs.iter();
        let hit = all.filter(|(sequence, message)| {
            (before == 0 || **sequence < before)
                && (subject.is_empty() || message.subject == subject)
        });
        hit.map(|(sequence, _)| *sequence).collect()
    }

    /// Whether its messages may change without an operation.
    #[must_use]
    pub fn is_loose(&self) -> bool {
        let is_damaged = !self.damaged.is_empty();
        self.spec.retention != Retention::Limits || self.spec.max_age_ns > 0 || is_damaged
    }

    /// Whether this message may be gone although nobody removed it.
    #[must_use]
    pub fn may_lack(&self, sequence: u64, now_ns: i64) -> bool {
        let too_old = self.spec.max_age_ns > 0
            && self.msgs.get(&sequence).is_some_and(|message| {
                message.time_ns.saturating_add(self.spec.max_age_ns) <= now_ns
            });
        too_old || self.may_go.contains(&sequence) || self.damaged.contains(&sequence)
    }
}

/// What may be: all states since the last answer, oldest first, each with the operation that led to it.
#[derive(Clone, Debug)]
pub struct Window<T> {
    states: Vec<(u64, T)>,
}

impl<T: Clone> Window<T> {
    /// What is certain.
    #[must_use]
    pub fn new(state: T) -> Self {
        Self {
            states: vec![(0, state)],
        }
    }

    /// How it is if nothing fails.
    ///
    /// # Panics
    /// Never: there is always a state.
    #[must_use]
    pub fn now(&self) -> &T {
        &self.states.last().expect("there is always a state").1
    }

    /// The same, to be changed in place.
    ///
    /// # Panics
    /// Never: there is always a state.
    pub fn now_mut(&mut self) -> &mut T {
        &mut self.states.last_mut().expect("there is always a state").1
    }

    /// What is certain to be on disk.
    #[must_use]
    pub fn durable(&self) -> &T {
        &self.states[0].1
    }

    /// An operation led to another state.
    pub fn push(&mut self, op: u64, state: T) {
        self.states.push((op, state));
    }

    /// All operations up to this one are durable.
    pub fn confirm(&mut self, op: u64) {
        let later = self.states.partition_point(|(at, _)| *at <= op);
        self.states.drain(..later.saturating_sub(1));
    }

    /// All operations up to this one are durable, but for what happened by itself.
    pub fn confirm_with(&mut self, op: u64, mut keep: impl FnMut(&T, &mut T)) {
        let later = self.states.partition_point(|(at, _)| *at <= op);
        let (gone, kept) = self.states.split_at_mut(later.saturating_sub(1));
        for (_, older) in gone {
            kept.iter_mut().for_each(|(_, state)| keep(older, state));
        }
        self.confirm(op);
    }

    /// Operations from this one on never happened. Whether that makes a difference.
    pub fn forget_from(&mut self, op: u64) -> bool {
        let kept = self.states.partition_point(|(at, _)| *at < op).max(1);
        let differs = kept < self.states.len();
        self.states.truncate(kept);
        differs
    }

    /// This is certain now.
    pub fn adopt(&mut self, state: T) {
        self.states = vec![(0, state)];
    }

    /// All that may be.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.states.iter().map(|(_, state)| state)
    }

    /// All that may be, to be changed in place.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.states.iter_mut().map(|(_, state)| state)
    }
}
