//! Bodies of the requests about streams and messages (E20–E31, E42–E44), and what must be refused by looking at the request alone. `strict`
//! refuses unknown fields (E04); it is the server's setting.

use serde::Deserialize;

use super::info::StreamState;
use super::status::{BAD_REQUEST, EMPTY_REQUEST, Status};
use crate::config::json::{Fields, JsonError, Read};
use crate::config::{Placement, StreamConfig, is_valid_literal, read_placement};
use crate::error::BAD_REQUEST as BAD_REQUEST_KIND;
use crate::error::{
    ApiError, NOT_EMPTY_REQUEST, SNAPSHOT_DELIVER_SUBJECT_INVALID, STREAM_INVALID_CONFIG,
    STREAM_MISMATCH, STREAM_NAME_CONTAINS_PATH_SEPARATORS,
};

/// Whether a body asks for nothing: no bytes, or an object without fields (E05).
pub fn is_empty_request(body: &[u8]) -> bool {
    let object = || serde_json::from_slice::<serde_json::Map<_, serde_json::Value>>(body);
    body.is_empty() || body == b"{}" || object().is_ok_and(|object| object.is_empty())
}

/// 10038 unless a body is empty: for calls that take none.
///
/// # Errors
/// When there is a body.
pub fn expect_empty(body: &[u8]) -> Result<(), ApiError> {
    if is_empty_request(body) {
        Ok(())
    } else {
        Err(ApiError::new(&NOT_EMPTY_REQUEST))
    }
}

/// 10003 if a body is empty: for calls that need one.
fn expect_body(body: &[u8]) -> Result<(), ApiError> {
    if is_empty_request(body) {
        Err(ApiError::new(&BAD_REQUEST_KIND))
    } else {
        Ok(())
    }
}

/// Reads a whole object with `read`.
pub(super) fn whole<T>(
    body: &[u8],
    name: &'static str,
    strict: bool,
    read: impl Fn(&mut Fields) -> Read<T>,
) -> Result<T, ApiError> {
    Ok(Fields::whole(body, name, strict, read)?)
}

/// Reads an object where anything else, such as a plain text, counts as nothing asked for.
pub(super) fn whole_if_object<T>(
    body: &[u8],
    name: &'static str,
    strict: bool,
    read: impl Fn(&mut Fields) -> Read<T>,
) -> Result<T, ApiError> {
    let trimmed = body.trim_ascii_start();
    let object = trimmed.starts_with(b"{") || trimmed.starts_with(b"[");
    whole(if object { body } else { b"" }, name, strict, read)
}

/// Of STREAM.CREATE and STREAM.UPDATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamConfigRequest {
    /// What is wanted.
    pub config: StreamConfig,
    /// Whether to refuse rather than correct (E12).
    pub pedantic: bool,
}

impl StreamConfigRequest {
    /// # Errors
    /// 10025.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        whole(body, "StreamConfigRequest", strict, |f| {
            Ok(Self {
                config: StreamConfig::read(f)?,
                pedantic: f.bool("pedantic")?,
            })
        })
    }

    /// Checks what only creating asks; `name` is that of the call's subject.
    ///
    /// # Errors
    /// 10056, 10128, 10052.
    pub fn check_for_create(&self, name: &str) -> Result<(), ApiError> {
        self.check_name(name)?;
        let invalid = |text| Err(ApiError::with(&STREAM_INVALID_CONFIG, text));
        if name.contains(['\\', '/']) {
            return Err(ApiError::new(&STREAM_NAME_CONTAINS_PATH_SEPARATORS));
        }
        if self.config.sealed {
            return invalid("stream configuration for create can not be sealed");
        }
        if self.config.mirror_direct && self.config.mirror.is_none() {
            return invalid("stream has no mirror but does have mirror direct");
        }
        Ok(())
    }

    /// Checks that the body means the stream of the call's subject.
    ///
    /// # Errors
    /// 10056.
    pub fn check_name(&self, name: &str) -> Result<(), ApiError> {
        if self.config.name == name {
            Ok(())
        } else {
            Err(ApiError::new(&STREAM_MISMATCH))
        }
    }
}

/// Of STREAM.INFO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamInfoRequest {
    /// Subjects to pass over.
    pub offset: usize,
    /// Whether the gaps are wanted.
    pub deleted_details: bool,
    /// Of which subjects the counts are wanted; empty for none.
    pub subjects_filter: String,
}

