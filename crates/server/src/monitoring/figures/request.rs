//! What can be asked for, and the options of each. They come from a query, or as JSON on `$SYS`, where the names
//! are those of nats-server's options.

use serde::Deserialize;
use serde_json::Value;

use super::super::parameters::Query;
use super::problem::Problem;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Root,
    Varz,
    Connz,
    Routez,
    Gatewayz,
    Leafz,
    Subsz,
    Accountz,
    Accstatz,
    Jsz,
    Explain,
    Healthz,
    Metrics,
}

/// Paths with what they lead to, and the names on `$SYS` where there are any.
const ENDPOINTS: &[(&str, Endpoint, Option<&str>)] = &[
    ("/", Endpoint::Root, None),
    ("/varz", Endpoint::Varz, Some("VARZ")),
    ("/connz", Endpoint::Connz, Some("CONNZ")),
    ("/routez", Endpoint::Routez, Some("ROUTEZ")),
    ("/gatewayz", Endpoint::Gatewayz, Some("GATEWAYZ")),
    ("/leafz", Endpoint::Leafz, Some("LEAFZ")),
    ("/subsz", Endpoint::Subsz, Some("SUBSZ")),
    ("/subscriptionsz", Endpoint::Subsz, None),
    ("/accountz", Endpoint::Accountz, Some("ACCOUNTZ")),
    ("/accstatz", Endpoint::Accstatz, None),
    ("/jsz", Endpoint::Jsz, Some("JSZ")),
    ("/explainz", Endpoint::Explain, None),
    ("/healthz", Endpoint::Healthz, Some("HEALTHZ")),
    ("/metrics", Endpoint::Metrics, None),
];

/// The paths that requests are counted under.
pub(crate) const PATHS: &[&str] = &[
    "/",
    "/varz",
    "/connz",
    "/routez",
    "/gatewayz",
    "/leafz",
    "/subsz",
    "/accountz",
    "/accstatz",
    "/jsz",
    "/explainz",
    "/healthz",
    "/metrics",
];

/// A document with what it is to hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    Varz,
    Connz(ConnzOptions),
    Routez,
    Gatewayz,
    Leafz,
    Subsz(SubszOptions),
    Accountz(AccountzOptions),
    Accstatz(AccstatzOptions),
    Jsz(JszOptions),
    Explain(ExplainOptions),
    Healthz(HealthzOptions),
}

/// Options of `/connz`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ConnzOptions {
    pub(crate) sort: String,
    /// Who they are is told.
    pub(crate) auth: bool,
    pub(crate) subscriptions: bool,
    pub(crate) subscriptions_detail: bool,
    #[serde(deserialize_with = "count")]
    pub(crate) offset: usize,
    /// 0: the default.
    #[serde(deserialize_with = "count")]
    pub(crate) limit: usize,
    /// 0: all.
    pub(crate) cid: u64,
    pub(crate) mqtt_client: String,
    pub(crate) state: ConnState,
    pub(crate) user: String,
    #[serde(rename = "acc")]
    pub(crate) account: String,
    /// Only connections with a subscription that has subjects in common with it.
    pub(crate) filter_subject: String,
}

/// Which connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) enum ConnState {
    #[default]
    Open,
    Closed,
    All,
}

/// Options of `/subsz`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct SubszOptions {
    #[serde(deserialize_with = "count")]
    pub(crate) offset: usize,
    /// 0: the default.
    #[serde(deserialize_with = "count")]
    pub(crate) limit: usize,
    pub(crate) subscriptions: bool,
    pub(crate) account: String,
    /// Only those that a message on this subject would reach.
    pub(crate) test: String,
}

/// Options of `/accountz`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct AccountzOptions {
    pub(crate) account: String,
}

/// Options of `/accstatz`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct AccstatzOptions {
    /// Empty: all.
    pub(crate) accounts: Vec<String>,
    pub(crate) include_unused: bool,
}

/// Options of `/jsz`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct JszOptions {
    pub(crate) account: String,
    pub(crate) accounts: bool,
    pub(crate) streams: bool,
    /// With them streams, and with those accounts.
    #[serde(rename = "consumer")]
    pub(crate) consumers: bool,
    /// Consumers that the server has for itself; this one has none.
    #[serde(rename = "direct_consumer")]
    pub(crate) direct_consumers: bool,
    pub(crate) config: bool,
    pub(crate) leader_only: bool,
    #[serde(deserialize_with = "count")]
    pub(crate) offset: usize,
    /// Of accounts; 0: the default.
    #[serde(deserialize_with = "count")]
    pub(crate) limit: usize,
    #[serde(rename = "raft")]
    pub(crate) raft_groups: bool,
    pub(crate) stream_leader_only: bool,
}

