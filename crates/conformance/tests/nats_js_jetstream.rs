//! @nats-io/jetstream, kv and obj, installed from npm, end to end against the server.

#![forbid(unsafe_code)]

use recado_conformance::{Skips, node_suite};

#[test]
fn jetstream_kv_and_obj_work_end_to_end() {
    let skips = Skips::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/skips/nats-js-jetstream.txt"
    ));
    node_suite("jetstream.mjs").run(&skips);
}
