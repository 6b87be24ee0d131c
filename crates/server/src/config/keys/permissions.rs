//! `permissions { publish, subscribe, allow_responses }` of a user, and those by default.

use std::time::Duration;

use recado_auth::{PermissionsSpec, Responses, Rules, check_rule};

use super::Findings;
use super::field::Field;
use super::filled::{Block, Part, Parts, of_table};
use super::known::{Meaning::Sets, Table};
use super::lists::read_list;
use super::read_block;
use super::shown::Shown;
use crate::config::duration::parse_duration;
use crate::config::fault::Fault;
use crate::config::lang::Data;
use crate::config::messages::{AccessProblem, KeyProblem, Kind};

#[derive(Clone, Copy)]
enum Key {
    Publish,
    Subscribe,
    Responses,
}

const KEYS: &Table<Key> = &[
    (&["publish", "pub", "import"], Sets(Key::Publish)),
    (&["subscribe", "sub", "export"], Sets(Key::Subscribe)),
    (
        &["allow_responses", "publish_allow_responses"],
        Sets(Key::Responses),
    ),
];

const RULE_KEYS: &Table<bool> = &[(&["allow"], Sets(true)), (&["deny"], Sets(false))];

#[derive(Clone, Copy)]
enum ResponsesKey {
    Max,
    Expires,
}

const RESPONSES_KEYS: &Table<ResponsesKey> = &[
    (
        &["max", "max_msgs", "max_messages", "max_responses"],
        Sets(ResponsesKey::Max),
    ),
    (
        &["expires", "expiration", "ttl"],
        Sets(ResponsesKey::Expires),
    ),
];

/// What `explain-config` shows of them.
pub(super) fn parts() -> Parts {
    of_table(KEYS, |key| match key {
        Key::Publish | Key::Subscribe => Part::ANY,
        Key::Responses => Part::Inside(Block::Responses),
    })
}

pub(super) fn responses_parts() -> Parts {
    let default = Responses::default();
    of_table(RESPONSES_KEYS, |key| match key {
        ResponsesKey::Max => Part::Value(Shown::Number(default.max as f64)),
        ResponsesKey::Expires => Part::Value(Shown::Time(default.expires)),
    })
}

/// Reads the block; mistakes in it are added to `findings`.
pub(super) fn read(field: &Field<'_>, findings: &mut Findings) -> Result<PermissionsSpec, Fault> {
    let mut spec = PermissionsSpec::default();
    read_block(field.map()?, KEYS, findings, |key, inner, findings| {
        match key {
            Key::Publish => spec.publish = rules(inner, false, findings)?,
            Key::Subscribe => spec.subscribe = rules(inner, true, findings)?,
            Key::Responses => spec.responses = responses(inner, findings)?,
        }
        Ok(())
    });
    Ok(spec)
}

/// A subject, a list of subjects, or a block with `allow` and `deny`.
fn rules(field: &Field<'_>, queues: bool, findings: &mut Findings) -> Result<Rules, Fault> {
    let mut rules = Rules::default();
    let Data::Map(map) = &field.value.data else {
        rules.allow = allowed(field, queues, findings)?;
        return Ok(rules);
    };
    read_block(map, RULE_KEYS, findings, |allow, inner, findings| {
        if allow {
            rules.allow = allowed(inner, queues, findings)?;
        } else {
            rules.deny = subjects(inner, queues, findings)?;
        }
        Ok(())
    });
    Ok(rules)
}

/// What is allowed. As nats-server: a list without entries allows everything, which is told.
fn allowed(
    field: &Field<'_>,
    queues: bool,
    findings: &mut Findings,
) -> Result<Option<Vec<String>>, Fault> {
    let subjects = subjects(field, queues, findings)?;
    if subjects.is_empty() {
        let warning = AccessProblem::EmptyAllow(field.key.to_owned());
        findings.warnings.push(field.trouble(warning));
        return Ok(None);
    }
    Ok(Some(subjects))
}

fn subjects(
    field: &Field<'_>,
    queues: bool,
    findings: &mut Findings,
) -> Result<Vec<String>, Fault> {
    let mut subjects = Vec::new();
    let mut take = |one: &Field<'_>| {
        let rule = one.text()?;
        check_rule(rule, queues).map_err(|why| one.trouble(AccessProblem::BadPermission(why)))?;
        subjects.push(rule.to_owned());
        Ok(())
    };
    match &field.value.data {
        Data::String(_) => take(field)?,
        _ => read_list(field, findings, |one, _| take(one))?,
    }
    Ok(subjects)
}

/// A switch, or a block with bounds.
fn responses(field: &Field<'_>, findings: &mut Findings) -> Result<Option<Responses>, Fault> {
    let map = match &field.value.data {
        Data::Bool(allowed) => return Ok(allowed.then(Responses::default)),
        Data::Map(map) => map,
        _ => return Err(field.wrong_kind(Kind::Responses)),
    };
    let mut responses = Responses::default();
    read_block(map, RESPONSES_KEYS, findings, |key, inner, _| {
        match key {
            // As nats-server: below 0 there is no bound, 0 stands for the default.
            ResponsesKey::Max => match inner.integer(i64::MIN, i64::MAX)? {
                0 => {}
                max => responses.max = max.max(-1),
            },
            ResponsesKey::Expires => match expiry(inner)? {
                Some(time) if time.is_zero() => {}
                time => responses.expires = time.unwrap_or_default(),
            },
        }
        Ok(())
    });
    Ok(Some(responses))
}

/// A duration; `None` if it is below zero, which means for ever.
fn expiry(field: &Field<'_>) -> Result<Option<Duration>, Fault> {
    let text = field.text()?;
    let (negative, size) = match text.strip_prefix('-') {
        Some(size) => (true, size),
        None => (false, text),
    };
    let time = parse_duration(size).ok_or_else(|| {
        field.fault(KeyProblem::BadDuration {
            key: field.key.to_owned(),
            value: text.to_owned(),
        })
    })?;
    Ok(Some(time).filter(|time| time.is_zero() || !negative))
}
