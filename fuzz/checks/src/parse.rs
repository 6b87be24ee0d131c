//! What clients send, as `wire::parse` reads it.

use recado_wire::{
    Op, ParseLimits, Parsed, Publish, ServerFrame, ServerParsed, Violation, parse_publish,
    parse_server_frame, push_message, push_publish,
};

use crate::cuts::cuts;

/// nats-server's own limits, and some so tight that short inputs meet them.
const LIMITS: [ParseLimits; 2] = [
    ParseLimits {
        max_control_line: 4096,
        max_payload: 1 << 20,
    },
    ParseLimits {
        max_control_line: 24,
        max_payload: 12,
    },
];
/// Larger bodies than this are not made up to complete a frame.
const COMPLETED_MAX: usize = 1 << 13;

/// Reads the input as one connection's, operation by operation.
///
/// Lengths are true; a beginning of an operation is never taken for a whole one or for an error
/// that the whole is not; the hot path and the other agree; what is written out again reads the same.
pub fn parse(input: &[u8]) {
    for limits in &LIMITS {
        let mut rest = input;
        while let Some(length) = one(rest, limits) {
            rest = &rest[length..];
        }
    }
}

/// Checks what is at the start of the input; the length of an operation that is whole.
fn one(input: &[u8], limits: &ParseLimits) -> Option<usize> {
    match recado_wire::parse(input, limits) {
        Ok(Parsed::Complete(op, length)) => {
            assert!(length > 0 && length <= input.len(), "length {length}");
            let frame = &input[..length];
            assert_eq!(
                recado_wire::parse(frame, limits),
                Ok(Parsed::Complete(clone(&op), length)),
                "what follows an operation changes nothing about it"
            );
            lies_within(&op, frame);
            beginnings_ask_for_more(frame, length, limits);
            both_paths_agree(frame, limits);
            written_out_reads_the_same(&op);
            Some(length)
        }
        Ok(Parsed::Incomplete(wanted)) => {
            assert!(wanted == 0 || wanted > input.len(), "wanted {wanted}");
            beginnings_ask_for_more(input, wanted, limits);
            both_paths_agree(input, limits);
            complete(input, wanted, limits);
            None
        }
        Ok(Parsed::Unended(bare)) => {
            assert!(input.len() > limits.max_control_line && !input.contains(&b'\n'));
            beginnings_ask_for_more(input, 0, limits);
            let ended = [input, b"\n"].concat();
            let whole = Ok(Parsed::Complete(bare.into(), ended.len()));
            assert_eq!(recado_wire::parse(&ended, limits), whole);
            None
        }
        Err(violation) => {
            beginnings_of_a_violation(input, violation, limits);
            both_paths_agree(input, limits);
            None
        }
    }
}

/// `whole` is the length of the operation where it is known, otherwise 0.
fn beginnings_ask_for_more(frame: &[u8], whole: usize, limits: &ParseLimits) {
    for cut in cuts(frame.len()) {
        match recado_wire::parse(&frame[..cut], limits) {
            Ok(Parsed::Incomplete(wanted)) if wanted == 0 || wanted == whole => {}
            Ok(Parsed::Unended(_)) if cut > limits.max_control_line => {}
            other => panic!("the first {cut} bytes gave {other:?}, {whole} in all"),
        }
    }
}

fn beginnings_of_a_violation(input: &[u8], violation: Violation, limits: &ParseLimits) {
    for cut in cuts(input.len()) {
        match recado_wire::parse(&input[..cut], limits) {
            Ok(Parsed::Incomplete(_)) => {}
            Err(found) if found == violation => {}
            other => panic!("the first {cut} bytes gave {other:?}, all of them {violation:?}"),
        }
    }
}

/// A publish that says how long it is is whole once so many bytes are there.
fn complete(input: &[u8], wanted: usize, limits: &ParseLimits) {
    if wanted == 0 || wanted > COMPLETED_MAX {
        return;
    }
    let mut whole = input.to_vec();
    whole.resize(wanted, b'x');
    whole[wanted - 2..].copy_from_slice(b"\r\n");
    match recado_wire::parse(&whole, limits) {
        Ok(Parsed::Complete(Op::Publish(_), length)) if length == wanted => {}
        other => panic!("with all {wanted} bytes it gave {other:?}"),
    }
}

/// A verb in small letters never takes the hot path, and means the same.
fn both_paths_agree(input: &[u8], limits: &ParseLimits) {
    if let Some((publish, length)) = parse_publish(input, limits) {
        let read = recado_wire::parse(input, limits);
        assert_eq!(read, Ok(Parsed::Complete(Op::Publish(publish), length)));
        assert!(!publish.tail.is_empty(), "the hot path is there for it");
    }
    let Some(args) = input.strip_prefix(b"PUB ") else {
        return;
    };
    let slow = [b"pub ", args].concat();
    match (
        recado_wire::parse(input, limits),
        recado_wire::parse(&slow, limits),
    ) {
        (
            Ok(Parsed::Complete(Op::Publish(hot), hot_length)),
            Ok(Parsed::Complete(Op::Publish(slow), slow_length)),
        ) => {
            assert_eq!(hot_length, slow_length);
            assert_eq!(without_tail(&hot), without_tail(&slow));
        }
        (hot, slow) => assert_eq!(hot, slow),
    }
}

