//! `exports [ … ]` of an account (C42, C43, C45).

use std::time::Duration;

use recado_streams::config::{is_valid_filter, is_valid_literal};

use super::draft::{Named, Placed};
use super::field::Field;
use super::filled::{Block, Part, Parts, of_table};
use super::known::{Meaning::Sets, Table};
use super::lists::{read_list, texts};
use super::mappings::percent;
use super::read_block;
use super::shown::Shown;
use super::{Findings, one_of};
use crate::config::access::{Export, Kind as Crossing, Latency, ResponseType, Sampling};
use crate::config::fault::{Fault, Place};
use crate::config::lang::Data;
use crate::config::messages::{AccessProblem, Kind};
use crate::engine::RESPONSE_THRESHOLD;

/// What `response_type` can be.
const RESPONSE_TYPES: &[&str] = &["singleton", "stream", "chunked"];

/// An export, and the accounts that it names with their places.
pub(super) struct DraftExport {
    pub(super) export: Placed<Export>,
    pub(super) accounts: Vec<Named>,
}

#[derive(Clone, Copy)]
enum Key {
    Stream,
    Service,
    ResponseType,
    Threshold,
    Accounts,
    Latency,
    TokenPosition,
    AllowTrace,
}

const KEYS: &Table<Key> = &[
    (&["stream"], Sets(Key::Stream)),
    (&["service"], Sets(Key::Service)),
    (&["response_type", "response"], Sets(Key::ResponseType)),
    (
        &[
            "response_threshold",
            "threshold",
            "response_max_time",
            "response_time",
        ],
        Sets(Key::Threshold),
    ),
    (&["accounts"], Sets(Key::Accounts)),
    (&["latency"], Sets(Key::Latency)),
    (&["account_token_position"], Sets(Key::TokenPosition)),
    (&["allow_trace"], Sets(Key::AllowTrace)),
];

#[derive(Clone, Copy)]
enum LatencyKey {
    Subject,
    Sampling,
}

const LATENCY_KEYS: &Table<LatencyKey> = &[
    (&["subject"], Sets(LatencyKey::Subject)),
    (&["sampling"], Sets(LatencyKey::Sampling)),
];

/// What `explain-config` shows of an export.
pub(super) fn parts() -> Parts {
    let of_services = |shown| Part::Beside(&["service"], shown);
    of_table(KEYS, |key| match key {
        Key::Stream | Key::Service => Part::IfWritten,
        Key::ResponseType => of_services(Shown::Text("Singleton".to_owned())),
        Key::Threshold => of_services(Shown::Time(RESPONSE_THRESHOLD)),
        Key::Accounts => Part::ANY,
        Key::Latency => Part::Inside(Block::Latency),
        Key::TokenPosition => Part::NONE,
        Key::AllowTrace => of_services(Shown::Bool(false)),
    })
}

pub(super) fn latency_parts() -> Parts {
    of_table(LATENCY_KEYS, |key| match key {
        LatencyKey::Subject => Part::NONE,
        LatencyKey::Sampling => Part::text("100%"),
    })
}

/// What an export's block said.
#[derive(Default)]
struct Said {
    subject: Option<(Crossing, String)>,
    response_type: ResponseType,
    threshold: Option<Duration>,
    accounts: Option<Vec<Named>>,
    latency: Option<(Latency, Place)>,
    token_position: Option<(usize, Place)>,
    allow_trace: bool,
    /// The keys that only services have, with their places.
    for_services: Vec<(String, Place)>,
}

/// Reads the list; mistakes in it are added to `findings`.
pub(super) fn read(field: &Field<'_>, findings: &mut Findings) -> Result<Vec<DraftExport>, Fault> {
    let mut exports = Vec::new();
    read_list(field, findings, |one, findings| {
        exports.push(read_one(one, findings)?);
        Ok(())
    })?;
    Ok(exports)
}

fn read_one(field: &Field<'_>, findings: &mut Findings) -> Result<DraftExport, Fault> {
    let mut said = Said::default();
    let mistakes = findings.errors.len();
    read_block(field.map()?, KEYS, findings, |key, inner, findings| {
        set(key, inner, &mut said, findings)
    });
    let Some((kind, subject)) = said.subject else {
        // It may be there, and have been told to be wrong.
        if findings.errors.len() > mistakes {
            return Err(findings.errors.remove(mistakes));
        }
        return Err(field.trouble(AccessProblem::Missing("stream / service")));
    };
    if kind == Crossing::Stream
        && let Some((key, place)) = said.for_services.first()
    {
        let problem = AccessProblem::OnlyForServices(key.clone());
        return Err(Fault::at(place, problem));
    }
    if let Some((_, place)) = said.latency.as_ref()
        && said.response_type != ResponseType::Singleton
    {
        return Err(Fault::at(place, AccessProblem::SeveralAnswersMeasured));
    }
    if let Some((position, place)) = &said.token_position {
        check_position(*position, &subject).map_err(|problem| Fault::at(place, problem))?;
    }
    let names = |named: &Vec<Named>| named.iter().map(|one| one.value.clone()).collect();
    let export = Export {
        needs_activation: false,
        kind,
        subject,
        accounts: said.accounts.as_ref().map(names),
        response_type: said.response_type,
        response_threshold: said.threshold,
        latency: said.latency.map(|(latency, _)| latency),
        token_position: said.token_position.map(|(position, _)| position),
        allow_trace: said.allow_trace,
    };
    Ok(DraftExport {
        export: Placed::at(field, export),
        accounts: said.accounts.unwrap_or_default(),
    })
}

