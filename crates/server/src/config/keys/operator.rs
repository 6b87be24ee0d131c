//! `operator`, `resolver` and what goes with them (D22, D48).

use std::path::{Path, PathBuf};
use std::time::Duration;

use recado_auth::KeyKind;
use recado_auth::jwt::{Claims, OperatorClaims, undecorated};

use super::draft::{Draft, Placed};
use super::field::Field;
use super::filled::{Part, Parts, of_table};
use super::known::{Meaning::Sets, OperatorKey, Table};
use super::lists::{bound, read_list};
use super::shown::Shown;
use super::users::nkey;
use super::{ERRORS_SHOWN_MAX, Findings, read_block};
use crate::config::fault::{Fault, Place};
use crate::config::lang::{Data, Map};
use crate::config::messages::{KeyProblem, OperatorProblem, Whose};
use crate::config::operator::{
    AccountsUrl, DirectoryKind, DirectoryOptions, OperatorOptions, ResolverOptions,
};
use crate::config::options::Options;
use crate::config::surroundings::Surroundings;
use crate::config::tls::TlsOptions;
use crate::version::NATS_VERSION;

/// How an inlined token begins.
const TOKEN_START: &str = "eyJ";

/// Operator mode, until all of it was read.
#[derive(Default)]
pub(super) struct DraftOperator {
    options: OperatorOptions,
    operators: Vec<Claims<OperatorClaims>>,
    /// Where operators are named, whether they could be read or not; likewise the next two.
    named: Option<Place>,
    trusted_keys: Option<Place>,
    resolver: Option<Place>,
    preload: Option<Place>,
    resolver_tls: Option<Place>,
    /// The first key that means nothing without an operator.
    dependent: Option<Placed<String>>,
}

/// Logins that wait for an answer must not do so for ever.
const LOOKUP_TIMEOUT_MAX: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq)]
enum ResolverKey {
    Type,
    Dir,
    AllowDelete,
    HardDelete,
    Limit,
    Ttl,
    Interval,
    Timeout,
}

const RESOLVER_KEYS: &Table<ResolverKey> = &[
    (&["type"], Sets(ResolverKey::Type)),
    (&["dir"], Sets(ResolverKey::Dir)),
    (&["allow_delete"], Sets(ResolverKey::AllowDelete)),
    (&["hard_delete"], Sets(ResolverKey::HardDelete)),
    (&["limit"], Sets(ResolverKey::Limit)),
    (&["ttl"], Sets(ResolverKey::Ttl)),
    (&["interval"], Sets(ResolverKey::Interval)),
    (&["timeout"], Sets(ResolverKey::Timeout)),
];

/// What `explain-config` shows of a directory of accounts.
pub(super) fn resolver_parts() -> Parts {
    of_table(RESOLVER_KEYS, |key| match key {
        ResolverKey::Type | ResolverKey::Dir => Part::NONE,
        ResolverKey::AllowDelete | ResolverKey::HardDelete => Part::FALSE,
        ResolverKey::Limit | ResolverKey::Ttl => Part::ANY,
        ResolverKey::Timeout => Part::Value(Shown::Time(Duration::from_millis(1_900))),
        ResolverKey::Interval => Part::IfWritten,
    })
}

/// Takes over one of the keys; mistakes inside are added to `findings`.
pub(super) fn set(
    key: OperatorKey,
    field: &Field<'_>,
    draft: &mut Draft,
    surroundings: &dyn Surroundings,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let draft = &mut draft.operator;
    if !matches!(key, OperatorKey::Operators | OperatorKey::TrustedKeys) {
        let place = field.key_place.clone();
        let value = field.key.to_owned();
        draft.dependent.get_or_insert(Placed { value, place });
    }
    let place = Some(field.value.place.clone());
    match key {
        OperatorKey::Operators => {
            draft.named = place;
            read_operators(field, draft, surroundings, findings)?;
        }
        OperatorKey::TrustedKeys => {
            draft.trusted_keys = place;
            draft.options.trusted_keys = keys(field, KeyKind::Operator, findings)?;
        }
        OperatorKey::Resolver => {
            draft.resolver = place;
            draft.options.resolver = resolver(field, findings)?;
        }
        OperatorKey::Preload => {
            draft.preload = place;
            draft.options.preload = preload(field, findings)?;
        }
        OperatorKey::ResolverTls => {
            let tls = super::tls::read(field, findings)?;
            warn_of_unused(field, &tls, findings);
            draft.options.resolver_tls = Some(tls);
            draft.resolver_tls = place;
        }
        OperatorKey::PinnedAccounts => {
            draft.options.pinned_accounts = Some(keys(field, KeyKind::Account, findings)?);
        }
        OperatorKey::DefaultSentinel => {
            draft.options.default_sentinel = Some(sentinel(field)?);
        }
    }
    Ok(())
}

