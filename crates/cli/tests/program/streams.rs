//! `recado stream`, `recado pub --ack`, `recado sub --stream`: messages that are kept.

use nix::sys::signal::Signal;
use recado_conformance::ServerProcess;
use tempfile::TempDir;

use crate::harness::recado;
use crate::processes::responder;
use crate::screen::key;
use crate::stored::store;

#[test]
fn a_stream_is_made_shown_changed_and_removed() {
    let store = store!();
    let made = store.run("stream add ORDERS --subjects orders.> --max-age 7d --max-msgs 10k");
    assert!(
        made.contains("orders.>") && made.contains("7 d 0 h"),
        "{made}"
    );
    // The same once more is no error; another one of that name is.
    store.run("stream add ORDERS --subjects orders.> --max-age 7d --max-msgs 10k");
    store.fails("stream add ORDERS --subjects other.>", 20);
    let info = &store.json("stream info ORDERS")[0];
    assert_eq!(info["config"]["max_msgs"], 10_000);
    assert_eq!(info["config"]["max_age"], 604_800_000_000_000_u64);
    let table = store.run("stream ls");
    assert!(
        table.starts_with("NAME") && table.contains("ORDERS"),
        "{table}"
    );
    assert_eq!(
        store.run("stream ls --subject orders.x --names"),
        "ORDERS\n"
    );
    assert_eq!(store.run("stream find --empty --names"), "ORDERS\n");

    let shown = store.run("stream edit ORDERS --max-msgs 5 --dry-run");
    assert_eq!(shown, "- max_msgs: 10000\n+ max_msgs: 5\n");
    let refused = store.fails("stream edit ORDERS --max-msgs 5", 2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    store.run("stream edit ORDERS --max-msgs 5 --set description=kept --yes");
    let info = &store.json("stream info ORDERS")[0];
    assert_eq!(info["config"]["max_msgs"], 5);
    assert_eq!(info["config"]["description"], "kept");
    let same = store.run("stream edit ORDERS --max-msgs 5 --yes");
    assert!(same.contains("like that already"), "{same}");

    store.run("stream copy ORDERS TEST --subjects test.>");
    let copy = &store.json("stream info TEST")[0];
    assert_eq!(copy["config"]["max_msgs"], 5);
    assert_eq!(copy["config"]["subjects"][0], "test.>");
    store.fails("stream rm TEST", 2);
    store.run("stream rm TEST --yes");
    let gone = store.fails("stream info TEST", 19);
    assert!(gone.stderr.contains("the stream TEST"), "{}", gone.stderr);
}

#[test]
fn a_publish_is_told_of_when_it_is_stored() {
    let store = store!();
    store.run("stream add ORDERS --subjects orders.>");
    let told = store.run("pub orders.new book --ack");
    assert!(
        told.starts_with("stored in the stream ORDERS as 1, "),
        "{told}"
    );
    let ack = &store.json("pub orders.new book --ack -H Nats-Msg-Id:7")[0];
    assert_eq!(
        (&ack["sequence"], &ack["duplicate"]),
        (&2.into(), &false.into())
    );
    assert!(ack["took_ms"].as_f64().is_some_and(|took| took > 0.0));
    let again = store.run("pub orders.new book --ack -H Nats-Msg-Id:7");
    assert!(again.contains("had it already as 2"), "{again}");

    let lines: String = (0..1000).map(|number| format!("{number}\n")).collect();
    let ended = recado(&store.url(), ["pub", "orders.n", "--lines", "--ack"])
        .input(lines)
        .succeed();
    assert!(ended.starts_with("stored: 1000 messages"), "{ended}");
    let subjects = store.json("stream subjects ORDERS");
    assert_eq!(subjects[0]["subject"], "orders.n");
    assert_eq!(subjects[0]["messages"], 1000);

    let nobody = store.fails("pub elsewhere x --ack", 3);
    let words = "no stream at";
    assert!(nobody.stderr.contains(words), "{}", nobody.stderr);
    store.run("stream edit ORDERS --max-msgs 3 --discard new --yes");
    let full = store.fails("pub orders.new x --ack", 14);
    assert!(full.stderr.contains("10077"), "{}", full.stderr);
}

#[test]
fn messages_are_viewed_got_and_removed() {
    let store = store!();
    store.run("stream add S --subjects a.>");
    for number in 1..=12 {
        let subject = if number % 2 == 0 { "a.even" } else { "a.odd" };
        store.run(&format!("pub {subject} {number} --ack"));
    }
    assert_eq!(store.run("stream view S 3 --raw"), "10\n11\n12\n");
    assert_eq!(
        store.run("stream view S 2 --subject a.even --raw"),
        "10\n12\n"
    );
    assert_eq!(store.run("stream view S 2 --from-seq 4 --raw"), "4\n5\n");
    assert_eq!(
        store.run("stream view S 1 --all --subject a.even --raw"),
        "2\n"
    );
    let shown = &store.json("stream view S 1")[0];
    assert_eq!(
        (&shown["sequence"], &shown["payload"]),
        (&12.into(), &"12".into())
    );
    assert_eq!(store.run("stream get S 5 --raw"), "5\n");
    assert_eq!(store.run("stream get S --last-for a.odd --raw"), "11\n");
    store.run("stream rmm S 5 --yes");
    let missing = store.fails("stream get S 5", 19);
    assert!(
        missing.stderr.contains("the message 5"),
        "{}",
        missing.stderr
    );
    let purged = &store.json("stream purge S --subject a.odd --keep 1 --yes")[0];
    assert_eq!(purged["purged"], 4);
    let info = &store.json("stream info S")[0];
    assert_eq!(info["state"]["messages"], 7);
    // No consumer of ours is left.
    assert_eq!(store.json("consumer ls S").len(), 0);
    store.run("stream seal S --yes");
    store.fails("stream purge S --yes", 14);
}

#[test]
fn a_subscription_to_a_stream_shows_what_was_kept_and_what_comes() {
    let store = store!();
    store.run("stream add S --subjects a.>");
    for number in 1..=3 {
        store.run(&format!("pub a.x {number} --ack"));
    }
    let all = store.run("sub --stream S --all --count 3 --raw");
    assert_eq!(all, "1\n2\n3\n");
    let two = store.run("sub --stream S a.x --from-seq 2 --timeout 300ms --raw");
    assert_eq!(two, "2\n3\n");
    assert_eq!(store.run("sub --stream S --last --count 1 --raw"), "3\n");
    assert_eq!(
        store.run("sub --stream S --since 1h --count 1 --raw"),
        "1\n"
    );

    let listening = recado(&store.url(), ["sub", "--stream", "S", "--raw"]).spawn();
    listening.told("Reading the stream S");
    store.run("pub a.x later --ack");
    listening.shows("later");
    listening.signal(Signal::SIGINT);
    assert_eq!(listening.end().code, Some(0));

    // A durable one goes on where it was.
    let first = store.run("sub --stream S --durable d --all --count 2 --raw");
    assert_eq!(first, "1\n2\n");
    let next = store.run("sub --stream S --durable d --count 2 --raw");
    assert_eq!(next, "3\nlater\n");
    let silent = store.fails("sub --stream S --durable d --timeout 200ms", 4);
    assert!(silent.stderr.contains("received 0"), "{}", silent.stderr);
    store.fails("sub a.x --all", 2);
    store.fails("sub --stream NOPE --all", 19);
}

#[test]
fn looking_at_a_work_queue_takes_nothing_from_it() {
    let store = store!();
    store.run("stream add JOBS --subjects jobs.> --retention workqueue");
    for number in 1..=6 {
        let subject = if number % 2 == 0 {
            "jobs.even"
        } else {
            "jobs.odd"
        };
        store.run(&format!("pub {subject} {number} --ack"));
    }
    for (line, shown) in [
        ("stream view JOBS 2 --raw", "5\n6\n"),
        ("stream view JOBS --all --raw", "1\n2\n3\n4\n5\n6\n"),
        ("stream view JOBS 2 --from-seq 3 --raw", "3\n4\n"),
        ("stream view JOBS 2 --subject jobs.odd --raw", "3\n5\n"),
        ("stream view JOBS --last --subject jobs.odd --raw", "5\n"),
        ("stream view JOBS 1 --since 1h --raw", "1\n"),
        (
            "sub --stream JOBS jobs.even --all --count 3 --raw",
            "2\n4\n6\n",
        ),
        ("sub --stream JOBS --last --timeout 300ms --raw", "6\n"),
    ] {
        assert_eq!(store.run(line), shown, "{line}");
    }

    let listening = recado(&store.url(), ["sub", "--stream", "JOBS", "--raw"]).spawn();
    listening.told("JOBS is a work queue");
    store.run("pub jobs.odd later --ack");
    listening.shows("later");
    listening.signal(Signal::SIGINT);
    assert_eq!(listening.end().code, Some(0));

    assert_eq!(store.json("consumer ls JOBS").len(), 0);
    let info = &store.json("stream info JOBS")[0];
    assert_eq!(info["state"]["messages"], 7);
    // A worker beside it is neither needed nor disturbed.
    store.run("consumer add JOBS worker");
    let worked = store.run("sub --stream JOBS --durable worker --count 1 --raw");
    assert_eq!(worked, "1\n");
    assert_eq!(store.run("stream view JOBS 1 --all --raw"), "2\n");
}

#[test]
fn a_subscription_to_a_stream_goes_on_after_the_server_was_gone() {
    let mut store = store!();
    store.run("stream add S --subjects a.>");
    store.run("stream add JOBS --subjects jobs.> --retention workqueue");
    let args = ["sub", "--stream", "S", "--raw"];
    let both = [&[][..], &["--durable", "d"]].map(|more| {
        let listening = recado(&store.url(), args.iter().chain(more)).spawn();
        listening.told("Reading the stream S");
        listening
    });
    let looking = recado(&store.url(), ["sub", "--stream", "JOBS", "--raw"]).spawn();
    looking.told("JOBS is a work queue");
    store.run("pub jobs.x before --ack");
    looking.shows("before");
    store.run("pub a.x before --ack");
    both.iter().for_each(|one| drop(one.shows("before")));
    store.restart();
    both.iter()
        .for_each(|one| drop(one.told("It goes on where it was")));
    store.run("pub a.x behind --ack");
    both.iter().for_each(|one| drop(one.shows("behind")));
    store.run("pub jobs.x behind --ack");
    looking.shows("behind");
}

#[test]
fn the_shell_completes_the_names_of_streams_and_buckets() {
    let store = store!();
    store.run("stream add ORDERS");
    store.run("kv add config");
    for (words, name) in [
        (&["recado", "stream", "info", "OR"], "ORDERS"),
        (&["recado", "kv", "info", "co"], "config"),
    ] {
        let shown = recado(&store.url(), ["--"].iter().chain(words.iter()))
            .env("RECADO_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", "3")
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_COMPLETE_SPACE", "false")
            .env("_CLAP_IFS", "\n")
            .succeed();
        assert!(shown.contains(name), "{shown}");
    }
}

#[test]
fn what_streams_and_consumers_do_is_watched() {
    let store = store!();
    store.run("stream add S --subjects a.>");
    store.run("consumer add S c1");
    store.run("pub a.x 1 --ack --count 5");
    let seen = &store.json("stream watch S --once --interval 100ms")[0];
    assert_eq!(
        (&seen["stream"], &seen["messages"]),
        (&"S".into(), &5.into())
    );
    assert_eq!(seen["consumers"][0]["name"], "c1");
    assert_eq!(seen["consumers"][0]["pending"], 5);
    let table = store.run("stream watch --once --interval 100ms");
    assert!(table.contains("\n└ c1"), "{table}");

    let args = ["stream", "watch", "--interval", "100ms"];
    let screen = recado(&store.url(), args)
        .env("TERM", "xterm")
        .on_screen(24, 100);
    screen.shows("└ c1");
    store.run("pub a.x 1 --ack --count 95");
    screen.shows("S     100 ");
    screen.types(key::CTRL_C);
    let left = screen.end();
    assert!(left.code == 0 && left.restored, "{left:?}");
}

#[test]
fn on_a_terminal_a_person_is_asked() {
    let store = store!();
    let screen = recado(&store.url(), ["stream", "add", "ORDERS"]).on_screen(24, 100);
    for (question, answer) in [
        ("Subjects", "orders.>\r"),
        ("Storage", "memory\r"),
        ("Retention", "\r"),
        ("How long", "1h\r"),
        ("Most bytes", "\r"),
    ] {
        screen.shows(question);
        screen.types(answer);
    }
    assert_eq!(screen.end().code, 0);
    let info = &store.json("stream info ORDERS")[0];
    assert_eq!(info["config"]["storage"], "memory");
    assert_eq!(info["config"]["max_age"], 3_600_000_000_000_u64);

    let screen =
        recado(&store.url(), ["stream", "rm", "ORDERS", "--lang", "es"]).on_screen(24, 100);
    screen.shows("¿Eliminar el flujo ORDERS con 0 mensajes? [s/N]");
    screen.types("n\r");
    assert_eq!(screen.end().code, 2);
    store.run("stream info ORDERS");
}

#[test]
fn a_server_without_streams_says_so_and_what_to_start() {
    // Called nats-server, and not asked for it.
    let server = ServerProcess::nats();
    let url = server.url();
    for line in [
        "stream ls",
        "stream info S",
        "stream add S",
        "stream watch --once",
        "consumer ls S",
        "consumer next S c",
        "kv ls",
        "kv put b k v",
        "object ls",
        "pub a x --ack",
        "sub --stream S",
    ] {
        let ended = recado(&url, line.split(' ')).run();
        assert_eq!(ended.code, Some(21), "{line}: {ended:?}");
        for words in [
            "has no streams (JetStream)",
            "recado-server",
            "nats-server -js",
        ] {
            assert!(ended.stderr.contains(words), "{line}: {}", ended.stderr);
        }
    }
    let ended = recado(&url, ["stream", "ls", "--json", "--lang", "es"]).run();
    let error: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(error["error"]["name"], "no_jetstream");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("no tiene flujos"), "{message}");
}

