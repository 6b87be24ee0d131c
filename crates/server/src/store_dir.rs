//! The directory that streams are stored in, on the way from a setting to a place on disk.

use std::io;
use std::path::Path;

use crate::error::StartError;

/// Makes the directory, and those above it, if it is not there.
///
/// # Errors
/// When it can't be made, or when a file is there in its place.
pub(crate) fn prepare(path: &Path) -> Result<(), StartError> {
    if path.is_dir() {
        return Ok(());
    }
    make(path).map_err(|source| {
        let path = path.to_owned();
        match source.kind() {
            // It or one above it is a file.
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                StartError::StoreNotDirectory { path }
            }
            _ => StartError::StoreUncreatable { path, source },
        }
    })
}

/// What people send each other is nobody else's to read.
#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_missing_directory_is_made_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("state/recado");
        prepare(&path).unwrap();
        prepare(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_file_in_its_place_is_told_of_in_words_that_scripts_look_for() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("store");
        std::fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("jetstream")] {
            let error = prepare(&path).unwrap_err().to_string();
            assert!(
                error.starts_with("storage directory is not a directory: "),
                "{error}"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_directory_that_cannot_be_made_is_told_of_in_words_that_scripts_look_for() {
        let error = prepare(Path::new("/proc/recado/store"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("could not create storage directory /proc/recado/store: "),
            "{error}"
        );
    }
}
