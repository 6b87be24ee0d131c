//! `/explainz`: where is my message? Who would get it now, which stream would store it, what would stop it, and what was
//! dropped of its like in the last minutes.

use std::sync::Arc;

use recado_streams::api::ConsumerInfo;
use recado_streams::config::{Discard, StreamConfig};
use recado_streams::jetstream::StreamDetail;
use recado_wire::{Transform, filter_matches, has_wildcard, is_publish_subject};
use serde::Serialize;

use super::jsz::{Bounds, gather};
use super::moments::Moment;
use super::problem::Problem;
use super::request::ExplainOptions;
use crate::engine::{
    Account, Dropped, Explained, GLOBAL_ACCOUNT, Loss, Outcome, Standing, View, clock, explain,
};
use crate::monitoring::observed::Observed;

/// How much of an account is looked through.
const LOOKED_AT: Bounds = Bounds {
    streams: 4096,
    consumers: 16_384,
};
/// Consumers of one stream that are told of.
const CONSUMERS_MAX: usize = 256;

/// The document.
#[derive(Serialize)]
pub(crate) struct Explainz {
    server_id: String,
    now: Moment,
    account: String,
    subject: String,
    /// As whom it would be published; none: as somebody who may everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// It may be published, and somebody gets it.
    received: bool,
    /// It may be published, and a stream stores it.
    stored: bool,
    #[serde(flatten)]
    explained: Explained,
    streams: Vec<Storing>,
    /// Streams were looked for: there are some, and they answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    streams_unknown: Option<&'static str>,
    drops: Vec<Drop>,
}

/// A stream that listens on the subject.
#[derive(Serialize)]
struct Storing {
    name: String,
    /// Which of the outcomes' subjects it is about.
    subject: String,
    /// The subject that it is stored under, if another.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_as: Option<String>,
    stores: bool,
    /// Why it does not: `sealed`, `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    refuses: Option<&'static str>,
    /// Larger messages are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_msg_size: Option<i32>,
    messages: u64,
    consumers: Vec<Taking>,
    consumer_count: usize,
}

/// A consumer that would get it.
#[derive(Serialize)]
struct Taking {
    name: String,
    filters: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
    num_pending: u64,
    num_ack_pending: u64,
    num_waiting: u64,
}

/// Something that did not arrive.
#[derive(Serialize)]
struct Drop {
    at: Moment,
    seconds_ago: u64,
    subject: String,
    times: u64,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_bytes: Option<usize>,
    /// Headers and payload of what was too large, and the most that there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    err_code: Option<u16>,
}

/// Makes the document.
pub(super) async fn explainz(
    observed: &Observed,
    options: &ExplainOptions,
) -> Result<Explainz, Problem> {
    let subject = options.subject.as_bytes();
    if !is_publish_subject(subject) || has_wildcard(subject) {
        return Err(Problem::bad_request(
            "explain needs the subject of a message: tokens separated by dots, without wildcards (subject=orders.new)",
        ));
    }
    let (account, publisher) = parties(observed, options)?;
    let mut explained = explain(
        &observed.engine,
        &account,
        subject,
        &View {
            publisher: publisher.as_deref(),
            sees_all: options.asked_by == 0,
        },
    );
    let drops = std::mem::take(&mut explained.drops);
    let (streams, streams_unknown) = streams_for(observed, &account, &explained).await;
    let reaches = |outcome: &&Outcome| outcome.publish.allowed;
    let received = explained.outcomes.iter().filter(reaches).any(is_received);
    let allowed = |stream: &&Storing| {
        let outcomes = explained.outcomes.iter().filter(reaches);
        outcomes
            .into_iter()
            .any(|outcome| outcome.subject == stream.subject)
    };
    let stored = streams.iter().filter(allowed).any(|stream| stream.stores);
    Ok(Explainz {
        server_id: observed.facts().info.server_id.clone(),
        now: Moment::now(),
        account: account.name.as_ref().to_owned(),
        subject: options.subject.clone(),
        user: publisher.and_then(|standing| standing.identity.user.clone()),
        received,
        stored,
        explained,
        streams,
        streams_unknown,
        drops: drops.iter().map(Drop::of).collect(),
    })
}

