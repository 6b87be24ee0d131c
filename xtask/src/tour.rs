//! The first minute: builds both programs and hands over to `recado tour`.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::{Failure, cargo, root, target_folder};

/// Comes back only with a failure: the tour takes this process's place, and so its Ctrl-C.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let built = cargo()
        .args([
            "build",
            "--release",
            "--bin",
            "recado-server",
            "--bin",
            "recado",
        ])
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !built.success() {
        // The compiler has said why.
        return Err(Failure::new());
    }
    let recado = target_folder().join("release/recado");
    let error = Command::new(&recado).arg("tour").args(args).exec();
    Err(format!("{} does not start: {error}", recado.display()))
}
