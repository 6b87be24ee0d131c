//! Which call a subject is: `$JS.API.…`, or `$JS.<domain>.API.…` with the server's own domain (E20–E50). Parsed
//! once; whether the stream is there is for others to know.

/// What every API subject begins with.
pub const API_PREFIX: &str = "$JS.API.";

/// A call, with the names that its subject holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiCall<'a> {
    /// INFO.
    Info,
    /// STREAM.NAMES.
    StreamNames,
    /// STREAM.LIST.
    StreamList,
    /// STREAM.CREATE.
    StreamCreate(&'a str),
    /// STREAM.UPDATE.
    StreamUpdate(&'a str),
    /// STREAM.INFO.
    StreamInfo(&'a str),
    /// STREAM.DELETE.
    StreamDelete(&'a str),
    /// STREAM.PURGE.
    StreamPurge(&'a str),
    /// STREAM.MSG.GET.
    MsgGet(&'a str),
    /// STREAM.MSG.DELETE.
    MsgDelete(&'a str),
    /// STREAM.SNAPSHOT.
    StreamSnapshot(&'a str),
    /// STREAM.RESTORE.
    StreamRestore(&'a str),
    /// STREAM.LEADER.STEPDOWN.
    StreamStepDown(&'a str),
    /// STREAM.PEER.REMOVE and its likes, which need a cluster.
    StreamPeers(&'a str),
    /// CONSUMER.CREATE and CONSUMER.DURABLE.CREATE.
    ConsumerCreate(ConsumerCreateCall<'a>),
    /// CONSUMER.NAMES.
    ConsumerNames(&'a str),
    /// CONSUMER.LIST.
    ConsumerList(&'a str),
    /// CONSUMER.INFO.
    ConsumerInfo(ConsumerCall<'a>),
    /// CONSUMER.DELETE.
    ConsumerDelete(ConsumerCall<'a>),
    /// CONSUMER.PAUSE.
    ConsumerPause(ConsumerCall<'a>),
    /// CONSUMER.UNPIN.
    ConsumerUnpin(ConsumerCall<'a>),
    /// CONSUMER.RESET: answered by the consumer itself, with silence if there is none (E03).
    ConsumerReset(ConsumerCall<'a>),
    /// CONSUMER.LEADER.STEPDOWN.
    ConsumerStepDown(ConsumerCall<'a>),
    /// CONSUMER.MSG.NEXT: answered by the consumer itself, with silence if there is none (E03).
    ConsumerNext(ConsumerCall<'a>),
    /// DIRECT.GET of a stream: answered by the stream itself, with silence if there is none (E03).
    DirectGet(&'a str),
    /// DIRECT.GET of a subject of a stream: answered likewise.
    DirectGetLast {
        /// The stream.
        stream: &'a str,
        /// The subject.
        subject: &'a [u8],
    },
    /// Pull requests and direct gets that name no consumer or stream: nobody serves them.
    Unserved,
    /// No call, or one of the system account: met with silence, as by nats-server.
    Unknown,
}

/// What kind of request a call is, for whoever lets requests wait (E13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// It only asks what there is.
    Question,
    /// Any other.
    Change,
}

/// A consumer that a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerCall<'a> {
    /// Its stream.
    pub stream: &'a str,
    /// Its name.
    pub consumer: &'a str,
}

/// The four forms of creating a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerCreateCall<'a> {
    /// CREATE.*stream*: an ephemeral consumer, named by the server unless the body names it.
    Ephemeral {
        /// Its stream.
        stream: &'a str,
    },
    /// DURABLE.CREATE.*stream*.*consumer*.
    Durable {
        /// Its stream.
        stream: &'a str,
        /// Its name.
        consumer: &'a str,
    },
    /// CREATE.*stream*.*consumer*[.*filter*].
    Named {
        /// Its stream.
        stream: &'a str,
        /// Its name.
        consumer: &'a str,
        /// Its filter, if the subject has one.
        filter: Option<&'a str>,
    },
}

impl<'a> ConsumerCreateCall<'a> {
    /// Its stream.
    pub fn stream(&self) -> &'a str {
        match *self {
            Self::Ephemeral { stream }
            | Self::Durable { stream, .. }
            | Self::Named { stream, .. } => stream,
        }
    }
}

/// The rest of an API subject behind its prefix; `None` if it is none. `domain` is the server's, or empty.
pub fn strip_prefix<'a>(subject: &'a [u8], domain: &str) -> Option<&'a [u8]> {
    if let Some(rest) = subject.strip_prefix(API_PREFIX.as_bytes()) {
        return Some(rest);
    }
    if domain.is_empty() {
        return None;
    }
    let rest = subject
        .strip_prefix(b"$JS.")?
        .strip_prefix(domain.as_bytes())?;
    rest.strip_prefix(b".API.")
}

/// Whether a subject of the API is one of a call, of any domain: not one of the messages to a consumer or stream
/// that are far more, pull requests and direct gets. Of those it does not matter who sent them.
pub fn is_call(subject: &[u8]) -> bool {
    let of_domain = || {
        let rest = subject.strip_prefix(b"$JS.")?;
        let dot = rest.iter().position(|byte| *byte == b'.')?;
        rest.get(dot..)?.strip_prefix(b".API.")
    };
    let rest = subject
        .strip_prefix(API_PREFIX.as_bytes())
        .or_else(of_domain);
    rest.is_some_and(|rest| {
        !rest.starts_with(b"CONSUMER.MSG.NEXT.") && !rest.starts_with(b"DIRECT.")
    })
}

impl<'a> ApiCall<'a> {
    /// Parses a subject that a message was published to. `domain` is the server's, or empty.
    pub fn parse(subject: &'a [u8], domain: &str) -> Self {
        let Some(rest) = strip_prefix(subject, domain) else {
            return Self::Unknown;
        };
        if let Some(direct) = rest.strip_prefix(b"DIRECT.GET.") {
            return Self::parse_direct(direct).unwrap_or(Self::Unserved);
        }
        if rest == b"DIRECT.GET" {
            return Self::Unserved;
        }
        let Ok(rest) = std::str::from_utf8(rest) else {
            return Self::Unknown;
        };
        if rest.split('.').any(str::is_empty) {
            return Self::Unknown;
        }
        match rest.split_once('.') {
            None if rest == "INFO" => Some(Self::Info),
            Some(("STREAM", rest)) => Self::parse_stream(rest),
            Some(("CONSUMER", rest)) => Self::parse_consumer(rest),
            _ => None,
        }
        .unwrap_or(Self::Unknown)
    }

    /// What kind of request this is, if it is one that may wait. Pull requests and direct gets do not: for
    /// nats-server they are no API calls either, but messages to a consumer or stream.
    pub fn request_kind(&self) -> Option<RequestKind> {
        match self {
            Self::Info
            | Self::StreamNames
            | Self::StreamList
            | Self::StreamInfo(_)
            | Self::ConsumerNames(_)
            | Self::ConsumerList(_)
            | Self::ConsumerInfo(_) => Some(RequestKind::Question),
            Self::ConsumerReset(_)
            | Self::ConsumerNext(_)
            | Self::DirectGet(_)
            | Self::DirectGetLast { .. }
            | Self::Unserved
            | Self::Unknown => None,
            _ => Some(RequestKind::Change),
        }
    }

    fn parse_direct(rest: &'a [u8]) -> Option<Self> {
        let dot = rest.iter().position(|byte| *byte == b'.');
        let (stream, subject) = match dot {
            Some(dot) => (rest.get(..dot)?, Some(rest.get(dot + 1..)?)),
            None => (rest, None),
        };
        let stream = std::str::from_utf8(stream)
            .ok()
            .filter(|name| !name.is_empty())?;
        Some(match subject {
            None => Self::DirectGet(stream),
            Some(subject) => Self::DirectGetLast { stream, subject },
        })
    }

    fn parse_stream(rest: &'a str) -> Option<Self> {
        let (verb, names) = match rest {
            "NAMES" => return Some(Self::StreamNames),
            "LIST" => return Some(Self::StreamList),
            _ => rest.rsplit_once('.')?,
        };
        Some(match verb {
            "CREATE" => Self::StreamCreate(names),
            "UPDATE" => Self::StreamUpdate(names),
            "INFO" => Self::StreamInfo(names),
            "DELETE" => Self::StreamDelete(names),
            "PURGE" => Self::StreamPurge(names),
            "MSG.GET" => Self::MsgGet(names),
            "MSG.DELETE" => Self::MsgDelete(names),
            "SNAPSHOT" => Self::StreamSnapshot(names),
            "RESTORE" => Self::StreamRestore(names),
            "LEADER.STEPDOWN" => Self::StreamStepDown(names),
            "PEER.REMOVE" | "PEER.EVACUATE" | "CANCEL_MOVE" => Self::StreamPeers(names),
            _ => return None,
        })
    }

    fn parse_consumer(rest: &'a str) -> Option<Self> {
        if let Some(names) = rest.strip_prefix("CREATE.") {
            return Some(Self::ConsumerCreate(parse_create(names)));
        }
        if let Some(names) = rest.strip_prefix("MSG.NEXT.") {
            return Some(match names.split_once('.') {
                Some((stream, consumer)) if !consumer.contains('.') => {
                    Self::ConsumerNext(ConsumerCall { stream, consumer })
                }
                _ => Self::Unserved,
            });
        }
        if let Some(stream) = rest.strip_prefix("NAMES.") {
            return one(stream).map(Self::ConsumerNames);
        }
        if let Some(stream) = rest.strip_prefix("LIST.") {
            return one(stream).map(Self::ConsumerList);
        }
        let (head, consumer) = rest.rsplit_once('.')?;
        let (verb, stream) = head.rsplit_once('.')?;
        let call = ConsumerCall { stream, consumer };
        Some(match verb {
            "DURABLE.CREATE" => {
                Self::ConsumerCreate(ConsumerCreateCall::Durable { stream, consumer })
            }
            "INFO" => Self::ConsumerInfo(call),
            "DELETE" => Self::ConsumerDelete(call),
            "PAUSE" => Self::ConsumerPause(call),
            "UNPIN" => Self::ConsumerUnpin(call),
            "RESET" => Self::ConsumerReset(call),
            "LEADER.STEPDOWN" => Self::ConsumerStepDown(call),
            _ => return None,
        })
    }

    /// The `type` of the answer, also of a refusal; `None` for calls that are not answered in JSON.
    pub fn response_type(&self) -> Option<&'static str> {
        use super::response::*;
        Some(match self {
            Self::Info => AccountInfoResponse::TYPE,
            Self::StreamNames => StreamNamesResponse::TYPE,
            Self::StreamList => StreamListResponse::TYPE,
            Self::StreamCreate(_) => StreamCreateResponse::TYPE,
            Self::StreamUpdate(_) => StreamUpdateResponse::TYPE,
            Self::StreamInfo(_) => StreamInfoResponse::TYPE,
            Self::StreamDelete(_) => StreamDeleteResponse::TYPE,
            Self::StreamPurge(_) => StreamPurgeResponse::TYPE,
            Self::MsgGet(_) => MsgGetResponse::TYPE,
            Self::MsgDelete(_) => MsgDeleteResponse::TYPE,
            Self::StreamSnapshot(_) => SnapshotResponse::TYPE,
            Self::StreamRestore(_) => RestoreResponse::TYPE,
            Self::StreamStepDown(_) => StreamStepDownResponse::TYPE,
            Self::StreamPeers(_) => StreamRemovePeerResponse::TYPE,
            Self::ConsumerCreate(_) => ConsumerCreateResponse::TYPE,
            Self::ConsumerNames(_) => ConsumerNamesResponse::TYPE,
            Self::ConsumerList(_) => ConsumerListResponse::TYPE,
            Self::ConsumerInfo(_) => ConsumerInfoResponse::TYPE,
            Self::ConsumerDelete(_) => ConsumerDeleteResponse::TYPE,
            Self::ConsumerPause(_) => ConsumerPauseResponse::TYPE,
            Self::ConsumerUnpin(_) => ConsumerUnpinResponse::TYPE,
            Self::ConsumerReset(_) => ConsumerResetResponse::TYPE,
            Self::ConsumerStepDown(_) => ConsumerStepDownResponse::TYPE,
            Self::ConsumerNext(_)
            | Self::DirectGet(_)
            | Self::DirectGetLast { .. }
            | Self::Unserved
            | Self::Unknown => return None,
        })
    }
}

fn one(name: &str) -> Option<&str> {
    (!name.contains('.')).then_some(name)
}

fn parse_create(names: &str) -> ConsumerCreateCall<'_> {
    let Some((stream, rest)) = names.split_once('.') else {
        return ConsumerCreateCall::Ephemeral { stream: names };
    };
    let (consumer, filter) = match rest.split_once('.') {
        Some((consumer, filter)) => (consumer, Some(filter)),
        None => (rest, None),
    };
    ConsumerCreateCall::Named {
        stream,
        consumer,
        filter,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(rest: &str) -> ApiCall<'static> {
        let subject = format!("$JS.API.{rest}").into_bytes().leak();
        ApiCall::parse(subject, "")
    }

    #[test]
    fn every_call_is_known_by_its_subject() {
        let call = ConsumerCall {
            stream: "S",
            consumer: "C",
        };
        for (subject, expected) in [
            ("INFO", ApiCall::Info),
            ("STREAM.NAMES", ApiCall::StreamNames),
            ("STREAM.LIST", ApiCall::StreamList),
            ("STREAM.CREATE.S", ApiCall::StreamCreate("S")),
            ("STREAM.UPDATE.S", ApiCall::StreamUpdate("S")),
            ("STREAM.INFO.S", ApiCall::StreamInfo("S")),
            ("STREAM.DELETE.S", ApiCall::StreamDelete("S")),
            ("STREAM.PURGE.S", ApiCall::StreamPurge("S")),
            ("STREAM.MSG.GET.S", ApiCall::MsgGet("S")),
            ("STREAM.MSG.DELETE.S", ApiCall::MsgDelete("S")),
            ("STREAM.SNAPSHOT.S", ApiCall::StreamSnapshot("S")),
            ("STREAM.RESTORE.S", ApiCall::StreamRestore("S")),
            ("STREAM.LEADER.STEPDOWN.S", ApiCall::StreamStepDown("S")),
            ("STREAM.PEER.REMOVE.S", ApiCall::StreamPeers("S")),
            ("CONSUMER.NAMES.S", ApiCall::ConsumerNames("S")),
            ("CONSUMER.LIST.S", ApiCall::ConsumerList("S")),
            ("CONSUMER.INFO.S.C", ApiCall::ConsumerInfo(call)),
            ("CONSUMER.DELETE.S.C", ApiCall::ConsumerDelete(call)),
            ("CONSUMER.PAUSE.S.C", ApiCall::ConsumerPause(call)),
            ("CONSUMER.UNPIN.S.C", ApiCall::ConsumerUnpin(call)),
            ("CONSUMER.RESET.S.C", ApiCall::ConsumerReset(call)),
            (
                "CONSUMER.LEADER.STEPDOWN.S.C",
                ApiCall::ConsumerStepDown(call),
            ),
            ("CONSUMER.MSG.NEXT.S.C", ApiCall::ConsumerNext(call)),
            ("DIRECT.GET.S", ApiCall::DirectGet("S")),
        ] {
            assert_eq!(parse(subject), expected, "{subject}");
        }
        assert_eq!(
            parse("DIRECT.GET.S.a.b"),
            ApiCall::DirectGetLast {
                stream: "S",
                subject: b"a.b"
            }
        );
    }

    #[test]
    fn consumers_are_created_in_four_ways() {
        let create = |rest| match parse(rest) {
            ApiCall::ConsumerCreate(call) => call,
            other => panic!("{other:?}"),
        };
        let (stream, consumer) = ("S", "C");
        assert_eq!(
            create("CONSUMER.CREATE.S"),
            ConsumerCreateCall::Ephemeral { stream }
        );
        assert_eq!(
            create("CONSUMER.DURABLE.CREATE.S.C"),
            ConsumerCreateCall::Durable { stream, consumer }
        );
        let named = |filter| ConsumerCreateCall::Named {
            stream,
            consumer,
            filter,
        };
        assert_eq!(create("CONSUMER.CREATE.S.C"), named(None));
        assert_eq!(create("CONSUMER.CREATE.S.C.a.>"), named(Some("a.>")));
    }

    #[test]
    fn what_is_no_call_is_unknown() {
        for rest in [
            "",
            "INFO.x",
            "STREAM.INFO",
            "STREAM.INFO.a.b",
            "STREAM.X.a",
            "STREAM.TEMPLATE.CREATE.a",
            "CONSUMER.INFO.a",
            "CONSUMER.INFO.a.b.c",
            "CONSUMER.NAMES.a.b",
            "STREAM.CREATE.",
            "CONSUMER.MSG.NEXT",
            "META.LEADER.STEPDOWN",
            "ACCOUNT.PURGE.A",
        ] {
            assert_eq!(parse(rest), ApiCall::Unknown, "{rest:?}");
        }
        assert_eq!(ApiCall::parse(b"orders", ""), ApiCall::Unknown);
        assert_eq!(
            ApiCall::parse(b"$JS.API.STREAM.INFO.\xff", ""),
            ApiCall::Unknown
        );
    }

    #[test]
    fn nobody_serves_a_pull_request_or_direct_get_that_names_nothing() {
        for rest in [
            "CONSUMER.MSG.NEXT.S",
            "CONSUMER.MSG.NEXT.S.a.b",
            "DIRECT.GET",
            "DIRECT.GET.",
        ] {
            assert_eq!(parse(rest), ApiCall::Unserved, "{rest:?}");
        }
    }

    #[test]
    fn pull_requests_and_direct_gets_are_no_calls_in_any_domain() {
        for subject in [
            "$JS.API.INFO",
            "$JS.API.STREAM.CREATE.S",
            "$JS.hub.API.CONSUMER.CREATE.S.C",
            "$JS.API.CONSUMER.MSG.NEXT",
        ] {
            assert!(is_call(subject.as_bytes()), "{subject}");
        }
        for subject in [
            "$JS.API.CONSUMER.MSG.NEXT.S.C",
            "$JS.hub.API.CONSUMER.MSG.NEXT.S.C",
            "$JS.API.DIRECT.GET.S",
            "$JS.hub.API.DIRECT.GET.S.a",
            "$JS.ACK.S",
            "$JS",
            "orders",
        ] {
            assert!(!is_call(subject.as_bytes()), "{subject}");
        }
    }

    #[test]
    fn the_servers_own_domain_leads_here_too_and_no_other() {
        let subject = b"$JS.hub.API.STREAM.INFO.S";
        assert_eq!(ApiCall::parse(subject, "hub"), ApiCall::StreamInfo("S"));
        assert_eq!(ApiCall::parse(subject, "leaf"), ApiCall::Unknown);
        assert_eq!(ApiCall::parse(subject, ""), ApiCall::Unknown);
    }

    proptest! {
        #[test]
        fn no_subject_makes_it_stumble(rest in "[A-Z.>*é]{0,40}") {
            let subject = format!("$JS.API.{rest}");
            let _ = ApiCall::parse(subject.as_bytes(), "").response_type();
        }
    }
}
