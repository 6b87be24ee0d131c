//! The index against a plain map: whatever is done to both, they answer alike.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use proptest::prelude::*;
use recado_log::Location;

use super::{Filters, Index, Meta, Scan};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    subject: String,
    time_us: i64,
    size: u32,
    place: Location,
    flags: u8,
}

#[derive(Clone, Debug)]
enum Step {
    /// Many at once, the subject numbers going round.
    Push {
        count: u16,
        subjects: u16,
        gap: u64,
        time: i64,
    },
    Insert {
        at: u16,
        subject: u16,
        time: i64,
    },
    Remove {
        at: u16,
    },
    /// Every one in a range but each n-th: leaves sparse blocks.
    Thin {
        from: u16,
        len: u16,
        keep_each: u64,
    },
    RemoveRange {
        from: u16,
        len: u16,
    },
    RemoveSubject {
        subject: u16,
    },
    Move {
        at: u16,
    },
    Skip {
        by: u64,
    },
    Clear,
    Ask {
        from: u16,
        len: u16,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let far = prop_oneof![8 => Just(0u64), 2 => 1u64..40, 1 => Just(1u64 << 33)];
    prop_oneof![
        6 => (prop_oneof![1u16..30, 1u16..6000], 1u16..300, far, -5i64..1000)
            .prop_map(|(count, subjects, gap, time)| Step::Push { count, subjects, gap, time }),
        3 => (any::<u16>(), 0u16..400, -50i64..1000)
            .prop_map(|(at, subject, time)| Step::Insert { at, subject, time }),
        3 => any::<u16>().prop_map(|at| Step::Remove { at }),
        3 => (any::<u16>(), any::<u16>(), 2u64..500)
            .prop_map(|(from, len, keep_each)| Step::Thin { from, len, keep_each }),
        2 => (any::<u16>(), any::<u16>()).prop_map(|(from, len)| Step::RemoveRange { from, len }),
        2 => (0u16..300).prop_map(|subject| Step::RemoveSubject { subject }),
        1 => any::<u16>().prop_map(|at| Step::Move { at }),
        1 => (0u64..5).prop_map(|by| Step::Skip { by }),
        1 => Just(Step::Clear),
        4 => (any::<u16>(), any::<u16>()).prop_map(|(from, len)| Step::Ask { from, len }),
    ]
}

/// `s.0.x`, `s.1.y`, … so that wildcards match some, few and none of them.
fn subject_of(number: u16) -> String {
    let kind = ["x", "y", "z.z"][usize::from(number % 3)];
    format!("s.{number}.{kind}")
}

fn any_filters() -> impl Strategy<Value = Vec<String>> {
    let one = prop_oneof![
        (0u16..400).prop_map(subject_of),
        Just("s.*.y".to_owned()),
        Just("s.7.>".to_owned()),
        Just("s.>".to_owned()),
        Just("*.*.z.z".to_owned()),
        Just("none.*".to_owned()),
    ];
    prop::collection::vec(one, 0..3)
}

struct Pair {
    index: Index,
    model: BTreeMap<u64, Kept>,
    last: u64,
    time_us: i64,
    stamp: u32,
}

impl Pair {
    fn kept(&mut self, subject: u16, time_us: i64) -> Kept {
        self.stamp += 1;
        Kept {
            subject: subject_of(subject),
            time_us,
            size: self.stamp % 97 * self.stamp % 1000,
            place: Location {
                segment: self.stamp / 5000,
                offset: self.stamp.wrapping_mul(64),
                length: 40 + self.stamp % 300,
            },
            flags: u8::from(self.stamp.is_multiple_of(1000)),
        }
    }

    fn add(&mut self, sequence: u64, kept: Kept, push: bool) {
        let time_ns = kept.time_us * 1000 + 999;
        let (subject, size, place) = (kept.subject.as_bytes(), kept.size, kept.place);
        let old = self.model.insert(sequence, kept.clone());
        self.last = self.last.max(sequence);
        let index = &mut self.index;
        if push {
            let pushed = index.push(sequence, subject, time_ns, size, place, kept.flags);
            assert_eq!(index.subject(pushed.subject), subject);
            assert_eq!(pushed.subject_count, index.count_of(subject));
        } else {
            let before = index.insert(sequence, subject, time_ns, size, place, kept.flags);
            assert_eq!(before, old.map(|old| old.place));
        }
    }