impl StreamInfoRequest {
    /// # Errors
    /// 10025.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        whole_if_object(body, "JSApiStreamInfoRequest", strict, |f| {
            Ok(Self {
                offset: offset(f)?,
                deleted_details: f.bool("deleted_details")?,
                subjects_filter: f.string("subjects_filter")?,
            })
        })
    }
}

/// Of STREAM.NAMES and STREAM.LIST.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamsRequest {
    /// Streams to pass over.
    pub offset: usize,
    /// Only streams with a subject that overlaps; empty for all.
    pub subject: String,
}

impl StreamsRequest {
    /// # Errors
    /// 10025.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        whole_if_object(body, "JSApiStreamNamesRequest", strict, |f| {
            Ok(Self {
                offset: offset(f)?,
                subject: f.string("subject")?,
            })
        })
    }
}

pub(super) fn offset(f: &mut Fields) -> Read<usize> {
    Ok(usize::try_from(f.int("offset")?.max(0)).unwrap_or(usize::MAX))
}

/// Of STREAM.PURGE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PurgeRequest {
    /// Up to, and without, this sequence; 0 for no bound.
    pub seq: u64,
    /// Only these subjects; empty for all.
    pub filter: String,
    /// How many of them stay.
    pub keep: u64,
}

impl PurgeRequest {
    /// # Errors
    /// 10025; 10003 for both a sequence and a number to keep.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        let request = whole_if_object(body, "JSApiStreamPurgeRequest", strict, |f| {
            Ok(Self {
                seq: f.u64("seq")?,
                filter: f.string("filter")?,
                keep: f.u64("keep")?,
            })
        })?;
        if request.seq > 0 && request.keep > 0 {
            return Err(ApiError::new(&BAD_REQUEST_KIND));
        }
        Ok(request)
    }
}

/// Of STREAM.MSG.DELETE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MsgDeleteRequest {
    /// Which message.
    pub seq: u64,
    /// Whether its bytes may stay.
    pub no_erase: bool,
}

impl MsgDeleteRequest {
    /// # Errors
    /// 10003 for an empty body, 10025.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        expect_body(body)?;
        whole(body, "JSApiMsgDeleteRequest", strict, |f| {
            Ok(Self {
                seq: f.u64("seq")?,
                no_erase: f.bool("no_erase")?,
            })
        })
    }
}

/// Of STREAM.MSG.GET and DIRECT.GET.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MsgGetRequest {
    /// This sequence, or the first to look at.
    pub seq: u64,
    /// The last message of this subject.
    pub last_by_subj: String,
    /// The next message of these subjects.
    pub next_by_subj: String,
    /// How many; 0 for one, without the headers of many.
    pub batch: i64,
    /// Most bytes in all; 0 for the server's own bound.
    pub max_bytes: i64,
    /// From this time on, Unix nanoseconds.
    pub start_time: Option<i64>,
    /// The last messages of all these subjects.
    pub multi_last: Vec<String>,
    /// Only up to this sequence.
    pub up_to_seq: u64,
    /// Only up to this time.
    pub up_to_time: Option<i64>,
    /// Without headers.
    pub no_hdr: bool,
}

impl MsgGetRequest {
    fn read(f: &mut Fields) -> Read<Self> {
        Ok(Self {
            seq: f.u64("seq")?,
            last_by_subj: f.string("last_by_subj")?,
            next_by_subj: f.string("next_by_subj")?,
            batch: f.int("batch")?,
            max_bytes: f.int("max_bytes")?,
            start_time: f.time("start_time")?,
            multi_last: f.strings("multi_last")?,
            up_to_seq: f.u64("up_to_seq")?,
            up_to_time: f.time("up_to_time")?,
            no_hdr: f.bool("no_hdr")?,
        })
    }

