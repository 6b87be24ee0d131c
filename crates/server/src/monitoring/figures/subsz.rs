//! `/subsz`: subscriptions, of all connections together.

use std::sync::atomic::Ordering;

use recado_router::Subscription as _;
use recado_wire::{filter_matches, has_wildcard, is_publish_subject};
use serde::Serialize;

use super::accounts;
use super::connz::{SubDetail, subscriptions_of};
use super::moments::Moment;
use super::problem::Problem;
use super::request::SubszOptions;
use crate::monitoring::observed::Observed;

/// Subscriptions of one document, unless more are asked for.
const LISTED_DEFAULT: usize = 1024;

/// The document.
#[derive(Serialize)]
pub(crate) struct Subsz {
    server_id: String,
    now: Moment,
    num_subscriptions: usize,
    /// Routes that the engine's threads remember.
    num_cache: u64,
    num_inserts: u64,
    num_removes: u64,
    num_matches: u64,
    cache_hit_rate: f64,
    max_fanout: u64,
    avg_fanout: f64,
    total: usize,
    offset: usize,
    limit: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscriptions_list: Vec<SubDetail>,
}

/// Makes the document.
pub(super) fn subsz(observed: &Observed, options: &SubszOptions) -> Result<Subsz, Problem> {
    let test = options.test.as_bytes();
    if !test.is_empty() && (!is_publish_subject(test) || has_wildcard(test)) {
        let shown: String = options.test.chars().take(128).collect();
        return Err(Problem::bad_request(format!(
            "invalid test subject, must be valid publish subject: {shown}"
        )));
    }
    let limit = match options.limit {
        0 => LISTED_DEFAULT,
        given => given,
    };
    let engine = &observed.engine;
    let (mut total, mut listed) = (0, Vec::new());
    if options.subscriptions {
        for connection in engine.connections.all() {
            let account = accounts::of(&connection);
            if !options.account.is_empty() && options.account != *account {
                continue;
            }
            for sub in subscriptions_of(&connection) {
                if !test.is_empty() && !filter_matches(sub.filter(), test) {
                    continue;
                }
                if total >= options.offset && listed.len() < limit {
                    let mut detail = SubDetail::of(&sub);
                    detail.account = Some(account.as_ref().to_owned());
                    detail.account_tag = Some(accounts::name_tag(engine, &account));
                    listed.push(detail);
                }
                total += 1;
            }
        }
    }
    let census = engine.connections.census();
    let asked_for = accounts::all(engine, &census)
        .into_iter()
        .filter(|account| options.account.is_empty() || account.name == options.account);
    let (mut subscriptions, mut inserts, mut removes) = (0, 0, 0);
    for account in asked_for {
        subscriptions += account.subscriptions;
        inserts += account.changes.inserts;
        removes += account.changes.removes;
    }
    let routes = &engine.counters.routes;
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let traffic = census.traffic;
    let (resolved, fanout) = (read(&routes.resolved), read(&routes.fanout));
    // What the server publishes itself is resolved, too, and counts nowhere else.
    let matches = traffic.in_messages.max(resolved);
    Ok(Subsz {
        server_id: observed.facts().info.server_id.clone(),
        now: Moment::now(),
        num_subscriptions: subscriptions,
        num_cache: read(&routes.cached),
        num_inserts: inserts,
        num_removes: removes,
        num_matches: matches,
        cache_hit_rate: ratio(matches - resolved, matches),
        max_fanout: read(&routes.fanout_max),
        avg_fanout: ratio(fanout, resolved),
        total,
        offset: options.offset,
        limit,
        subscriptions_list: listed,
    })
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}
