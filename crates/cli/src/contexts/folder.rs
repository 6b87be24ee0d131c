//! Where contexts lie: one folder of files, a file with the name of the selected one, and one with
//! the name of the one before.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Context;
use crate::failure::Failure;
use crate::given::variable;
use crate::settings::unreadable;
use crate::text::contexts as text;

/// The folder `nats` of the user's configuration.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Where it is, or would be; `None` when the environment names no home.
    pub(crate) fn find() -> Option<Self> {
        let configuration = match variable("XDG_CONFIG_HOME") {
            Some(path) => PathBuf::from(path),
            None => Path::new(&variable("HOME")?).join(".config"),
        };
        Some(Self(configuration.join("nats")))
    }

    /// Where it is, for a command that can't do without.
    pub(crate) fn demand() -> Result<Self, Failure> {
        Self::find().ok_or_else(|| Failure::Local {
            what: text::no_home().to_owned(),
            next: text::no_home_next().to_owned(),
        })
    }

    /// The names of all contexts, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>, Failure> {
        let folder = self.0.join("context");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(&folder, &error)),
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
            .filter(|name| check_name(name).is_ok())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Whether there is a context of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        check_name(name).is_ok() && self.path(name).is_file()
    }

    /// Reads a context, which must exist.
    pub(crate) fn load(&self, name: &str) -> Result<Context, Failure> {
        check_name(name)?;
        let path = self.path(name);
        if !path.is_file() {
            return Err(Failure::Usage {
                what: text::unknown(name),
                next: text::unknown_next().to_owned(),
            });
        }
        Context::read(name, &path)
    }

    /// A context, new if there is none of this name.
    pub(crate) fn load_or_new(&self, name: &str) -> Result<Context, Failure> {
        check_name(name)?;
        match self.knows(name) {
            true => self.load(name),
            false => Ok(Context::new(name, self.path(name))),
        }
    }

    /// Stores a context in its file.
    pub(crate) fn save(&self, context: &Context) -> Result<(), Failure> {
        self.make()?;
        write(&context.path, context.to_json().as_bytes())
    }

    /// Removes a context, and its selection.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = self.load_path(name)?;
        std::fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
        if self.selected()?.as_deref() == Some(name) {
            self.select(None)?;
        }
        Ok(())
    }

    /// The selected context's name.
    pub(crate) fn selected(&self) -> Result<Option<String>, Failure> {
        self.name_in("context.txt")
    }

    /// The name of the one that was selected before.
    pub(crate) fn previous(&self) -> Result<Option<String>, Failure> {
        self.name_in("previous-context.txt")
    }

    /// Selects a context, or none, and remembers the one before.
    pub(crate) fn select(&self, name: Option<&str>) -> Result<(), Failure> {
        self.make()?;
        let selection = self.0.join("context.txt");
        if let Some(before) = self.selected()? {
            write(&self.0.join("previous-context.txt"), before.as_bytes())?;
        }
        match name {
            Some(name) => {
                self.load_path(name)?;
                write(&selection, name.as_bytes())
            }
            None => match std::fs::remove_file(&selection) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(unwritable(&selection, &error))
                }
                _ => Ok(()),
            },
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join("context").join(format!("{name}.json"))
    }

    /// The path of a context that exists, whatever is in its file.
    pub(crate) fn load_path(&self, name: &str) -> Result<PathBuf, Failure> {
        check_name(name)?;
        match self.knows(name) {
            true => Ok(self.path(name)),
            false => Err(Failure::Usage {
                what: text::unknown(name),
                next: text::unknown_next().to_owned(),
            }),
        }
    }

    fn name_in(&self, file: &str) -> Result<Option<String>, Failure> {
        let path = self.0.join(file);
        match std::fs::read_to_string(&path) {
            Ok(content) => Ok(Some(content.trim().to_owned()).filter(|name| !name.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path, &error)),
        }
    }

    fn make(&self) -> Result<(), Failure> {
        let folder = self.0.join("context");
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.map_err(|error| unwritable(&folder, &error))
    }
}

/// Names are file names: nothing that would lead out of the folder (the rule of the `nats` CLI).
fn check_name(name: &str) -> Result<(), Failure> {
    let bad = name.is_empty() || name.contains("..") || name.contains(['/', '\\', '\0']);
    match bad {
        false => Ok(()),
        true => Err(Failure::Usage {
            what: text::bad_name(name),
            next: text::bad_name_next().to_owned(),
        }),
    }
}

/// Puts `content` in the place of the file at once, readable for its owner alone: whoever reads
/// it meanwhile gets the old content or the new, and a full disk leaves the old.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    // A link (configuration kept elsewhere) stays one: what it leads to is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beside = target.with_file_name(format!(".{name}.{}.new", std::process::id()));
    // One that an earlier process of the same number left behind.
    let _ = std::fs::remove_file(&beside);
    let written = write_new(&beside, content).and_then(|()| std::fs::rename(&beside, &target));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        unwritable(path, &error)
    })
}

fn write_new(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Local {
        what: text::unwritable(&path.display().to_string(), &error.to_string()),
        next: text::unwritable_next().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for name in ["prod", "a.b", "con espacio", "ñandú"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "..", "a/../b", "a/b", "a\\b", "a\0b"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