fn without_tail<'a>(publish: &Publish<'a>) -> Publish<'a> {
    Publish {
        tail: b"",
        ..*publish
    }
}

fn lies_within(op: &Op<'_>, frame: &[u8]) {
    let parts: Vec<&[u8]> = match op {
        Op::Publish(p) => {
            assert!(p.header_len <= p.body.len() && !p.subject.is_empty());
            assert!(p.with_headers || p.header_len == 0);
            vec![p.subject, p.reply, p.body, p.tail]
        }
        Op::Subscribe { filter, queue, sid } => {
            assert!(!filter.is_empty() && !sid.is_empty() && *queue != Some(b""));
            vec![filter, queue.unwrap_or_default(), sid]
        }
        Op::Unsubscribe { sid, .. } => {
            assert!(!sid.is_empty());
            vec![sid]
        }
        Op::Connect(json) => vec![json],
        Op::Ping | Op::Pong | Op::Ignored => Vec::new(),
    };
    let whole = frame.as_ptr_range();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        let part = part.as_ptr_range();
        assert!(whole.start <= part.start && part.end <= whole.end);
    }
}

fn written_out_reads_the_same(op: &Op<'_>) {
    let mut out = Vec::new();
    match op {
        Op::Publish(publish) => return publish_reads_the_same(publish),
        Op::Subscribe { filter, queue, sid } => {
            let words = [Some(&b"SUB"[..]), Some(*filter), *queue, Some(*sid)];
            out = words.into_iter().flatten().collect::<Vec<_>>().join(&b' ');
        }
        Op::Unsubscribe { sid, max } => {
            out.extend_from_slice(b"UNSUB ");
            out.extend_from_slice(sid);
            out.extend_from_slice(format!(" {max}").as_bytes());
        }
        Op::Connect(json) => {
            out.extend_from_slice(b"CONNECT ");
            out.extend_from_slice(json);
        }
        Op::Ping => out.extend_from_slice(b"PING"),
        Op::Pong => out.extend_from_slice(b"PONG"),
        Op::Ignored => out.extend_from_slice(b"+OK"),
    }
    out.extend_from_slice(b"\r\n");
    let read = recado_wire::parse(&out, &LIMITS[0]);
    assert_eq!(read, Ok(Parsed::Complete(clone(op), out.len())));
}

fn publish_reads_the_same(publish: &Publish<'_>) {
    let (headers, payload) = publish.body.split_at(publish.header_len);
    let block = publish.with_headers.then_some(headers);
    let Publish { subject, reply, .. } = *publish;

    let mut out = Vec::new();
    push_publish(&mut out, subject, reply, block, payload);
    match recado_wire::parse(&out, &LIMITS[0]) {
        Ok(Parsed::Complete(Op::Publish(read), length)) => {
            assert_eq!(length, out.len());
            // A header block of no bytes is written as none.
            let with_headers = publish.header_len > 0;
            let expected = Publish {
                with_headers,
                ..without_tail(publish)
            };
            assert_eq!(without_tail(&read), expected);
        }
        other => panic!("written as {:?} it gave {other:?}", out.escape_ascii()),
    }

    let mut out = Vec::new();
    push_message(&mut out, subject, b"7", reply, block, payload);
    let message = ServerFrame::Message {
        subject,
        sid: b"7",
        reply,
        headers,
        payload,
    };
    let read = parse_server_frame(&out);
    assert_eq!(read, ServerParsed::Complete(message, out.len()));

    if !publish.tail.is_empty() {
        let verb: &[u8] = if publish.with_headers {
            b"HMSG"
        } else {
            b"MSG"
        };
        let reused = [verb, b" ", subject, b" 7 ", publish.tail].concat();
        assert_eq!(reused, out, "the tail is what MSG says behind its sid");
    }
}

/// `Op` is handed out once; a check needs it twice.
fn clone<'a>(op: &Op<'a>) -> Op<'a> {
    match *op {
        Op::Publish(publish) => Op::Publish(publish),
        Op::Subscribe { filter, queue, sid } => Op::Subscribe { filter, queue, sid },
        Op::Unsubscribe { sid, max } => Op::Unsubscribe { sid, max },
        Op::Connect(json) => Op::Connect(json),
        Op::Ping => Op::Ping,
        Op::Pong => Op::Pong,
        Op::Ignored => Op::Ignored,
    }
}
