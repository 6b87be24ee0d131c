//! Addresses, ports and plain listeners as they are written in files and on the command line.

use super::field::Field;
use crate::config::fault::Fault;
use crate::config::lang::{Data, Map};
use crate::config::messages::{KeyProblem, Kind};
use crate::config::options::{Options, Personality, PlainListener};

/// Subject of a plain listener that names none.
const PLAIN_SUBJECT: &str = "plain";

/// The port that a number stands for: -1 a free one; 0 too, except for `nats-server`, where 0 is
/// the default port. `None` for what is no port.
pub(crate) fn parse_port(number: i64, personality: Personality) -> Option<u16> {
    match number {
        -1 => Some(0),
        0 if personality == Personality::NatsServer => Some(Options::default().port),
        _ => u16::try_from(number).ok(),
    }
}

/// `listen`: a port, `HOST:PORT`, `:PORT` (all interfaces) or `[IPv6]:PORT`.
pub(super) fn read_listen(
    field: &Field<'_>,
    personality: Personality,
) -> Result<(Option<String>, u16), Fault> {
    let text = match &field.value.data {
        Data::Integer(_) => return Ok((None, read_port(field, personality)?)),
        Data::String(text) => text,
        _ => return Err(field.wrong_kind(Kind::Listen)),
    };
    let bad_address = || field.fault(KeyProblem::BadAddress(text.to_string()));
    let (host, port) = text.rsplit_once(':').ok_or_else(bad_address)?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').ok_or_else(bad_address)?,
        None if host.contains(':') => return Err(bad_address()),
        None => host,
    };
    let port = port
        .parse::<i64>()
        .ok()
        .and_then(|number| parse_port(number, personality))
        .ok_or_else(|| field.fault(KeyProblem::BadPort(port.to_owned())))?;
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    Ok((Some(host.to_owned()), port))
}

/// `port`.
pub(super) fn read_port(field: &Field<'_>, personality: Personality) -> Result<u16, Fault> {
    let number = field.integer(i64::MIN, i64::MAX)?;
    parse_port(number, personality)
        .ok_or_else(|| field.fault(KeyProblem::BadPort(number.to_string())))
}

/// `PORT[:SUBJECT]`.
pub(crate) fn parse_plain(text: &str) -> Result<PlainListener, KeyProblem> {
    let (port, subject) = text.split_once(':').unwrap_or((text, PLAIN_SUBJECT));
    let port = port
        .parse::<i64>()
        .map_err(|_| KeyProblem::BadPlain(text.to_owned()))?;
    plain_listener(port, subject)
}

fn plain_listener(port: i64, subject: &str) -> Result<PlainListener, KeyProblem> {
    let port = parse_port(port, Personality::Recado)
        .ok_or_else(|| KeyProblem::BadPort(port.to_string()))?;
    // A request goes out on it as one line of the protocol: no blanks, no wildcards.
    let bytes = subject.as_bytes();
    let sendable = recado_wire::is_publish_subject(bytes)
        && !recado_wire::has_wildcard(bytes)
        && !subject.contains(|found: char| found.is_whitespace() || found.is_control());
    match sendable {
        true => Ok(PlainListener {
            port,
            subject: subject.to_owned(),
        }),
        false => Err(KeyProblem::BadPlainSubject(subject.to_owned())),
    }
}

/// `plain`: one listener or a list of them.
pub(super) fn read_plain(field: &Field<'_>) -> Result<Vec<PlainListener>, Fault> {
    match &field.value.data {
        Data::Array(array) => array
            .values()
            .iter()
            .map(|value| read_one_plain(&field.with(value)))
            .collect(),
        _ => Ok(vec![read_one_plain(field)?]),
    }
}

fn read_one_plain(field: &Field<'_>) -> Result<PlainListener, Fault> {
    match &field.value.data {
        Data::Integer(port) => {
            plain_listener(*port, PLAIN_SUBJECT).map_err(|problem| field.fault(problem))
        }
        Data::String(text) => parse_plain(text).map_err(|problem| field.fault(problem)),
        Data::Map(map) => read_plain_map(field, map),
        _ => Err(field.wrong_kind(Kind::Plain)),
    }
}

fn read_plain_map(field: &Field<'_>, map: &Map) -> Result<PlainListener, Fault> {
    let mut port = None;
    let mut subject = PLAIN_SUBJECT;
    for entry in map.entries() {
        let inner = Field::of(entry);
        match entry.key.to_lowercase().as_str() {
            "port" => port = Some(inner.integer(-1, i64::from(u16::MAX))?),
            "subject" => subject = inner.text()?,
            _ if entry.used_as_variable => {}
            unknown => {
                let nearest = super::nearest_word(["port", "subject"].into_iter(), unknown);
                return Err(super::unknown(&inner, nearest));
            }
        }
    }
    let port = port.ok_or_else(|| field.wrong_kind(Kind::Plain))?;
    plain_listener(port, subject).map_err(|problem| field.fault(problem))
}
