//! `/jsz`: streams and consumers (B60).

use std::sync::Arc;
use std::time::Duration;

use recado_streams::accounts::AccountSummary;
use recado_streams::api::{ConsumerInfo, SourceInfo, StreamState};
use recado_streams::config::{API_LEVEL, StreamConfig};
use recado_streams::jetstream::{Inquiry, StreamDetail, Summary};
use serde::{Serialize, Serializer};

use super::accounts::name_tag;
use super::moments::{Moment, nanos};
use super::problem::Problem;
use super::request::JszOptions;
use crate::config::{StreamsOptions, SyncInterval};
use crate::monitoring::observed::{Facts, Observed};
use crate::streams::{Inquiries, NoAnswer};

/// Accounts of one document, unless another number is asked for.
const ACCOUNTS_DEFAULT: usize = 1024;
/// What nats-server shows where nobody names a time.
const SYNC_INTERVAL_DEFAULT: Duration = Duration::from_secs(120);
/// Streams and consumers of one document.
const ASSETS_MAX: usize = 100_000;

/// The document.
#[derive(Serialize)]
pub(crate) struct Jsz {
    #[serde(flatten)]
    stats: Stats,
    server_id: String,
    now: Moment,
    #[serde(skip_serializing_if = "is_false")]
    disabled: bool,
    config: Config,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
    streams: u64,
    #[serde(skip_serializing_if = "is_zero")]
    streams_leader: u64,
    consumers: u64,
    #[serde(skip_serializing_if = "is_zero")]
    consumers_leader: u64,
    messages: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    account_details: Vec<AccountDetail>,
    total: usize,
}

/// What streams take, and how their API is used.
#[derive(Clone, Default, Serialize)]
pub(super) struct Stats {
    pub(super) memory: u64,
    pub(super) storage: u64,
    reserved_memory: u64,
    reserved_storage: u64,
    accounts: usize,
    ha_assets: usize,
    api: Api,
}

#[derive(Clone, Default, Serialize)]
struct Api {
    level: u32,
    total: u64,
    errors: u64,
}

impl Stats {
    /// Those of all accounts together.
    pub(super) fn of(accounts: &[AccountSummary]) -> Self {
        let mut stats = Self {
            accounts: accounts.len(),
            ..Self::default()
        };
        stats.api.level = API_LEVEL;
        for AccountSummary { summary, .. } in accounts {
            stats.add(summary);
        }
        stats
    }

    /// Those of one account.
    fn of_account(summary: &Summary) -> Self {
        let mut stats = Self::default();
        stats.add(summary);
        // As nats-server: of one account what it may have, where -1 is any, and no level.
        let limits = &summary.account.usage.limits;
        stats.reserved_memory = limits.max_memory.cast_unsigned();
        stats.reserved_storage = limits.max_storage.cast_unsigned();
        stats
    }

    fn add(&mut self, summary: &Summary) {
        let usage = &summary.account.usage;
        self.memory += usage.memory;
        self.storage += usage.storage;
        self.reserved_memory += usage.reserved_memory;
        self.reserved_storage += usage.reserved_storage;
        self.api.total += summary.account.api.total;
        self.api.errors += summary.account.api.errors;
    }
}

/// How streams are configured.
#[derive(Default, Serialize)]
pub(super) struct Config {
    max_memory: i64,
    max_storage: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    store_dir: String,
    sync_interval: i64,
    #[serde(skip_serializing_if = "is_false")]
    sync_always: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    domain: String,
    #[serde(skip_serializing_if = "is_false")]
    compress_ok: bool,
    #[serde(skip_serializing_if = "is_false")]
    strict: bool,
}

impl Config {
    /// What the server was told, with what the machine gave where it was not.
    pub(super) fn of(observed: &Observed, facts: &Facts) -> Self {
        let store = observed.store();
        let store = store.as_ref();
        let bytes = |bytes: Option<u64>| bytes.map_or(-1, |bytes| bytes.cast_signed().max(0));
        Self {
            max_memory: bytes(store.and_then(|store| store.memory_bytes_max)),
            max_storage: bytes(store.and_then(|store| store.file_bytes_max)),
            store_dir: store
                .map_or_else(String::new, |store| store.directory.display().to_string()),
            sync_interval: nanos(match facts.streams.sync_interval {
                SyncInterval::Always => SYNC_INTERVAL_DEFAULT,
                SyncInterval::Every(time) => time,
            }),
            // Whatever `sync_interval` says: nothing is acknowledged before it is synced.
            sync_always: true,
            domain: facts.streams.domain.clone().unwrap_or_default(),
            // As nats-server: where both limits are configured.
            compress_ok: facts.streams.max_memory_bytes.is_some()
                && facts.streams.max_file_bytes.is_some(),
            strict: facts.streams.strict,
        }
    }
}

