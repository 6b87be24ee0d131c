//! What a program needs of the system it is installed on, read from the versions of symbols in the program itself.

use std::path::Path;

use crate::Failure;

/// The C library's symbols bear the version that they came with.
const GLIBC: &[u8] = b"GLIBC_";
/// The unwinder's.
const GCC: &[u8] = b"GCC_";

/// The `Depends:` of a program: the C library, as new as the newest symbol that is used, and the unwinder.
pub(super) fn depends(program: &Path) -> Result<Vec<String>, Failure> {
    let bytes = std::fs::read(program)
        .map_err(|error| format!("reading {}: {error}", program.display()))?;
    let mut depends = Vec::new();
    if let Some(version) = newest(&bytes, GLIBC) {
        depends.push(format!("libc6 (>= {version})"));
    }
    if let Some(version) = newest(&bytes, GCC) {
        depends.push(format!("libgcc-s1 (>= {version})"));
    }
    Ok(depends)
}

/// The highest version behind a prefix: `GLIBC_2.34` and `GLIBC_2.2.5` give `2.34`.
fn newest(bytes: &[u8], prefix: &[u8]) -> Option<String> {
    let starts = bytes
        .windows(prefix.len())
        .enumerate()
        .filter(|(_, window)| *window == prefix)
        // A name of the string table: what stands before it is the end of another.
        .filter(|(at, _)| *at == 0 || bytes.get(at - 1) == Some(&0))
        .map(|(at, _)| at + prefix.len());
    starts
        .filter_map(|start| version(bytes.get(start..)?))
        .max()
        .map(|parts| {
            let parts: Vec<String> = parts.iter().map(u32::to_string).collect();
            parts.join(".")
        })
}

/// The number up to the end of the name; nothing for names such as `GLIBC_PRIVATE`.
fn version(name: &[u8]) -> Option<Vec<u32>> {
    let end = name.iter().take(16).position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(name.get(..end)?).ok()?;
    name.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_a_symbol_is_what_a_program_needs() {
        let table = b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0GCC_3.0\0xGLIBC_9.9\0";
        assert_eq!(newest(table, GLIBC).as_deref(), Some("2.34"));
        assert_eq!(newest(table, GCC).as_deref(), Some("3.0"));
        assert_eq!(newest(b"static", GLIBC), None);
    }
}
