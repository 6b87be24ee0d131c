//! Chores of the project: tests, benchmarks, fuzzing. `cargo xtask` lists them.
//!
//! It has almost no dependencies, so that the first test run on a fresh clone starts soon.
#![forbid(unsafe_code)]

mod bench;
mod deb;
mod fuzz;
mod nats;
mod serving;
mod soak;
mod static_build;
mod test;
mod tour;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask tour [ARGS…]   Builds both programs and runs `recado tour`. Also: cargo tour.
cargo xtask test [ARGS…]   Builds everything, runs all tests, those of the client a second time
                           against nats-server 2.15, and sums them up in one last line.
                           What follows is handed to `cargo test`; then there is no second time.
cargo xtask bench [--quick] [--only ROW[,ROW…]] [--rounds N] [--server PATH] [--against PATH]
                           Compares recado-server (or the one at PATH) with nats-server 2.15 (or
                           the one at PATH), row by row, and renews docs/benchmarks.md.
                           --quick leaves that page alone; --render does nothing but rewrite it.
                           `--only streams` stands for all rows about streams.
cargo xtask serving [--quick]
                           Measures what an answer of a thread, of a worker process and of a new
                           process costs, and renews docs/processes-and-threads.md (not if quick).
cargo xtask soak [--minutes N] [--seed N] [--storm N] [--server PATH]
                           Puts a long mixed load (an hour) on a server, fails when it grows or when
                           anything goes wrong, and renews docs/soak.md (not when it is shorter).
                           --render FILE COMMIT writes that page of tables that were made before.
cargo xtask deb [--version V] [--out DIR] [--binaries DIR] [--compression NAME] [--lint]
                           Makes the Debian packages recado-server and recado in target/debian, of the
                           programs in DIR (built for release, when none is named).
                           --lint fails when lintian warns.
cargo xtask static         Builds both programs for release without any need for the system's libraries
                           (musl), or says what the machine lacks for it.
cargo xtask fuzz [--seconds N] [TARGET…]
                           Lets the fuzz targets (all, when none is named) run N seconds each.";

/// Why a chore did not succeed: one message for people.
type Failure = String;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((chore, rest)) if chore == "test" => test::run(rest),
        Some((chore, rest)) if chore == "bench" => bench::run(rest),
        Some((chore, rest)) if chore == "serving" => serving::run(rest),
        Some((chore, rest)) if chore == "soak" => soak::run(rest),
        Some((chore, rest)) if chore == "tour" => tour::run(rest),
        Some((chore, rest)) if chore == "fuzz" => fuzz::run(rest),
        Some((chore, rest)) if chore == "deb" => deb::run(rest),
        Some((chore, rest)) if chore == "static" => static_build::run(rest),
        Some((chore, _)) if chore != "help" && chore != "--help" && chore != "-h" => {
            Err(format!("there is no chore `{chore}`\n{USAGE}"))
        }
        _ => {
            println!("{USAGE}");
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_empty() {
                eprintln!("xtask: {failure}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The cargo that runs us.
fn cargo() -> std::process::Command {
    std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The commit that is checked out, for programs that say what they were built from; none where there is no checkout.
fn commit() -> Option<(&'static str, String)> {
    if !root().join(".git").exists() {
        return None;
    }
    let git = std::process::Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .current_dir(root())
        .output();
    let output = git.ok().filter(|output| output.status.success())?;
    let commit = String::from_utf8(output.stdout).ok()?;
    Some(("RECADO_GIT_COMMIT", commit.trim().to_owned()))
}

/// The workspace's root.
fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask has a parent")
}

/// Where cargo puts what it builds.
fn target_folder() -> std::path::PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}