/// Options of `/healthz`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct HealthzOptions {
    /// Old name of `js-enabled-only`.
    pub(crate) js_enabled: bool,
    pub(crate) js_enabled_only: bool,
    pub(crate) js_server_only: bool,
    pub(crate) js_meta_only: bool,
    pub(crate) account: String,
    pub(crate) stream: String,
    pub(crate) consumer: String,
    pub(crate) details: bool,
}

/// Options of `/explainz`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ExplainOptions {
    pub(crate) subject: String,
    /// Empty: the asker's own, or the global one.
    pub(crate) account: String,
    /// Who would publish. Empty: the asker, or somebody without restrictions.
    pub(crate) user: String,
    /// The client that asks, which sees no more than it may; 0: somebody who may see everything. Never taken from
    /// what a client sent.
    #[serde(skip)]
    pub(crate) asked_by: u64,
}

impl Endpoint {
    /// What a path (without the base path) leads to.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let found = ENDPOINTS.iter().find(|(known, ..)| *known == path);
        found.map(|(_, endpoint, _)| *endpoint)
    }

    /// What a name on `$SYS` asks for: the last token of `$SYS.REQ.SERVER.PING.VARZ` and its like.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let found = ENDPOINTS.iter().find(|(.., known)| *known == Some(name));
        found.map(|(_, endpoint, _)| *endpoint)
    }

    /// The path that it is counted under.
    pub(crate) fn path(self) -> &'static str {
        let found = ENDPOINTS.iter().find(|(_, endpoint, _)| *endpoint == self);
        found.map_or("/", |(path, ..)| *path)
    }
}

impl Request {
    /// What a query asks of a path.
    pub(in crate::monitoring) fn from_query(
        endpoint: Endpoint,
        query: &Query,
    ) -> Result<Self, Problem> {
        Ok(match endpoint {
            // The page of links and metrics are no documents.
            Endpoint::Root | Endpoint::Metrics | Endpoint::Varz => Self::Varz,
            Endpoint::Connz => Self::Connz(connz_options(query)?),
            Endpoint::Routez => {
                query.subscriptions()?;
                Self::Routez
            }
            Endpoint::Gatewayz => {
                query.subscriptions()?;
                query.boolean("accs")?;
                Self::Gatewayz
            }
            Endpoint::Leafz => {
                query.boolean("subs")?;
                Self::Leafz
            }
            Endpoint::Subsz => Self::Subsz(SubszOptions {
                offset: query.count("offset")?,
                limit: query.count("limit")?,
                subscriptions: query.boolean("subs")?,
                account: query.string("acc"),
                test: query.string("test"),
            }),
            Endpoint::Accountz => Self::Accountz(AccountzOptions {
                account: query.string("acc"),
            }),
            Endpoint::Accstatz => Self::Accstatz(AccstatzOptions {
                accounts: Vec::new(),
                include_unused: query.boolean("unused")?,
            }),
            Endpoint::Explain => Self::Explain(ExplainOptions {
                subject: query.string("subject"),
                account: query.string("acc"),
                user: query.string("user"),
                asked_by: 0,
            }),
            Endpoint::Jsz => Self::Jsz(JszOptions {
                account: query.string("acc"),
                accounts: query.boolean("accounts")?,
                streams: query.boolean("streams")?,
                consumers: query.boolean("consumers")?,
                direct_consumers: query.boolean("direct-consumers")?,
                config: query.boolean("config")?,
                leader_only: query.boolean("leader-only")?,
                offset: query.count("offset")?,
                limit: query.count("limit")?,
                raft_groups: query.boolean("raft")?,
                stream_leader_only: query.boolean("stream-leader-only")?,
            }),
            Endpoint::Healthz => Self::Healthz(HealthzOptions {
                js_enabled: query.boolean("js-enabled")?,
                js_enabled_only: query.boolean("js-enabled-only")?,
                js_server_only: query.boolean("js-server-only")?,
                js_meta_only: query.boolean("js-meta-only")?,
                account: query.string("account"),
                stream: query.string("stream"),
                consumer: query.string("consumer"),
                details: query.boolean("details")?,
            }),
        })
    }

    /// What JSON asks, as on `$SYS`; nothing at all asks for the defaults.
    #[allow(dead_code, reason = "the service on $SYS is not there yet")]
    pub(crate) fn from_json(endpoint: Endpoint, payload: &[u8]) -> Result<Self, Problem> {
        Ok(match endpoint {
            Endpoint::Root | Endpoint::Metrics | Endpoint::Varz => Self::Varz,
            Endpoint::Connz => Self::Connz(read(payload)?),
            Endpoint::Routez => Self::Routez,
            Endpoint::Gatewayz => Self::Gatewayz,
            Endpoint::Leafz => Self::Leafz,
            Endpoint::Subsz => Self::Subsz(read(payload)?),
            Endpoint::Accountz => Self::Accountz(read(payload)?),
            Endpoint::Accstatz => Self::Accstatz(read(payload)?),
            Endpoint::Explain => Self::Explain(read(payload)?),
            Endpoint::Jsz => Self::Jsz(read(payload)?),
            Endpoint::Healthz => Self::Healthz(read(payload)?),
        })
    }
}

