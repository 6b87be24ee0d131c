//! The settings of streams: where they are stored and how much of everything there may be. The
//! environment that a default directory depends on is reached only through [`Surroundings`], and the
//! file system not at all.

use std::path::PathBuf;
use std::time::Duration;

use recado_log::{Cipher, Secret};

use super::messages::KeyProblem;
use super::options::Personality;
use super::surroundings::Surroundings;

/// Name of the directory inside `store_dir` that nats-server stores in.
const NATS_DIRECTORY: &str = "jetstream";
/// Name of our directory below the directory of programs' state.
const OUR_DIRECTORY: &str = "recado";

/// Streams; reference rows D28, D31, D32, E97, E230 and G01.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamsOptions {
    /// Whether there are streams.
    pub enabled: bool,
    /// The directory as it was named. `None` until [`StreamsOptions::find_store`] has found the
    /// default one; a server with streams can't start without.
    pub store_dir: Option<PathBuf>,
    /// Nobody named `store_dir`: it is the default one, which another server may have.
    pub store_dir_is_default: bool,
    /// What is stored in which directory of `store_dir`.
    pub layout: StoreLayout,
    /// Bytes that streams in memory may take together; `None`: as the machine has room.
    pub max_memory_bytes: Option<u64>,
    /// Bytes that streams in files may take together; `None`: as the disk has room.
    pub max_file_bytes: Option<u64>,
    /// What `sync_interval` said. Every acknowledgement waits for its sync, whatever this is.
    pub sync_interval: SyncInterval,
    /// Refuse requests to the API that have fields it does not know.
    pub strict: bool,
    /// Domain that the API is reachable under, too; no dots, wildcards or blanks.
    pub domain: Option<String>,
    /// Messages that may wait to be stored in one stream (E97).
    pub max_buffered_messages: u64,
    /// Bytes that may wait to be stored in one stream (E97).
    pub max_buffered_bytes: u64,
    /// Requests to the API that may wait for an answer.
    pub request_queue_limit: u64,
    /// The same for requests that only ask for information; `None`: as many.
    pub info_queue_limit: Option<u64>,
    /// Ceilings of what streams and consumers may ask for.
    pub limits: StreamsLimits,
    /// Encryption of what is stored.
    pub encryption: StoreEncryption,
}

/// `key`, `prev_key` and `cipher`; reference rows G40 and G41.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreEncryption {
    /// What the store's own key is sealed with. `None`: what is stored is not encrypted.
    pub key: Option<Secret>,
    /// What it was sealed with before.
    pub previous: Option<Secret>,
    /// `None` for the usual one.
    pub cipher: Option<Cipher>,
}

/// Which part of `store_dir` is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StoreLayout {
    /// All of it.
    #[default]
    Recado,
    /// `jetstream` inside, as nats-server has it.
    NatsServer,
}

/// `sync_interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncInterval {
    /// `always`: what is done in any case.
    Always,
    /// A time between syncs.
    Every(Duration),
}

/// `limits { … }`. `None`: no ceiling of the server's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamsLimits {
    /// Largest `max_ack_pending` of a consumer.
    pub max_ack_pending: Option<u64>,
    /// Most messages that one pull request may ask for.
    pub max_request_batch: Option<u64>,
    /// Consumers of a stream that names no limit of its own, in an account that has none.
    pub default_max_consumers: Option<u64>,
    /// Longest time in which a stream may look for duplicates.
    pub duplicate_window: Option<Duration>,
    /// `batch { … }`: publishing in batches.
    pub batch: BatchLimits,
}

/// `limits { batch { … } }`. `None`: the default, which atomic and fast batches have each their own of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchLimits {
    /// Open batches of one stream; by default 50 atomic and 1,000 fast ones.
    pub max_inflight_per_stream: Option<u64>,
    /// Open batches of the server; by default 1,000 atomic and 50,000 fast ones.
    pub max_inflight_total: Option<u64>,
    /// Messages of one atomic batch; by default 1,000.
    pub max_messages: Option<u64>,
    /// Time without a message after which an open batch is given up; by default 10 s.
    pub timeout: Option<Duration>,
}

impl StreamsOptions {
    /// What a program of this personality does without arguments.
    pub fn of(personality: Personality) -> Self {
        match personality {
            Personality::Recado => Self::default(),
            Personality::NatsServer => Self {
                enabled: false,
                layout: StoreLayout::NatsServer,
                ..Self::default()
            },
        }
    }

    /// What a server inside another program has unless it is told where to store them.
    pub fn off() -> Self {
        Self {
            enabled: false,
            ..Self::default()
        }
    }

    /// The directory that is stored in: `store_dir` itself, or `jetstream` inside as `nats-server`.
    pub fn directory(&self) -> Option<PathBuf> {
        let store_dir = self.store_dir.as_ref()?;
        Some(match self.layout {
            StoreLayout::Recado => store_dir.clone(),
            StoreLayout::NatsServer => store_dir.join(NATS_DIRECTORY),
        })
    }

    /// Looks the default directory up if none was named and one is needed. Where there is none, all
    /// stays as it is, and `Options::validate` says what to do.
    pub(super) fn find_store(&mut self, surroundings: &dyn Surroundings) -> Option<KeyProblem> {
        if !self.enabled || self.store_dir.is_some() {
            return None;
        }
        self.store_dir_is_default = true;
        match self.layout {
            StoreLayout::Recado => {
                self.store_dir = state_directory(surroundings);
                None
            }
            StoreLayout::NatsServer => {
                self.store_dir = Some(temporary_directory(surroundings).join("nats"));
                let stored_in = self.directory()?.display().to_string();
                Some(KeyProblem::StoreIsTemporary(stored_in))
            }
        }
    }
}