    /// A sequence near a message, or a little out of range.
    fn pick(&self, at: u16) -> u64 {
        let nth = usize::from(at) % (self.model.len() + 1);
        let near = self.model.keys().nth(nth).copied();
        (near.unwrap_or(self.last) + u64::from(at % 3)).max(2) - 1
    }

    fn remove_range(&mut self, from: u64, upto: u64) {
        let mut shown = Vec::new();
        self.index.remove_range(from, upto, |removed| {
            shown.push((removed.sequence, removed.meta.place))
        });
        let gone: Vec<_> = self
            .model
            .extract_if(from..=upto, |_, _| true)
            .map(|(sequence, kept)| (sequence, kept.place))
            .collect();
        assert_eq!(shown, gone);
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Push {
                count,
                subjects,
                gap,
                time,
            } => {
                for number in 0..count {
                    self.time_us += time;
                    let sequence = self.last + 1 + if number == count / 2 { gap } else { 0 };
                    let kept = self.kept(number % subjects, self.time_us);
                    self.add(sequence, kept, true);
                }
            }
            Step::Insert { at, subject, time } => {
                let kept = self.kept(subject, self.time_us - time);
                self.add(self.pick(at), kept, false);
            }
            Step::Remove { at } => {
                let sequence = self.pick(at);
                let removed = self.index.remove(sequence).map(|removed| removed.meta.size);
                let gone = self.model.remove(&sequence).map(|kept| kept.size);
                assert_eq!(removed, gone);
            }
            Step::Thin {
                from,
                len,
                keep_each,
            } => {
                let from = self.pick(from);
                let gone: Vec<u64> = self
                    .model
                    .range(from..from + u64::from(len))
                    .map(|(&sequence, _)| sequence)
                    .filter(|sequence| sequence % keep_each != 0)
                    .collect();
                for sequence in gone {
                    assert!(self.index.remove(sequence).is_some());
                    self.model.remove(&sequence);
                }
            }
            Step::RemoveRange { from, len } => {
                let from = self.pick(from);
                self.remove_range(from, from + u64::from(len / 4));
            }
            Step::RemoveSubject { subject } => {
                let subject = subject_of(subject);
                while let Some(sequence) = self.index.first_of(subject.as_bytes()) {
                    assert!(self.index.remove(sequence).is_some());
                }
                self.model.retain(|_, kept| kept.subject != subject);
            }
            Step::Move { at } => {
                let sequence = self.pick(at);
                let place = self.kept(0, 0).place;
                let old = self.index.set_place(sequence, place);
                let kept = self.model.get_mut(&sequence);
                assert_eq!(
                    old,
                    kept.map(|kept| std::mem::replace(&mut kept.place, place))
                );
            }
            Step::Skip { by } => {
                self.last += by;
                self.index.skip_to(self.last);
            }
            Step::Clear => {
                self.index.clear();
                self.model.clear();
            }
            Step::Ask { .. } => {}
        }
    }

    fn check_state(&self) {
        let (index, model) = (&self.index, &self.model);
        let first = model.keys().next().copied().unwrap_or(self.last + 1);
        assert_eq!(index.first_sequence(), first);
        assert_eq!(index.last_sequence(), self.last);
        assert_eq!(index.len(), model.len() as u64);
        assert_eq!(
            index.bytes(),
            model.values().map(|kept| u64::from(kept.size)).sum::<u64>()
        );
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for kept in model.values() {
            *counts.entry(&kept.subject).or_default() += 1;
        }
        assert_eq!(index.subject_count(), counts.len());
        let first_time = model.values().next().map(|kept| kept.time_us * 1000);
        assert_eq!(index.first_time_ns(), first_time);
        let deleted: u64 = index
            .deleted_ranges()
            .map(|(from, upto)| upto - from + 1)
            .sum();
        assert_eq!(deleted, index.deleted_count());
        for (from, upto) in index.deleted_ranges() {
            assert!(from <= upto && model.range(from..=upto).next().is_none());
        }
    }

    fn check_messages(&self) {
        for (sequence, kept) in &self.model {
            let meta = self.index.get(*sequence).expect("the model has it");
            let Meta {
                time_ns,
                size,
                place,
                flags,
                subject,
            } = meta;
            let found = Kept {
                subject: String::from_utf8_lossy(self.index.subject(subject)).into_owned(),
                time_us: time_ns / 1000,
                size,
                place,
                flags,
            };
            assert_eq!(&found, kept);
        }
    }

