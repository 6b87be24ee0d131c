//! nats-py, installed from PyPI, end to end against the server.

#![forbid(unsafe_code)]

use recado_conformance::{Credentials, Skips, python_suite};

#[test]
fn nats_py_works_end_to_end() {
    let skips = Skips::read(concat!(env!("CARGO_MANIFEST_DIR"), "/skips/nats-py.txt"));
    python_suite("e2e.py").run(&skips);
}

#[test]
fn nats_py_presents_credentials_right_and_wrong() {
    let credentials = Credentials::new();
    python_suite("access.py")
        .variable("RECADO_CREDENTIALS", credentials.dir())
        .run(&Skips::default());
}

#[test]
fn nats_py_goes_on_while_configurations_change() {
    let credentials = Credentials::new();
    python_suite("reload.py")
        .variable("RECADO_CREDENTIALS", credentials.dir())
        .run(&Skips::default());
}

#[test]
fn nats_py_meets_revoked_certificates() {
    python_suite("ocsp.py").run(&Skips::default());
}
