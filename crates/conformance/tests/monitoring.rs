//! Monitoring, read by curl, by Prometheus' own parsers, and by the keys that nats-top and the exporter look for.

#![forbid(unsafe_code)]

use recado_conformance::{Credentials, Skips, python_suite};

#[test]
fn tools_read_what_monitoring_tells() {
    let credentials = Credentials::new();
    python_suite("monitoring.py")
        .variable("RECADO_CREDENTIALS", credentials.dir())
        .run(&Skips::default());
}