/// What is for listeners is nothing to who connects to another server.
fn warn_of_unused(field: &Field<'_>, tls: &TlsOptions, findings: &mut Findings) {
    let default = TlsOptions::default();
    let unused = [
        (
            "verify",
            tls.client_certificates != default.client_certificates,
        ),
        (
            "handshake_first",
            tls.handshake_first != default.handshake_first,
        ),
        ("timeout", tls.timeout != default.timeout),
        ("pinned_certs", !tls.pinned_certs.is_empty()),
        ("connection_rate_limit", tls.connection_rate_limit.is_some()),
        ("ocsp_peer", tls.ocsp_peer.is_some()),
        ("certs", tls.certificates.len() > 1),
    ];
    for (key, _) in unused.into_iter().filter(|(_, there)| *there) {
        let warning = OperatorProblem::NothingForResolver(key.to_owned());
        findings.warnings.push(field.trouble(warning));
    }
}

fn keys(field: &Field<'_>, kind: KeyKind, findings: &mut Findings) -> Result<Vec<String>, Fault> {
    if matches!(field.value.data, Data::String(_)) {
        return Ok(vec![nkey(field, kind)?]);
    }
    let mut keys = Vec::new();
    read_list(field, findings, |one, _| {
        keys.push(nkey(one, kind)?);
        Ok(())
    })?;
    Ok(keys)
}

fn read_operators(
    field: &Field<'_>,
    draft: &mut DraftOperator,
    surroundings: &dyn Surroundings,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let mut take = |one: &Field<'_>| {
        let token = token(one, surroundings)?;
        let claims = Claims::decode_operator(&token).map_err(|why| {
            one.trouble(OperatorProblem::BadToken {
                whose: Whose::Operator,
                why,
            })
        })?;
        let wanted = &claims.nats.assert_server_version;
        if is_newer(wanted, NATS_VERSION) {
            return Err(one.trouble(OperatorProblem::NewerServer {
                wanted: wanted.clone(),
                version: NATS_VERSION,
            }));
        }
        draft.options.operators.push(token);
        draft.operators.push(claims);
        Ok(())
    };
    match &field.value.data {
        Data::String(_) => take(field),
        _ => read_list(field, findings, |one, _| take(one)),
    }
}

/// A token that is written here, or the file that it is in: as it is named, or beside the file that names it.
fn token(field: &Field<'_>, surroundings: &dyn Surroundings) -> Result<String, Fault> {
    let text = field.text()?;
    if text.starts_with(TOKEN_START) {
        return Ok(text.to_owned());
    }
    let path = Path::new(text);
    let beside = Path::new(field.key_place.file.as_ref()).parent();
    let beside = beside.map(|directory| directory.join(path));
    let loaded = surroundings.load(path).or_else(|error| {
        let beside = beside.and_then(|path| surroundings.load(&path).ok());
        beside.ok_or(error)
    });
    let loaded = loaded.map_err(|error| {
        field.trouble(OperatorProblem::Unreadable {
            path: text.to_owned(),
            error: error.to_string(),
        })
    })?;
    let text = String::from_utf8_lossy(&loaded.bytes);
    Ok(undecorated(&text).to_owned())
}

/// Whether a version like `2.15.0` is behind one that is asked for. What is no version asks for none.
fn is_newer(wanted: &str, have: &str) -> bool {
    let parts = |text: &str| -> Option<Vec<u64>> {
        let plain = text.split(['-', '+']).next().unwrap_or_default();
        plain.split('.').map(|part| part.parse().ok()).collect()
    };
    match (parts(wanted), parts(have)) {
        (Some(wanted), Some(have)) => wanted > have,
        _ => false,
    }
}

/// `MEMORY`, a URL, or a block for a directory.
fn resolver(field: &Field<'_>, findings: &mut Findings) -> Result<ResolverOptions, Fault> {
    match &field.value.data {
        Data::String(word) if is_memory(word) => Ok(ResolverOptions::Memory),
        Data::String(text) if in_brackets(text).is_some() || text.contains("://") => {
            let url = in_brackets(text).unwrap_or(text);
            let url = accounts_url(url).ok_or_else(|| field.trouble(OperatorProblem::BadUrl))?;
            Ok(ResolverOptions::Url(url))
        }
        Data::Map(map) => directory(field, map, findings),
        _ => Err(field.trouble(OperatorProblem::BadResolver)),
    }
}

fn is_memory(word: &str) -> bool {
    let word = word.trim();
    word.eq_ignore_ascii_case("memory") || word.eq_ignore_ascii_case("mem")
}

