//! The Dockerfile, as far as it can be held without an engine that builds it: what it copies is there, what it promises
//! of the final image, that its configuration asks for a credential, and that its health check works against the server.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const INSTRUCTIONS: [&str; 15] = [
    "ARG",
    "FROM",
    "WORKDIR",
    "COPY",
    "RUN",
    "ENV",
    "VOLUME",
    "USER",
    "EXPOSE",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "ENTRYPOINT",
    "CMD",
    "LABEL",
    "SHELL",
];
const CONFIGURATION: &str = "packaging/docker/recado-server.conf";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Instruction and arguments, continued lines joined, comments left out.
fn instructions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("Dockerfile")).expect("the Dockerfile");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let whole = joined.lines().filter(|line| !line.trim().is_empty());
    whole
        .map(|line| {
            let (instruction, rest) = line.split_once(' ').unwrap_or((line, ""));
            (instruction.to_owned(), rest.trim().to_owned())
        })
        .collect()
}

/// The arguments of an instruction of the last stage.
fn of_image(instruction: &str) -> Vec<String> {
    let all = instructions();
    let last = all.iter().rposition(|(name, _)| name == "FROM");
    all[last.expect("a stage")..]
        .iter()
        .filter(|(name, _)| name == instruction)
        .map(|(_, arguments)| arguments.clone())
        .collect()
}

/// The words of a form like `["a", "b"]`.
fn words(exec_form: &str) -> Vec<String> {
    let from = exec_form.find('[').expect("the form without a shell");
    serde_json::from_str(&exec_form[from..]).expect("a list of words")
}

#[test]
fn it_is_made_of_instructions_that_there_are_and_of_files_that_are_there() {
    let ignored = std::fs::read_to_string(root().join(".dockerignore")).expect(".dockerignore");
    for (name, arguments) in instructions() {
        assert!(INSTRUCTIONS.contains(&name.as_str()), "{name} {arguments}");
        if name == "COPY" && !arguments.contains("--from=") {
            let from = arguments.split(' ').next().expect("a source");
            assert!(root().join(from).exists(), "{from}");
            assert!(!ignored.lines().any(|line| line == from), "{from}");
        }
    }
    for needed in ["crates", "Cargo.lock", "packaging"] {
        assert!(!ignored.lines().any(|line| line.trim_matches('/') == needed));
    }
}

#[test]
fn the_image_runs_as_nobody_special_keeps_its_store_and_tells_how_it_is() {
    let users = of_image("USER");
    let user = users.last().expect("a user");
    assert!(!["root", "0"].contains(&user.as_str()));
    assert_eq!(of_image("VOLUME"), ["/var/lib/recado"]);
    assert!(of_image("ENV").contains(&"STATE_DIRECTORY=/var/lib/recado".to_owned()));
    assert_eq!(of_image("STOPSIGNAL"), ["SIGTERM"]);
    assert!(of_image("EXPOSE")[0].split(' ').any(|port| port == "4222"));
    assert_eq!(of_image("HEALTHCHECK").len(), 1);
    assert_eq!(
        words(&of_image("ENTRYPOINT")[0]),
        ["/usr/bin/recado-server"]
    );
    assert_eq!(
        words(&of_image("CMD")[0]),
        ["-c", "/etc/recado/recado-server.conf"]
    );
}

/// Ends the server with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_server_wants_a_token_and_the_health_check_presents_it() {
    let binaries = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let binaries = binaries.parent().expect("a directory");
    let (program, client) = (binaries.join("recado-server"), binaries.join("recado"));
    if !program.exists() || !client.exists() {
        println!("SKIPPED: the programs are not built; `cargo build` does it");
        return;
    }
    let serve = |token: Option<&str>| {
        let mut command = Command::new(&program);
        command
            .current_dir(root())
            .args(["-c", CONFIGURATION, "-a", "127.0.0.1", "-p", "-1"])
            .args(["--no-streams", "--log-format", "text"])
            .env_remove("RECADO_TOKEN")
            .envs(token.map(|token| ("RECADO_TOKEN", token)))
            .stderr(Stdio::piped());
        command
    };
    let refused = serve(None).output().expect("it starts");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("$RECADO_TOKEN"));

    let mut server = Server(serve(Some("open-sesame")).spawn().expect("it starts"));
    let said = BufReader::new(server.0.stderr.take().expect("its log"));
    let address = said
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("listening on ")?.1.to_owned()))
        .expect("it listens");
    let address = address.split(' ').next().expect("an address");
    let check = words(&of_image("HEALTHCHECK")[0]);
    assert_eq!(check[0], "/usr/bin/recado");
    for (token, healthy) in [("open-sesame", true), ("guessed", false)] {
        let status = Command::new(&client)
            .args(&check[1..])
            .env("NATS_URL", format!("nats://{address}"))
            .env("RECADO_TOKEN", token)
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("it starts");
        assert_eq!(status.success(), healthy, "{token}");
    }
}
