//! Runs a program that holds many tests and speaks as Rust's test programs do: `--list` names the
//! tests, `--skip` leaves some out, and each gives a line `test NAME ... ok`. Our scripts in other
//! languages speak the same way, so that one judge does for all.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::{Skips, server_program};

/// How long a whole suite may take. Only ever reached when something hangs.
const SUITE_SECONDS_MAX: u64 = 300;

/// A program that holds tests, and how to run it.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The name it is reported by.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Arguments before those that choose tests.
    pub args: Vec<OsString>,
    /// Where it is run.
    pub dir: PathBuf,
    /// What it finds in its environment.
    pub variables: Vec<(&'static str, OsString)>,
}

/// What became of one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// Left out by the suite itself.
    Ignored,
}

impl Suite {
    /// Sets a variable in its environment.
    pub fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Runs all tests but those to be skipped, against the server under test, which the suite finds
    /// in PATH as `nats-server`. Prints a line with the counts.
    ///
    /// # Panics
    /// When a test fails or does not report, or when the list of skips names tests that do not
    /// exist.
    pub fn run(&self, skips: &Skips) {
        let path = PathWithServer::new();
        let (listing, _) = self.output(&path, &["--list".into()]);
        let listed = parse_listing(&listing);
        assert!(
            !listed.is_empty(),
            "{} lists no tests:\n{listing}",
            self.name
        );
        let gone: Vec<&str> = skips
            .names()
            .filter(|name| !listed.iter().any(|listed| listed == name))
            .collect();
        assert!(
            gone.is_empty(),
            "skipped tests of {} that do not exist: {gone:?}",
            self.name
        );

        let skip_args = skips
            .names()
            .flat_map(|name| ["--skip".into(), OsString::from(name)]);
        let (output, complaints) = self.output(&path, &skip_args.collect::<Vec<_>>());
        let outcomes = parse_outcomes(&output);
        let expected = listed.iter().filter(|name| !skips.contains(name));
        let bad: Vec<&String> = expected
            .filter(|name| outcomes.get(*name) != Some(&Outcome::Passed))
            .collect();
        let passed = outcomes
            .values()
            .filter(|outcome| **outcome == Outcome::Passed)
            .count();
        println!(
            "{}: {passed} passed, {} skipped",
            self.name,
            skips.names().count()
        );
        assert!(
            bad.is_empty(),
            "{} failed: {bad:#?}\n{output}\n{complaints}",
            self.name
        );
    }

    /// What it wrote to standard output and to standard error.
    fn output(&self, path: &PathWithServer, choice: &[OsString]) -> (String, String) {
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .args(choice)
            .current_dir(&self.dir)
            .env("PATH", path.var())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.program.display()));
        let stdout = read_in_thread(child.stdout.take().expect("it is piped"));
        let stderr = read_in_thread(child.stderr.take().expect("it is piped"));
        let deadline = Instant::now() + Duration::from_secs(SUITE_SECONDS_MAX);
        let group = Pid::from_raw(i32::try_from(child.id()).expect("process ids are small"));
        let mut hangs = false;
        while child.try_wait().expect("a child can be asked").is_none() {
            hangs = Instant::now() > deadline;
            if hangs {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Servers that a dying suite left behind hold its output open: the group ends with it.
        let _ = killpg(group, Signal::SIGKILL);
        let _ = child.wait();
        let texts = [stdout, stderr].map(|thread| thread.join().expect("reading does not panic"));
        let [stdout, stderr] = texts;
        assert!(
            !hangs,
            "{} takes longer than {SUITE_SECONDS_MAX} s:\n{stdout}\n{stderr}",
            self.name
        );
        (stdout, stderr)
    }
}

/// A directory in which the server under test is called `nats-server`.
struct PathWithServer {
    dir: TempDir,
}

impl PathWithServer {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("recado-path-").tempdir();
        let dir = dir.expect("a temporary directory");
        symlink(server_program(), dir.path().join("nats-server"))
            .expect("a link in a fresh directory");
        Self { dir }
    }

    /// PATH with the directory before all others.
    fn var(&self) -> OsString {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let all =
            std::iter::once(self.dir.path().to_path_buf()).chain(std::env::split_paths(&others));
        std::env::join_paths(all).expect("temporary directories have no colon")
    }
}

fn read_in_thread(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is all that can be shown.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn parse_listing(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect()
}

fn parse_outcomes(text: &str) -> BTreeMap<String, Outcome> {
    let of_line = |line: &str| {
        let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let outcome = match outcome.split_whitespace().next()?.trim_end_matches(',') {
            "ok" => Outcome::Passed,
            "ignored" => Outcome::Ignored,
            _ => Outcome::Failed,
        };
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        Some((name.to_owned(), outcome))
    };
    text.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_a_listing() {
        let listing = "client::basic: test\nclient::other: test\n\n2 tests, 0 benchmarks\n";
        assert_eq!(parse_listing(listing), ["client::basic", "client::other"]);
    }

    #[test]
    fn outcomes_are_read_from_the_lines_of_a_run() {
        let outcomes = parse_outcomes(concat!(
            "running 4 tests\ntest a::b ... ok\ntest c - should panic ... ok\n",
            "test d ... FAILED\ntest e ... ignored, too slow\n",
            "test result: FAILED. 2 passed; 1 failed\n"
        ));
        let all: Vec<_> = outcomes
            .iter()
            .map(|(name, outcome)| (name.as_str(), *outcome))
            .collect();
        assert_eq!(
            all,
            [
                ("a::b", Outcome::Passed),
                ("c", Outcome::Passed),
                ("d", Outcome::Failed),
                ("e", Outcome::Ignored)
            ]
        );
    }
}
