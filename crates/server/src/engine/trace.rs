//! The protocol in the log (`-V`): one line an operation, written as nats-server writes it, because
//! test harnesses count such lines. Secrets never appear.

use recado_session::Step;
use recado_wire::Connect;

use super::connection::Connection;

/// How much of a message is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tracing {
    /// Bytes of a body; 0: all.
    pub(crate) shown_max: usize,
    /// Headers instead of payloads (`trace_headers`).
    pub(crate) headers_only: bool,
}

/// Writes what a client said.
pub(crate) fn incoming(connection: &Connection, step: &Step<'_>, tracing: Tracing) {
    let text = match step {
        Step::Publish(message) => {
            let verb = if message.with_headers { "HPUB" } else { "PUB" };
            let mut words = vec![verb.to_owned(), message.subject.escape_ascii().to_string()];
            if !message.reply.is_empty() {
                words.push(message.reply.escape_ascii().to_string());
            }
            if message.with_headers {
                words.push(message.header_len.to_string());
            }
            words.push(message.body.len().to_string());
            line(connection, "<<-", &format!("[{}]", words.join(" ")));
            if tracing.headers_only {
                let headers = &message.body[..message.header_len];
                return show(connection, "MSG_HEADERS", headers, tracing.shown_max);
            }
            return show(connection, "MSG_PAYLOAD", message.body, tracing.shown_max);
        }
        Step::Subscribe { filter, queue, sid } => {
            let queue = queue
                .map(|queue| format!(" {}", queue.escape_ascii()))
                .unwrap_or_default();
            format!(
                "[SUB {}{queue} {}]",
                filter.escape_ascii(),
                sid.escape_ascii()
            )
        }
        Step::Unsubscribe { sid, max: 0 } => format!("[UNSUB {}]", sid.escape_ascii()),
        Step::Unsubscribe { sid, max } => format!("[UNSUB {} {max}]", sid.escape_ascii()),
        Step::Authenticate(connect) => format!("[CONNECT {}]", without_secrets(connect)),
        Step::PongAndInfo | Step::Say(_) => "[PING]".to_owned(),
        Step::Nothing => "[PONG]".to_owned(),
        Step::More(_) | Step::Close(_) => return,
    };
    line(connection, "<<-", &text);
}

/// The JSON of a CONNECT, secrets redacted.
fn without_secrets(connect: &Connect) -> String {
    let mut shown = connect.clone();
    for secret in [
        &mut shown.auth_token,
        &mut shown.pass,
        &mut shown.jwt,
        &mut shown.nkey,
        &mut shown.sig,
        &mut shown.proxy_sig,
    ] {
        if secret.is_some() {
            *secret = Some("[REDACTED]".to_owned());
        }
    }
    // Strings, numbers and flags: there is nothing in it that could fail to serialize.
    serde_json::to_string(&shown).unwrap_or_default()
}

/// Writes what the server said of its own accord.
pub(crate) fn outgoing(connection: &Connection, text: &str) {
    line(connection, "->>", text);
}

fn show(connection: &Connection, what: &str, bytes: &[u8], shown_max: usize) {
    if bytes.is_empty() {
        return;
    }
    let shown = if shown_max == 0 {
        bytes
    } else {
        &bytes[..bytes.len().min(shown_max)]
    };
    let rest = if shown.len() < bytes.len() { "..." } else { "" };
    line(
        connection,
        "<<-",
        &format!("{what}: [\"{}{rest}\"]", shown.escape_ascii()),
    );
}

fn line(connection: &Connection, direction: &str, text: &str) {
    tracing::trace!(
        "{} - cid:{} - {direction} {text}",
        connection.peer_text(),
        connection.id
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traced_connect_shows_everything_but_secrets() {
        let json = br#"{"name":"ana","auth_token":"s3cr3t","user":"eva","pass":"s3cr3t",
            "jwt":"s3cr3t","nkey":"s3cr3t","sig":"s3cr3t","proxy_sig":"s3cr3t"}"#;
        let shown = without_secrets(&Connect::parse(json).unwrap());
        assert!(shown.contains("\"name\":\"ana\"") && shown.contains("\"user\":\"eva\""));
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
}
