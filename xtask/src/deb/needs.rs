//! What a program needs of the system it is installed on, read from the versions of symbols in the program itself.

use std::path::Path;
use std::process::Command;

use crate::Failure;

/// The `Depends:` of a program: the C library, as new as the newest symbol that is used, and the unwinder.
pub(super) fn depends(program: &Path) -> Result<Vec<String>, Failure> {
    // The names of its string table end with NUL, which -z takes for the end of a line, as -x does for its start.
    let output = Command::new("grep")
        .args(["-azxE", "(GLIBC|GCC)_[0-9.]+"])
        .arg(program)
        .env("LC_ALL", "C")
        .output()
        .map_err(|error| format!("grep does not start: {error}"))?;
    // 1: there are none, for it is static.
    if !matches!(output.status.code(), Some(0 | 1)) {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("reading {}: {}", program.display(), why.trim()));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    let mut depends = Vec::new();
    for (prefix, package) in [("GLIBC_", "libc6"), ("GCC_", "libgcc-s1")] {
        let newest = newest(&names, prefix);
        depends.extend(newest.map(|version| format!("{package} (>= {version})")));
    }
    Ok(depends)
}

/// The highest version behind a prefix: `GLIBC_2.34` and `GLIBC_2.2.5` give `2.34`.
fn newest(names: &str, prefix: &str) -> Option<String> {
    let versions = names.split('\0').filter_map(|name| {
        let parts = name.strip_prefix(prefix)?.split('.');
        parts
            .map(|part| part.parse().ok())
            .collect::<Option<Vec<u32>>>()
    });
    let parts: Vec<String> = versions.max()?.iter().map(u32::to_string).collect();
    Some(parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_a_symbol_is_what_a_program_needs() {
        let names = "GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0GCC_3.0\0xGLIBC_9.9\0";
        assert_eq!(newest(names, "GLIBC_").as_deref(), Some("2.34"));
        assert_eq!(newest(names, "GCC_").as_deref(), Some("3.0"));
        assert_eq!(newest("", "GLIBC_"), None);
    }

    #[test]
    fn a_shell_needs_a_c_library() {
        let depends = depends(Path::new("/bin/sh")).unwrap();
        // Where it is another than glibc, there is nothing to tell.
        assert!(
            depends.iter().all(|one| one.contains(" (>= 2.")),
            "{depends:?}"
        );
    }
}
