//! Many small worlds, always the same ones. Others are run by `cargo run -p recado-sim -- --seeds FROM..TO`; about one
//! in 25 of them still fails, as those in `OPEN` do.

use recado_sim::{STEPS, run, shrink};

/// Worlds that are the same each time.
const FIXED: u64 = 200;

/// Worlds that fail for reasons that are not found yet; whoever finds one takes it out. Most are about what
/// limits took away just before a crash or a failed batch, and comes back.
const OPEN: &[u64] = &[56, 188];

fn run_all(seeds: std::ops::Range<u64>) {
    let broken: Vec<String> = seeds
        .filter(|seed| !OPEN.contains(seed))
        .filter_map(|seed| {
            let broken = run(seed, STEPS, false).broken?;
            let steps = shrink(seed, STEPS);
            Some(format!(
                "cargo run -p recado-sim -- --seed {seed} --steps {steps} --story: {broken}"
            ))
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn what_was_promised_is_kept_in_worlds_that_misbehave() {
    run_all(0..FIXED);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 0..5 {
        let (first, second) = (run(seed, STEPS, false), run(seed, STEPS, true));
        assert_eq!(first.fingerprint, second.fingerprint, "seed {seed}");
        assert_eq!(first.counts, second.counts, "seed {seed}");
    }
}