/// What stands in `URL(…)`, with quotation marks or without.
fn in_brackets(text: &str) -> Option<&str> {
    let text = text.trim();
    let (word, rest) = text.split_at_checked(3)?;
    let inner = rest.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    let inner = inner.trim().trim_matches('"');
    word.eq_ignore_ascii_case("url").then_some(inner.trim())
}

/// A URL that an account's key can be put behind.
fn accounts_url(text: &str) -> Option<AccountsUrl> {
    let text = text.trim();
    let mut url = text.to_owned();
    if !url.ends_with('/') {
        url.push('/');
    }
    let parsed: hyper::Uri = url.parse().ok()?;
    let known = matches!(parsed.scheme_str(), Some("http" | "https"));
    let has_host = parsed.host().is_some_and(|host| !host.is_empty());
    (known && has_host && parsed.query().is_none()).then_some(AccountsUrl(url))
}

fn directory(
    field: &Field<'_>,
    map: &Map,
    findings: &mut Findings,
) -> Result<ResolverOptions, Fault> {
    let (mut kind, mut directory) = (String::new(), DirectoryOptions::default());
    let mut seen: Vec<(ResolverKey, String, Place)> = Vec::new();
    let mistakes = findings.errors.len();
    read_block(map, RESOLVER_KEYS, findings, |key, inner, findings| {
        seen.push((key, inner.key.to_owned(), inner.key_place.clone()));
        match key {
            ResolverKey::Type => kind = inner.text()?.to_uppercase(),
            ResolverKey::Dir => directory.path = PathBuf::from(inner.text()?),
            ResolverKey::AllowDelete => directory.allow_delete = inner.boolean()?,
            ResolverKey::HardDelete => directory.hard_delete = inner.boolean()?,
            ResolverKey::Limit => {
                directory.limit = bound(inner)?.filter(|limit| *limit > 0);
            }
            ResolverKey::Ttl => {
                directory.ttl = Some(inner.span()?.duration).filter(|ttl| !ttl.is_zero());
            }
            ResolverKey::Timeout => {
                let timeout = inner.span()?.duration.min(LOOKUP_TIMEOUT_MAX);
                directory.lookup_timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
            }
            ResolverKey::Interval => {
                inner.span()?;
                let ignored = KeyProblem::ForSeveralServers(inner.key.to_owned());
                findings.warnings.push(inner.fault(ignored));
            }
        }
        Ok(())
    });
    if findings.errors.len() > mistakes {
        return Err(findings.errors.remove(mistakes));
    }
    let full = match kind.as_str() {
        "FULL" => true,
        "CACHE" => false,
        _ if is_memory(&kind) => return Ok(ResolverOptions::Memory),
        _ => return Err(field.trouble(OperatorProblem::BadResolver)),
    };
    directory.kind = match full {
        true => DirectoryKind::Full,
        false => DirectoryKind::Cache,
    };
    let misplaced = |key: ResolverKey| match key {
        ResolverKey::Ttl => full,
        ResolverKey::AllowDelete | ResolverKey::HardDelete | ResolverKey::Interval => !full,
        _ => false,
    };
    if let Some((_, key, place)) = seen.into_iter().find(|(key, ..)| misplaced(*key)) {
        let kind = if full { "CACHE" } else { "FULL" };
        return Err(Fault::at(
            &place,
            OperatorProblem::OnlyForKind { key, kind },
        ));
    }
    if directory.hard_delete && !directory.allow_delete {
        return Err(field.trouble(OperatorProblem::DeleteFirst));
    }
    if directory.path.as_os_str().is_empty() {
        return Err(field.fault(KeyProblem::Empty("dir".to_owned())));
    }
    Ok(ResolverOptions::Directory(directory))
}

/// Tokens of accounts, each under its public key.
fn preload(field: &Field<'_>, findings: &mut Findings) -> Result<Vec<(String, String)>, Fault> {
    let mut preload = Vec::new();
    for entry in field.map()?.entries() {
        if findings.errors.len() >= ERRORS_SHOWN_MAX {
            break;
        }
        if entry.used_as_variable {
            continue;
        }
        let inner = Field::of(entry);
        match account(&inner) {
            Ok(token) => preload.push((inner.key.to_owned(), token)),
            Err(fault) => findings.errors.push(fault),
        }
    }
    Ok(preload)
}

fn account(field: &Field<'_>) -> Result<String, Fault> {
    let token = field.text()?.trim();
    let claims = Claims::decode_account(token).map_err(|why| {
        field.trouble(OperatorProblem::BadToken {
            whose: Whose::Account,
            why,
        })
    })?;
    match claims.subject == field.key {
        true => Ok(token.to_owned()),
        false => Err(field.trouble(OperatorProblem::OtherAccount(claims.subject))),
    }
}

