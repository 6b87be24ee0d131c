//! What was wrong with a packet. It ends the connection, for MQTT 3.1.1 has no other answer.

use std::borrow::Cow;
use std::fmt;

/// Why a connection is refused, as CONNACK says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReturnCode {
    /// It is not refused.
    Accepted = 0,
    /// Another version of the protocol.
    UnacceptableVersion = 1,
    /// A client identifier that can't be used.
    IdentifierRejected = 2,
    /// What the server needs for it is not there.
    ServerUnavailable = 3,
    /// A user name or password that is none.
    BadUserOrPassword = 4,
    /// A credential that is missing or wrong.
    NotAuthorized = 5,
    /// A will that asks for more than the server gives: nats-server's own code.
    WillRejected = 0x10,
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What CONNACK says before the connection is closed; `None`: nothing is said.
    pub told: Option<ReturnCode>,
    /// For the log.
    pub why: Cow<'static, str>,
}

impl Fault {
    pub(crate) fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self {
            told: None,
            why: why.into(),
        }
    }

    pub(crate) fn told(code: ReturnCode, why: impl Into<Cow<'static, str>>) -> Self {
        Self {
            told: Some(code),
            why: why.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Fault {}
