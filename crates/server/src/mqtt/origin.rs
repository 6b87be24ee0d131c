//! Where a message of QoS 2 is from that arrived, as it is stored until the client completes it.

use recado_mqtt::Source;

/// Subjects on which consumers are told that a message arrived.
const ACKS: &str = "$JS.ACK.";

/// What is stored. Of a retained message it is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) source: Option<Source>,
    /// Where its consumer hears of it, if that is known.
    pub(super) ack: Option<String>,
}

impl Origin {
    pub(super) fn of(source: Option<&Source>, ack: Option<&str>) -> Self {
        Self {
            source: source.cloned(),
            ack: ack.map(str::to_owned),
        }
    }

    /// Consumer, sequence, and where that is acknowledged. Never change: it is stored.
    pub(super) fn to_text(&self) -> String {
        let Some(Source { consumer, sequence }) = &self.source else {
            return String::new();
        };
        match &self.ack {
            Some(ack) => format!("{consumer} {sequence} {ack}"),
            None => format!("{consumer} {sequence}"),
        }
    }

    /// What can't be read says nothing.
    pub(super) fn read(payload: &[u8]) -> Self {
        let text = std::str::from_utf8(payload).unwrap_or_default();
        let mut parts = text.splitn(3, ' ');
        let (consumer, sequence) = (
            parts.next(),
            parts.next().and_then(|text| text.parse().ok()),
        );
        let source = consumer.zip(sequence).map(|(consumer, sequence)| Source {
            consumer: consumer.into(),
            sequence,
        });
        let ack = parts.next().filter(|ack| is_ack(ack));
        Self {
            ack: ack.filter(|_| source.is_some()).map(str::to_owned),
            source,
        }
    }
}

/// Whether something stored may be published to as an acknowledgement: others may have written it, and no permissions are asked.
pub(super) fn is_ack(subject: &str) -> bool {
    let is_unfit =
        |letter: char| letter.is_whitespace() || letter.is_control() || "*>".contains(letter);
    subject.starts_with(ACKS) && !subject.contains(is_unfit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(ack: Option<&str>) -> Origin {
        let source = Source {
            consumer: "abc_def".into(),
            sequence: 7,
        };
        Origin::of(Some(&source), ack)
    }

    #[test]
    fn where_a_message_is_from_is_read_as_it_was_written() {
        let ack = "$JS.ACK.$MQTT_msgs.abc_def.1.7.7.1.0";
        let text = format!("abc_def 7 {ack}");
        assert_eq!(origin(Some(ack)).to_text(), text);
        assert_eq!(Origin::read(text.as_bytes()), origin(Some(ack)));
        assert_eq!(origin(None).to_text(), "abc_def 7");
        assert_eq!(Origin::read(b"abc_def 7"), origin(None));
        assert_eq!(Origin::default().to_text(), "");
        for nothing in [&b""[..], b"abc x", b"abc", b"\xff 7"] {
            assert_eq!(Origin::read(nothing), Origin::default());
        }
    }

    #[test]
    fn what_others_may_have_written_is_published_to_as_an_acknowledgement_alone() {
        assert!(is_ack("$JS.ACK.S.C.1.7.7.1.0"));
        for other in [
            "",
            "a.b",
            "$JS.API.STREAM.PURGE.S",
            "$JS.ACK.>",
            "$JS.ACK.a\r\nPUB b 0",
        ] {
            assert!(!is_ack(other), "{other:?}");
        }
        assert_eq!(Origin::read(b"abc_def 7 a.b"), origin(None));
    }
}
