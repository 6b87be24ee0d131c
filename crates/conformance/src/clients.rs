//! Installs clients of other languages from their registries, once: versions are pinned in files
//! beside the scripts, and an installation is good for as long as those files stay as they are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Suite, profile_dir};

/// A script in `python/`, with nats-py in a virtual environment of its own.
///
/// # Panics
/// With what `python3` or `pip` says, when the client cannot be installed.
pub fn python_suite(script: &str) -> Suite {
    let scripts = scripts("python");
    let environment = target_dir("python");
    let _alone = alone_in(&environment);
    let requirements = scripts.join("requirements.txt");
    install(&environment, &[&requirements], || {
        succeed(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(&environment),
        );
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ]);
        succeed(pip.arg(&requirements));
    });
    Suite {
        name: format!("nats-py, {script}"),
        program: environment.join("bin/python"),
        // Leaves no compiled files beside the sources.
        args: vec!["-B".into(), scripts.join(script).into()],
        dir: environment,
        variables: Vec::new(),
    }
}

/// A script in `node/`, with the packages of @nats-io beside a copy of it.
///
/// # Panics
/// With what `npm` says, when the client cannot be installed.
pub fn node_suite(script: &str) -> Suite {
    let scripts = scripts("node");
    let copy = target_dir("node");
    let _alone = alone_in(&copy);
    let [package, lock] = ["package.json", "package-lock.json"].map(|name| scripts.join(name));
    install(&copy, &[&package, &lock], || {
        fs::create_dir_all(&copy).expect("a directory in target");
        copy_file(&package, &copy);
        copy_file(&lock, &copy);
        succeed(
            Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund"])
                .current_dir(&copy),
        );
    });
    // Node looks for packages from where a module lies.
    for entry in fs::read_dir(&scripts).expect("a directory of scripts") {
        let path = entry.expect("a directory of scripts").path();
        if path.extension().is_some_and(|extension| extension == "mjs") {
            copy_file(&path, &copy);
        }
    }
    Suite {
        name: format!("@nats-io, {script}"),
        program: "node".into(),
        args: vec![script.into()],
        dir: copy,
        variables: Vec::new(),
    }
}

/// The browser for tests of pages: the one that `RECADO_BROWSER` names, or Chromium where PATH has it.
pub fn browser() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("RECADO_BROWSER") {
        return Some(path.into());
    }
    let directories = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&directories)
        .flat_map(|directory| names.map(|name| directory.join(name)))
        .find(|path| path.is_file())
}

fn scripts(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(language)
}

fn target_dir(language: &str) -> PathBuf {
    let target = profile_dir()
        .parent()
        .expect("a profile lies in target")
        .to_path_buf();
    target.join("conformance").join(language)
}

/// Keeps other tests, of this program and of others, from installing into `dir` until it is dropped.
fn alone_in(dir: &Path) -> File {
    let parent = dir.parent().expect("an installation lies in target");
    fs::create_dir_all(parent).expect("a directory in target");
    let lock = File::create(dir.with_extension("lock")).expect("a file in target");
    lock.lock().expect("a lock on a file in target");
    lock
}

/// Runs `installing` unless it succeeded before with the same pins.
fn install(into: &Path, pins: &[&Path], installing: impl FnOnce()) {
    let pins: Vec<String> = pins
        .iter()
        .map(|path| fs::read_to_string(path).expect("a file beside the scripts"))
        .collect();
    let pins = pins.concat();
    let stamp = into.join(".installed");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == pins) {
        return;
    }
    // There is nothing to remove the first time.
    let _ = fs::remove_dir_all(into);
    installing();
    fs::write(stamp, pins).expect("a file in target");
}

/// Leaves a copy that is up to date alone: another test may be reading it.
fn copy_file(from: &Path, to_dir: &Path) {
    let name = from.file_name().expect("a file has a name");
    let to = to_dir.join(name);
    let text = fs::read(from).expect("a file beside the scripts");
    if fs::read(&to).is_ok_and(|copied| copied == text) {
        return;
    }
    fs::write(to, text).expect("a file in target");
}

fn succeed(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
