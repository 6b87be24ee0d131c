//! Contexts: the files of the `nats` CLI, read, written and weighed against flags and variables.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use recado_conformance::{ServerBuilder, ServerProcess};
use tempfile::TempDir;

use crate::harness::{Recado, recado};

/// A person's configuration folder.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// `recado` with this configuration and no server from anywhere else.
    pub(crate) fn recado(&self, args: &[&str]) -> Recado {
        let home = self.0.path().to_str().unwrap();
        recado("", args)
            .env("XDG_CONFIG_HOME", home)
            .env("HOME", home)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0
            .path()
            .join("nats/context")
            .join(format!("{name}.json"))
    }

    /// Writes a context as another program would.
    pub(crate) fn context(&self, name: &str, content: &str) {
        let file = self.file(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        write_private(&file, content);
    }

    fn selected(&self) -> String {
        std::fs::read_to_string(self.0.path().join("nats/context.txt")).unwrap_or_default()
    }
}

fn write_private(path: &Path, content: &str) {
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

const PING: [&str; 3] = ["ping", "-c", "1"];

#[test]
fn a_context_of_the_nats_cli_is_used_as_it_stands() {
    let server = ServerBuilder::nats()
        .args(["--auth", "open-sesame"])
        .start();
    let home = Home::new();
    // As that program writes it: every key there, most of them empty.
    let content = format!(
        r#"{{"description":"","url":"{}","socks_proxy":"","token":"open-sesame","user":"","password":"",
        "creds":"","nkey":"","cert":"","key":"","ca":"","nsc":"","jetstream_domain":"",
        "jetstream_api_prefix":"","jetstream_event_prefix":"","inbox_prefix":"","user_jwt":"","user_seed":"",
        "color_scheme":"","tls_first":false,"windows_cert_store":"","windows_ca_certs_match":null}}"#,
        server.url()
    );
    home.context("prod", &content);
    let by_flag = home.recado(&["--context", "prod", "ping", "-c", "1"]).run();
    assert_eq!(by_flag.code, Some(0), "{}", by_flag.stderr);
    let by_variable = home.recado(&PING).env("NATS_CONTEXT", "prod").run();
    assert_eq!(by_variable.code, Some(0), "{}", by_variable.stderr);
    let file = home.file("prod");
    let by_path = [
        "--context",
        file.to_str().unwrap(),
        "request",
        "nobody",
        "x",
    ];
    assert_eq!(home.recado(&by_path).run().code, Some(3), "it gets in");
    home.recado(&["context", "select", "prod"]).succeed();
    assert_eq!(home.selected(), "prod");
    let selected = home.recado(&PING).run();
    assert_eq!(selected.code, Some(0), "{}", selected.stderr);
    let without = home
        .recado(&["--no-context", "--server", &server.url(), "ping"])
        .run();
    assert_eq!(without.code, Some(9), "{}", without.stderr);
}

#[test]
fn flags_count_before_variables_and_variables_before_the_context() {
    let server = ServerBuilder::nats().args(["--auth", "right"]).start();
    let url = server.url();
    let home = Home::new();
    home.context("wrong", r#"{"url":"nats://127.0.0.1:1","token":"wrong"}"#);
    let flags = ["--context", "wrong", "ping", "-c", "1", "--server", &url];
    let refused = home.recado(&flags).run();
    assert_eq!(refused.code, Some(9), "the context's token goes along");
    assert!(
        refused.stderr.contains("the context wrong"),
        "{}",
        refused.stderr
    );
    let variable = home.recado(&flags).env("NATS_TOKEN", "right").run();
    assert_eq!(variable.code, Some(0), "{}", variable.stderr);
    let flag = home.recado(&[&flags[..], &["--token", "wrong"]].concat());
    assert_eq!(flag.env("NATS_TOKEN", "right").run().code, Some(9));
    let all_from_variables = home
        .recado(&["--context", "wrong", "pub", "a", "x"])
        .env("NATS_URL", &url)
        .env("NATS_USER", "right");
    assert_eq!(
        all_from_variables.run().code,
        Some(0),
        "a user alone is a token"
    );
}

#[test]
fn credentials_of_a_selected_context_do_not_go_astray_unnoticed() {
    let server = ServerProcess::nats();
    let home = Home::new();
    home.context(
        "prod",
        r#"{"url":"nats://example.org:4222","token":"s3cret"}"#,
    );
    home.recado(&["context", "select", "prod"]).succeed();
    let elsewhere = ["ping", "-c", "1", "--server", &server.url()];
    let ended = home.recado(&elsewhere).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("selected context prod go to 127.0.0.1:"),
        "{}",
        ended.stderr
    );
    let meant = home
        .recado(&[&["--context", "prod"], &elsewhere[..]].concat())
        .run();
    assert_eq!(meant.stderr, "");
}

