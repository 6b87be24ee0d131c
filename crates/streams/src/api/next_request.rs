//! The body of a pull request (E5): nothing, a number, or JSON. Every fetch brings one, so the usual JSON is read
//! without detours; what that can't read is read again the careful way.

use serde::Deserialize;

use super::status::{HEARTBEAT_TOO_LARGE, PRIORITY_OUT_OF_RANGE, Status};
use crate::config::json::{Fields, JsonError, Read};

/// What a pull request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NextRequest {
    /// Messages. 0 and less are taken as they are: nats-server serves such a request once.
    pub batch: i64,
    /// For how long it waits, in nanoseconds; 0 for as long as the client listens (or not at all, with
    /// `no_wait`).
    pub expires: i64,
    /// Most bytes; 0 for any.
    pub max_bytes: i64,
    /// Whether to answer at once when there is nothing.
    pub no_wait: bool,
    /// How often to tell that the request still waits, in nanoseconds; 0 for never.
    pub idle_heartbeat: i64,
    /// Priority group.
    pub group: String,
    /// Only when this many messages are pending.
    pub min_pending: i64,
    /// Only when this many acks are pending.
    pub min_ack_pending: i64,
    /// The client's pin.
    pub id: String,
    /// 0 (first) to 9.
    pub priority: i64,
    /// Whether it was JSON: only then are the rules of priority groups applied to it.
    #[serde(skip)]
    pub is_json: bool,
}

/// Why a pull request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadNextRequest {
    /// With this status.
    Status(Status),
    /// With 400 and these words (`status::append_bad_pull_request`).
    Json(JsonError),
}

impl NextRequest {
    /// Reads a body. Text that is neither a number nor JSON asks for one message.
    ///
    /// # Errors
    /// What to answer.
    pub fn parse(body: &[u8]) -> Result<Self, BadNextRequest> {
        let body = body.trim_ascii();
        if !body.starts_with(b"{") {
            let number = std::str::from_utf8(body)
                .ok()
                .and_then(|text| text.parse().ok());
            return Ok(Self {
                batch: number.unwrap_or(1),
                ..Self::default()
            });
        }
        let mut request = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(_) => Self::parse_carefully(body).map_err(BadNextRequest::Json)?,
        };
        request.is_json = true;
        if request.idle_heartbeat > 0 && request.idle_heartbeat > request.expires / 2 {
            return Err(BadNextRequest::Status(HEARTBEAT_TOO_LARGE));
        }
        if !(0..=9).contains(&request.priority) {
            return Err(BadNextRequest::Status(PRIORITY_OUT_OF_RANGE));
        }
        Ok(request)
    }

    fn parse_carefully(body: &[u8]) -> Read<Self> {
        let mut f = Fields::parse(body, "JSApiConsumerGetNextRequest", false)?;
        Ok(Self {
            batch: f.int("batch")?,
            expires: f.duration("expires")?,
            max_bytes: f.int("max_bytes")?,
            no_wait: f.bool("no_wait")?,
            idle_heartbeat: f.duration("idle_heartbeat")?,
            group: f.string("group")?,
            min_pending: f.i64("min_pending")?,
            min_ack_pending: f.i64("min_ack_pending")?,
            id: f.string("id")?,
            priority: f.int("priority")?,
            is_json: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(body: &str) -> NextRequest {
        NextRequest::parse(body.as_bytes()).expect("a request")
    }

    #[test]
    fn nothing_is_one_message_and_a_number_is_so_many() {
        assert_eq!(parse("").batch, 1);
        assert_eq!(parse(" 25 ").batch, 25);
        assert_eq!(parse("junk").batch, 1);
        assert!(!parse("5").is_json);
    }

    #[test]
    fn json_is_read_with_all_its_fields_and_unknown_ones_passed_over() {
        let body = r#"{"batch":3,"expires":4000,"max_bytes":5,"no_wait":true,"idle_heartbeat":2000,
            "group":"g","min_pending":6,"min_ack_pending":7,"id":"p","priority":8}"#;
        let request = parse(body);
        let expected = NextRequest {
            batch: 3,
            expires: 4000,
            max_bytes: 5,
            no_wait: true,
            idle_heartbeat: 2000,
            group: "g".to_owned(),
            min_pending: 6,
            min_ack_pending: 7,
            id: "p".to_owned(),
            priority: 8,
            is_json: true,
        };
        assert_eq!(request, expected);
        assert_eq!(parse(r#"{"Batch":3,"x":null,"expires":null}"#).batch, 3);
        assert_eq!(parse("{}").batch, 0);
    }

    #[test]
    fn bad_requests_say_what_to_answer() {
        let refused = |body: &str| NextRequest::parse(body.as_bytes()).expect_err("refused");
        let heartbeat = refused(r#"{"idle_heartbeat":3,"expires":4}"#);
        assert_eq!(heartbeat, BadNextRequest::Status(HEARTBEAT_TOO_LARGE));
        let priority = refused(r#"{"priority":10}"#);
        assert_eq!(priority, BadNextRequest::Status(PRIORITY_OUT_OF_RANGE));
        let BadNextRequest::Json(error) = refused(r#"{"batch":"x"}"#) else {
            panic!("no JSON error");
        };
        assert_eq!(
            error.to_string(),
            "json: cannot unmarshal string into Go struct field \
             JSApiConsumerGetNextRequest.batch of type int"
        );
    }

    proptest! {
        #[test]
        fn both_ways_of_reading_agree(batch: i64, expires in 0i64..1_000_000, no_wait: bool, group in "[a-z]{0,4}") {
            let body = serde_json::json!({"batch": batch, "expires": expires, "no_wait": no_wait, "group": group});
            let body = body.to_string();
            let carefully = NextRequest::parse_carefully(body.as_bytes()).expect("a request");
            prop_assert_eq!(parse(&body), carefully);
        }

        #[test]
        fn no_body_makes_it_stumble(body in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = NextRequest::parse(&body);
        }
    }
}
