//! What a bare peer sent, cut into requests. Time is an argument.

use std::time::{Duration, Instant};

/// Bytes without a newline that are kept at the most; more becomes a request as it is.
pub(super) const LINE_MAX: usize = 64 * 1024;

/// What has come counts as a request so long after its first byte, though no newline came. Counted
/// from the first byte: a peer that sends a byte now and then is answered, too.
const NEWLINE_WAIT: Duration = Duration::from_millis(50);

/// Input that was not asked about yet.
#[derive(Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    /// Since when the first of `bytes` waits for its newline.
    since: Option<Instant>,
}

/// One request of a peer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) payload: Vec<u8>,
    /// What the answer ends with, as the request did: a peer that speaks in lines is answered in
    /// lines.
    pub(super) line_end: &'static [u8],
}

impl Input {
    /// The buffer that what arrives is appended to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Until when a newline is waited for; `None` while nothing has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<Instant> {
        if self.bytes.is_empty() {
            return None;
        }
        Some(*self.since.get_or_insert(now) + NEWLINE_WAIT)
    }

    /// The next whole line, or everything once that is more than a line may be.
    pub(super) fn line(&mut self) -> Option<Request> {
        let Some(newline) = self.bytes.iter().position(|&byte| byte == b'\n') else {
            return (self.bytes.len() >= LINE_MAX).then(|| self.everything());
        };
        self.since = None;
        let rest = self.bytes.split_off(newline + 1);
        let mut payload = std::mem::replace(&mut self.bytes, rest);
        payload.truncate(newline);
        let crlf = payload.last() == Some(&b'\r');
        payload.truncate(newline - usize::from(crlf));
        Some(Request {
            payload,
            line_end: if crlf { b"\r\n" } else { b"\n" },
        })
    }

    /// What has come, without a newline.
    pub(super) fn everything(&mut self) -> Request {
        self.since = None;
        Request {
            payload: std::mem::take(&mut self.bytes),
            line_end: b"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_one_by_one_and_keep_their_kind_of_end() {
        let mut input = Input::default();
        input.buffer().extend_from_slice(b"one\ntwo\r\n\nrest");
        let line = |payload: &[u8], line_end| {
            Some(Request {
                payload: payload.to_vec(),
                line_end,
            })
        };
        assert_eq!(input.line(), line(b"one", b"\n"));
        assert_eq!(input.line(), line(b"two", b"\r\n"));
        assert_eq!(input.line(), line(b"", b"\n"));
        assert_eq!(input.line(), None);
        assert_eq!(
            input.everything(),
            Request {
                payload: b"rest".to_vec(),
                line_end: b""
            }
        );
        assert!(input.is_empty());
    }

    #[test]
    fn a_newline_is_waited_for_from_the_first_byte_on() {
        let start = Instant::now();
        let later = |ms| start + Duration::from_millis(ms);
        let mut input = Input::default();
        assert_eq!(input.due(start), None);
        for (ms, byte) in [(10, b'a'), (30, b'b'), (55, b'c')] {
            input.buffer().push(byte);
            assert_eq!(input.due(later(ms)), Some(later(60)), "after {ms} ms");
        }
        input.everything();
        assert_eq!(input.due(later(60)), None);
        input.buffer().extend_from_slice(b"line\nrest");
        assert_eq!(input.due(later(70)), Some(later(120)));
        input.line();
        assert_eq!(input.due(later(90)), Some(later(140)), "the rest is new");
    }

    #[test]
    fn a_line_without_end_is_cut_at_the_bound() {
        let mut input = Input::default();
        input.buffer().resize(LINE_MAX, b'x');
        assert_eq!(
            input.line().map(|request| request.payload.len()),
            Some(LINE_MAX)
        );
    }
}
