//! Status lines and headers that streams and consumers answer with instead of JSON (E100–E119, E150–E152, E160,
//! E190). Clients compare the texts literally: they stand here once and must never be reworded.

use crate::time::format_rfc3339;

/// A status line: code and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Code.
    pub code: u16,
    /// Text; may be empty.
    pub text: &'static str,
}

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $code:literal $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Status = Status { code: $code, text: $text };)*
    };
}

statuses! {
    /// Nothing there, and the request does not wait.
    NO_MESSAGES = 404 "No Messages";
    /// The request's time is over. With what is left of it.
    REQUEST_TIMEOUT = 408 "Request Timeout";
    /// Others already wait for the messages that are there.
    REQUESTS_PENDING = 408 "Requests Pending";
    /// Nobody listens for the answer any more. With what is left of the request.
    INTEREST_EXPIRED = 408 "Interest Expired";
    /// The consumer was deleted while the request waited.
    CONSUMER_DELETED = 409 "Consumer Deleted";
    /// Another server leads now.
    LEADERSHIP_CHANGE = 409 "Leadership Change";
    /// The server stops. With what is left of the request.
    SERVER_SHUTDOWN = 409 "Server Shutdown";
    /// Too many requests wait.
    EXCEEDED_MAX_WAITING = 409 "Exceeded MaxWaiting";
    /// The next message is larger than what is left. With what is left of the request.
    MESSAGE_SIZE_EXCEEDS_MAX_BYTES = 409 "Message Size Exceeds MaxBytes";
    /// All messages were delivered, and bytes are left. With what is left of the request.
    BATCH_COMPLETED = 409 "Batch Completed";
    /// A push consumer takes no requests.
    CONSUMER_IS_PUSH_BASED = 409 "Consumer is push based";
    /// The consumer is alive. See [`append_idle_heartbeat`].
    IDLE_HEARTBEAT = 100 "Idle Heartbeat";
    /// Publish to the reply subject, please.
    FLOW_CONTROL_REQUEST = 100 "FlowControl Request";
    /// The pin is no longer this client's. With what is left of the request.
    WRONG_PIN_ID = 423 "Nats-Wrong-Pin-Id";
    /// The request names a pin that is not the current one.
    PIN_ID_MISMATCH = 423 "Nats-Pin-Id mismatch";
    /// The request needs a newer server.
    REQUIRED_API_LEVEL = 412 "Required Api Level";
    /// A direct get of nothing.
    EMPTY_REQUEST = 408 "Empty Request";
    /// A direct get that is no JSON.
    MALFORMED_REQUEST = 408 "Malformed Request";
    /// A direct get that contradicts itself.
    BAD_REQUEST = 408 "Bad Request";
    /// A direct get of a message that is not there.
    MESSAGE_NOT_FOUND = 404 "Message Not Found";
    /// A direct get of a message that the disk did not give.
    UNREADABLE = 500 "Disk Could Not Be Read";
    /// A direct get of many, of which none is there.
    NO_RESULTS = 404 "No Results";
    /// A direct get of more subjects than it may.
    TOO_MANY_RESULTS = 413 "Too Many Results";
    /// The end of a direct get of many. See [`append_end_of_batch`].
    END_OF_BATCH = 204 "EOB";
    /// More is published to a stream than it can take in.
    TOO_MANY_REQUESTS = 429 "Too Many Requests";
    /// The end of a snapshot.
    SNAPSHOT_COMPLETE = 204 "";
    /// Nobody listens for the snapshot.
    SNAPSHOT_NO_INTEREST = 408 "No Interest";
    /// Nobody answers the snapshot's chunks.
    SNAPSHOT_NO_FLOW = 408 "No Flow Response";
    /// A pull request whose heartbeat is more than half of its time.
    HEARTBEAT_TOO_LARGE = 400 "Bad Request - heartbeat value too large";
    /// A pull request that asks for overflow where there is none.
    NOT_AN_OVERFLOW_CONSUMER = 400 "Bad Request - Not a Overflow Priority consumer";
    /// A pull request with a pin where nobody is pinned.
    NOT_A_PINNED_CONSUMER = 400 "Bad Request - Not a Pinned Client Priority consumer";
    /// A pull request with a priority that is none.
    PRIORITY_OUT_OF_RANGE = 400 "Bad Request - Priority must be between 0 and 9";
    /// A pull request without a group where there are some.
    PRIORITY_GROUP_MISSING = 400 "Bad Request - Priority Group missing";
    /// A pull request with a group that there is not.
    INVALID_PRIORITY_GROUP = 400 "Bad Request - Invalid Priority Group";
}

