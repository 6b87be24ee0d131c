//! Reads what a client sends, one operation at a time, borrowing from the input.
//!
//! [`parse`] keeps no state: an operation that is not whole yet is read again from its start when
//! more has come, so the input may be split at any byte (A01). Nothing is guessed about bad
//! input: it is a [`Violation`], found as early as nats-server finds it.
//!
//! Where it differs from nats-server 2.15, on purpose:
//!
//! | input | nats-server | here |
//! |---|---|---|
//! | blanks between a verb and its arguments | any number | count towards `max_control_line` |
//! | `CONNECT` LF | the LF begins the argument | the line ends |
//! | INFO from a client | closed when its JSON is wrong | ignored whatever it says |
//! | `PUB a 002` | delivered as `MSG a 1 002` | as `MSG a 1 2` |
//! | HPUB without `headers` in CONNECT | closed at the end of its line | when it is whole, or too large |

use crate::error::Violation;

/// What one call of [`parse`] found at the start of the input.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// An operation, and how many bytes of the input it took.
    Complete(Op<'a>, usize),
    /// More input is needed: so many bytes in all where the line says so, otherwise 0.
    Incomplete(usize),
    /// A line longer than `max_control_line` that did not end yet, of a verb whose line may have any
    /// length. All of the input belongs to it, and what comes up to the next LF; then it counts.
    Unended(Bare),
}

/// The verbs without arguments: what else stands on their lines is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// PING.
    Ping,
    /// PONG.
    Pong,
    /// +OK.
    Ok,
}

impl From<Bare> for Op<'_> {
    fn from(bare: Bare) -> Self {
        match bare {
            Bare::Ping => Self::Ping,
            Bare::Pong => Self::Pong,
            Bare::Ok => Self::Ignored,
        }
    }
}

/// One operation of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Op<'a> {
    /// PUB or HPUB with its payload.
    Publish(Publish<'a>),
    /// SUB; the subject is not checked yet.
    Subscribe {
        /// Subject filter as it was sent.
        filter: &'a [u8],
        /// Queue group.
        queue: Option<&'a [u8]>,
        /// The client's own name of the subscription: opaque.
        sid: &'a [u8],
    },
    /// UNSUB; `max` of 0 removes at once.
    Unsubscribe {
        /// Which subscription.
        sid: &'a [u8],
        /// Deliveries since creation after which it ends.
        max: u64,
    },
    /// CONNECT with its JSON.
    Connect(&'a [u8]),
    /// PING.
    Ping,
    /// PONG.
    Pong,
    /// +OK or INFO from a client: read and ignored (A31).
    Ignored,
}

/// A message as it was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Subject.
    pub subject: &'a [u8],
    /// Reply subject; empty if none.
    pub reply: &'a [u8],
    /// Bytes of `body` that are the header block; 0 for PUB.
    pub header_len: usize,
    /// Header block and payload.
    pub body: &'a [u8],
    /// `[reply] sizes CR LF body CR LF` as it stands in the input, when that is exactly what MSG
    /// or HMSG say behind `subject sid `; empty when the line was written in another way.
    pub tail: &'a [u8],
    /// Whether it came as HPUB.
    pub with_headers: bool,
}

/// Digits of a size or count.
pub(crate) const DIGITS_MAX: usize = 9;

/// Bounds that [`parse`] holds its input against.
#[derive(Clone, Copy, Debug)]
pub struct ParseLimits {
    /// Longest argument of a line, in bytes.
    pub max_control_line: usize,
    /// Largest body of a message, in bytes.
    pub max_payload: usize,
}

/// Reads the operation at the start of `input`.
pub fn parse<'a>(input: &'a [u8], limits: &ParseLimits) -> Result<Parsed<'a>, Violation> {
    match parse_publish(input, limits) {
        Some((publish, length)) => Ok(Parsed::Complete(Op::Publish(publish), length)),
        None => parse_line(input, limits),
    }
}

