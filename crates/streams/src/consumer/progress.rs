//! A consumer's progress in bytes, as it is kept in the log. Nothing here changes a running consumer.
//!
//! One record is either whole or a delta to those before it. Numbers are LEB128 varints; sequences are
//! written as distances to the one before. Never change what is written here; a new form gets a new version.
//!
//! ```text
//! version (1) kind (1 whole, 2 delta)
//! next  delivered consumer, stream  floor consumer, stream  picked: 0, or 1 + where the picked messages end
//! count of taken         then each: distance of the stream sequence
//! count of unacked       then each: distance of the stream sequence, zigzag distance of the consumer
//!                        sequence, deliveries, due: 0 for never, else 1 + zigzag distance in milliseconds
//! count of exhausted     then each: distance of the stream sequence, deliveries
//! ```
//!
//! A delta leaves out what the floor says: nothing up to the floor is unacked.

use std::collections::BTreeMap;

use thiserror::Error;

use super::Place;
use super::unacked::Unacked;
use crate::config::{ConsumerConfig, DeliverPolicy};

/// Never change: what records of this form begin with.
const VERSION: u8 = 1;
/// Never change.
const WHOLE: u8 = 1;
/// Never change.
const DELTA: u8 = 2;

const MILLISECOND: i64 = 1_000_000;

/// Progress that can't be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("progress of consumer {consumer:?} of stream {stream:?} can't be read: {why}")]
pub struct ProgressError {
    /// The stream.
    pub stream: String,
    /// The consumer.
    pub consumer: String,
    /// What was found.
    pub why: &'static str,
}

/// How far a consumer has come, put together from its records in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub(super) next: u64,
    pub(super) delivered: Place,
    pub(super) floor: Place,
    pub(super) picked_upto: Option<u64>,
    pub(super) unacked: BTreeMap<u64, Unacked>,
    pub(super) exhausted: BTreeMap<u64, u32>,
    begun: bool,
}

/// What is written in one record.
pub(super) struct Written {
    pub(super) whole: bool,
    pub(super) next: u64,
    pub(super) delivered: Place,
    pub(super) floor: Place,
    pub(super) picked_upto: Option<u64>,
    /// Ascending, as are the others.
    pub(super) taken: Vec<u64>,
    pub(super) unacked: Vec<Unacked>,
    pub(super) exhausted: Vec<(u64, u32)>,
}

impl Progress {
    /// Takes one record more. The names are for the error.
    ///
    /// # Errors
    /// When it is not one, or does not fit to those before. Nothing was taken then.
    pub fn apply(
        &mut self,
        stream: &str,
        consumer: &str,
        record: &[u8],
    ) -> Result<(), ProgressError> {
        let error = |why| ProgressError {
            stream: stream.to_owned(),
            consumer: consumer.to_owned(),
            why,
        };
        let written = Written::read(record).map_err(error)?;
        if !written.whole && !self.begun {
            return Err(error("a delta without what it is to"));
        }
        self.take(written);
        Ok(())
    }

    /// Whether it has only been told where to begin, which may lie ahead of its stream.
    pub(super) fn waits_for_start(&self, config: &ConsumerConfig) -> bool {
        config.deliver_policy == DeliverPolicy::ByStartSequence
            && self.delivered.consumer_seq == 0
            && self.delivered.stream_seq + 1 == self.next
    }

    /// Without anything from a sequence on.
    pub(super) fn cut_at(mut self, end: u64) -> Self {
        self.next = self.next.min(end);
        self.delivered.stream_seq = self.delivered.stream_seq.min(end - 1);
        self.floor.stream_seq = self.floor.stream_seq.min(end - 1);
        self.unacked.split_off(&end);
        self.exhausted.split_off(&end);
        self
    }

