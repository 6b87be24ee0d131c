//! The protocol's frames as a client meets them: bytes in, frames out.

use recado_wire::{ServerParsed, parse_server_frame};

use super::Outgoing;

/// Something that the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Its description, as JSON; comes again when something about the server changes.
    Info(Vec<u8>),
    /// It wants to know whether we live.
    Ping,
    /// All that was sent before our PING has been processed.
    Pong,
    /// A message for a subscription of ours; what is in it is not needed here.
    Message,
    /// An acknowledgement of verbose mode, which we don't ask for.
    Ok,
    /// An error, without its quotes.
    Error(String),
}

/// The bytes are not the protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The frame at the start of `input` and its length, or `None` while its line is not complete.
pub(crate) fn parse(input: &[u8]) -> Result<Option<(Frame, usize)>, Malformed> {
    let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
        return if may_begin_frame(input) {
            Ok(None)
        } else {
            Err(Malformed)
        };
    };
    let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
    let verb_end = line
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(line.len());
    let (verb, rest) = line.split_at(verb_end);
    let frame = match verb.to_ascii_uppercase().as_slice() {
        b"INFO" => Frame::Info(rest.trim_ascii().to_vec()),
        b"PING" => Frame::Ping,
        b"MSG" | b"HMSG" => {
            return match parse_server_frame(input) {
                ServerParsed::Complete(_, used) => Ok(Some((Frame::Message, used))),
                ServerParsed::Incomplete => Ok(None),
                ServerParsed::Malformed => Err(Malformed),
            };
        }
        b"PONG" => Frame::Pong,
        b"+OK" => Frame::Ok,
        b"-ERR" => {
            let said = String::from_utf8_lossy(rest.trim_ascii()).into_owned();
            Frame::Error(said.trim_matches('\'').to_owned())
        }
        _ => return Err(Malformed),
    };
    Ok(Some((frame, end + 1)))
}

/// Whether more bytes could make a frame of these: tells a stranger before its first line ends.
fn may_begin_frame(input: &[u8]) -> bool {
    ["INFO ", "PING", "PONG", "+OK", "-ERR ", "MSG ", "HMSG "]
        .iter()
        .any(|verb| {
            let shared = verb.len().min(input.len());
            input[..shared].eq_ignore_ascii_case(&verb.as_bytes()[..shared])
        })
}

/// Appends `PUB` or `HPUB` with its payload.
pub(crate) fn write_publish(output: &mut Vec<u8>, message: Outgoing<'_>) {
    let Outgoing {
        subject,
        reply,
        headers,
        payload,
    } = message;
    output.extend_from_slice(if headers.is_empty() {
        b"PUB "
    } else {
        b"HPUB "
    });
    output.extend_from_slice(subject.as_bytes());
    if let Some(reply) = reply {
        output.push(b' ');
        output.extend_from_slice(reply.as_bytes());
    }
    if !headers.is_empty() {
        output.extend_from_slice(format!(" {}", headers.len()).as_bytes());
    }
    output.extend_from_slice(format!(" {}\r\n", headers.len() + payload.len()).as_bytes());
    output.extend_from_slice(headers);
    output.extend_from_slice(payload);
    output.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_whatever_their_case_and_line_end() {
        assert_eq!(parse(b"PONG\r\nrest"), Ok(Some((Frame::Pong, 6))));
        assert_eq!(parse(b"ping\n"), Ok(Some((Frame::Ping, 5))));
        assert_eq!(parse(b"+OK\r\n"), Ok(Some((Frame::Ok, 5))));
        assert_eq!(
            parse(b"INFO {\"a\":1} \r\n"),
            Ok(Some((Frame::Info(b"{\"a\":1}".to_vec()), 15)))
        );
        let error = Frame::Error("Authorization Violation".into());
        assert_eq!(
            parse(b"-ERR 'Authorization Violation'\r\n"),
            Ok(Some((error, 32)))
        );
    }

    #[test]
    fn an_incomplete_line_waits_and_a_strangers_first_bytes_do_not() {
        assert_eq!(parse(b""), Ok(None));
        assert_eq!(parse(b"INF"), Ok(None));
        assert_eq!(parse(b"INFO {"), Ok(None));
        assert_eq!(parse(b"SSH-2.0-x"), Err(Malformed));
        assert_eq!(parse(b"HTTP/1.1 400 Bad Request\r\n"), Err(Malformed));
        assert_eq!(parse(b"\x15\x03\x01"), Err(Malformed));
    }

    #[test]
    fn publishes_are_written_as_the_protocol_spells_them() {
        let mut output = Vec::new();
        let plain = Outgoing {
            subject: "a.b",
            reply: None,
            headers: b"",
            payload: b"hola",
        };
        write_publish(&mut output, plain);
        assert_eq!(output, b"PUB a.b 4\r\nhola\r\n");
        output.clear();
        let headers = b"NATS/1.0\r\nA: 1\r\n\r\n";
        write_publish(
            &mut output,
            Outgoing {
                reply: Some("r"),
                headers,
                ..plain
            },
        );
        assert_eq!(
            output,
            b"HPUB a.b r 18 22\r\nNATS/1.0\r\nA: 1\r\n\r\nhola\r\n"
        );
    }
}
