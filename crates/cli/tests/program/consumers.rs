//! `recado consumer`: who reads a stream, and how far it has got.

use nix::sys::signal::Signal;

use crate::harness::recado;
use crate::screen::key;
use crate::stored::{Store, store};

fn with_messages(count: u32) -> Option<Store> {
    let store = Store::start()?;
    store.run("stream add S --subjects a.>");
    for number in 1..=count {
        store.run(&format!("pub a.x {number} --ack"));
    }
    Some(store)
}

#[test]
fn a_consumer_is_made_shown_changed_and_removed() {
    let store = store!();
    store.run("stream add S --subjects a.>");
    store
        .run("consumer add S c1 --filter a.x,a.y --max-deliver 5 --backoff 1s,10s --description d");
    let info = &store.json("consumer info S c1")[0];
    let config = &info["config"];
    assert_eq!(config["filter_subjects"], serde_json::json!(["a.x", "a.y"]));
    assert_eq!(
        config["backoff"],
        serde_json::json!([1_000_000_000, 10_000_000_000_u64])
    );
    assert_eq!(
        (&config["ack_policy"], &config["max_deliver"]),
        (&"explicit".into(), &5.into())
    );
    let other = store.fails("consumer add S c1", 20);
    assert!(other.stderr.contains("10148"), "{}", other.stderr);
    store.fails("consumer add S", 2);

    store.run("consumer edit S c1 --max-deliver 7 --filter a.z --yes");
    let config = &store.json("consumer info S c1")[0]["config"];
    assert_eq!(
        (&config["max_deliver"], &config["filter_subject"]),
        (&7.into(), &"a.z".into())
    );
    store.run("consumer copy S c1 c2 --filter a.w");
    let config = &store.json("consumer info S c2")[0]["config"];
    assert_eq!(
        (&config["max_deliver"], &config["durable_name"]),
        (&7.into(), &"c2".into())
    );
    assert_eq!(store.run("consumer ls S --names"), "c1\nc2\n");
    let table = store.run("consumer report");
    assert!(
        table.starts_with("STREAM") && table.contains("c2"),
        "{table}"
    );

    store.run("consumer rm S c2 --yes");
    let gone = store.fails("consumer info S c2", 19);
    assert!(
        gone.stderr.contains("the consumer c2 of the stream S"),
        "{}",
        gone.stderr
    );
    let stream = store.fails("consumer info NOPE c2", 19);
    assert!(
        stream.stderr.contains("recado stream ls"),
        "{}",
        stream.stderr
    );
}

#[test]
fn the_next_messages_are_taken_and_acknowledged() {
    let Some(store) = with_messages(5) else {
        return;
    };
    store.run("consumer add S c --ack-wait 1h");
    assert_eq!(store.run("consumer next S c --raw"), "1\n");
    let two = store.json("consumer next S c --count 2");
    let payloads: Vec<&str> = two
        .iter()
        .map(|one| one["payload"].as_str().unwrap())
        .collect();
    assert_eq!(payloads, ["2", "3"]);
    assert_eq!(two[1]["pending"], 2);
    let info = &store.json("consumer info S c")[0];
    assert_eq!(
        (&info["ack_floor"]["stream_seq"], &info["num_ack_pending"]),
        (&3.into(), &0.into())
    );

    // Refused, it comes again at once; given up, never.
    assert_eq!(store.run("consumer next S c --nak --raw"), "4\n");
    let again = &store.json("consumer next S c --term broken")[0];
    assert_eq!(
        (&again["payload"], &again["delivered"]),
        (&"4".into(), &2.into())
    );
    assert_eq!(store.run("consumer next S c --no-ack --raw"), "5\n");
    let info = &store.json("consumer info S c")[0];
    assert_eq!(info["num_ack_pending"], 1);
    let nothing = store.fails("consumer next S c --timeout 200ms", 4);
    assert!(
        nothing.stderr.contains("within 200 ms"),
        "{}",
        nothing.stderr
    );
    store.fails("consumer next S nobody --timeout 200ms", 19);
    store.run("consumer add S push --push-to elsewhere");
    let push = store.fails("consumer next S push", 2);
    assert!(
        push.stderr.contains("recado sub elsewhere"),
        "{}",
        push.stderr
    );
}

#[test]
fn a_paused_consumer_delivers_nothing_until_it_is_resumed() {
    let Some(store) = with_messages(1) else {
        return;
    };
    store.run("consumer add S c");
    let paused = &store.json("consumer pause S c 1h --yes")[0];
    assert_eq!(paused["paused"], true);
    store.fails("consumer next S c --timeout 200ms", 4);
    store.run("consumer resume S c");
    assert_eq!(store.run("consumer next S c --raw"), "1\n");
}

