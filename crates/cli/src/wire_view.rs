//! The protocol as it crosses a connection, frame by frame: what `--wire` shows.
//!
//! Secrets in CONNECT are replaced before anything is shown, and nothing that came over the network
//! controls the terminal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use recado_wire::{Op, ParseLimits, Parsed, ServerFrame, ServerParsed, parse, parse_server_frame};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::line::{Direction, Tap};
use crate::shown;
use crate::span;
use crate::terminal::Out;
use crate::text::wire as text;

/// So much of a line, and of a body, is shown to people.
const HEAD_CHARS_MAX: usize = 400;
const BODY_BYTES_MAX: usize = 400;

/// What we sent ourselves is read with these.
const LIMITS: ParseLimits = ParseLimits {
    max_control_line: 1 << 20,
    max_payload: 1 << 30,
};

/// What of CONNECT nobody may see.
const SECRETS: [&str; 4] = ["auth_token", "pass", "jwt", "sig"];

/// Shows the frames of one connection after the other.
#[derive(Clone)]
pub(crate) struct WireView(Arc<Mutex<View>>);

struct View {
    out: Out,
    as_json: bool,
    start: Instant,
    to_server: Vec<u8>,
    from_server: Vec<u8>,
    messages: u64,
    failed: Option<Failure>,
}

/// A frame as it is shown.
struct Shown<'a> {
    verb: &'static str,
    head: String,
    /// Header block and payload, for frames that have them.
    body: Option<(&'a [u8], &'a [u8])>,
    note: String,
}

impl WireView {
    /// Nothing passed yet; times count from now.
    pub(crate) fn new(as_json: bool) -> Self {
        Self(Arc::new(Mutex::new(View {
            out: Out::new(),
            as_json,
            start: Instant::now(),
            to_server: Vec::new(),
            from_server: Vec::new(),
            messages: 0,
            failed: None,
        })))
    }

    /// What to look through: see [`crate::settings::Settings::tapped`].
    pub(crate) fn tap(&self) -> Tap {
        let view = self.clone();
        Tap::new(move |direction, bytes| view.lock().passed(direction, bytes))
    }

    /// How many messages came.
    pub(crate) fn messages(&self) -> u64 {
        self.lock().messages
    }

    /// Why the frames could not be shown, if so.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.lock().failed.clone()
    }

    /// Another connection begins: what the last one left unfinished is not its own.
    pub(crate) fn again(&self) {
        let mut view = self.lock();
        view.to_server.clear();
        view.from_server.clear();
    }

    fn lock(&self) -> MutexGuard<'_, View> {
        // What is half shown is shown again or not at all; neither does harm.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    fn passed(&mut self, direction: Direction, bytes: &[u8]) {
        let mut input = match direction {
            Direction::ToServer => std::mem::take(&mut self.to_server),
            Direction::FromServer => std::mem::take(&mut self.from_server),
        };
        input.extend_from_slice(bytes);
        let mut at = 0;
        while let Some((shown, used)) = next(direction, &input[at..]) {
            if direction == Direction::FromServer && shown.body.is_some() {
                self.messages += 1;
            }
            let written = self.show(direction, &shown, used);
            self.failed = self.failed.take().or(written.err());
            at += used;
        }
        input.drain(..at);
        match direction {
            Direction::ToServer => self.to_server = input,
            Direction::FromServer => self.from_server = input,
        }
    }

    fn show(
        &mut self,
        direction: Direction,
        shown: &Shown<'_>,
        bytes: usize,
    ) -> Result<(), Failure> {
        if self.as_json {
            let object = self.json(direction, shown, bytes);
            self.out.json(&object)?;
            return self.out.flush();
        }
        let arrow = match direction {
            Direction::ToServer => "→",
            Direction::FromServer => "←",
        };
        let time = format!("{:>12}", span::millis(self.start.elapsed()));
        let (time, end) = (self.out.dim(&time), self.out.dim("\\r\\n"));
        let head = shortened(&shown.head);
        let note = self.out.dim(&format!("— {}", shown.note));
        self.out
            .line(&format!("{time} {arrow} {head}{end}  {note}"))?;
        if let Some((headers, payload)) = shown.body {
            for part in [headers, payload].iter().filter(|part| !part.is_empty()) {
                let line = format!("{:>14} {}", "", escaped(part));
                self.out.line(&line)?;
            }
        }
        self.out.flush()
    }

    fn json(&self, direction: Direction, shown: &Shown<'_>, bytes: usize) -> Value {
        let mut object = Map::new();
        object.insert("time".into(), shown::timestamp().into());
        let at = span::millis_number(self.start.elapsed());
        object.insert("at_ms".into(), json!(at));
        object.insert(
            "direction".into(),
            match direction {
                Direction::ToServer => "to_server".into(),
                Direction::FromServer => "from_server".into(),
            },
        );
        object.insert("verb".into(), shown.verb.into());
        object.insert("line".into(), shown.head.as_str().into());
        object.insert("bytes".into(), bytes.into());
        if let Some((headers, payload)) = shown.body {
            if !headers.is_empty() {
                let headers = String::from_utf8_lossy(headers);
                object.insert("headers".into(), headers.into());
            }
            match std::str::from_utf8(payload) {
                Ok(words) => object.insert("payload".into(), words.into()),
                Err(_) => object.insert("payload_base64".into(), STANDARD.encode(payload).into()),
            };
        }
        object.into()
    }
}

