//! Claims of accounts.

use std::collections::{BTreeMap, HashMap};

use recado_wire::filter_matches;
use serde::Deserialize;

use super::activation::ActivationClaims;
use super::permissions::{PermissionClaims, UserLimitClaims};
use super::token::{Claims, InvalidToken, decode, or_default};
use crate::signature::KeyKind;

/// Most imports, exports, signing keys or mappings of one account.
const ENTRIES_MAX: usize = 4_096;

/// What is particular to accounts.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AccountClaims {
    /// What it takes of others.
    #[serde(deserialize_with = "or_default")]
    pub imports: Vec<ImportClaims>,
    /// What it offers to others.
    #[serde(deserialize_with = "or_default")]
    pub exports: Vec<ExportClaims>,
    /// Its bounds.
    pub limits: AccountLimits,
    /// Keys that sign users for it, some with a role.
    #[serde(deserialize_with = "or_default")]
    pub signing_keys: Vec<SigningKey>,
    /// Users that are let in no more: what was issued at this time or before. `*` stands for all.
    #[serde(deserialize_with = "or_default")]
    pub revocations: HashMap<String, i64>,
    /// For users without permissions of their own.
    pub default_permissions: PermissionClaims,
    /// Subjects that are renamed when they are published.
    #[serde(deserialize_with = "or_default")]
    pub mappings: BTreeMap<String, Vec<MappingClaims>>,
    /// A service that decides on logins.
    pub authorization: ExternalAuthorization,
    /// Where messages with a trace header of others are traced to.
    pub trace: Option<TraceClaims>,
    /// Words, to fill in templates with.
    #[serde(deserialize_with = "or_default")]
    pub tags: Vec<String>,
    /// The token that all of this was read from.
    #[serde(skip)]
    pub token: Box<str>,
}

/// Bounds of an account; below 0 there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AccountLimits {
    /// Subscriptions of one connection.
    pub subs: i64,
    /// Bytes. Not enforced, as in nats-server.
    pub data: i64,
    /// Bytes of one message.
    pub payload: i64,
    /// Imports.
    pub imports: i64,
    /// Exports.
    pub exports: i64,
    /// Whether exports may have wildcards.
    pub wildcards: bool,
    /// No user may come with a token alone.
    pub disallow_bearer: bool,
    /// Connections at once.
    pub conn: i64,
    /// Leaf nodes at once.
    pub leaf: i64,
    /// What it may have of streams.
    #[serde(flatten)]
    pub streams: StreamsLimits,
    /// The same by tier (`R1`, `R3`).
    #[serde(deserialize_with = "or_default")]
    pub tiered_limits: BTreeMap<String, StreamsLimits>,
}

/// What an account may have of streams; below 0 there is no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StreamsLimits {
    /// Bytes in memory; 0: none.
    pub mem_storage: i64,
    /// Bytes on disk; 0: none.
    pub disk_storage: i64,
    /// Streams.
    pub streams: i64,
    /// Consumers.
    pub consumer: i64,
    /// Unacknowledged messages of one consumer; 0: no bound.
    pub max_ack_pending: i64,
    /// Bytes of one stream in memory; 0: no bound.
    pub mem_max_stream_bytes: i64,
    /// Bytes of one stream on disk; 0: no bound.
    pub disk_max_stream_bytes: i64,
    /// Every stream must say how large it may become.
    pub max_bytes_required: bool,
}

impl StreamsLimits {
    /// Whether there may be any stream.
    pub fn is_enabled(&self) -> bool {
        self.mem_storage != 0 || self.disk_storage != 0
    }
}

/// A key that signs users.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum SigningKey {
    /// Without a role: users' own claims count.
    Plain(String),
    /// With a role: it says what all its users may do (C10).
    Scoped(Box<Scope>),
}

/// A role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// `user_scope`.
    pub kind: String,
    /// The public key.
    pub key: String,
    /// Its name.
    pub role: String,
    /// What its users may do.
    pub template: ScopeTemplate,
}

