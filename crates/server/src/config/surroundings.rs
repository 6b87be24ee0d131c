//! The only place where configuration meets the machine: files and environment variables. All
//! else in this module takes them through [`Surroundings`], so that tests bring their own.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest configuration, include or token file that is read.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A file as it was found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// One name per file, however it was reached; tells include cycles.
    pub identity: PathBuf,
    /// Contents.
    pub bytes: Vec<u8>,
    /// Permission bits; 0 where the system has none.
    pub mode: u32,
}

/// What configuration is read from.
pub trait Surroundings {
    /// A file's contents; an error for one longer than [`FILE_BYTES_MAX`].
    fn load(&self, path: &Path) -> io::Result<Loaded>;

    /// An environment variable; `None` when unset. What is not UTF-8 in it is replaced.
    fn variable(&self, name: &str) -> Option<String>;

    /// Whether the user may do everything on this machine.
    fn is_root(&self) -> bool {
        false
    }
}

/// This process's files and environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Surroundings for Machine {
    fn load(&self, path: &Path) -> io::Result<Loaded> {
        let file = std::fs::File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Loaded {
            identity: std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
            bytes,
            mode: permissions(&metadata),
        })
    }

    fn variable(&self, name: &str) -> Option<String> {
        // A name with `=` or NUL can't be set, and asking for one panics on some systems.
        if name.is_empty() || name.contains(['=', '\0']) {
            return None;
        }
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    #[cfg(unix)]
    fn is_root(&self) -> bool {
        nix::unistd::geteuid().is_root()
    }
}

#[cfg(unix)]
fn permissions(metadata: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn permissions(_: &std::fs::Metadata) -> u32 {
    0
}

/// Files and variables that a test makes up. By default there is nothing but a home.
#[cfg(test)]
#[derive(Clone, Debug)]
pub(crate) struct Imagined {
    files: std::collections::HashMap<PathBuf, (Vec<u8>, u32)>,
    variables: std::collections::HashMap<String, String>,
    root: bool,
}

#[cfg(test)]
impl Default for Imagined {
    fn default() -> Self {
        Self::homeless().variable("HOME", "/home/ana")
    }
}

#[cfg(test)]
impl Imagined {
    pub(crate) fn homeless() -> Self {
        Self {
            files: std::collections::HashMap::new(),
            variables: std::collections::HashMap::new(),
            root: false,
        }
    }

    pub(crate) fn root(mut self) -> Self {
        self.root = true;
        self
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.file_with_mode(path, text.as_bytes(), 0o600)
    }

    pub(crate) fn file_with_mode(mut self, path: &str, bytes: &[u8], mode: u32) -> Self {
        self.files.insert(path.into(), (bytes.to_vec(), mode));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }
}

#[cfg(test)]
impl Surroundings for Imagined {
    fn load(&self, path: &Path) -> io::Result<Loaded> {
        // Enough of a file system to see that `./a` and `a` are one file.
        let identity: PathBuf = path
            .components()
            .filter(|part| *part != std::path::Component::CurDir)
            .collect();
        let (bytes, mode) = self.files.get(&identity).ok_or(io::ErrorKind::NotFound)?;
        Ok(Loaded {
            identity,
            bytes: bytes.clone(),
            mode: *mode,
        })
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn is_root(&self) -> bool {
        self.root
    }
}
