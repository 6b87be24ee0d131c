//! The status messages that a client gets instead of messages. Clients match the texts literally (E119).

use std::fmt::Display;
use std::io::Write;

pub(super) const NO_MESSAGES: &str = "404 No Messages";
pub(super) const REQUESTS_PENDING: &str = "408 Requests Pending";
pub(super) const REQUEST_TIMEOUT: &str = "408 Request Timeout";
pub(super) const CONSUMER_DELETED: &str = "409 Consumer Deleted";
pub(super) const SERVER_SHUTDOWN: &str = "409 Server Shutdown";
pub(super) const EXCEEDED_MAX_WAITING: &str = "409 Exceeded MaxWaiting";
pub(super) const EXCEEDS_MAX_BYTES: &str = "409 Message Size Exceeds MaxBytes";
pub(super) const BATCH_COMPLETED: &str = "409 Batch Completed";
pub(super) const PUSH_BASED: &str = "409 Consumer is push based";
pub(super) const WRONG_PIN: &str = "423 Nats-Wrong-Pin-Id";
pub(super) const PIN_MISMATCH: &str = "423 Nats-Pin-Id mismatch";
pub(super) const FLOW_CONTROL: &str = "100 FlowControl Request";
const IDLE_HEARTBEAT: &str = "100 Idle Heartbeat";

/// Header that carries the pin's id, on deliveries and in requests' answers.
pub(super) const PIN_ID: &str = "Nats-Pin-Id";
/// Header with the size of a payload that was left out.
pub(super) const MSG_SIZE: &str = "Nats-Msg-Size";
const PENDING_MESSAGES: &str = "Nats-Pending-Messages";
const PENDING_BYTES: &str = "Nats-Pending-Bytes";
/// Header with the last consumer sequence, in heartbeats and in answers to flow control.
pub(super) const LAST_CONSUMER: &str = "Nats-Last-Consumer";
/// Header with the last stream sequence, in heartbeats and in answers to flow control.
pub(super) const LAST_STREAM: &str = "Nats-Last-Stream";
const STALLED: &str = "Nats-Consumer-Stalled";

/// A status without headers.
pub(super) fn plain(out: &mut Vec<u8>, status: impl Display) {
    begin(out, status);
    end(out);
}

/// A status that ends a request, with what was left of it.
pub(super) fn with_rest(out: &mut Vec<u8>, status: &str, messages: i64, bytes: i64) {
    begin(out, status);
    line(out, PENDING_MESSAGES, messages);
    line(out, PENDING_BYTES, bytes);
    end(out);
}

/// A heartbeat. `stalled` is the flow control reply that is waited for.
pub(super) fn heartbeat(out: &mut Vec<u8>, consumer_seq: u64, stream_seq: u64, stalled: &str) {
    begin(out, IDLE_HEARTBEAT);
    line(out, LAST_CONSUMER, consumer_seq);
    line(out, LAST_STREAM, stream_seq);
    if !stalled.is_empty() {
        line(out, STALLED, stalled);
    }
    end(out);
}

/// Puts a header behind those of a message; `headers` may be empty.
pub(super) fn with_header(out: &mut Vec<u8>, headers: &[u8], name: &str, value: impl Display) {
    out.clear();
    match headers.strip_suffix(b"\r\n") {
        Some(lines) => out.extend_from_slice(lines),
        None => out.extend_from_slice(b"NATS/1.0\r\n"),
    }
    line(out, name, value);
    end(out);
}

fn begin(out: &mut Vec<u8>, status: impl Display) {
    out.clear();
    // Writing to a Vec can't fail, here and below.
    let _ = write!(out, "NATS/1.0 {status}\r\n");
}

fn line(out: &mut Vec<u8>, name: &str, value: impl Display) {
    let _ = write!(out, "{name}: {value}\r\n");
}

fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_ends_early_is_told_what_was_left_of_it() {
        let mut out = Vec::new();
        with_rest(&mut out, REQUEST_TIMEOUT, 3, 0);
        let expected = "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\nNats-Pending-Bytes: 0\r\n\r\n";
        assert_eq!(out, expected.as_bytes());
    }

    #[test]
    fn a_stalled_heartbeat_names_what_it_waits_for() {
        let mut out = Vec::new();
        heartbeat(&mut out, 2, 5, "$JS.FC.S.C.x");
        let expected = "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 2\r\nNats-Last-Stream: 5\r\n\
            Nats-Consumer-Stalled: $JS.FC.S.C.x\r\n\r\n";
        assert_eq!(out, expected.as_bytes());
    }

    #[test]
    fn a_header_is_put_behind_those_that_are_there() {
        let mut out = Vec::new();
        with_header(&mut out, b"NATS/1.0\r\nA: b\r\n\r\n", MSG_SIZE, 7);
        assert_eq!(out, b"NATS/1.0\r\nA: b\r\nNats-Msg-Size: 7\r\n\r\n");
        with_header(&mut out, b"", MSG_SIZE, 0);
        assert_eq!(out, b"NATS/1.0\r\nNats-Msg-Size: 0\r\n\r\n");
    }
}
