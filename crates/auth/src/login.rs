//! Everything that a decision on a login may look at.

use core::net::IpAddr;

use recado_wire::Connect;

use crate::certificate::CertificateNames;

/// One attempt to log in.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// What the client said.
    pub connect: &'a Connect,
    /// What INFO asked it to sign; empty if nothing. A nonce is good for one connection.
    pub nonce: &'a [u8],
    /// How it is connected.
    pub transport: ConnectionType,
    /// Where it comes from; `None` inside the process.
    pub peer: Option<IpAddr>,
    /// Names in its verified certificate.
    pub certificate: Option<&'a CertificateNames>,
    /// Seconds since 1970.
    pub now_s: u64,
}

/// How a client is connected, as `allowed_connection_types` names it (C19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionType {
    /// TCP, with or without TLS.
    Standard,
    /// WebSocket.
    Websocket,
    /// Leaf node.
    Leafnode,
    /// Leaf node over WebSocket.
    LeafnodeWs,
    /// MQTT.
    Mqtt,
    /// MQTT over WebSocket.
    MqttWs,
    /// Inside the server's process.
    InProcess,
}

impl ConnectionType {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Standard,
        Self::Websocket,
        Self::Leafnode,
        Self::LeafnodeWs,
        Self::Mqtt,
        Self::MqttWs,
        Self::InProcess,
    ];

    /// As configurations and JWTs write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::Websocket => "WEBSOCKET",
            Self::Leafnode => "LEAFNODE",
            Self::LeafnodeWs => "LEAFNODE_WS",
            Self::Mqtt => "MQTT",
            Self::MqttWs => "MQTT_WS",
            Self::InProcess => "IN_PROCESS",
        }
    }

    /// The type of this name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name))
    }
}

/// Which connection types a user may use. The empty set allows all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionTypes(u8);

impl ConnectionTypes {
    /// Adds one.
    pub fn insert(&mut self, allowed: ConnectionType) {
        self.0 |= 1 << allowed as u8;
    }

    /// Whether none was added.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this very one was added.
    pub fn contains(self, transport: ConnectionType) -> bool {
        self.0 & (1 << transport as u8) != 0
    }

    /// Whether a user who has this set may use `transport`.
    pub fn allow(self, transport: ConnectionType) -> bool {
        self.is_empty() || self.contains(transport)
    }
}

impl FromIterator<ConnectionType> for ConnectionTypes {
    fn from_iter<I: IntoIterator<Item = ConnectionType>>(types: I) -> Self {
        let mut set = Self::default();
        types.into_iter().for_each(|allowed| set.insert(allowed));
        set
    }
}
