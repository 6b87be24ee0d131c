//! Runs of worlds: one seed with so many steps, and the fewest steps with which it still fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::world::{Broken, Counts, World};

/// Steps of a run, if nobody says otherwise.
pub const STEPS: u32 = 250;

/// How a run went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was promised and not kept, if anything.
    pub broken: Option<Broken>,
    /// What happened, if it was to be told.
    pub story: Vec<String>,
    /// Of everything that came out, and of the disk.
    pub fingerprint: u64,
    /// How much happened.
    pub counts: Counts,
}

/// Runs a world from its seed.
#[must_use]
pub fn run(seed: u64, steps: u32, tells: bool) -> Outcome {
    let mut world = match World::new(seed, tells) {
        Ok(world) => world,
        Err(broken) => {
            return Outcome {
                broken: Some(broken),
                story: Vec::new(),
                fingerprint: 0,
                counts: Counts::default(),
            };
        }
    };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..steps {
            world.step()?;
        }
        world.finish()
    }));
    let broken = match ended {
        Ok(result) => result.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some(format!("panicked: {}", text.unwrap_or_default()))
        }
    };
    Outcome {
        broken,
        story: world.story().to_vec(),
        fingerprint: world.fingerprint(),
        counts: world.counts,
    }
}

/// The fewest steps with which a seed that fails in `steps` still fails.
#[must_use]
pub fn shrink(seed: u64, steps: u32) -> u32 {
    (0..steps)
        .find(|&fewer| run(seed, fewer, false).broken.is_some())
        .unwrap_or(steps)
}
