//! What a sourced message says of where it came from (`Nats-Stream-Source`, E155), and which of its headers
//! stay behind. Letters and order are nats-server's: other servers and clients read them.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::config::StreamSource;
use crate::time::format_rfc3339;

/// Where a sourced message came from: `<stream[:hash]> <sequence> <filter> <destination> <subject> <identity>`.
pub(crate) const SOURCE_HEADER: &str = "Nats-Stream-Source";
/// Conditions of the publisher, which were met where it published.
const CONDITIONS: &str = "Nats-Expected-";
/// Batches end where they were published to.
const BATCHES: &str = "Nats-Batch-";
/// Letters of a hash.
const HASH_LETTERS: usize = 8;

/// What tells a source from the others of its stream: stream, filters, destinations.
pub(super) fn index_name(source: &StreamSource) -> String {
    let mut name = source.name.clone();
    if let Some(external) = &source.external {
        name.push_str(&format!(":{}", hash(&external.api)));
    }
    if let Some(consumer) = &source.consumer {
        name.push_str(&format!(":C={}", hash(&consumer.name)));
    }
    let all = |text: &str| if text.is_empty() { ">" } else { text }.to_owned();
    let (from, to) = if source.subject_transforms.is_empty() {
        (all(&source.filter_subject), ">".to_owned())
    } else {
        let transforms = source.subject_transforms.iter();
        let (from, to): (Vec<String>, Vec<String>) = transforms
            .map(|one| (all(&one.src), all(&one.dest)))
            .unzip();
        (from.join("\u{c}"), to.join("\u{c}"))
    };
    format!("{name} {from} {to}")
}

/// Eight letters and digits that stand for a text.
pub(in crate::jetstream) fn hash(text: &str) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = Sha256::digest(text.as_bytes());
    let bytes = digest.iter().take(HASH_LETTERS);
    bytes
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}

/// Tells a stream from another one that had its name before: it is of when it was created.
pub(in crate::jetstream) fn identity(created_ns: i64) -> String {
    hash(&format_rfc3339(created_ns))
}

/// The header's value for a message of the source with this [`index_name`].
pub(super) fn value(index_name: &str, sequence: u64, subject: &[u8], identity: &str) -> String {
    let (stream, rest) = index_name.split_once(' ').unwrap_or((index_name, "> >"));
    let subject = String::from_utf8_lossy(subject);
    format!("{stream} {sequence} {rest} {subject} {identity}")
}

/// What a value says: the source's [`index_name`], the sequence there, the stream's identity (maybe empty).
pub(super) fn parse(value: &str) -> Option<(String, u64, String)> {
    let fields: Vec<&str> = value.split(' ').collect();
    let [stream, sequence, from, to, rest @ ..] = fields.as_slice() else {
        return None;
    };
    let identity = rest.get(1).copied().unwrap_or_default();
    let name = format!("{stream} {from} {to}");
    Some((name, sequence.parse().ok()?, identity.to_owned()))
}

/// Headers as a mirror keeps them.
pub(super) fn for_mirror(block: &[u8]) -> Cow<'_, [u8]> {
    without(block, |line| {
        line.starts_with(CONDITIONS.as_bytes()) || line.starts_with(BATCHES.as_bytes())
    })
}

/// Headers as a sourcing stream keeps them; where a source of the source came from is not told.
pub(super) fn for_source(block: &[u8]) -> Cow<'_, [u8]> {
    without(block, |line| {
        let rest = line.strip_prefix(SOURCE_HEADER.as_bytes());
        line.starts_with(CONDITIONS.as_bytes())
            || line.starts_with(BATCHES.as_bytes())
            || rest.is_some_and(|rest| rest.starts_with(b":"))
    })
}

/// The block without these lines; nothing at all if no line is left.
fn without(block: &[u8], goes: impl Fn(&[u8]) -> bool) -> Cow<'_, [u8]> {
    let lines = || block.split_inclusive(|&byte| byte == b'\n');
    if !lines().any(&goes) {
        return Cow::Borrowed(block);
    }
    let kept: Vec<u8> = lines()
        .filter(|line| !goes(line))
        .flatten()
        .copied()
        .collect();
    if kept == b"NATS/1.0\r\n\r\n" {
        return Cow::Borrowed(b"");
    }
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{External, SourceConsumer, SubjectTransform};
    use crate::time::parse_rfc3339;

    fn source(name: &str) -> StreamSource {
        StreamSource {
            name: name.to_owned(),
            ..StreamSource::default()
        }
    }

    #[test]
    fn hashes_are_those_of_nats_server_2_15() {
        // Seen there: the identity in a header, and a consumer's name.
        let created = parse_rfc3339("2026-11-26T15:59:50.686868458Z").expect("a time");
        assert_eq!(identity(created), "ZabPirUn");
        assert_eq!(hash(&hash("WS $G")), "7ldIkT71");
    }

    #[test]
    fn a_source_is_named_by_stream_filters_and_destinations() {
        let mut one = source("O");
        assert_eq!(index_name(&one), "O > >");
        one.filter_subject = "o.1".to_owned();
        assert_eq!(index_name(&one), "O o.1 >");
        one.filter_subject.clear();
        let transform = |src: &str, dest: &str| SubjectTransform {
            src: src.to_owned(),
            dest: dest.to_owned(),
        };
        one.subject_transforms = vec![transform("a.>", "b.>"), transform("", "")];
        assert_eq!(index_name(&one), "O a.>\u{c}> b.>\u{c}>");
        let mut other = source("O");
        other.external = Some(External {
            api: "$JS.hub.API".to_owned(),
            deliver: String::new(),
        });
        other.consumer = Some(SourceConsumer {
            name: "c".to_owned(),
            deliver_subject: "d".to_owned(),
        });
        let expected = format!("O:{}:C={} > >", hash("$JS.hub.API"), hash("c"));
        assert_eq!(index_name(&other), expected);
    }

    #[test]
    fn a_value_is_read_as_it_was_written() {
        let text = value("O o.0 t.0", 5, b"o.0", "ZabPirUn");
        assert_eq!(text, "O 5 o.0 t.0 o.0 ZabPirUn");
        let back = parse(&text);
        assert_eq!(
            back,
            Some(("O o.0 t.0".to_owned(), 5, "ZabPirUn".to_owned()))
        );
        assert_eq!(
            parse("O 5 > >"),
            Some(("O > >".to_owned(), 5, String::new()))
        );
        assert_eq!(parse("O 5"), None);
        assert_eq!(parse("O five > > s i"), None);
    }

    #[test]
    fn conditions_stay_behind_and_so_does_where_a_source_came_from() {
        let block = b"NATS/1.0\r\nNats-Expected-Stream: O\r\nNats-Batch-Id: b\r\nNats-Stream-Source: A 1\r\nX: 1\r\n\r\n";
        let mirror = b"NATS/1.0\r\nNats-Stream-Source: A 1\r\nX: 1\r\n\r\n";
        assert_eq!(&*for_mirror(block), mirror);
        assert_eq!(&*for_source(block), b"NATS/1.0\r\nX: 1\r\n\r\n");
        let only = b"NATS/1.0\r\nNats-Expected-Last-Sequence: 3\r\n\r\n";
        assert_eq!(&*for_mirror(only), b"");
        assert_eq!(&*for_mirror(b""), b"");
    }
}