    /// Of STREAM.MSG.GET.
    ///
    /// # Errors
    /// 10003 for an empty body or one that contradicts itself, 10025.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        expect_body(body)?;
        let request = whole(body, "JSApiMsgGetRequest", strict, Self::read)?;
        let many = request.batch > 0 || request.max_bytes > 0;
        let (last, next) = (
            !request.last_by_subj.is_empty(),
            !request.next_by_subj.is_empty(),
        );
        let (sequence, time) = (request.seq > 0, request.start_time.is_some());
        let nothing = !sequence && !last && !next && !time;
        if many || nothing || sequence && (last || time) || last && (time || next) {
            return Err(ApiError::new(&BAD_REQUEST_KIND));
        }
        Ok(request)
    }

    /// Of DIRECT.GET of a stream. Unknown fields are passed over.
    ///
    /// # Errors
    /// The status to answer with.
    pub fn parse_direct(body: &[u8]) -> Result<Self, Status> {
        if body.is_empty() {
            return Err(EMPTY_REQUEST);
        }
        let request = Self::parse_lenient(body)?;
        let (last, next) = (
            !request.last_by_subj.is_empty(),
            !request.next_by_subj.is_empty(),
        );
        let (sequence, time) = (request.seq > 0, request.start_time.is_some());
        let many = !request.multi_last.is_empty();
        if !sequence && !last && !next && !many && !time {
            return Err(EMPTY_REQUEST);
        }
        let two_bounds = request.up_to_seq > 0 && request.up_to_time.is_some();
        let bad = sequence && (last || time)
            || last && (time || next || request.batch > 0 || many)
            || next && many
            || two_bounds;
        if bad { Err(BAD_REQUEST) } else { Ok(request) }
    }

    /// Of DIRECT.GET of a subject, which the call's subject names.
    ///
    /// # Errors
    /// The status to answer with.
    pub fn parse_direct_last(body: &[u8], subject: &str) -> Result<Self, Status> {
        let request = Self::parse_lenient(body)?;
        let allowed = Self {
            no_hdr: request.no_hdr,
            max_bytes: request.max_bytes,
            ..Self::default()
        };
        if subject.is_empty() || request != allowed {
            return Err(BAD_REQUEST);
        }
        Ok(Self {
            last_by_subj: subject.to_owned(),
            ..request
        })
    }

    /// Direct gets are how values of buckets are read: the usual ones are read without detours.
    fn parse_lenient(body: &[u8]) -> Result<Self, Status> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        // A list would be taken for its fields in their order.
        if body.starts_with(b"{")
            && let Ok(usual) = serde_json::from_slice::<UsualGet>(body)
        {
            return Ok(usual.into());
        }
        let malformed = |_: JsonError| super::status::MALFORMED_REQUEST;
        let mut fields = Fields::parse(body, "JSApiMsgGetRequest", false).map_err(malformed)?;
        Self::read(&mut fields).map_err(malformed)
    }
}

/// The fields that most direct gets have.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct UsualGet {
    seq: u64,
    last_by_subj: String,
    next_by_subj: String,
    batch: i64,
    no_hdr: bool,
}

impl From<UsualGet> for MsgGetRequest {
    fn from(usual: UsualGet) -> Self {
        Self {
            seq: usual.seq,
            last_by_subj: usual.last_by_subj,
            next_by_subj: usual.next_by_subj,
            batch: usual.batch,
            no_hdr: usual.no_hdr,
            ..Self::default()
        }
    }
}

/// Fewest bytes of a chunk of a snapshot.
pub const CHUNK_BYTES_MIN: u64 = 1024;
/// Most bytes of a chunk of a snapshot.
pub const CHUNK_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of a chunk of a snapshot unless said otherwise.
pub const CHUNK_BYTES_DEFAULT: u64 = 128 * 1024;
/// Most bytes of a snapshot under way.
pub const WINDOW_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Bytes of a snapshot under way unless said otherwise.
pub const WINDOW_BYTES_DEFAULT: u64 = 8 * 1024 * 1024;

/// Of STREAM.SNAPSHOT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// Where the chunks go.
    pub deliver_subject: String,
    /// Without the consumers.
    pub no_consumers: bool,
    /// Bytes of a chunk, within its bounds.
    pub chunk_size: u64,
    /// Bytes under way, within their bounds.
    pub window_size: u64,
    /// Whether all messages are to be checked first.
    pub jsck: bool,
}

