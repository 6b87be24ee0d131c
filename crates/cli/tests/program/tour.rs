//! `recado tour`: the whole story with real processes, and what it does when something does not go as
//! it tells.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use recado_conformance::{PATIENCE, server_program};
use tempfile::TempDir;

use crate::harness::{Recado, Running, recado};
use crate::screen::key;

/// Nobody is here: the tour has to use a server of its own.
const NOBODY: &str = "nats://127.0.0.1:1";

/// The tour with this server program. All its processes work in a folder below `dir`.
fn tour(dir: &TempDir, server: &Path, args: &[&str]) -> Recado {
    let server = server.to_str().expect("a path is text");
    let fixed = ["tour", "--server-program", server, "--timeout", "2m"];
    let args = fixed.iter().chain(args).copied();
    recado(NOBODY, args).env("TMPDIR", dir.path().to_str().expect("a path is text"))
}

/// Processes that work in a folder of the tour.
fn left_behind(dir: &TempDir) -> Vec<PathBuf> {
    fs::read_dir("/proc")
        .expect("/proc is there")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|process| {
            fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir.path()))
        })
        .collect()
}

/// A process that was killed needs a moment to go.
fn assert_nobody_left(dir: &TempDir, when: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = left_behind(dir);
        if left.is_empty() {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "{when}: {left:?} are still there"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert!(files.is_empty(), "{when}: {files:?} are still there");
}

/// A server program of our own making: a shell script around the real one, which is `"$real"`.
fn fake(scripts: &TempDir, script: &str) -> PathBuf {
    let path = scripts.path().join("fake-server");
    let real = server_program().display();
    let text = format!(
        "#!/bin/sh\nreal='{real}'\n[ \"$1\" = --version ] && exec \"$real\" --version\n{script}\n"
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn on_a_terminal_the_tour_is_read_in_colours_and_ended_from_the_keyboard() {
    let dir = TempDir::new().unwrap();
    let whole = tour(&dir, server_program(), &["--fast"]).on_screen(200, 100);
    let left = whole.end();
    assert_eq!(left.code, 0, "{left:?}");
    assert!(left.screen.contains("8/8"), "{left:?}");
    assert!(left.written.contains("\x1b["), "no colours: {left:?}");
    assert!(left.restored, "{left:?}");
    assert_nobody_left(&dir, "after the whole tour");

    let cut_short = tour(&dir, server_program(), &[]).on_screen(200, 100);
    cut_short.shows("4/8");
    cut_short.types(key::CTRL_C);
    let left = cut_short.end();
    assert_eq!(left.code, 130, "{left:?}");
    assert!(left.restored, "{left:?}");
    assert_nobody_left(&dir, "after Ctrl-C");
}

#[test]
fn the_tour_tells_the_whole_story_in_both_languages_and_leaves_nobody_behind() {
    let ends = [
        ("en", "Every step did what it says", "old.token (\"Auth"),
        ("es", "Cada paso hizo lo que dice", "viejo.token («Auth"),
    ];
    for (lang, end, refused) in ends {
        let dir = tempfile::tempdir().unwrap();
        let told = tour(&dir, server_program(), &["--lang", lang]).succeed();
        for step in 1..=8 {
            assert!(told.contains(&format!("── {step}/8 ")), "{step}:\n{told}");
        }
        for words in [
            "p99",
            "kill -9 ",
            "kill -STOP ",
            "█",
            " ↔ 127.0.0.1:",
            refused,
            end,
        ] {
            assert!(told.contains(words), "no {words:?} in:\n{told}");
        }
        assert!(!told.contains('\x1b'), "colours in a pipe:\n{told}");
        assert_nobody_left(&dir, lang);
    }
}

#[test]
fn as_json_each_event_is_an_object_and_the_figures_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let told = tour(&dir, server_program(), &["--json"]).succeed();
    let events: Vec<serde_json::Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((of("step"), of("latency")), (8, 1), "{told}");
    let summary = &events.last().unwrap()["summary"];
    assert_eq!(summary["ok"], true);
    assert_eq!(summary["processes"], of("process"), "{told}");
    let latency = events
        .iter()
        .find(|event| event["event"] == "latency")
        .unwrap();
    let counts = latency["distribution"].as_array().unwrap().iter();
    let counted: u64 = counts.map(|bucket| bucket["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, 1000);
    let seen = events
        .iter()
        .find(|event| event["event"] == "processes")
        .unwrap();
    let seen = seen["processes"].as_array().unwrap();
    assert_eq!(seen.len(), 2, "{told}");
    // The responder's connection is the server's, seen from the other side.
    let responder = &seen[1]["tcp"][0];
    let servers = seen[0]["tcp"].as_array().unwrap();
    assert!(
        servers
            .iter()
            .any(|tcp| tcp["local"] == responder["remote"] && tcp["remote"] == responder["local"]),
        "{seen:?}"
    );
}

/// Runs the tour with a sabotaged server, and expects it to fail in this step with these words.
fn fails(script: &str, step: &str, words: &str) {
    let (dir, scripts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ended = tour(&dir, &fake(&scripts, script), &[]).run();
    let told = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.code, Some(1), "{told}\n{}", ended.stderr);
    assert!(ended.stderr.contains(step), "{}", ended.stderr);
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    assert!(!told.contains("Every step did"), "{told}");
    assert_nobody_left(&dir, script);
}

#[test]
fn a_server_that_does_not_start_fails_the_tour_with_its_last_words() {
    fails("echo 'no licence'; exit 3", "step 2", "no licence");
}

#[test]
fn a_server_that_does_not_come_back_fails_the_tour() {
    let once =
        "[ -e started ] && { echo 'once is enough'; exit 4; }; : > started; exec \"$real\" \"$@\"";
    fails(once, "step 5", "once is enough");
}

#[test]
fn a_server_that_lets_everybody_in_fails_the_tour() {
    let open = r#"
        [ "$1" = token ] && exec "$real" "$@"
        exec "$real" "$1" "$2" "$3" "$4""#;
    fails(open, "step 7", "exit status 9");
}

#[test]
fn a_server_that_does_not_end_well_fails_the_tour() {
    let sulking = r#"
        [ "$1" = token ] && exec "$real" "$@"
        "$real" "$@" & trap 'wait; exit 7' INT; wait; exit 7"#;
    fails(sulking, "step 8", "it was 7");
}

#[test]
fn something_that_is_no_server_fails_the_tour_when_its_time_is_over() {
    let (dir, scripts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let script = fake(
        &scripts,
        "echo 'serving, really'; while :; do sleep 1; done",
    );
    let server = script.to_str().unwrap();
    let args = ["tour", "--server-program", server, "--timeout", "2s"];
    let ended = recado(NOBODY, args)
        .env("PATH", "/usr/bin:/bin")
        .env("TMPDIR", dir.path().to_str().unwrap())
        .run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for words in ["step 2", "serving, really", "--timeout allows more"] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    assert_nobody_left(&dir, "no server");
}

#[test]
fn without_a_server_program_the_tour_says_how_to_build_it() {
    let dir = tempfile::tempdir().unwrap();
    let alone = dir.path().join("recado");
    fs::copy(env!("CARGO_BIN_EXE_recado"), &alone).unwrap();
    let output = std::process::Command::new(&alone)
        .arg("tour")
        .env_clear()
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    for words in ["cargo build --release --bin recado-server", "cargo tour"] {
        assert!(told.contains(words), "{told}");
    }
    let ended = recado(NOBODY, ["tour", "--server-program", "/nowhere/server"]).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("/nowhere/server can't be used"),
        "{}",
        ended.stderr
    );
}

#[test]
fn ctrl_c_at_any_moment_leaves_no_process_behind() {
    let moments = [
        "The narrator is process",
        "1/8",
        "Waiting: ",
        "2/8",
        "3/8",
        "4/8",
        "kill -9",
        "kill -STOP",
        "7/8",
        "8/8",
    ];
    for moment in moments {
        let dir = tempfile::tempdir().unwrap();
        let running: Running = tour(&dir, server_program(), &[]).spawn();
        running.shows(moment);
        running.signal(Signal::SIGINT);
        let ended = running.end();
        // Behind the last step the tour may be over before the signal comes.
        let late = moment == "8/8" && ended.code == Some(0);
        assert!(late || ended.code == Some(130), "{moment}: {ended:?}");
        assert_nobody_left(&dir, moment);
    }
}

#[test]
fn a_terminal_that_is_closed_ends_the_tour_and_all_that_it_started() {
    for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGQUIT] {
        let dir = tempfile::tempdir().unwrap();
        let running = tour(&dir, server_program(), &[]).spawn();
        running.shows("4/8");
        running.signal(signal);
        assert_eq!(running.end().code, Some(130), "{signal}");
        assert_nobody_left(&dir, signal.as_str());
    }
}
