//! `recado login` and `recado logout`: secrets that are asked for, at a real terminal.

use std::os::unix::fs::PermissionsExt;

use recado_conformance::ServerBuilder;

use crate::contexts::Home;
use crate::screen::key;

#[test]
fn a_token_is_asked_for_unseen_tried_and_kept_for_its_owner_alone() {
    let server = ServerBuilder::nats()
        .args(["--auth", "open-sesame"])
        .start();
    let home = Home::new();
    let screen = home.recado(&["login", &server.url()]).on_screen(24, 100);
    screen.shows("(nothing for a token):");
    assert!(screen.echoes());
    screen.types(key::ENTER);
    screen.shows("Token (not shown):");
    assert!(!screen.echoes());
    screen.types("open-sesame\r");
    let left = screen.end();
    assert_eq!(left.code, 0, "{left:?}");
    assert!(left.restored, "{left:?}");
    assert!(!left.written.contains("open-sesame"), "{left:?}");
    let file = home.file("127.0.0.1");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(home.recado(&["pub", "a", "x"]).run().code, Some(0));

    assert!(
        home.recado(&["logout"])
            .succeed()
            .contains("holds no credentials any more")
    );
    assert!(
        !std::fs::read_to_string(&file)
            .unwrap()
            .contains("open-sesame")
    );
    assert_eq!(home.recado(&["pub", "a", "x"]).run().code, Some(9));
    assert!(
        home.recado(&["logout"])
            .succeed()
            .contains("held no credentials")
    );
}

#[test]
fn a_password_that_the_server_refuses_is_not_kept() {
    let server = ServerBuilder::nats()
        .args(["--user", "ana", "--pass", "right"])
        .start();
    let home = Home::new();
    let login = |password: &str| {
        let url = server.url();
        let args = ["login", &url, "--user", "ana", "--context", "lab"];
        let screen = home.recado(&args).on_screen(24, 100);
        screen.shows("Password of ana (not shown):");
        screen.types(&format!("{password}\r"));
        screen.end()
    };
    let refused = login("wrong");
    assert_eq!(refused.code, 9, "{refused:?}");
    assert!(refused.restored && !home.file("lab").exists());
    assert_eq!(login("").code, 2);
    let accepted = login("right");
    assert_eq!(accepted.code, 0, "{accepted:?}");
    assert_eq!(
        home.recado(&["--context", "lab", "pub", "a", "x"])
            .run()
            .code,
        Some(0)
    );
}

#[test]
fn ctrl_c_and_ctrl_d_at_the_question_leave_the_terminal_as_it_was() {
    let home = Home::new();
    for (keys, code) in [(key::CTRL_C, 130), (key::CTRL_D, 2)] {
        let screen = home
            .recado(&["login", "nats://127.0.0.1:1", "--user", "ana"])
            .on_screen(24, 100);
        screen.shows("Password of ana");
        assert!(!screen.echoes());
        screen.types(keys);
        let left = screen.end();
        assert_eq!(left.code, code, "{left:?}");
        assert!(left.restored, "{left:?}");
        assert!(!home.file("127.0.0.1").exists());
    }
}

#[test]
fn without_a_terminal_nothing_is_asked_and_scripts_say_it_otherwise() {
    let server = ServerBuilder::nats()
        .args(["--auth", "open-sesame"])
        .start();
    let home = Home::new();
    let url = server.url();
    for input in [None, Some("open-sesame\n")] {
        let run = home.recado(&["login", &url]);
        let run = match input {
            Some(input) => run.input(input),
            None => run,
        };
        let ended = run.run();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("this is no terminal"),
            "{}",
            ended.stderr
        );
    }
    let by_variable = home
        .recado(&["login", &url, "--json"])
        .env("RECADO_TOKEN", "open-sesame")
        .run();
    assert_eq!(by_variable.code, Some(0), "{}", by_variable.stderr);
    let stdout = String::from_utf8(by_variable.stdout).unwrap();
    assert!(
        stdout.contains("\"context\":\"127.0.0.1\"") && !stdout.contains("sesame"),
        "{stdout}"
    );
    let in_url = home
        .recado(&["login", &url.replace("//", "//open-sesame@")])
        .run();
    assert_eq!(in_url.code, Some(2), "{}", in_url.stderr);
    assert!(!in_url.stderr.contains("sesame"), "{}", in_url.stderr);
}

#[test]
fn no_secret_stands_where_other_users_see_a_running_program() {
    let server = ServerBuilder::nats()
        .args(["--auth", "open-sesame"])
        .start();
    let home = Home::new();
    let login = home
        .recado(&["login", &server.url()])
        .env("RECADO_TOKEN", "open-sesame");
    login.succeed();
    let listener = home.recado(&["sub", "a"]).spawn();
    listener.told("Listening on a");
    let command_line = std::fs::read(format!("/proc/{}/cmdline", listener.pid())).unwrap();
    let variables = std::fs::read(format!("/proc/{}/environ", listener.pid())).unwrap();
    for seen in [command_line, variables] {
        assert!(!String::from_utf8_lossy(&seen).contains("sesame"));
    }
}
