//! The tests that the released async-nats brings inside its crate package, unchanged, against the
//! server under the name of `nats-server`. Those about the core protocol and about services are
//! run; streams, accounts, TLS and WebSocket have test programs of their own there.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use recado_conformance::{Mending, Skips, Suite, build_tests};

const TESTS: [&str; 5] = [
    "client_tests",
    "server_pool_parity_tests",
    "server_pool_tests",
    "service_tests",
    "subject_validation_test",
];

/// Builds all at the first call, which takes some minutes on a machine that never did it.
fn programs() -> &'static (PathBuf, BTreeMap<String, PathBuf>) {
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
        build_tests("async-nats", mending, &TESTS)
    })
}

fn run(test: &str) {
    let (dir, programs) = programs();
    let suite = Suite {
        name: test.to_owned(),
        program: programs[test].clone(),
        // They mostly wait, so more of them at a time than there are cores.
        args: ["--exact", "--test-threads", "8"].map(Into::into).to_vec(),
        dir: dir.clone(),
    };
    let skips = Skips::read(concat!(env!("CARGO_MANIFEST_DIR"), "/skips/async-nats.txt"));
    suite.run(&skips.of_suite(test));
}

#[test]
fn client_tests_pass() {
    run("client_tests");
}

#[test]
fn server_pool_parity_tests_pass() {
    run("server_pool_parity_tests");
}

#[test]
fn server_pool_tests_pass() {
    run("server_pool_tests");
}

#[test]
fn service_tests_pass() {
    run("service_tests");
}

#[test]
fn subject_validation_tests_pass() {
    run("subject_validation_test");
}

#[test]
fn every_skip_is_about_a_test_program_that_is_run() {
    let skips = Skips::read(concat!(env!("CARGO_MANIFEST_DIR"), "/skips/async-nats.txt"));
    for name in skips.names() {
        assert!(
            TESTS
                .iter()
                .any(|test| name.starts_with(&format!("{test}::"))),
            "{name}"
        );
    }
}