impl Status {
    /// Appends the header block.
    pub fn append_to(self, out: &mut Vec<u8>) {
        append_line(out, self.code, self.text);
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the header block with what is left of a pull request.
    pub fn append_with_pending(self, out: &mut Vec<u8>, messages: u64, bytes: u64) {
        append_line(out, self.code, self.text);
        append_number(out, "Nats-Pending-Messages", messages);
        append_number(out, "Nats-Pending-Bytes", bytes);
        out.extend_from_slice(b"\r\n");
    }

    /// The header block.
    pub fn block(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        self.append_to(&mut out);
        out
    }
}

/// A limit of a consumer that a pull request exceeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExceededLimit {
    /// `max_batch`.
    Batch(i64),
    /// `max_expires`, in nanoseconds.
    Expires(i64),
    /// `max_bytes`.
    Bytes(i64),
}

/// 409 with the limit that was exceeded.
pub fn append_exceeded(out: &mut Vec<u8>, limit: &ExceededLimit) {
    let text = match limit {
        ExceededLimit::Batch(max) => format!("Exceeded MaxRequestBatch of {max}"),
        ExceededLimit::Expires(max) => {
            let max = crate::time::format_duration(*max);
            format!("Exceeded MaxRequestExpires of {max}")
        }
        ExceededLimit::Bytes(max) => format!("Exceeded MaxRequestMaxBytes of {max}"),
    };
    append_line(out, 409, &text);
    out.extend_from_slice(b"\r\n");
}

/// 400 with what is wrong with a pull request.
pub fn append_bad_pull_request(out: &mut Vec<u8>, why: &str) {
    append_line(out, 400, &format!("Bad Request - {why}"));
    out.extend_from_slice(b"\r\n");
}

/// 500 with a text.
pub fn append_failure(out: &mut Vec<u8>, why: &str) {
    append_line(out, 500, why);
    out.extend_from_slice(b"\r\n");
}

/// 100 with the last delivery; `stalled` is the flow-control subject that the consumer waits for.
pub fn append_idle_heartbeat(
    out: &mut Vec<u8>,
    consumer_seq: u64,
    stream_seq: u64,
    stalled: Option<&[u8]>,
) {
    append_line(out, IDLE_HEARTBEAT.code, IDLE_HEARTBEAT.text);
    append_number(out, "Nats-Last-Consumer", consumer_seq);
    append_number(out, "Nats-Last-Stream", stream_seq);
    if let Some(subject) = stalled {
        append_header(out, "Nats-Consumer-Stalled", subject);
    }
    out.extend_from_slice(b"\r\n");
}

/// 204 at the end of a direct get of many; `up_to` only for the last messages of several subjects.
pub fn append_end_of_batch(out: &mut Vec<u8>, num_pending: u64, last_seq: u64, up_to: Option<u64>) {
    append_line(out, END_OF_BATCH.code, END_OF_BATCH.text);
    append_number(out, "Nats-Num-Pending", num_pending);
    append_number(out, "Nats-Last-Sequence", last_seq);
    if let Some(up_to) = up_to {
        append_number(out, "Nats-UpTo-Sequence", up_to);
    }
    out.extend_from_slice(b"\r\n");
}

/// A stored message whose headers go out with more beside them.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// Its stream.
    pub stream: &'a str,
    /// Its subject.
    pub subject: &'a [u8],
    /// Its sequence.
    pub seq: u64,
    /// When it came, Unix nanoseconds.
    pub time: i64,
    /// Its own header block, or empty.
    pub headers: &'a [u8],
}

/// Numbers that some answers add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// `Nats-Num-Pending`: in direct gets of many.
    pub num_pending: Option<u64>,
    /// `Nats-Last-Sequence`: in direct gets of many and in republished messages.
    pub last_seq: Option<u64>,
    /// `Nats-Msg-Size`: in republished messages without payload.
    pub msg_size: Option<u64>,
}

