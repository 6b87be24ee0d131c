//! Why connections end, in nats-server's words, which tools and people know from `/connz` (A71).

use recado_session::Goodbye;
use recado_wire::ProtocolError;

use super::websocket::CloseCode;

/// Reason of a goodbye after a handshake that failed.
pub(super) const TLS_HANDSHAKE: &str = "TLS handshake error";
/// Reason of a goodbye after an upgrade that was refused.
pub(super) const WEBSOCKET_HANDSHAKE: &str = "websocket handshake error";

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The other side closed it.
    ClientClosed,
    /// Reading failed.
    Read,
    /// Writing failed.
    Write,
    /// No CONNECT in time.
    AuthenticationTimeout,
    /// The credential was missing or wrong.
    AuthenticationViolation,
    /// TLS could not be agreed on.
    TlsHandshake,
    /// The client said `-ERR`.
    ClientError,
    /// The credential is no longer good.
    AuthenticationExpired,
    /// The credential was taken back.
    AuthenticationRevoked,
    /// The account has as many connections as it may have.
    MaxAccountConnections,
    /// What came was not the protocol.
    ProtocolViolation,
    /// CONNECT asked for a protocol that is none.
    ClientProtocolVersion,
    /// CONNECT asked for `no_responders` without `headers`.
    NoRespondersWithoutHeaders,
    /// A payload above `max_payload`.
    MaxPayload,
    /// A line above `max_control_line`.
    MaxControlLine,
    /// Too many subscriptions.
    MaxSubscriptions,
    /// There was no room for it.
    MaxConnections,
    /// PINGs went unanswered.
    Stale,
    /// Too many unsent bytes.
    SlowConsumerPending,
    /// No progress within the write deadline.
    SlowConsumerDeadline,
    /// Another client came with the same client identifier (MQTT).
    DuplicateClientId,
    /// The server goes away.
    ServerShutdown,
}

impl CloseReason {
    /// What a session's goodbye comes down to.
    pub(crate) fn of(goodbye: &Goodbye) -> Self {
        match &goodbye.told {
            Some(ProtocolError::AuthorizationViolation) => Self::AuthenticationViolation,
            Some(ProtocolError::AuthenticationTimeout) => Self::AuthenticationTimeout,
            Some(ProtocolError::TlsRequired) => Self::TlsHandshake,
            Some(ProtocolError::UserExpired | ProtocolError::AccountExpired) => {
                Self::AuthenticationExpired
            }
            Some(ProtocolError::UserRevoked) => Self::AuthenticationRevoked,
            Some(ProtocolError::MaxAccountConnections) => Self::MaxAccountConnections,
            Some(ProtocolError::ConnectionThrottled) => Self::MaxConnections,
            None if goodbye.reason == TLS_HANDSHAKE => Self::TlsHandshake,
            Some(ProtocolError::MaxPayload) => Self::MaxPayload,
            Some(ProtocolError::MaxControlLine) => Self::MaxControlLine,
            Some(ProtocolError::MaxConnections) => Self::MaxConnections,
            Some(ProtocolError::MaxSubscriptions) => Self::MaxSubscriptions,
            Some(ProtocolError::StaleConnection) => Self::Stale,
            Some(ProtocolError::InvalidClientProtocol) => Self::ClientProtocolVersion,
            Some(ProtocolError::NoRespondersNeedsHeaders) => Self::NoRespondersWithoutHeaders,
            None if goodbye.reason == recado_wire::Violation::ClientError.reason() => {
                Self::ClientError
            }
            _ => Self::ProtocolViolation,
        }
    }

    /// Whether it read too slowly.
    pub(crate) fn is_slow_consumer(self) -> bool {
        matches!(self, Self::SlowConsumerPending | Self::SlowConsumerDeadline)
    }

    /// What a WebSocket client is told of it (B15).
    pub(super) fn close_code(self) -> CloseCode {
        match self {
            Self::ClientClosed => CloseCode::Normal,
            Self::AuthenticationTimeout
            | Self::AuthenticationViolation
            | Self::AuthenticationExpired
            | Self::AuthenticationRevoked
            | Self::MaxAccountConnections
            | Self::MaxControlLine
            | Self::MaxSubscriptions
            | Self::MaxConnections
            | Self::DuplicateClientId
            | Self::SlowConsumerPending
            | Self::SlowConsumerDeadline => CloseCode::Policy,
            Self::ClientError
            | Self::ProtocolViolation
            | Self::ClientProtocolVersion
            | Self::NoRespondersWithoutHeaders => CloseCode::Protocol,
            Self::MaxPayload => CloseCode::TooBig,
            Self::Read | Self::Write | Self::Stale | Self::ServerShutdown => CloseCode::GoingAway,
            Self::TlsHandshake => CloseCode::Internal,
        }
    }

    /// The words of `/connz` and of the log. Never change: tools match them.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::ClientClosed => "Client Closed",
            Self::Read => "Read Error",
            Self::Write => "Write Error",
            Self::AuthenticationTimeout => "Authentication Timeout",
            Self::AuthenticationViolation => "Authentication Failure",
            Self::TlsHandshake => "TLS Handshake Failure",
            Self::ClientError => "Parse Error",
            Self::AuthenticationExpired => "Authentication Expired",
            Self::AuthenticationRevoked => "Credentials Revoked",
            Self::MaxAccountConnections => "Maximum Account Connections Exceeded",
            Self::ProtocolViolation => "Protocol Violation",
            Self::ClientProtocolVersion => "Bad Client Protocol Version",
            Self::NoRespondersWithoutHeaders => "No Responders Requires Headers",
            Self::MaxPayload => "Maximum Message Payload Exceeded",
            Self::MaxControlLine => "Maximum Control Line Exceeded",
            Self::MaxSubscriptions => "Maximum Subscriptions Exceeded",
            Self::MaxConnections => "Maximum Connections Exceeded",
            Self::Stale => "Stale Connection",
            Self::SlowConsumerPending => "Slow Consumer (Pending Bytes)",
            Self::SlowConsumerDeadline => "Slow Consumer (Write Deadline)",
            Self::DuplicateClientId => "Duplicate Client ID",
            Self::ServerShutdown => "Server Shutdown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_session_says_last_is_told_in_the_words_that_tools_know() {
        for (told, text) in [
            (
                Some(ProtocolError::AuthorizationViolation),
                "Authentication Failure",
            ),
            (Some(ProtocolError::StaleConnection), "Stale Connection"),
            (
                Some(ProtocolError::MaxPayload),
                "Maximum Message Payload Exceeded",
            ),
            (Some(ProtocolError::UnknownOperation), "Protocol Violation"),
            (None, "Protocol Violation"),
        ] {
            let reason = "any";
            let goodbye = Goodbye { told, reason };
            assert_eq!(CloseReason::of(&goodbye).text(), text);
        }
        let goodbye = Goodbye {
            told: None,
            reason: recado_wire::Violation::ClientError.reason(),
        };
        assert_eq!(CloseReason::of(&goodbye).text(), "Parse Error");
    }
}
