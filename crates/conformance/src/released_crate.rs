//! Takes a released crate as cargo has unpacked it, and builds the tests that it carries, in a copy
//! below the target directory. The tests stay as they are; only the manifest is mended, because
//! publishing takes path dependencies out of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::profile_dir;

/// What has to change in a released crate's manifest before its tests build.
#[derive(Clone, Copy, Debug)]
pub struct Mending<'a> {
    /// Tables to leave out, by their heading: what the tests that are run do not need.
    pub dropped: &'a [&'a str],
    /// Lines to add to a table, by its heading.
    pub added: &'a [(&'a str, &'a str)],
    /// Text for the end.
    pub appended: &'a str,
}

/// Builds these tests of the crate, and returns the directory to run them in with the test
/// programs by name.
///
/// # Panics
/// With cargo's words, when the crate is not a dependency of this workspace or does not build.
pub fn build_tests(
    name: &str,
    mending: Mending<'_>,
    tests: &[&str],
) -> (PathBuf, BTreeMap<String, PathBuf>) {
    let target = profile_dir()
        .parent()
        .expect("a profile lies in target")
        .join("conformance");
    let copy = target.join(name);
    let original = package_dir(name);
    copy_crate(&original, &copy);
    let manifest = copy.join("Cargo.toml");
    let text = std::fs::read_to_string(original.join("Cargo.toml")).expect("a manifest");
    write_if_changed(&manifest, &mend(&text, mending));

    let mut build = cargo();
    build.args([
        "test",
        "--no-run",
        "--message-format",
        "json-render-diagnostics",
    ]);
    build.args(tests.iter().flat_map(|test| ["--test", *test]));
    build
        .arg("--manifest-path")
        .arg(&manifest)
        .arg("--target-dir")
        .arg(target.join("target"));
    let output = succeed(&mut build);
    let programs = messages(&output).filter_map(|message| {
        let name = message["target"]["name"].as_str()?.to_owned();
        Some((name, PathBuf::from(message["executable"].as_str()?)))
    });
    (copy, programs.collect())
}

/// Where cargo has unpacked a dependency of this workspace.
fn package_dir(name: &str) -> PathBuf {
    let mut metadata = cargo();
    metadata.args(["metadata", "--format-version", "1"]);
    metadata.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = succeed(&mut metadata);
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let package = packages.iter().find(|package| package["name"] == name);
    let package = package.unwrap_or_else(|| panic!("{name} is no dependency of this workspace"));
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    manifest
        .parent()
        .expect("a manifest lies in a directory")
        .to_path_buf()
}

/// Copies what is not there yet, so that times stay and cargo need not build again. A crate's
/// released version never changes; another version is another crate, so the copy starts anew.
fn copy_crate(from: &Path, to: &Path) {
    let stamp = to.join(".copied-from");
    let origin = from.display().to_string();
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == origin) {
        return;
    }
    // There is nothing to remove the first time.
    let _ = std::fs::remove_dir_all(to);
    copy_dir(from, to);
    std::fs::write(stamp, origin).expect("a file in the copy");
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory in target");
    for entry in std::fs::read_dir(from).expect("an unpacked crate can be read") {
        let entry = entry.expect("an unpacked crate can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("an entry has a type").is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file in target");
        }
    }
}

fn mend(manifest: &str, mending: Mending<'_>) -> String {
    let mut mended = String::new();
    let mut keep = true;
    for line in manifest.lines() {
        if line.starts_with('[') {
            keep = !mending.dropped.contains(&line);
        }
        if keep {
            mended.push_str(line);
            mended.push('\n');
            for (_, lines) in mending.added.iter().filter(|(heading, _)| *heading == line) {
                mended.push_str(lines);
                mended.push('\n');
            }
        }
    }
    mended + mending.appended
}

fn write_if_changed(path: &Path, text: &str) {
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    std::fs::write(path, text).expect("a file in the copy");
}

/// Cargo, without what the cargo that runs this test has put into the environment for it.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("cargo starts");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{complaints}");
    output
}

fn messages(output: &Output) -> impl Iterator<Item = Value> + '_ {
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mending_drops_adds_and_appends_tables() {
        let manifest = "[package]\nname = \"x\"\n\n[[bench]]\nname = \"b\"\n\n[dev-dependencies.y]\nversion = \"1\"\n";
        let mending = Mending {
            dropped: &["[[bench]]"],
            added: &[("[dev-dependencies.y]", "default-features = false")],
            appended: "\n[dev-dependencies.z]\npath = \"z\"\n",
        };
        assert_eq!(
            mend(manifest, mending),
            concat!(
                "[package]\nname = \"x\"\n\n",
                "[dev-dependencies.y]\ndefault-features = false\nversion = \"1\"\n",
                "\n[dev-dependencies.z]\npath = \"z\"\n"
            )
        );
    }
}
