//! The files of a package, laid out as they will lie on the machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{said, succeed};
use crate::Failure;

/// A directory that becomes a package.
pub(super) struct Tree {
    root: PathBuf,
    /// Seconds since 1970 that compressed files and directories bear.
    built: String,
    /// Files that are still to be compressed.
    documents: Vec<String>,
}

impl Tree {
    /// An empty one; what was there goes.
    pub(super) fn new(root: PathBuf, built: &str) -> Result<Self, Failure> {
        if root.exists() {
            fs::remove_dir_all(&root).map_err(|error| problem("clearing", &root, &error))?;
        }
        let tree = Self {
            root,
            built: built.to_owned(),
            documents: Vec::new(),
        };
        tree.directory("")?;
        Ok(tree)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a directory and all above it.
    fn directory(&self, path: &str) -> Result<(), Failure> {
        let directory = self.root.join(path);
        fs::create_dir_all(&directory).map_err(|error| problem("making", &directory, &error))
    }

    /// Writes a file that everybody may read.
    pub(super) fn file(&self, path: &str, contents: &[u8]) -> Result<(), Failure> {
        self.place(path, contents, 0o644)
    }

    /// Writes a file that everybody may run.
    pub(super) fn executable(&self, path: &str, contents: &[u8]) -> Result<(), Failure> {
        self.place(path, contents, 0o755)
    }

    fn place(&self, path: &str, contents: &[u8], mode: u32) -> Result<(), Failure> {
        if let Some((directory, _)) = path.rsplit_once('/') {
            self.directory(directory)?;
        }
        let file = self.root.join(path);
        fs::write(&file, contents)
            .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(mode)))
            .map_err(|error| problem("writing", &file, &error))
    }

    /// Writes a file that Debian keeps compressed, as it does manuals and documents.
    pub(super) fn document(&mut self, path: &str, contents: &[u8]) -> Result<(), Failure> {
        self.file(path, contents)?;
        self.documents.push(path.to_owned());
        Ok(())
    }

    /// Compresses the documents, all by one process, without a time in them.
    pub(super) fn compress(&mut self) -> Result<(), Failure> {
        let documents = std::mem::take(&mut self.documents);
        let mut gzip = Command::new("gzip");
        gzip.arg("-9nf").args(documents).current_dir(&self.root);
        succeed(&mut gzip)
    }

    /// Puts a program in, without what only a debugger reads.
    pub(super) fn program(&self, path: &str, built: &Path) -> Result<(), Failure> {
        let bytes = fs::read(built).map_err(|error| {
            let built = built.display();
            format!("{built} is not there ({error}); build it, or leave --binaries out")
        })?;
        self.executable(path, &bytes)?;
        let strip = ["--strip-unneeded", "--remove-section=.comment"];
        succeed(Command::new("strip").args(strip).arg(self.root.join(path)))
    }

    /// All files but dpkg's own, by their names on the machine.
    pub(super) fn files(&self) -> Result<Vec<String>, Failure> {
        let mut files = Vec::new();
        let mut waiting = vec![self.root.clone()];
        while let Some(directory) = waiting.pop() {
            let listed = fs::read_dir(&directory)
                .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
                .map_err(|error| problem("reading", &directory, &error))?;
            for entry in listed {
                let path = entry.path();
                let name = path.strip_prefix(&self.root).unwrap_or(&path);
                if path.is_dir() {
                    if name != Path::new("DEBIAN") {
                        waiting.push(path);
                    }
                } else {
                    files.push(name.to_string_lossy().into_owned());
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// KiB that the files take, each rounded up, as `Installed-Size:` counts.
    pub(super) fn kibibytes(&self) -> Result<u64, Failure> {
        let mut sum = 0;
        for name in self.files()? {
            let path = self.root.join(name);
            let metadata =
                fs::metadata(&path).map_err(|error| problem("looking at", &path, &error))?;
            sum += metadata.len().div_ceil(1024);
        }
        Ok(sum)
    }

    /// Makes the package `into` of it.
    pub(super) fn pack(&self, into: &Path, compression: &str) -> Result<(), Failure> {
        let sums = said(
            Command::new("md5sum")
                .args(self.files()?)
                .current_dir(&self.root),
        )?;
        self.file("DEBIAN/md5sums", format!("{sums}\n").as_bytes())?;
        let mut command = Command::new("dpkg-deb");
        command
            .args(["--root-owner-group", "--build"])
            .arg(format!("-Z{compression}"))
            .arg(&self.root)
            .arg(into)
            .env("SOURCE_DATE_EPOCH", &self.built);
        succeed(&mut command)
    }
}

fn problem(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
    format!("{doing} {}: {error}", path.display())
}
