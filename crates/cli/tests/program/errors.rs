//! `recado errors`: what it finds and shows, that its page is the one in the documentation, and that it leaves out
//! nothing that a server can send. The server's texts are read from its sources: the client does not use its crates.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::harness::recado;

/// Nothing listens there, and nothing needs to: explaining asks no server.
const NO_SERVER: &str = "127.0.0.1:1";

/// nats-server's own list, which is not part of the repository.
const LIST: &str = "../shared/reference/errors.json";

fn lookup(args: &[&str]) -> String {
    let args = ["errors", "lookup"].iter().chain(args);
    recado(NO_SERVER, args).succeed()
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn source(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What `recado errors list --json` says, one object a line.
fn listed() -> Vec<Value> {
    let lines = recado(NO_SERVER, ["errors", "list", "--json"]).succeed();
    let objects = lines.lines().map(serde_json::from_str);
    objects.map(|object| object.expect("an object")).collect()
}

/// The errors of the API: number to (code, name, text).
fn numbered() -> BTreeMap<u64, (u64, String, String)> {
    let api = listed()
        .into_iter()
        .filter(|one| one["kind"] == "jetstream");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    api.map(|one| {
        let number = one["err_code"].as_u64().expect("a number");
        let code = one["code"].as_u64().expect("a code");
        (number, (code, text(&one["name"]), text(&one["text"])))
    })
    .collect()
}

#[test]
fn an_error_is_explained_in_both_languages() {
    let shown = lookup(&["10059"]);
    for part in [
        "10059 · stream not found",
        "404",
        "JSStreamNotFoundErr",
        "Why",
        "recado stream ls -a",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = lookup(&["10059", "--lang", "es"]);
    for part in [
        "stream not found",
        "Por qué",
        "Qué hacer",
        "No hay ningún flujo",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_line_that_a_program_printed_is_enough_with_or_without_quotes() {
    for args in [
        &["nats: stream not found (10059)"][..],
        &["nats:", "stream", "not", "found", "(10059)"],
    ] {
        assert!(lookup(args).starts_with("10059 · "), "{args:?}");
    }
    let shown = lookup(&["-ERR 'Permissions Violation for Publish to \"foo\"'"]);
    assert!(
        shown.starts_with("-ERR · Permissions Violation for Publish"),
        "{shown}"
    );
    assert!(shown.contains("the connection stays open"), "{shown}");
}

#[test]
fn several_that_fit_are_named_behind_the_best() {
    let shown = lookup(&["409"]);
    assert!(
        shown.starts_with("409 · ") && shown.contains("Others that fit"),
        "{shown}"
    );
    let object: Value = serde_json::from_str(&lookup(&["wrong last sequence", "--json"])).unwrap();
    assert_eq!(object["err_code"], 10164);
    let others = object["others"].as_array().expect("a list");
    assert!(
        others.iter().any(|one| one["err_code"] == 10071),
        "{object}"
    );
    let shown = lookup(&["subject"]);
    assert!(
        shown.contains("more: recado errors list subject"),
        "{shown}"
    );
}

#[test]
fn what_only_a_cluster_sends_is_said_to_be_so() {
    assert!(lookup(&["10008"]).contains("recado-server never"));
    assert!(!lookup(&["10059"]).contains("recado-server never"));
}

#[test]
fn an_unknown_error_has_its_status_and_the_nearest() {
    let ended = recado(NO_SERVER, ["errors", "lookup", "steam", "not", "fuond"]).run();
    assert_eq!(ended.code, Some(19), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("did you mean 10059"),
        "{}",
        ended.stderr
    );
    let ended = recado(NO_SERVER, ["errors", "list", "qqqqqq", "--json"]).run();
    assert_eq!(ended.code, Some(19), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("\"name\":\"not_found\""),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_list_can_be_narrowed() {
    let all = recado(NO_SERVER, ["errors", "list"]).succeed();
    assert!(all.lines().count() > 226 && all.contains("10227"), "{all}");
    let mirrors = recado(NO_SERVER, ["errors", "list", "mirror"]).succeed();
    assert!(
        mirrors.contains("10031") && !mirrors.contains("10059"),
        "{mirrors}"
    );
}

#[test]
fn the_page_of_errors_in_the_docs_is_what_the_program_prints() {
    for (lang, file) in [("en", "docs/errors.md"), ("es", "docs/es/errores.md")] {
        let args = ["errors", "list", "--markdown", "--lang", lang];
        let printed = recado(NO_SERVER, args).succeed();
        let committed = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        assert!(
            committed == printed,
            "{file} is out of date; renew it with: cargo run -p recado-cli -- errors list --markdown --lang {lang} > {file}"
        );
    }
}

#[test]
fn what_the_server_can_answer_is_explained_with_its_own_number_name_and_text() {
    let rows = catalogue();
    assert_eq!(rows.len(), 226, "the catalogue could be read");
    let explained = numbered();
    for row in &rows {
        let told = (row.code, row.constant.clone(), row.text.clone());
        assert_eq!(explained.get(&row.number), Some(&told), "{}", row.name);
    }
    assert_eq!(explained.len(), rows.len());
}

#[test]
fn what_is_said_to_come_from_others_only_is_not_used_by_the_server() {
    let mut sources = String::new();
    for folder in ["crates/streams/src", "crates/server/src"] {
        read_all(&root().join(folder), &mut sources);
    }
    let words: std::collections::BTreeSet<&str> = sources
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    let elsewhere: Vec<u64> = listed()
        .iter()
        .filter(|one| one["recado_server"] == false)
        .filter_map(|one| one["err_code"].as_u64())
        .collect();
    assert!(elsewhere.len() > 30, "{elsewhere:?}");
    let named = catalogue()
        .into_iter()
        .filter(|row| words.contains(row.name.as_str()));
    let wrong: Vec<u64> = named
        .map(|row| row.number)
        .filter(|number| elsewhere.contains(number))
        .collect();
    assert!(
        wrong.is_empty(),
        "recado-server sends {wrong:?}: take them off ELSEWHERE in crates/cli/src/text/explained/mod.rs, and look at what is said of them"
    );
}

#[test]
fn every_error_of_the_connection_is_explained() {
    let wire = source("crates/wire/src/error.rs");
    let from = wire
        .find("pub fn text(&self)")
        .expect("the texts are there");
    let texts = &wire[from..][..wire[from..].find("\n    }\n").expect("an end")];
    let texts: Vec<String> = literals(texts);
    assert!(texts.len() > 10, "{texts:?}");
    for text in texts {
        let printed = format!(
            "-ERR '{}'",
            text.replace("{subject}", "a.b").replace("{detail}", "")
        );
        let object: Value = serde_json::from_str(&lookup(&[&printed, "--json"])).unwrap();
        assert_eq!(object["kind"], "connection", "{printed}: {object}");
    }
}

#[test]
fn every_status_that_streams_answer_with_is_explained() {
    let api = source("crates/streams/src/api/status.rs");
    let rows = api.lines().filter_map(|line| line.trim().split_once(" = "));
    let statuses = rows.filter_map(|(name, rest)| {
        let (code, text) = rest.split_once(' ')?;
        let text = text.strip_prefix('"')?.strip_suffix("\";")?;
        (name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') && !text.is_empty())
            .then(|| format!("{code} {text}"))
    });
    let statuses: Vec<String> = statuses.collect();
    assert!(statuses.len() > 25, "{statuses:?}");
    for status in statuses {
        let object: Value = serde_json::from_str(&lookup(&[&status, "--json"])).unwrap();
        assert_eq!(object["kind"], "status", "{status}: {object}");
    }
}

#[test]
fn the_list_is_that_of_nats_server() {
    let Ok(list) = std::fs::read_to_string(root().join(LIST)) else {
        println!("SKIPPED: nats-server's list is not beside the repository ({LIST})");
        return;
    };
    let list: Vec<Value> = serde_json::from_str(&list).expect("a list");
    let explained = numbered();
    assert_eq!(list.len(), explained.len());
    for one in list {
        let text = |field: &str| one[field].as_str().expect("a text").to_owned();
        let told = (
            one["code"].as_u64().expect("a code"),
            text("constant"),
            text("description"),
        );
        let number = one["error_code"].as_u64().expect("a number");
        assert_eq!(explained.get(&number), Some(&told), "{number}");
    }
}

/// A row of the server's catalogue.
struct Row {
    name: String,
    constant: String,
    number: u64,
    code: u64,
    text: String,
}

/// `NAME = "Constant", 10002, 400, "text";`
fn catalogue() -> Vec<Row> {
    let file = source("crates/streams/src/error/catalogue.rs");
    let row = |line: &str| {
        let (name, rest) = line.trim().split_once(" = \"")?;
        let (constant, rest) = rest.split_once("\", ")?;
        let (number, rest) = rest.split_once(", ")?;
        let (code, rest) = rest.split_once(", \"")?;
        Some(Row {
            name: name.to_owned(),
            constant: constant.to_owned(),
            number: number.parse().ok()?,
            code: code.parse().ok()?,
            text: rest.strip_suffix("\";")?.to_owned(),
        })
    };
    file.lines().filter_map(row).collect()
}

/// The string literals of some source, without those that are patterns of nothing.
fn literals(source: &str) -> Vec<String> {
    let escaped = source.replace("\\\"", "\u{1}");
    let inside = escaped.split('"').skip(1).step_by(2);
    inside.map(|text| text.replace('\u{1}', "\"")).collect()
}

/// All sources of a folder, but for tests and the catalogue itself.
fn read_all(folder: &Path, into: &mut String) {
    let entries = std::fs::read_dir(folder).expect("a folder");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "tests" {
            read_all(&path, into);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && name != "catalogue.rs" {
            let file = std::fs::read_to_string(&path).expect("a source");
            into.push_str(file.split("#[cfg(test)]\nmod ").next().unwrap_or_default());
        }
    }
}
