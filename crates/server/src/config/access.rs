//! Who may connect, and which accounts there are, as configured: reference rows D21, D34 to D36.
//!
//! Plain data. What must hold between the parts was checked where they were read.

use std::time::Duration;

use recado_auth::jwt::NotImported;
use recado_auth::{ConnectionType, NameOrKey, PermissionsSpec};

/// One user (D35).
#[derive(Clone, PartialEq, Eq)]
pub struct UserOptions {
    /// Its name or public nkey.
    pub name: NameOrKey,
    /// Its password, plain or bcrypt; not for nkeys.
    pub password: Option<String>,
    /// What it may do, defaults filled in; `None`: everything.
    pub permissions: Option<PermissionsSpec>,
    /// How it may be connected; empty: in any way.
    pub connection_types: Vec<ConnectionType>,
    /// Whether it must come through a trusted proxy.
    pub proxy_required: bool,
}

/// Secrets never reach a log through `{:?}`.
impl std::fmt::Debug for UserOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserOptions")
            .field("name", &self.name)
            .field("password", &self.password.as_ref().map(|_| "[redacted]"))
            .field("permissions", &self.permissions)
            .field("connection_types", &self.connection_types)
            .field("proxy_required", &self.proxy_required)
            .finish()
    }
}

/// One account (D36).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountOptions {
    /// Its name.
    pub name: String,
    /// Its public nkey, for those that name it so.
    pub nkey: Option<String>,
    /// Its users.
    pub users: Vec<UserOptions>,
    /// What it offers to others.
    pub exports: Vec<Export>,
    /// What it takes of others.
    pub imports: Vec<Import>,
    /// What its operator's claims say that it takes, and nobody lets it. A configuration with such an import is refused.
    pub idle_imports: Vec<(Import, NotImported)>,
    /// When one of its activation tokens begins or ends to hold next, in seconds since 1970.
    pub imports_turn_s: Option<u64>,
    /// Subjects that are renamed when they are published.
    pub mappings: Vec<Mapping>,
    /// For users without permissions of their own; already filled in there.
    pub default_permissions: Option<PermissionsSpec>,
    /// Its bounds.
    pub limits: AccountLimits,
    /// Whether it may have streams, and how much of them.
    pub streams: Option<AccountStreams>,
    /// Where messages with a trace header of others (`traceparent`) are traced to.
    pub trace: Option<AccountTrace>,
}

/// Bounds of one account (C41); `None`: none beside the server's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountLimits {
    /// Connections at once.
    pub max_connections: Option<usize>,
    /// Subscriptions of one connection.
    pub max_subscriptions: Option<usize>,
    /// Largest payload of one message, in bytes.
    pub max_payload: Option<usize>,
    /// Leaf nodes at once.
    pub max_leafnodes: Option<usize>,
}

/// What an account may have of streams (C48); `None`: as much as the server has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountStreams {
    /// Bytes kept in memory.
    pub max_memory_bytes: Option<u64>,
    /// Bytes kept on disk.
    pub max_store_bytes: Option<u64>,
    /// Streams.
    pub max_streams: Option<u64>,
    /// Consumers of one stream.
    pub max_consumers: Option<u64>,
    /// Whether every stream must say how large it may become.
    pub max_bytes_required: bool,
    /// Bytes of one stream that is kept in memory.
    pub memory_max_stream_bytes: Option<u64>,
    /// Bytes of one stream that is kept on disk.
    pub store_max_stream_bytes: Option<u64>,
    /// Unacknowledged messages of one consumer.
    pub max_ack_pending: Option<u64>,
}

/// Where traces of an account go, and how many of a hundred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountTrace {
    /// Subject.
    pub destination: String,
    /// Percent of the messages.
    pub sampling_percent: u8,
}

/// Whether messages cross from exporter to importer, or requests the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Messages, from the exporter to the importer.
    Stream,
    /// Requests, from the importer to the exporter, and their answers.
    Service,
}

/// What an account offers (C42, C43).
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Messages or requests.
    pub kind: Kind,
    /// Which subjects; wildcards allowed.
    pub subject: String,
    /// Who may import it; `None`: everybody. Nobody may where the list is empty.
    pub accounts: Option<Vec<String>>,
    /// Whoever imports it needs a token that lets it; that was looked at where the importer's claims were read.
    pub needs_activation: bool,
    /// How many answers a request has.
    pub response_type: ResponseType,
    /// How long an answer may take; `None`: 2 minutes.
    pub response_threshold: Option<Duration>,
    /// Where it is told how long answers took.
    pub latency: Option<Latency>,
    /// Which token of the subject (from 1) must be the importer's name (C45).
    pub token_position: Option<usize>,
    /// Whether traces go on in the exporting account.
    pub allow_trace: bool,
}

/// How many answers a request has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseType {
    /// One.
    #[default]
    Singleton,
    /// Any number.
    Stream,
    /// One, in parts.
    Chunked,
}

/// Where it is told how long the answers of a service took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Subject in the exporting account.
    pub subject: String,
    /// Of which requests.
    pub sampling: Sampling,
}

/// Which requests are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// So many of a hundred.
    Percent(u8),
    /// Those whose headers ask for it.
    Headers,
}

/// What an account takes of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// Messages or requests.
    pub kind: Kind,
    /// The exporter.
    pub from_account: String,
    /// Which subjects, as the exporter calls them.
    pub subject: String,
    /// What they are called here.
    pub name: ImportName,
    /// Whether requests say who made them (C44).
    pub share: bool,
    /// Whether traces go on from the exporting account.
    pub allow_trace: bool,
}

/// What imported subjects are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ImportName {
    /// As the exporter calls them.
    #[default]
    Same,
    /// So, with `*` or `$1` for the wildcards.
    To(String),
    /// As the exporter calls them, behind this.
    Prefix(String),
}

impl Import {
    /// The subjects as they are called here.
    pub fn local(&self) -> String {
        match &self.name {
            ImportName::Same => self.subject.clone(),
            ImportName::To(to) => to.clone(),
            ImportName::Prefix(prefix) => {
                format!("{}.{}", prefix.trim_end_matches('.'), self.subject)
            }
        }
    }
}

/// A subject and what it becomes when it is published (C49).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Which subjects; wildcards allowed.
    pub source: String,
    /// Where they go. What the weights leave of a hundred keeps its subject, unless the source is among them.
    pub destinations: Vec<Destination>,
}

/// Where a part of the messages goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Subject, with the functions of C50.
    pub dest: String,
    /// Percent of the messages.
    pub weight_percent: u8,
    /// Only on servers of this cluster.
    pub cluster: Option<String>,
}

/// A service that decides on logins (C14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalloutOptions {
    /// Public nkey of the account that signs the answers.
    pub issuer: String,
    /// The account that the service is connected in.
    pub account: String,
    /// Users that are not asked about: the service itself.
    pub auth_users: Vec<String>,
    /// Public curve key that requests are encrypted for.
    pub xkey: Option<String>,
    /// Accounts whose users are asked about; empty: all.
    pub allowed_accounts: Vec<String>,
}
