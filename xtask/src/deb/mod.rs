//! `cargo xtask deb`: the Debian packages recado-server and recado, put together with dpkg-deb alone.
//!
//! Two packages, because installing the client must not start a server. cargo-deb was weighed: it makes one package
//! of one crate from a table in Cargo.toml, and brings a few hundred crates of its own for what is a tree of files here.

mod needs;
mod package;
mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, cargo, commit, root, target_folder};

use self::package::{CLIENT, Facts, SERVER};

/// What the command line asks for.
struct Wanted {
    /// Where the built programs are; `None`: they are built first, for release.
    binaries: Option<PathBuf>,
    version: String,
    /// Where the packages go.
    out: PathBuf,
    /// dpkg-deb's name for how they are compressed.
    compression: String,
    /// Let lintian look at them.
    lint: bool,
}

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let wanted = read(args)?;
    let binaries = match &wanted.binaries {
        Some(binaries) => binaries.clone(),
        None => {
            build()?;
            target_folder().join("release")
        }
    };
    let facts = Facts {
        version: wanted.version,
        architecture: said(Command::new("dpkg").arg("--print-architecture"))?,
        maintainer: maintainer(),
        built: built_at()?,
    };
    std::fs::create_dir_all(&wanted.out)
        .map_err(|error| format!("making {}: {error}", wanted.out.display()))?;
    let mut made = Vec::new();
    for package in [SERVER, CLIENT] {
        let file = package.make(&facts, &binaries, &wanted.out, &wanted.compression)?;
        println!("{}", file.display());
        made.push(file);
    }
    match wanted.lint {
        true => lint(&made),
        false => Ok(()),
    }
}

/// What lintian finds wrong is a failure. The default maintainer's address is none that mail reaches, and it need not be.
fn lint(packages: &[PathBuf]) -> Result<(), Failure> {
    let mut lintian = Command::new("lintian");
    lintian
        .args(["--fail-on", "error,warning", "--suppress-tags"])
        .arg("bogus-mail-host,bogus-mail-host-in-debian-changelog")
        .args(packages);
    let status = lintian
        .status()
        .map_err(|error| format!("lintian does not start: {error}"))?;
    // It has said what.
    status.success().then_some(()).ok_or_else(Failure::new)
}

/// Whoever builds packages to give them away says who they are in Debian's own variables.
fn maintainer() -> String {
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or(default.to_owned());
    format!(
        "{} <{}>",
        variable("DEBFULLNAME", "The Recado developers"),
        variable("DEBEMAIL", "recado@localhost.localdomain")
    )
}

fn read(args: &[String]) -> Result<Wanted, Failure> {
    let mut wanted = Wanted {
        binaries: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        out: target_folder().join("debian"),
        compression: "xz".to_owned(),
        lint: false,
    };
    let mut rest = args.iter();
    while let Some(flag) = rest.next() {
        if flag == "--lint" {
            wanted.lint = true;
            continue;
        }
        let value = rest
            .next()
            .ok_or_else(|| format!("{flag} needs a value"))?
            .clone();
        match flag.as_str() {
            "--binaries" => wanted.binaries = Some(value.into()),
            "--version" => wanted.version = value,
            "--out" => wanted.out = value.into(),
            "--compression" => wanted.compression = value,
            _ => return Err(format!("`cargo xtask deb` knows no {flag}")),
        }
    }
    Ok(wanted)
}

fn build() -> Result<(), Failure> {
    let built = cargo()
        .args(["build", "--release", "--locked"])
        .args(["--bin", "recado-server", "--bin", "recado"])
        .envs(commit())
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    // The compiler has said why.
    built.success().then_some(()).ok_or_else(Failure::new)
}

/// The time that the packages bear, in seconds since 1970: the same sources make the same packages.
fn built_at() -> Result<String, Failure> {
    if let Ok(given) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(given);
    }
    said(
        Command::new("git")
            .args(["log", "-1", "--format=%ct"])
            .current_dir(root()),
    )
    // Sources without their history: now will do.
    .or_else(|_| said(Command::new("date").arg("+%s")))
}

/// What a program prints, in one line.
fn said(command: &mut Command) -> Result<String, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{program} does not start: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} failed: {}", why.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program that says nothing when all is well.
fn succeed(command: &mut Command) -> Result<(), Failure> {
    said(command).map(drop)
}

/// A file or directory of the sources that the packages are made of.
fn source(path: &str) -> PathBuf {
    root().join(path)
}

fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| format!("reading {}: {error}", path.display()))
}
