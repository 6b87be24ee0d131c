//! What the listener for MQTT clients can be told; reference rows B18 to B21.

use std::time::Duration;

use super::options::Authorization;
use super::tls::TlsOptions;

/// Messages that one client may leave unacknowledged, unless told otherwise.
const MAX_ACK_PENDING: u16 = 1024;

/// `mqtt { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct MqttOptions {
    /// Address or host name to listen on. `None`: where the other clients are listened for.
    pub host: Option<String>,
    /// TCP port; 0 picks a free one.
    pub port: u16,
    /// TLS; `None`: they come in clear.
    pub tls: Option<TlsOptions>,
    /// A token or a user that is asked for here, whatever is asked for elsewhere, and the time to present it.
    pub authorization: Authorization,
    /// Who those are that present nothing here.
    pub no_auth_user: Option<String>,
    /// A message that was not acknowledged for so long is sent again.
    pub ack_wait: Duration,
    /// Messages that a subscription, and a client, may leave unacknowledged.
    pub max_ack_pending: u16,
    /// Time that the streams have to answer.
    pub js_api_timeout: Duration,
    /// The domain of the streams that messages and sessions are kept in; `None`: the server's own.
    pub js_domain: Option<String>,
    /// What consumers know is kept in memory.
    pub consumer_memory_storage: bool,
    /// Consumers whose client is gone for so long are deleted; zero: never.
    pub consumer_inactive_threshold: Duration,
    /// Who publishes with QoS 2 is disconnected.
    pub reject_qos2_publish: bool,
    /// Subscriptions with QoS 2 get QoS 1.
    pub downgrade_qos2_subscribe: bool,
}

impl MqttOptions {
    /// Whether other credentials are asked for here than elsewhere (C18).
    pub fn has_own_access(&self) -> bool {
        let authorization = &self.authorization;
        authorization.token.is_some() || authorization.user.is_some() || self.no_auth_user.is_some()
    }
}

impl Default for MqttOptions {
    fn default() -> Self {
        Self {
            host: None,
            port: 0,
            tls: None,
            authorization: Authorization::default(),
            no_auth_user: None,
            ack_wait: Duration::from_secs(30),
            max_ack_pending: MAX_ACK_PENDING,
            js_api_timeout: Duration::from_secs(5),
            js_domain: None,
            consumer_memory_storage: false,
            consumer_inactive_threshold: Duration::ZERO,
            reject_qos2_publish: false,
            downgrade_qos2_subscribe: false,
        }
    }
}