/// The hot path of [`parse`]: a whole PUB as clients write it, with `PUB `, single spaces, no
/// leading zeros, and within the limits. `None` is no verdict: [`parse`] judges everything else.
///
/// It is inlined where it is called, so that the parts of the message stay in registers.
#[inline(always)]
pub fn parse_publish<'a>(input: &'a [u8], limits: &ParseLimits) -> Option<(Publish<'a>, usize)> {
    let rest = input.strip_prefix(b"PUB ")?;
    let subject_end = token_end(rest, 0)?;
    let mut at = subject_end + 1;
    let mut reply_end = at;
    let (mut size, mut size_end) = decimal(rest, at);
    if rest.get(size_end) != Some(&b'\r') {
        reply_end = token_end(rest, at)?;
        at = reply_end + 1;
        (size, size_end) = decimal(rest, at);
    }
    let digits = size_end - at;
    let canonical =
        digits == 1 || (digits > 1 && digits <= DIGITS_MAX && rest.get(at) != Some(&b'0'));
    let ends = rest.get(size_end) == Some(&b'\r') && rest.get(size_end + 1) == Some(&b'\n');
    if !(canonical && ends && size_end <= limits.max_control_line && size <= limits.max_payload) {
        return None;
    }
    let body_start = size_end + 2;
    let body_end = body_start + size;
    let end = body_end + 2;
    if rest.get(body_end) != Some(&b'\r') || rest.get(body_end + 1) != Some(&b'\n') {
        return None;
    }
    let reply_start = subject_end + 1;
    let publish = Publish {
        subject: rest.get(..subject_end)?,
        reply: rest.get(reply_start..reply_end)?,
        header_len: 0,
        body: rest.get(body_start..body_end)?,
        tail: rest.get(reply_start..end)?,
        with_headers: false,
    };
    Some((publish, end + 4))
}

/// The subject of a PUB or HPUB, and the bytes of headers and payload that its line announces: for whoever refuses it
/// without waiting for them. `None` for all else.
pub fn announced(input: &[u8]) -> Option<(&[u8], usize)> {
    let (verb, verb_len) = verb(input).ok()??;
    if !matches!(verb, Verb::Pub | Verb::Hpub) {
        return None;
    }
    let rest = input.get(verb_len..)?;
    let line = rest.get(..memchr::memchr(b'\n', rest)?)?;
    let (args, count) = split_args::<4>(line)?;
    let [subject, ..] = args;
    let size = args.get(count.checked_sub(1)?)?;
    let (bytes, digits) = decimal(size, 0);
    let is_number = count > 1 && digits == size.len() && digits <= DIGITS_MAX;
    is_number.then_some((subject, bytes))
}

/// Index of the single space that ends the token at `from`; `None` at any other white space.
#[inline]
pub(crate) fn token_end(bytes: &[u8], from: usize) -> Option<usize> {
    let tail = bytes.get(from..)?;
    let length = tail.iter().position(|&byte| byte <= b' ')?;
    (length > 0 && tail.get(length) == Some(&b' ')).then_some(from + length)
}

/// Value of the digits at `from`, and where they end. Too many digits wrap; the caller counts them.
#[inline]
pub(crate) fn decimal(bytes: &[u8], from: usize) -> (usize, usize) {
    let mut value = 0usize;
    let mut at = from;
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        value = value.wrapping_mul(10).wrapping_add(usize::from(digit));
        at += 1;
    }
    (value, at)
}

/// The body of `total` bytes, once it and its CR LF are there. A wrong byte behind it is found as soon
/// as it comes, one that is too large before it comes.
fn whole_body<'a>(
    input: &'a [u8],
    start: usize,
    total: usize,
    limits: &ParseLimits,
) -> Result<Option<&'a [u8]>, Violation> {
    if total > limits.max_payload {
        return Err(Violation::Payload);
    }
    let end = start + total;
    match (input.get(end), input.get(end + 1)) {
        (Some(b'\r'), Some(b'\n')) => Ok(input.get(start..end)),
        (None, _) | (Some(b'\r'), None) => Ok(None),
        _ => Err(Violation::UnknownOperation),
    }
}

/// The verbs of clients.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Bare(Bare),
    Connect,
    Pub,
    Hpub,
    Sub,
    Unsub,
    Err,
    Info,
}

impl Verb {
    /// Whether anything may follow it, not white space only.
    fn is_free(self) -> bool {
        matches!(self, Self::Bare(_) | Self::Connect | Self::Info)
    }
}

