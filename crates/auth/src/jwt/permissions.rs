//! What claims say that a user may do, and how it is bounded.

use std::time::Duration;

use serde::Deserialize;

use super::token::{InvalidToken, or_default};
use crate::permissions::{
    PermissionsSpec, RESPONSES_EXPIRES_DEFAULT, RESPONSES_MAX_DEFAULT, Responses, Rules, check_rule,
};

/// Permissions, as claims write them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PermissionClaims {
    /// To publish.
    pub r#pub: RuleClaims,
    /// To subscribe.
    pub sub: RuleClaims,
    /// To answer.
    pub resp: Option<ResponseClaims>,
}

/// What is allowed and what is denied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RuleClaims {
    /// Empty: everything.
    #[serde(deserialize_with = "or_default")]
    pub allow: Vec<String>,
    /// Exceptions.
    #[serde(deserialize_with = "or_default")]
    pub deny: Vec<String>,
}

/// Bounds of answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ResponseClaims {
    /// How many; below 0 any number.
    pub max: i64,
    /// Nanoseconds; below 0 for ever.
    pub ttl: i64,
}

/// Where from, when and how much (C37).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UserLimitClaims {
    /// Addresses, as a list or as text with commas.
    pub src: Sources,
    /// Times of the day.
    #[serde(deserialize_with = "or_default")]
    pub times: Vec<TimeRange>,
    /// The time zone that they are meant in.
    pub times_location: String,
    /// Subscriptions; below 0 any number.
    pub subs: i64,
    /// Bytes; below 0 any number. Not enforced, as in nats-server.
    pub data: i64,
    /// Bytes of one message; below 0 as many as the server allows.
    pub payload: i64,
}

/// Addresses that a user may come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "SourcesForm")]
pub struct Sources(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum SourcesForm {
    None(()),
    List(Vec<String>),
    Text(String),
}

impl From<SourcesForm> for Sources {
    fn from(form: SourcesForm) -> Self {
        let list = match form {
            SourcesForm::None(()) => Vec::new(),
            SourcesForm::List(list) => list,
            SourcesForm::Text(text) => text.split(',').map(str::to_owned).collect(),
        };
        let trimmed = list.iter().map(|one| one.trim().to_ascii_lowercase());
        Self(trimmed.filter(|one| !one.is_empty()).collect())
    }
}

/// From one time of the day to another: `15:04:05`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TimeRange {
    /// From.
    pub start: String,
    /// To; earlier than `start`: on the next day.
    pub end: String,
}

impl PermissionClaims {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Whether every rule can be understood.
    pub(super) fn check(&self) -> Result<(), InvalidToken> {
        let lists = [(&self.r#pub, false), (&self.sub, true)];
        for (rules, queues) in lists {
            for rule in rules.allow.iter().chain(&rules.deny) {
                // Templates are filled in later.
                if !rule.contains("{{") {
                    check_rule(rule, queues)
                        .map_err(|why| InvalidToken::Invalid(why.to_string()))?;
                }
            }
        }
        Ok(())
    }

    /// As this server knows them; `None` if nothing is said.
    pub fn spec(&self) -> Option<PermissionsSpec> {
        if self.is_empty() {
            return None;
        }
        let rules = |claims: &RuleClaims| Rules {
            allow: Some(claims.allow.clone()).filter(|list| !list.is_empty()),
            deny: claims.deny.clone(),
        };
        Some(PermissionsSpec {
            publish: rules(&self.r#pub),
            subscribe: rules(&self.sub),
            responses: self.resp.as_ref().map(ResponseClaims::responses),
        })
    }
}

impl ResponseClaims {
    fn responses(&self) -> Responses {
        Responses {
            max: match self.max {
                0 => RESPONSES_MAX_DEFAULT,
                max => max.max(-1),
            },
            expires: match self.ttl {
                0 => RESPONSES_EXPIRES_DEFAULT,
                // Zero is for ever.
                ttl => u64::try_from(ttl).map_or(Duration::ZERO, Duration::from_nanos),
            },
        }
    }
}
