//! Reads what a server sends, for clients and for the server's own services: MSG, HMSG, INFO,
//! PING, PONG, +OK and -ERR. Like [`parse`](crate::parse()) it keeps no state.

use crate::parse::{DIGITS_MAX, decimal, token_end};

/// One frame of a server.
#[derive(Debug, PartialEq, Eq)]
pub enum ServerFrame<'a> {
    /// MSG or HMSG.
    Message {
        /// Subject it was published on.
        subject: &'a [u8],
        /// Which subscription it is for.
        sid: &'a [u8],
        /// Reply subject; empty if none.
        reply: &'a [u8],
        /// Header block; empty for MSG.
        headers: &'a [u8],
        /// Payload without headers.
        payload: &'a [u8],
    },
    /// INFO with its JSON.
    Info(&'a [u8]),
    /// PING.
    Ping,
    /// PONG.
    Pong,
    /// +OK.
    Ok,
    /// The text between the quotes of -ERR.
    Err(&'a [u8]),
}

/// What one call of [`parse_server_frame`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum ServerParsed<'a> {
    /// A frame, and how many bytes of the input it took.
    Complete(ServerFrame<'a>, usize),
    /// More input is needed.
    Incomplete,
    /// This is not what a NATS server says.
    Malformed,
}

/// Reads the frame at the start of `input`.
#[inline]
pub fn parse_server_frame(input: &[u8]) -> ServerParsed<'_> {
    match whole_message(input) {
        Some((message, length)) => ServerParsed::Complete(message, length),
        None => parse_line(input),
    }
}

/// The hot path: a whole MSG as every server writes it, with single spaces. `None` is no verdict.
#[inline]
fn whole_message(input: &[u8]) -> Option<(ServerFrame<'_>, usize)> {
    let rest = input.strip_prefix(b"MSG ")?;
    let subject_end = token_end(rest, 0)?;
    let sid_end = token_end(rest, subject_end + 1)?;
    let reply_start = sid_end + 1;
    let (mut reply_end, mut at) = (reply_start, reply_start);
    let (mut size, mut size_end) = decimal(rest, at);
    if rest.get(size_end) != Some(&b'\r') {
        reply_end = token_end(rest, at)?;
        at = reply_end + 1;
        (size, size_end) = decimal(rest, at);
    }
    let digits = size_end - at;
    if digits == 0 || digits > DIGITS_MAX {
        return None;
    }
    let body_start = size_end + 2;
    let body_end = body_start + size;
    let ends =
        rest.get(size_end..body_start)? == b"\r\n" && rest.get(body_end..body_end + 2)? == b"\r\n";
    let message = ServerFrame::Message {
        subject: rest.get(..subject_end)?,
        sid: rest.get(subject_end + 1..sid_end)?,
        reply: rest.get(reply_start..reply_end)?,
        headers: b"",
        payload: rest.get(body_start..body_end)?,
    };
    ends.then_some((message, body_end + 6))
}

/// Everything but the hot path.
fn parse_line(input: &[u8]) -> ServerParsed<'_> {
    let Some(newline) = memchr::memchr(b'\n', input) else {
        return ServerParsed::Incomplete;
    };
    let line = input.get(..newline).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // As every server writes it.
    if let Some(args) = line.strip_prefix(b"HMSG ") {
        return message(input, trim_blank(args), newline + 1, true);
    }
    let split = line
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(line.len());
    let (verb, args) = line.split_at(split);
    let args = trim_blank(args);
    let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
    let frame = if is(b"MSG") {
        return message(input, args, newline + 1, false);
    } else if is(b"HMSG") {
        return message(input, args, newline + 1, true);
    } else if is(b"INFO") {
        ServerFrame::Info(args)
    } else if is(b"PING") {
        ServerFrame::Ping
    } else if is(b"PONG") {
        ServerFrame::Pong
    } else if is(b"+OK") {
        ServerFrame::Ok
    } else if is(b"-ERR") {
        let text = args.strip_prefix(b"'").unwrap_or(args);
        ServerFrame::Err(text.strip_suffix(b"'").unwrap_or(text))
    } else {
        return ServerParsed::Malformed;
    };
    ServerParsed::Complete(frame, newline + 1)
}

fn message<'a>(
    input: &'a [u8],
    args: &'a [u8],
    line_len: usize,
    with_headers: bool,
) -> ServerParsed<'a> {
    // One more than there may be, so that too many are seen. No allocation: streams take every message in so.
    let mut words: [&[u8]; 6] = [b""; 6];
    let mut count = 0;
    let mut from = 0;
    for to in memchr::memchr_iter(b' ', args).chain([args.len()]) {
        let word = args.get(from..to).unwrap_or_default();
        from = to + 1;
        if word.is_empty() {
            continue;
        }
        let Some(place) = words.get_mut(count) else {
            return ServerParsed::Malformed;
        };
        *place = word;
        count += 1;
    }
    let words = words.get(..count).unwrap_or_default();
    let (subject, sid, reply, header_len, total) = match (with_headers, words) {
        (false, [subject, sid, total]) => (*subject, *sid, &b""[..], Some(0), number(total)),
        (false, [subject, sid, reply, total]) => (*subject, *sid, *reply, Some(0), number(total)),
        (true, [subject, sid, head, total]) => {
            (*subject, *sid, &b""[..], number(head), number(total))
        }
        (true, [subject, sid, reply, head, total]) => {
            (*subject, *sid, *reply, number(head), number(total))
        }
        _ => return ServerParsed::Malformed,
    };
    let (Some(header_len), Some(total)) = (header_len, total) else {
        return ServerParsed::Malformed;
    };
    let end = line_len + total;
    if input.len() < end + 2 {
        return ServerParsed::Incomplete;
    }
    let body = input.get(line_len..end).unwrap_or_default();
    let Some((headers, payload)) = body.split_at_checked(header_len) else {
        return ServerParsed::Malformed;
    };
    if input.get(end..end + 2) != Some(b"\r\n") {
        return ServerParsed::Malformed;
    }
    ServerParsed::Complete(
        ServerFrame::Message {
            subject,
            sid,
            reply,
            headers,
            payload,
        },
        end + 2,
    )
}

