//! The exit statuses, in one table: what scripts may rely on.
//!
//! A number that stands here never changes its meaning; a new kind of failure gets a new number.

use crate::text::failures as text;

/// How a run ended, as the shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    /// All that was asked for was done.
    Done = 0,
    /// Something on this side: a file, the output, the machine.
    Local = 1,
    /// The command line made no sense.
    Usage = 2,
    /// Nobody listens on the subject of a request.
    NoResponders = 3,
    /// A deadline passed.
    Deadline = 4,
    /// Nothing listens on the server's port.
    Refused = 5,
    /// The server's name is not known.
    UnknownHost = 6,
    /// The server could not be reached, or did not answer in time.
    Unreachable = 7,
    /// Something else than a NATS server answers on the port.
    NotNats = 8,
    /// The server did not accept the credentials.
    Authentication = 9,
    /// The user may not do that on that subject.
    Permission = 10,
    /// The message is larger than the server takes.
    TooLarge = 11,
    /// The connection broke.
    Lost = 12,
    /// The TLS handshake failed.
    Tls = 13,
    /// The server reported another error.
    Server = 14,
    /// A responder answered with an error of its own.
    Service = 15,
    /// The other side threw the connection away (TCP reset).
    Reset = 16,
    /// The server cut us off: we read too slowly.
    SlowConsumer = 17,
    /// The server goes away on purpose (lame duck mode).
    GoingAway = 18,
    /// There is no such stream, consumer, bucket, key, object, message or error.
    NotFound = 19,
    /// It exists already, or is not as it was expected to be.
    Conflict = 20,
    /// The server has no streams (JetStream), or none for this account.
    NoJetStream = 21,
    /// Interrupted from the keyboard or by a signal before the work was done.
    Interrupted = 130,
}

impl Status {
    /// Every status, in the order in which the table shows them.
    pub(crate) const ALL: [Self; 23] = [
        Self::Done,
        Self::Local,
        Self::Usage,
        Self::NoResponders,
        Self::Deadline,
        Self::Refused,
        Self::UnknownHost,
        Self::Unreachable,
        Self::NotNats,
        Self::Authentication,
        Self::Permission,
        Self::TooLarge,
        Self::Lost,
        Self::Tls,
        Self::Server,
        Self::Service,
        Self::Reset,
        Self::SlowConsumer,
        Self::GoingAway,
        Self::NotFound,
        Self::Conflict,
        Self::NoJetStream,
        Self::Interrupted,
    ];

    /// The number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The name in `--json` output: never translated, never changed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Local => "local",
            Self::Usage => "usage",
            Self::NoResponders => "no_responders",
            Self::Deadline => "deadline",
            Self::Refused => "refused",
            Self::UnknownHost => "unknown_host",
            Self::Unreachable => "unreachable",
            Self::NotNats => "not_nats",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::TooLarge => "too_large",
            Self::Lost => "connection_lost",
            Self::Tls => "tls",
            Self::Server => "server_error",
            Self::Service => "service_error",
            Self::Reset => "connection_reset",
            Self::SlowConsumer => "slow_consumer",
            Self::GoingAway => "going_away",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::NoJetStream => "no_jetstream",
            Self::Interrupted => "interrupted",
        }
    }

    /// What the status means, in the language of this run.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => text::status_done(),
            Self::Local => text::status_local(),
            Self::Usage => text::status_usage(),
            Self::NoResponders => text::status_no_responders(),
            Self::Deadline => text::status_deadline(),
            Self::Refused => text::status_refused(),
            Self::UnknownHost => text::status_unknown_host(),
            Self::Unreachable => text::status_unreachable(),
            Self::NotNats => text::status_not_nats(),
            Self::Authentication => text::status_authentication(),
            Self::Permission => text::status_permission(),
            Self::TooLarge => text::status_too_large(),
            Self::Lost => text::status_lost(),
            Self::Tls => text::status_tls(),
            Self::Server => text::status_server(),
            Self::Service => text::status_service(),
            Self::Reset => text::status_reset(),
            Self::SlowConsumer => text::status_slow_consumer(),
            Self::GoingAway => text::status_going_away(),
            Self::NotFound => text::status_not_found(),
            Self::Conflict => text::status_conflict(),
            Self::NoJetStream => text::status_no_jetstream(),
            Self::Interrupted => text::status_interrupted(),
        }
    }
}

/// The table as the help shows it.
pub(crate) fn table() -> String {
    let rows = Status::ALL.map(|status| format!("  {:>3}  {}", status.code(), status.meaning()));
    format!("{}\n{}", text::status_heading(), rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_ones_that_scripts_rely_on() {
        let numbers = Status::ALL.map(|status| (status.code(), status.name()));
        assert_eq!(
            numbers,
            [
                (0, "done"),
                (1, "local"),
                (2, "usage"),
                (3, "no_responders"),
                (4, "deadline"),
                (5, "refused"),
                (6, "unknown_host"),
                (7, "unreachable"),
                (8, "not_nats"),
                (9, "authentication"),
                (10, "permission"),
                (11, "too_large"),
                (12, "connection_lost"),
                (13, "tls"),
                (14, "server_error"),
                (15, "service_error"),
                (16, "connection_reset"),
                (17, "slow_consumer"),
                (18, "going_away"),
                (19, "not_found"),
                (20, "conflict"),
                (21, "no_jetstream"),
                (130, "interrupted"),
            ]
        );
    }
}