    fn check_questions(&self, from: u64, upto: u64, texts: &[String], filters: &mut Filters) {
        let (index, model) = (&self.index, &self.model);
        assert_eq!(
            index.next(from),
            model.range(from..).next().map(|(&at, _)| at)
        );
        assert_eq!(
            index.previous(upto),
            model.range(..=upto).next_back().map(|(&at, _)| at)
        );
        let upto = upto.max(from);
        let count = model.range(from..=upto).count() as u64;
        assert_eq!(index.count_between(from, upto), count);
        if let Some((_, kept)) = model.range(from..).next() {
            let late = |(_, other): &(&u64, &Kept)| other.time_us >= kept.time_us;
            let expected = model.iter().find(late).map(|(&at, _)| at);
            assert_eq!(index.first_at_or_after(kept.time_us * 1000 + 500), expected);
            let subject = kept.subject.as_bytes();
            let id = index.subject_id(subject).expect("it has messages");
            let of = |range: (u64, u64)| {
                let same = |(_, other): &(&u64, &Kept)| other.subject == kept.subject;
                model
                    .range(range.0..=range.1)
                    .filter(same)
                    .map(|(&at, _)| at)
            };
            assert_eq!(index.next_in(id, upto), of((upto, u64::MAX)).next());
            assert_eq!(index.previous_in(id, upto), of((0, upto)).next_back());
            assert_eq!(index.first_of(subject), of((0, u64::MAX)).next());
            assert_eq!(index.last_of(subject), of((0, u64::MAX)).next_back());
            assert_eq!(index.count_of(subject), of((0, u64::MAX)).count() as u64);
        }
        let wanted = |kept: &Kept| {
            let matches = |text: &String| {
                recado_wire::filter_matches(text.as_bytes(), kept.subject.as_bytes())
            };
            texts.is_empty() || texts.iter().any(matches)
        };
        let matching = || model.range(from..=upto).filter(|(_, kept)| wanted(kept));
        assert_eq!(
            index.count_matching(from, upto, filters),
            matching().count() as u64
        );
        let mut next = from;
        for (&expected, _) in matching().take(50) {
            assert_eq!(search(index, next, upto, filters), Some(expected));
            next = expected + 1;
        }
        if matching().count() <= 50 {
            assert_eq!(search(index, next, upto, filters), None);
        }
        let before = || model.range(..=upto).filter(|(_, kept)| wanted(kept));
        assert_eq!(
            index.last_matching(upto, filters),
            before().next_back().map(|(&at, _)| at)
        );
        let last: BTreeMap<&str, u64> = before().map(|(&at, kept)| (&*kept.subject, at)).collect();
        let mut last: Vec<u64> = last.into_values().collect();
        last.sort_unstable();
        assert_eq!(index.last_per_subject(filters, upto), last);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for kept in model.values().filter(|kept| wanted(kept)) {
            *counts.entry(kept.subject.clone()).or_default() += 1;
        }
        assert_eq!(index.matching_subject_count(filters), counts.len());
        assert_eq!(paged(index, filters), counts);
    }
}

/// In steps of a small budget.
fn search(index: &Index, from: u64, upto: u64, filters: &mut Filters) -> Option<u64> {
    let mut from = from;
    loop {
        match index.next_matching(from, upto, filters, &mut 300) {
            Scan::Found(found) => return Some(found),
            Scan::None => return None,
            Scan::OutOfBudget(at) => {
                assert!(at >= from);
                from = at;
            }
        }
    }
}

/// Ten subjects at a time.
fn paged(index: &Index, filters: &mut Filters) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    loop {
        let seen = all.len();
        index.each_subject(filters, seen, |subject, count| {
            all.insert(String::from_utf8_lossy(subject).into_owned(), count);
            if all.len() < seen + 10 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        if all.len() == seen {
            return all;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn the_index_answers_as_a_plain_map_would(
        steps in prop::collection::vec(any_step(), 1..30),
        texts in prop::collection::vec(any_filters(), 3),
    ) {
        let mut pair = Pair {
            index: Index::new(1),
            model: BTreeMap::new(),
            last: 0,
            time_us: 1_700_000_000_000_000,
            stamp: 0,
        };
        let mut filters: Vec<Filters> = texts.iter().map(Filters::new).collect();
        for step in &steps {
            pair.take(step);
            pair.check_state();
            if let Step::Ask { from, len } = *step {
                let from = pair.pick(from);
                for (texts, filters) in texts.iter().zip(&mut filters) {
                    pair.check_questions(from, pair.pick(len), texts, filters);
                }
            }
        }
        pair.check_messages();
        for (texts, filters) in texts.iter().zip(&mut filters) {
            pair.check_questions(1, pair.last, texts, filters);
        }
    }
}