/// What a role's users may do, templates not yet filled in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ScopeTemplate {
    /// What they may do.
    #[serde(flatten)]
    pub permissions: PermissionClaims,
    /// Addresses, times and their zone.
    #[serde(flatten)]
    place: ScopePlace,
    /// Subscriptions.
    subs: i64,
    /// Bytes.
    data: i64,
    /// Bytes of one message.
    payload: i64,
    /// The token alone is enough.
    pub bearer_token: bool,
    /// They must come through a trusted proxy.
    pub proxy_required: bool,
    /// How they may be connected.
    #[serde(deserialize_with = "or_default")]
    pub allowed_connection_types: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct ScopePlace {
    src: super::permissions::Sources,
    #[serde(deserialize_with = "or_default")]
    times: Vec<super::permissions::TimeRange>,
    times_location: String,
}

/// Unlike with users, what is not said has no bound.
impl Default for ScopeTemplate {
    fn default() -> Self {
        Self {
            permissions: PermissionClaims::default(),
            place: ScopePlace::default(),
            subs: -1,
            data: -1,
            payload: -1,
            bearer_token: false,
            proxy_required: false,
            allowed_connection_types: Vec::new(),
        }
    }
}

impl ScopeTemplate {
    /// Its bounds.
    pub fn limits(&self) -> UserLimitClaims {
        UserLimitClaims {
            src: self.place.src.clone(),
            times: self.place.times.clone(),
            times_location: self.place.times_location.clone(),
            subs: self.subs,
            data: self.data,
            payload: self.payload,
        }
    }
}

impl SigningKey {
    /// The public key.
    pub fn key(&self) -> &str {
        match self {
            Self::Plain(key) => key,
            Self::Scoped(scope) => &scope.key,
        }
    }
}

/// What an account offers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ExportClaims {
    /// A name for people.
    pub name: String,
    /// Which subjects.
    pub subject: String,
    /// `stream` or `service`.
    pub r#type: String,
    /// Whether importers need an activation.
    pub token_req: bool,
    /// Activations that hold no more, as [`AccountClaims::revocations`].
    #[serde(deserialize_with = "or_default")]
    pub revocations: HashMap<String, i64>,
    /// `Singleton`, `Stream` or `Chunked`.
    pub response_type: String,
    /// Nanoseconds.
    pub response_threshold: i64,
    /// Where it is told how long answers took.
    pub service_latency: Option<LatencyClaims>,
    /// Which token of the subject must be the importer's key; 0: none.
    pub account_token_position: usize,
    /// Whether traces go on.
    pub allow_trace: bool,
}

/// Where it is told how long answers took.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct LatencyClaims {
    /// Percent, or `"headers"`.
    pub sampling: serde_json::Value,
    /// Subject.
    pub results: String,
}

/// What an account takes of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ImportClaims {
    /// A name for people.
    pub name: String,
    /// Of a stream the exporter's subject, of a service the importer's.
    pub subject: String,
    /// The exporter.
    pub account: String,
    /// An activation.
    pub token: String,
    /// The older way to rename: of a stream a prefix, of a service the exporter's subject.
    pub to: String,
    /// What it is called here, with `$1` for wildcards.
    pub local_subject: String,
    /// `stream` or `service`.
    pub r#type: String,
    /// Whether requests say who made them.
    pub share: bool,
    /// Whether traces go on.
    pub allow_trace: bool,
}

/// Why an import has no effect; the later ones come closer to one that has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotImported {
    /// The exporter's claims are not known.
    #[error("the exporter is not known")]
    UnknownExporter,
    /// No export of that kind is wide enough.
    #[error("the exporter exports no such subject")]
    NotExported,
    /// A token of the subject must be the importer's key, and is another.
    #[error("the exporter keeps that subject for another account")]
    OfOthers,
    /// The export asks for an activation, and there is none that is for this import.
    #[error("the exporter asks for an activation token, and the import has none that fits")]
    NoActivation,
    /// The exporter took the activation back.
    #[error("its activation token is revoked")]
    ActivationRevoked,
    /// The activation's time is over.
    #[error("its activation token has expired")]
    ActivationOver,
    /// The activation's time has not come.
    #[error("its activation token is not valid yet")]
    ActivationNotYet,
    /// The names of the subject on both sides do not fit each other.
    #[error("its names on both sides do not fit each other")]
    Misnamed,
}

/// Where a part of the messages goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MappingClaims {
    /// Subject.
    pub subject: String,
    /// Percent; 0: 100.
    pub weight: u8,
    /// Only on servers of this cluster.
    pub cluster: String,
}

