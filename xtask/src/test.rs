//! `cargo xtask test`: the one command that runs every test there is.
//!
//! It passes on what the tests print as it comes, and ends with what failed, by binary, and one
//! line that sums up. It must never say that all is well when a test binary died without a word.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Failure, cargo, nats, root};

/// The client's package.
const CLIENT_MANIFEST: &str = "crates/cli/Cargo.toml";

/// Builds, tests, sums up. `Err("")` when tests failed: the last line has said so.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    check_tools()?;
    let mut build = cargo();
    build
        .current_dir(root())
        .args(["build", "--workspace", "--bins", "--locked"]);
    let built = build
        .status()
        .map_err(|error| format!("starting cargo build: {error}"))?;
    if !built.success() {
        println!("the build failed: no test was run\n0 passed, 1 failed");
        return Err(String::new());
    }
    let mut tally = Tally::default();
    let nats = nats::obtain();
    let mut test = cargo();
    test.current_dir(root())
        .args(["test", "--workspace", "--no-fail-fast", "--locked"])
        .args(args);
    match &nats {
        Ok(program) => {
            test.env("RECADO_NATS_SERVER_BIN", program);
        }
        Err(failure) => {
            println!("nats-server can't be had, what needs it is left out: {failure}");
            tally.start("all that needs nats-server");
        }
    }
    let mut success = watch(test, &mut tally)?;
    if let (Ok(program), []) = (&nats, args) {
        println!(
            "\nThe client once more, against nats-server ({})",
            program.display()
        );
        tally.start("tests/program.rs of recado-cli against nats-server");
        // Without a result it counts as one failure: the tally says so.
        match against(program) {
            Ok(tests) => success &= watch(tests, &mut tally)?,
            Err(failure) => println!("not run: {failure}"),
        }
    }
    tally.report(success);
    if success && tally.failed() == 0 {
        Ok(())
    } else {
        Err(String::new())
    }
}

/// The client's tests of whole programs, built already, with nats-server in the place of ours: a
/// client that passes them is no captive of our server.
fn against(nats: &Path) -> Result<Command, Failure> {
    let manifest = root().join(CLIENT_MANIFEST);
    let listed = cargo()
        .current_dir(root())
        .args(["test", "--workspace", "--no-run", "--locked"])
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("starting cargo test: {error}"))?;
    let program = String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "program")
        .filter(|message| message["manifest_path"].as_str().map(Path::new) == Some(&manifest))
        .find_map(|message| message["executable"].as_str().map(str::to_owned))
        .ok_or("cargo names no tests of the client")?;
    let mut command = Command::new(program);
    command
        .current_dir(manifest.with_file_name(""))
        .env("RECADO_SERVER_BIN", nats)
        .env("RECADO_NATS_SERVER_BIN", nats);
    Ok(command)
}

/// What the tests that drive real clients need on the machine.
fn check_tools() -> Result<(), Failure> {
    let needs: [(&str, &[&str], &str); 6] = [
        ("bash", &["--version"], "bash"),
        ("ps", &["--version"], "procps"),
        ("python3", &["--version"], "python3"),
        ("python3", &["-c", "import venv, ensurepip"], "python3-venv"),
        ("node", &["--version"], "nodejs"),
        ("npm", &["--version"], "npm"),
    ];
    let works = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let missing: Vec<&str> = needs
        .iter()
        .filter(|(program, args, _)| !works(program, args))
        .map(|(_, _, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the tests drive Python and JavaScript clients, and this machine lacks: {}\n\
         On Debian and Ubuntu: apt-get install {}",
        missing.join(", "),
        missing.join(" "),
    ))
}

/// Runs it with both its outputs in one pipe, so that they keep their order, and counts.
fn watch(mut command: Command, tally: &mut Tally) -> Result<bool, Failure> {
    let problem = |error| format!("running cargo test: {error}");
    let (reader, writer) = std::io::pipe().map_err(problem)?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(problem)?)
        .stderr(writer);
    let mut child = command.spawn().map_err(problem)?;
    // Our copies of the writing end must be closed, or the reader never sees an end.
    drop(command);
    let (mut reader, mut line) = (BufReader::new(reader), Vec::new());
    let mut stdout = std::io::stdout().lock();
    while reader.read_until(b'\n', &mut line).map_err(problem)? > 0 {
        stdout
            .write_all(&line)
            .and_then(|()| stdout.flush())
            .map_err(problem)?;
        tally.line(&String::from_utf8_lossy(&line));
        line.clear();
    }
    let success = child.wait().map_err(problem)?.success();
    Ok(success)
}

/// One test binary, or the documentation tests of one crate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Binary {
    name: String,
    passed: u64,
    failed: u64,
    skipped: u64,
    failures: Vec<String>,
    has_result: bool,
    /// The list of tests is over; what follows are their outputs, whatever those look like.
    shows_details: bool,
}

const DOCUMENTATION: &str = "documentation of ";

