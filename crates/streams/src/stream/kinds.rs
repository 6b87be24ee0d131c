//! What the records in the log are, and what their payloads hold. Numbers and layouts here are on disk:
//! never change one, only add.

use recado_log::CONTROL_KIND_MIN;

/// A message: subject, headers, payload as published.
pub(crate) const MESSAGE: u8 = 1;
/// A stream's configuration: JSON of [`StoredStream`](super::StoredStream). The last one counts.
pub(crate) const STREAM_CONFIG: u8 = CONTROL_KIND_MIN;
/// The stream with this number is gone, with all that belongs to it.
pub(crate) const STREAM_DELETED: u8 = 17;
/// Messages were removed: see [`encode_removed`].
pub(crate) const REMOVED: u8 = 18;
/// First and last sequence: messages before the first are gone. See [`encode_state`].
pub(crate) const STATE: u8 = 19;
/// A consumer's configuration: JSON of [`StoredConsumer`](super::StoredConsumer). `sequence` is its number.
pub(crate) const CONSUMER_CONFIG: u8 = 20;
/// The consumer with this number is gone.
pub(crate) const CONSUMER_DELETED: u8 = 21;
/// A consumer's progress, whole: `sequence` is its number, `time_ns` counts its progress records.
pub(crate) const CONSUMER_SNAPSHOT: u8 = 22;
/// What changed in a consumer's progress since the record before.
pub(crate) const CONSUMER_DELTA: u8 = 23;
/// A stream is being restored: unless its configuration is here, too, it was not, and is not there.
pub(crate) const RESTORING: u8 = 25;

/// Messages can't be read as they were written, and are not there any more: as [`encode_removed`].
pub(crate) const DAMAGED: u8 = 26;

/// The same as [`STREAM_CONFIG`] with the account that the stream belongs to, where that is not `$G`. A number of its
/// own, because a server that knows no accounts must not serve the stream to everybody: it takes it for one whose
/// configuration is not there, and leaves its records alone.
pub(crate) const STREAM_CONFIG_OF_ACCOUNT: u8 = 27;

/// How far a stream's sources are: see `jetstream::sources`. `sequence` counts these records.
pub(crate) const SOURCES: u8 = 24;

/// The streams with these numbers are gone, as by [`STREAM_DELETED`]; layout as [`encode_removed`], of no stream.
pub(crate) const STREAMS_DELETED: u8 = 30;

/// The consumers with these numbers are gone, as by [`CONSUMER_DELETED`]; layout as [`encode_removed`], of no stream.
pub(crate) const CONSUMERS_DELETED: u8 = 31;

/// The message has `Nats-Msg-Id`.
pub(crate) const HAS_MESSAGE_ID: u8 = 1;
/// The message has a lifetime of its own, `Nats-TTL`.
pub(crate) const HAS_TTL: u8 = 2;
/// The message is a schedule.
pub(crate) const IS_SCHEDULE: u8 = 4;
/// The message came from a source: `Nats-Stream-Source`.
pub(crate) const IS_SOURCED: u8 = 8;
/// The message was made by a schedule: `Nats-Scheduler`.
pub(crate) const IS_SCHEDULED: u8 = 16;

/// Version of the layouts below.
const VERSION: u8 = 1;

/// `STATE`: version, first, last; little endian.
pub(crate) fn encode_state(first: u64, last: u64) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&first.to_le_bytes());
    out.extend_from_slice(&last.to_le_bytes());
    out
}

/// First and last of a `STATE`.
pub(crate) fn decode_state(bytes: &[u8]) -> Option<(u64, u64)> {
    let rest = bytes.strip_prefix(&[VERSION])?;
    let first = u64::from_le_bytes(rest.get(..8)?.try_into().ok()?);
    let last = u64::from_le_bytes(rest.get(8..16)?.try_into().ok()?);
    (rest.len() == 16).then_some((first, last))
}

