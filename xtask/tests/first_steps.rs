//! What `recado-server init` says to type next works as it stands: the server starts with what was made, speaks TLS, and
//! lets in whoever has a client's context, and nobody else.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Ends the server with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name(name);
    if !beside.exists() {
        println!("SKIPPED: {name} is not built; `cargo build` does it");
        return None;
    }
    Some(beside)
}

/// Starts it, and returns the port that it took.
fn start(program: &Path, configuration: &Path, store: &Path) -> (Server, String) {
    let mut child = Command::new(program)
        .arg("-c")
        .arg(configuration)
        .args(["-a", "127.0.0.1", "-p", "-1", "--log-format", "text", "-sd"])
        .arg(store)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut said = BufReader::new(child.stderr.take().expect("its log"));
    let mut line = String::new();
    while !line.contains("listening on ") {
        line.clear();
        let length = said.read_line(&mut line).expect("its log");
        assert!(length > 0, "the server ended");
    }
    // Whatever else it says is read by nobody, and must not stop it.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    let address = line.split("listening on ").nth(1).unwrap_or_default();
    let address = address.split_whitespace().next().unwrap_or_default();
    let port = address.rsplit(':').next().unwrap_or_default();
    (Server(child), port.to_owned())
}

#[test]
fn whoever_has_a_context_that_was_made_gets_in_over_tls_and_nobody_else() {
    let (Some(server), Some(client)) = (program("recado-server"), program("recado")) else {
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let made = directory.path().join("made");
    let init = Command::new(&server)
        .arg("init")
        .arg(&made)
        .args(["--users", "ana,luis"])
        .output()
        .expect("the server starts");
    assert!(init.status.success(), "{init:?}");
    let configuration = made.join("recado-server.conf");
    let (_server, port) = start(&server, &configuration, &directory.path().join("store"));
    let url = format!("nats://localhost:{port}");
    let ping = |how: &[&str]| -> ExitStatus {
        Command::new(&client)
            .args(how)
            .args(["--server", &url, "ping", "--count", "1", "--timeout", "20s"])
            .env("XDG_CONFIG_HOME", directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the client starts")
    };
    let path = |name: &str| made.join(name).display().to_string();
    for user in ["ana", "luis"] {
        assert!(ping(&["--context", &path(&format!("clients/{user}.json"))]).success());
    }
    // Without a credential, and with one but without trust in the authority.
    assert!(!ping(&["--tlsca", &path("tls/ca.pem")]).success());
    let context = std::fs::read_to_string(made.join("clients/ana.json")).expect("a context");
    let context: serde_json::Value = serde_json::from_str(&context).expect("JSON");
    let password = context["password"].as_str().expect("a password");
    assert!(!ping(&["--user", "ana", "--password", password]).success());
    let authority = path("tls/ca.pem");
    let trusting = [
        "--user",
        "ana",
        "--password",
        password,
        "--tlsca",
        &authority,
    ];
    assert!(ping(&trusting).success());
}