fn sentinel(field: &Field<'_>) -> Result<String, Fault> {
    let token = field.text()?.trim();
    match recado_auth::check_sentinel(token) {
        Ok(()) => Ok(token.to_owned()),
        Err(recado_auth::InvalidOperator::Sentinel(why)) => {
            Err(field.trouble(OperatorProblem::BadToken {
                whose: Whose::User,
                why,
            }))
        }
        Err(_) => Err(field.trouble(OperatorProblem::SentinelSigns)),
    }
}

impl DraftOperator {
    /// Whether a server is asked for accounts.
    fn is_by_url(&self) -> bool {
        match self.resolver {
            Some(_) => matches!(self.options.resolver, ResolverOptions::Url(_)),
            None => self.server_of_operator().is_some(),
        }
    }

    /// Where the only operator says that its accounts can be asked for, which holds where no resolver is named.
    fn server_of_operator(&self) -> Option<AccountsUrl> {
        let [only] = &self.operators[..] else {
            return None;
        };
        let url = only.nats.account_server_url.trim_end_matches('/');
        accounts_url(&format!("{url}/accounts/"))
    }
}

impl Draft {
    /// Whether accounts and users are signed by operators.
    pub(super) fn is_operator_mode(&self) -> bool {
        let operator = &self.operator;
        operator.named.is_some() || operator.trusted_keys.is_some()
    }

    /// Operator mode held against the rest (D48).
    pub(super) fn check_operator(&self, options: &Options, problems: &mut Vec<Fault>) {
        let operator = &self.operator;
        let named = operator.named.as_ref();
        let Some(place) = named.or(operator.trusted_keys.as_ref()) else {
            if let Some(key) = &operator.dependent {
                let problem = OperatorProblem::WithoutOperator(key.value.clone());
                problems.push(Fault::at(&key.place, problem));
            }
            return;
        };
        let authorization = &options.authorization;
        let single = authorization.token.is_some() || authorization.user.is_some();
        for (there, what) in [
            (!self.accounts.is_empty(), "accounts"),
            (
                single || self.websocket_single.is_some() || self.all_users().next().is_some(),
                "users / token",
            ),
            (
                self.no_auth_user.is_some() || self.websocket_no_auth_user.is_some(),
                "no_auth_user",
            ),
            (self.callout.is_some(), "auth_callout"),
        ] {
            if there {
                problems.push(Fault::at(place, OperatorProblem::NotWithOperator(what)));
            }
        }
        if named.is_some() && operator.trusted_keys.is_some() {
            problems.push(Fault::at(place, OperatorProblem::OperatorAndKeys));
        }
        if operator.resolver.is_none() && operator.server_of_operator().is_none() {
            problems.push(Fault::at(place, OperatorProblem::NoResolver));
        }
        let by_url = operator.is_by_url();
        if let Some(preload) = operator.preload.as_ref().filter(|_| by_url) {
            problems.push(Fault::at(preload, OperatorProblem::PreloadWithUrl));
        }
        self.check_system_account(problems);
    }

    /// Where nobody is asked, nobody need be trusted.
    pub(super) fn warning_of_resolver_tls(&self) -> Option<Fault> {
        let operator = &self.operator;
        let place = operator.resolver_tls.as_ref()?;
        let unused = OperatorProblem::NothingForResolver("resolver_tls".to_owned());
        (!operator.is_by_url()).then(|| Fault::at(place, unused))
    }

    /// It must be one of the operators', where they name any.
    fn check_system_account(&self, problems: &mut Vec<Fault>) {
        let Some(named) = &self.system_account else {
            return;
        };
        let theirs: Vec<&str> = self.operators_system_accounts().collect();
        if let Some(first) = theirs.first()
            && !theirs.contains(&named.value.as_str())
        {
            let problem = OperatorProblem::OtherSystemAccount((*first).to_owned());
            problems.push(Fault::at(&named.place, problem));
        }
    }

    pub(super) fn operators_system_accounts(&self) -> impl Iterator<Item = &str> {
        let operators = self.operator.operators.iter();
        let named = operators.map(|one| one.nats.system_account.as_str());
        named.filter(|account| !account.is_empty())
    }

    /// Puts operator mode into the options.
    pub(super) fn take_over_operator(&mut self, options: &mut Options) {
        if !self.is_operator_mode() {
            return;
        }
        let theirs = self.operators_system_accounts().next().map(str::to_owned);
        options.system_account = options.system_account.take().or(theirs);
        let mut operator = std::mem::take(&mut self.operator);
        if let (None, Some(url)) = (&operator.resolver, operator.server_of_operator()) {
            operator.options.resolver = ResolverOptions::Url(url);
        }
        options.operator = Some(operator.options);
    }
}
