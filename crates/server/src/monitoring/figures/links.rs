//! `/routez`, `/gatewayz` and `/leafz`: links to other servers. A server that stands alone has none, and says so in
//! documents that exporters can read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::moments::Moment;
use crate::monitoring::observed::Observed;

/// A link; there is none.
#[derive(Debug, Serialize)]
pub(super) enum Link {}

/// Routes to servers of the same cluster.
#[derive(Debug, Serialize)]
pub(crate) struct Routez {
    server_id: String,
    server_name: String,
    now: Moment,
    num_routes: usize,
    routes: Vec<Link>,
}

/// Gateways to other clusters.
#[derive(Debug, Serialize)]
pub(crate) struct Gatewayz {
    server_id: String,
    now: Moment,
    outbound_gateways: BTreeMap<String, Link>,
    inbound_gateways: BTreeMap<String, Vec<Link>>,
}

/// Leaf nodes.
#[derive(Debug, Serialize)]
pub(crate) struct Leafz {
    server_id: String,
    now: Moment,
    leafnodes: usize,
    leafs: Vec<Link>,
}

pub(super) fn routez(observed: &Observed) -> Routez {
    let facts = observed.facts();
    Routez {
        server_id: facts.info.server_id.clone(),
        server_name: facts.info.server_name.clone(),
        now: Moment::now(),
        num_routes: 0,
        routes: Vec::new(),
    }
}

pub(super) fn gatewayz(observed: &Observed) -> Gatewayz {
    Gatewayz {
        server_id: observed.facts().info.server_id.clone(),
        now: Moment::now(),
        outbound_gateways: BTreeMap::new(),
        inbound_gateways: BTreeMap::new(),
    }
}

pub(super) fn leafz(observed: &Observed) -> Leafz {
    Leafz {
        server_id: observed.facts().info.server_id.clone(),
        now: Moment::now(),
        leafnodes: 0,
        leafs: Vec::new(),
    }
}
