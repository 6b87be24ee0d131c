//! Permissions as they are configured and as `$SYS.REQ.USER.INFO` shows them.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// Responses to one message, where `allow_responses` does not say how many (C33).
pub const RESPONSES_MAX_DEFAULT: i64 = 1;

/// How long a message may be responded to, where `allow_responses` does not say (C33).
pub const RESPONSES_EXPIRES_DEFAULT: Duration = Duration::from_secs(2 * 60);

/// What one user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PermissionsSpec {
    /// What may be published.
    pub publish: Rules,
    /// What may be subscribed to; a rule may name a queue group behind the subject.
    pub subscribe: Rules,
    /// Whether reply subjects of delivered messages may be published to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responses: Option<Responses>,
}

/// What is allowed and what is denied of it; deny wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// `None`: everything.
    #[serde(skip_serializing_if = "says_nothing")]
    pub allow: Option<Vec<String>>,
    /// Exceptions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

/// Bounds of the responses to one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Responses {
    /// How many; -1: any number, 0: [`RESPONSES_MAX_DEFAULT`].
    pub max: i64,
    /// How long after the message was delivered; zero: for ever.
    #[serde(rename = "ttl", serialize_with = "as_go_duration")]
    pub expires: Duration,
}

impl Default for Responses {
    fn default() -> Self {
        Self {
            max: RESPONSES_MAX_DEFAULT,
            expires: RESPONSES_EXPIRES_DEFAULT,
        }
    }
}

impl PermissionsSpec {
    /// Fills in what the rest implies.
    pub(super) fn complete(&mut self) {
        let Some(responses) = &mut self.responses else {
            return;
        };
        if responses.max == 0 {
            responses.max = RESPONSES_MAX_DEFAULT;
        }
        self.publish.allow.get_or_insert_default();
    }
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn says_nothing(list: &Option<Vec<String>>) -> bool {
    list.as_ref().is_none_or(Vec::is_empty)
}

/// Nanoseconds; for ever is negative.
fn as_go_duration<S: Serializer>(expires: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if expires.is_zero() {
        return serializer.serialize_i64(-1);
    }
    serializer.serialize_i64(i64::try_from(expires.as_nanos()).unwrap_or(i64::MAX))
}
