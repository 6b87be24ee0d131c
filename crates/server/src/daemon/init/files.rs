//! Files that are made all together or not at all, each for its reader alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Whoever made it.
    Owner,
    /// The server as well, where it runs as another user.
    Server,
    /// Everybody.
    All,
}

/// Files on their way: dropped before they are kept, they are removed again.
pub(super) struct Files {
    directory: PathBuf,
    /// The group of the server's user, if that is another than ours.
    group: Option<u32>,
    made: Vec<PathBuf>,
    kept: bool,
}

impl Files {
    /// Files below a directory, which is made if it is not there.
    pub(super) fn below(directory: &Path, group: Option<u32>) -> io::Result<Self> {
        let mut files = Self {
            directory: directory.to_owned(),
            group,
            made: Vec::new(),
            kept: false,
        };
        files.make_directory(directory, Reader::Server)?;
        Ok(files)
    }

    /// Writes a file that is not there yet.
    pub(super) fn write(&mut self, name: &str, contents: &str, reader: Reader) -> io::Result<()> {
        let path = self.directory.join(name);
        if let Some(parent) = path.parent() {
            // What lies deeper is read by those who read the file.
            self.make_directory(parent, reader)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        self.made.push(path.clone());
        file.write_all(contents.as_bytes())?;
        file.sync_all()?;
        self.hand_over(&path, reader, 0o600, 0o640, 0o644)
    }

    /// All are there: they stay.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }

    fn make_directory(&mut self, path: &Path, reader: Reader) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let mut above = path.parent();
        let mut missing = vec![path];
        while let Some(directory) = above.filter(|above| !above.exists()) {
            missing.push(directory);
            above = directory.parent();
        }
        for directory in missing.into_iter().rev() {
            DirBuilder::new().mode(0o700).create(directory)?;
            self.made.push(directory.to_owned());
            self.hand_over(directory, reader, 0o700, 0o750, 0o755)?;
        }
        Ok(())
    }

    /// Lets those read who should.
    fn hand_over(
        &self,
        path: &Path,
        reader: Reader,
        owner: u32,
        group: u32,
        all: u32,
    ) -> io::Result<()> {
        let mode = match (reader, self.group) {
            (Reader::All, _) => all,
            (Reader::Server, Some(id)) => {
                std::os::unix::fs::chown(path, None, Some(id))?;
                group
            }
            _ => owner,
        };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        for path in self.made.iter().rev() {
            // A directory that something else was put in meanwhile stays; nothing more can be done.
            let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn each_file_is_for_its_reader_alone() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("a/b");
        let mut files = Files::below(&directory, None).unwrap();
        files.write("conf", "x", Reader::Server).unwrap();
        files.write("tls/ca.pem", "x", Reader::All).unwrap();
        files.write("secret/key", "x", Reader::Owner).unwrap();
        files.keep();
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&directory.join("conf")), 0o600);
        assert_eq!(mode(&directory.join("tls/ca.pem")), 0o644);
        assert_eq!(mode(&directory.join("secret")), 0o700);
        assert_eq!(mode(&directory.join("secret/key")), 0o600);
    }

    #[test]
    fn nothing_is_left_of_what_was_not_finished_and_nothing_is_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let theirs = root.path().join("theirs");
        fs::write(&theirs, "mine").unwrap();
        let mut files = Files::below(root.path(), None).unwrap();
        files.write("new/one", "x", Reader::Owner).unwrap();
        let refused = files.write("theirs", "x", Reader::Owner).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        drop(files);
        assert_eq!(fs::read_to_string(theirs).unwrap(), "mine");
        assert!(!root.path().join("new").exists());
    }
}
