//! From CONNECT to CONNACK: the client logs in to the engine, and its session is begun or taken up.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use recado_mqtt::{Connect, ReturnCode, push_connack, topic_to_subject};
use recado_wire::Connect as NatsConnect;

use super::Outside;
use super::keeper::{Keeper, Trouble};
use super::names;
use super::peer::{LastWords, Peer};
use super::session::Session;
use super::sessions::Held;
use super::storage;
use super::user::User;
use crate::config::MqttOptions;
use crate::engine::{CloseReason, Connection, Engine, Front};
use crate::internal_client::connect_fronted;

/// A last CONNACK is given so long to reach the client.
const LINGER_MAX: Duration = Duration::from_millis(500);

/// Why a client is not served.
struct Refused {
    /// What CONNACK says; `None`: nothing is said.
    told: Option<ReturnCode>,
    reason: CloseReason,
    why: String,
}

impl Refused {
    fn new(told: Option<ReturnCode>, reason: CloseReason, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { told, reason, why }
    }
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        let told = Some(ReturnCode::ServerUnavailable);
        Self::new(told, CloseReason::ProtocolViolation, trouble.to_string())
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        let told = Some(ReturnCode::ServerUnavailable);
        Self::new(told, CloseReason::Read, error.to_string())
    }
}

/// Serves a client from now on, with the place that it has among all; `None`: it was refused.
pub(super) async fn open(
    engine: Arc<Engine>,
    outside: Outside,
    connect: Connect,
) -> Option<(Peer, Held)> {
    let connection = Arc::clone(&outside.connection);
    let mut user = None;
    let opened = admit(&engine, outside, connect, &mut user).await;
    let refused = match opened {
        Ok(opened) => return Some(opened),
        Err(refused) => refused,
    };
    let known: Option<&Arc<Connection>> = user.as_ref();
    let cid = known.map_or(connection.id, |user| user.id);
    let peer = connection.peer_text();
    tracing::error!(cid, %peer, "MQTT client refused: {}", refused.why);
    if let Some(user) = known {
        user.close(refused.reason);
    }
    if let Some(code) = refused.told {
        let mut answer = Vec::new();
        push_connack(&mut answer, false, code);
        connection.deliver_bytes(&answer);
        let written = connection.finish_writing(refused.reason);
        // Who does not read it in time is closed all the same.
        let _ = tokio::time::timeout(LINGER_MAX, written).await;
    }
    connection.close(refused.reason);
    None
}

async fn admit(
    engine: &Arc<Engine>,
    outside: Outside,
    connect: Connect,
    known: &mut Option<Arc<Connection>>,
) -> Result<(Peer, Held), Refused> {
    let off = || {
        let told = Some(ReturnCode::ServerUnavailable);
        Refused::new(told, CloseReason::ServerShutdown, "MQTT is off")
    };
    let options = engine.manner().mqtt.clone().ok_or_else(off)?;
    let will = last_words(engine, &options, &connect)?;
    let client_id: Box<str> = match connect.client_id.as_str() {
        "" => names::unique().into(),
        id => id.into(),
    };
    let front = Front {
        outside: Arc::clone(&outside.connection),
        client_id: client_id.clone(),
    };
    let Some((stream, connection)) = connect_fronted(engine, front)? else {
        let told = Some(ReturnCode::ServerUnavailable);
        let why = "there are as many connections as there may be (max_connections)";
        return Err(Refused::new(told, CloseReason::MaxConnections, why));
    };
    *known = Some(Arc::clone(&connection));
    let mut user = User::new(stream, Arc::clone(&connection));
    log_in(&mut user, &connect).await?;
    let timeout = options.js_api_timeout;
    let account = connection.account();
    let mut keeper = Keeper::connect(engine, &account, options.js_domain.as_deref(), timeout)?;
    let sessions = &engine.mqtt_sessions;
    let Some(place) = sessions.take(&connection, &client_id, timeout).await else {
        let why = "another client has its client identifier, and took it just now or does not go";
        return Err(Refused::new(None, CloseReason::DuplicateClientId, why));
    };
    let held = Held {
        engine: Arc::clone(engine),
        place,
    };
    let domain = engine.manner().mqtt_domain.clone();
    if !sessions.is_ready(&account.name) {
        storage::ensure_streams(&mut keeper, &domain).await?;
        sessions.set_ready(&account.name, true);
    }
    let is_clean = connect.clean_session;
    let begun = Session::begin(&mut keeper, &client_id, &domain, is_clean).await;
    let (session, is_present) = begun.map_err(|trouble| match trouble {
        Trouble::Unusable(why) => {
            let told = Some(ReturnCode::IdentifierRejected);
            Refused::new(told, CloseReason::ProtocolViolation, why)
        }
        other => {
            // Somebody may have deleted them.
            sessions.set_ready(&account.name, false);
            other.into()
        }
    })?;
    // Half as long again as was promised.
    let silence_max = (!connect.keep_alive.is_zero()).then(|| connect.keep_alive * 3 / 2);
    let mut peer = Peer::new(engine, options, outside, user, keeper, session);
    peer.will = will;
    peer.silence_max = silence_max;
    peer.heard_at = Instant::now();
    if !is_present && !is_clean {
        peer.session.save(&mut peer.keeper).await?;
    }
    push_connack(&mut peer.out, is_present, ReturnCode::Accepted);
    Ok((peer, held))
}

