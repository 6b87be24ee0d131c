//! Everything that can go wrong, as data: what happened, where, and what to do next.
//!
//! A failure is made where it happens and printed in one place, [`crate::terminal::complain`].
//! It must never hold a secret: credentials are named by where they came from.

use std::time::Duration;

use crate::exit::Status;
use crate::span;
use crate::text::{errors, failures as text, service};

/// Why a command could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command line, or a value on it, made no sense.
    Usage { what: String, next: String },
    /// A file, a stream or the machine itself failed.
    Local { what: String, next: String },
    /// Whoever read the output has gone (`recado sub x | head -1`): an end, not an error.
    OutputClosed,
    /// The server knows of nobody who listens on the subject (status 503).
    NoResponders { subject: String, server: String },
    /// No service answers, of this name if one was asked for.
    NoService { name: Option<String> },
    /// Something expected did not come in time.
    Deadline { what: String, next: String },
    /// The machine answers, but nothing listens on the port.
    Refused { address: String },
    /// The name could not be resolved.
    UnknownHost { host: String, detail: String },
    /// No answer within the limit.
    NoAnswer { address: String, limit: Duration },
    /// The network says that there is no way there.
    Unreachable { address: String, detail: String },
    /// Whatever is on the port does not greet as a NATS server does.
    NotNats { address: String, found: Found },
    /// The server did not take the credentials; `source` says where they came from.
    Authentication {
        address: String,
        source: Option<String>,
        said: String,
    },
    /// The server's own words about a missing permission.
    Permission { address: String, said: String },
    /// The message is over the server's `max_payload`.
    TooLarge { what: String },
    /// The connection broke; `detail` says how and what was not confirmed.
    Lost { address: String, detail: String },
    /// The other side threw the connection away (TCP reset).
    Reset { address: String, detail: String },
    /// The server cut us off because we read too slowly.
    SlowConsumer { address: String, detail: String },
    /// The server goes away on purpose, having said so (lame duck mode).
    GoingAway { address: String, detail: String },
    /// There is no secure connection.
    Tls { address: String, trouble: Insecure },
    /// Another error that the server reported, in its own words.
    Server { address: String, said: String },
    /// The responder answered with an error (`Nats-Service-Error` headers, ADR-32).
    Service { code: String, said: String },
    /// What the JetStream API refused; made by [`crate::jetstream::trouble`], which sorts them.
    Streams {
        status: Status,
        /// The server's number for it.
        err_code: Option<u64>,
        what: String,
        next: String,
    },
    /// `recado errors` knows no such error.
    NotExplained {
        /// What was asked.
        asked: String,
        /// Which may be meant.
        next: String,
    },
    /// Stopped by the user or a signal.
    Interrupted,
    /// Something that a report has explained to the person already.
    Told(Status),
}

/// What was found on a port where a NATS server was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// An HTTP server.
    Http,
    /// An SSH server, with its banner.
    Ssh(String),
    /// A program that is known by its first words: its name, and those words.
    Program(&'static str, String),
    /// A port of a NATS server that is not for clients, with the server's words about it.
    OtherPort(String),
    /// It says nothing before TLS is established.
    TlsFirst,
    /// It accepted the connection and said nothing.
    Silence(Duration),
    /// It accepted the connection and closed it without a word.
    Closed,
    /// Something else, whose first bytes these are.
    Other(String),
}

/// Why a connection could not be made secure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Insecure {
    /// Nobody whom we trust has signed the certificate.
    UnknownIssuer,
    /// The certificate is for other names: the one we used, and those that it is for.
    WrongName {
        host: String,
        names: Vec<String>,
    },
    /// The certificate is too old, or too new, for this machine's clock.
    Expired,
    NotYet,
    /// What came back was not TLS.
    NotSpoken,
    /// The server greets, and offers no TLS.
    NotOffered,
    /// The server wants a certificate of ours, or does not like the one it got.
    OursRefused(String),
    /// Anything else, in the library's words.
    Other(String),
}

