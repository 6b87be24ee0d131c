//! Subjects that are renamed when they are published (C49, ADR-30): one destination, or several by weight.

use recado_wire::{Transform, TransformError, filter_matches, has_wildcard, is_publish_subject};

/// Weights are parts of so many.
const WHOLE: u32 = 100;

/// The renamings of one account.
#[derive(Debug, Default)]
pub(crate) struct Mappings {
    /// The first whose source matches counts: those without wildcards come first.
    list: Vec<Mapping>,
}

/// Percent of the messages, and the subject that they go to.
pub(crate) type Share = (u32, Vec<u8>);

/// One source and where it goes.
#[derive(Debug)]
struct Mapping {
    source: Box<[u8]>,
    /// What is left of a hundred keeps its subject.
    destinations: Vec<(u32, Transform)>,
}

/// A destination, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weighted {
    pub(crate) dest: String,
    /// Percent.
    pub(crate) weight: u32,
}

impl Mappings {
    /// Adds a renaming.
    ///
    /// # Errors
    /// When source and destination do not fit each other.
    pub(crate) fn add(
        &mut self,
        source: &str,
        destinations: &[Weighted],
    ) -> Result<(), TransformError> {
        let destinations = destinations
            .iter()
            .map(|one| Transform::parse(source, &one.dest).map(|parsed| (one.weight, parsed)))
            .collect::<Result<_, _>>()?;
        let mapping = Mapping {
            source: source.as_bytes().into(),
            destinations,
        };
        let literal = !has_wildcard(&mapping.source);
        let at = match literal {
            true => self
                .list
                .partition_point(|other| !has_wildcard(&other.source)),
            false => self.list.len(),
        };
        self.list.insert(at, mapping);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Where a message on `subject` may go instead, with the source that says so: percent and subject, the rest keeps its
    /// own. `None`: always its own.
    pub(crate) fn outcomes(&self, subject: &[u8]) -> Option<(String, Vec<Share>)> {
        let mapping = self
            .list
            .iter()
            .find(|mapping| filter_matches(&mapping.source, subject))?;
        let source = String::from_utf8_lossy(&mapping.source).into_owned();
        let destinations = mapping.destinations.iter();
        let mut outcomes: Vec<Share> = destinations
            .map(|(weight, transform)| {
                let renamed = transform.apply(subject, 0);
                (*weight, renamed.unwrap_or_else(|| subject.to_vec()))
            })
            .collect();
        let mapped: u32 = outcomes.iter().map(|(weight, _)| weight).sum();
        if mapped < WHOLE {
            outcomes.push((WHOLE - mapped, subject.to_vec()));
        }
        Some((source, outcomes))
    }

    /// The subject that a message on `subject` goes to instead; `None`: its own. `chance` decides between several.
    pub(crate) fn rename(&self, subject: &[u8], chance: u64) -> Option<Vec<u8>> {
        if !is_publish_subject(subject) || has_wildcard(subject) {
            return None;
        }
        let mapping = self
            .list
            .iter()
            .find(|mapping| filter_matches(&mapping.source, subject))?;
        let mut drawn = (((chance >> 32) * u64::from(WHOLE)) >> 32) as u32;
        for (weight, transform) in &mapping.destinations {
            if drawn < *weight {
                return transform.apply(subject, chance as u32);
            }
            drawn -= weight;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighted(dest: &str, weight: u32) -> Weighted {
        Weighted {
            dest: dest.to_owned(),
            weight,
        }
    }

    #[test]
    fn weights_share_the_messages_and_the_rest_keeps_its_subject() {
        let mut mappings = Mappings::default();
        mappings
            .add("a.*", &[weighted("b.$1", 20), weighted("c.$1", 30)])
            .unwrap();
        let mut counts = [0_u32; 3];
        for percent in 0..100_u64 {
            // The middle of each hundredth of the range.
            let chance = (((percent * 2 + 1) << 32) / 200) << 32;
            match mappings.rename(b"a.x", chance).as_deref() {
                Some(b"b.x") => counts[0] += 1,
                Some(b"c.x") => counts[1] += 1,
                None => counts[2] += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(counts, [20, 30, 50]);
    }

    #[test]
    fn a_literal_source_goes_before_one_with_a_wildcard() {
        let mut mappings = Mappings::default();
        mappings.add("a.*", &[weighted("wild", 100)]).unwrap();
        mappings.add("a.b", &[weighted("literal", 100)]).unwrap();
        assert_eq!(mappings.rename(b"a.b", 0).unwrap(), b"literal");
        assert_eq!(mappings.rename(b"a.c", 0).unwrap(), b"wild");
        assert_eq!(mappings.rename(b"b", 0), None);
    }
}
