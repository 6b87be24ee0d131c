//! What a publisher asks of a stream in headers (E84 to E98), found in one pass over the block.

use recado_wire::Headers;

/// The headers that mean something to a stream, as they stand in the block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PublishHeaders<'a> {
    /// `Nats-Msg-Id`.
    pub message_id: Option<&'a str>,
    /// `Nats-Expected-Stream`.
    pub expected_stream: Option<&'a str>,
    /// `Nats-Expected-Last-Sequence`.
    pub expected_last_sequence: Option<&'a str>,
    /// `Nats-Expected-Last-Subject-Sequence`.
    pub expected_last_subject_sequence: Option<&'a str>,
    /// `Nats-Expected-Last-Subject-Sequence-Subject`.
    pub expected_last_subject_sequence_subject: Option<&'a str>,
    /// `Nats-Expected-Last-Msg-Id`.
    pub expected_last_message_id: Option<&'a str>,
    /// `Nats-Rollup`.
    pub rollup: Option<&'a str>,
    /// `Nats-TTL`.
    pub ttl: Option<&'a str>,
    /// `Nats-Incr`.
    pub increment: Option<&'a str>,
    /// `Nats-Batch-Id`.
    pub batch_id: Option<&'a str>,
    /// `Nats-Batch-Sequence`.
    pub batch_sequence: Option<&'a str>,
    /// `Nats-Batch-Commit`.
    pub batch_commit: Option<&'a str>,
    /// `Nats-Schedule`.
    pub schedule: Option<&'a str>,
    /// `Nats-Schedule-Target`.
    pub schedule_target: Option<&'a str>,
    /// `Nats-Schedule-Source`.
    pub schedule_source: Option<&'a str>,
    /// `Nats-Schedule-TTL`.
    pub schedule_ttl: Option<&'a str>,
    /// `Nats-Schedule-Time-Zone`.
    pub schedule_time_zone: Option<&'a str>,
    /// `Nats-Schedule-Rollup`.
    pub schedule_rollup: Option<&'a str>,
    /// `Nats-Schedule-Next`.
    pub schedule_next: Option<&'a str>,
    /// `Nats-Scheduler`.
    pub scheduler: Option<&'a str>,
    /// `Nats-Stream-Source`.
    pub stream_source: Option<&'a str>,
    /// `Nats-Required-Api-Level`.
    pub required_api_level: Option<&'a str>,
    /// `Nats-Request-Info` is there: it is taken out before the message is stored.
    pub has_request_info: bool,
}

/// What a message without headers asks. Most have none, and this is too large to be made for each of them.
static NONE: PublishHeaders<'static> = PublishHeaders {
    message_id: None,
    expected_stream: None,
    expected_last_sequence: None,
    expected_last_subject_sequence: None,
    expected_last_subject_sequence_subject: None,
    expected_last_message_id: None,
    rollup: None,
    ttl: None,
    increment: None,
    batch_id: None,
    batch_sequence: None,
    batch_commit: None,
    schedule: None,
    schedule_target: None,
    schedule_source: None,
    schedule_ttl: None,
    schedule_time_zone: None,
    schedule_rollup: None,
    schedule_next: None,
    scheduler: None,
    stream_source: None,
    required_api_level: None,
    has_request_info: false,
};

