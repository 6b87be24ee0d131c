//! What is on a port where a NATS server was expected: recognised by its first bytes, or by what it
//! answers when it is spoken to.
//!
//! Nothing is sent that a server could take for an order: a line that means nothing to most, the
//! first message of a TLS handshake, and PostgreSQL's question whether it speaks TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_nats::rustls::pki_types::ServerName;
use async_nats::rustls::{ClientConfig, ClientConnection, RootCertStore};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Stream;
use crate::failure::{Failure, Found};
use crate::terminal;

/// How long a stranger is given to answer each question.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

/// So many characters of a stranger's first line are shown.
const SHOWN_CHARS_MAX: usize = 60;

/// The first record of TLS: a handshake message or an alert, of any version (RFC 8446, 5.1).
const TLS_RECORDS: [[u8; 2]; 2] = [[0x16, 3], [0x15, 3]];

/// PostgreSQL's SSLRequest: its length, and a number where the protocol's version would stand.
const POSTGRES_QUESTION: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The failure for bytes that are not the protocol's.
pub(super) fn not_nats(address: &str, bytes: &[u8]) -> Failure {
    stranger(address, recognise(bytes))
}

/// The failure for a port with something else.
pub(super) fn stranger(address: &str, found: Found) -> Failure {
    Failure::NotNats {
        address: address.to_owned(),
        found,
    }
}

/// Learns what a silent stranger is: many servers speak only when spoken to.
pub(super) async fn question(
    stream: &mut (impl Stream + ?Sized),
    input: &mut BytesMut,
    at: Option<SocketAddr>,
    waited: Duration,
) -> Found {
    let answer = async {
        stream.write_all(b"PING\r\n\r\n").await?;
        stream.read_buf(input).await
    };
    if let Ok(Ok(1..)) = timeout(ANSWER_LIMIT, answer).await {
        return recognise(input);
    }
    let Some(at) = at else {
        return Found::Silence(waited);
    };
    // Each question needs a connection of its own: the first has been spoilt by the one before.
    if let Some(hello) = tls_hello()
        && let Some(answer) = answer_to(at, &hello).await
        && is_tls(&answer)
    {
        return Found::TlsFirst;
    }
    match answer_to(at, &POSTGRES_QUESTION).await.as_deref() {
        Some(answer @ (b"S" | b"N")) => Found::Program("PostgreSQL", first_line(answer)),
        _ => Found::Silence(waited),
    }
}

/// What comes back when this is the first thing said on a new connection.
async fn answer_to(at: SocketAddr, question: &[u8]) -> Option<Vec<u8>> {
    let asking = async {
        let mut socket = TcpStream::connect(at).await.ok()?;
        socket.write_all(question).await.ok()?;
        let mut answer = Vec::with_capacity(64);
        let read = socket.read_buf(&mut answer).await.ok()?;
        (read > 0).then_some(answer)
    };
    timeout(ANSWER_LIMIT, asking).await.ok()?
}

/// The first message of a TLS handshake that is not meant to be finished.
fn tls_hello() -> Option<Vec<u8>> {
    let config = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").ok()?;
    let mut connection = ClientConnection::new(Arc::new(config), name).ok()?;
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).ok()?;
    Some(hello)
}

fn is_tls(bytes: &[u8]) -> bool {
    TLS_RECORDS.iter().any(|start| bytes.starts_with(start))
}

/// Which program says such things.
fn recognise(bytes: &[u8]) -> Found {
    let begins = |start: &str| bytes.starts_with(start.as_bytes());
    let words = || first_line(bytes);
    if begins("HTTP/") && contains(bytes, "MongoDB") {
        return Found::Program("MongoDB", words());
    }
    if begins("HTTP/") || begins("<") {
        return Found::Http;
    }
    if begins("SSH-") {
        return Found::Ssh(words());
    }
    if is_tls(bytes) {
        return Found::TlsFirst;
    }
    if let Some(version) = mysql_version(bytes) {
        return Found::Program("MySQL", version);
    }
    let mail_or_files = match contains(bytes, "FTP") {
        true => "FTP",
        false => "SMTP",
    };
    let known = [
        ("+PONG", "Redis"),
        ("-NOAUTH", "Redis"),
        ("-DENIED", "Redis"),
        ("220 ", mail_or_files),
        ("220-", mail_or_files),
        ("+OK", "POP3"),
        ("* OK", "IMAP"),
        ("RFB ", "VNC"),
        ("AMQP", "RabbitMQ (AMQP)"),
        ("ERROR\r\n", "memcached"),
    ];
    match known.into_iter().find(|(start, _)| begins(start)) {
        Some((_, name)) => Found::Program(name, words()),
        None => Found::Other(words()),
    }
}

/// MySQL and MariaDB greet with a packet: three bytes of length, number 0, protocol 10, version.
fn mysql_version(bytes: &[u8]) -> Option<String> {
    let rest = bytes.get(3..)?.strip_prefix(&[0, 10])?;
    let version = rest.split(|&byte| byte == 0).next()?;
    let plausible = version.first()?.is_ascii_digit() && version.contains(&b'.');
    plausible.then(|| first_line(version))
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|part| part == word.as_bytes())
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let shown: String = String::from_utf8_lossy(line)
        .trim_end()
        .chars()
        .take(SHOWN_CHARS_MAX)
        .collect();
    terminal::harmless(&shown).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_recognised_by_their_first_bytes() {
        assert_eq!(recognise(b"HTTP/1.1 400 Bad Request\r\n"), Found::Http);
        assert_eq!(
            recognise(b"SSH-2.0-OpenSSH_9\r\n"),
            Found::Ssh("SSH-2.0-OpenSSH_9".into())
        );
        assert_eq!(recognise(b"\x15\x03\x01\x00\x02"), Found::TlsFirst);
        for (bytes, name) in [
            (&b"+PONG\r\n"[..], "Redis"),
            (b"-NOAUTH Authentication required.\r\n", "Redis"),
            (b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0", "MySQL"),
            (b"220 mail.example.org ESMTP\r\nmore", "SMTP"),
            (b"220 (vsFTPd 3.0.5)\r\n", "FTP"),
            (b"* OK IMAP4rev1\r\n", "IMAP"),
            (b"ERROR\r\n", "memcached"),
        ] {
            let Found::Program(found, _) = recognise(bytes) else {
                panic!("{name} was not recognised")
            };
            assert_eq!(found, name);
        }
    }

    #[test]
    fn what_a_stranger_says_can_not_control_the_terminal() {
        let Found::Other(shown) = recognise(b"\x1b[2J\x07") else {
            panic!()
        };
        assert!(!shown.contains('\x1b'), "{shown:?}");
    }

    #[test]
    fn the_hello_is_a_tls_handshake_record() {
        assert!(is_tls(&tls_hello().unwrap()));
    }
}
