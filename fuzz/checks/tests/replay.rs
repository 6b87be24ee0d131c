//! Every input that is kept, and a bounded number of changes of each, through its check: what a
//! fuzzer found once is never found again by a user.

#[path = "replay/changes.rs"]
mod changes;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use changes::Changes;
use recado_fuzz_checks::{CHECKS, Check};

/// Changed inputs for each seed.
const CHANGES: usize = 40;
/// Chooses the changes; the tests print it. Set it to see the same changes again.
const SEED_VARIABLE: &str = "RECADO_FUZZ_SEED";

#[test]
fn every_kept_input_passes_its_check() {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let inputs = seeds(name).into_iter();
        let failures = inputs.filter(|(_, input)| !passes(check, input));
        failed.extend(failures.map(|(file, _)| file.display().to_string()));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn changes_of_kept_inputs_pass_their_check() {
    let seed = match std::env::var(SEED_VARIABLE) {
        Ok(given) => given.parse().expect("the seed is a number"),
        Err(_) => rand::random::<u64>(),
    };
    println!("{SEED_VARIABLE}={seed}");
    for (name, check) in CHECKS {
        let (files, inputs): (Vec<_>, Vec<_>) = seeds(name).into_iter().unzip();
        let mut changes = Changes::new(seed);
        for (file, input) in files.iter().zip(&inputs) {
            for _ in 0..CHANGES {
                let changed = changes.of(input, &inputs);
                assert!(
                    passes(check, &changed),
                    "`{name}` does not hold for this change of {} ({SEED_VARIABLE}={seed}):\n{}",
                    file.display(),
                    changed.escape_ascii(),
                );
            }
        }
    }
}

#[test]
fn every_check_has_a_fuzz_target_and_seeds_and_nothing_else_has() {
    let mut names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let stems = |folder: &str| {
        let files = listed(&fuzz_folder().join(folder));
        let stem = |file: PathBuf| file.file_stem()?.to_str().map(str::to_owned);
        files.into_iter().filter_map(stem).collect::<Vec<_>>()
    };
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("seeds"), names);
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).expect("a manifest");
    for name in names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")));
        assert!(!seeds(name).is_empty(), "{name} has no seeds");
    }
}

fn passes(check: Check, input: &[u8]) -> bool {
    catch_unwind(|| check(input)).is_ok()
}

fn fuzz_folder() -> &'static Path {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    folder.expect("the checks are inside fuzz/")
}

/// The kept inputs of a check, by file.
fn seeds(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |file: PathBuf| {
        let input = fs::read(&file).expect("a seed can be read");
        (file, input)
    };
    let files = listed(&fuzz_folder().join("seeds").join(name));
    files.into_iter().map(read).collect()
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder's entry").path())
        .collect();
    paths.sort();
    paths
}
