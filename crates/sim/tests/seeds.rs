//! Thousands of small worlds, always the same ones, so that a failure is news of a change. Others are run by
//! `cargo run --release -p recado-sim -- --seeds FROM..TO`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use recado_sim::{STEPS, run, shrink};

/// Worlds that are the same each time.
const FIXED: u64 = 4_000;

#[test]
fn what_was_promised_is_kept_in_worlds_that_misbehave() {
    let (next, broken) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= FIXED {
                return;
            }
            if let Some(why) = run(seed, STEPS, false).broken {
                let steps = shrink(seed, STEPS);
                let command =
                    format!("cargo run -p recado-sim -- --seed {seed} --steps {steps} --story");
                broken
                    .lock()
                    .expect("nobody panicked")
                    .push(format!("{command}: {why}"));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let broken = broken.into_inner().expect("nobody panicked");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 0..5 {
        let (first, second) = (run(seed, STEPS, false), run(seed, STEPS, true));
        assert_eq!(first.fingerprint, second.fingerprint, "seed {seed}");
        assert_eq!(first.counts, second.counts, "seed {seed}");
    }
}
