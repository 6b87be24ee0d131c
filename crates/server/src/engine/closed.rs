//! The connections that ended last, for whoever looks later why: as many as `max_closed_clients` says, the oldest
//! go first. What is kept of one is small and bounded, so a flood of connections costs no more than the ring.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use recado_auth::{ConnectionType, Identity};
use recado_router::Subscription as _;

use super::account::GLOBAL_ACCOUNT;
use super::client::Client;
use super::clock;
use super::connection::Connection;
use super::ending::CloseReason;
use super::registry::Totals;
use super::subscription::Subscription;
use super::tls::TlsFacts;

/// Subscriptions that are kept of one connection; of more, only how many they were is known.
const LISTED_MAX: usize = 16;
/// Bytes of one subscription (filter, queue group and sid) that is kept.
const LISTED_BYTES_MAX: usize = 512;

/// The ring.
pub(crate) struct ClosedRing {
    max: usize,
    ring: Mutex<VecDeque<Arc<Closed>>>,
}

/// One connection that ended.
pub(crate) struct Closed {
    pub(crate) id: u64,
    pub(crate) peer: SocketAddr,
    pub(crate) reason: CloseReason,
    /// On the engine's [`clock`], as all three.
    pub(crate) opened_us: u64,
    pub(crate) active_us: u64,
    pub(crate) closed_us: u64,
    pub(crate) round_trip_us: u32,
    /// How it was connected.
    pub(crate) how: ConnectionType,
    /// The client identifier of one that spoke MQTT.
    pub(crate) mqtt_client: Option<Box<str>>,
    pub(crate) totals: Totals,
    pub(crate) client: Option<Box<Client>>,
    pub(crate) account: Arc<str>,
    pub(crate) user: Option<String>,
    pub(crate) vouched: Vouched,
    pub(crate) held: Held,
    pub(crate) tls: Option<Arc<TlsFacts>>,
}

/// Who vouched for a user: the key that signed it, with its tags, and the proxy that it came through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vouched {
    pub(crate) issuer_key: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) proxy_key: Option<String>,
}

impl Vouched {
    pub(crate) fn of(identity: &Identity) -> Self {
        Self {
            issuer_key: identity.issuer_key.clone(),
            tags: identity.tags.clone(),
            proxy_key: identity.proxy_key.clone(),
        }
    }
}

/// What a connection was subscribed to when it ended.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) count: usize,
    /// The first of them.
    pub(crate) listed: Box<[SubscriptionNote]>,
}

/// What is told of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubscriptionNote {
    pub(crate) filter: String,
    pub(crate) queue: Option<String>,
    pub(crate) sid: String,
    pub(crate) delivered: u64,
    pub(crate) max: u64,
}

impl ClosedRing {
    /// A ring of at most `max` connections.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            ring: Mutex::default(),
        }
    }

    /// Notes one that ended.
    pub(crate) fn push(&self, closed: &Arc<Closed>) {
        if self.max == 0 {
            return;
        }
        let closed = Arc::clone(closed);
        let mut ring = self.ring.lock();
        let oldest = (ring.len() >= self.max).then(|| ring.pop_front()).flatten();
        ring.push_back(closed);
        drop(ring);
        // Freed where nobody waits for the lock.
        drop(oldest);
    }

    /// All that are known, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Closed>> {
        self.ring.lock().iter().cloned().collect()
    }
}

impl Closed {
    /// A connection from `peer` that ended just now.
    pub(crate) fn of(connection: &Connection, peer: SocketAddr, held: Held) -> Self {
        let standing = connection.standing();
        Self {
            id: connection.id,
            peer,
            reason: connection.close_reason().unwrap_or(CloseReason::Read),
            opened_us: connection.opened_us,
            active_us: connection.active_us.load(Ordering::Relaxed),
            closed_us: clock::now_us(),
            round_trip_us: connection.round_trip_us.load(Ordering::Relaxed),
            how: connection.connection_type(),
            mqtt_client: connection.mqtt_client().map(Box::from),
            totals: Totals::of(&connection.traffic),
            client: connection.client.get().cloned(),
            account: Arc::clone(&standing.account.name),
            user: connection.user(),
            vouched: Vouched::of(&standing.identity),
            held,
            tls: connection.tls().cloned(),
        }
    }

    /// One that was never let in.
    pub(crate) fn refused(id: u64, peer: SocketAddr, reason: CloseReason) -> Self {
        let now_us = clock::now_us();
        Self {
            id,
            peer,
            reason,
            opened_us: now_us,
            active_us: now_us,
            closed_us: now_us,
            round_trip_us: 0,
            how: ConnectionType::Standard,
            mqtt_client: None,
            totals: Totals::default(),
            client: None,
            account: GLOBAL_ACCOUNT.into(),
            user: None,
            vouched: Vouched::default(),
            held: Held::default(),
            tls: None,
        }
    }
}

impl Held {
    /// What a connection is subscribed to now.
    pub(crate) fn of(connection: &Connection) -> Self {
        let table = connection.subscriptions.lock();
        let short = table
            .iter()
            .filter(|sub| sub.text_len() <= LISTED_BYTES_MAX)
            .take(LISTED_MAX);
        Self {
            count: table.len(),
            listed: short.map(|sub| SubscriptionNote::of(sub)).collect(),
        }
    }
}

impl SubscriptionNote {
    /// What there is to tell of a subscription.
    pub(crate) fn of(sub: &Subscription) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            filter: text(sub.filter()),
            queue: sub.queue().map(text),
            sid: text(sub.sid()),
            delivered: sub.delivered.load(Ordering::Relaxed),
            max: sub.max.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_there_are_as_many_as_may_be() {
        let peer = "192.0.2.1:1".parse().unwrap();
        let closed = |id| Arc::new(Closed::refused(id, peer, CloseReason::MaxConnections));
        let ring = ClosedRing::new(2);
        for id in 1..=3 {
            ring.push(&closed(id));
        }
        let ids: Vec<u64> = ring.all().iter().map(|closed| closed.id).collect();
        assert_eq!(ids, [2, 3]);
        let none = ClosedRing::new(0);
        none.push(&closed(1));
        assert!(none.all().is_empty());
    }
}