/// What was seen of the tests.
#[derive(Debug, Default)]
struct Tally {
    binaries: Vec<Binary>,
}

impl Tally {
    /// What follows is of this binary, until another one is named.
    fn start(&mut self, name: &str) {
        self.binaries.push(Binary {
            name: name.to_owned(),
            ..Binary::default()
        });
    }

    fn line(&mut self, line: &str) {
        let line = line.trim_end();
        let started = line.trim_start();
        if let Some(name) = started.strip_prefix("Running ").filter(|_| line != started) {
            self.start(name);
        } else if let Some(name) = started
            .strip_prefix("Doc-tests ")
            .filter(|_| line != started)
        {
            self.start(&format!("{DOCUMENTATION}{name}"));
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.result(result);
        } else if line == "failures:" {
            self.current().shows_details = true;
        } else if let Some(name) = failed_test(line).filter(|_| !self.current().shows_details) {
            self.current().failures.push(name.to_owned());
        }
    }

    fn current(&mut self) -> &mut Binary {
        if self.binaries.is_empty() {
            self.binaries.push(Binary::default());
        }
        self.binaries.last_mut().expect("just made sure")
    }

    /// `ok. 8 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.35s`
    fn result(&mut self, text: &str) {
        let binary = self.current();
        // The last result of a binary is its own: those before it are in the outputs of tests that
        // run others. Documentation tests come in two batches.
        if !binary.name.starts_with(DOCUMENTATION) {
            (binary.passed, binary.failed, binary.skipped) = (0, 0, 0);
        }
        binary.has_result = true;
        for part in text.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let Some(Ok(count)) = words.next().map(str::parse::<u64>) else {
                continue;
            };
            match words.next() {
                Some("passed") => binary.passed += count,
                Some("failed") => binary.failed += count,
                Some("ignored") => binary.skipped += count,
                _ => {}
            }
        }
    }

    /// A binary that ended without a result counts as one failure.
    fn failed(&self) -> u64 {
        self.binaries
            .iter()
            .map(|b| b.failed + u64::from(!b.has_result))
            .sum()
    }

    fn closing_line(&self, success: bool) -> String {
        let sum = |of: fn(&Binary) -> u64| self.binaries.iter().map(of).sum::<u64>();
        // Cargo may fail although every test passed, when a test does not build for one.
        let failed = self.failed().max(u64::from(!success));
        let skipped = match sum(|b| b.skipped) {
            0 => String::new(),
            skipped => format!(", {skipped} skipped"),
        };
        format!("{} passed, {failed} failed{skipped}", sum(|b| b.passed))
    }

    fn report(&self, success: bool) {
        println!();
        for binary in &self.binaries {
            if !binary.has_result {
                println!("DIED    {} (it ended without a result)", binary.name);
            } else if binary.failed > 0 {
                println!("FAILED  {}: {} of its tests", binary.name, binary.failed);
            }
            for failure in &binary.failures {
                println!("          {failure}");
            }
        }
        println!("{}", self.closing_line(success));
    }
}

/// The name in `test some::name ... FAILED`.
fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.line(line));
        tally
    }

    #[test]
    fn results_are_summed_over_the_binaries() {
        let seen = tally(
            "     Running unittests src/lib.rs (target/debug/deps/a-1)\n\
             test result: ok. 8 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.35s\n\
             \x20  Doc-tests a\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.00s\n",
        );
        assert_eq!(seen.closing_line(true), "10 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn failures_are_known_by_binary_and_name() {
        let seen = tally(
            "     Running tests/b.rs (target/debug/deps/b-1)\n\
             test one ... ok\n\
             test two ... FAILED\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n",
        );
        assert_eq!(seen.binaries[0].failures, ["two"]);
        assert_eq!(seen.closing_line(false), "1 passed, 1 failed");
    }

    #[test]
    fn what_a_failed_test_printed_is_not_counted() {
        let seen = tally(
            "     Running tests/b.rs (target/debug/deps/b-1)\n\
             test runs_others ... FAILED\n\
             failures:\n\
             test inner ... FAILED\n\
             test result: FAILED. 5 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
             test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n",
        );
        assert_eq!(seen.binaries[0].failures, ["runs_others"]);
        assert_eq!(seen.closing_line(false), "0 passed, 1 failed");
    }

    #[test]
    fn documentation_tests_come_in_two_batches() {
        let seen = tally(
            "   Doc-tests a\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n",
        );
        assert_eq!(seen.closing_line(true), "3 passed, 0 failed");
    }

    #[test]
    fn a_binary_that_dies_without_a_result_is_a_failure() {
        let seen = tally("     Running tests/b.rs (target/debug/deps/b-1)\nrunning 3 tests\n");
        assert_eq!(seen.closing_line(false), "0 passed, 1 failed");
    }

    #[test]
    fn a_test_that_does_not_build_is_a_failure() {
        assert_eq!(
            tally("error: could not compile `b`\n").closing_line(false),
            "0 passed, 1 failed"
        );
    }
}
