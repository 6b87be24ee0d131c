//! A segment's footer, gathered from the batches that were written to it while they are in memory: so nobody has to
//! read the segment for it.
//!
//! It is a hint like the footer itself: whatever does not fit together, or is too much to be held, is given up, and the
//! segment is read when it is closed.

use crate::crypt::Veil;
use crate::footer::FooterBuilder;
use crate::format::{self, SEGMENT_HEADER_BYTES};
use crate::veil::{Part, lift};

/// Most bytes that are held of it while its segment is written.
const HELD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is known so far.
#[derive(Debug)]
pub(crate) struct Gathering {
    footer: FooterBuilder,
    /// All records before this offset are in it; none once it was given up.
    end: Option<u32>,
    /// What uncovers the records, if they are covered, and room for one.
    veil: Option<Veil>,
    room: Vec<u8>,
}

impl Gathering {
    /// Of a segment that has no records yet.
    pub(crate) fn new(veil: Option<Veil>) -> Self {
        Self {
            veil,
            room: Vec::new(),
            footer: FooterBuilder::default(),
            end: Some(SEGMENT_HEADER_BYTES),
        }
    }

    /// Of a segment that has to be read.
    pub(crate) fn given_up() -> Self {
        Self {
            veil: None,
            room: Vec::new(),
            footer: FooterBuilder::default(),
            end: None,
        }
    }

    /// Records that were written at an offset, as this server wrote them: nothing about them is checked again.
    pub(crate) fn note(&mut self, offset: u32, bytes: &[u8]) {
        if self.end != Some(offset) {
            *self = Self::given_up();
            return;
        }
        let (mut rest, mut at) = (bytes, offset);
        while !rest.is_empty() {
            let head = format::parse_head(rest);
            let Some((head, (record, behind))) =
                head.and_then(|head| Some((head, rest.split_at_checked(head.length as usize)?)))
            else {
                *self = Self::given_up();
                return;
            };
            let veil = self.veil.as_mut();
            let lifted = lift((&head, record), at, veil, Part::Subject, &mut self.room);
            let Some(subject) = lifted.and_then(|record| head.subject(record)) else {
                *self = Self::given_up();
                return;
            };
            self.footer.record(&head, subject);
            (rest, at) = (behind, at + head.length);
        }
        self.end = Some(offset + bytes.len() as u32);
        if self.footer.held_bytes() > HELD_BYTES_MAX {
            *self = Self::given_up();
        }
    }

    /// The footer, if it is that of a segment which ends here.
    pub(crate) fn finish(self, end: u32) -> Option<FooterBuilder> {
        (self.end == Some(end)).then_some(self.footer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use crate::format::{Frame, Seeds, encode};

    fn records(subjects: impl IntoIterator<Item = String>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (sequence, subject) in (1..).zip(subjects) {
            let record = Record {
                kind: 1,
                flags: 0,
                stream: 1,
                sequence,
                time_ns: 7,
                subject: subject.as_bytes(),
                headers: b"",
                payload: b"payload",
                compress: false,
            };
            let at = SEGMENT_HEADER_BYTES + bytes.len() as u32;
            let frame = (Frame::Single, 1);
            encode(
                &mut bytes,
                (&record, None),
                frame,
                (Seeds::new(1, 1), at),
                None,
            );
        }
        bytes
    }

    fn three() -> Vec<u8> {
        records(["a", "b", "a"].map(str::to_owned))
    }

    #[test]
    fn it_is_whole_only_where_all_records_were_noted() {
        let bytes = three();
        let end = SEGMENT_HEADER_BYTES + bytes.len() as u32;
        let mut gathering = Gathering::new(None);
        gathering.note(SEGMENT_HEADER_BYTES, &bytes);
        assert!(gathering.finish(end).is_some());
        let mut gathering = Gathering::new(None);
        gathering.note(SEGMENT_HEADER_BYTES, &bytes);
        assert!(gathering.finish(end - 1).is_none());
        let mut gathering = Gathering::new(None);
        gathering.note(SEGMENT_HEADER_BYTES + 1, &bytes);
        assert!(gathering.finish(end + 1).is_none(), "there is a hole");
        assert!(Gathering::given_up().finish(SEGMENT_HEADER_BYTES).is_none());
    }

    #[test]
    fn what_is_no_record_is_given_up() {
        let mut bytes = three();
        bytes.truncate(bytes.len() - 1);
        let end = SEGMENT_HEADER_BYTES + bytes.len() as u32;
        let mut gathering = Gathering::new(None);
        gathering.note(SEGMENT_HEADER_BYTES, &bytes);
        assert!(gathering.finish(end).is_none());
    }

    #[test]
    fn subjects_without_end_are_given_up() {
        let bytes = records((0..50_000).map(|number| format!("subjects.without.end.{number}")));
        let mut gathering = Gathering::new(None);
        gathering.note(SEGMENT_HEADER_BYTES, &bytes);
        assert_eq!(gathering.footer.held_bytes(), 0);
        assert!(
            gathering
                .finish(SEGMENT_HEADER_BYTES + bytes.len() as u32)
                .is_none()
        );
    }
}
