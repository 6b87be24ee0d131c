//! The table of failures in the documentation is the one that the program prints.

use std::path::Path;

use crate::harness::recado;

/// Nothing listens there, and nothing needs to: help asks no server.
const NO_SERVER: &str = "127.0.0.1:1";

#[test]
fn the_table_of_failures_in_the_docs_is_what_the_program_prints() {
    for (lang, topic, file) in [
        ("en", "failures", "docs/failures.md"),
        ("es", "fallos", "docs/es/fallos.md"),
    ] {
        let printed = recado(NO_SERVER, ["help", topic, "--lang", lang]).succeed();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let committed = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(
            committed == printed,
            "{file} is out of date; renew it with: cargo run -p recado-cli -- help {topic} --lang {lang} > {file}"
        );
    }
}