const VERBS: [(&[u8], Verb); 10] = [
    (b"PUB", Verb::Pub),
    (b"HPUB", Verb::Hpub),
    (b"SUB", Verb::Sub),
    (b"UNSUB", Verb::Unsub),
    (b"PING", Verb::Bare(Bare::Ping)),
    (b"PONG", Verb::Bare(Bare::Pong)),
    (b"CONNECT", Verb::Connect),
    (b"+OK", Verb::Bare(Bare::Ok)),
    (b"-ERR", Verb::Err),
    (b"INFO", Verb::Info),
];

/// The verb at the start of the input and its length; `Ok(None)` while it is not whole.
fn verb(input: &[u8]) -> Result<Option<(Verb, usize)>, Violation> {
    for (name, verb) in VERBS {
        let known = input.len().min(name.len());
        let (Some(head), Some(start)) = (input.get(..known), name.get(..known)) else {
            continue;
        };
        if !head.eq_ignore_ascii_case(start) {
            continue;
        }
        if known < name.len() {
            return Ok(None);
        }
        return match input.get(known) {
            _ if verb.is_free() => Ok(Some((verb, known))),
            Some(b' ' | b'\t') => Ok(Some((verb, known))),
            None => Ok(None),
            Some(_) => Err(Violation::UnknownOperation),
        };
    }
    Err(Violation::UnknownOperation)
}

/// Everything but the hot path: any verb, in any case and spacing.
#[cold]
fn parse_line<'a>(input: &'a [u8], limits: &ParseLimits) -> Result<Parsed<'a>, Violation> {
    if input.is_empty() {
        return Ok(Parsed::Incomplete(0));
    }
    let Some((verb, verb_len)) = verb(input)? else {
        return Ok(Parsed::Incomplete(0));
    };
    let rest = input.get(verb_len..).unwrap_or_default();
    if let Verb::Bare(bare) = verb {
        return Ok(bare_line(bare, rest, verb_len, limits));
    }
    let blank = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    // Before the line's end is looked for, so that nothing depends on how the input was cut.
    if blank > limits.max_control_line {
        return Err(Violation::ControlLine);
    }
    let rest = rest.get(blank..).unwrap_or_default();
    // One byte more than the limit, and CR LF: a longer line need not be searched to its end.
    let window = rest
        .get(..rest.len().min(limits.max_control_line + 2))
        .unwrap_or_default();
    let Some(newline) = memchr::memchr(b'\n', window) else {
        return if rest.len() > limits.max_control_line + 1 {
            Err(Violation::ControlLine)
        } else {
            Ok(Parsed::Incomplete(0))
        };
    };
    let line = rest.get(..newline).unwrap_or_default();
    let args = line.strip_suffix(b"\r").unwrap_or(line);
    if args.len() > limits.max_control_line {
        return Err(Violation::ControlLine);
    }
    let line_len = verb_len + blank + newline + 1;
    let op = match verb {
        Verb::Pub => return publish(input, args, line_len, limits),
        Verb::Hpub => return publish_with_headers(input, args, line_len, limits),
        Verb::Sub => subscribe(args)?,
        Verb::Unsub => unsubscribe(args)?,
        Verb::Connect => Op::Connect(args),
        Verb::Err => return Err(Violation::ClientError),
        Verb::Bare(_) | Verb::Info => Op::Ignored,
    };
    Ok(Parsed::Complete(op, line_len))
}

/// A line of which only the verb matters: nats-server passes over any number of bytes, too.
fn bare_line<'a>(bare: Bare, rest: &[u8], verb_len: usize, limits: &ParseLimits) -> Parsed<'a> {
    match memchr::memchr(b'\n', rest) {
        Some(newline) => Parsed::Complete(bare.into(), verb_len + newline + 1),
        None if rest.len() > limits.max_control_line => Parsed::Unended(bare),
        None => Parsed::Incomplete(0),
    }
}

