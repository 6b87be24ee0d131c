//! `recado kv` and `recado object`: values by key, files by name.

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::harness::recado;
use crate::stored::store;

#[test]
fn a_key_has_a_value_a_history_and_revisions() {
    let store = store!();
    store.run("kv add config --history 5");
    store.run("kv put config theme dark");
    let put = &store.json("kv put config theme light")[0];
    assert_eq!(put["revision"], 2);
    assert_eq!(store.run("kv get config theme"), "light\n");
    assert_eq!(store.run("kv get config theme --raw"), "light");
    let first = &store.json("kv get config theme --revision 1")[0];
    assert_eq!(
        (&first["value"], &first["operation"]),
        (&"dark".into(), &"PUT".into())
    );
    store.run("kv put config other x");
    // A revision is that of one key.
    store.fails("kv get config theme --revision 3", 19);
    assert_eq!(store.run("kv keys config"), "other\ntheme\n");
    assert_eq!(
        store.run("kv keys config th*"),
        "",
        "a wildcard is a whole token"
    );
    let history = store.json("kv history config theme");
    assert_eq!(history.len(), 2);
    store.run("kv revert config theme 1 --yes");
    assert_eq!(store.run("kv get config theme --raw"), "dark");
    let bytes = recado(&store.url(), ["kv", "put", "config", "bytes"]).input(b"\x00\xff".to_vec());
    bytes.succeed();
    let bytes = &store.json("kv get config bytes")[0];
    assert_eq!(bytes["value_base64"], "AP8=");
}

#[test]
fn who_is_second_is_told() {
    let store = store!();
    store.run("kv add locks");
    store.run("kv create locks leader ana");
    let second = store.fails("kv create locks leader eva", 20);
    assert!(
        second.stderr.contains("has a value already"),
        "{}",
        second.stderr
    );
    store.run("kv update locks leader eva --revision 1");
    let late = store.fails("kv update locks leader ana --revision 1", 20);
    assert!(late.stderr.contains("10071"), "{}", late.stderr);
    store.fails("kv del locks leader --revision 1 --yes", 20);
    store.fails("kv del locks leader", 2);
    store.run("kv del locks leader --yes");
    store.fails("kv get locks leader", 19);
    assert_eq!(store.run("kv keys locks"), "");
    // A key that was deleted may be created again.
    store.run("kv create locks leader ana");
    store.run("kv purge locks leader --yes");
    let compacted = &store.json("kv compact locks --older 0s --yes")[0];
    assert_eq!(compacted["compacted"], serde_json::json!(["leader"]));
    store.fails("kv history locks leader", 19);

    store.run("kv put locks other ana");
    store.run("kv del locks other --yes");
    let compact = ["kv", "compact", "locks", "--older", "0s", "--yes"];
    let left = recado(&store.url(), compact).on_screen(24, 80).end();
    for drawn in ["looking", "removing", "100 %"] {
        assert!(left.written.contains(drawn), "{drawn}: {left:?}");
    }
    assert!(
        !left.screen.contains('%'),
        "they are gone at the end: {left:?}"
    );
    let missing = store.fails("kv put nowhere a b", 19);
    assert!(
        missing.stderr.contains("the bucket nowhere"),
        "{}",
        missing.stderr
    );
}