impl Failure {
    /// Sorts an `-ERR` text of the server, as the clients of the protocol do: case-insensitively.
    pub(crate) fn from_server(address: &str, source: Option<&str>, said: &str) -> Self {
        let lower = said.to_lowercase();
        if lower.starts_with("permissions violation") {
            return Self::Permission {
                address: address.to_owned(),
                said: said.to_owned(),
            };
        }
        if lower.starts_with("maximum payload violation") {
            return Self::TooLarge {
                what: text::server_said(address, said),
            };
        }
        if lower.starts_with("slow consumer") {
            return Self::SlowConsumer {
                address: address.to_owned(),
                detail: text::server_words(said),
            };
        }
        if lower.starts_with("attempted to connect to") {
            return Self::NotNats {
                address: address.to_owned(),
                found: Found::OtherPort(said.to_owned()),
            };
        }
        let authentication = ["authorization violation", "authentication timeout"];
        let revoked = ["authentication expired", "authentication revoked"];
        if authentication.iter().any(|start| lower.starts_with(start))
            || revoked.iter().any(|end| lower.ends_with(end))
        {
            return Self::Authentication {
                address: address.to_owned(),
                source: source.map(str::to_owned),
                said: said.to_owned(),
            };
        }
        Self::Server {
            address: address.to_owned(),
            said: said.to_owned(),
        }
    }

    /// A connection that an error of the system broke.
    pub(crate) fn broken(address: &str, error: &std::io::Error) -> Self {
        let address = address.to_owned();
        match error.kind() {
            std::io::ErrorKind::ConnectionReset => Self::Reset {
                address,
                detail: text::reset_thrown_away().to_owned(),
            },
            _ => Self::Lost {
                address,
                detail: error.to_string(),
            },
        }
    }

    /// The same failure, with what it left in doubt.
    pub(crate) fn leaving(mut self, doubt: &str) -> Self {
        match &mut self {
            Self::Lost { detail, .. }
            | Self::Reset { detail, .. }
            | Self::SlowConsumer { detail, .. }
            | Self::GoingAway { detail, .. } => *detail = format!("{detail}; {doubt}"),
            Self::Deadline { what, .. } => *what = format!("{what}; {doubt}"),
            _ => {}
        }
        self
    }

