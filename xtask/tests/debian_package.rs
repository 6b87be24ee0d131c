//! The Debian packages are made of the programs that were built for the tests, and go through a life on a machine:
//! installed, started, upgraded, removed and purged, in a copy of this machine's root that is thrown away.
//!
//! Where the tools or the rights for that are missing, the test says so and holds nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const XTASK: &str = env!("CARGO_BIN_EXE_xtask");
/// It takes a few seconds; met only by a test that hangs.
const DEADLINE: Duration = Duration::from_secs(180);
/// The two versions of the server.
const OLD: &str = "0.0.9";
const NEW: &str = "0.1.0";

/// What is missing on this machine, if something is.
fn missing(binaries: &Path) -> Option<String> {
    for program in ["recado-server", "recado"] {
        if !binaries.join(program).exists() {
            return Some(format!("{program} is not built; `cargo build` does it"));
        }
    }
    for tool in [
        "dpkg-deb",
        "strip",
        "unshare",
        "setpriv",
        "adduser",
        "deb-systemd-helper",
        "systemctl",
    ] {
        let found = Command::new("sh")
            .args(["-c", "command -v \"$0\"", tool])
            .stdout(Stdio::null())
            .status();
        if !found.is_ok_and(|status| status.success()) {
            return Some(format!("there is no {tool}"));
        }
    }
    // Rights to mount, and a kernel that lays one tree over another.
    let directory = tempfile::tempdir().expect("a directory");
    let mount = "mount -t tmpfs tmpfs \"$0\" && mkdir \"$0/u\" \"$0/w\" \"$0/m\" && \
                 mount -t overlay overlay -o \"lowerdir=/,upperdir=$0/u,workdir=$0/w\" \"$0/m\"";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", mount])
        .arg(directory.path())
        .output()
        .expect("unshare starts");
    let why = String::from_utf8_lossy(&output.stderr);
    (!output.status.success()).then(|| format!("no throw-away root without {}", why.trim()))
}

/// Makes both packages of one version.
fn make(binaries: &Path, out: &Path, version: &str) {
    let output = Command::new(XTASK)
        .args([
            "deb",
            "--compression",
            "gzip",
            "--version",
            version,
            "--binaries",
        ])
        .arg(binaries)
        .arg("--out")
        .arg(out)
        .output()
        .expect("xtask starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn package(out: &Path, name: &str, version: &str) -> PathBuf {
    let listed = std::fs::read_dir(out).expect("the packages");
    listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            file.starts_with(&format!("{name}_{version}_"))
        })
        .unwrap_or_else(|| panic!("no package {name} {version}"))
}

#[test]
fn the_packages_install_start_upgrade_and_go_without_losing_what_is_stored() {
    let binaries = Path::new(XTASK).parent().expect("a directory");
    if let Some(what) = missing(binaries) {
        println!("SKIPPED: {what}");
        return;
    }
    // In memory where that is to be had: dpkg waits for the disk with all that it writes.
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let directory = directory.expect("a directory");
    let (out, work) = (directory.path().join("out"), directory.path().join("work"));
    std::fs::create_dir(&work).expect("a directory");
    make(binaries, &out, OLD);
    make(binaries, &out, NEW);
    let log = directory.path().join("log");
    let written = std::fs::File::create(&log).expect("a log");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/debian/try");
    let mut trying = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child"])
        .arg(script)
        .arg(&work)
        .arg(package(&out, "recado-server", OLD))
        .arg(package(&out, "recado-server", NEW))
        .arg(package(&out, "recado", NEW))
        .stdin(Stdio::null())
        .stdout(written.try_clone().expect("a log"))
        .stderr(written)
        .spawn()
        .expect("unshare starts");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = trying.try_wait().expect("its status") {
            break Some(status);
        }
        if started.elapsed() > DEADLINE {
            // All that it started goes with it: --kill-child, and it is their init.
            let _ = trying.kill();
            let _ = trying.wait();
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let told = std::fs::read_to_string(&log).unwrap_or_default();
    assert!(status.is_some_and(|status| status.success()), "{told}");
    assert!(told.ends_with("== all holds\n"), "{told}");
}
