//! `imports [ … ]` of an account (C42 to C44).

use recado_streams::config::is_literal;

use super::Findings;
use super::draft::Placed;
use super::exports::subject;
use super::field::Field;
use super::filled::{Block, Part, Parts, of_table};
use super::known::{Meaning::Sets, Table};
use super::lists::read_list;
use super::read_block;
use super::shown::Shown;
use crate::config::access::{Import, ImportName, Kind};
use crate::config::fault::{Fault, Place};
use crate::config::messages::AccessProblem;

#[derive(Clone, Copy)]
enum Key {
    Stream,
    Service,
    Prefix,
    To,
    Share,
    AllowTrace,
}

const KEYS: &Table<Key> = &[
    (&["stream"], Sets(Key::Stream)),
    (&["service"], Sets(Key::Service)),
    (&["prefix"], Sets(Key::Prefix)),
    (&["to"], Sets(Key::To)),
    (&["share"], Sets(Key::Share)),
    (&["allow_trace"], Sets(Key::AllowTrace)),
];

#[derive(Clone, Copy)]
enum SourceKey {
    Account,
    Subject,
}

const SOURCE_KEYS: &Table<SourceKey> = &[
    (&["account"], Sets(SourceKey::Account)),
    (&["subject"], Sets(SourceKey::Subject)),
];

/// What `explain-config` shows of an import.
pub(super) fn parts() -> Parts {
    of_table(KEYS, |key| match key {
        Key::Stream | Key::Service => Part::IfWrittenInside(Block::Source),
        Key::Prefix => Part::IfWritten,
        Key::To => Part::NONE,
        Key::Share => Part::Beside(&["service"], Shown::Bool(false)),
        Key::AllowTrace => Part::Beside(&["stream"], Shown::Bool(false)),
    })
}

pub(super) fn source_parts() -> Parts {
    of_table(SOURCE_KEYS, |key| match key {
        SourceKey::Account | SourceKey::Subject => Part::NONE,
    })
}

/// Where what is imported comes from.
struct Source {
    kind: Kind,
    account: String,
    subject: String,
}

/// What an import's block said.
#[derive(Default)]
struct Said {
    source: Option<Source>,
    prefix: Option<(String, Place)>,
    to: Option<(String, Place)>,
    share: bool,
    allow_trace: Option<(bool, Place)>,
}

/// Reads the list; mistakes in it are added to `findings`.
pub(super) fn read(
    field: &Field<'_>,
    findings: &mut Findings,
) -> Result<Vec<Placed<Import>>, Fault> {
    let mut imports = Vec::new();
    read_list(field, findings, |one, findings| {
        imports.push(read_one(one, findings)?);
        Ok(())
    })?;
    Ok(imports)
}

fn read_one(field: &Field<'_>, findings: &mut Findings) -> Result<Placed<Import>, Fault> {
    let mut said = Said::default();
    let mistakes = findings.errors.len();
    read_block(field.map()?, KEYS, findings, |key, inner, findings| {
        set(key, inner, &mut said, findings)
    });
    let Some(source) = said.source else {
        // It may be there, and have been told to be wrong.
        if findings.errors.len() > mistakes {
            return Err(findings.errors.remove(mistakes));
        }
        return Err(field.trouble(AccessProblem::Missing("stream / service")));
    };
    if source.kind == Kind::Service {
        let prefix = said.prefix.as_ref().map(|(_, place)| ("prefix", place));
        let trace = said
            .allow_trace
            .as_ref()
            .map(|(_, place)| ("allow_trace", place));
        if let Some((key, place)) = prefix.or(trace) {
            let problem = AccessProblem::OnlyForStreams(key.to_owned());
            return Err(Fault::at(place, problem));
        }
    }
    let name = match (said.prefix, said.to) {
        (Some(_), Some((_, place))) => return Err(Fault::at(&place, AccessProblem::PrefixAndTo)),
        (Some((prefix, place)), None) => {
            if !is_literal(&prefix) {
                return Err(Fault::at(&place, AccessProblem::NotLiteral(prefix)));
            }
            ImportName::Prefix(prefix)
        }
        (None, Some((to, _))) => ImportName::To(to),
        (None, None) => ImportName::Same,
    };
    let import = Import {
        kind: source.kind,
        from_account: source.account,
        subject: source.subject,
        name,
        share: said.share,
        allow_trace: said.allow_trace.is_some_and(|(allowed, _)| allowed),
    };
    Ok(Placed::at(field, import))
}

fn set(key: Key, field: &Field<'_>, said: &mut Said, findings: &mut Findings) -> Result<(), Fault> {
    let place = field.value.place.clone();
    match key {
        Key::Stream | Key::Service if said.source.is_some() => {
            return Err(Fault::at(field.key_place, AccessProblem::StreamAndService));
        }
        Key::Stream => said.source = Some(source(Kind::Stream, field, findings)?),
        Key::Service => said.source = Some(source(Kind::Service, field, findings)?),
        Key::Prefix => said.prefix = Some((prefix(field)?, place)),
        Key::To => said.to = Some((subject(field)?, place)),
        Key::Share => said.share = field.boolean()?,
        Key::AllowTrace => said.allow_trace = Some((field.boolean()?, place)),
    }
    Ok(())
}

/// A subject that may end in a dot.
fn prefix(field: &Field<'_>) -> Result<String, Fault> {
    let text = field.text()?;
    let subject = text.strip_suffix('.').unwrap_or(text);
    match recado_streams::config::is_valid_filter(subject) {
        true => Ok(subject.to_owned()),
        false => Err(field.trouble(AccessProblem::BadSubject(text.to_owned()))),
    }
}

/// `{ account, subject }`
fn source(kind: Kind, field: &Field<'_>, findings: &mut Findings) -> Result<Source, Fault> {
    let (mut account, mut named) = (None, None);
    let mistakes = findings.errors.len();
    read_block(field.map()?, SOURCE_KEYS, findings, |key, inner, _| {
        match key {
            SourceKey::Account => account = Some(inner.text()?.to_owned()),
            SourceKey::Subject => named = Some(subject(inner)?),
        }
        Ok(())
    });
    let (Some(account), Some(subject)) = (account, named) else {
        if findings.errors.len() > mistakes {
            return Err(findings.errors.remove(mistakes));
        }
        return Err(field.trouble(AccessProblem::Missing("account, subject")));
    };
    Ok(Source {
        kind,
        account,
        subject,
    })
}
