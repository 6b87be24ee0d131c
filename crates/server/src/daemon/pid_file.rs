//! The file that holds the process id while the server runs: digits only.
//!
//! A file of another running server is never taken away, neither at the start nor at the end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::messages::Obstacle;
use super::processes;

/// Removes its file when dropped, if the file still holds our id.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes the file. A file that another running process called `program` has written is left
    /// alone, unless `take_over` says that the last one wins, as with nats-server.
    pub(super) fn create(path: &Path, program: &str, take_over: bool) -> Result<Self, Obstacle> {
        if let Some(pid) = read_pid(path) {
            let is_me = u32::try_from(pid) == Ok(std::process::id());
            if !take_over && !is_me && processes::is_called(pid, program) {
                return Err(Obstacle::PidFileTaken {
                    path: path.to_owned(),
                    pid,
                });
            }
        }
        write(path, &std::process::id().to_string()).map_err(|error| {
            Obstacle::PidFileUnwritable {
                path: path.to_owned(),
                error: error.to_string(),
            }
        })?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self { path })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if read_pid(&self.path).is_some_and(|pid| u32::try_from(pid) == Ok(std::process::id())) {
            // The process ends whether or not this works.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The id in a pid file, whether or not a newline follows it.
pub(super) fn read_pid(path: &Path) -> Option<i32> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > 32 {
        return None;
    }
    let pid = fs::read_to_string(path).ok()?.trim().parse().ok()?;
    (pid > 0).then_some(pid)
}

/// Whoever waits for the file finds it whole: it is written beside and renamed. A device or a pipe
/// is written to as it is.
fn write(path: &Path, digits: &str) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(path, digits);
    }
    write_whole(path, digits.as_bytes())
}

/// Writes a file that appears complete or not at all.
pub(super) fn write_whole(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    fs::write(&beside, contents)
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn it_holds_digits_only_and_goes_with_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.pid");
        let file = PidFile::create(&path, "recado-server", false).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            std::process::id().to_string()
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_another_server_has_written_since_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.pid");
        let file = PidFile::create(&path, "recado-server", false).unwrap();
        fs::write(&path, "1\n").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    }

    #[test]
    fn a_running_server_keeps_its_file_and_a_dead_one_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.pid");
        let mut other = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        fs::write(&path, format!("{}\n", other.id())).unwrap();
        // The child is called as we are until it has become `sleep`.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !processes::is_called(i32::try_from(other.id()).unwrap(), "sleep") {
            assert!(Instant::now() < deadline, "it never became `sleep`");
            std::thread::yield_now();
        }
        match PidFile::create(&path, "sleep", false) {
            Err(Obstacle::PidFileTaken { pid, .. }) => assert_eq!(pid, other.id() as i32),
            outcome => panic!("{outcome:?}"),
        }
        assert!(PidFile::create(&path, "recado-server", false).is_ok());
        fs::write(&path, other.id().to_string()).unwrap();
        assert!(PidFile::create(&path, "sleep", true).is_ok());
        fs::write(&path, other.id().to_string()).unwrap();
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(PidFile::create(&path, "sleep", false).is_ok());
    }

    #[test]
    fn an_impossible_place_is_named() {
        let path = Path::new("/nowhere/at/all.pid");
        match PidFile::create(path, "recado-server", false) {
            Err(Obstacle::PidFileUnwritable { path: named, .. }) => assert_eq!(named, path),
            outcome => panic!("{outcome:?}"),
        }
    }
}
