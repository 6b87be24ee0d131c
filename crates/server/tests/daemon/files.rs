//! Pid file and ports file.

use std::fs;

use nix::sys::signal::Signal;

use crate::program::{PROGRAM, Running, command, outcome};

#[test]
fn pid_and_ports_files_are_there_while_it_runs() {
    let directory = tempfile::tempdir().unwrap();
    let pid_file = directory.path().join("server.pid");
    let (server, address) = Running::start(&[
        "-P",
        pid_file.to_str().unwrap(),
        "--ports_file_dir",
        directory.path().to_str().unwrap(),
    ]);
    let pid = server.pid();
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), pid.to_string());
    let ports_file = directory.path().join(format!("recado-server_{pid}.ports"));
    let ports: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&ports_file).unwrap()).unwrap();
    assert_eq!(ports["nats"][0], format!("nats://{address}"));
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().0, Some(0));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn the_pid_file_of_a_running_server_is_not_taken_but_that_of_a_dead_one_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.pid");
    let path = path.to_str().unwrap();
    let (first, _) = Running::start(&["-P", path]);
    let (code, _, said) = outcome(command(PROGRAM).args(["-p", "-1", "-P", path]));
    assert_eq!(code, 1);
    assert!(said.contains(&first.pid().to_string()), "{said}");
    assert_eq!(fs::read_to_string(path).unwrap(), first.pid().to_string());
    first.signal(Signal::SIGKILL);
    first.ended();
    let (second, _) = Running::start(&["-P", path]);
    assert_eq!(fs::read_to_string(path).unwrap(), second.pid().to_string());
}

#[test]
fn files_that_can_not_be_written_stop_the_start_and_are_named() {
    for flag in ["-P", "--ports_file_dir", "-l"] {
        let arguments = ["-p", "-1", flag, "/nowhere/at/all"];
        let (code, _, said) = outcome(command(PROGRAM).args(arguments));
        assert_eq!(code, 1, "{flag}: {said}");
        assert!(said.contains("/nowhere/at/all"), "{flag}: {said}");
    }
}