#[test]
fn messages_are_taken_as_they_come_until_ctrl_c() {
    let Some(store) = with_messages(3) else {
        return;
    };
    store.run("consumer add S c");
    assert_eq!(store.run("consumer sub S c --count 2 --raw"), "1\n2\n");
    let taking = recado(&store.url(), ["consumer", "sub", "S", "c", "--raw"]).spawn();
    taking.shows("3");
    store.run("pub a.x 4 --ack");
    taking.shows("4");
    taking.signal(Signal::SIGINT);
    assert_eq!(taking.end().code, Some(0));
    let info = &store.json("consumer info S c")[0];
    assert_eq!(info["ack_floor"]["stream_seq"], 4);
    assert_eq!(store.run("consumer sub S c --timeout 200ms --raw"), "");

    // That it is removed is no silence.
    let taking = recado(&store.url(), ["consumer", "sub", "S", "c"]).spawn();
    taking.told("Taking messages of S as c");
    store.run("pub a.x 5 --ack");
    taking.shows(": 5");
    store.run("consumer rm S c --yes");
    assert_eq!(taking.end().code, Some(19));
}

#[test]
fn consumers_are_found_by_what_they_are_like() {
    let Some(store) = with_messages(3) else {
        return;
    };
    store.run("consumer add S slow");
    store.run("consumer add S done");
    store.run("consumer next S done --count 3");
    store.run("consumer add S push --push-to elsewhere");
    store.run("stream add T --subjects t.>");
    store.run("consumer add T other");
    let found = |line: &str| store.run(&format!("consumer find S --names {line}"));
    assert_eq!(found("--pull"), "done\nslow\n");
    assert_eq!(found("--pull --pending 1"), "done\n");
    assert_eq!(found("--pull --pending 1 --invert"), "push\nslow\n");
    assert_eq!(found("--push"), "push\n");
    assert_eq!(found("--created 1h"), "");
    let all = store.run("consumer find --names --idle 0s");
    assert_eq!(all, "S done\nS push\nS slow\nT other\n");
    let table = store.run("consumer find T");
    assert!(
        table.starts_with("STREAM") && table.contains("other"),
        "{table}"
    );
    let objects = store.json("consumer query S --push");
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0]["name"], "push");
    store.fails("consumer find NOPE", 19);
    store.fails("consumer find S --pull --push", 2);

    let listener = recado(&store.url(), ["sub", "elsewhere"]).spawn();
    listener.told("Listening on elsewhere");
    // What comes shows that the server knows of it.
    listener.shows("a.x");
    assert_eq!(found("--bound"), "push\n");
}

#[test]
fn a_consumer_is_drawn_on_a_terminal_and_told_in_figures_elsewhere() {
    let Some(store) = with_messages(2) else {
        return;
    };
    store.run("consumer add S c");
    let graph = |more: &[&str]| {
        let args = ["consumer", "graph", "S", "c", "--interval", "100ms"];
        recado(&store.url(), args.iter().chain(more))
    };
    let screen = graph(&[]).on_screen(24, 60);
    screen.shows("to deliver: 2 · highest 2");
    screen.shows("█");
    store.run("consumer next S c --no-ack");
    screen.shows("to deliver: 1 · highest 2");
    screen.shows("waiting for an ack: 1 · highest 1");
    screen.resize(5, 20);
    screen.shows("q quit");
    screen.types("q");
    let left = screen.end();
    assert_eq!((left.code, left.restored), (0, true), "{left:?}");
    let screen = graph(&["--lang", "es"]).on_screen(24, 60);
    screen.shows("por entregar: 1 · máximo 1");
    screen.types(key::CTRL_C);
    let left = screen.end();
    assert_eq!((left.code, left.restored), (0, true), "{left:?}");

    let once = store.run("consumer graph S c --interval 100ms");
    assert!(
        once.starts_with("STREAM") && once.lines().count() == 2,
        "{once}"
    );
    let once = &store.json("consumer graph S c --interval 100ms --once")[0];
    assert_eq!((&once["pending"], &once["unacked"]), (&1.into(), &1.into()));
    assert_eq!(once["delivered_rate"], 0.0);
    let running = graph(&["--json"]).spawn();
    running.shows(r#""pending":1"#);
    running.signal(Signal::SIGINT);
    assert_eq!(running.end().code, Some(0));

    // One that is not there is told on the ordinary screen, and one that goes away too.
    let gone = recado(&store.url(), ["consumer", "graph", "S", "nobody"]).on_screen(24, 80);
    let left = gone.end();
    assert_eq!(left.code, 19, "{left:?}");
    let screen = graph(&[]).on_screen(24, 80);
    screen.shows("to deliver: 1");
    store.run("consumer rm S c --yes");
    let left = screen.end();
    assert_eq!((left.code, left.restored), (19, true), "{left:?}");
    assert!(
        left.screen.contains("the consumer c of the stream S"),
        "{left:?}"
    );
}