/// A service that decides on logins (C14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ExternalAuthorization {
    /// Users that are not asked about: the service itself. Empty: there is no such service.
    #[serde(deserialize_with = "or_default")]
    pub auth_users: Vec<String>,
    /// Accounts that it may put users in; `*`: any.
    #[serde(deserialize_with = "or_default")]
    pub allowed_accounts: Vec<String>,
    /// Public curve key that requests are encrypted for.
    pub xkey: String,
}

/// Where messages are traced to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TraceClaims {
    /// Subject.
    pub dest: String,
    /// Percent; 0: 100.
    pub sampling: i64,
}

impl ImportClaims {
    /// When its activation begins or ends to hold next, after `now_s`, in seconds since 1970 (C46).
    pub fn turns_after_s(&self, now_s: u64) -> Option<u64> {
        if self.token.is_empty() {
            return None;
        }
        let activation = Claims::<ActivationClaims>::decode_activation(&self.token).ok()?;
        let second = |at: i64| u64::try_from(at).ok().filter(|at| *at > 0);
        // It holds in the very second that it expires in.
        let ends = second(activation.expires_s).map(|last| last + 1);
        let turns = [second(activation.not_before_s), ends];
        turns.into_iter().flatten().filter(|at| *at > now_s).min()
    }

    /// The subject as the exporter calls it.
    pub fn exporters_subject(&self) -> &str {
        match (
            self.r#type.as_str(),
            self.local_subject.is_empty(),
            self.to.as_str(),
        ) {
            ("service", true, to) if !to.is_empty() => to,
            _ => &self.subject,
        }
    }
}

impl Claims<AccountClaims> {
    /// Reads an account's token, whoever signed it.
    pub fn decode_account(token: &str) -> Result<Self, InvalidToken> {
        let issuers = [KeyKind::Operator, KeyKind::Account];
        let mut read: Self = decode(token, "account", &issuers, KeyKind::Account)?;
        read.nats.token = token.into();
        read.nats.check().map_err(InvalidToken::Invalid)?;
        read.nats.default_permissions.check()?;
        for key in &read.nats.signing_keys {
            if let SigningKey::Scoped(scope) = key {
                scope.template.permissions.check()?;
                scope.template.limits().check()?;
            }
        }
        Ok(read)
    }

    /// The key that a user was signed with, if it is one of this account's: `Some(None)` without a role.
    pub(crate) fn signer(&self, issuer: &str) -> Option<Option<&Scope>> {
        if issuer == self.subject {
            return Some(None);
        }
        let mut keys = self.nats.signing_keys.iter();
        keys.find(|key| key.key() == issuer).map(|key| match key {
            SigningKey::Plain(_) => None,
            SigningKey::Scoped(scope) => Some(scope.as_ref()),
        })
    }

    /// Whether what was issued to a key at a time is revoked (C12).
    pub fn is_revoked(&self, key: &str, issued_s: i64) -> bool {
        is_revoked(&self.nats.revocations, key, issued_s)
    }

    /// The export that lets another account import this, at this time (C42, C43, C45, C46).
    ///
    /// # Errors
    /// Why none does; of several reasons the one that comes closest.
    pub fn export_for(
        &self,
        importer: &str,
        import: &ImportClaims,
        now_s: u64,
    ) -> Result<&ExportClaims, NotImported> {
        let subject = import.exporters_subject();
        let mut closest = NotImported::NotExported;
        for export in &self.nats.exports {
            if export.r#type != import.r#type || !covers(&export.subject, subject) {
                continue;
            }
            match self.lets_import(export, importer, import, now_s) {
                Ok(()) => return Ok(export),
                Err(why) => closest = closest.max(why),
            }
        }
        Err(closest)
    }

    fn lets_import(
        &self,
        export: &ExportClaims,
        importer: &str,
        import: &ImportClaims,
        now_s: u64,
    ) -> Result<(), NotImported> {
        if let Some(before) = export.account_token_position.checked_sub(1) {
            let token = import.exporters_subject().split('.').nth(before);
            return match token == Some(importer) {
                true => Ok(()),
                false => Err(NotImported::OfOthers),
            };
        }
        if !export.token_req {
            return Ok(());
        }
        let activation = Claims::<ActivationClaims>::decode_activation(&import.token)
            .map_err(|_| NotImported::NoActivation)?;
        let fits = activation.exporter() == self.subject
            && self.signer(&activation.issuer).is_some()
            && activation.subject == importer
            && activation.nats.kind == import.r#type
            && covers(&activation.nats.subject, import.exporters_subject());
        if !fits {
            return Err(NotImported::NoActivation);
        }
        let (key, issued_s) = (&activation.subject, activation.issued_s);
        if is_revoked(&export.revocations, key, issued_s) {
            return Err(NotImported::ActivationRevoked);
        }
        activation.check_time(now_s).map_err(|why| match why {
            InvalidToken::NotYet => NotImported::ActivationNotYet,
            _ => NotImported::ActivationOver,
        })
    }
}

