//! What a snapshot's chunks hold, put together: a format of our own, so nats-server's archives are not read
//! and ours not by it. Nothing here knows chunks or streams.
//!
//! ```text
//! magic (8)  then records: length of the body (4)  checksum (4)  body
//! ```
//!
//! The checksum is CRC32C over the checksum before (0 for the first) and the body, so that a record which is
//! missing or stands elsewhere is noticed, too. Bodies, all numbers little endian:
//!
//! ```text
//! 1 first (8) last (8) JSON of the stream                      once, at the beginning
//! 2 sequence (8) time (8) subject length (2) header length (4) subject headers payload
//! 3 length of the JSON (4) JSON of the consumer, its progress   behind all messages
//! 4 messages (8) consumers (8)                                  once, at the end
//! ```

use thiserror::Error;

/// Never change: another form gets another one.
const MAGIC: [u8; 8] = *b"RECADOA1";
/// Never change.
const STREAM: u8 = 1;
/// Never change.
const MESSAGE: u8 = 2;
/// Never change.
const CONSUMER: u8 = 3;
/// Never change.
const END: u8 = 4;
/// Length and checksum.
const FRAME_BYTES: usize = 8;
/// Bytes of one record: a message may have 64 MiB.
const RECORD_BYTES_MAX: usize = 80 * 1024 * 1024;

/// What one record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// First and last sequence, and the stream.
    Stream(u64, u64, &'a [u8]),
    /// A message.
    Message(Message<'a>),
    /// A consumer and its progress.
    Consumer(&'a [u8], &'a [u8]),
    /// The end: how many messages and consumers there were.
    End(u64, u64),
}

/// A message as it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) sequence: u64,
    pub(super) time_ns: i64,
    pub(super) subject: &'a [u8],
    pub(super) headers: &'a [u8],
    pub(super) payload: &'a [u8],
}

/// An archive that can't be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum ArchiveError {
    #[error("this is no archive that Recado wrote (nats-server's can't be restored here)")]
    Foreign,
    #[error("the archive is damaged at byte {at}: {why}")]
    Damaged { at: u64, why: &'static str },
}

/// Writes an archive, bit by bit.
#[derive(Debug)]
pub(super) struct Writer {
    out: Vec<u8>,
    /// Bytes of `out` that were taken.
    at: usize,
    checksum: u32,
    messages: u64,
    consumers: u64,
}

impl Writer {
    pub(super) fn new(first: u64, last: u64, stream: &[u8]) -> Self {
        let mut writer = Self {
            out: MAGIC.to_vec(),
            at: 0,
            checksum: 0,
            messages: 0,
            consumers: 0,
        };
        writer.record(STREAM, &[&first.to_le_bytes(), &last.to_le_bytes(), stream]);
        writer
    }

    pub(super) fn message(&mut self, message: &Message<'_>) {
        self.messages += 1;
        self.record(
            MESSAGE,
            &[
                &message.sequence.to_le_bytes(),
                &message.time_ns.to_le_bytes(),
                &(message.subject.len() as u16).to_le_bytes(),
                &(message.headers.len() as u32).to_le_bytes(),
                message.subject,
                message.headers,
                message.payload,
            ],
        );
    }

    pub(super) fn consumer(&mut self, config: &[u8], progress: &[u8]) {
        self.consumers += 1;
        let length = (config.len() as u32).to_le_bytes();
        self.record(CONSUMER, &[&length, config, progress]);
    }

    pub(super) fn end(&mut self) {
        let counts = [self.messages.to_le_bytes(), self.consumers.to_le_bytes()];
        self.record(END, &[&counts[0], &counts[1]]);
    }