/// The frame at the start of what passed, and its length.
fn next(direction: Direction, input: &[u8]) -> Option<(Shown<'_>, usize)> {
    match direction {
        Direction::ToServer => match parse(input, &LIMITS) {
            Ok(Parsed::Complete(op, used)) => Some((ours(&op, head(input)), used)),
            Ok(_) | Err(_) => None,
        },
        Direction::FromServer => match parse_server_frame(input) {
            ServerParsed::Complete(frame, used) => Some((theirs(&frame, head(input)), used)),
            ServerParsed::Incomplete | ServerParsed::Malformed => None,
        },
    }
}

/// The first line, without its end.
fn head(input: &[u8]) -> String {
    let line = input
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = String::from_utf8_lossy(line);
    crate::terminal::harmless(&line).into_owned()
}

fn ours<'a>(op: &Op<'a>, head: String) -> Shown<'a> {
    let shown = |verb, note: String| (verb, note, None);
    let (verb, note, body) = match op {
        Op::Connect(json) => {
            return Shown {
                verb: "CONNECT",
                head: format!("CONNECT {}", without_secrets(json)),
                body: None,
                note: text::connect().to_owned(),
            };
        }
        Op::Publish(message) => {
            let (headers, payload) = message.body.split_at(message.header_len);
            let verb = if message.with_headers { "HPUB" } else { "PUB" };
            let note = text::publish(&shown::size(message.body.len() as u64));
            (verb, note, Some((headers, payload)))
        }
        Op::Subscribe { sid, .. } => shown("SUB", text::subscribe(&lossy(sid))),
        Op::Unsubscribe { sid, max } => shown("UNSUB", text::unsubscribe(&lossy(sid), *max)),
        Op::Ping => shown("PING", text::our_ping().to_owned()),
        Op::Pong => shown("PONG", text::our_pong().to_owned()),
        Op::Ignored => shown("+OK", text::ok().to_owned()),
    };
    Shown {
        verb,
        head,
        body,
        note,
    }
}

fn theirs<'a>(frame: &ServerFrame<'a>, head: String) -> Shown<'a> {
    let shown = |verb, note: &str| (verb, note.to_owned(), None);
    let (verb, note, body) = match frame {
        ServerFrame::Message {
            sid,
            headers,
            payload,
            ..
        } => {
            let verb = if headers.is_empty() { "MSG" } else { "HMSG" };
            let size = shown::size((headers.len() + payload.len()) as u64);
            (
                verb,
                text::message(&lossy(sid), &size),
                Some((*headers, *payload)),
            )
        }
        ServerFrame::Info(_) => shown("INFO", text::info()),
        ServerFrame::Ping => shown("PING", text::their_ping()),
        ServerFrame::Pong => shown("PONG", text::their_pong()),
        ServerFrame::Ok => shown("+OK", text::ok()),
        ServerFrame::Err(_) => shown("-ERR", text::error()),
    };
    Shown {
        verb,
        head,
        body,
        note,
    }
}

fn lossy(bytes: &[u8]) -> String {
    crate::terminal::harmless(&String::from_utf8_lossy(bytes)).into_owned()
}

/// CONNECT's options, with what is secret replaced. What can't be read is not shown at all.
fn without_secrets(json: &[u8]) -> String {
    let Ok(Value::Object(mut options)) = serde_json::from_slice(json) else {
        return text::hidden().to_owned();
    };
    for (key, value) in &mut options {
        if SECRETS.contains(&key.to_lowercase().as_str()) {
            *value = text::hidden().into();
        }
    }
    Value::Object(options).to_string()
}

fn shortened(head: &str) -> String {
    if head.chars().count() <= HEAD_CHARS_MAX {
        return head.to_owned();
    }
    let start: String = head.chars().take(HEAD_CHARS_MAX).collect();
    format!("{start}…")
}

/// A body with every control character spelled out, ends of lines too, and its own end.
fn escaped(body: &[u8]) -> String {
    let cut = &body[..body.len().min(BODY_BYTES_MAX)];
    let mut shown = String::new();
    for part in cut.utf8_chunks() {
        for c in part.valid().chars() {
            if c.is_control() {
                shown.extend(c.escape_default());
            } else {
                shown.push(c);
            }
        }
        shown.push_str(&part.invalid().escape_ascii().to_string());
    }
    match body.len() - cut.len() {
        0 => shown,
        more => format!("{shown}… {}", text::more(&shown::size(more as u64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_connect_is_shown() {
        let json = br#"{"auth_token":"S3CRET","PASS":"S3CRET","sig":"S3CRET","user":"ana"}"#;
        let shown = without_secrets(json);
        assert!(!shown.contains("S3CRET"), "{shown}");
        assert!(shown.contains("\"user\":\"ana\""), "{shown}");
        assert_eq!(without_secrets(b"S3CRET"), text::hidden());
    }

    #[test]
    fn bodies_are_harmless_and_long_ones_are_cut() {
        assert_eq!(escaped(b"a\x1b[2J\r\n\xff"), "a\\u{1b}[2J\\r\\n\\xff");
        assert_eq!(escaped("ñandú".as_bytes()), "ñandú");
        let long = escaped(&[b'x'; BODY_BYTES_MAX + 7]);
        assert!(long.contains("… ") && long.contains('7'), "{long}");
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let bytes = b"MSG a 1 5\r\nhello\r\nPING\r\n";
        let (shown, used) = next(Direction::FromServer, bytes).unwrap();
        assert_eq!(
            (shown.verb, shown.head.as_str(), used),
            ("MSG", "MSG a 1 5", 18)
        );
        assert_eq!(shown.body, Some((&b""[..], &b"hello"[..])));
        assert!(next(Direction::FromServer, &bytes[..17]).is_none());
        let (shown, _) = next(Direction::ToServer, b"SUB a q 1\r\n").unwrap();
        assert_eq!((shown.verb, shown.head.as_str()), ("SUB", "SUB a q 1"));
    }
}