/// `REMOVED`: version, the youngest segment that holds one of the messages, then runs of sequences: distance
/// from the end of the run before, length; each as a varint. `sequences` ascend.
pub(crate) fn encode_removed(youngest_segment: u32, sequences: &[u64]) -> Vec<u8> {
    let mut rest = sequences;
    let runs = std::iter::from_fn(|| {
        let &first = rest.first()?;
        let run = rest
            .iter()
            .zip(first..)
            .take_while(|&(&sequence, expected)| sequence == expected)
            .count();
        rest = rest.get(run..).unwrap_or_default();
        Some((first, run as u64))
    });
    encode_removed_runs(youngest_segment, runs)
}

/// The same of runs: first sequence and length of each, ascending.
pub(crate) fn encode_removed_runs(
    youngest_segment: u32,
    runs: impl Iterator<Item = (u64, u64)>,
) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&youngest_segment.to_le_bytes());
    let mut at = 0;
    for (first, run) in runs {
        push_varint(&mut out, first - at);
        push_varint(&mut out, run);
        at = first + run;
    }
    out
}

/// The youngest segment of a `REMOVED`.
pub(crate) fn youngest_segment(bytes: &[u8]) -> Option<u32> {
    let rest = bytes.strip_prefix(&[VERSION])?;
    Some(u32::from_le_bytes(rest.get(..4)?.try_into().ok()?))
}

/// The runs of a `REMOVED`: first sequence and length of each. Stops at what makes no sense.
pub(crate) fn removed_runs(bytes: &[u8]) -> impl Iterator<Item = (u64, u64)> + '_ {
    let mut rest = bytes.get(5..).unwrap_or_default();
    let mut at = 0u64;
    std::iter::from_fn(move || {
        let gap = take_varint(&mut rest)?;
        let run = take_varint(&mut rest)?;
        let first = at.checked_add(gap)?;
        at = first.checked_add(run)?;
        Some((first, run))
    })
}

/// Appends a number, seven bits a byte, lowest first.
pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number off the front.
pub(crate) fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_on_disk_stays_as_it_is() {
        let kinds = [
            MESSAGE,
            STREAM_CONFIG,
            STREAM_DELETED,
            REMOVED,
            STATE,
            CONSUMER_CONFIG,
            CONSUMER_DELETED,
            CONSUMER_SNAPSHOT,
            CONSUMER_DELTA,
            SOURCES,
            RESTORING,
            DAMAGED,
            STREAM_CONFIG_OF_ACCOUNT,
            STREAMS_DELETED,
            CONSUMERS_DELETED,
        ];
        let numbers = [1, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 30, 31];
        assert_eq!(kinds, numbers);
        let flags = [
            HAS_MESSAGE_ID,
            HAS_TTL,
            IS_SCHEDULE,
            IS_SOURCED,
            IS_SCHEDULED,
        ];
        assert_eq!(flags, [1, 2, 4, 8, 16]);
        assert_eq!(
            encode_state(1, 2),
            [1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(
            encode_removed(7, &[3, 4, 5, 300]),
            [1, 7, 0, 0, 0, 3, 3, 0xA6, 2, 1]
        );
    }

    proptest! {
        #[test]
        fn what_was_removed_is_read_as_it_was_written(
            sequences in proptest::collection::btree_set(0u64..100_000, 0..200),
        ) {
            let sequences: Vec<u64> = sequences.into_iter().collect();
            let bytes = encode_removed(9, &sequences);
            prop_assert_eq!(youngest_segment(&bytes), Some(9));
            let back: Vec<u64> =
                removed_runs(&bytes).flat_map(|(first, run)| first..first + run).collect();
            prop_assert_eq!(back, sequences);
        }

        #[test]
        fn nonsense_is_no_reason_to_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = (decode_state(&bytes), youngest_segment(&bytes));
            let _ = removed_runs(&bytes).take(100).count();
        }
    }
}