    /// The exit status.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Usage { .. } => Status::Usage,
            Self::Local { .. } => Status::Local,
            Self::OutputClosed => Status::Done,
            Self::NoResponders { .. } | Self::NoService { .. } => Status::NoResponders,
            Self::Deadline { .. } => Status::Deadline,
            Self::Refused { .. } => Status::Refused,
            Self::UnknownHost { .. } => Status::UnknownHost,
            Self::NoAnswer { .. } | Self::Unreachable { .. } => Status::Unreachable,
            // Who says nothing may be a server that is stopped, or a proxy whose server is not up.
            Self::NotNats {
                found: Found::Silence(_) | Found::Closed,
                ..
            } => Status::Unreachable,
            Self::NotNats {
                found: Found::TlsFirst,
                ..
            } => Status::Tls,
            Self::NotNats { .. } => Status::NotNats,
            Self::Authentication { .. } => Status::Authentication,
            Self::Permission { .. } => Status::Permission,
            Self::TooLarge { .. } => Status::TooLarge,
            Self::Lost { .. } => Status::Lost,
            Self::Reset { .. } => Status::Reset,
            Self::SlowConsumer { .. } => Status::SlowConsumer,
            Self::GoingAway { .. } => Status::GoingAway,
            Self::Tls { .. } => Status::Tls,
            Self::Server { .. } => Status::Server,
            Self::Service { .. } => Status::Service,
            Self::Streams { status, .. } => *status,
            Self::NotExplained { .. } => Status::NotFound,
            Self::Interrupted => Status::Interrupted,
            Self::Told(status) => *status,
        }
    }

    /// The server's own number for it, where it has one.
    pub(crate) fn err_code(&self) -> Option<u64> {
        match self {
            Self::Streams { err_code, .. } => *err_code,
            _ => None,
        }
    }

    /// Whether the same thing may work in a moment, so that `--retry` tries it again.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::UnknownHost { .. }
                | Self::NoAnswer { .. }
                | Self::Unreachable { .. }
                | Self::Lost { .. }
                | Self::Reset { .. }
                | Self::SlowConsumer { .. }
                | Self::GoingAway { .. }
                | Self::NotNats {
                    found: Found::Silence(_) | Found::Closed,
                    ..
                }
        )
    }

    /// What happened, and where.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Usage { what, .. }
            | Self::Local { what, .. }
            | Self::Deadline { what, .. }
            | Self::Streams { what, .. }
            | Self::TooLarge { what } => what.clone(),
            Self::OutputClosed => text::output_closed().to_owned(),
            Self::NoResponders { subject, server } => text::no_responders(subject, server),
            Self::NoService { name: None } => service::none().to_owned(),
            Self::NoService { name: Some(name) } => service::none_named(name),
            Self::Refused { address } => text::refused(address),
            Self::UnknownHost { host, detail } => text::unknown_host(host, detail),
            Self::NoAnswer { address, limit } => text::no_answer(address, &span::show(*limit)),
            Self::Unreachable { address, detail } => text::unreachable(address, detail),
            Self::NotNats { address, found } => match found {
                Found::Http => text::found_http(address),
                Found::Ssh(banner) => text::found_ssh(address, banner),
                Found::Program(name, words) => text::found_program(address, name, words),
                Found::OtherPort(said) => text::found_other_port(address, said),
                Found::TlsFirst => text::found_tls(address),
                Found::Silence(limit) => text::found_silence(address, &span::show(*limit)),
                Found::Closed => text::found_closed(address),
                Found::Other(bytes) => text::found_other(address, bytes),
            },
            Self::Authentication {
                address,
                source: None,
                said,
            } => text::credentials_missing(address, said),
            Self::Authentication {
                address,
                source: Some(source),
                said,
            } => text::credentials_refused(address, source, said),
            Self::Permission { address, said } => text::permission(address, said),
            Self::Lost { address, detail } => text::lost(address, detail),
            Self::Reset { address, detail } => text::reset(address, detail),
            Self::SlowConsumer { address, detail } => text::slow_consumer(address, detail),
            Self::GoingAway { address, detail } => text::going_away(address, detail),
            Self::Tls { address, trouble } => text::tls(address, &trouble.what()),
            Self::Server { address, said } => text::server_said(address, said),
            Self::Service { code, said } => text::service_said(code, said),
            Self::NotExplained { asked, .. } => errors::unknown(asked),
            Self::Interrupted => text::interrupted().to_owned(),
            Self::Told(status) => status.meaning().to_owned(),
        }
    }

    /// What to do next.
    pub(crate) fn next(&self) -> String {
        match self {
            Self::Usage { next, .. }
            | Self::Local { next, .. }
            | Self::Deadline { next, .. }
            | Self::NotExplained { next, .. }
            | Self::Streams { next, .. } => next.clone(),
            Self::OutputClosed | Self::Interrupted | Self::Told(_) => String::new(),
            Self::NoResponders { subject, .. } => text::no_responders_next(subject),
            Self::NoService { .. } => service::none_next().to_owned(),
            Self::Refused { .. } => text::refused_next().to_owned(),
            Self::UnknownHost { .. } => text::unknown_host_next().to_owned(),
            Self::NoAnswer { .. } => text::no_answer_next().to_owned(),
            Self::Unreachable { .. } => text::unreachable_next().to_owned(),
            Self::NotNats { found, .. } => match found {
                Found::Http => text::found_http_next().to_owned(),
                Found::Silence(_) => text::found_silence_next().to_owned(),
                Found::Closed => text::found_closed_next().to_owned(),
                Found::TlsFirst => text::found_tls_next().to_owned(),
                Found::OtherPort(_) => text::found_other_port_next().to_owned(),
                Found::Ssh(_) | Found::Program(..) | Found::Other(_) => {
                    text::found_other_next().to_owned()
                }
            },
            Self::Authentication { source: None, .. } => {
                text::credentials_missing_next().to_owned()
            }
            Self::Authentication { .. } => text::credentials_refused_next().to_owned(),
            Self::Permission { .. } => text::permission_next().to_owned(),
            Self::TooLarge { .. } => text::too_large_next().to_owned(),
            Self::Lost { .. } => text::lost_next().to_owned(),
            Self::Reset { .. } => text::reset_next().to_owned(),
            Self::SlowConsumer { .. } => text::slow_consumer_next().to_owned(),
            Self::GoingAway { .. } => text::going_away_next().to_owned(),
            Self::Tls { trouble, .. } => trouble.next().to_owned(),
            Self::Server { said, .. } => {
                let log = text::server_said_next();
                match crate::errors::explained_by(said) {
                    Some(lookup) => format!("{log}\n{lookup}"),
                    None => log.to_owned(),
                }
            }
            Self::Service { .. } => text::service_said_next().to_owned(),
        }
    }
}

