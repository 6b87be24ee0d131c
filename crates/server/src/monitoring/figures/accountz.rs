//! `/accountz`: which accounts there are, and one of them in detail.

use std::collections::{BTreeMap, HashMap};

use recado_auth::jwt::{InvalidToken, claims_as_written};
use serde::Serialize;

use super::accounts;
use super::crossings::{Export, Import, Mapped, exports, imports, mappings};
use super::moments::Moment;
use super::problem::Problem;
use super::request::AccountzOptions;
use crate::monitoring::observed::Observed;
use crate::operator::now_s;

/// The document.
#[derive(Serialize)]
pub(crate) struct Accountz {
    server_id: String,
    now: Moment,
    system_account: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_detail: Option<AccountDetail>,
}

/// One account.
#[derive(Serialize)]
struct AccountDetail {
    account_name: String,
    update_time: Moment,
    #[serde(skip_serializing_if = "is_false")]
    is_system: bool,
    expired: bool,
    complete: bool,
    jetstream_enabled: bool,
    leafnode_connections: usize,
    client_connections: usize,
    subscriptions: usize,
    sublist_stats: SublistStats,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    mappings: BTreeMap<String, Vec<Mapped>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exports: Vec<Export>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    imports: Vec<Import>,
    name_tag: String,
    #[serde(flatten)]
    signed: Option<Signed>,
}

/// Of one that an operator signed.
#[derive(Serialize)]
struct Signed {
    issuer_key: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    revoked_user: BTreeMap<String, Moment>,
    jwt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decoded_jwt: Option<serde_json::Value>,
    #[serde(skip)]
    expired: bool,
    /// Of each export the activations that it revokes.
    #[serde(skip)]
    revoked_activations: Vec<(String, BTreeMap<String, Moment>)>,
}

/// What is known of an account's index. How well its routes are remembered is known for all accounts together (`/subsz`).
#[derive(Serialize)]
struct SublistStats {
    num_subscriptions: usize,
    num_inserts: u64,
    num_removes: u64,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Makes the document.
pub(super) async fn accountz(
    observed: &Observed,
    options: &AccountzOptions,
) -> Result<Accountz, Problem> {
    let census = observed.engine.connections.census();
    let all = accounts::all(&observed.engine, &census);
    let mut document = Accountz {
        server_id: observed.facts().info.server_id.clone(),
        now: Moment::now(),
        system_account: observed.engine.accounts.system().name.as_ref().to_owned(),
        accounts: Vec::new(),
        account_detail: None,
    };
    if options.account.is_empty() {
        document.accounts = all.into_iter().map(|account| account.name).collect();
        return Ok(document);
    }
    let Some(account) = all
        .into_iter()
        .find(|account| account.name == options.account)
    else {
        let shown: String = options.account.chars().take(128).collect();
        return Err(Problem::bad_request(format!(
            "Account {shown} does not exist"
        )));
    };
    let facts = observed.facts();
    let subscriptions = account.subscriptions;
    let jetstream_enabled = has_streams(observed, &account.name).await?;
    let plan = observed
        .engine
        .accounts
        .get(&account.name)
        .map(|account| account.terms().plan.clone())
        .unwrap_or_default();
    let signed = signed(observed, &account.name);
    let mut exports = exports(&plan);
    for (subject, revoked) in signed.iter().flat_map(|one| &one.revoked_activations) {
        let mut exports = exports.iter_mut();
        if let Some(export) = exports.find(|export| export.subject == *subject) {
            export.revoked_activations.clone_from(revoked);
        }
    }
    document.account_detail = Some(AccountDetail {
        expired: signed.as_ref().is_some_and(|signed| signed.expired),
        complete: plan.idle_imports.is_empty(),
        signed,
        name_tag: accounts::name_tag(&observed.engine, &account.name),
        account_name: account.name,
        update_time: Moment(facts.loaded_ns),
        is_system: account.is_system,
        jetstream_enabled,
        leafnode_connections: 0,
        client_connections: account.clients.len(),
        subscriptions,
        sublist_stats: SublistStats {
            num_subscriptions: subscriptions,
            num_inserts: account.changes.inserts,
            num_removes: account.changes.removes,
        },
        mappings: mappings(&plan),
        exports,
        imports: imports(&plan),
    });
    Ok(document)
}

/// What its operator says of it.
fn signed(observed: &Observed, account: &str) -> Option<Signed> {
    let manner = observed.engine.manner();
    let claims = manner.authenticator.operator()?.account(account)?;
    let at = |seconds: i64| Moment(seconds.saturating_mul(1_000_000_000));
    let moments = |revoked: &HashMap<String, i64>| {
        let revoked = revoked.iter();
        revoked
            .map(|(key, until)| (key.clone(), at(*until)))
            .collect()
    };
    let exports = claims.nats.exports.iter();
    let exports = exports.filter(|export| !export.revocations.is_empty());
    Some(Signed {
        jwt: claims.nats.token.to_string(),
        decoded_jwt: claims_as_written(&claims.nats.token),
        expired: claims.check_time(now_s()) == Err(InvalidToken::Expired),
        revoked_activations: exports
            .map(|export| (export.subject.clone(), moments(&export.revocations)))
            .collect(),
        issuer_key: claims.issuer.clone(),
        tags: claims.nats.tags.clone(),
        revoked_user: moments(&claims.nats.revocations),
    })
}

/// Whether an account may have streams.
async fn has_streams(observed: &Observed, account: &str) -> Result<bool, Problem> {
    let Some(inquiries) = &observed.inquiries() else {
        return Ok(false);
    };
    let account = account.to_owned();
    let found = inquiries.ask(move |glimpse| glimpse.find(&account, "", "").is_some());
    found
        .await
        .map_err(|error| Problem::unavailable(error.text()))
}
