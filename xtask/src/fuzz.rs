//! `cargo xtask fuzz`: lets every fuzz target run for a while, or says what is missing for it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::{Failure, root};

const SECONDS: u64 = 60;
/// How the names of findings begin. Inputs that were only slow are no findings.
const FINDINGS: [&str; 4] = ["crash-", "leak-", "oom-", "timeout-"];
const MISSING: &str = "\
fuzzing needs cargo-fuzz and a nightly compiler:
  rustup toolchain install nightly --profile minimal
  cargo install cargo-fuzz
The inputs that were found so far are ordinary tests and run without them: cargo xtask test";

/// Runs the targets that are named, or all, one after another.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let (mut seconds, mut wanted, mut args) = (SECONDS, Vec::new(), args.iter());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seconds" => {
                let value = args.next().ok_or("--seconds wants a value")?;
                seconds = value
                    .parse()
                    .map_err(|_| format!("--seconds wants a number, not `{value}`"))?;
            }
            flag if flag.starts_with('-') => {
                return Err(format!("`cargo xtask fuzz` does not know {flag}"));
            }
            target => wanted.push(target.to_owned()),
        }
    }
    let known = targets()?;
    if let Some(unknown) = wanted.iter().find(|target| !known.contains(target)) {
        return Err(format!(
            "there is no target `{unknown}`; there are {}",
            known.join(", ")
        ));
    }
    if !works(&["--version"]) {
        return Err(MISSING.to_owned());
    }
    let chosen = if wanted.is_empty() { known } else { wanted };
    let mut failed = Vec::new();
    for target in &chosen {
        println!("\n== {target}, {seconds} s");
        match fuzz(target, seconds)? {
            Outcome::Nothing => {}
            Outcome::Found => failed.push(target.as_str()),
            Outcome::Ended => {
                return Err(format!(
                    "`{target}` ended before its time (interrupted, or not built){}",
                    so_far(&failed)
                ));
            }
        }
    }
    if failed.is_empty() {
        println!("\nfound nothing in {seconds} s each: {}", chosen.join(", "));
        return Ok(());
    }
    Err(format!("every target ran{}", so_far(&failed)))
}

/// What became of one target.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It ran its time.
    Nothing,
    /// It left an input that breaks a check.
    Found,
    /// It ended before its time and left none. cargo-fuzz has one exit status for all of this.
    Ended,
}

impl Outcome {
    fn of(success: bool, artifacts: &Path, started: SystemTime) -> Self {
        match success {
            true => Self::Nothing,
            false if has_finding_since(artifacts, started) => Self::Found,
            false => Self::Ended,
        }
    }
}

fn has_finding_since(artifacts: &Path, started: SystemTime) -> bool {
    let Ok(entries) = std::fs::read_dir(artifacts) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let finding = FINDINGS
            .iter()
            .any(|kind| name.to_string_lossy().starts_with(kind));
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        finding && modified.is_ok_and(|modified| modified >= started)
    })
}

fn so_far(failed: &[&str]) -> String {
    if failed.is_empty() {
        return "; nothing was found".to_owned();
    }
    let failed = failed.join(", ");
    format!("; these fuzz targets found something (see fuzz/artifacts): {failed}")
}

/// The names of the files in `fuzz/fuzz_targets`.
fn targets() -> Result<Vec<String>, Failure> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries =
        std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = |path: &Path| {
        let rust = path.extension().is_some_and(|extension| extension == "rs");
        path.file_stem()
            .filter(|_| rust)
            .and_then(|stem| Some(stem.to_str()?.to_owned()))
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| name(&entry.ok()?.path()))
        .collect();
    names.sort();
    Ok(names)
}

fn fuzz(target: &str, seconds: u64) -> Result<Outcome, Failure> {
    // Some file systems keep whole seconds only.
    let started = SystemTime::now() - Duration::from_secs(1);
    let mut command = cargo_fuzz();
    command.args(["run", target]);
    // What is found goes into the first folder; the seeds that are kept are only read.
    let found = root().join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    command.arg(&found);
    let seeds = root().join("fuzz/seeds").join(target);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    command.args([
        "--",
        &format!("-max_total_time={seconds}"),
        "-rss_limit_mb=2048",
    ]);
    let status = command
        .status()
        .map_err(|error| format!("starting cargo fuzz: {error}"))?;
    let artifacts = root().join("fuzz/artifacts").join(target);
    Ok(Outcome::of(status.success(), &artifacts, started))
}

/// The sanitizers need a nightly compiler, whichever one runs us.
fn cargo_fuzz() -> Command {
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly", "cargo", "fuzz"])
        .current_dir(root())
        .stdin(Stdio::null());
    command
}

fn works(args: &[&str]) -> bool {
    let mut command = cargo_fuzz();
    command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_failed_found_something_only_where_it_left_an_input() {
        let folder = std::env::temp_dir().join(format!("recado-xtask-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (before, later) = (
            SystemTime::now() - Duration::from_secs(60),
            SystemTime::now() + Duration::from_secs(60),
        );
        let of = |success, started| Outcome::of(success, &folder, started);
        assert_eq!(of(true, before), Outcome::Nothing);
        assert_eq!(of(false, before), Outcome::Ended, "interrupted");
        std::fs::write(folder.join("slow-unit-1"), "x").unwrap();
        assert_eq!(of(false, before), Outcome::Ended, "slow is no finding");
        std::fs::write(folder.join("crash-1"), "x").unwrap();
        assert_eq!(of(false, before), Outcome::Found);
        assert_eq!(of(false, later), Outcome::Ended, "an older finding");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(of(false, before), Outcome::Ended, "no folder");
    }
}