fn set(key: Key, field: &Field<'_>, said: &mut Said, findings: &mut Findings) -> Result<(), Fault> {
    if matches!(
        key,
        Key::ResponseType | Key::Threshold | Key::Latency | Key::AllowTrace
    ) {
        let place = field.key_place.clone();
        said.for_services.push((field.key.to_owned(), place));
    }
    match key {
        Key::Stream => set_subject(Crossing::Stream, field, said)?,
        Key::Service => set_subject(Crossing::Service, field, said)?,
        Key::ResponseType => said.response_type = response_type(field)?,
        Key::Threshold => {
            let time = field.span()?.duration;
            said.threshold = Some(time).filter(|time| !time.is_zero());
        }
        Key::Accounts => said.accounts = Some(Named::list(field, findings)?),
        Key::Latency => {
            said.latency = Some((latency(field, findings)?, field.key_place.clone()));
        }
        Key::TokenPosition => {
            let position = usize::try_from(field.integer(0, 4096)?).unwrap_or_default();
            said.token_position =
                Some((position, field.value.place.clone())).filter(|(position, _)| *position > 0);
        }
        Key::AllowTrace => said.allow_trace = field.boolean()?,
    }
    Ok(())
}

fn set_subject(kind: Crossing, field: &Field<'_>, said: &mut Said) -> Result<(), Fault> {
    if said.subject.is_some() {
        return Err(Fault::at(field.key_place, AccessProblem::StreamAndService));
    }
    said.subject = Some((kind, subject(field)?));
    Ok(())
}

/// A subject, wildcards allowed.
pub(super) fn subject(field: &Field<'_>) -> Result<String, Fault> {
    let text = field.text()?;
    match is_valid_filter(text) {
        true => Ok(text.to_owned()),
        false => Err(field.trouble(AccessProblem::BadSubject(text.to_owned()))),
    }
}

/// A subject that can be published to.
pub(super) fn literal(field: &Field<'_>) -> Result<String, Fault> {
    let text = field.text()?;
    match is_valid_literal(text) {
        true => Ok(text.to_owned()),
        false => Err(field.trouble(AccessProblem::NotLiteral(text.to_owned()))),
    }
}

fn response_type(field: &Field<'_>) -> Result<ResponseType, Fault> {
    let word = field.text()?;
    match word.to_lowercase().as_str() {
        "singleton" | "single" => Ok(ResponseType::Singleton),
        "stream" => Ok(ResponseType::Stream),
        "chunked" | "chunk" => Ok(ResponseType::Chunked),
        _ => Err(field.fault(one_of(field.key, RESPONSE_TYPES, word))),
    }
}

/// A subject, or a block with a subject and how many requests are measured.
fn latency(field: &Field<'_>, findings: &mut Findings) -> Result<Latency, Fault> {
    let mut sampling = Sampling::Percent(100);
    let map = match &field.value.data {
        Data::String(_) => {
            let subject = literal(field)?;
            return Ok(Latency { subject, sampling });
        }
        Data::Map(map) => map,
        _ => return Err(field.wrong_kind(Kind::Destination)),
    };
    let mut to = None;
    read_block(map, LATENCY_KEYS, findings, |key, inner, _| {
        match key {
            LatencyKey::Subject => to = Some(literal(inner)?),
            LatencyKey::Sampling => sampling = read_sampling(inner)?,
        }
        Ok(())
    });
    let subject = to.ok_or_else(|| field.trouble(AccessProblem::Missing("subject")))?;
    Ok(Latency { subject, sampling })
}

fn read_sampling(field: &Field<'_>) -> Result<Sampling, Fault> {
    match &field.value.data {
        Data::String(word) if word.trim().eq_ignore_ascii_case("headers") => Ok(Sampling::Headers),
        _ => percent(field, 1).map(Sampling::Percent),
    }
}

/// The token at the position must be there, and a `*`.
fn check_position(position: usize, subject: &str) -> Result<(), AccessProblem> {
    match subject.split('.').nth(position.saturating_sub(1)) {
        Some("*") => Ok(()),
        _ => Err(AccessProblem::BadPosition {
            position,
            subject: subject.to_owned(),
        }),
    }
}

impl Named {
    /// Names with their places.
    pub(super) fn list(field: &Field<'_>, findings: &mut Findings) -> Result<Vec<Self>, Fault> {
        let mut names = Vec::new();
        if matches!(field.value.data, Data::String(_)) {
            let text = texts(field, findings)?;
            return Ok(text
                .into_iter()
                .map(|name| Placed::at(field, name))
                .collect());
        }
        read_list(field, findings, |one, _| {
            names.push(Placed::at(one, one.text()?.to_owned()));
            Ok(())
        })?;
        Ok(names)
    }
}