    fn take(&mut self, written: Written) {
        if written.whole {
            self.unacked.clear();
            self.exhausted.clear();
        }
        self.begun = true;
        self.next = written.next;
        self.delivered = written.delivered;
        self.floor = written.floor;
        self.picked_upto = written.picked_upto;
        self.unacked = self.unacked.split_off(&(written.floor.stream_seq + 1));
        for stream_seq in written.taken {
            self.unacked.remove(&stream_seq);
            self.exhausted.remove(&stream_seq);
        }
        self.unacked
            .extend(written.unacked.into_iter().map(|one| (one.stream_seq, one)));
        for (stream_seq, deliveries) in written.exhausted {
            self.unacked.remove(&stream_seq);
            self.exhausted.insert(stream_seq, deliveries);
        }
    }
}

impl Written {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION, if self.whole { WHOLE } else { DELTA }];
        put(&mut out, self.next);
        put(&mut out, self.delivered.consumer_seq);
        put(&mut out, self.delivered.stream_seq);
        put(&mut out, self.floor.consumer_seq);
        put(&mut out, self.floor.stream_seq);
        put(&mut out, self.picked_upto.map_or(0, |upto| upto + 1));
        put(&mut out, self.taken.len() as u64);
        let mut before = 0;
        for &stream_seq in &self.taken {
            put(
                &mut out,
                stream_seq - std::mem::replace(&mut before, stream_seq),
            );
        }
        self.put_unacked(&mut out);
        put(&mut out, self.exhausted.len() as u64);
        let mut before = 0;
        for &(stream_seq, deliveries) in &self.exhausted {
            put(
                &mut out,
                stream_seq - std::mem::replace(&mut before, stream_seq),
            );
            put(&mut out, u64::from(deliveries));
        }
        out
    }

    fn put_unacked(&self, out: &mut Vec<u8>) {
        put(out, self.unacked.len() as u64);
        let (mut stream_seq, mut consumer_seq, mut due) = (0, 0, 0);
        for one in &self.unacked {
            put(
                out,
                one.stream_seq - std::mem::replace(&mut stream_seq, one.stream_seq),
            );
            let before = std::mem::replace(&mut consumer_seq, one.consumer_seq);
            put(out, zigzag(one.consumer_seq.wrapping_sub(before) as i64));
            put(out, u64::from(one.deliveries));
            if one.due_ns == i64::MAX {
                put(out, 0);
            } else {
                let ms = one.due_ns.div_euclid(MILLISECOND);
                put(out, 1 + zigzag(ms - std::mem::replace(&mut due, ms)));
            }
        }
    }

    fn read(record: &[u8]) -> Result<Self, &'static str> {
        let mut rest = Rest(record);
        if rest.byte()? != VERSION {
            return Err("a version that is not known");
        }
        let whole = match rest.byte()? {
            WHOLE => true,
            DELTA => false,
            _ => return Err("a kind that is not known"),
        };
        let next = rest.number()?;
        let delivered = Place {
            consumer_seq: rest.number()?,
            stream_seq: rest.number()?,
        };
        let floor = Place {
            consumer_seq: rest.number()?,
            stream_seq: rest.number()?,
        };
        let picked_upto = rest.number()?.checked_sub(1);
        let mut taken = Vec::new();
        let mut stream_seq = 0;
        for _ in 0..rest.count()? {
            stream_seq = rest.sequence(stream_seq)?;
            taken.push(stream_seq);
        }
        let unacked = rest.unacked(delivered)?;
        let mut exhausted = Vec::new();
        let mut stream_seq = 0;
        for _ in 0..rest.count()? {
            stream_seq = rest.sequence(stream_seq)?;
            exhausted.push((stream_seq, rest.deliveries()?));
        }
        if !rest.0.is_empty() {
            return Err("more than was to be there");
        }
        if [next, delivered.stream_seq, floor.stream_seq].contains(&u64::MAX)
            || delivered.consumer_seq == u64::MAX
        {
            return Err("a sequence that can't be");
        }
        Ok(Self {
            whole,
            next,
            delivered,
            floor,
            picked_upto,
            taken,
            unacked,
            exhausted,
        })
    }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// What is left of a record.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn byte(&mut self) -> Result<u8, &'static str> {
        let (&byte, rest) = self.0.split_first().ok_or("it ends too early")?;
        self.0 = rest;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, &'static str> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number that is too large")
    }

    /// Of things that take a byte each at the least.
    fn count(&mut self) -> Result<u64, &'static str> {
        let count = self.number()?;
        if count > self.0.len() as u64 {
            return Err("a count of more than is there");
        }
        Ok(count)
    }

    fn sequence(&mut self, before: u64) -> Result<u64, &'static str> {
        let distance = self.number()?;
        match before.checked_add(distance) {
            Some(sequence) if distance > 0 && sequence < u64::MAX => Ok(sequence),
            _ => Err("sequences that do not ascend"),
        }
    }

    fn deliveries(&mut self) -> Result<u32, &'static str> {
        match u32::try_from(self.number()?) {
            Ok(deliveries) if deliveries > 0 => Ok(deliveries),
            _ => Err("a number of deliveries that can't be"),
        }
    }

    fn unacked(&mut self, delivered: Place) -> Result<Vec<Unacked>, &'static str> {
        let mut all = Vec::new();
        let (mut stream_seq, mut consumer_seq, mut ms) = (0, 0u64, 0i64);
        for _ in 0..self.count()? {
            stream_seq = self.sequence(stream_seq)?;
            let before = consumer_seq;
            consumer_seq = consumer_seq.wrapping_add(unzigzag(self.number()?) as u64);
            if consumer_seq <= before || consumer_seq > delivered.consumer_seq {
                return Err("consumer sequences that do not ascend");
            }
            let deliveries = self.deliveries()?;
            let due_ns = match self.number()?.checked_sub(1) {
                None => i64::MAX,
                Some(distance) => {
                    ms = ms
                        .checked_add(unzigzag(distance))
                        .ok_or("a time that can't be")?;
                    ms.checked_mul(MILLISECOND).ok_or("a time that can't be")?
                }
            };
            all.push(Unacked {
                stream_seq,
                consumer_seq,
                due_ns,
                deliveries,
            });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Written {
        Written {
            whole: false,
            next: 301,
            delivered: Place {
                consumer_seq: 12,
                stream_seq: 300,
            },
            floor: Place {
                consumer_seq: 2,
                stream_seq: 4,
            },
            picked_upto: Some(0),
            taken: vec![7, 9],
            unacked: vec![
                Unacked {
                    stream_seq: 5,
                    consumer_seq: 3,
                    due_ns: 2_000_000,
                    deliveries: 1,
                },
                Unacked {
                    stream_seq: 300,
                    consumer_seq: 12,
                    due_ns: i64::MAX,
                    deliveries: 2,
                },
            ],
            exhausted: vec![(6, 5)],
        }
    }

    #[test]
    fn the_bytes_of_progress_never_change() {
        let expected = [
            1, 2, 0xad, 2, 12, 0xac, 2, 2, 4, 1, 2, 7, 2, 2, 5, 6, 1, 5, 0xa7, 2, 18, 2, 0, 1, 6, 5,
        ];
        assert_eq!(sample().to_bytes(), expected);
    }

    #[test]
    fn a_record_that_is_cut_anywhere_is_an_error_that_names_the_consumer() {
        let bytes = Written {
            whole: true,
            ..sample()
        }
        .to_bytes();
        for len in 0..bytes.len() {
            let cut = bytes.get(..len).unwrap_or_default();
            let error = Progress::default()
                .apply("S", "C", cut)
                .expect_err("it is cut");
            assert!(
                error.to_string().contains("consumer \"C\" of stream \"S\""),
                "{error}"
            );
        }
    }

    #[test]
    fn a_delta_needs_something_before_it() {
        assert!(
            Progress::default()
                .apply("S", "C", &sample().to_bytes())
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..60), form in 0u8..4) {
            if let (true, Some(start)) = (form > 0, bytes.get_mut(..2)) {
                start.copy_from_slice(&[1, form.min(2)]);
            }
            let mut progress = Progress { begun: true, ..Progress::default() };
            let _ = progress.apply("S", "C", &bytes);
        }
    }
}
