//! Where the log goes and that it can be read, by people and by machines.

use std::fs;

use nix::sys::signal::Signal;

use crate::program::{Client, PROGRAM, Running, command, eventually};

#[test]
fn a_renamed_log_file_is_left_behind_by_usr1() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.log");
    let old = directory.path().join("server.log.1");
    let mut command = command(PROGRAM);
    command.args(["-p", "-1", "-l", path.to_str().unwrap()]);
    let server = Running::spawn(&mut command);
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    eventually("the first line", || {
        read(&path).contains("is listening on").then_some(())
    });
    fs::rename(&path, &old).unwrap();
    server.signal(Signal::SIGUSR1);
    eventually("the new file", || {
        read(&path).contains("re-opened").then_some(())
    });
    server.signal(Signal::SIGTERM);
    let (code, on_stderr) = server.ended();
    assert_eq!((code, on_stderr), (Some(0), Vec::new()));
    assert!(read(&path).trim_end().ends_with("stopped"));
    assert!(!read(&old).contains("re-opened"));
}

#[test]
fn json_is_one_object_a_line_with_time_level_and_message() {
    let (server, address) = {
        let mut command = command(PROGRAM);
        command.args(["-p", "-1", "-DV", "--log-format", "json", "--lang", "es"]);
        let mut server = Running::spawn(&mut command);
        let line = server.line("is listening on");
        (server, crate::program::address_in(&line))
    };
    let mut client = Client::connect(address);
    client.send("CONNECT {\"name\":\"a \\\"b\\\"\\n{\\u001b[31m\"}\r\nSUB a.\"b 1\r\n");
    assert!(client.is_answered());
    server.signal(Signal::SIGTERM);
    let (_, lines) = server.ended();
    assert!(lines.len() > 4, "{lines:#?}");
    // With -D the engine's own threads may have a word before the announcement.
    let announced = lines
        .iter()
        .find(|line| line.contains("is listening on"))
        .unwrap();
    let announced: serde_json::Value = serde_json::from_str(announced).unwrap();
    assert_eq!(announced["fields"]["address"], address.to_string());
    for line in &lines {
        let object: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(object["ts"].as_str().unwrap().ends_with('Z'), "{line}");
        assert!(object["level"].is_string(), "{line}");
        assert!(object["message"].is_string(), "{line}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
}

#[test]
fn a_pipe_gets_text_without_colours_whose_lines_begin_with_the_date() {
    let (server, _) = Running::start(&["-D", "--logtime_utc"]);
    server.signal(Signal::SIGTERM);
    let (_, lines) = server.ended();
    for line in lines {
        assert!(!line.contains('\u{1b}'), "{line:?}");
        let date: Vec<&str> = line[..10].split('-').collect();
        assert_eq!(date.len(), 3, "{line:?}");
        assert!(date.iter().all(|part| part.parse::<u32>().is_ok()));
    }
}
