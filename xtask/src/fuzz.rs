//! `cargo xtask fuzz`: lets every fuzz target run for a while, or says what is missing for it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Failure, root};

const SECONDS: u64 = 60;
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
        if !fuzz(target, seconds)? {
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() {
        println!("\nfound nothing in {seconds} s each: {}", chosen.join(", "));
        return Ok(());
    }
    Err(format!(
        "these fuzz targets found something (see fuzz/artifacts): {}",
        failed.join(", ")
    ))
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

fn fuzz(target: &str, seconds: u64) -> Result<bool, Failure> {
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
    Ok(status.success())
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
