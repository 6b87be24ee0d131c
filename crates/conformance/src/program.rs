//! Finds the server program that the tests start, and builds it when nobody said which to take.
//! It never looks in PATH: a test must not pass because of somebody else's server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program under test: `RECADO_SERVER_BIN`, or else this workspace's `recado-server`, built in
/// the profile of the running test.
///
/// # Panics
/// When the program cannot be built or found: no test makes sense then.
pub fn server_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("RECADO_SERVER_BIN") {
        Some(path) => std::path::absolute(path).expect("RECADO_SERVER_BIN is a path"),
        None => build_server(),
    })
}

/// A real nats-server, for what only that can be asked: `RECADO_NATS_SERVER_BIN`, or the program
/// under test where that is one.
pub(crate) fn genuine_program() -> Option<PathBuf> {
    let under_test = || std::env::var_os("RECADO_SERVER_BIN").filter(|_| is_genuine());
    let path = std::env::var_os("RECADO_NATS_SERVER_BIN").or_else(under_test)?;
    Some(std::path::absolute(path).expect("the variable is a path"))
}

/// Whether the server under test is a real nats-server, going by the name of its program: for what
/// Recado promises and nats-server does not.
pub fn is_genuine() -> bool {
    std::env::var_os("RECADO_SERVER_BIN")
        .is_some_and(|path| Path::new(&path).ends_with("nats-server"))
}

/// The directory in the target directory that the running test was built into, such as
/// `target/debug`.
///
/// # Panics
/// When the running program is not a test that cargo built.
pub fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a running test knows its own path");
    let deps = test.parent().expect("a test lies in a directory");
    deps.parent()
        .expect("cargo puts tests into PROFILE/deps")
        .to_path_buf()
}

/// `cargo test` builds a program only for the tests of its own package, so tests of this package
/// have to ask for it. The whole workspace is named so that features come out as they do when all
/// is built, and nothing is built twice. When it is up to date, this costs some tenths of a second.
fn build_server() -> PathBuf {
    let profile_dir = profile_dir();
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let target_dir = profile_dir
        .parent()
        .expect("a profile's directory lies in target");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--package",
            "recado-server",
            "--bin",
            "recado-server",
        ])
        .args([
            "--profile",
            profile,
            "--message-format",
            "json-render-diagnostics",
        ])
        .arg("--target-dir")
        .arg(target_dir)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "recado-server does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "recado-server")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the program that it has built")
}