/// What is to be published when the client is lost, if it can be.
fn last_words(
    engine: &Engine,
    options: &MqttOptions,
    connect: &Connect,
) -> Result<Option<LastWords>, Refused> {
    let Some(will) = &connect.will else {
        return Ok(None);
    };
    let broken = |why: String| Refused::new(None, CloseReason::ProtocolViolation, why);
    if will.qos == recado_mqtt::Qos::ExactlyOnce && options.reject_qos2_publish {
        let why = "its will has QoS 2, which reject_qos2_publish forbids";
        let told = Some(ReturnCode::WillRejected);
        return Err(Refused::new(told, CloseReason::ProtocolViolation, why));
    }
    let subject = topic_to_subject(&will.topic)
        .map_err(|why| broken(format!("its will can't be published: {why}")))?;
    let most = engine.manner().internal.parse.max_control_line;
    match subject.len() + super::peer::LINE_ROOM > most {
        true => Err(broken(format!(
            "the topic of its will is longer than max_control_line ({most}) allows"
        ))),
        false => Ok(Some(LastWords {
            subject,
            will: will.clone(),
        })),
    }
}

/// Presents to the engine what the client did, and hears the decision.
async fn log_in(user: &mut User, connect: &Connect) -> Result<(), Refused> {
    let password = connect.password.as_deref();
    let password = password.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    user.say_connect(&NatsConnect {
        verbose: false,
        pedantic: false,
        user: connect.user.clone(),
        // nats-server takes the password for a token, too, and for the user's claims. A login service may ask for any of them.
        auth_token: password.clone(),
        jwt: password.clone().filter(|text| looks_like_claims(text)),
        pass: password,
        lang: Some("mqtt".to_owned()),
        headers: true,
        ..NatsConnect::default()
    });
    let settled = user.settle(|_| {}).await;
    if settled.is_ok() {
        return Ok(());
    }
    let reason = user.connection.close_reason();
    let (told, why) = match user.heard.errors.first() {
        Some(error) if error.starts_with("Authorization") || error.contains("Authentication") => (
            ReturnCode::NotAuthorized,
            format!("its login failed: {error}"),
        ),
        Some(error) => (ReturnCode::ServerUnavailable, error.clone()),
        None => (
            ReturnCode::ServerUnavailable,
            "the engine closed the connection".to_owned(),
        ),
    };
    let reason = reason.unwrap_or(CloseReason::AuthenticationViolation);
    Err(Refused::new(Some(told), reason, why))
}

/// Whether a text is a JWT by its form: three parts, the first of which is a JSON object.
fn looks_like_claims(text: &str) -> bool {
    text.starts_with("eyJ") && text.split('.').count() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_for_claims_by_its_form() {
        assert!(looks_like_claims("eyJ0eXAi.eyJqdGki.c2ln"));
        assert!(!looks_like_claims("eyJ0eXAi.eyJqdGki"));
        assert!(!looks_like_claims("a.b.c"));
        assert!(!looks_like_claims(""));
    }
}