/// The account that is asked about, and who would publish there.
fn parties(
    observed: &Observed,
    options: &ExplainOptions,
) -> Result<(Arc<Account>, Option<Arc<Standing>>), Problem> {
    let engine = &observed.engine;
    if options.asked_by != 0 {
        let asker = engine.connections.by_id(options.asked_by);
        let asker =
            asker.ok_or_else(|| Problem::bad_request("the connection that asked is gone"))?;
        let standing = asker.standing();
        let own = standing.identity.user.as_deref().unwrap_or_default();
        if !options.account.is_empty() && options.account != *standing.account.name {
            return Err(Problem::forbidden(
                "only users of the system account may ask about other accounts",
            ));
        }
        if !options.user.is_empty() && options.user != own {
            return Err(Problem::forbidden(
                "only users of the system account may ask for other users",
            ));
        }
        return Ok((Arc::clone(&standing.account), Some(standing)));
    }
    let name = match options.account.as_str() {
        "" => GLOBAL_ACCOUNT,
        name => name,
    };
    let shown: String = name.chars().take(128).collect();
    let account = engine.accounts.get(name);
    let account =
        account.ok_or_else(|| Problem::bad_request(format!("Account {shown} does not exist")))?;
    if options.user.is_empty() {
        return Ok((account, None));
    }
    let user: String = options.user.chars().take(128).collect();
    let standing = engine.standing_of(name, &options.user).ok_or_else(|| {
        Problem::bad_request(format!(
            "no client of account {shown} is connected as {user:?}; permissions are known of connected users only"
        ))
    })?;
    Ok((account, Some(standing)))
}

/// Whether anybody gets it. A part of the server that listens plainly counts where it answers, as for requests to
/// the API; those that store are told apart.
fn is_received(outcome: &Outcome) -> bool {
    let groups = outcome.queue_groups.iter();
    let members = groups.flat_map(|group| &group.members);
    let is_api = outcome.subject.starts_with('$');
    outcome
        .subscribers
        .iter()
        .any(|one| one.gets && (!one.server || is_api))
        || { members }.any(|one| one.gets)
        || outcome.services.iter().any(|one| one.responders > 0)
}

/// The account's streams that listen on what the message may be called; or why that is not known.
async fn streams_for(
    observed: &Observed,
    account: &Arc<Account>,
    explained: &Explained,
) -> (Vec<Storing>, Option<&'static str>) {
    let Some(inquiries) = &observed.inquiries() else {
        return (Vec::new(), None);
    };
    let gathered = match gather(inquiries, &account.name, true, LOOKED_AT).await {
        Ok(gathered) => gathered,
        Err(why) => return (Vec::new(), Some(why.text())),
    };
    let unknown = gathered
        .is_cut
        .then_some("the account has more streams than are looked through; not all were");
    let outcomes = explained.outcomes.iter();
    let storing = outcomes.flat_map(|outcome| {
        let streams = gathered.streams.iter();
        streams.filter_map(|stream| Storing::of(stream, &outcome.subject))
    });
    (storing.collect(), unknown)
}