impl SnapshotRequest {
    /// # Errors
    /// 10003 for an empty body, 10025, 10015.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        expect_body(body)?;
        let size = |asked: i64, default: u64, max: u64| match u64::try_from(asked) {
            Ok(0) => default,
            Ok(asked) => asked.clamp(CHUNK_BYTES_MIN, max),
            Err(_) => CHUNK_BYTES_MIN,
        };
        let request = whole(body, "JSApiStreamSnapshotRequest", strict, |f| {
            let chunk_size = f.int("chunk_size")?;
            let window_size = f.int("window_size")?;
            Ok(Self {
                deliver_subject: f.string("deliver_subject")?,
                no_consumers: f.bool("no_consumers")?,
                chunk_size: size(chunk_size, CHUNK_BYTES_DEFAULT, CHUNK_BYTES_MAX),
                window_size: size(window_size, WINDOW_BYTES_DEFAULT, WINDOW_BYTES_MAX),
                jsck: f.bool("jsck")?,
            })
        })?;
        if !is_valid_literal(&request.deliver_subject) {
            return Err(ApiError::new(&SNAPSHOT_DELIVER_SUBJECT_INVALID));
        }
        Ok(request)
    }
}

/// Of STREAM.RESTORE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreRequest {
    /// The stream to be.
    pub config: StreamConfig,
    /// What it held.
    pub state: StreamState,
}

impl RestoreRequest {
    /// `name` is that of the call's subject; a body without a name takes it.
    ///
    /// # Errors
    /// 10003 for an empty body, 10025, 10056, 10128.
    pub fn parse(body: &[u8], name: &str, strict: bool) -> Result<Self, ApiError> {
        expect_body(body)?;
        let mut request = whole(body, "JSApiStreamRestoreRequest", strict, |f| {
            Ok(Self {
                config: f
                    .object("config", "StreamConfig", StreamConfig::read)?
                    .unwrap_or_default(),
                state: f
                    .object("state", "StreamState", StreamState::read)?
                    .unwrap_or_default(),
            })
        })?;
        if request.config.name.is_empty() {
            name.clone_into(&mut request.config.name);
        }
        if request.config.name != name {
            return Err(ApiError::new(&STREAM_MISMATCH));
        }
        if name.contains(['\\', '/']) {
            return Err(ApiError::new(&STREAM_NAME_CONTAINS_PATH_SEPARATORS));
        }
        Ok(request)
    }
}

/// Of STREAM.LEADER.STEPDOWN and CONSUMER.LEADER.STEPDOWN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepDownRequest {
    /// Who should lead next.
    pub placement: Option<Placement>,
}

impl StepDownRequest {
    /// # Errors
    /// 10025.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        whole_if_object(body, "JSApiLeaderStepdownRequest", strict, |f| {
            let placement = f.object("placement", "Placement", read_placement)?;
            Ok(Self { placement })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: std::fmt::Debug>(result: Result<T, ApiError>) -> u16 {
        result.map_or_else(|error| error.err_code, |_| 0)
    }

    #[test]
    fn empty_requests_are_told_from_others() {
        for empty in ["", "{}", " { } "] {
            assert!(is_empty_request(empty.as_bytes()), "{empty:?}");
        }
        assert!(!is_empty_request(b"null") && !is_empty_request(b"{\"a\":1}"));
        assert_eq!(code(expect_empty(b"x")), 10038);
        assert_eq!(code(MsgDeleteRequest::parse(b"", true)), 10003);
        assert_eq!(
            code(MsgDeleteRequest::parse(b"{\"seq\":\"1\"}", true)),
            10025
        );
    }

