//! The soak in small: everything that goes on in its hour, for some seconds. What grows can't be told so soon; what is
//! lost, wrong, or kept by the server after the load can.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use recado_bench::soak::{Plan, run};

#[test]
fn a_short_mixed_load_loses_nothing_and_leaves_nothing_behind() {
    if recado_conformance::is_genuine() {
        println!("SKIPPED: the load wants what nats-server does not have");
        return;
    }
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let seed = seed.as_nanos() as u64;
    println!("seed {seed}");
    let folder = tempfile::tempdir().expect("a folder");
    let report = run(&Plan {
        server: recado_conformance::server_program().to_owned(),
        folder: folder.path().to_owned(),
        duration: Duration::from_secs(20),
        warm_up: Duration::from_secs(5),
        seed,
        storm: 40,
        stop: Arc::new(AtomicBool::new(false)),
    })
    .expect("a run");
    assert!(
        report.failures().is_empty(),
        "{:#?}\n{:#?}",
        report.failures(),
        report.told()
    );
    // All of it took place.
    for what in [
        "MQTT clients in storms",
        "MQTT messages delivered to NATS",
        "MQTT messages delivered, QoS 0",
        "MQTT messages delivered, QoS 1",
        "MQTT messages delivered, QoS 2",
        "MQTT messages kept and delivered",
        "MQTT messages sent again with DUP",
        "MQTT pings answered",
        "MQTT retained messages read",
        "MQTT sessions resumed",
        "MQTT strangers in storms",
        "MQTT wills",
        "NATS messages delivered to MQTT",
        "certificates exchanged",
        "logins refused",
        "messages stored and acknowledged",
        "reloads refused",
        "requests",
        "slow consumers",
        "streams made and removed",
        "watches of all keys",
    ] {
        assert!(
            report.done().contains_key(what),
            "{what}: {:?}",
            report.done()
        );
    }
}