/// Takes blanks off both ends. Other white space may stand in a subject.
fn trim_blank(args: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    let start = args.iter().position(|byte| !blank(byte));
    let end = args.iter().rposition(|byte| !blank(byte));
    match (start, end) {
        (Some(start), Some(end)) => args.get(start..=end).unwrap_or_default(),
        _ => b"",
    }
}

fn number(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || digits.len() > 10 {
        return None;
    }
    digits.iter().try_fold(0, |number: usize, byte| {
        let digit = byte.wrapping_sub(b'0');
        let number = number.checked_mul(10)?.checked_add(digit.into())?;
        (digit <= 9).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProtocolError, push_err, push_message};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            subject in "[a-z.]{1,9}", sid in "[0-9]{1,3}", reply in "[a-z]{0,4}",
            headers in proptest::option::of(Just(&b"NATS/1.0\r\nA: b\r\n\r\n"[..])),
            payload in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut out = Vec::new();
            push_message(&mut out, subject.as_bytes(), sid.as_bytes(), reply.as_bytes(), headers, &payload);
            let frame = ServerFrame::Message {
                subject: subject.as_bytes(), sid: sid.as_bytes(), reply: reply.as_bytes(),
                headers: headers.unwrap_or_default(), payload: &payload,
            };
            prop_assert_eq!(parse_server_frame(&out), ServerParsed::Complete(frame, out.len()));
            for cut in 0..out.len() {
                prop_assert_eq!(parse_server_frame(&out[..cut]), ServerParsed::Incomplete);
            }
        }

        #[test]
        fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_server_frame(&input);
        }
    }

    #[test]
    fn a_message_that_is_written_in_another_way_is_read_all_the_same() {
        let message = |subject, sid, reply, payload| ServerFrame::Message {
            subject,
            sid,
            reply,
            headers: b"",
            payload,
        };
        let cases: [(&[u8], ServerFrame<'_>); 6] = [
            (b"MSG a 1 2\r\nhi\r\n", message(b"a", b"1", b"", b"hi")),
            (b"MSG a 1 3 2\r\nhi\r\n", message(b"a", b"1", b"3", b"hi")),
            (b"MSG a 1 3x 2\r\nhi\r\n", message(b"a", b"1", b"3x", b"hi")),
            (
                b"MSG  a\t 1  002 \r\nhi\r\n",
                message(b"a\t", b"1", b"", b"hi"),
            ),
            (b"MSG a 1 2\nhi\r\n", message(b"a", b"1", b"", b"hi")),
            (b"msg a 1 r 0\r\n\r\n", message(b"a", b"1", b"r", b"")),
        ];
        for (input, expected) in cases {
            let text = String::from_utf8_lossy(input);
            assert_eq!(
                parse_server_frame(input),
                ServerParsed::Complete(expected, input.len()),
                "{text}"
            );
        }
        for input in [
            &b"MSG a 1 2\r\nhi!\r\n"[..],
            b"MSG a 2\r\n",
            b"MSG a 1 r 3 x\r\n",
            b"MSG a 1 12345678901\r\n",
        ] {
            let text = String::from_utf8_lossy(input);
            assert_eq!(parse_server_frame(input), ServerParsed::Malformed, "{text}");
        }
        assert_eq!(
            parse_server_frame(b"MSG a 1 2\r\nhi\r"),
            ServerParsed::Incomplete
        );
    }

    proptest! {
        #[test]
        fn the_hot_path_agrees_with_the_other(
            words in proptest::collection::vec("[a-z0-9.\\t]{1,4}", 1..6), size in 0usize..12, payload in "[a-z\r\n]{0,14}",
            blank in "( |  )", end in "(\r\n|\n)",
        ) {
            let input = format!("MSG {}{blank}{size}{end}{payload}\r\n", words.join(" "));
            if let Some((message, length)) = whole_message(input.as_bytes()) {
                prop_assert_eq!(parse_line(input.as_bytes()), ServerParsed::Complete(message, length));
            }
        }
    }

    #[test]
    fn a_subject_may_begin_with_any_byte_that_is_no_blank() {
        let mut out = Vec::new();
        push_message(&mut out, b"\x0ca", b"1", b"", None, b"");
        assert!(matches!(
            parse_server_frame(&out),
            ServerParsed::Complete(
                ServerFrame::Message {
                    subject: b"\x0ca",
                    ..
                },
                _
            )
        ));
    }

    #[test]
    fn errors_are_read_without_their_quotes() {
        let mut out = Vec::new();
        push_err(&mut out, &ProtocolError::StaleConnection);
        let frame = ServerFrame::Err(b"Stale Connection");
        assert_eq!(
            parse_server_frame(&out),
            ServerParsed::Complete(frame, out.len())
        );
    }
}
