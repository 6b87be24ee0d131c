//! Runs simulated worlds: one with its story told, or many.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use recado_sim::{STEPS, run, shrink};

const USAGE: &str =
    "usage: recado-sim --seed N [--steps M] [--story] | --seeds FROM..TO [--steps M]";

struct Asked {
    seeds: std::ops::Range<u64>,
    steps: u32,
    story: bool,
}

fn main() -> ExitCode {
    let Some(asked) = asked(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let is_one = asked.seeds.end - asked.seeds.start == 1;
    let mut failed = 0u64;
    for seed in asked.seeds {
        let outcome = run(seed, asked.steps, asked.story);
        for line in &outcome.story {
            println!("{line}");
        }
        if is_one {
            println!(
                "{:?}, fingerprint {:016x}",
                outcome.counts, outcome.fingerprint
            );
        }
        if let Some(broken) = outcome.broken {
            failed += 1;
            let steps = if asked.story {
                asked.steps
            } else {
                shrink(seed, asked.steps)
            };
            println!("seed {seed} fails, --steps {steps}: {broken}");
        }
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn asked(mut args: impl Iterator<Item = String>) -> Option<Asked> {
    let mut asked = Asked {
        seeds: 0..0,
        steps: STEPS,
        story: false,
    };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seed" => {
                let seed = args.next()?.parse().ok()?;
                asked.seeds = seed..seed + 1;
            }
            "--seeds" => {
                let range = args.next()?;
                let (from, to) = range.split_once("..")?;
                asked.seeds = from.parse().ok()?..to.parse().ok()?;
            }
            "--steps" => asked.steps = args.next()?.parse().ok()?,
            "--story" => asked.story = true,
            _ => return None,
        }
    }
    (!asked.seeds.is_empty()).then_some(asked)
}
