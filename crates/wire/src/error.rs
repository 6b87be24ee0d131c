//! The protocol's own errors: the literal texts that clients match, and which of them end the
//! connection. Reference rows A80 to A103.

use std::borrow::Cow;

/// An error that is told to the client as `-ERR '<text>'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// A80: a verb that is none, or a payload that does not end in CR LF.
    UnknownOperation,
    /// A81: credentials missing or wrong.
    AuthorizationViolation,
    /// A82: no CONNECT in time.
    AuthenticationTimeout,
    /// A83: the credential is no longer good.
    UserExpired,
    /// A84: the account's own credential is no longer good.
    AccountExpired,
    /// A85: the credential was taken back.
    UserRevoked,
    /// A90: payload larger than `max_payload`.
    MaxPayload,
    /// A91: line longer than `max_control_line`.
    MaxControlLine,
    /// A92: no room for another connection.
    MaxConnections,
    /// A93: no room for another connection of this account.
    MaxAccountConnections,
    /// A98: the connection is to be secured by TLS, and was not.
    TlsRequired,
    /// A94: no room for another subscription on this connection.
    MaxSubscriptions,
    /// A95: malformed subject in a SUB.
    InvalidSubject,
    /// A96: malformed subject in a PUB, told to pedantic clients only.
    InvalidPublishSubject,
    /// A97: PINGs went unanswered.
    StaleConnection,
    /// A69: more TLS handshakes within a second than are allowed.
    ConnectionThrottled,
    /// A99: CONNECT asked for a protocol that is none.
    InvalidClientProtocol,
    /// A99: CONNECT asked for `no_responders` without `headers`.
    NoRespondersNeedsHeaders,
    /// A87: the subscription was not allowed. The subject, escaped for one line, and what follows it.
    SubscriptionViolation {
        /// Subject of the SUB.
        subject: String,
        /// ` using queue "q"`, `, too many tokens` and the like; may be empty.
        detail: Cow<'static, str>,
    },
    /// A86: the publish was not allowed.
    PublishViolation(String),
    /// A89: the publish's reply subject was not allowed.
    ReplyViolation(String),
}

impl ProtocolError {
    /// The text between the quotes of `-ERR '…'`. Never change: clients match it literally.
    pub fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::UnknownOperation => "Unknown Protocol Operation",
            Self::AuthorizationViolation => "Authorization Violation",
            Self::AuthenticationTimeout => "Authentication Timeout",
            Self::UserExpired => "User Authentication Expired",
            Self::AccountExpired => "Account Authentication Expired",
            Self::TlsRequired => "Secure Connection - TLS Required",
            Self::UserRevoked => "User Authentication Revoked",
            Self::MaxAccountConnections => "maximum account active connections exceeded",
            Self::MaxPayload => "Maximum Payload Violation",
            Self::MaxControlLine => "maximum control line exceeded",
            Self::MaxConnections => "maximum connections exceeded",
            Self::MaxSubscriptions => "maximum subscriptions exceeded",
            Self::InvalidSubject => "Invalid Subject",
            Self::InvalidPublishSubject => "Invalid Publish Subject",
            Self::StaleConnection => "Stale Connection",
            Self::ConnectionThrottled => "Connection throttling is active. Please try again later.",
            Self::InvalidClientProtocol => "invalid client protocol",
            Self::NoRespondersNeedsHeaders => "no responders requires headers support",
            Self::SubscriptionViolation { subject, detail } => {
                return Cow::Owned(format!(
                    "Permissions Violation for Subscription to \"{subject}\"{detail}"
                ));
            }
            Self::PublishViolation(subject) => {
                return Cow::Owned(format!(
                    "Permissions Violation for Publish to \"{subject}\""
                ));
            }
            Self::ReplyViolation(subject) => {
                return Cow::Owned(format!(
                    "Permissions Violation for Publish with Reply of \"{subject}\""
                ));
            }
        })
    }

    /// Whether the connection ends after the error was told.
    pub fn closes(&self) -> bool {
        !matches!(
            self,
            Self::MaxSubscriptions
                | Self::InvalidSubject
                | Self::InvalidPublishSubject
                | Self::SubscriptionViolation { .. }
                | Self::PublishViolation(_)
                | Self::ReplyViolation(_)
        )
    }
}

/// Input that breaks the protocol. The connection ends; [`Violation::told`] says with which words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Not a verb, or a payload without its CR LF.
    UnknownOperation,
    /// The line is longer than `max_control_line`.
    ControlLine,
    /// The payload is larger than `max_payload`.
    Payload,
    /// PUB, HPUB, SUB or UNSUB with too few, too many or senseless arguments.
    Arguments,
    /// HPUB from a client whose CONNECT did not say `headers`.
    HeadersNotEnabled,
    /// CONNECT whose argument is not the JSON it should be.
    Connect,
    /// The client said `-ERR`.
    ClientError,
}

impl Violation {
    /// What is told before closing; `None`: the connection is closed without a word (A103).
    pub fn told(self) -> Option<ProtocolError> {
        match self {
            Self::UnknownOperation => Some(ProtocolError::UnknownOperation),
            Self::ControlLine => Some(ProtocolError::MaxControlLine),
            Self::Payload => Some(ProtocolError::MaxPayload),
            Self::Arguments | Self::HeadersNotEnabled | Self::Connect | Self::ClientError => None,
        }
    }

    /// For the log: what the client did.
    pub fn reason(self) -> &'static str {
        match self {
            Self::UnknownOperation => "unknown protocol operation",
            Self::ControlLine => "control line too long",
            Self::Payload => "payload too large",
            Self::Arguments => "wrong arguments",
            Self::HeadersNotEnabled => "headers used without `headers` in CONNECT",
            Self::Connect => "malformed CONNECT",
            Self::ClientError => "client reported an error",
        }
    }
}