impl Insecure {
    fn what(&self) -> String {
        match self {
            Self::UnknownIssuer => text::tls_unknown_issuer().to_owned(),
            Self::WrongName { host, names } if names.is_empty() => text::tls_wrong_name(host),
            Self::WrongName { host, names } => text::tls_wrong_name_of(host, &names.join(", ")),
            Self::Expired => text::tls_expired().to_owned(),
            Self::NotYet => text::tls_not_yet().to_owned(),
            Self::NotSpoken => text::tls_not_spoken().to_owned(),
            Self::NotOffered => text::tls_not_offered().to_owned(),
            Self::OursRefused(detail) => text::tls_ours_refused(detail),
            Self::Other(detail) => detail.clone(),
        }
    }

    fn next(&self) -> &'static str {
        match self {
            Self::UnknownIssuer => text::tls_unknown_issuer_next(),
            Self::WrongName { .. } => text::tls_wrong_name_next(),
            Self::Expired | Self::NotYet => text::tls_expired_next(),
            Self::NotSpoken | Self::NotOffered => text::tls_not_spoken_next(),
            Self::OursRefused(_) => text::tls_ours_refused_next(),
            Self::Other(_) => text::tls_next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(said: &str) -> Status {
        Failure::from_server("127.0.0.1:4222", None, said).status()
    }

    #[test]
    fn the_servers_texts_are_sorted_whatever_their_case() {
        assert_eq!(status("Authorization Violation"), Status::Authentication);
        assert_eq!(status("authorization violation"), Status::Authentication);
        assert_eq!(
            status("User Authentication Expired"),
            Status::Authentication
        );
        assert_eq!(
            status("Account Authentication Expired"),
            Status::Authentication
        );
        assert_eq!(
            status("User Authentication Revoked"),
            Status::Authentication
        );
        assert_eq!(
            status("Permissions Violation for Publish to \"a\""),
            Status::Permission
        );
        assert_eq!(status("maximum connections exceeded"), Status::Server);
        assert_eq!(status("Slow Consumer"), Status::SlowConsumer);
        assert_eq!(
            status("attempted to connect to leaf node port"),
            Status::NotNats
        );
    }

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        let refused = Failure::Refused {
            address: "a:1".into(),
        };
        assert!(refused.may_pass());
        let http = Failure::NotNats {
            address: "a:1".into(),
            found: Found::Http,
        };
        assert!(!http.may_pass());
        assert!(!Failure::from_server("a:1", None, "Authorization Violation").may_pass());
    }
}