    #[test]
    fn a_stream_is_created_under_the_name_of_the_subject_only() {
        let parse =
            |body: &str| StreamConfigRequest::parse(body.as_bytes(), true).expect("a request");
        let request = parse(r#"{"name":"S","pedantic":true}"#);
        assert!(request.pedantic);
        assert_eq!(code(request.check_for_create("S")), 0);
        assert_eq!(code(request.check_for_create("T")), 10056);
        assert_eq!(
            code(parse(r#"{"name":"a/b"}"#).check_for_create("a/b")),
            10128
        );
        assert_eq!(
            code(parse(r#"{"name":"S","sealed":true}"#).check_for_create("S")),
            10052
        );
        assert_eq!(
            code(StreamConfigRequest::parse(b"{\"nme\":1}", true)),
            10025
        );
        assert_eq!(code(StreamConfigRequest::parse(b"{\"nme\":1}", false)), 0);
    }

    #[test]
    fn lists_take_any_text_for_nothing_asked() {
        assert_eq!(
            StreamInfoRequest::parse(b"hello", true),
            Ok(StreamInfoRequest::default())
        );
        let request = StreamsRequest::parse(b" {\"offset\":-3,\"subject\":\"a\"}", true);
        let expected = StreamsRequest {
            offset: 0,
            subject: "a".to_owned(),
        };
        assert_eq!(request, Ok(expected));
        assert_eq!(code(StreamsRequest::parse(b"[1]", true)), 10025);
    }

    #[test]
    fn a_purge_has_a_sequence_or_a_number_to_keep() {
        assert_eq!(
            code(PurgeRequest::parse(b"{\"seq\":1,\"keep\":1}", true)),
            10003
        );
        let request = PurgeRequest::parse(b"{\"filter\":\"a\",\"keep\":2}", true).expect("a purge");
        assert_eq!((request.filter.as_str(), request.keep), ("a", 2));
    }

    #[test]
    fn a_message_is_asked_for_in_one_way() {
        for (body, expected) in [
            (r#"{"seq":1}"#, 0),
            (r#"{"last_by_subj":"a"}"#, 0),
            (r#"{"seq":1,"next_by_subj":"a"}"#, 0),
            (r#"{"no_hdr":true}"#, 10003),
            (r#"{"seq":1,"last_by_subj":"a"}"#, 10003),
            (r#"{"seq":1,"batch":2}"#, 10003),
            (r#"{"next_by_subj":"a","last_by_subj":"a"}"#, 10003),
        ] {
            assert_eq!(
                code(MsgGetRequest::parse(body.as_bytes(), true)),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn direct_gets_are_refused_with_a_status() {
        let direct = |body: &str| MsgGetRequest::parse_direct(body.as_bytes()).err();
        assert_eq!(direct(""), Some(EMPTY_REQUEST));
        assert_eq!(direct("{}"), Some(EMPTY_REQUEST));
        assert_eq!(direct("x"), Some(super::super::status::MALFORMED_REQUEST));
        assert_eq!(
            direct(r#"{"last_by_subj":"a","batch":1}"#),
            Some(BAD_REQUEST)
        );
        assert_eq!(
            direct(r#"{"multi_last":["a"],"up_to_seq":4,"batch":1,"x":1}"#),
            None
        );
        let last = MsgGetRequest::parse_direct_last(b"{\"no_hdr\":true}", "a.b").expect("a get");
        assert!(last.no_hdr && last.last_by_subj == "a.b");
        let bad = MsgGetRequest::parse_direct_last(b"{\"seq\":1}", "a.b");
        assert_eq!(bad, Err(BAD_REQUEST));
    }

    #[test]
    fn a_list_is_no_direct_get() {
        let malformed = Some(crate::api::status::MALFORMED_REQUEST);
        for body in ["[]", "[7]", " []", "7"] {
            let request = MsgGetRequest::parse_direct(body.as_bytes());
            assert_eq!(request.err(), malformed, "{body}");
        }
    }

    #[test]
    fn sizes_of_a_snapshot_stay_within_their_bounds() {
        let sizes = |chunk: i64, window: i64| {
            let body =
                format!(r#"{{"deliver_subject":"a","chunk_size":{chunk},"window_size":{window}}}"#);
            let request = SnapshotRequest::parse(body.as_bytes(), true).expect("a snapshot");
            (request.chunk_size, request.window_size)
        };
        assert_eq!(sizes(0, 0), (CHUNK_BYTES_DEFAULT, WINDOW_BYTES_DEFAULT));
        assert_eq!(sizes(1, i64::MAX), (CHUNK_BYTES_MIN, WINDOW_BYTES_MAX));
        let wild = SnapshotRequest::parse(b"{\"deliver_subject\":\"a.*\"}", true);
        assert_eq!(code(wild), SNAPSHOT_DELIVER_SUBJECT_INVALID.err_code);
    }

    #[test]
    fn a_restore_takes_its_name_from_the_subject() {
        let body = br#"{"config":{},"state":{"messages":2,"first_ts":"2024-01-01T00:00:00Z"}}"#;
        let request = RestoreRequest::parse(body, "S", true).expect("a restore");
        assert_eq!(
            (request.config.name.as_str(), request.state.messages),
            ("S", 2)
        );
        let other = RestoreRequest::parse(b"{\"config\":{\"name\":\"T\"}}", "S", true);
        assert_eq!(code(other), 10056);
    }
}