#[test]
fn buckets_are_listed_changed_watched_and_removed() {
    let store = store!();
    store.run("kv add config --ttl 1h --storage memory");
    let stream = &store.json("kv info config")[0]["stream"]["config"];
    assert_eq!(stream["subjects"][0], "$KV.config.>");
    assert_eq!(
        (&stream["max_msgs_per_subject"], &stream["discard"]),
        (&1.into(), &"new".into())
    );
    assert_eq!(
        (&stream["deny_delete"], &stream["allow_rollup_hdrs"]),
        (&true.into(), &true.into())
    );
    store.run("kv edit config --history 3 --yes");
    assert_eq!(store.json("kv ls")[0]["history"], 3);
    // People's streams are not among the others.
    assert_eq!(store.run("stream ls --names"), "");
    assert_eq!(store.run("stream ls -a --names"), "KV_config\n");

    store.run("kv put config a 1");
    let watching = recado(&store.url(), ["kv", "watch", "config", "--lang", "es"]).spawn();
    watching.shows("a: 1");
    store.run("kv put config b 2");
    watching.shows("b: 2");
    store.run("kv del config a --yes");
    watching.shows("a: (borrada)");
    watching.signal(Signal::SIGINT);
    assert_eq!(watching.end().code, Some(0));
    assert_eq!(store.json("kv watch config --count 2").len(), 2);
    store.fails("kv watch config --new --timeout 200ms", 4);
    // That the bucket is removed is no silence.
    let watching = recado(&store.url(), ["kv", "watch", "config"]).spawn();
    watching.shows("b: 2");
    store.run("kv rm config --yes");
    assert_eq!(watching.end().code, Some(19));
    store.fails("kv info config", 19);
}

#[test]
fn a_file_comes_back_byte_for_byte() {
    let store = store!();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("big.bin");
    let content: Vec<u8> = (0..1_000_000_u32)
        .map(|n| (n.wrapping_mul(n) >> 7) as u8)
        .collect();
    std::fs::write(&file, &content).unwrap();
    let copy = folder.path().join("copy.bin");
    store.run("object add files");
    let put = &store.json(&format!("object put files {}", file.display()))[0];
    assert_eq!(
        (&put["size"], &put["chunks"]),
        (&1_000_000.into(), &8.into())
    );
    let get = format!("object get files big.bin --output {}", copy.display());
    store.run(&get);
    assert!(std::fs::read(&copy).unwrap() == content);
    store.fails(&get, 2);
    store.run(&format!("{get} --yes"));

    // Another content of that name takes the place of the first.
    std::fs::write(&file, b"small").unwrap();
    store.run(&format!("object put files {}", file.display()));
    assert_eq!(store.run("object get files big.bin --output -"), "small");
    let info = &store.json("stream info OBJ_files")[0];
    assert_eq!(
        info["state"]["messages"], 2,
        "one piece, and what is said about it"
    );
    let empty = recado(
        &store.url(),
        ["object", "put", "files", "-", "--as", "a/none"],
    );
    empty.input("").succeed();
    assert_eq!(store.run("object get files a/none --output -"), "");
    let names: Vec<String> = store
        .json("object ls files")
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["a/none", "big.bin"]);
    assert_eq!(store.json("object watch files --count 2").len(), 2);

    store.run("object del files big.bin --yes");
    store.fails("object get files big.bin", 19);
    store.run("object edit files --ttl 1h --yes");
    store.run("object seal files --yes");
    let sealed = store.fails(&format!("object put files {}", file.display()), 14);
    assert!(sealed.stderr.contains("10109"), "{}", sealed.stderr);
    assert_eq!(store.json("object ls")[0]["sealed"], true);
    store.run("object rm files --yes");
    store.fails("object info files", 19);
}

#[test]
fn an_object_that_was_damaged_is_not_kept() {
    let store = store!();
    let folder = TempDir::new().unwrap();
    store.run("object add files");
    let input = recado(
        &store.url(),
        ["object", "put", "files", "-", "--as", "x", "--json"],
    );
    let put = input.input("content").succeed();
    let put: serde_json::Value = serde_json::from_str(&put).unwrap();
    let pieces = format!("$O.files.C.{}", put["nuid"].as_str().unwrap());
    // Somebody puts another piece in the place of ours.
    store.run(&format!("stream purge OBJ_files --subject {pieces} --yes"));
    let path = folder.path().join("x");
    let get = format!("object get files x --output {}", path.display());
    let short = store.fails(&get, 1);
    assert!(short.stderr.contains("not whole"), "{}", short.stderr);
    store.run(&format!("pub {pieces} CONTENT --ack"));
    let damaged = store.fails(&get, 1);
    assert!(damaged.stderr.contains("digest"), "{}", damaged.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
