//! `init`: the configuration that it writes is taken, and its credentials let in.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::program::{Client, PROGRAM, Running, command, outcome};

fn init(arguments: &[&str], directory: &Path) -> (i32, String, String) {
    outcome(command(PROGRAM).arg("init").arg(directory).args(arguments))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_it_writes_starts_a_server_that_wants_the_token_it_made() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("recado");
    let (code, told, complaints) = init(&["--no-tls"], &directory);
    assert_eq!(code, 0, "{complaints}");
    let configuration = directory.join("recado-server.conf");
    let context = directory.join("clients/client.json");
    for path in [&configuration, &context] {
        assert_eq!(mode(path) & 0o007, 0, "{path:?}");
        assert!(told.contains(path.to_str().unwrap()), "{told}");
    }
    let context: serde_json::Value = serde_json::from_str(&read(&context)).unwrap();
    let token = context["token"].as_str().unwrap();
    assert!(
        !read(&configuration).contains(token),
        "only its hash is there"
    );
    assert!(!told.contains(token));

    let check = outcome(command(PROGRAM).arg("-t").arg("-c").arg(&configuration));
    assert_eq!(check.0, 0, "{check:?}");
    let store = root.path().join("store");
    let arguments = [
        "-c",
        configuration.to_str().unwrap(),
        "-sd",
        store.to_str().unwrap(),
    ];
    let (_server, address) = Running::start(&arguments);
    let mut stranger = Client::connect(address);
    stranger.send("CONNECT {\"auth_token\":\"guessed\"}\r\n");
    assert!(!stranger.is_answered());
    let mut client = Client::connect(address);
    client.send(&format!("CONNECT {{\"auth_token\":\"{token}\"}}\r\n"));
    assert!(client.is_answered());
}

#[test]
fn it_writes_over_nothing_and_leaves_nothing_half_done() {
    let root = tempfile::tempdir().unwrap();
    let context = root.path().join("clients/ana.json");
    std::fs::create_dir(root.path().join("clients")).unwrap();
    std::fs::write(&context, "mine").unwrap();
    let (code, told, complaints) = init(&["--users", "ana"], root.path());
    assert_eq!((code, told.as_str()), (1, ""));
    assert!(
        complaints.contains("ana.json is there already"),
        "{complaints}"
    );
    assert_eq!(read(&context), "mine");
    let left: Vec<_> = std::fs::read_dir(root.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn each_user_has_a_password_and_the_certificate_is_of_the_authority_beside_it() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("año nuevo");
    let arguments = ["--users", "ana,luis", "--host", "nats.example"];
    // The language may be asked for on either side of the word, all else of the program itself before it.
    let mut misplaced = command(PROGRAM);
    misplaced.arg("init").arg(&directory).args(arguments);
    let (code, _, _) = outcome(misplaced.arg("-D"));
    assert_eq!(code, 2);
    let (code, told, complaints) = outcome(
        command(PROGRAM)
            .arg("init")
            .arg(&directory)
            .args(arguments)
            .args(["--lang", "es"]),
    );
    assert_eq!(code, 0, "{complaints}");
    assert!(
        told.contains("Arranca el servidor") && told.contains("luis"),
        "{told}"
    );
    let passwords = ["ana", "luis"].map(|user| {
        let file = directory.join(format!("clients/{user}.json"));
        let context: serde_json::Value = serde_json::from_str(&read(&file)).unwrap();
        assert_eq!(context["user"], user);
        assert_eq!(context["url"], "nats://nats.example:4222");
        assert!(Path::new(context["ca"].as_str().unwrap()).is_file());
        context["password"].as_str().unwrap().to_owned()
    });
    assert_ne!(passwords[0], passwords[1]);
    let configuration = directory.join("recado-server.conf");
    let text = read(&configuration);
    assert!(
        text.contains("0.0.0.0:4222") && text.contains("Quién puede entrar"),
        "{text}"
    );
    assert_eq!(mode(&directory.join("ca/ca.key")), 0o600);
    assert_eq!(mode(&directory.join("tls/server.key")) & 0o007, 0);
    certificate_holds(&directory);

    let (code, _, said) = outcome(command(PROGRAM).arg("-t").arg("-c").arg(&configuration));
    assert_eq!(code, 0, "{said}");
}

/// As another program sees it, where there is one.
fn certificate_holds(directory: &Path) {
    for host in ["nats.example", "localhost"] {
        let mut openssl = Command::new("openssl");
        openssl
            .current_dir(directory.join("tls"))
            .args(["verify", "-purpose", "sslserver", "-verify_hostname", host])
            .args(["-CAfile", "ca.pem", "server.pem"]);
        match openssl.output() {
            Ok(output) => assert!(output.status.success(), "{host}: {output:?}"),
            Err(error) => println!("SKIPPED: openssl does not start: {error}"),
        }
    }
}
