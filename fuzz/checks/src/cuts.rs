//! Where an input is cut in two: everywhere while it is short, at a bounded number of places when
//! it is long. Starts and ends are never left out, because there the line ends are.

/// Lengths of beginnings, all shorter than `length`.
pub(crate) fn cuts(length: usize) -> impl Iterator<Item = usize> {
    const ALL_BELOW: usize = 96;
    const SAMPLES: usize = 64;
    let sampled = (ALL_BELOW..length).step_by((length / SAMPLES).max(1));
    let end = length.saturating_sub(4).max(ALL_BELOW)..length;
    (0..length.min(ALL_BELOW)).chain(sampled).chain(end)
}
