//! Opening the store: the directory, the log in it, and the streams that the log tells of.

use std::path::{Path, PathBuf};
use std::time::Instant;

use recado_log::{Committer, Log, OpenError, RealDisk, Replayed};
use recado_streams::jetstream::{Opening, Settings};
use thiserror::Error;

/// A store that was opened.
pub(crate) struct Store {
    pub(super) opening: Opening,
    pub(super) log: Log<RealDisk>,
    pub(super) committer: Committer<RealDisk>,
    pub(super) directory: PathBuf,
    pub(super) started: Instant,
}

/// Why a store can't be used. The first two are texts that harnesses of nats-server look for.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is a file of that name.
    #[error("storage directory is not a directory: {0}. Choose another one with --store-dir DIR, or none with --no-streams")]
    NotADirectory(PathBuf),
    /// It is not there and can't be made.
    #[error("could not create storage directory {path}: {why}. Choose one that can be written with --store-dir DIR, or none with --no-streams")]
    NotCreated {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The log in it can't be opened.
    #[error("the store in {path} can't be opened: {why}")]
    Log {
        /// Which.
        path: PathBuf,
        /// What was wrong.
        why: Box<OpenError>,
    },
}

/// Opens the store in a directory, which is made if it is not there.
///
/// # Errors
/// As [`StoreError`] says.
pub(crate) fn open(directory: &Path, settings: Settings) -> Result<Store, StoreError> {
    let started = Instant::now();
    if directory.exists() && !directory.is_dir() {
        return Err(StoreError::NotADirectory(directory.to_owned()));
    }
    let not_created = |why| StoreError::NotCreated {
        path: directory.to_owned(),
        why,
    };
    std::fs::create_dir_all(directory).map_err(not_created)?;
    let disk = RealDisk::new(directory).map_err(not_created)?;
    let mut opening = Opening::new(settings);
    let log_settings = recado_log::Settings {
        salt: rand::random(),
        ..recado_log::Settings::default()
    };
    let opened = Log::open(disk, log_settings, &mut |replayed| match replayed {
        Replayed::Record { entry, payload, .. } => opening.record(&entry, payload),
        Replayed::Lost(lost) => opening.lost(
            lost.stream,
            lost.sequence,
            u64::from(lost.bytes),
            &lost.to_string(),
        ),
    });
    let (log, committer, report) = opened.map_err(|why| StoreError::Log {
        path: directory.to_owned(),
        why: Box::new(why),
    })?;
    tracing::debug!(?report, "log opened");
    Ok(Store {
        opening,
        log,
        committer,
        directory: directory.to_owned(),
        started,
    })
}
