//! What was typed in earlier conversations: one file in the user's state directory, that nobody
//! else may read, bounded in lines and bytes.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How many lines are kept.
const LINES_MAX: usize = 1000;

/// How large the file may grow before it is cut down to the last lines.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The longest line that is kept.
const LINE_BYTES_MAX: usize = 4 * 1024;

/// The history of one user.
pub(super) struct History {
    path: PathBuf,
}

impl History {
    /// Where the environment says that state belongs; none without a home.
    pub(super) fn of_user() -> Option<Self> {
        let absolute = |name| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
        Some(Self {
            path: state.join("recado").join("chat_history"),
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The lines of earlier conversations, oldest first. A file that has grown too large, or that
    /// others may read, is put right.
    pub(super) fn load(&self) -> io::Result<Vec<String>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let meta = file.metadata()?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(meta.len().saturating_sub(FILE_BYTES_MAX)))?;
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let surplus = lines.len().saturating_sub(LINES_MAX);
        lines.drain(..surplus);
        if surplus > 0 || meta.len() > FILE_BYTES_MAX {
            self.replace(&lines)?;
        } else if meta.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&self.path, Permissions::from_mode(0o600))?;
        }
        Ok(lines)
    }

    /// Adds a line; what spans several lines or is very long is not worth keeping.
    pub(super) fn add(&self, line: &str) -> io::Result<()> {
        if line.len() > LINE_BYTES_MAX || line.contains(['\n', '\r']) {
            return Ok(());
        }
        if let Some(directory) = self.path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
        }
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?;
        file.write_all(format!("{line}\n").as_bytes())
    }

    /// In one step, so that neither another conversation nor a crash meets half a file.
    fn replace(&self, lines: &[String]) -> io::Result<()> {
        let fresh = self.path.with_extension(std::process::id().to_string());
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        for line in lines {
            file.write_all(format!("{line}\n").as_bytes())?;
        }
        fs::rename(&fresh, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_users_alone_and_stays_small() {
        let directory = tempfile::tempdir().unwrap();
        let history = History {
            path: directory.path().join("state/recado/chat_history"),
        };
        assert_eq!(history.load().unwrap(), [""; 0]);
        history.add("hola").unwrap();
        history.add("two\nlines").unwrap();
        history.add(&"x".repeat(LINE_BYTES_MAX + 1)).unwrap();
        assert_eq!(history.load().unwrap(), ["hola"]);
        let mode = || fs::metadata(&history.path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);

        fs::set_permissions(&history.path, Permissions::from_mode(0o644)).unwrap();
        history.load().unwrap();
        assert_eq!(mode(), 0o600);

        let many: String = (0..LINES_MAX + 10).map(|n| format!("{n}\n")).collect();
        fs::write(&history.path, many).unwrap();
        let kept = history.load().unwrap();
        assert_eq!((kept.len(), kept[0].as_str()), (LINES_MAX, "10"));
        assert_eq!(
            fs::read_to_string(&history.path).unwrap().lines().count(),
            LINES_MAX
        );

        fs::write(&history.path, "y\n".repeat(400_000)).unwrap();
        history.load().unwrap();
        assert!(fs::metadata(&history.path).unwrap().len() <= FILE_BYTES_MAX);
        assert_eq!(mode(), 0o600);
    }
}
