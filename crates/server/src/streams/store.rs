//! Opening the store: the directory, the log in it, and the streams that the log tells of.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use recado_log::{Committer, Encryption, Log, RealDisk, Secret};
use recado_streams::jetstream::{Opening, Settings};

use crate::config::StoreEncryption;
use crate::error::StartError;
use crate::store_dir;

/// A store that was opened.
pub(crate) struct Store {
    pub(super) opening: Opening,
    pub(super) log: Log<RealDisk>,
    pub(super) committer: Committer<RealDisk>,
    pub(super) directory: PathBuf,
    pub(super) memory_bytes_max: Option<u64>,
    pub(super) file_bytes_max: Option<u64>,
    pub(super) started: Instant,
}

/// What was found in a store, for whoever starts the server.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Where it is.
    pub directory: PathBuf,
    /// Streams in it.
    pub streams: usize,
    /// Messages in them.
    pub messages: u64,
    /// Bytes that streams in memory may take together; none for any.
    pub memory_bytes_max: Option<u64>,
    /// Bytes that streams in the store may take together; none for any.
    pub file_bytes_max: Option<u64>,
    /// How long opening took.
    pub took: Duration,
}

/// How a log is to be encrypted, if at all.
pub(crate) fn encryption(configured: &StoreEncryption) -> Option<Encryption> {
    Some(Encryption {
        cipher: configured.cipher.unwrap_or_default(),
        key: configured.key.clone()?,
        previous: configured.previous.clone(),
        chance: Secret::new(rand::random::<[u8; 32]>().to_vec()),
    })
}

/// Opens the store in a directory, which is made if it is not there.
///
/// # Errors
/// When the directory can't be made or the log in it not be opened.
pub(crate) fn open(
    directory: &Path,
    settings: Settings,
    encrypted: &StoreEncryption,
) -> Result<Store, StartError> {
    let started = Instant::now();
    store_dir::prepare(directory)?;
    let disk = RealDisk::new(directory).map_err(|source| StartError::StoreUncreatable {
        path: directory.to_owned(),
        source,
    })?;
    let (memory_bytes_max, file_bytes_max) = (settings.memory_bytes_max, settings.file_bytes_max);
    let mut opening = Opening::new(settings);
    let log_settings = recado_log::Settings {
        salt: rand::random(),
        encryption: encryption(encrypted),
        ..recado_log::Settings::default()
    };
    let opened = Log::open(disk, log_settings, &mut |replayed| {
        opening.replay(&replayed)
    });
    let (log, committer, report) = opened.map_err(|source| StartError::Store {
        path: directory.to_owned(),
        source,
    })?;
    tracing::debug!(?report, "log opened");
    let plain = log.usage().plain_segments;
    if plain > 0 {
        tracing::info!(
            store = %directory.display(),
            "{plain} segments of the store are not encrypted yet: they are written anew while the server runs"
        );
    }
    if report.damaged_released {
        tracing::error!(
            store = %directory.display(),
            "the note of what is dead is damaged: messages that were removed may be there again"
        );
    }
    Ok(Store {
        opening,
        log,
        committer,
        directory: directory.to_owned(),
        memory_bytes_max,
        file_bytes_max,
        started,
    })
}