    fn record(&mut self, kind: u8, parts: &[&[u8]]) {
        let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
        self.out.extend_from_slice(&(length as u32).to_le_bytes());
        let body_at = self.out.len() + 4;
        self.out.extend_from_slice(&[0; 4]);
        self.out.push(kind);
        for part in parts {
            self.out.extend_from_slice(part);
        }
        self.checksum = checksum(self.checksum, self.out.get(body_at..).unwrap_or_default());
        if let Some(place) = self.out.get_mut(body_at - 4..body_at) {
            place.copy_from_slice(&self.checksum.to_le_bytes());
        }
    }

    /// Bytes that can be taken.
    pub(super) fn len(&self) -> usize {
        self.out.len() - self.at
    }

    /// Takes at most so many bytes off the front.
    pub(super) fn take(&mut self, max: usize) -> Vec<u8> {
        let rest = self.out.get(self.at..).unwrap_or_default();
        let taken = rest.get(..max.min(rest.len())).unwrap_or_default().to_vec();
        self.at += taken.len();
        // Not each time: a small chunk of a large message must not move all of it.
        if self.at * 2 >= self.out.len() {
            self.out.drain(..self.at);
            self.at = 0;
        }
        taken
    }
}

/// Reads an archive as its bytes come.
#[derive(Debug, Default)]
pub(super) struct Reader {
    held: Vec<u8>,
    /// Bytes of `held` that were read.
    at: usize,
    /// Bytes before `held`.
    before: u64,
    checksum: u32,
    begun: bool,
    ended: bool,
    messages: u64,
    consumers: u64,
}

impl Reader {
    /// Takes more bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.held.drain(..self.at);
        self.before += self.at as u64;
        self.at = 0;
        self.held.extend_from_slice(bytes);
    }

    /// Whether the end was read, and nothing came behind it.
    pub(super) fn is_complete(&self) -> bool {
        self.ended && self.at == self.held.len()
    }

    /// The next record, if all of it is there.
    ///
    /// # Errors
    /// When it is damaged; nothing behind it can be read then.
    pub(super) fn next(&mut self) -> Result<Option<Item<'_>>, ArchiveError> {
        let start = self.before + self.at as u64;
        let damaged = |why| ArchiveError::Damaged { at: start, why };
        if !self.begun {
            let rest = self.held.get(self.at..).unwrap_or_default();
            let known = rest.len().min(MAGIC.len());
            if rest.get(..known) != MAGIC.get(..known) {
                return Err(ArchiveError::Foreign);
            }
            if known < MAGIC.len() {
                return Ok(None);
            }
            self.begun = true;
            self.at += MAGIC.len();
        }
        let rest = self.held.get(self.at..).unwrap_or_default();
        if self.ended && !rest.is_empty() {
            return Err(damaged("something comes behind its end"));
        }
        let Some((head, rest)) = rest.split_at_checked(FRAME_BYTES) else {
            return Ok(None);
        };
        let [l0, l1, l2, l3, c0, c1, c2, c3] = *head else {
            return Ok(None);
        };
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if length > RECORD_BYTES_MAX {
            return Err(damaged("a record is too long"));
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        self.checksum = checksum(self.checksum, body);
        if self.checksum != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(damaged("a checksum is wrong"));
        }
        self.at += FRAME_BYTES + length;
        let item = parse(body).ok_or_else(|| damaged("a record makes no sense"))?;
        match item {
            Item::Message(_) => self.messages += 1,
            Item::Consumer(..) => self.consumers += 1,
            Item::End(messages, consumers) => {
                if (messages, consumers) != (self.messages, self.consumers) {
                    return Err(damaged("messages or consumers are missing"));
                }
                self.ended = true;
            }
            Item::Stream(..) => {}
        }
        Ok(Some(item))
    }
}

fn checksum(before: u32, body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&before.to_le_bytes()), body)
}

