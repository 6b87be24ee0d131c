//! Packets of MQTT, and topics.

use recado_mqtt::{Packet, Parsed, filter_to_subjects, parse, subject_to_topic, topic_to_subject};

/// Longest that may be behind a fixed header.
const PACKET_BYTES_MAX: usize = 64 * 1024;

/// Packets are read one by one, and each the same whatever follows it; topics come back from their subjects.
pub fn mqtt(input: &[u8]) {
    let mut rest = input;
    while let Ok(Parsed::Packet(packet, length)) = parse(rest, PACKET_BYTES_MAX) {
        let (alone, behind) = rest.split_at(length);
        let again = parse(alone, PACKET_BYTES_MAX);
        assert_eq!(again, Ok(Parsed::Packet(packet.clone(), length)));
        match packet {
            Packet::Publish(message) => topic(message.topic),
            Packet::Subscribe { filters, .. } => {
                for filter in filters {
                    topic(filter.topic);
                }
            }
            _ => {}
        }
        rest = behind;
    }
    topic(&String::from_utf8_lossy(input));
}

fn topic(text: &str) {
    if let Ok(subject) = topic_to_subject(text) {
        assert!(
            subject.split('.').all(|token| !token.is_empty()),
            "{text:?}"
        );
        assert_eq!(subject_to_topic(&subject), text);
        let subjects = filter_to_subjects(text).expect("a topic is a filter");
        assert_eq!(subjects.filter, subject);
    }
    if let Ok(subjects) = filter_to_subjects(text) {
        assert!(!subjects.filter.is_empty(), "{text:?}");
    }
}
