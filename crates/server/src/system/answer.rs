//! One request in the system account, and what is answered.

use std::sync::Arc;
use std::time::Duration;

use recado_session::Goodbye;
use recado_streams::api::header::REQUEST_INFO;
use recado_wire::Headers;
use serde_json::{Value, json};

use super::{Asker, ReloadRequest, Sources, event, subscribers};
use crate::encoding::Encoding;
use crate::engine::{Connection, Standing};
use crate::internal_client::Message;
use crate::monitoring::{Document, Endpoint, Observed, Problem, Request, name_tag};

/// Time for a reload, which decides on every client's credential again.
const RELOAD_MAX: Duration = Duration::from_secs(5);

/// A request that is to be answered.
pub(super) struct Asked {
    pub(super) subject: String,
    pub(super) reply: Vec<u8>,
    pub(super) payload: Vec<u8>,
    /// Who asks: what the engine put behind all that the client sent.
    pub(super) origin: Value,
    /// How the answer is wanted.
    accepts: Encoding,
}

impl Asked {
    pub(super) fn of(message: &Message<'_>) -> Self {
        let headers = Headers::new(message.headers);
        let origin = headers.iter().filter(|(name, _)| *name == REQUEST_INFO);
        let origin = origin.last().map(|(_, value)| serde_json::from_str(value));
        Self {
            subject: String::from_utf8_lossy(message.subject).into_owned(),
            reply: message.reply.to_vec(),
            payload: message.payload.to_vec(),
            origin: origin.and_then(Result::ok).unwrap_or_default(),
            accepts: Encoding::asked(&headers),
        }
    }

    /// The account that the answer must be about; `None`: whoever asks may know of all.
    fn confined_to<'a>(&'a self, sources: &Sources) -> Option<&'a str> {
        let account = self.origin["acc"].as_str().unwrap_or_default();
        (account != &*sources.engine.accounts.system().name).then_some(account)
    }

    /// How the answer is written: as nats-server, those that say no more than who is there come as they are.
    pub(super) fn encoding(&self) -> Encoding {
        let last = self.subject.rsplit('.').next().unwrap_or_default();
        let is_short = self.subject.starts_with("$SYS.REQ.USER.")
            || self.subject.starts_with("$SYS.DEBUG.")
            || matches!(last, "PING" | "IDZ" | "STATSZ" | "NSUBS" | "CONNS");
        match is_short {
            true => Encoding::Plain,
            false => self.accepts,
        }
    }

    /// Who asks, for the log.
    pub(super) fn asker(&self) -> Asker {
        Asker::of(&self.origin, &self.subject)
    }

    /// Options of the request, which may be nothing at all.
    fn options(&self) -> Result<Value, String> {
        if self.payload.is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_slice(&self.payload).map_err(|error| error.to_string())
    }
}