#[test]
fn a_room_that_a_stream_keeps_has_a_past() {
    let store = store!();
    let folder = TempDir::new().unwrap();
    let chat = |name: &str, more: &[&str]| {
        let args = ["chat", "team", "--name", name, "--json"];
        recado(&store.url(), args.iter().chain(more)).env("HOME", folder.path().to_str().unwrap())
    };
    let none = chat("ana", &["--history", "2"]).succeed();
    assert!(none.contains("No stream keeps this room"), "{none}");
    store.run("stream add CHAT --subjects chat.*.say");
    chat("ana", &[]).input("one\ntwo\nthree\n").succeed();
    let shown = chat("eva", &["--history", "2"]).succeed();
    let past: Vec<serde_json::Value> = shown
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &serde_json::Value| event["event"] == "past")
        .collect();
    let texts: Vec<&str> = past
        .iter()
        .map(|event| event["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["two", "three"], "{shown}");
    assert_eq!(past[0]["from"], "ana");
}

/// Answers the calls of the API as a server does that an older version took the place of: three streams, of which it serves
/// one.
const OLDER_SERVER: &str = r#"
info() { printf '{"config":{"name":"%s","subjects":["%s.>"]},"state":{"messages":1}}' "$1" "$1"; }
refuse() { printf '{"error":{"code":500,"err_code":%s,"description":"%s is offline: unsupported"}}' "$1" "$2"; }
why='unsupported - required API level: 9, current API level: 5'
case $RECADO_SUBJECT in
    *STREAM.LIST) case $(cat) in
        *'"offset":0'*) printf '{"total":3,"offset":0,"limit":2,"streams":[%s],"missing":["A"],"offline":{"A":"%s"}}' \
            "$(info B)" "$why" ;;
        *'"offset":2'*) printf '{"total":3,"offset":2,"limit":2,"streams":[],"missing":["C"],"offline":{"C":"%s"}}' "$why" ;;
        *) printf '{"total":3,"offset":0,"limit":2,"streams":[%s]}' "$(info B)" ;;
    esac ;;
    *.DELETE.*) printf '{"success":true}' ;;
    *CONSUMER.INFO.*) refuse 10195 consumer ;;
    *) refuse 10194 stream ;;
