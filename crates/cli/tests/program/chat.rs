//! `recado chat`: several members in one room, in terminals and in pipes.

use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use recado_conformance::ServerProcess;

use crate::harness::{Recado, recado};
use crate::screen::{Screen, key};

fn member(server: &ServerProcess, name: &str) -> Recado {
    recado(&server.url(), ["chat", "team", "--name", name])
}

/// Enters on a terminal and waits for the prompt.
fn enter(server: &ServerProcess, name: &str) -> Screen {
    let screen = member(server, name).on_screen(24, 90);
    screen.shows(&format!("You are {name} in the room team"));
    screen.shows(&format!("{name}> "));
    screen
}

#[test]
fn two_terminals_talk_and_see_each_other_come_and_go() {
    let server = ServerProcess::nats();
    let ana = enter(&server, "ana");
    ana.shows("Nobody else is here yet.");
    let beto = enter(&server, "beto");
    beto.shows("Here too: ana (");
    ana.shows("→ beto joined");
    ana.types("hello there\r");
    beto.shows("ana: hello there");
    // The confirmation of a listener, with the time that it took.
    ana.until("the confirmation", |screen| {
        screen
            .lines()
            .any(|line| line.contains("✓ there and back: beto ") && line.contains(" ms"))
    });
    beto.types("/quit\r");
    assert_eq!(beto.end().code, 0);
    ana.shows("← beto left");
    ana.types("anybody?\r");
    ana.shows("nobody else is here");
    ana.types(key::CTRL_D);
    let left = ana.end();
    assert_eq!(left.code, 0, "{left:?}");
    assert!(left.restored, "{left:?}");
}

#[test]
fn what_is_being_typed_is_never_garbled_by_what_comes_in() {
    let server = ServerProcess::nats();
    let ana = enter(&server, "ana");
    ana.types("this is not fin");
    ana.shows("ana> this is not fin");
    for number in 0..20 {
        let text = format!("message {number}");
        recado(&server.url(), ["pub", "chat.team.say", &text]).succeed();
    }
    ana.shows("somebody: message 19");
    ana.until("the line under the messages", |screen| {
        screen.trim_end().ends_with("ana> this is not fin")
    });
    assert_eq!(ana.cursor_line().trim_end(), "ana> this is not fin");
    ana.types("ished");
    let listener = recado(
        &server.url(),
        ["sub", "chat.team.say", "--count", "1", "--raw"],
    )
    .spawn();
    listener.told("Listening");
    ana.types(key::ENTER);
    let said = String::from_utf8(listener.end().stdout).unwrap();
    assert!(said.contains(r#""text":"this is not finished""#), "{said}");
}

#[test]
fn the_arrow_brings_back_what_was_typed_even_in_the_next_conversation() {
    let server = ServerProcess::nats();
    let home = tempfile::tempdir().unwrap();
    let home_path = home.path().to_str().unwrap();
    let at_home = || {
        let screen = member(&server, "ana")
            .env("XDG_STATE_HOME", home_path)
            .on_screen(24, 90);
        screen.shows("ana> ");
        screen
    };
    let first = at_home();
    first.types("remember me\r");
    first.shows("✓ back from the server");
    first.types(key::CTRL_D);
    assert_eq!(first.end().code, 0);
    let file = home.path().join("recado/chat_history");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let second = at_home();
    second.types(key::UP);
    second.shows("ana> remember me");
}

#[test]
fn a_taken_name_gets_a_number() {
    let server = ServerProcess::nats();
    let first = enter(&server, "ana");
    let second = member(&server, "ana").on_screen(24, 90);
    second.shows("Somebody here is called ana already; you are ana-2.");
    second.types("/name eva\r");
    second.shows("You are now called eva.");
    first.shows("ana-2 is now called eva");
    second.shows("eva> ");
}

#[test]
fn somebody_who_is_killed_is_missed() {
    let server = ServerProcess::nats();
    let ana = enter(&server, "ana");
    let beto = enter(&server, "beto");
    ana.shows("→ beto joined");
    beto.signal(Signal::SIGKILL);
    ana.shows("← beto vanished: nothing heard for 7 s");
    ana.types("/who\r");
    ana.until("an empty room", |screen| {
        screen.matches("Nobody else is here yet.").count() == 2
    });
}

#[test]
fn ctrl_c_gives_the_terminal_back_at_any_moment() {
    let server = ServerProcess::nats();
    let other = enter(&server, "other");
    for typed in ["", "half a line"] {
        let ana = enter(&server, "ana");
        ana.types(typed);
        ana.shows(&format!("ana> {typed}"));
        ana.types(key::CTRL_C);
        let left = ana.end();
        assert_eq!((left.code, left.restored), (0, true), "{left:?}");
        other.shows("← ana left");
    }
    // From elsewhere, while keys are waited for.
    let ana = enter(&server, "eva");
    ana.types("half a line");
    ana.shows("eva> half a line");
    ana.signal(Signal::SIGTERM);
    let left = ana.end();
    assert_eq!((left.code, left.restored), (0, true), "{left:?}");
    other.shows("← eva left");
}

#[test]
fn others_can_neither_move_the_cursor_nor_speak_in_anothers_name() {
    let server = ServerProcess::nats();
    let ana = enter(&server, "ana");
    let evil = r#"{"from":"b\u001b[2Jb","text":"one\u001b[2J\u202e\n12:00:00 eva: two"}"#;
    recado(&server.url(), ["pub", "chat.team.say", evil]).succeed();
    let screen = ana.shows("b__2Jb: one\\u{1b}[2J\\u{202e}");
    assert!(screen.contains("│ 12:00:00 eva: two"), "{screen}");
    assert!(
        screen.contains("You are ana"),
        "nothing was cleared: {screen}"
    );
}

#[test]
fn a_server_that_dies_and_comes_back_is_told_and_the_talk_goes_on() {
    let mut server = ServerProcess::nats();
    let ana = enter(&server, "ana");
    let beto = enter(&server, "beto");
    ana.shows("→ beto joined");
    server.kill();
    ana.shows("broke; trying to get it back");
    ana.types("lost\r");
    ana.shows("Not sent: the server is away.");
    server.restart();
    for screen in [&ana, &beto] {
        screen.shows("again; it was gone for ");
    }
    ana.types("back again\r");
    beto.shows("ana: back again");
    let screen = beto.contents();
    assert!(
        !screen.contains("vanished") && !screen.contains("lost"),
        "{screen}"
    );
}

#[test]
fn a_pipe_says_its_lines_waits_for_those_who_listen_and_leaves() {
    let server = ServerProcess::nats();
    let ana = enter(&server, "ana");
    let ended = member(&server, "ci")
        .input("build green\n/etc/hosts is text\n")
        .run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, b"", "what it says itself is no result");
    assert_eq!(
        ended.stderr.matches("✓ there and back: ana ").count(),
        2,
        "{}",
        ended.stderr
    );
    let screen = ana.shows("← ci left");
    assert!(screen.contains("ci: build green") && screen.contains("ci: /etc/hosts is text"));
    // Nothing to say: in and out.
    let ended = member(&server, "nobody").run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("Here too: ana"), "{}", ended.stderr);
}

