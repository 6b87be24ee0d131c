//! @nats-io's packages, installed from npm, end to end against the server: in Node, and in a page of a
//! real browser.

#![forbid(unsafe_code)]

use std::io::Write;

use recado_conformance::{Credentials, Skips, browser, node_suite};

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

#[test]
fn transport_node_goes_on_while_configurations_change() {
    let credentials = Credentials::new();
    node_suite("reload.mjs")
        .variable("RECADO_CREDENTIALS", credentials.dir())
        .run(&Skips::default());
}

#[test]
fn pages_in_a_browser_are_clients() {
    let Some(browser) = browser() else {
        // Not `eprintln!`, which the test harness keeps to itself.
        let words = "SKIPPED pages_in_a_browser_are_clients: there is no chromium (apt-get install \
                     chromium, or name another in RECADO_BROWSER)\n";
        let _ = std::io::stderr().write_all(words.as_bytes());
        return;
    };
    let credentials = Credentials::new();
    node_suite("browser.mjs")
        .variable("RECADO_CREDENTIALS", credentials.dir())
        .variable("RECADO_BROWSER", browser)
        .run(&Skips::default());
}