esac
"#;

#[test]
fn what_the_server_has_and_cannot_serve_is_named_and_can_be_removed() {
    let server = ServerProcess::nats();
    let url = server.url();
    let _older = responder(&url, &["$JS.API.>", "--exec", OLDER_SERVER]);
    let run = |line: &str| {
        let ended = recado(&url, line.split(' ')).run();
        assert_eq!(ended.code, Some(0), "{line}: {ended:?}");
        ended
    };
    let listed = run("stream ls");
    let rows = |name: &str| {
        let lines = listed.stdout.split(|byte| *byte == b'\n');
        lines
            .filter(|line| line.starts_with(name.as_bytes()))
            .count()
    };
    assert_eq!((rows("A"), rows("B"), rows("C")), (0, 1, 0), "{listed:?}");
    for name in ["A", "C"] {
        let told = format!("can't serve it: {name} (unsupported - required API level: 9");
        assert!(listed.stderr.contains(&told), "{}", listed.stderr);
    }
    // They are no buckets.
    let buckets = run("kv ls");
    assert!(!buckets.stderr.contains("can't serve"), "{buckets:?}");
    let ended = recado(&url, ["stream", "info", "A"]).run();
    assert_eq!(ended.code, Some(14), "{ended:?}");
    for words in [
        "error 10194",
        "a newer version of the server wrote it",
        "recado errors lookup 10194",
    ] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    let ended = recado(&url, ["stream", "rm", "A"]).run();
    assert!(ended.stderr.contains("--yes"), "{}", ended.stderr);
    run("stream rm A --yes");
    run("consumer rm A c --yes");
}