fn parse(body: &[u8]) -> Option<Item<'_>> {
    let (&kind, rest) = body.split_first()?;
    Some(match kind {
        STREAM => {
            let (first, rest) = take_u64(rest)?;
            let (last, rest) = take_u64(rest)?;
            Item::Stream(first, last, rest)
        }
        MESSAGE => {
            let (sequence, rest) = take_u64(rest)?;
            let (time, rest) = take_u64(rest)?;
            let (subject_len, rest) = rest.split_first_chunk::<2>()?;
            let (headers_len, rest) = rest.split_first_chunk::<4>()?;
            let (subject, rest) =
                rest.split_at_checked(usize::from(u16::from_le_bytes(*subject_len)))?;
            let (headers, payload) =
                rest.split_at_checked(u32::from_le_bytes(*headers_len) as usize)?;
            Item::Message(Message {
                sequence,
                time_ns: time.cast_signed(),
                subject,
                headers,
                payload,
            })
        }
        CONSUMER => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let (config, progress) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            Item::Consumer(config, progress)
        }
        END => {
            let (messages, rest) = take_u64(rest)?;
            let (consumers, rest) = take_u64(rest)?;
            rest.is_empty().then_some(Item::End(messages, consumers))?
        }
        _ => return None,
    })
}

fn take_u64(rest: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = rest.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: Message<'static> = Message {
        sequence: 7,
        time_ns: -2,
        subject: b"a.b",
        headers: b"H",
        payload: b"xyz",
    };

    fn archive() -> Vec<u8> {
        let mut writer = Writer::new(7, 9, b"{}");
        writer.message(&ONE);
        writer.consumer(b"{\"c\":1}", &[1, 2]);
        writer.end();
        writer.take(usize::MAX)
    }

    /// What is read, with each item's text, or why it could not be.
    fn read(bytes: &[u8], chunk: usize) -> (Vec<String>, Result<bool, ArchiveError>) {
        let (mut reader, mut items) = (Reader::default(), Vec::new());
        for part in bytes.chunks(chunk) {
            reader.push(part);
            loop {
                match reader.next() {
                    Ok(Some(item)) => items.push(format!("{item:?}")),
                    Ok(None) => break,
                    Err(error) => return (items, Err(error)),
                }
            }
        }
        (items, Ok(reader.is_complete()))
    }

    #[test]
    fn the_bytes_of_an_archive_stay_as_they_are() {
        let hex: String = archive().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            concat!(
                "52454341444f4131",
                "1300000000ccb187",
                "01070000000000000009000000000000007b7d",
                "1e00000042",
                "9459fd020700000000000000feffffffffffffff030001000000612e624878797a",
                "0e000000336f1bdd",
                "03070000007b2263223a317d0102",
                "11000000f74b432f",
                "0401000000000000000100000000000000",
            )
        );
    }

    #[test]
    fn an_archive_is_read_as_it_was_written_however_it_is_cut() {
        let expected = [
            Item::Stream(7, 9, b"{}"),
            Item::Message(ONE),
            Item::Consumer(b"{\"c\":1}", &[1, 2]),
            Item::End(1, 1),
        ];
        let expected: Vec<String> = expected.iter().map(|item| format!("{item:?}")).collect();
        for chunk in [1, 3, 64, 1000] {
            assert_eq!(read(&archive(), chunk), (expected.clone(), Ok(true)));
        }
    }

    #[test]
    fn what_is_no_archive_of_ours_is_told_by_its_first_bytes() {
        assert_eq!(
            read(b"\xff\x06\x00\x00S2sTwO", 1000).1,
            Err(ArchiveError::Foreign)
        );
    }

    proptest! {
        #[test]
        fn no_damage_passes_for_whole(at in 0usize..200, bit in 0u8..8, cut in 0usize..200) {
            let whole = archive();
            let mut damaged = whole.clone();
            damaged[at % whole.len()] ^= 1 << bit;
            prop_assert_ne!(read(&damaged, 1000).1, Ok(true));
            prop_assert_ne!(read(&whole[..cut % whole.len()], 1000).1, Ok(true));
            let more = [whole.as_slice(), &[0]].concat();
            prop_assert_ne!(read(&more, 1000).1, Ok(true));
        }
    }
}