/// Appends the headers of a direct get (E150) or of a republished message (E160): the message's own, then
/// where it was stored.
pub fn append_stored(out: &mut Vec<u8>, stored: &Stored<'_>, extra: Extra) {
    let own = stored.headers.strip_suffix(b"\r\n");
    out.extend_from_slice(
        own.filter(|own| own.ends_with(b"\r\n"))
            .unwrap_or(b"NATS/1.0\r\n"),
    );
    append_header(out, "Nats-Stream", stored.stream.as_bytes());
    append_header(out, "Nats-Subject", stored.subject);
    append_number(out, "Nats-Sequence", stored.seq);
    append_header(
        out,
        "Nats-Time-Stamp",
        format_rfc3339(stored.time).as_bytes(),
    );
    for (name, value) in [
        ("Nats-Num-Pending", extra.num_pending),
        ("Nats-Last-Sequence", extra.last_seq),
        ("Nats-Msg-Size", extra.msg_size),
    ] {
        if let Some(value) = value {
            append_number(out, name, value);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends one `Name: value` line. `value` must have no line end in it, as subjects have none.
pub fn append_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends one line with a number.
pub fn append_number(out: &mut Vec<u8>, name: &str, value: u64) {
    append_header(out, name, value.to_string().as_bytes());
}

/// Line ends in `text`, which may quote a request, become spaces.
fn append_line(out: &mut Vec<u8>, code: u16, text: &str) {
    out.extend_from_slice(b"NATS/1.0 ");
    out.extend_from_slice(code.to_string().as_bytes());
    if !text.is_empty() {
        out.push(b' ');
        out.extend(text.bytes().map(|byte| {
            if matches!(byte, b'\r' | b'\n') {
                b' '
            } else {
                byte
            }
        }));
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use recado_wire::Headers;

    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn status_lines_are_blocks_that_clients_know() {
        assert_eq!(
            written(|o| NO_MESSAGES.append_to(o)),
            "NATS/1.0 404 No Messages\r\n\r\n"
        );
        assert_eq!(
            written(|o| SNAPSHOT_COMPLETE.append_to(o)),
            "NATS/1.0 204\r\n\r\n"
        );
        assert_eq!(
            written(|o| REQUEST_TIMEOUT.append_with_pending(o, 3, 0)),
            "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\nNats-Pending-Bytes: 0\r\n\r\n"
        );
        assert_eq!(
            written(|o| append_exceeded(o, &ExceededLimit::Expires(90_000_000_000))),
            "NATS/1.0 409 Exceeded MaxRequestExpires of 1m30s\r\n\r\n"
        );
        assert_eq!(
            written(|o| append_idle_heartbeat(o, 1, 2, Some(b"$JS.FC.S.C.x"))),
            "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\nNats-Last-Stream: 2\r\n\
             Nats-Consumer-Stalled: $JS.FC.S.C.x\r\n\r\n"
        );
        assert_eq!(
            written(|o| append_end_of_batch(o, 0, 9, Some(9))),
            "NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\nNats-Last-Sequence: 9\r\nNats-UpTo-Sequence: 9\r\n\r\n"
        );
    }

    #[test]
    fn stored_headers_follow_the_messages_own() {
        let stored = Stored {
            stream: "S",
            subject: b"a.b",
            seq: 4,
            time: 0,
            headers: b"NATS/1.0\r\nA: 1\r\n\r\n",
        };
        let all = written(|o| append_stored(o, &stored, Extra::default()));
        assert_eq!(
            all,
            "NATS/1.0\r\nA: 1\r\nNats-Stream: S\r\nNats-Subject: a.b\r\nNats-Sequence: 4\r\n\
             Nats-Time-Stamp: 1970-01-01T00:00:00Z\r\n\r\n"
        );
        let bare = Stored {
            headers: b"",
            ..stored
        };
        let extra = Extra {
            last_seq: Some(3),
            msg_size: Some(7),
            num_pending: None,
        };
        let block = written(|o| append_stored(o, &bare, extra));
        let headers = Headers::new(block.as_bytes());
        assert_eq!(headers.get("Nats-Last-Sequence"), Some("3"));
        assert_eq!(headers.get("Nats-Msg-Size"), Some("7"));
        assert_eq!(headers.get("Nats-Num-Pending"), None);
    }

    #[test]
    fn a_quoted_request_cannot_end_the_line() {
        let block = written(|o| append_bad_pull_request(o, "a\r\nEvil: 1"));
        assert_eq!(block, "NATS/1.0 400 Bad Request - a  Evil: 1\r\n\r\n");
    }
}
