//! `mappings { "source": "dest", "source": [ { dest, weight, cluster } ] }` (C49, C50).

use std::collections::{HashMap, HashSet};

use recado_streams::config::is_valid_filter;
use recado_wire::Transform;

use super::ERRORS_SHOWN_MAX;
use super::Findings;
use super::field::Field;
use super::filled::{Part, Parts, of_table};
use super::known::{Meaning::Sets, Table};
use super::lists::read_list;
use super::read_block;
use crate::config::access::{Destination, Mapping};
use crate::config::fault::Fault;
use crate::config::lang::Data;
use crate::config::messages::{AccessProblem, Kind};

#[derive(Clone, Copy)]
enum Key {
    Dest,
    Weight,
    Cluster,
}

const KEYS: &Table<Key> = &[
    (&["dest", "destination"], Sets(Key::Dest)),
    (&["weight"], Sets(Key::Weight)),
    (&["cluster"], Sets(Key::Cluster)),
];

/// What `explain-config` shows of a destination.
pub(super) fn parts() -> Parts {
    of_table(KEYS, |key| match key {
        Key::Dest => Part::NONE,
        Key::Weight => Part::text("100%"),
        Key::Cluster => Part::IfWritten,
    })
}

/// Reads the block; mistakes in it are added to `findings`.
pub(super) fn read(field: &Field<'_>, findings: &mut Findings) -> Result<Vec<Mapping>, Fault> {
    let mut mappings = Vec::new();
    for entry in field.map()?.entries() {
        if findings.errors.len() >= ERRORS_SHOWN_MAX {
            break;
        }
        // Without a name that could be a subject it may be a variable.
        if entry.used_as_variable {
            continue;
        }
        match read_one(&Field::of(entry), findings) {
            Ok(mapping) => mappings.push(mapping),
            Err(fault) => findings.errors.push(fault),
        }
    }
    Ok(mappings)
}

fn read_one(field: &Field<'_>, findings: &mut Findings) -> Result<Mapping, Fault> {
    let source = field.key;
    if !is_valid_filter(source) {
        let problem = AccessProblem::BadSubject(source.to_owned());
        return Err(Fault::at(field.key_place, problem));
    }
    let mut destinations = Vec::new();
    match &field.value.data {
        Data::String(_) => destinations.push(Destination {
            dest: destination(field, source)?,
            weight_percent: 100,
            cluster: None,
        }),
        Data::Map(_) => destinations.push(weighted(field, source, findings)?),
        Data::Array(_) => read_list(field, findings, |one, findings| {
            destinations.push(weighted(one, source, findings)?);
            Ok(())
        })?,
        _ => return Err(field.wrong_kind(Kind::Destination)),
    }
    check_weights(field, source, &destinations)?;
    Ok(Mapping {
        source: source.to_owned(),
        destinations,
    })
}

fn weighted(
    field: &Field<'_>,
    source: &str,
    findings: &mut Findings,
) -> Result<Destination, Fault> {
    let (mut dest, mut weight, mut cluster) = (None, None, None);
    let mistakes = findings.errors.len();
    read_block(field.map()?, KEYS, findings, |key, inner, _| {
        match key {
            Key::Dest => dest = Some(destination(inner, source)?),
            Key::Weight => weight = Some(percent(inner, 0)?),
            Key::Cluster => cluster = Some(inner.text()?.to_owned()),
        }
        Ok(())
    });
    // What is missing may be there, and have been told to be wrong.
    if findings.errors.len() > mistakes {
        return Err(findings.errors.remove(mistakes));
    }
    let missing = |key| field.trouble(AccessProblem::Missing(key));
    Ok(Destination {
        dest: dest.ok_or_else(|| missing("destination"))?,
        weight_percent: weight.ok_or_else(|| missing("weight"))?,
        cluster,
    })
}

fn destination(field: &Field<'_>, source: &str) -> Result<String, Fault> {
    let dest = field.text()?;
    Transform::parse_for_config(source, dest).map_err(|why| {
        field.trouble(AccessProblem::BadMapping {
            source: source.to_owned(),
            dest: dest.to_owned(),
            why: why.to_string(),
        })
    })?;
    Ok(dest.to_owned())
}

/// No destination twice, and no more than a hundred percent in one cluster.
fn check_weights(
    field: &Field<'_>,
    source: &str,
    destinations: &[Destination],
) -> Result<(), Fault> {
    let mut weights: HashMap<Option<&str>, u32> = HashMap::new();
    let mut seen = HashSet::new();
    for one in destinations {
        if !seen.insert(one.dest.as_str()) {
            return Err(field.trouble(AccessProblem::DestinationTwice(one.dest.clone())));
        }
        let sum = weights.entry(one.cluster.as_deref()).or_default();
        *sum += u32::from(one.weight_percent);
        if *sum > 100 {
            return Err(field.trouble(AccessProblem::WeightsAbove100(source.to_owned())));
        }
    }
    Ok(())
}

/// A part of a hundred: a number, or text like "20%".
pub(super) fn percent(field: &Field<'_>, min: u8) -> Result<u8, Fault> {
    let number = match &field.value.data {
        Data::Integer(number) => u8::try_from(*number).ok(),
        Data::String(text) => text.trim().trim_end_matches('%').parse().ok(),
        _ => return Err(field.wrong_kind(Kind::Percent)),
    };
    number
        .filter(|number| (min..=100).contains(number))
        .ok_or_else(|| {
            field.trouble(AccessProblem::BadPercent {
                key: field.key.to_owned(),
                min,
            })
        })
}