/// What is answered; `None`: nothing, for it is not for this server, or nobody waits.
pub(super) async fn answer(sources: &Sources, asked: &Asked) -> Option<Vec<u8>> {
    if asked.reply.is_empty() {
        return None;
    }
    let tokens: Vec<&str> = asked.subject.split('.').collect();
    // Two are asked in forms of their own.
    match tokens[..] {
        ["$SYS", "DEBUG", "SUBSCRIBERS"] => {
            let account = asked.origin["acc"].as_str().unwrap_or_default();
            let number = subscribers::of_text(&sources.engine, account, &asked.payload);
            return Some(number.into_bytes());
        }
        ["$SYS", "REQ", "ACCOUNT", "NSUBS"] => {
            let own = asked.confined_to(sources);
            let number = subscribers::of_account(&sources.engine, own, &asked.payload);
            return number.map(String::into_bytes);
        }
        _ => {}
    }
    let options = match asked.options() {
        Ok(options) => options,
        Err(error) => return Some(failed(sources, 400, &error)),
    };
    match tokens[..] {
        ["$SYS", "REQ", "USER", "INFO"] => Some(user_info(sources, asked)),
        ["$SYS", "REQ", "SERVER", "PING"] => {
            if !is_meant(sources, &options) {
                return None;
            }
            let statistics = event::statistics(sources).await;
            Some(bytes(
                &json!({"server": server(sources), "statsz": statistics}),
            ))
        }
        ["$SYS", "REQ", "SERVER", "PING", what] => {
            if !is_meant(sources, &options) {
                return None;
            }
            about_server(sources, asked, what, options).await
        }
        ["$SYS", "REQ", "SERVER", _, what] => match what {
            "RELOAD" => {
                asked.asker().tell("a client asks for a reload", 0);
                Some(reload(sources).await)
            }
            "KICK" => {
                let cid = options["cid"].as_u64().unwrap_or_default();
                asked.asker().tell("a client asks to close another", cid);
                Some(kick(sources, cid))
            }
            "LDM" => {
                let cid = options["cid"].as_u64().unwrap_or_default();
                asked
                    .asker()
                    .tell("a client asks to send another elsewhere", cid);
                Some(lame_duck(sources, cid))
            }
            _ => about_server(sources, asked, what, options).await,
        },
        ["$SYS", "REQ", "ACCOUNT", account, "EXPLAIN"] => {
            let account = Some(account).filter(|account| *account != "PING");
            Some(explain(sources, asked, account).await)
        }
        ["$SYS", "REQ", "ACCOUNT", "PING", what] => {
            let account = asked.confined_to(sources).map(str::to_owned);
            about_account(sources, account.as_deref(), what, options).await
        }
        ["$SYS", "REQ", "ACCOUNT", account, what] => {
            about_account(sources, Some(account), what, options).await
        }
        _ => None,
    }
}

/// Who speaks, as nats-server writes it in front of every answer.
pub(super) fn server(sources: &Sources) -> Value {
    server_of(&sources.observed)
}

