//! The scenes of the tour, in their order. Each starts and ends processes, waits for what they should
//! write, and fails where they do not.

pub(super) mod crash;
pub(super) mod deadline;
pub(super) mod farewell;
pub(super) mod latency;
pub(super) mod meeting;
pub(super) mod token;

use super::cast::Cast;
use super::narrator::Narrator;

/// Stands in a text where something comes that is not known beforehand.
const GAP: &str = "\0";

/// The part of a text before what is not known.
fn up_to_gap(words: &str) -> &str {
    words.split(GAP).next().unwrap_or_default()
}

/// Who tells, and who acts.
pub(super) type Stage<'a> = (&'a mut Narrator, &'a mut Cast);