fn connz_options(query: &Query) -> Result<ConnzOptions, Problem> {
    let (subscriptions, subscriptions_detail) = query.subscriptions()?;
    Ok(ConnzOptions {
        sort: query.string("sort"),
        auth: query.boolean("auth")?,
        subscriptions,
        subscriptions_detail,
        offset: query.count("offset")?,
        limit: query.count("limit")?,
        cid: query.id("cid")?,
        mqtt_client: query.string("mqtt_client"),
        state: ConnState::of_word(query.text("state")).ok_or_else(|| {
            Problem::bad_request(format!(
                "Error decoding state for {:?}: open, closed or all",
                query.text("state")
            ))
        })?,
        user: query.string("user"),
        account: query.string("acc"),
        // nats-server reads it on $SYS only.
        filter_subject: String::new(),
    })
}

impl ConnState {
    fn of_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "" | "open" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            "any" | "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// nats-server's options have the number; words are understood, too.
impl TryFrom<Value> for ConnState {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let found = match &value {
            Value::Number(number) => match number.as_u64() {
                Some(0) => Some(Self::Open),
                Some(1) => Some(Self::Closed),
                Some(2) => Some(Self::All),
                _ => None,
            },
            Value::String(word) => Self::of_word(word),
            _ => None,
        };
        found.ok_or_else(|| format!("state {value} is none: 0 (open), 1 (closed) or 2 (all)"))
    }
}

/// A count; what is below 0 stands for 0.
fn count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let number = i64::deserialize(deserializer)?;
    Ok(usize::try_from(number).unwrap_or(0))
}

fn read<T: Default + for<'de> Deserialize<'de>>(payload: &[u8]) -> Result<T, Problem> {
    if payload.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(payload)
        .map_err(|error| Problem::bad_request(format!("the options can't be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_the_same_from_a_query_and_from_json() {
        for (endpoint, query, json) in [
            (
                Endpoint::Connz,
                "sort=subs&auth=1&subs=detail&offset=1&limit=2&cid=3&state=closed&user=u&acc=a",
                r#"{"sort":"subs","auth":true,"subscriptions_detail":true,"offset":1,"limit":2,"cid":3,"state":1,"user":"u","acc":"a","server_name":"x"}"#,
            ),
            (
                Endpoint::Subsz,
                "subs=true&limit=9&acc=A&test=a.b",
                r#"{"subscriptions":true,"limit":9,"account":"A","test":"a.b"}"#,
            ),
            (
                Endpoint::Healthz,
                "js-enabled-only=1&details=1&account=A",
                r#"{"js-enabled-only":true,"details":true,"account":"A"}"#,
            ),
            (
                Endpoint::Jsz,
                "acc=A&consumers=1&config=true&offset=2&raft=1",
                r#"{"account":"A","consumer":true,"config":true,"offset":2,"raft":true}"#,
            ),
            (Endpoint::Varz, "", ""),
        ] {
            assert_eq!(
                Request::from_query(endpoint, &Query::new(query)),
                Request::from_json(endpoint, json.as_bytes()),
                "{query}"
            );
        }
    }

    #[test]
    fn options_that_are_none_are_refused() {
        for (endpoint, query) in [
            (Endpoint::Connz, "state=half"),
            (Endpoint::Connz, "auth=x"),
            (Endpoint::Routez, "subs=x"),
            (Endpoint::Gatewayz, "accs=x"),
            (Endpoint::Leafz, "subs=x"),
            (Endpoint::Subsz, "limit=x"),
            (Endpoint::Accstatz, "unused=x"),
            (Endpoint::Jsz, "consumers=x"),
            (Endpoint::Healthz, "details=x"),
        ] {
            let refused = Request::from_query(endpoint, &Query::new(query));
            assert_eq!(refused.unwrap_err().status(), 400, "{query}");
        }
        for json in [r#"{"state":7}"#, r#"{"limit":"x"}"#, "[", "7"] {
            assert!(
                Request::from_json(Endpoint::Connz, json.as_bytes()).is_err(),
                "{json}"
            );
        }
    }

    #[test]
    fn paths_and_names_lead_to_the_same() {
        assert_eq!(Endpoint::of_path("/subscriptionsz"), Some(Endpoint::Subsz));
        assert_eq!(Endpoint::of_name("SUBSZ"), Some(Endpoint::Subsz));
        for path in [
            "", "varz", "/varz/", "//varz", "/../varz", "/VARZ", "/%76arz",
        ] {
            assert_eq!(Endpoint::of_path(path), None, "{path}");
        }
        for path in PATHS {
            assert_eq!(Endpoint::of_path(path).unwrap().path(), *path);
        }
    }
}
