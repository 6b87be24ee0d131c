//! nats-py, installed from PyPI, end to end against streams, key-value buckets and object stores; and
//! every reply of the API held against its schema.

#![forbid(unsafe_code)]

use std::path::Path;

use recado_conformance::{Skips, python_suite};

/// One test, so that the client is installed once.
#[test]
fn nats_py_works_end_to_end_and_replies_validate() {
    let skips = Skips::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/skips/nats-py-jetstream.txt"
    ));
    python_suite("jetstream.py").run(&skips);
    let schemas = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/reference/schemas"
    );
    if Path::new(schemas).is_dir() {
        python_suite("schemas.py").run(&Skips::default());
    } else {
        println!("SKIPPED schemas.py: there is no {schemas}");
    }
}
