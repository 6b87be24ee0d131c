//! What must hold for every command, found by walking through the help: texts in both languages,
//! examples that work, manners without a terminal, manual pages, completion.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Instant;

use recado_conformance::PATIENCE;
use tempfile::TempDir;

use crate::harness::recado;

/// The words of `clap` and of the English catalogue that a Spanish text may not hold.
const ENGLISH: [&str; 22] = [
    "Usage",
    "Options",
    "Arguments",
    "Commands",
    "Examples",
    "[default",
    "[env",
    "[possible",
    "[aliases",
    "Print",
    "Show ",
    "[OPTIONS]",
    "SUBJECT",
    "FILE",
    "COMMAND",
    "NAME",
    "TIME]",
    "EXIT",
    " the ",
    "SYNOPSIS",
    "SEE",
    "DESCRIPTION",
];

/// A text's first English word or phrase, if it has one.
fn english_in(spanish: &str) -> Option<&'static str> {
    let apart = |c: char| !c.is_alphanumeric() && c != '_';
    let words: BTreeSet<&str> = spanish.split(apart).collect();
    ENGLISH
        .into_iter()
        .find(|phrase| match phrase.contains(apart) {
            true => spanish.contains(phrase),
            false => words.contains(phrase),
        })
}

fn help(path: &[String], lang: &str) -> String {
    let args = path
        .iter()
        .map(String::as_str)
        .chain(["--help", "--lang", lang]);
    recado("", args).succeed()
}

/// Every command by its words, from the lists in the help.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut at = 0;
    while at < found.len() {
        let path: Vec<String> = found[at].clone();
        at += 1;
        let help = help(&path, "en");
        let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in list.take_while(|line| line.starts_with("  ")) {
            // A description that goes on stands further in.
            if line.starts_with("   ") {
                continue;
            }
            let name = line.split_whitespace().next().unwrap();
            found.push([&path[..], &[name.to_owned()]].concat());
        }
    }
    found
}

