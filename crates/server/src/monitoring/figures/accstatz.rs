//! `/accstatz`: what accounts carry.

use serde::Serialize;

use super::accounts;
use super::moments::Moment;
use super::request::AccstatzOptions;
use crate::monitoring::observed::Observed;

/// The document.
#[derive(Serialize)]
pub(crate) struct Accstatz {
    server_id: String,
    now: Moment,
    account_statz: Vec<AccountStat>,
}

/// One account.
#[derive(Serialize)]
struct AccountStat {
    acc: String,
    name: String,
    conns: usize,
    leafnodes: usize,
    total_conns: usize,
    num_subscriptions: usize,
    sent: Carried,
    received: Carried,
    slow_consumers: u64,
}

/// What was carried, and how much of it over links to other servers.
#[derive(Serialize)]
struct Carried {
    msgs: u64,
    bytes: u64,
    gateways: Amount,
    routes: Amount,
    leafs: Amount,
}

#[derive(Default, Serialize)]
struct Amount {
    msgs: u64,
    bytes: u64,
}

impl Carried {
    fn by_clients(msgs: u64, bytes: u64) -> Self {
        Self {
            msgs,
            bytes,
            gateways: Amount::default(),
            routes: Amount::default(),
            leafs: Amount::default(),
        }
    }
}

/// Makes the document.
pub(super) fn accstatz(observed: &Observed, options: &AccstatzOptions) -> Accstatz {
    let census = observed.engine.connections.census();
    let is_wanted = |account: &accounts::Account| {
        (options.accounts.is_empty() || options.accounts.contains(&account.name))
            && (options.include_unused || !account.clients.is_empty())
    };
    let all = accounts::all(&observed.engine, &census)
        .into_iter()
        .filter(is_wanted);
    let stats = all.map(|account| {
        let traffic = account.traffic();
        AccountStat {
            name: accounts::name_tag(&observed.engine, &account.name),
            acc: account.name,
            conns: account.clients.len(),
            leafnodes: 0,
            total_conns: account.clients.len(),
            num_subscriptions: account.subscriptions,
            sent: Carried::by_clients(traffic.out_messages, traffic.out_bytes),
            received: Carried::by_clients(traffic.in_messages, traffic.in_bytes),
            slow_consumers: account.gone.slow_consumers,
        }
    });
    Accstatz {
        server_id: observed.facts().info.server_id.clone(),
        now: Moment::now(),
        account_statz: stats.collect(),
    }
}
