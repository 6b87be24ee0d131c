//! By which door clients come in, and what they have to pass there before their first operation:
//! TLS, a proxy's word on whose the connection is, the upgrade to WebSocket. A door's rules are replaced as a whole, so that certificates can
//! be changed while the server runs; who is inside stays.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};

use crate::config::{HandshakeFirst, WebsocketOptions};
use crate::tls::Material;

/// By which door a client comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The clients' port.
    Clients,
    /// The port for WebSocket.
    Websocket,
    /// The port for MQTT, or the path for it on that for WebSocket.
    Mqtt,
}

/// One door.
#[derive(Default)]
pub(crate) struct Door {
    rules: RwLock<Arc<Rules>>,
    rate: Mutex<Rate>,
}

/// What has to be passed.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) tls: Option<Material>,
    /// Who comes in clear is served, too.
    pub(crate) allow_non_tls: bool,
    /// A proxy may say whose the connection is.
    pub(crate) proxy_protocol: bool,
    /// Clients speak WebSocket.
    pub(crate) websocket: Option<WebsocketOptions>,
    /// Clients speak MQTT: they are not greeted.
    pub(crate) mqtt: bool,
}

/// Handshakes begun within one second.
#[derive(Default)]
struct Rate {
    second: Option<Instant>,
    begun: u32,
}

impl Door {
    /// From now on these hold.
    pub(crate) fn replace(&self, rules: Rules) {
        *self.rules.write() = Arc::new(rules);
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read())
    }

    /// Whether another handshake may begin within this second.
    pub(super) fn admits_handshake(&self, limit: Option<u32>, now: Instant) -> bool {
        let Some(limit) = limit else { return true };
        let mut rate = self.rate.lock();
        let same_second = rate
            .second
            .is_some_and(|began| now.saturating_duration_since(began) < Duration::from_secs(1));
        if !same_second {
            *rate = Rate {
                second: Some(now),
                begun: 0,
            };
        }
        rate.begun = rate.begun.saturating_add(1);
        rate.begun <= limit
    }
}

impl Rules {
    /// Whether there is anything to pass.
    pub(super) fn is_open(&self) -> bool {
        self.tls.is_none() && !self.proxy_protocol && self.websocket.is_none() && !self.mqtt
    }

    /// Whether INFO is the first thing that is said.
    pub(super) fn greets_first(&self) -> bool {
        let first = self.tls.as_ref().map(|tls| tls.handshake_first);
        matches!(first, None | Some(HandshakeFirst::No)) && self.websocket.is_none() && !self.mqtt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshakes_beyond_the_rate_wait_for_the_next_second() {
        let (door, start) = (Door::default(), Instant::now());
        let later = start + Duration::from_millis(1001);
        assert!(door.admits_handshake(Some(2), start));
        assert!(door.admits_handshake(Some(2), start));
        assert!(!door.admits_handshake(Some(2), start));
        assert!(door.admits_handshake(Some(2), later));
        assert!(door.admits_handshake(None, later));
    }
}