/// Splits at runs of white space into at most `N` arguments; `None` when there are more.
fn split_args<const N: usize>(args: &[u8]) -> Option<([&[u8]; N], usize)> {
    let mut found = [&b""[..]; N];
    let mut count = 0;
    let words = args
        .split(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .filter(|w| !w.is_empty());
    for word in words {
        *found.get_mut(count)? = word;
        count += 1;
    }
    Some((found, count))
}

/// A size: digits only, at most [`DIGITS_MAX`] of them.
fn size(digits: &[u8]) -> Option<usize> {
    let sane =
        !digits.is_empty() && digits.len() <= DIGITS_MAX && digits.iter().all(u8::is_ascii_digit);
    sane.then(|| decimal(digits, 0).0)
}

fn publish<'a>(
    input: &'a [u8],
    args: &'a [u8],
    line_len: usize,
    limits: &ParseLimits,
) -> Result<Parsed<'a>, Violation> {
    let ([subject, second, third], count) = split_args::<3>(args).ok_or(Violation::Arguments)?;
    let (reply, total) = match count {
        2 => (&b""[..], size(second)),
        3 => (second, size(third)),
        _ => return Err(Violation::Arguments),
    };
    let total = total.ok_or(Violation::Arguments)?;
    let end = line_len + total;
    let Some(body) = whole_body(input, line_len, total, limits)? else {
        return Ok(Parsed::Incomplete(end + 2));
    };
    let publish = Publish {
        subject,
        reply,
        header_len: 0,
        body,
        tail: b"",
        with_headers: false,
    };
    Ok(Parsed::Complete(Op::Publish(publish), end + 2))
}

fn publish_with_headers<'a>(
    input: &'a [u8],
    args: &'a [u8],
    line_len: usize,
    limits: &ParseLimits,
) -> Result<Parsed<'a>, Violation> {
    let ([subject, b, c, d], count) = split_args::<4>(args).ok_or(Violation::Arguments)?;
    let (reply, header_len, total) = match count {
        3 => (&b""[..], size(b), size(c)),
        4 => (b, size(c), size(d)),
        _ => return Err(Violation::Arguments),
    };
    let (Some(header_len), Some(total)) = (header_len, total) else {
        return Err(Violation::Arguments);
    };
    if header_len > total {
        return Err(Violation::Arguments);
    }
    let end = line_len + total;
    let Some(body) = whole_body(input, line_len, total, limits)? else {
        return Ok(Parsed::Incomplete(end + 2));
    };
    let tail = canonical_tail(input, args, subject, line_len, end);
    let publish = Publish {
        subject,
        reply,
        header_len,
        body,
        tail,
        with_headers: true,
    };
    Ok(Parsed::Complete(Op::Publish(publish), end + 2))
}

/// The part of an HPUB behind its subject, when the line is written as HMSG writes it.
fn canonical_tail<'a>(
    input: &'a [u8],
    args: &[u8],
    subject: &[u8],
    line_len: usize,
    body_end: usize,
) -> &'a [u8] {
    let odd = |pair: &[u8]| matches!(pair, [b' ', b' '] | [b' ', b'0']);
    let plain = args.starts_with(subject)
        && !args.ends_with(b" ")
        && !args.iter().any(|byte| matches!(byte, b'\t' | b'\r'))
        && !args.windows(2).any(odd)
        && input.get(line_len.wrapping_sub(2)) == Some(&b'\r');
    let start = line_len.wrapping_sub(2 + args.len()) + subject.len() + 1;
    if plain {
        input.get(start..body_end + 2).unwrap_or_default()
    } else {
        b""
    }
}

fn subscribe(args: &[u8]) -> Result<Op<'_>, Violation> {
    let ([filter, second, third], count) = split_args::<3>(args).ok_or(Violation::Arguments)?;
    match count {
        2 => Ok(Op::Subscribe {
            filter,
            queue: None,
            sid: second,
        }),
        3 => Ok(Op::Subscribe {
            filter,
            queue: Some(second),
            sid: third,
        }),
        _ => Err(Violation::Arguments),
    }
}

fn unsubscribe(args: &[u8]) -> Result<Op<'_>, Violation> {
    let ([sid, max], count) = split_args::<2>(args).ok_or(Violation::Arguments)?;
    match count {
        1 => Ok(Op::Unsubscribe { sid, max: 0 }),
        2 => Ok(Op::Unsubscribe {
            sid,
            max: size(max).unwrap_or(0) as u64,
        }),
        _ => Err(Violation::Arguments),
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
