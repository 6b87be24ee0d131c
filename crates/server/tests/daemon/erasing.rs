//! Messages that are deleted by their sequence: what they held is not on the disk any more when the answer comes.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::program::{PROGRAM, Running, ask, command, outcome};

fn holds(store: &Path, what: &str) -> bool {
    let entries = fs::read_dir(store).unwrap();
    let mut all = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap_or_default());
    all.any(|bytes| {
        bytes
            .windows(what.len())
            .any(|part| part == what.as_bytes())
    })
}

#[test]
fn a_deleted_message_is_nowhere_on_the_disk_and_all_others_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let arguments = ["--store-dir", store.to_str().unwrap()];
    let (server, address) = Running::start(&arguments);
    for (name, more) in [("PLAIN", ""), ("PACKED", r#","compression":"s2""#)] {
        let stream =
            format!(r#"{{"name":"{name}","subjects":["{name}.>"],"storage":"file"{more}}}"#);
        ask(address, &format!("$JS.API.STREAM.CREATE.{name}"), &stream);
        for of in 1..=4 {
            let payload = format!("{name}-{of}, ").repeat(40);
            ask(address, &format!("{name}.new"), &payload);
        }
        let delete = format!("$JS.API.STREAM.MSG.DELETE.{name}");
        for (body, gone) in [
            (r#"{"seq":2}"#, true),
            (r#"{"seq":3,"no_erase":true}"#, false),
        ] {
            let said = ask(address, &delete, body);
            assert!(said.contains(r#""success":true"#), "{said}");
            let of = if gone { 2 } else { 3 };
            assert_eq!(holds(&store, &format!("{name}-{of}")), !gone, "{name}");
        }
        for of in [1, 4] {
            assert!(holds(&store, &format!("{name}-{of}")), "{name}");
        }
    }
    // Whatever happens now.
    server.signal(Signal::SIGKILL);
    server.ended();
    let (code, said, errors) = outcome(command(PROGRAM).arg("verify").arg(&store));
    assert_eq!(code, 0, "{said}{errors}");
    let (server, address) = Running::start(&arguments);
    for name in ["PLAIN", "PACKED"] {
        let get = format!("$JS.API.STREAM.MSG.GET.{name}");
        for of in 1..=4 {
            let said = ask(address, &get, &format!(r#"{{"seq":{of}}}"#));
            assert_eq!(said.contains("10037"), of == 2 || of == 3, "{said}");
        }
    }
    server.signal(Signal::SIGTERM);
    server.ended();
}
