//! The units are ones that systemd understands, and the service is shut in as far as a server can be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SERVICE: &str = "recado-server.service";
const SOCKET: &str = "recado-server.socket";
/// What `systemd-analyze security` may say at the most, times ten: 0 is best, 100 is a process that may do all.
/// What is left is what a server is for: the network, and a file system.
const EXPOSURE_MAX: &str = "15";

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/systemd")
}

/// Runs it; nothing where there is no such tool.
fn systemd_analyze(arguments: &[&str], directory: &Path) -> Option<Output> {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).current_dir(directory);
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            println!("SKIPPED: systemd-analyze does not start: {error}");
            None
        }
    }
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let directory = tempfile::tempdir().expect("a directory");
    for unit in [SERVICE, SOCKET] {
        let text = fs::read_to_string(units().join(unit)).expect("the unit is there");
        // It looks for the program, which is not installed here.
        let text = text.replace("/usr/bin/recado-server", "/bin/true");
        fs::write(directory.path().join(unit), text).expect("a copy of the unit");
    }
    let verify = ["verify", "--man=no", SERVICE, SOCKET];
    let Some(output) = systemd_analyze(&verify, directory.path()) else {
        return;
    };
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(said(&output).trim(), "");
}

#[test]
fn the_service_is_shut_in() {
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let security = [
        "security",
        "--offline=true",
        "--no-pager",
        &threshold,
        SERVICE,
    ];
    let path = units();
    let Some(output) = systemd_analyze(&security, &path) else {
        return;
    };
    let said = said(&output);
    if said.contains("unrecognized option") {
        println!("SKIPPED: this systemd-analyze can't look at a unit that is not installed");
        return;
    }
    assert!(output.status.success(), "{said}");
    assert!(said.contains("exposure level"), "{said}");
}