/// The same, for whoever knows no more.
pub(super) fn server_of(observed: &Observed) -> Value {
    let info = observed.info();
    let mut server = json!({
        "name": info.server_name,
        "host": info.host,
        "id": info.server_id,
        "ver": info.version,
        "jetstream": info.jetstream,
        "flags": if info.jetstream { 7 } else { 0 },
        "seq": observed.next_sequence(),
        "time": jiff::Timestamp::now().to_string(),
    });
    let (tags, metadata) = observed.tags_and_metadata();
    if !tags.is_empty() {
        server["tags"] = tags.into();
    }
    if !metadata.is_empty() {
        server["metadata"] = json!(metadata);
    }
    server["feature_flags"] = json!(observed.feature_flags());
    if !info.domain.is_empty() {
        server["domain"] = info.domain.into();
    }
    server
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn answered(sources: &Sources, data: Value) -> Vec<u8> {
    bytes(&json!({"server": server(sources), "data": data}))
}

fn failed(sources: &Sources, code: u16, text: &str) -> Vec<u8> {
    let error = json!({"code": code, "description": text});
    bytes(&json!({"server": server(sources), "error": error}))
}

/// Whether a question to all servers is for this one: by name, host, domain and tags (A113).
fn is_meant(sources: &Sources, options: &Value) -> bool {
    let info = sources.observed.info();
    let exact = options["exact_match"].as_bool().unwrap_or_default();
    let fits = |key: &str, own: &str| match options[key].as_str().unwrap_or_default() {
        "" => true,
        wanted if exact => wanted == own,
        wanted => own.contains(wanted),
    };
    let (own, _) = sources.observed.tags_and_metadata();
    let wanted = options["tags"].as_array();
    let has = |tag: &Value| {
        let tag = tag.as_str().unwrap_or_default().to_lowercase();
        own.contains(&tag)
    };
    let tagged = wanted.is_none_or(|tags| tags.iter().all(has));
    // A server that stands alone is in no cluster.
    let clustered = options["cluster"]
        .as_str()
        .is_some_and(|name| !name.is_empty());
    fits("server_name", &info.server_name)
        && fits("host", &info.host)
        && fits("domain", &info.domain)
        && tagged
        && !clustered
}

async fn about_server(
    sources: &Sources,
    asked: &Asked,
    what: &str,
    mut options: Value,
) -> Option<Vec<u8>> {
    let info = sources.observed.info();
    match what {
        "IDZ" => {
            let (name, host, id) = (info.server_name, info.host, info.server_id);
            return Some(bytes(&json!({"name": name, "host": host, "id": id})));
        }
        "STATSZ" => {
            let statistics = event::statistics(sources).await;
            return Some(bytes(
                &json!({"server": server(sources), "statsz": statistics}),
            ));
        }
        // Queues between nats-server's parts, and groups of servers: there are none here.
        "IPQUEUESZ" | "RAFTZ" => return Some(answered(sources, json!({}))),
        "PROFILEZ" => {
            let error = "this program has no profiles of Go's runtime; prof_port serves a CPU profile over HTTP";
            let data = json!({"profile": null, "error": error});
            return Some(answered(sources, data));
        }
        "EXPVARZ" => {
            let error =
                "this program has no variables of Go's runtime; /metrics has its own figures";
            return Some(failed(sources, 501, error));
        }
        _ => {}
    }
    if let Some(account) = asked.confined_to(sources) {
        options["acc"] = account.into();
    }
    let endpoint = Endpoint::of_name(what)?;
    Some(document(sources, endpoint, &options).await)
}

async fn about_account(
    sources: &Sources,
    account: Option<&str>,
    what: &str,
    mut options: Value,
) -> Option<Vec<u8>> {
    if let Some(account) = account
        && sources.engine.accounts.get(account).is_none()
    {
        return Some(failed(sources, 404, "account not found"));
    }
    let endpoint = match what {
        "CONNZ" => Endpoint::Connz,
        "SUBSZ" => Endpoint::Subsz,
        "JSZ" => Endpoint::Jsz,
        "INFO" => Endpoint::Accountz,
        "STATZ" => Endpoint::Accstatz,
        "LEAFZ" => Endpoint::Leafz,
        "CONNS" => return Some(connections(sources, account).await),
        _ => return None,
    };
    match (what, account) {
        (_, None) => {}
        ("STATZ", Some(account)) => {
            options["accounts"] = json!([account]);
            options["include_unused"] = true.into();
        }
        ("INFO" | "JSZ" | "SUBSZ", Some(account)) => {
            options["account"] = account.into();
            if what == "SUBSZ" {
                options["subscriptions"] = true.into();
            }
        }
        (_, Some(account)) => options["acc"] = account.into(),
    }
    let made = made(sources, endpoint, &options).await;
    let Some(account) = account else {
        return Some(told(sources, made));
    };
    // Of one account its part of the document alone.
    let part = made.and_then(|mut data| {
        let part = match what {
            "INFO" => "/account_detail",
            "JSZ" => "/account_details/0",
            _ => return Ok(data),
        };
        // Only an account without streams is not told of.
        let none = || Problem::internal(format!("account {account:?} not jetstream enabled"));
        data.pointer_mut(part).map(Value::take).ok_or_else(none)
    });
    Some(told(sources, part))
}

async fn document(sources: &Sources, endpoint: Endpoint, options: &Value) -> Vec<u8> {
    told(sources, made(sources, endpoint, options).await)
}

/// The document that a request with these options is for.
async fn made(sources: &Sources, endpoint: Endpoint, options: &Value) -> Result<Value, Problem> {
    let request = Request::from_json(endpoint, options.to_string().as_bytes())?;
    let document = sources.observed.document(&request).await?;
    let mut data = value_of(&document)?;
    // Over HTTP it is the answer's own status.
    if endpoint == Endpoint::Healthz {
        data["status_code"] = document.status().into();
    }
    Ok(data)
}

fn value_of(document: &Document) -> Result<Value, Problem> {
    serde_json::to_value(document).map_err(|error| Problem::internal(error.to_string()))
}

fn told(sources: &Sources, made: Result<Value, Problem>) -> Vec<u8> {
    match made {
        Ok(data) => answered(sources, data),
        Err(problem) => failed(sources, problem.status(), problem.text()),
    }
}

/// The same as the event that tells of it, without the envelope of other answers.
async fn connections(sources: &Sources, account: Option<&str>) -> Vec<u8> {
    let asked_for = account.map(Arc::from).into_iter().collect();
    match event::counts(sources, &asked_for).await.pop() {
        Some(count) if account.is_some() => bytes(&count),
        _ => failed(sources, 404, "account not found"),
    }
}

/// Where a message would go: of the asker's own account, or of any for whoever is in the system account.
async fn explain(sources: &Sources, asked: &Asked, account: Option<&str>) -> Vec<u8> {
    let made = match Request::from_json(Endpoint::Explain, &asked.payload) {
        Ok(Request::Explain(mut options)) => {
            if let Some(account) = account {
                account.clone_into(&mut options.account);
            }
            let own = asked.confined_to(sources).is_some();
            if own {
                options.asked_by = asked.origin["id"].as_u64().unwrap_or(u64::MAX);
            } else if options.account.is_empty() {
                sources
                    .engine
                    .accounts
                    .system()
                    .name
                    .as_ref()
                    .clone_into(&mut options.account);
            }
            sources.observed.document(&Request::Explain(options)).await
        }
        Ok(_) => Err(Problem::bad_request("the options can't be read")),
        Err(problem) => Err(problem),
    };
    told(sources, made.and_then(|document| value_of(&document)))
}

/// Who asks, and what that may do (A111).
fn user_info(sources: &Sources, asked: &Asked) -> Vec<u8> {
    let id = asked.origin["id"].as_u64().unwrap_or_default();
    let Some(connection) = sources.engine.connections.by_id(id) else {
        return failed(sources, 404, "the connection that asked is gone");
    };
    let standing = connection.standing();
    let mut user = user_of(&standing);
    user["account_name"] = name_tag(&sources.engine, &standing.account.name).into();
    answered(sources, user)
}

fn user_of(standing: &Standing) -> Value {
    let identity = &standing.identity;
    let mut user = json!({
        "user": identity.user.as_deref().unwrap_or_default(),
        "account": &*standing.account.name,
    });
    if let Some(permissions) = &identity.permissions {
        user["permissions"] = serde_json::to_value(permissions.spec()).unwrap_or_default();
    }
    if let Some(name) = &identity.name_tag {
        user["user_name"] = name.as_str().into();
    }
    if let Some(expires_s) = identity.expires_s {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let left_s = expires_s.saturating_sub(now.unwrap_or_default().as_secs());
        user["expires"] = left_s.saturating_mul(1_000_000_000).into();
    }
    user
}

/// Whoever runs the program knows how to read its configuration again, and what came of it.
async fn reload(sources: &Sources) -> Vec<u8> {
    let (request, outcome) = ReloadRequest::new();
    let asked = match &*sources.reload.lock() {
        Some(reload) => {
            reload(request);
            true
        }
        None => false,
    };
    if !asked {
        let why = "this server is part of another program, which does not read a configuration";
        return failed(sources, 500, why);
    }
    match tokio::time::timeout(RELOAD_MAX, outcome).await {
        Ok(Ok(Ok(()))) => answered(sources, json!({})),
        Ok(Ok(Err(why))) => failed(sources, 500, &why),
        Ok(Err(_)) | Err(_) => failed(
            sources,
            500,
            "the configuration is being read; what comes of it will be in the server's log",
        ),
    }
}

fn client(sources: &Sources, cid: u64, act: impl FnOnce(&std::sync::Arc<Connection>)) -> Vec<u8> {
    let found = sources.engine.connections.by_id(cid);
    match found.filter(|connection| connection.peer.is_some()) {
        Some(connection) => {
            act(&connection);
            answered(sources, json!({}))
        }
        None => failed(sources, 500, &format!("no such client id: {cid}")),
    }
}

/// Ends one connection without a word (A116).
fn kick(sources: &Sources, cid: u64) -> Vec<u8> {
    client(sources, cid, |connection| {
        connection.dismiss(Goodbye {
            told: None,
            reason: "kicked by somebody in the system account",
        });
    })
}

/// Tells one client to go elsewhere (A116).
fn lame_duck(sources: &Sources, cid: u64) -> Vec<u8> {
    client(sources, cid, |connection| {
        let line = sources.engine.lame_duck_line(connection);
        connection.deliver_bytes(&line);
    })
}
