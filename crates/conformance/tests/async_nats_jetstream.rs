//! The tests about streams, key-value buckets and object stores that the released async-nats brings
//! inside its crate package, unchanged, against the server under the name of `nats-server`.

#![forbid(unsafe_code)]

use std::sync::Mutex;

use recado_conformance::Skips;

mod released_async_nats;

const TESTS: [&str; 6] = [
    "jetstream_api_timeout_tests",
    "jetstream_tests",
    "kv_tests",
    "object_store",
    "pinned_client_test",
    "pull_exceeded_max_request_test",
];

/// One after another: many of them measure how long something takes.
static TURN: Mutex<()> = Mutex::new(());

fn skips() -> Skips {
    Skips::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/skips/async-nats-jetstream.txt"
    ))
}

fn run(test: &str) {
    // A suite that failed before does not keep the others from being run.
    let _turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    released_async_nats::run(test, &TESTS, &skips());
}

#[test]
fn jetstream_tests_pass() {
    run("jetstream_tests");
}

#[test]
fn jetstream_api_timeout_tests_pass() {
    run("jetstream_api_timeout_tests");
}

#[test]
fn kv_tests_pass() {
    run("kv_tests");
}

#[test]
fn object_store_tests_pass() {
    run("object_store");
}

#[test]
fn pinned_client_tests_pass() {
    run("pinned_client_test");
}

#[test]
fn pull_exceeded_max_request_tests_pass() {
    run("pull_exceeded_max_request_test");
}

#[test]
fn every_skip_is_about_a_test_program_that_is_run() {
    released_async_nats::check_skips(&TESTS, &skips());
}