impl AccountClaims {
    /// An account without bounds, which offers and takes nothing.
    pub(crate) fn unbounded() -> Self {
        Self {
            limits: AccountLimits {
                subs: -1,
                data: -1,
                payload: -1,
                imports: -1,
                exports: -1,
                wildcards: true,
                conn: -1,
                leaf: -1,
                ..AccountLimits::default()
            },
            ..Self::default()
        }
    }

    /// What contradicts itself or the operator's bounds.
    fn check(&self) -> Result<(), String> {
        let counts = [
            self.imports.len(),
            self.exports.len(),
            self.signing_keys.len(),
            self.mappings.len(),
        ];
        if counts.into_iter().any(|count| count > ENTRIES_MAX) {
            return Err(format!("it has more than {ENTRIES_MAX} entries of a kind"));
        }
        let above = |count: usize, max: i64| usize::try_from(max).is_ok_and(|max| count > max);
        let limits = &self.limits;
        if above(self.imports.len(), limits.imports) {
            return Err("it has more imports than its operator allows".to_owned());
        }
        if above(self.exports.len(), limits.exports) {
            return Err("it has more exports than its operator allows".to_owned());
        }
        let wildcard = |export: &ExportClaims| recado_wire::has_wildcard(export.subject.as_bytes());
        if limits.exports >= 0 && !limits.wildcards && self.exports.iter().any(wildcard) {
            return Err("its exports have wildcards, which its operator does not allow".to_owned());
        }
        if !limits.tiered_limits.is_empty() && limits.streams != StreamsLimits::default() {
            return Err("it has limits of streams both by tier and without".to_owned());
        }
        self.check_entries()
    }

    fn check_entries(&self) -> Result<(), String> {
        let account = |key: &str| KeyKind::of(key) == Some(KeyKind::Account);
        if !self.signing_keys.iter().all(|key| account(key.key())) {
            return Err("one of its signing keys is not the public key of an account".to_owned());
        }
        for key in &self.signing_keys {
            if let SigningKey::Scoped(scope) = key
                && scope.kind != "user_scope"
            {
                return Err("one of its signing keys has a role of an unknown kind".to_owned());
            }
        }
        let known = |kind: &str| matches!(kind, "stream" | "service");
        let valid = |subject: &str| recado_wire::validate_filter(subject.as_bytes()).is_ok();
        for export in &self.exports {
            if !known(&export.r#type) || !valid(&export.subject) {
                return Err(format!("its export {:?} is not valid", export.subject));
            }
            if let Some(before) = export.account_token_position.checked_sub(1)
                && export.subject.split('.').nth(before) != Some("*")
            {
                return Err(format!(
                    "its export {:?} has no wildcard for the importer",
                    export.subject
                ));
            }
        }
        for import in &self.imports {
            if !known(&import.r#type) || !valid(&import.subject) || !account(&import.account) {
                return Err(format!("its import {:?} is not valid", import.subject));
            }
        }
        let external = &self.authorization;
        if !external.xkey.is_empty() && KeyKind::of(&external.xkey) != Some(KeyKind::Curve) {
            return Err("its xkey is not a public curve key".to_owned());
        }
        Ok(())
    }
}

/// As nats-server: a time stands for itself and all before.
fn is_revoked(revocations: &HashMap<String, i64>, key: &str, issued_s: i64) -> bool {
    let until = |key| revocations.get(key).is_some_and(|until| *until >= issued_s);
    until(key) || until("*")
}

/// Whether every subject of `inner` is one of `outer`.
fn covers(outer: &str, inner: &str) -> bool {
    let deep = inner == ">" || inner.ends_with(".>");
    filter_matches(outer.as_bytes(), inner.as_bytes())
        && (!deep || outer == ">" || outer.ends_with(".>"))
}
