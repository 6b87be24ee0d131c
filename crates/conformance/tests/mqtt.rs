//! MQTT clients, installed from PyPI and npm, end to end against the server.

#![forbid(unsafe_code)]

use recado_conformance::{Credentials, Skips, node_suite, python_suite};

#[test]
fn paho_and_a_bare_client_work_end_to_end() {
    let credentials = Credentials::new();
    python_suite("mqtt.py")
        .variable("RECADO_CREDENTIALS", credentials.dir())
        .run(&Skips::default());
}

#[test]
fn mqtt_js_works_end_to_end_over_tcp_and_websocket() {
    node_suite("mqtt.mjs").run(&Skips::default());
}