impl<'a> PublishHeaders<'a> {
    /// What a message without headers asks: nothing.
    pub(crate) fn none() -> &'a Self {
        &NONE
    }

    /// Reads a block; the first of repeated names counts.
    pub(crate) fn parse(block: &'a [u8]) -> Self {
        let mut found = Self::default();
        if block.is_empty() {
            return found;
        }
        for (name, value) in Headers::new(block).iter() {
            let Some(rest) = name.strip_prefix("Nats-") else {
                continue;
            };
            let place = match rest {
                "Msg-Id" => &mut found.message_id,
                "Expected-Stream" => &mut found.expected_stream,
                "Expected-Last-Sequence" => &mut found.expected_last_sequence,
                "Expected-Last-Subject-Sequence" => &mut found.expected_last_subject_sequence,
                "Expected-Last-Subject-Sequence-Subject" => {
                    &mut found.expected_last_subject_sequence_subject
                }
                "Expected-Last-Msg-Id" => &mut found.expected_last_message_id,
                "Rollup" => &mut found.rollup,
                "TTL" => &mut found.ttl,
                "Incr" => &mut found.increment,
                "Batch-Id" => &mut found.batch_id,
                "Batch-Sequence" => &mut found.batch_sequence,
                "Batch-Commit" => &mut found.batch_commit,
                "Schedule" => &mut found.schedule,
                "Schedule-Target" => &mut found.schedule_target,
                "Schedule-Source" => &mut found.schedule_source,
                "Schedule-TTL" => &mut found.schedule_ttl,
                "Schedule-Time-Zone" => &mut found.schedule_time_zone,
                "Schedule-Rollup" => &mut found.schedule_rollup,
                "Schedule-Next" => &mut found.schedule_next,
                "Scheduler" => &mut found.scheduler,
                "Stream-Source" => &mut found.stream_source,
                "Required-Api-Level" => &mut found.required_api_level,
                "Request-Info" => {
                    found.has_request_info = true;
                    continue;
                }
                _ => continue,
            };
            if place.is_none() && !value.is_empty() {
                *place = Some(value);
            }
        }
        found
    }
}

/// The block without the lines of this name.
pub(crate) fn without(block: &[u8], name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len());
    let mut kept = 0;
    for line in block.split_inclusive(|&byte| byte == b'\n') {
        let is_it = line
            .strip_prefix(name.as_bytes())
            .is_some_and(|rest| rest.first() == Some(&b':'));
        if !is_it {
            kept += usize::from(!line.starts_with(b"\r\n"));
            out.extend_from_slice(line);
        }
    }
    // Nothing but the first line is left: no block at all, unless it says more than its version.
    if kept == 1 && out == b"NATS/1.0\r\n\r\n" {
        out.clear();
    }
    out
}

/// The block with one more line, or a new block of that line.
pub(crate) fn with(block: &[u8], name: &str, value: &str) -> Vec<u8> {
    let mut out = match block.strip_suffix(b"\r\n") {
        Some(head) if !head.is_empty() => head.to_vec(),
        _ => b"NATS/1.0\r\n".to_vec(),
    };
    for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n\r\n"] {
        out.extend_from_slice(part);
    }
    out
}

/// The block with this line in place of the first of its name, or behind all others.
pub(crate) fn replaced(block: &[u8], name: &str, value: &str) -> Vec<u8> {
    let is_it = |line: &[u8]| {
        let rest = line.strip_prefix(name.as_bytes());
        rest.is_some_and(|rest| rest.first() == Some(&b':'))
    };
    let mut lines: Vec<&[u8]> = block.split_inclusive(|&byte| byte == b'\n').collect();
    let new = format!("{name}: {value}\r\n");
    match lines.iter_mut().find(|line| is_it(line)) {
        Some(line) => *line = new.as_bytes(),
        None => return with(block, name, value),
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] = b"NATS/1.0\r\nNats-Msg-Id: a\r\nX: 1\r\nNats-Msg-Id: b\r\n\r\n";

    #[test]
    fn the_first_of_repeated_headers_counts_and_others_are_passed_over() {
        let found = PublishHeaders::parse(BLOCK);
        assert_eq!(found.message_id, Some("a"));
        assert_eq!(found.rollup, None);
        assert!(!found.has_request_info);
    }

    #[test]
    fn a_line_is_taken_out_and_put_in() {
        assert_eq!(without(BLOCK, "Nats-Msg-Id"), b"NATS/1.0\r\nX: 1\r\n\r\n");
        assert_eq!(without(b"NATS/1.0\r\nX: 1\r\n\r\n", "X"), b"");
        assert_eq!(with(b"", "X", "1"), b"NATS/1.0\r\nX: 1\r\n\r\n");
        let other = replaced(b"NATS/1.0\r\nX: 1\r\nY: 2\r\n\r\n", "X", "3");
        assert_eq!(other, b"NATS/1.0\r\nX: 3\r\nY: 2\r\n\r\n");
        assert_eq!(replaced(b"", "X", "1"), with(b"", "X", "1"));
        let more = with(b"NATS/1.0\r\nX: 1\r\n\r\n", "Y", "2");
        assert_eq!(more, b"NATS/1.0\r\nX: 1\r\nY: 2\r\n\r\n");
    }
}