/// The options and arguments that a help lists.
fn options(help: &str) -> BTreeSet<String> {
    let words = help.split_whitespace();
    let long = words.filter_map(|word| word.strip_prefix("--"));
    let letters = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let named = long.map(|word| word.trim_end_matches([',', '.', ';', ')', ']', ':']));
    named
        .filter(|word| letters(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_is_explained_in_both_languages_with_examples() {
    let commands = commands();
    assert!(commands.len() > 15, "the walk lost its way: {commands:?}");
    for path in &commands {
        let (english, spanish) = (help(path, "en"), help(path, "es"));
        assert_eq!(
            english_in(&spanish),
            None,
            "in the help of {path:?}:\n{spanish}"
        );
        assert_eq!(options(&english), options(&spanish), "{path:?}");
        if path.as_slice() == ["help"] {
            continue;
        }
        assert!(
            english.contains("\n  recado"),
            "no example for {path:?}:\n{english}"
        );
        assert_eq!(
            examples(&english).len(),
            examples(&spanish).len(),
            "{path:?}"
        );
        let by_word = [&["help".to_owned()], &path[..]].concat();
        let args = by_word.iter().map(String::as_str).chain(["--lang", "es"]);
        assert_eq!(recado("", args).succeed(), spanish, "{path:?}");
    }
}

/// The command lines below a help's heading of examples.
fn examples(help: &str) -> Vec<String> {
    let lines = help
        .lines()
        .skip_while(|line| !["Examples:", "Ejemplos:"].contains(line));
    let lines = lines.skip(1).take_while(|line| line.starts_with("  "));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Lines that wait by design, need the world outside, or play a whole story of their own.
const NOT_RUN: [&str; 13] = [
    "tail -f",
    "example.org",
    "--retry",
    "--wait",
    "--deadline",
    "recado tour",
    "recado wait",
    "recado man",
    "recado completions",
    "recado context",
    "recado log",
    "/dev/tty",
    " < ",
];

#[test]
fn every_example_is_a_proper_command_line_and_ends_without_a_terminal() {
    let folder = TempDir::new().unwrap();
    // The context that some examples speak of.
    let contexts = folder.path().join(".config/nats/context");
    std::fs::create_dir_all(&contexts).unwrap();
    std::fs::write(contexts.join("prod.json"), "{}").unwrap();
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_recado"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut seen = BTreeSet::new();
    for path_of_command in commands() {
        for lang in ["en", "es"] {
            seen.extend(examples(&help(&path_of_command, lang)));
        }
    }
    seen.retain(|line| !NOT_RUN.iter().any(|part| line.contains(part)));
    assert!(seen.len() > 15, "the examples are gone: {seen:?}");
    let mut wrong = Vec::new();
    for line in seen {
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .env_clear()
            .env("PATH", &path)
            .env("HOME", folder.path())
            // Nothing listens there: whatever connects is refused at once.
            .env("NATS_URL", "nats://127.0.0.1:1")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                let _ = child.kill();
                panic!("it does not end: {line}");
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let code = ended.status.code();
        let is_documented = code.is_some_and(|code| (0..=100).contains(&code) && code != 2);
        let is_coloured = said.contains('\x1b') || ended.stdout.contains(&b'\x1b');
        if !is_documented || is_coloured || said.contains("panicked") {
            wrong.push(format!("{line}: {code:?}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_without_arguments_ends_without_a_terminal() {
    let home = TempDir::new().unwrap();
    for path in commands() {
        if ["tour", "wait"].contains(&path.first().map(String::as_str).unwrap_or_default()) {
            continue;
        }
        let args = path.iter().map(String::as_str);
        let run = recado("nats://127.0.0.1:1", args).env("HOME", home.path().to_str().unwrap());
        let ended = run.run();
        assert!(
            ended.code.is_some_and(|code| code < 100),
            "{path:?}: {ended:?}"
        );
        assert!(
            !ended.stdout.is_empty() || !ended.stderr.is_empty(),
            "{path:?} says nothing"
        );
        assert!(
            !ended.stderr.contains("panicked"),
            "{path:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn every_mistake_is_reported_as_json_when_that_is_asked_for() {
    for path in commands() {
        let args = path
            .iter()
            .map(String::as_str)
            .chain(["--no-such-option", "--json"]);
        let ended = recado("", args).run();
        assert_eq!(ended.code, Some(2), "{path:?}: {ended:?}");
        let error: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
        assert_eq!(error["error"]["name"], "usage", "{path:?}");
    }
}

#[test]
fn every_command_has_a_manual_page_in_both_languages() {
    let folder = TempDir::new().unwrap();
    let commands = commands();
    for (lang, below) in [("en", "man1"), ("es", "es/man1")] {
        recado("", ["man", folder.path().to_str().unwrap(), "--lang", lang]).succeed();
        let folder = folder.path().join(below);
        let pages = std::fs::read_dir(&folder).unwrap().count();
        assert_eq!(pages, commands.len(), "{lang}");
        for path in &commands {
            let name = [&["recado".to_owned()], &path[..]].concat().join("-");
            let page = std::fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
            let plain = page.replace("\\-", "-");
            for option in options(&help(path, lang)) {
                assert!(plain.contains(&format!("--{option}")), "{option} in {name}");
            }
            if lang == "es" {
                assert_eq!(english_in(&plain), None, "in {name}:\n{plain}");
            }
        }
    }
    let one = recado("", ["man"]).succeed();
    assert!(one.starts_with(".TH \"RECADO\" 1"), "{one}");
}

#[test]
fn the_shell_completes_commands_options_and_contexts() {
    let home = crate::contexts::Home::new();
    home.context("production", "{}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = recado("", ["completions", shell]).succeed();
        assert!(script.contains("RECADO_COMPLETE"), "{shell}: {script}");
    }
    assert_eq!(recado("", ["completions", "tcsh"]).run().code, Some(2));
    // What the script of bash asks, word by word.
    let candidates = |words: &[&str]| {
        let last = (words.len() - 1).to_string();
        home.recado(&[&["--"], words].concat())
            .env("RECADO_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", &last)
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_COMPLETE_SPACE", "false")
            .env("_CLAP_IFS", "\n")
            .succeed()
    };
    assert!(candidates(&["recado", "contex"]).contains("context"));
    assert!(candidates(&["recado", "ping", "--cou"]).contains("--count"));
    assert!(candidates(&["recado", "--context", "prod"]).contains("production"));
    assert!(candidates(&["recado", "context", "show", ""]).contains("production"));
}