#[test]
fn a_context_is_written_for_its_owner_alone_and_keeps_what_it_does_not_know() {
    let home = Home::new();
    home.recado(&["context", "add", "new", "--token", "s3cret", "--select"])
        .succeed();
    assert_eq!(mode(&home.file("new")), 0o600);
    assert_eq!(mode(home.file("new").parent().unwrap()), 0o700);
    assert_eq!(home.selected(), "new");
    home.context("old", r#"{"url":"nats://a","user":"ana","password":"x","color_scheme":"light","later":{"a":[1]}}"#);
    home.recado(&["context", "add", "old", "--token-file", "t.token"])
        .run();
    let refused = home.recado(&[
        "context",
        "add",
        "old",
        "--description",
        "mine",
        "--creds",
        "/no/such.creds",
    ]);
    assert_eq!(
        refused.run().code,
        Some(1),
        "a file that is not there is told at once"
    );
    home.recado(&[
        "context",
        "add",
        "old",
        "--description",
        "mine",
        "--token",
        "t",
    ])
    .succeed();
    let content = std::fs::read_to_string(home.file("old")).unwrap();
    let keys: serde_json::Value = serde_json::from_str(&content).unwrap();
    assert_eq!(keys["later"]["a"][0], 1);
    assert_eq!(keys["color_scheme"], "light");
    assert_eq!(keys["description"], "mine");
    assert_eq!(
        (&keys["token"], &keys["user"]),
        (&"t".into(), &serde_json::Value::Null)
    );
}

#[test]
fn a_context_that_is_a_link_stays_one() {
    let home = Home::new();
    home.context("a", "{}");
    let elsewhere = home.0.path().join("kept.json");
    std::fs::rename(home.file("a"), &elsewhere).unwrap();
    symlink(&elsewhere, home.file("a")).unwrap();
    home.recado(&["context", "add", "a", "--server", "nats://b"])
        .succeed();
    assert!(
        std::fs::symlink_metadata(home.file("a"))
            .unwrap()
            .is_symlink()
    );
    assert!(
        std::fs::read_to_string(elsewhere)
            .unwrap()
            .contains("nats://b")
    );
}

#[test]
fn no_secret_is_shown_and_an_open_file_is_told() {
    let home = Home::new();
    home.context(
        "a",
        r#"{"url":"nats://ana:p4ss@host:1,tok3n@b","token":"s3cret","user_seed":"SUA"}"#,
    );
    for args in [
        &["context", "show", "a"][..],
        &["context", "show", "a", "--json"],
        &["context", "ls"],
        &["context", "ls", "--json"],
    ] {
        let shown = home.recado(args).succeed();
        for secret in ["p4ss", "tok3n", "s3cret", "SUA"] {
            assert!(!shown.contains(secret), "{args:?}: {shown}");
        }
        assert!(shown.contains("nats://***@host:1"), "{shown}");
    }
    std::fs::set_permissions(home.file("a"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = home.recado(&["context", "show", "a"]).run();
    assert!(told.stderr.contains("chmod 600"), "{}", told.stderr);
}

#[test]
fn contexts_are_listed_selected_copied_and_removed() {
    let home = Home::new();
    let empty = home.recado(&["context", "ls"]).run();
    assert!(
        empty.stderr.contains("recado context add NAME"),
        "{}",
        empty.stderr
    );
    for name in ["uno", "dos"] {
        home.recado(&["context", "add", name, "--select"]).succeed();
    }
    assert_eq!(
        home.recado(&["ctx", "list"]).succeed(),
        "* dos  nats://127.0.0.1:4222\n  uno  nats://127.0.0.1:4222\n"
    );
    home.recado(&["context", "previous"]).succeed();
    assert_eq!(home.selected(), "uno");
    assert_eq!(home.recado(&["context", "rm", "uno"]).run().code, Some(2));
    home.recado(&["context", "copy", "uno", "tres"]).succeed();
    assert_eq!(
        home.recado(&["context", "copy", "uno", "dos"]).run().code,
        Some(2)
    );
    home.recado(&["context", "rm", "uno", "--force"]).succeed();
    assert_eq!(home.selected(), "");
    assert_eq!(home.recado(&["context", "show"]).run().code, Some(2));
    home.recado(&["context", "select", "tres"]).succeed();
    home.recado(&["context", "unselect"]).succeed();
    let listed = home.recado(&["context", "ls", "--json"]).succeed();
    assert_eq!(listed.lines().count(), 2);
    assert!(
        listed
            .lines()
            .all(|line| line.contains(r#""selected":false"#)),
        "{listed}"
    );
}

#[test]
fn an_edit_is_saved_only_when_it_is_right() {
    let home = Home::new();
    home.context("a", r#"{"url":"nats://one"}"#);
    let edit = |editor: &str| {
        let path = std::env::var("PATH").unwrap();
        home.recado(&["context", "edit", "a"])
            .env("PATH", &path)
            .env("EDITOR", editor)
            .run()
    };
    let content = || std::fs::read_to_string(home.file("a")).unwrap();
    assert_eq!(edit("sed -i s/one/two/").code, Some(0));
    assert!(content().contains("nats://two"));
    let broken = edit("sed -i s/{//");
    assert_eq!(broken.code, Some(1), "{}", broken.stderr);
    assert!(
        broken.stderr.contains("What you wrote is in "),
        "{}",
        broken.stderr
    );
    assert!(content().contains("nats://two"));
    assert_eq!(edit("false").code, Some(1));
    let no_editor = home.recado(&["context", "edit", "a"]).run();
    assert_eq!(no_editor.code, Some(2), "{}", no_editor.stderr);
    assert_eq!(mode(&home.file("a")), 0o600);
}

#[test]
fn what_is_wrong_with_a_context_is_said_with_its_path_and_does_not_block_mending_it() {
    let home = Home::new();
    home.context("bad", r#"{"url": 1}"#);
    std::fs::write(home.0.path().join("nats/context.txt"), "bad").unwrap();
    let ended = home.recado(&PING).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("bad.json") && ended.stderr.contains("recado context edit bad"),
        "{}",
        ended.stderr
    );
    assert_eq!(home.recado(&["context", "validate"]).run().code, Some(1));
    home.recado(&["context", "add", "bad", "--server", "nats://a"])
        .succeed();
    home.recado(&["context", "validate"]).succeed();
    std::fs::remove_file(home.file("bad")).unwrap();
    let gone = home.recado(&PING).run();
    assert!(
        gone.stderr.contains("does not exist any more"),
        "{}",
        gone.stderr
    );
    for name in ["../bad", "nobody"] {
        let unknown = home.recado(&["--context", name, "ping"]).run();
        assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    }
}

#[test]
fn what_a_context_asks_for_and_recado_can_not_do_is_said() {
    let home = Home::new();
    for (content, words) in [
        (r#"{"url":"wss://host"}"#, "is a WebSocket address"),
        (r#"{"nsc":"nsc://o/a/u"}"#, "with nsc"),
        (r#"{"url":"nats://a","creds":"nsc://o/a/u"}"#, "with nsc"),
        (
            r#"{"url":"nats://a","token":"op://vault/item"}"#,
            "1Password",
        ),
        (
            r#"{"url":"nats://a","token":"env://NOT_SET"}"#,
            "NOT_SET, which is not set",
        ),
        (
            r#"{"url":"nats://a","socks_proxy":"socks5://u:p4ss@h:1080"}"#,
            "SOCKS proxy h:1080",
        ),
        (
            r#"{"url":"nats://a","windows_cert_store":"user"}"#,
            "Windows store",
        ),
        (
            r#"{"url":"nats://a","inbox_prefix":"a.*"}"#,
            "the prefix of reply subjects",
        ),
        (
            r#"{"url":"nats://a","cert":"/tmp/x"}"#,
            "a certificate needs its key",
        ),
        (r#"{"url":"nats://a","creds":"~/none.creds"}"#, "none.creds"),
    ] {
        home.context("a", content);
        let ended = home.recado(&["--context", "a", "ping"]).run();
        assert!(matches!(ended.code, Some(1 | 2)), "{content}: {ended:?}");
        assert!(ended.stderr.contains(words), "{content}: {}", ended.stderr);
        assert!(!ended.stderr.contains("p4ss"));
    }
}

#[test]
fn secrets_may_stand_elsewhere_and_the_context_only_says_where() {
    let server = ServerBuilder::nats()
        .args(["--auth", "open-sesame"])
        .start();
    let home = Home::new();
    let file = home.0.path().join("a.token");
    write_private(&file, "open-sesame\n");
    let by_file = [
        "context",
        "add",
        "a",
        "-s",
        &server.url(),
        "--token-file",
        file.to_str().unwrap(),
    ];
    home.recado(&by_file).succeed();
    assert!(
        !std::fs::read_to_string(home.file("a"))
            .unwrap()
            .contains("open-sesame")
    );
    assert_eq!(
        home.recado(&["--context", "a", "pub", "x", "y"]).run().code,
        Some(0)
    );
    for token in ["env://SECRET_PLACE", "data:;base64,b3Blbi1zZXNhbWU="] {
        home.context(
            "b",
            &format!(r#"{{"url":"{}","token":"{token}"}}"#, server.url()),
        );
        let ended = home
            .recado(&["--context", "b", "pub", "x", "y"])
            .env("SECRET_PLACE", "open-sesame")
            .run();
        assert_eq!(ended.code, Some(0), "{token}: {}", ended.stderr);
    }
}

#[test]
fn the_inbox_prefix_is_what_reply_subjects_begin_with() {
    let server = ServerProcess::nats();
    let url = server.url();
    let home = Home::new();
    home.context(
        "a",
        &format!(r#"{{"url":"{url}","inbox_prefix":"mine.inbox"}}"#),
    );
    let responder = recado(&url, ["reply", "greet", "--echo"]).spawn();
    responder.told("Answering");
    home.recado(&["--context", "a", "request", "greet", "x"])
        .succeed();
    responder.shows("→ mine.inbox.");
    home.recado(&[
        "-s",
        &url,
        "--inbox-prefix",
        "typed",
        "request",
        "greet",
        "x",
    ])
    .succeed();
    responder.shows("→ typed.");
}

#[test]
fn answers_may_take_as_long_as_the_nats_clis_variable_says() {
    let server = ServerProcess::nats();
    let url = server.url();
    let silent = recado(&url, ["sub", "mute"]).spawn();
    silent.told("Listening on mute");
    let ask = || recado(&url, ["request", "mute", "x"]);
    let ended = ask().env("NATS_TIMEOUT", "100ms").run();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("within 100 ms"), "{}", ended.stderr);
    let wrong = ask().env("NATS_TIMEOUT", "soon").run();
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("NATS_TIMEOUT: "), "{}", wrong.stderr);
}