/// Ceilings of what streams and consumers may ask for.
#[derive(Default, Serialize)]
pub(super) struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    default_max_consumers: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_request_batch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_ack_pending: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_duplicate_window: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_batch_inflight_per_stream: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_batch_inflight_total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_batch_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_batch_timeout: Option<i64>,
}

impl Limits {
    pub(super) fn of(facts: &Facts) -> Self {
        let StreamsOptions { limits, .. } = &facts.streams;
        let span = |span: Option<Duration>| span.map(nanos);
        Self {
            default_max_consumers: limits.default_max_consumers,
            max_request_batch: limits.max_request_batch,
            max_ack_pending: limits.max_ack_pending,
            max_duplicate_window: span(limits.duplicate_window),
            max_batch_inflight_per_stream: limits.batch.max_inflight_per_stream,
            max_batch_inflight_total: limits.batch.max_inflight_total,
            max_batch_size: limits.batch.max_messages,
            max_batch_timeout: span(limits.batch.timeout),
        }
    }
}

/// One account.
#[derive(Serialize)]
struct AccountDetail {
    name: String,
    id: String,
    #[serde(flatten)]
    stats: Stats,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stream_detail: Vec<Stream>,
}

/// One stream.
#[derive(Serialize)]
struct Stream {
    name: String,
    created: Moment,
    cluster: recado_streams::api::ClusterInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<StreamConfig>,
    state: StreamState,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consumer_detail: Vec<Consumer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mirror: Option<SourceInfo>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<SourceInfo>,
}

/// One consumer, with or without its configuration.
struct Consumer {
    info: ConsumerInfo,
    config: bool,
}

impl Serialize for Consumer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.config {
            return self.info.serialize(serializer);
        }
        let mut value = serde_json::to_value(&self.info).map_err(serde::ser::Error::custom)?;
        if let Some(fields) = value.as_object_mut() {
            fields.remove("config");
        }
        value.serialize(serializer)
    }
}