/// Where streams are stored if nothing is said.
pub(crate) fn default_store(surroundings: &dyn Surroundings) -> Option<PathBuf> {
    state_directory(surroundings)
}

/// Where this user's, or this service's, state belongs: systemd's `STATE_DIRECTORY`, else `recado`
/// below `XDG_STATE_HOME`, below `~/.local/state`, or below `/var/lib` for root without a home.
fn state_directory(surroundings: &dyn Surroundings) -> Option<PathBuf> {
    // The XDG specification has relative paths ignored; a store that moves with the working
    // directory would look like lost messages.
    let absolute = |name| {
        surroundings
            .variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    // systemd separates several by colons; the first is the unit's main one.
    let of_service = surroundings.variable("STATE_DIRECTORY");
    let of_service = of_service
        .as_deref()
        .and_then(|several| several.split(':').next())
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let of_user = || {
        absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
            .or_else(|| surroundings.is_root().then(|| PathBuf::from("/var/lib")))
            .map(|state| state.join(OUR_DIRECTORY))
    };
    of_service.or_else(of_user)
}

fn temporary_directory(surroundings: &dyn Surroundings) -> PathBuf {
    let named = surroundings.variable("TMPDIR");
    let named = named.filter(|path| !path.is_empty());
    named.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
}

/// Whether a domain can stand as one token in the API's subjects.
pub(super) fn is_domain(name: &str) -> bool {
    let forbidden = |found: char| {
        matches!(found, '.' | '*' | '>') || found.is_whitespace() || found.is_control()
    };
    !name.is_empty() && !name.contains(forbidden)
}

impl Default for StreamsOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            store_dir: None,
            store_dir_is_default: false,
            layout: StoreLayout::Recado,
            max_memory_bytes: None,
            max_file_bytes: None,
            sync_interval: SyncInterval::Always,
            strict: true,
            domain: None,
            max_buffered_messages: 100_000,
            max_buffered_bytes: 128 * 1024 * 1024,
            request_queue_limit: 10_000,
            info_queue_limit: None,
            limits: StreamsLimits::default(),
            encryption: StoreEncryption::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::surroundings::Imagined;

    fn found_in(mut streams: StreamsOptions, surroundings: &Imagined) -> (StreamsOptions, bool) {
        let warned = streams.find_store(surroundings).is_some();
        (streams, warned)
    }

    #[test]
    fn the_default_directory_is_where_state_of_this_user_or_service_belongs() {
        let nobody = Imagined::homeless();
        let ana = nobody.clone().variable("HOME", "/home/ana");
        let elsewhere = ana.clone().variable("XDG_STATE_HOME", "/state");
        let relative = ana.clone().variable("XDG_STATE_HOME", "state");
        let service = elsewhere
            .clone()
            .variable("STATE_DIRECTORY", "/var/lib/recado:/var/lib/other");
        let root = nobody.clone().root();
        for (surroundings, expected) in [
            (&nobody, None),
            (&ana, Some("/home/ana/.local/state/recado")),
            (&elsewhere, Some("/state/recado")),
            (&relative, Some("/home/ana/.local/state/recado")),
            (&service, Some("/var/lib/recado")),
            (&root, Some("/var/lib/recado")),
        ] {
            let (streams, warned) = found_in(StreamsOptions::default(), surroundings);
            assert_eq!(streams.store_dir.as_deref(), expected.map(Path::new));
            assert_eq!(streams.directory(), streams.store_dir);
            assert!(!warned);
        }
    }

    #[test]
    fn nats_server_stores_in_a_temporary_directory_and_warns() {
        let nats = StreamsOptions {
            enabled: true,
            ..StreamsOptions::of(Personality::NatsServer)
        };
        let (streams, warned) = found_in(nats.clone(), &Imagined::default());
        assert_eq!(streams.directory(), Some("/tmp/nats/jetstream".into()));
        assert!(warned);
        let other = Imagined::default().variable("TMPDIR", "/scratch");
        let (streams, _) = found_in(nats.clone(), &other);
        assert_eq!(streams.directory(), Some("/scratch/nats/jetstream".into()));
        let named = StreamsOptions {
            store_dir: Some("/data".into()),
            ..nats
        };
        let (streams, warned) = found_in(named, &other);
        assert_eq!(streams.directory(), Some("/data/jetstream".into()));
        assert!(!warned);
    }

    #[test]
    fn no_directory_is_looked_for_when_there_are_no_streams() {
        let (streams, warned) = found_in(
            StreamsOptions::of(Personality::NatsServer),
            &Imagined::default(),
        );
        assert_eq!((streams.store_dir, warned), (None, false));
        let (streams, _) = found_in(StreamsOptions::off(), &Imagined::default());
        assert_eq!(streams.store_dir, None);
    }

    #[test]
    fn a_domain_is_one_token() {
        for name in ["hub", "hub-1", "año"] {
            assert!(is_domain(name), "{name}");
        }
        for name in ["", "a.b", "a*", ">", "a b", "a\n"] {
            assert!(!is_domain(name), "{name:?}");
        }
    }
}
