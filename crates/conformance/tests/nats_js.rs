//! @nats-io/transport-node, installed from npm, end to end against the server.

#![forbid(unsafe_code)]

use recado_conformance::{Credentials, Skips, node_suite};

#[test]
fn transport_node_works_end_to_end() {
    let skips = Skips::read(concat!(env!("CARGO_MANIFEST_DIR"), "/skips/nats-js.txt"));
    node_suite("e2e.mjs").run(&skips);
}

#[test]
fn transport_node_presents_credentials_right_and_wrong() {
    let credentials = Credentials::new();
    node_suite("access.mjs")
        .variable("RECADO_CREDENTIALS", credentials.dir())
        .run(&Skips::default());
}
