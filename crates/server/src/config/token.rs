//! Tokens in files: how one is made, and how one is read. A token never goes into a message.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use rand::distr::{Alphanumeric, SampleString};

use super::messages::KeyProblem;
use super::surroundings::Surroundings;

/// Where a token is written when no file is named.
pub(super) const TOKEN_FILE: &str = "recado.token";

/// Letters and digits of a token: 43 of 62 kinds are 256 bits.
const TOKEN_CHARS: usize = 43;

/// Reads a token: one line without blanks. A file that everybody can read or change is refused,
/// one that a group can gets a warning.
pub(super) fn read(
    path: &Path,
    surroundings: &dyn Surroundings,
) -> Result<(String, Option<KeyProblem>), KeyProblem> {
    let shown = || path.display().to_string();
    let loaded = surroundings
        .load(path)
        .map_err(|error| KeyProblem::TokenFileUnreadable {
            path: shown(),
            error: error.to_string(),
        })?;
    let mode = loaded.mode;
    if mode & 0o007 != 0 {
        return Err(KeyProblem::TokenFileOpen {
            path: shown(),
            mode,
        });
    }
    let text = std::str::from_utf8(&loaded.bytes)
        .map_err(|_| KeyProblem::TokenFileNotOneWord(shown()))?
        .trim();
    if text.is_empty() {
        return Err(KeyProblem::TokenFileEmpty(shown()));
    }
    if text.contains(|found: char| found.is_whitespace() || found.is_control()) {
        return Err(KeyProblem::TokenFileNotOneWord(shown()));
    }
    let warning = (mode & 0o070 != 0).then(|| KeyProblem::TokenFileGroup {
        path: shown(),
        mode,
    });
    Ok((text.to_owned(), warning))
}

/// A new token: 256 bits from the system's generator, as letters and digits.
pub(crate) fn generate() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), TOKEN_CHARS)
}

/// Makes a token and writes it to a file that only its owner can read.
///
/// A file that is there already is an error of the kind `AlreadyExists`, unless `force` says to
/// take its place; then it is replaced in one step, so that nobody reads half a token.
pub(super) fn create(path: &Path, force: bool) -> io::Result<String> {
    let token = generate();
    if force {
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(format!(".new{}", std::process::id()));
        let fresh = Path::new(&fresh);
        write_private(fresh, &token)
            .and_then(|()| fs::rename(fresh, path))
            .inspect_err(|_| {
                // Whether it was made or not, nothing of it must stay.
                let _ = fs::remove_file(fresh);
            })?;
    } else {
        write_private(path, &token)?;
    }
    Ok(token)
}

fn write_private(path: &Path, token: &str) -> io::Result<()> {
    let mut file = open_private(path)?;
    writeln!(file, "{token}")?;
    file.sync_all()
}

#[cfg(unix)]
fn open_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::config::surroundings::Machine;

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let tokens: HashSet<String> = (0..100).map(|_| generate()).collect();
        assert_eq!(tokens.len(), 100);
        for token in tokens {
            assert_eq!(token.len(), TOKEN_CHARS);
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_new_token_file_is_private_and_reads_back() -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("token");
        let token = create(&path, false)?;
        assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path, &Machine), Ok((token, None)));
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn a_token_file_is_only_replaced_by_force_and_is_private_then() -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("token");
        fs::write(&path, "mine\n")?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        let refused = create(&path, false).map_err(|error| error.kind());
        assert_eq!(refused, Err(io::ErrorKind::AlreadyExists));
        assert_eq!(fs::read_to_string(&path)?, "mine\n");

        let token = create(&path, true)?;
        assert_eq!(fs::read_to_string(&path)?, format!("{token}\n"));
        assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path())?.count(), 1);
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn a_token_file_that_others_can_read_is_refused() -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("token");
        fs::write(&path, "secret\n")?;
        for (mode, refused, warned) in [
            (0o600, false, false),
            (0o400, false, false),
            (0o640, false, true),
            (0o604, true, false),
            (0o602, true, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
            let result = read(&path, &Machine);
            assert_eq!(result.is_err(), refused, "{mode:o}");
            assert_eq!(matches!(result, Ok((_, Some(_)))), warned, "{mode:o}");
        }
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn a_token_file_holds_one_word() -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("token");
        for (text, expected) in [
            ("secret", Ok("secret")),
            ("secret\r\n", Ok("secret")),
            (
                "",
                Err(KeyProblem::TokenFileEmpty(path.display().to_string())),
            ),
            (
                "two words",
                Err(KeyProblem::TokenFileNotOneWord(path.display().to_string())),
            ),
        ] {
            fs::write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            let found = read(&path, &Machine).map(|(token, _)| token);
            assert_eq!(found, expected.map(str::to_owned));
        }
        Ok(())
    }
}
