//! What [`parse`](super::parse) reads and refuses.

use super::*;
use proptest::prelude::*;

const LIMITS: ParseLimits = ParseLimits {
    max_control_line: 64,
    max_payload: 100,
};

fn one(input: &[u8]) -> Result<Parsed<'_>, Violation> {
    parse(input, &LIMITS)
}

fn publish(input: &[u8]) -> Publish<'_> {
    match one(input) {
        Ok(Parsed::Complete(Op::Publish(publish), length)) => {
            assert_eq!(length, input.len());
            publish
        }
        other => panic!("{input:?} gave {other:?}"),
    }
}

#[test]
fn a_plain_publish_keeps_its_tail_for_reuse() {
    let message = publish(b"PUB a.b 5\r\nhello\r\n");
    assert_eq!(message.subject, b"a.b");
    assert_eq!(message.reply, b"");
    assert_eq!(message.body, b"hello");
    assert_eq!(message.tail, b"5\r\nhello\r\n");
    let message = publish(b"PUB a.b 9in.box 0\r\n\r\n");
    assert_eq!(message.reply, b"9in.box");
    assert_eq!(message.tail, b"9in.box 0\r\n\r\n");
}

#[test]
fn spacing_case_and_zeros_are_accepted_but_not_reused() {
    for input in [
        &b"pub a.b 5\r\nhello\r\n"[..],
        b"PUB  a.b 5\r\nhello\r\n",
        b"PUB a.b\t5\r\nhello\r\n",
        b"PUB a.b 05\r\nhello\r\n",
        b"PUB a.b 5 \r\nhello\r\n",
        b"PUB a.b 5\nhello\r\n",
    ] {
        let message = publish(input);
        assert_eq!(
            (message.subject, message.body, message.tail),
            (&b"a.b"[..], &b"hello"[..], &b""[..])
        );
    }
}

