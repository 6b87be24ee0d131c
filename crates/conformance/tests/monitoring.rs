//! Monitoring, read by Prometheus' own parser and by the keys that nats-top and the exporter look for.

#![forbid(unsafe_code)]

use recado_conformance::{Skips, python_suite};

#[test]
fn tools_read_what_monitoring_tells() {
    python_suite("monitoring.py").run(&Skips::default());
}
