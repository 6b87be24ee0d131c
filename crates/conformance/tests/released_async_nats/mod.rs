//! Builds and runs the test programs inside the released async-nats crate. Two of our own test
//! programs share this, and so the build: what the first has built is up to date for the second.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use recado_conformance::{Mending, Skips, Suite, build_tests};

/// Builds all at the first call, which takes some minutes on a machine that never did it.
fn programs(tests: &[&str]) -> &'static (PathBuf, BTreeMap<String, PathBuf>) {
    static PROGRAMS: OnceLock<(PathBuf, BTreeMap<String, PathBuf>)> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let harness = concat!(env!("CARGO_MANIFEST_DIR"), "/nats-server");
        let appended =
            format!("\n[dev-dependencies.nats-server]\npath = {harness:?}\n\n[workspace]\n");
        let mending = Mending {
            // Benchmarks are not run.
            dropped: &["[[bench]]", "[[example]]", "[dev-dependencies.criterion]"],
            // Their default features ask for OpenSSL's headers on this machine, for tests that
            // fetch from the internet and are skipped.
            added: &[
                (
                    "[dev-dependencies.reqwest]",
                    "default-features = false\nfeatures = [\"json\"]",
                ),
                ("[dev-dependencies.jsonschema]", "default-features = false"),
            ],
            appended: &appended,
        };
        build_tests("async-nats", mending, tests)
    })
}

/// Runs one of these test programs, but for what is to be skipped.
pub(crate) fn run(test: &str, tests: &[&str], skips: &Skips) {
    let (dir, programs) = programs(tests);
    let suite = Suite {
        name: test.to_owned(),
        program: programs[test].clone(),
        // They mostly wait, so more of them at a time than there are cores.
        args: ["--exact", "--test-threads", "8"].map(Into::into).to_vec(),
        dir: dir.clone(),
        variables: Vec::new(),
    };
    suite.run(&skips.of_suite(test));
}

/// A skip that names no test program would never be missed.
pub(crate) fn check_skips(tests: &[&str], skips: &Skips) {
    for name in skips.names() {
        let of_one = |test: &&str| name.starts_with(&format!("{test}::"));
        assert!(tests.iter().any(of_one), "{name}");
    }
}