impl Storing {
    /// What a stream does with a message; `None`: nothing.
    fn of(stream: &StreamDetail, subject: &str) -> Option<Self> {
        let config = &stream.config;
        let mut filters = config.subjects.iter();
        if !filters.any(|filter| filter_matches(filter.as_bytes(), subject.as_bytes())) {
            return None;
        }
        let stored_as = renamed(config, subject);
        let kept = stored_as.as_deref().unwrap_or(subject);
        let takes = |consumer: &&ConsumerInfo| {
            let filters = filters_of(consumer);
            filters.is_empty()
                || filters
                    .iter()
                    .any(|filter| filter_matches(filter.as_bytes(), kept.as_bytes()))
        };
        let taking: Vec<&ConsumerInfo> = stream.consumers.iter().filter(takes).collect();
        let full = config.discard == Discard::New
            && (is_met(config.max_msgs, stream.state.messages)
                || is_met(config.max_bytes, stream.state.bytes));
        let refuses = match (config.sealed, full) {
            (true, _) => Some("sealed"),
            (false, true) => Some("full"),
            (false, false) => None,
        };
        Some(Self {
            name: stream.name.clone(),
            subject: subject.to_owned(),
            stores: refuses.is_none(),
            refuses,
            max_msg_size: Some(config.max_msg_size).filter(|size| *size > 0),
            messages: stream.state.messages,
            consumer_count: taking.len(),
            consumers: { taking }
                .into_iter()
                .take(CONSUMERS_MAX)
                .map(Taking::of)
                .collect(),
            stored_as,
        })
    }
}

/// Whether a limit is reached; none where it is not above 0.
fn is_met(limit: i64, count: u64) -> bool {
    u64::try_from(limit).is_ok_and(|limit| limit > 0 && count >= limit)
}

/// What a stream renames the subject to, if it does.
fn renamed(config: &StreamConfig, subject: &str) -> Option<String> {
    let transform = config.subject_transform.as_ref()?;
    let src = match transform.src.as_str() {
        "" => ">",
        src => src,
    };
    let renamed = Transform::parse(src, &transform.dest)
        .ok()?
        .apply(subject.as_bytes(), 0)?;
    String::from_utf8(renamed).ok().filter(|new| new != subject)
}

fn filters_of(consumer: &ConsumerInfo) -> Vec<String> {
    let config = &consumer.config;
    let one = Some(&config.filter_subject).filter(|filter| !filter.is_empty());
    one.into_iter()
        .chain(&config.filter_subjects)
        .cloned()
        .collect()
}

impl Taking {
    fn of(consumer: &ConsumerInfo) -> Self {
        Self {
            name: consumer.name.clone(),
            filters: filters_of(consumer),
            paused: consumer.paused,
            num_pending: consumer.num_pending,
            num_ack_pending: consumer.num_ack_pending,
            num_waiting: consumer.num_waiting,
        }
    }
}

impl Drop {
    fn of(dropped: &Dropped) -> Self {
        let mut told = Self {
            at: Moment(clock::unix_ns_of(dropped.at_us)),
            seconds_ago: clock::now_us().saturating_sub(dropped.at_us) / 1_000_000,
            subject: String::from_utf8_lossy(&dropped.subject).into_owned(),
            times: dropped.times,
            why: "",
            cid: Some(dropped.cid).filter(|cid| *cid > 0),
            pending_bytes: None,
            bytes: None,
            max_bytes: None,
            stream: None,
            err_code: None,
        };
        // Never change: programs read them.
        told.why = match &dropped.loss {
            Loss::PublishDenied => "publish_denied",
            Loss::AnswerNotGranted => "answer_not_granted",
            Loss::SlowConsumer { pending_bytes } => {
                told.pending_bytes = Some(*pending_bytes);
                "slow_consumer"
            }
            Loss::NoResponders => "no_responders",
            Loss::Refused { stream, err_code } => {
                told.stream = Some(stream.as_ref().to_owned());
                told.err_code = Some(*err_code);
                "refused_by_stream"
            }
            Loss::Unanswered => "unanswered",
            Loss::TooLarge { bytes, max_bytes } => {
                (told.bytes, told.max_bytes) = (Some(*bytes), Some(*max_bytes));
                "too_large"
            }
            Loss::Reserved => "reserved_subject",
            Loss::DeliveryDenied => "delivery_denied",
            Loss::CrossedTooOften => "crossed_too_often",
        };
        told
    }
}
