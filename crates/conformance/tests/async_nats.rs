//! The tests that the released async-nats brings inside its crate package, unchanged, against the
//! server under the name of `nats-server`: those about the core protocol, nkeys, JWTs, TLS, WebSocket
//! and services. Streams are the matter of `async_nats_jetstream`.

#![forbid(unsafe_code)]

use recado_conformance::Skips;

mod released_async_nats;

const TESTS: [&str; 9] = [
    "client_tests",
    "jwt_tests",
    "nkey_tests",
    "server_pool_parity_tests",
    "server_pool_tests",
    "service_tests",
    "subject_validation_test",
    "tls_tests",
    "websocket_test",
];

fn skips() -> Skips {
    Skips::read(concat!(env!("CARGO_MANIFEST_DIR"), "/skips/async-nats.txt"))
}

fn run(test: &str) {
    released_async_nats::run(test, &TESTS, &skips());
}

#[test]
fn client_tests_pass() {
    run("client_tests");
}

#[test]
fn jwt_tests_pass() {
    run("jwt_tests");
}

#[test]
fn nkey_tests_pass() {
    run("nkey_tests");
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
fn tls_tests_pass() {
    run("tls_tests");
}

#[test]
fn websocket_tests_pass() {
    run("websocket_test");
}

#[test]
fn every_skip_is_about_a_test_program_that_is_run() {
    released_async_nats::check_skips(&TESTS, &skips());
}