#[test]
fn a_publish_with_headers_is_split_by_its_first_size() {
    let message = publish(b"HPUB s r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    assert!(message.with_headers);
    assert_eq!((message.header_len, message.body.len()), (12, 14));
    assert_eq!(message.tail, b"r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    assert_eq!(
        publish(b"hpub s  12 14\r\nNATS/1.0\r\n\r\nhi\r\n").tail,
        b""
    );
    assert_eq!(one(b"HPUB s 15 14\r\n"), Err(Violation::Arguments));
    assert_eq!(one(b"HPUB s 14\r\n"), Err(Violation::Arguments));
}

#[test]
fn publishes_with_wrong_arguments_are_refused() {
    for input in [
        "PUB a\r\n",
        "PUB a b c 5\r\n",
        "PUB a -1\r\n",
        "PUB a x\r\n",
        "PUB a 9999999999\r\n",
        "PUB a 0000000001\r\nx\r\n",
        "PUB a r 0000000001\r\nx\r\n",
        "HPUB a 0000000012 14\r\n",
        "PUB \r\n",
    ] {
        assert_eq!(
            one(input.as_bytes()),
            Err(Violation::Arguments),
            "{input:?}"
        );
    }
}

#[test]
fn a_payload_must_fit_and_end_in_its_line_end() {
    assert_eq!(one(b"PUB a 101\r\n"), Err(Violation::Payload));
    assert_eq!(one(b"PUB a 1\r\nxy\r\n"), Err(Violation::UnknownOperation));
    assert_eq!(one(b"PUB a 1\r\nx\ry"), Err(Violation::UnknownOperation));
    assert_eq!(one(b"PUB a 5\r\nhel"), Ok(Parsed::Incomplete(16)));
}

#[test]
fn the_other_verbs_are_read_in_any_case() {
    let sub = |filter, queue, sid| Ok(Op::Subscribe { filter, queue, sid });
    let op = |input| {
        one(input).map(|parsed| match parsed {
            Parsed::Complete(op, _) => op,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(op(b"SUB a 1\r\n"), sub(b"a", None, b"1"));
    assert_eq!(op(b"sub a q 1\n"), sub(b"a", Some(b"q"), b"1"));
    assert_eq!(op(b"SUB a\r\n"), Err(Violation::Arguments));
    assert_eq!(op(b"SUB a q 1 2\r\n"), Err(Violation::Arguments));
    assert_eq!(
        op(b"UNSUB 1\r\n"),
        Ok(Op::Unsubscribe { sid: b"1", max: 0 })
    );
    assert_eq!(
        op(b"UNSUB 1 7\r\n"),
        Ok(Op::Unsubscribe { sid: b"1", max: 7 })
    );
    assert_eq!(
        op(b"UNSUB 1 9999999999\r\n"),
        Ok(Op::Unsubscribe { sid: b"1", max: 0 }),
        "as nats-server takes what is no count"
    );
    assert_eq!(op(b"ping\r\n"), Ok(Op::Ping));
    assert_eq!(op(b"PONG whatever\r\n"), Ok(Op::Pong));
    assert_eq!(op(b"CONNECT {}\r\n"), Ok(Op::Connect(b"{}")));
    assert_eq!(op(b"CONNECT{}\r\n"), Ok(Op::Connect(b"{}")));
    assert_eq!(op(b"CONNECT\r\n"), Ok(Op::Connect(b"")));
    assert_eq!(op(b"+OK\r\n"), Ok(Op::Ignored));
    assert_eq!(op(b"INFO {}\r\n"), Ok(Op::Ignored));
    assert_eq!(op(b"-ERR 'x'\r\n"), Err(Violation::ClientError));
}

#[test]
fn what_is_no_verb_is_refused_at_its_first_wrong_byte() {
    for input in [
        "X",
        "PUX",
        "PUBx",
        "\r\n",
        "GET / HTTP/1.1",
        "SUBa",
        "RS+ a",
    ] {
        assert_eq!(
            one(input.as_bytes()),
            Err(Violation::UnknownOperation),
            "{input:?}"
        );
    }
    for input in ["P", "PU", "PUB", "PUB ", "CONN", "UNSU", "pin"] {
        assert_eq!(
            one(input.as_bytes()),
            Ok(Parsed::Incomplete(0)),
            "{input:?}"
        );
    }
}

#[test]
fn a_line_past_the_limit_is_refused_before_and_after_its_end() {
    let args = format!("{} 1", "s".repeat(LIMITS.max_control_line - 2));
    assert!(matches!(
        one(format!("SUB {args}\r\n").as_bytes()),
        Ok(Parsed::Complete(..))
    ));
    assert_eq!(
        one(format!("SUB {args}2\r\n").as_bytes()),
        Err(Violation::ControlLine)
    );
    assert_eq!(
        one(format!("SUB {args}222").as_bytes()),
        Err(Violation::ControlLine)
    );
    let publish = format!("PUB {} 1\r\nx\r\n", "s".repeat(LIMITS.max_control_line));
    assert_eq!(one(publish.as_bytes()), Err(Violation::ControlLine));
}

#[test]
fn blanks_past_the_limit_are_refused_however_the_input_is_cut() {
    for verb in ["CONNECT", "PUB"] {
        let input = format!(
            "{verb}{}a 0\r\n\r\n",
            " ".repeat(LIMITS.max_control_line + 1)
        );
        let input = input.as_bytes();
        assert_eq!(one(input), Err(Violation::ControlLine));
        assert_eq!(one(&input[..input.len() - 7]), Err(Violation::ControlLine));
    }
}

#[test]
fn a_line_without_arguments_may_have_any_length() {
    for (verb, bare, op) in [
        ("PING", Bare::Ping, Op::Ping),
        ("PONG ", Bare::Pong, Op::Pong),
        ("+OK", Bare::Ok, Op::Ignored),
    ] {
        let long = format!("{verb}{}", "x".repeat(LIMITS.max_control_line));
        assert_eq!(one(&long.as_bytes()[..20]), Ok(Parsed::Incomplete(0)));
        let longer = format!("{long}x");
        assert_eq!(one(longer.as_bytes()), Ok(Parsed::Unended(bare)));
        let ended = format!("{longer}\nPUB");
        assert_eq!(
            one(ended.as_bytes()),
            Ok(Parsed::Complete(op, ended.len() - 3))
        );
    }
}

fn whole(input: &[u8]) -> Vec<String> {
    let (mut at, mut ops) = (0, Vec::new());
    while let Ok(Parsed::Complete(op, length)) = one(&input[at..]) {
        ops.push(format!("{op:?}"));
        at += length;
    }
    ops
}

proptest! {
    #[test]
    fn no_input_panics_and_no_length_lies(input in proptest::collection::vec(any::<u8>(), 0..300)) {
        match one(&input) {
            Ok(Parsed::Complete(_, length)) => prop_assert!(length > 0 && length <= input.len()),
            Ok(Parsed::Incomplete(wanted)) => prop_assert!(wanted == 0 || wanted > input.len()),
            Ok(Parsed::Unended(_)) | Err(_) => {}
        }
        let _ = announced(&input);
    }

    #[test]
    fn what_a_publish_announces_is_known_before_its_body_comes(
        verb in "(?i)h?pub",
        subject in "[a-z.]{1,12}",
        reply in proptest::option::of("[a-z0-9.]{1,9}"),
        bytes in 0usize..1_000_000_000,
    ) {
        let reply = reply.unwrap_or_default();
        let headers = if verb.len() == 4 { "12" } else { "" };
        let line = format!("{verb} {subject} {reply} {headers} {bytes}\r\n");
        prop_assert_eq!(announced(line.as_bytes()), Some((subject.as_bytes(), bytes)));
        let other = format!("SUB {subject} {bytes}\r\n");
        prop_assert_eq!(announced(other.as_bytes()), None);
        prop_assert_eq!(announced(line.trim_end().as_bytes()), None);
    }

    #[test]
    fn splitting_at_any_byte_changes_nothing(
        subject in "[a-z.*>]{1,12}",
        reply in proptest::option::of("[a-z0-9.]{1,9}"),
        body in proptest::collection::vec(any::<u8>(), 0..40),
        gap in "[ \t]{1,2}",
        cut in 0usize..100,
    ) {
        let reply = reply.map(|reply| format!("{reply}{gap}")).unwrap_or_default();
        let mut input = format!("PUB{gap}{subject}{gap}{reply}{}\r\n", body.len()).into_bytes();
        input.extend_from_slice(&body);
        input.extend_from_slice(b"\r\nPING\r\nSUB a 1\r\n");
        let all = whole(&input);
        prop_assert_eq!(all.len(), 3);
        let cut = cut.min(input.len());
        prop_assert!(one(&input[..cut]).is_ok());
        // The slow path agrees with the hot one on everything but the tail.
        if let (Ok(Parsed::Complete(Op::Publish(fast), a)), Ok(Parsed::Complete(Op::Publish(slow), b))) =
            (one(&input), parse_line(&input, &LIMITS))
        {
            prop_assert_eq!(a, b);
            prop_assert_eq!(Publish { tail: b"", ..fast }, slow);
        } else {
            prop_assert!(false, "both read the publish");
        }
    }
}
