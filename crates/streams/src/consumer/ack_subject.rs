//! The reply subject of a delivery, by which it is acknowledged (E139): written without allocation, read in
//! both of its forms.

use std::borrow::Cow;

/// What an ack subject says of the delivery that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The how-manieth delivery of the message it was.
    pub deliveries: u64,
    /// Sequence in the stream.
    pub stream_seq: u64,
    /// Sequence of the delivery.
    pub consumer_seq: u64,
}

/// An ack subject, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckSubject<'a> {
    /// Name of the stream.
    pub stream: &'a [u8],
    /// Name of the consumer.
    pub consumer: &'a [u8],
    /// Which delivery.
    pub delivery: Delivery,
}

impl<'a> AckSubject<'a> {
    /// Reads the short form (nine tokens) and the long one (from eleven, a domain and an account more).
    /// `None` if it is neither or its numbers are not numbers.
    pub fn parse(subject: &'a [u8]) -> Option<Self> {
        let rest = subject.strip_prefix(b"$JS.ACK.")?;
        let count = rest.split(|&byte| byte == b'.').count();
        let mut tokens = rest.split(|&byte| byte == b'.');
        if count >= 9 {
            let _domain = tokens.next()?;
            let _account = tokens.next()?;
        } else if count != 7 {
            return None;
        }
        let (stream, consumer) = (tokens.next()?, tokens.next()?);
        let deliveries = number(tokens.next()?)?;
        let (stream_seq, consumer_seq) = (number(tokens.next()?)?, number(tokens.next()?)?);
        Some(Self {
            stream,
            consumer,
            delivery: Delivery {
                deliveries,
                stream_seq,
                consumer_seq,
            },
        })
    }
}

fn number(token: &[u8]) -> Option<u64> {
    if token.is_empty() {
        return None;
    }
    token.iter().try_fold(0u64, |value, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// What ack subjects begin with.
const ACK: &str = "$JS.ACK.";

/// Writes ack subjects of one consumer into a buffer of its own.
#[derive(Debug)]
pub(super) struct AckWriter {
    buffer: Vec<u8>,
    prefix: usize,
}

impl AckWriter {
    /// Of the short form, or of the long one, which has `scope` (`domain.account.`) in front of the stream (ADR-15).
    pub(super) fn new(scope: &str, stream: &str, consumer: &str) -> Self {
        let buffer = format!("{ACK}{scope}{stream}.{consumer}.").into_bytes();
        let prefix = buffer.len();
        Self { buffer, prefix }
    }

    /// What stands between what a subject begins with and its numbers.
    pub(super) fn path(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.buffer[ACK.len()..self.prefix])
    }

    pub(super) fn write(&mut self, delivery: Delivery, time_ns: i64, pending: u64) {
        self.buffer.truncate(self.prefix);
        push_number(&mut self.buffer, delivery.deliveries);
        for value in [
            delivery.stream_seq,
            delivery.consumer_seq,
            time_ns.unsigned_abs(),
            pending,
        ] {
            self.buffer.push(b'.');
            push_number(&mut self.buffer, value);
        }
    }

    pub(super) fn written(&self) -> &[u8] {
        &self.buffer
    }
}

const PAIRS: &[u8; 200] =
    b"0001020304050607080910111213141516171819202122232425262728293031323334353637383940\
41424344454647484950515253545556575859606162636465666768697071727374757677787980818283848586878889\
90919293949596979899";

/// Two digits at a time: five numbers a delivery are a good part of its cost.
fn push_number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        digits[at] = PAIRS[pair];
        digits[at + 1] = PAIRS[pair + 1];
    }
    if value >= 10 {
        let pair = value as usize * 2;
        at -= 2;
        digits[at] = PAIRS[pair];
        digits[at + 1] = PAIRS[pair + 1];
    } else {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_long_form_has_a_domain_and_an_account_in_front() {
        let mut writer = AckWriter::new("hub.abcd1234.", "S", "C");
        let delivery = Delivery {
            deliveries: 1,
            stream_seq: 2,
            consumer_seq: 3,
        };
        writer.write(delivery, 4, 5);
        assert_eq!(writer.written(), b"$JS.ACK.hub.abcd1234.S.C.1.2.3.4.5");
        assert_eq!(writer.path(), "hub.abcd1234.S.C.");
        let read = AckSubject::parse(writer.written()).expect("an ack subject");
        assert_eq!((read.stream, read.consumer), (&b"S"[..], &b"C"[..]));
        assert_eq!(read.delivery, delivery);
    }

    #[test]
    fn an_ack_subject_names_delivery_sequences_time_and_what_is_left() {
        let mut writer = AckWriter::new("", "S", "C");
        writer.write(
            Delivery {
                deliveries: 2,
                stream_seq: 10,
                consumer_seq: 101,
            },
            1_700_000_000_000_000_000,
            0,
        );
        assert_eq!(
            writer.written(),
            b"$JS.ACK.S.C.2.10.101.1700000000000000000.0"
        );
    }

    #[test]
    fn the_long_form_is_read_too_with_or_without_a_token_at_its_end() {
        let delivery = Delivery {
            deliveries: 1,
            stream_seq: 2,
            consumer_seq: 3,
        };
        for subject in [
            "$JS.ACK._.hash.S.C.1.2.3.4.5",
            "$JS.ACK._.hash.S.C.1.2.3.4.5.more",
        ] {
            let read = AckSubject::parse(subject.as_bytes()).expect("an ack subject");
            assert_eq!(
                (read.stream, read.consumer, read.delivery),
                (&b"S"[..], &b"C"[..], delivery)
            );
        }
    }

    #[test]
    fn what_is_no_ack_subject_is_not_read_as_one() {
        for subject in [
            "$JS.ACK.S.C.1.2.3.4",
            "$JS.ACK.S.C.1.2.3.4.5.6",
            "$JS.ACK.S.C.x.2.3.4.5",
            "$JS.ACK.S.C.1.99999999999999999999999.3.4.5",
            "$JS.API.S.C.1.2.3.4.5",
            "$JS.ACK.S.C.1..3.4.5",
            "",
        ] {
            assert_eq!(AckSubject::parse(subject.as_bytes()), None, "{subject}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            deliveries: u64, stream_seq: u64, consumer_seq: u64, time in 0..i64::MAX, pending: u64,
        ) {
            let delivery = Delivery { deliveries, stream_seq, consumer_seq };
            let mut writer = AckWriter::new("", "STREAM", "CONSUMER");
            writer.write(delivery, time, pending);
            let text = format!("$JS.ACK.STREAM.CONSUMER.{deliveries}.{stream_seq}.{consumer_seq}.{time}.{pending}");
            prop_assert_eq!(writer.written(), text.as_bytes());
            prop_assert_eq!(AckSubject::parse(writer.written()).map(|read| read.delivery), Some(delivery));
        }
    }
}
