//! The answer to a publish (E83). One goes out for every stored message, so it is written without detours.

use recado_wire::push_decimal;

use crate::error::ApiError;

/// What a publisher is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PubAck<'a> {
    /// The stream.
    pub stream: &'a str,
    /// The message's sequence.
    pub seq: u64,
    /// The server's domain, or empty.
    pub domain: &'a str,
    /// Whether it was there already.
    pub duplicate: bool,
    /// A counter's new value, or empty.
    pub value: &'a str,
    /// The id of a batch that was committed, and its messages.
    pub batch: Option<(&'a str, u64)>,
}

impl PubAck<'_> {
    /// Appends it as JSON.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"stream\":");
        append_text(out, self.stream);
        self.append_rest(out);
    }

    fn append_rest(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"seq\":");
        push_decimal(out, self.seq);
        if !self.domain.is_empty() {
            out.extend_from_slice(b",\"domain\":");
            append_text(out, self.domain);
        }
        if self.duplicate {
            out.extend_from_slice(b",\"duplicate\":true");
        }
        if !self.value.is_empty() {
            out.extend_from_slice(b",\"val\":");
            append_text(out, self.value);
        }
        if let Some((id, count)) = self.batch {
            out.extend_from_slice(b",\"batch\":");
            append_text(out, id);
            out.extend_from_slice(b",\"count\":");
            push_decimal(out, count);
        }
        out.push(b'}');
    }
}

/// Appends the refusal of a publish: the error, the stream, and the sequence 0.
pub fn append_pub_refusal(out: &mut Vec<u8>, error: &ApiError, stream: &str, domain: &str) {
    out.extend_from_slice(b"{\"error\":");
    out.extend_from_slice(&serde_json::to_vec(error).unwrap_or_default());
    out.extend_from_slice(b",\"stream\":");
    append_text(out, stream);
    let none = PubAck {
        domain,
        ..PubAck::default()
    };
    none.append_rest(out);
}

/// As a JSON string. Names of streams seldom need an escape.
fn append_text(out: &mut Vec<u8>, text: &str) {
    if text
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(&serde_json::to_vec(text).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::error::STREAM_STORE_FAILED;

    #[test]
    fn an_ack_has_what_there_is_to_tell() {
        let mut out = Vec::new();
        let plain = PubAck {
            stream: "S",
            seq: 12,
            ..PubAck::default()
        };
        plain.append_to(&mut out);
        assert_eq!(out, br#"{"stream":"S","seq":12}"#);
        out.clear();
        let full = PubAck {
            stream: "a\"b",
            seq: 0,
            domain: "hub",
            duplicate: true,
            value: "7",
            batch: Some(("id", 3)),
        };
        full.append_to(&mut out);
        let read: Value = serde_json::from_slice(&out).expect("JSON");
        let expected = json!({"stream": "a\"b", "seq": 0, "domain": "hub", "duplicate": true, "val": "7",
            "batch": "id", "count": 3});
        assert_eq!(read, expected);
    }

    #[test]
    fn a_refusal_has_the_error_first() {
        let mut out = Vec::new();
        let error = ApiError::with(&STREAM_STORE_FAILED, "maximum messages exceeded");
        append_pub_refusal(&mut out, &error, "S", "");
        assert_eq!(
            String::from_utf8_lossy(&out),
            r#"{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"stream":"S","seq":0}"#
        );
    }

    proptest! {
        #[test]
        fn every_ack_is_json_that_reads_back(stream in ".{0,12}", seq: u64) {
            let mut out = Vec::new();
            PubAck { stream: &stream, seq, ..PubAck::default() }.append_to(&mut out);
            let read: Value = serde_json::from_slice(&out).expect("JSON");
            prop_assert_eq!(read, json!({"stream": stream, "seq": seq}));
        }
    }
}