#[test]
fn json_tells_everything_that_happens() {
    let server = ServerProcess::nats();
    let mut watcher =
        recado(&server.url(), ["chat", "team", "--name", "bot", "--json"]).spawn_with_input();
    watcher.shows(r#""event":"entered""#);
    let said = member(&server, "ana").input("hola\n").run();
    assert_eq!(said.code, Some(0), "{said:?}");
    watcher.shows(r#""event":"joined","name":"ana""#);
    let line = watcher.shows(r#""event":"message""#);
    assert!(
        line.contains(r#""from":"ana""#) && line.contains(r#""text":"hola""#),
        "{line}"
    );
    watcher.shows(r#""event":"left","name":"ana""#);
    watcher.types("adiós\n");
    let line = watcher.shows(r#""event":"delivered""#);
    assert!(
        line.contains(r#""n":1"#) && line.contains(r#""echo_ms":"#),
        "{line}"
    );
    watcher.closes_input();
    assert_eq!(watcher.end().code, Some(0));
}

#[test]
fn what_can_not_be_a_room_a_name_or_a_message_is_refused() {
    let server = ServerProcess::nats();
    for (args, words) in [
        (&["chat", "a.b"][..], "can't be a room"),
        (&["chat", "a b"], "can't be a room"),
        (&["chat", ">"], "can't be a room"),
        (&["chat", "team", "--name", "a b"], "can't be a name"),
    ] {
        let ended = recado(&server.url(), args).run();
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
    }
    let long = "x".repeat(16 * 1024 + 1);
    let ended = member(&server, "ana").input(long).run();
    assert_eq!(ended.code, Some(11), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("at most 16384 go into one"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_narrow_terminal_that_is_resized_keeps_the_line() {
    let server = ServerProcess::nats();
    let ana = member(&server, "ana").on_screen(10, 30);
    ana.shows("ana> ");
    ana.types("a line that is longer than the terminal is wide");
    ana.until("the wrapped line", |screen| screen.contains("is wide"));
    ana.resize(20, 100);
    recado(&server.url(), ["pub", "chat.team.say", "for all"]).succeed();
    ana.shows("somebody: for all");
    ana.types(key::BACKSPACE);
    ana.types("er\r");
    ana.until("the line that was sent", |screen| {
        screen.contains("is wider")
    });
    ana.shows("✓ back from the server");
}
