//! `cargo xtask static`: both programs without a need for any library of the system they run on, linked with musl.
//!
//! What that takes is looked for first, and what is missing is named: a standard library for musl, and a C compiler
//! for it, since ring (the cryptography) has parts in C and assembler.

use std::path::Path;
use std::process::Command;

use crate::{Failure, cargo, commit, root, target_folder};

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    if let Some(unknown) = args.first() {
        return Err(format!("`cargo xtask static` takes no {unknown}"));
    }
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let missing: Vec<String> = [no_standard_library(&target), no_compiler(&target)]
        .into_iter()
        .flatten()
        .collect();
    if !missing.is_empty() {
        return Err(format!(
            "a static build is not possible here:\n  {}",
            missing.join("\n  ")
        ));
    }
    let built = cargo()
        .args(["build", "--release", "--locked", "--target", &target])
        .args(["--bin", "recado-server", "--bin", "recado"])
        .envs(commit())
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !built.success() {
        // The compiler has said why.
        return Err(Failure::new());
    }
    let folder = target_folder().join(&target).join("release");
    for program in ["recado-server", "recado"] {
        let program = folder.join(program);
        let bytes = std::fs::read(&program)
            .map_err(|error| format!("reading {}: {error}", program.display()))?;
        if needs_a_loader(&bytes) {
            return Err(format!("{} is not static", program.display()));
        }
        println!("{}", program.display());
    }
    Ok(())
}

/// What to do where the toolchain has no standard library for the target.
fn no_standard_library(target: &str) -> Option<String> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(root())
        .output();
    let there = output.is_ok_and(|output| {
        output.status.success()
            && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    });
    (!there).then(|| {
        format!("the toolchain has no standard library for {target}: rustup target add {target}")
    })
}

/// What to do where there is no C compiler for the target.
fn no_compiler(target: &str) -> Option<String> {
    // As the crate cc looks for one.
    let variable = format!("CC_{}", target.replace('-', "_"));
    if std::env::var_os(&variable).is_some() {
        return None;
    }
    let there = Command::new("musl-gcc").arg("--version").output().is_ok();
    (!there).then(|| {
        format!(
            "there is no C compiler for it: apt-get install musl-tools, or name one in {variable}"
        )
    })
}

/// Whether an ELF program asks for a dynamic loader: a program header of the kind PT_INTERP.
fn needs_a_loader(bytes: &[u8]) -> bool {
    const PT_INTERP: u64 = 3;
    let number = |at: usize, size: usize| -> Option<u64> {
        let field = bytes.get(at..at.checked_add(size)?)?;
        Some(
            field
                .iter()
                .rev()
                .fold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
        )
    };
    // Offset, size and number of the headers, as 64-bit ELF has them.
    let (Some(start), Some(size), Some(count)) = (number(32, 8), number(54, 2), number(56, 2))
    else {
        return false;
    };
    (0..count).any(|index| {
        let at = start.saturating_add(index.saturating_mul(size));
        usize::try_from(at).is_ok_and(|at| number(at, 4) == Some(PT_INTERP))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_needs_a_loader_and_nonsense_does_not() {
        let this = std::env::current_exe().and_then(std::fs::read).unwrap();
        assert!(needs_a_loader(&this));
        assert!(!needs_a_loader(b"\x7fELF"));
        assert!(!needs_a_loader(&[0xff; 100]));
    }

    #[test]
    fn what_a_static_build_lacks_is_named_with_what_to_do() {
        let said = no_standard_library("x86_64-unknown-nowhere").unwrap();
        assert!(said.ends_with("rustup target add x86_64-unknown-nowhere"));
    }
}
