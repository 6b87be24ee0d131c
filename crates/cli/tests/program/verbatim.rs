//! `--config` of `recado stream` and `recado consumer`: a configuration as a file or a pipe has it.

use tempfile::TempDir;

use crate::harness::recado;
use crate::stored::store;

#[test]
fn a_configuration_may_come_through_a_pipe() {
    let store = store!();
    let piped = |line: &str, config: &str| {
        recado(&store.url(), line.split(' '))
            .input(config)
            .succeed();
    };
    piped(
        "stream add S --config -",
        r#"{"subjects":["a.>"],"max_msgs":5}"#,
    );
    piped("stream edit S --config - --yes", r#"{"max_msgs":7}"#);
    let config = &store.json("stream info S")[0]["config"];
    assert_eq!(config["subjects"][0], "a.>");
    assert_eq!(config["max_msgs"], 7);

    piped("consumer add S c --config -", r#"{"max_deliver":5}"#);
    piped("consumer edit S c --config - --yes", r#"{"max_deliver":7}"#);
    let config = &store.json("consumer info S c")[0]["config"];
    assert_eq!(config["max_deliver"], 7);
}

#[test]
fn what_info_writes_changes_nothing_when_it_is_given_back() {
    let store = store!();
    let folder = TempDir::new().unwrap();
    let same = |info: &str, edit: &str| {
        let file = folder.path().join("info.json");
        std::fs::write(&file, store.run(info)).unwrap();
        let told = store.run(&format!("{edit} --config {}", file.display()));
        assert!(told.contains("like that already"), "{told}");
    };
    store.run("stream add S --subjects a.> --metadata team=x");
    same("stream info S --json", "stream edit S");
    store.run("consumer add S c");
    same("consumer info S c --json", "consumer edit S c");
}

#[test]
fn one_may_be_set_up_like_another_and_keeps_its_name() {
    let store = store!();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("info.json");
    store.run("stream add S --subjects a.>");
    store.run("consumer add S c --max-deliver 5");
    store.run("consumer add S d");
    std::fs::write(&file, store.run("consumer info S c --json")).unwrap();
    store.run(&format!(
        "consumer edit S d --config {} --yes",
        file.display()
    ));
    let config = &store.json("consumer info S d")[0]["config"];
    assert_eq!(
        (&config["durable_name"], &config["max_deliver"]),
        (&"d".into(), &5.into())
    );
}