impl Stream {
    fn new(detail: StreamDetail, config: bool) -> Self {
        let consumers = detail.consumers.into_iter();
        Self {
            name: detail.name,
            created: Moment(detail.created_ns),
            cluster: detail.cluster,
            config: config.then_some(detail.config),
            state: detail.state,
            consumer_detail: consumers.map(|info| Consumer { info, config }).collect(),
            mirror: detail.mirror,
            sources: detail.sources,
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Makes the document.
pub(super) async fn jsz(observed: &Observed, options: &JszOptions) -> Result<Jsz, Problem> {
    let facts = observed.facts();
    let mut document = Jsz {
        stats: Stats::default(),
        server_id: facts.info.server_id.clone(),
        now: Moment::now(),
        disabled: true,
        config: Config::default(),
        limits: None,
        streams: 0,
        streams_leader: 0,
        consumers: 0,
        consumers_leader: 0,
        messages: 0,
        bytes: 0,
        account_details: Vec::new(),
        total: 0,
    };
    let Some(inquiries) = &observed.inquiries() else {
        if options.leader_only {
            return Err(Problem::bad_request("skip request: not leader"));
        }
        return Ok(document);
    };
    let all = summaries(inquiries).await.map_err(unanswered)?;
    document.stats = Stats::of(&all);
    document.disabled = false;
    document.config = Config::of(observed, &facts);
    document.limits = Some(Limits::of(&facts));
    document.total = all.len();
    for AccountSummary { summary, .. } in &all {
        let usage = &summary.account.usage;
        document.streams += usage.streams;
        document.consumers += usage.consumers;
        document.messages += summary.messages;
        document.bytes += summary.bytes;
    }
    if options.raft_groups {
        // A server that stands alone leads all that it has.
        document.streams_leader = document.streams;
        document.consumers_leader = document.consumers;
    }
    let mut room = ASSETS_MAX;
    for account in told(&all, options) {
        let mut detail = AccountDetail {
            name: name_tag(&observed.engine, &account.name),
            id: account.name.as_ref().to_owned(),
            stats: Stats::of_account(&account.summary),
            stream_detail: Vec::new(),
        };
        if options.streams || options.consumers {
            detail.stream_detail = streams(inquiries, &account.name, options, &mut room).await?;
        }
        document.account_details.push(detail);
    }
    Ok(document)
}

/// The accounts that are told of: one by its name, or a page of all.
fn told<'a>(all: &'a [AccountSummary], options: &JszOptions) -> Vec<&'a AccountSummary> {
    if !options.account.is_empty() {
        let named = all.iter().filter(|one| *one.name == options.account);
        return named.collect();
    }
    if !(options.accounts || options.streams || options.consumers) {
        return Vec::new();
    }
    let limit = match options.limit {
        0 => ACCOUNTS_DEFAULT,
        given => given,
    };
    all.iter().skip(options.offset).take(limit).collect()
}

/// An account's streams. `room` is how many streams and consumers may still be told of.
async fn streams(
    inquiries: &Inquiries,
    account: &Arc<str>,
    options: &JszOptions,
    room: &mut usize,
) -> Result<Vec<Stream>, Problem> {
    let bounds = Bounds {
        streams: *room,
        consumers: *room,
    };
    let gathered = gather(inquiries, account, options.consumers, bounds)
        .await
        .map_err(unanswered)?;
    let told = gathered.streams.len() + gathered.consumers();
    if gathered.is_cut || told > *room {
        return Err(Problem::too_many(ASSETS_MAX));
    }
    *room -= told;
    let streams = gathered.streams.into_iter();
    Ok(streams
        .map(|detail| Stream::new(detail, options.config))
        .collect())
}

/// All accounts that have streams, in the order of their names.
pub(super) async fn summaries(inquiries: &Inquiries) -> Result<Vec<AccountSummary>, NoAnswer> {
    let mut all: Vec<AccountSummary> = Vec::new();
    loop {
        let after = all.last().map(|last| Arc::clone(&last.name));
        let (mut some, more) = inquiries
            .ask(move |glimpse| glimpse.summaries(after.as_deref()))
            .await?;
        all.append(&mut some);
        if !more {
            return Ok(all);
        }
    }
}

fn unanswered(error: NoAnswer) -> Problem {
    Problem::unavailable(error.text())
}

/// Streams, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) streams: Vec<StreamDetail>,
    /// There are more.
    pub(super) is_cut: bool,
}

impl Gathered {
    /// How many consumers were gathered.
    pub(super) fn consumers(&self) -> usize {
        let streams = self.streams.iter();
        streams.map(|stream| stream.consumers.len()).sum()
    }
}

/// How much may be gathered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) streams: usize,
    pub(super) consumers: usize,
}

/// Gathers an account's streams page by page, with their consumers or without.
pub(super) async fn gather(
    inquiries: &Inquiries,
    account: &Arc<str>,
    consumers: bool,
    bounds: Bounds,
) -> Result<Gathered, NoAnswer> {
    let mut gathered = Gathered::default();
    let (mut room, mut after) = (bounds.consumers, None);
    loop {
        let told = room > 0;
        let inquiry = Inquiry {
            consumers: consumers && told,
            after,
        };
        let account = Arc::clone(account);
        let page = inquiries
            .ask(move |glimpse| glimpse.page(&account, &inquiry))
            .await?;
        for mut detail in page.streams {
            let has_untold = consumers && !told && detail.state.consumer_count > 0;
            gathered.is_cut |= detail.consumers.len() > room || has_untold;
            detail.consumers.truncate(room);
            room -= detail.consumers.len();
            let is_full = gathered.streams.len() >= bounds.streams;
            match gathered.streams.last_mut() {
                // The rest of a stream whose consumers filled a page.
                Some(last) if last.name == detail.name => {
                    last.consumers.append(&mut detail.consumers);
                }
                _ if is_full => {
                    gathered.is_cut = true;
                    return Ok(gathered);
                }
                _ => gathered.streams.push(detail),
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(gathered);
        }
    }
}
