//! `--signal`, in place of `kill` and a search for the process.

use std::path::Path;

use crate::program::{Running, command, linked, outcome};

/// A server under a name of its own, so that the tests' servers don't see each other.
fn start(program: &Path, arguments: &[&str]) -> Running {
    let mut server = Running::spawn(command(program).args(["-p", "-1"]).args(arguments));
    server.line("is listening on");
    server
}

fn signal(program: &Path, text: &str) -> (i32, String) {
    let (code, _, said) = outcome(command(program).args(["--signal", text]));
    (code, said)
}

#[test]
fn the_only_server_is_found_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let program = linked(directory.path(), "rs-only");
    let (code, said) = signal(&program, "term");
    assert_eq!(code, 1);
    assert!(said.contains("no rs-only process is running"), "{said}");
    let server = start(&program, &[]);
    assert_eq!(signal(&program, "term"), (0, String::new()));
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn among_several_one_has_to_be_named() {
    let directory = tempfile::tempdir().unwrap();
    let program = linked(directory.path(), "rs-several");
    let servers = [start(&program, &[]), start(&program, &[])];
    let (code, said) = signal(&program, "quit");
    assert_eq!(code, 1);
    for server in &servers {
        assert!(said.contains(&server.pid().to_string()), "{said}");
    }
    let [first, second] = servers;
    assert_eq!(signal(&program, &format!("quit={}", first.pid())).0, 0);
    assert_eq!(first.ended().0, Some(0));
    assert_eq!(signal(&program, "term=*").0, 0);
    assert_eq!(second.ended().0, Some(0));
}

#[test]
fn a_pid_file_leads_to_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let program = linked(directory.path(), "rs-file");
    let pid_file = directory.path().join("pid");
    let pid_file = pid_file.to_str().unwrap();
    let server = start(&program, &["-P", pid_file]);
    assert_eq!(signal(&program, &format!("ldm={pid_file}")).0, 0);
    let (code, lines) = server.ended();
    assert_eq!(code, Some(0));
    assert!(lines.iter().any(|line| line.contains("lame duck")));
    let (code, said) = signal(&program, &format!("ldm={pid_file}"));
    assert_eq!(code, 1, "the file is gone: {said}");
}

#[test]
fn stop_does_not_wait_and_leaves_a_pid_file_that_is_known_to_be_stale() {
    let directory = tempfile::tempdir().unwrap();
    let program = linked(directory.path(), "rs-stop");
    let pid_file = directory.path().join("pid");
    let pid_file = pid_file.to_str().unwrap();
    let server = start(&program, &["-P", pid_file]);
    assert_eq!(signal(&program, "stop").0, 0);
    assert_eq!(server.ended().0, None, "killed");
    let (code, said) = signal(&program, &format!("term={pid_file}"));
    assert_eq!(code, 1);
    assert!(said.contains("left over"), "{said}");
}

#[test]
fn another_program_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let program = linked(directory.path(), "rs-stranger");
    let me = std::process::id();
    let (code, said) = signal(&program, &format!("stop={me}"));
    assert_eq!(code, 1);
    assert!(said.contains("nothing was sent"), "{said}");
}
