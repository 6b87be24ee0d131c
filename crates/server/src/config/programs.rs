//! What to type to start the two programs: commands that are shown must work as they stand.

use std::ffi::OsStr;
use std::path::Path;

/// How the server and the client are started by whoever reads our hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Programs {
    /// Starts `recado-server`.
    pub server: &'static str,
    /// Starts `recado`.
    pub client: &'static str,
}

impl Programs {
    /// Both are installed.
    pub const INSTALLED: Self = Self {
        server: "recado-server",
        client: "recado",
    };

    /// Cargo builds and runs them: nothing is installed.
    const FROM_SOURCE: Self = Self {
        server: "cargo run --release --bin recado-server --",
        client: "cargo run --release --bin recado --",
    };

    /// As this process was started.
    pub fn here() -> Self {
        Self::of(std::env::var_os("CARGO_PKG_NAME").as_deref())
    }

    /// `package` is cargo's `CARGO_PKG_NAME`, which `cargo run` hands to the server, and nobody else
    /// does.
    fn of(package: Option<&OsStr>) -> Self {
        match package.is_some_and(|name| name == env!("CARGO_PKG_NAME")) {
            true => Self::FROM_SOURCE,
            false => Self::INSTALLED,
        }
    }
}

/// A path as a shell takes it for one word; `None` if it is not text.
pub(crate) fn shell_word(path: &Path) -> Option<String> {
    let path = path.to_str()?;
    let plain = |found: char| found.is_alphanumeric() || "/._-+,:@%=".contains(found);
    Some(match !path.is_empty() && path.chars().all(plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_runs_is_answered_by_what_cargo_runs() {
        assert_eq!(Programs::of(None), Programs::INSTALLED);
        let other = Programs::of(Some(OsStr::new("another-program")));
        assert_eq!(other, Programs::INSTALLED);
        let cargo = Programs::of(Some(OsStr::new("recado-server")));
        assert_eq!(cargo.client, "cargo run --release --bin recado --");
        assert_eq!(cargo.server, "cargo run --release --bin recado-server --");
    }

    #[test]
    fn a_path_is_quoted_where_a_shell_would_part_it() {
        let word = |path: &str| shell_word(Path::new(path)).unwrap_or_default();
        assert_eq!(word("/etc/año-1.token"), "/etc/año-1.token");
        assert_eq!(word("my token"), "'my token'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word("~/x"), "'~/x'");
    }
}
