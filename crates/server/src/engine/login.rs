//! How a client becomes somebody: what it presented, and the decision on it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use recado_auth::{Authenticator, CertificateNames, ConnectionType, Denied, Identity, Login};
use recado_session::{Goodbye, Rights};
use recado_wire::{Connect, ProtocolError};
use tokio::time::timeout_at;

use super::account::Accounts;
use super::callout::ask_service;
use super::connection::Connection;
use super::door::Way;
use super::shared::{Engine, Manner};
use super::standing::Standing;

/// Bytes of a nonce, before they are written as text.
const NONCE_BYTES: usize = 16;

/// How a client came, and what it was asked to sign.
#[derive(Clone, Default)]
pub(crate) struct Arrival {
    pub(crate) nonce: Option<Box<str>>,
    pub(crate) transport: Transport,
    pub(crate) peer: Option<IpAddr>,
    /// Names in its verified certificate.
    pub(crate) certificate: Option<Arc<CertificateNames>>,
}

/// The kind of connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transport(pub(crate) ConnectionType);

impl Default for Transport {
    fn default() -> Self {
        Self(ConnectionType::Standard)
    }
}

/// What a client presented. Kept as long as it is connected, to be judged again when the configuration changes.
pub(crate) struct Presented {
    connect: Connect,
    arrival: Arrival,
}

impl Presented {
    /// The credential in a CONNECT.
    pub(crate) fn new(connect: &Connect, arrival: &Arrival) -> Self {
        Self {
            connect: connect.credential(),
            arrival: arrival.clone(),
        }
    }

    /// Whether deciding on it takes tens of milliseconds by design.
    pub(crate) fn is_costly(&self, manner: &Manner) -> bool {
        self.asked(manner).is_costly(&self.connect)
    }

    pub(crate) fn decide(&self, manner: &Manner) -> Result<Identity, Denied> {
        self.asked(manner).decide(&self.login_with(&self.connect))
    }

    /// What is asked of those who came this way.
    fn asked<'a>(&self, manner: &'a Manner) -> &'a Authenticator {
        manner.authenticator_for(match self.arrival.transport.0 {
            ConnectionType::Websocket => Way::Websocket,
            ConnectionType::Mqtt | ConnectionType::MqttWs => Way::Mqtt,
            _ => Way::Clients,
        })
    }

    /// The login, with a CONNECT that says more than the credential.
    pub(super) fn login_with<'a>(&'a self, connect: &'a Connect) -> Login<'a> {
        let arrival = &self.arrival;
        Login {
            connect,
            nonce: arrival.nonce.as_deref().unwrap_or_default().as_bytes(),
            transport: arrival.transport.0,
            peer: arrival.peer,
            certificate: arrival.certificate.as_deref(),
            now_s: now_s(),
        }
    }
}

/// A nonce for one connection (A14).
pub(crate) fn new_nonce() -> Box<str> {
    let random: [u8; NONCE_BYTES] = rand::random();
    URL_SAFE_NO_PAD.encode(random).into()
}

/// Who a client is that came this way and says nothing, not even CONNECT; `None`: nobody, until it does.
pub(crate) fn without_credential(
    authenticator: &Authenticator,
    accounts: &Accounts,
    transport: ConnectionType,
) -> Option<Arc<Standing>> {
    // A default user of an operator's is looked at each time somebody comes: claims may have been revoked.
    if authenticator.is_required() {
        return None;
    }
    let arrival = Arrival {
        transport: Transport(transport),
        ..Arrival::default()
    };
    let presented = Presented::new(&Connect::default(), &arrival);
    let login = presented.login_with(&presented.connect);
    let identity = authenticator.decide(&login).ok()?;
    Some(Arc::new(Standing::of(identity, accounts, None)))
}

/// What a session is to be held to.
pub(crate) fn rights_of(standing: &Standing) -> Rights {
    let account = standing.account.terms().limits.clone();
    let user = &standing.identity.limits;
    let least = |one: Option<usize>, other: Option<usize>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    Rights {
        permissions: standing.permissions().cloned(),
        max_payload: least(account.max_payload, user.max_payload),
        max_subscriptions: least(account.max_subscriptions, user.max_subscriptions),
        expires: standing.identity.expires_s.map(instant_of),
        account_expires: standing.identity.account_expires_s.map(instant_of),
    }
}

/// The instant of a point in Unix time; one that is over is now.
fn instant_of(unix_s: u64) -> Instant {
    // Far enough away to be never, and near enough to be added.
    const FAR_S: u64 = 100 * 365 * 24 * 3600;
    Instant::now() + Duration::from_secs(unix_s.saturating_sub(now_s()).min(FAR_S))
}

pub(super) fn now_s() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.unwrap_or_default().as_secs()
}

/// How long a login may wait for its turn to be decided on.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    /// The end of the time to authenticate, for whom nobody knows yet.
    pub(super) until: Option<Instant>,
    /// Where it comes from, if failures from there count.
    pub(super) address: Option<IpAddr>,
}

/// Decides where blocking is allowed, a few at a time, if it takes long; looks for an account that nobody knows yet; has
/// a service decide that has the last word.
pub(super) async fn decide_elsewhere(
    engine: &Arc<Engine>,
    connection: &Connection,
    connect: &Connect,
    presented: Presented,
    wait: Wait,
) -> Result<(Presented, Result<Identity, Denied>), Goodbye> {
    let (mut presented, mut decision) = decide_alone(engine, presented, wait).await?;
    let needed = decision.as_ref().err().and_then(Denied::account_needed);
    if let Some(account) = needed.cloned()
        && engine.find_account(&account).await
    {
        (presented, decision) = decide_alone(engine, presented, wait).await?;
    }
    let Some(callout) = decision.as_ref().err().and_then(Denied::service_needed) else {
        return Ok((presented, decision));
    };
    let callout = Arc::clone(callout);
    let before = Arc::clone(&engine.manner());
    let decision = ask_service(engine, connection, connect, &presented, &callout).await;
    let is_as_before = Arc::ptr_eq(&before, &engine.manner());
    if is_as_before && before.authenticator.operator().is_none() {
        return Ok((presented, decision));
    }
    // Accounts or the configuration may have changed while the service thought about it: what it said holds only where
    // it would be asked again.
    let (presented, now) = decide_alone(engine, presented, wait).await?;
    let asked_again = now.as_ref().err().and_then(Denied::service_needed);
    match asked_again.is_some_and(|again| *again == callout) {
        true => Ok((presented, decision)),
        false => Ok((presented, now)),
    }
}

/// An address that is not listened to hears what everybody hears whose credential is wrong.
pub(super) fn paused() -> Goodbye {
    Goodbye::unauthorized(
        "too many failed logins from its address: it is not listened to for a while",
    )
}

fn late() -> Goodbye {
    Goodbye {
        told: Some(ProtocolError::AuthenticationTimeout),
        reason: "too many logins wait to be decided on: its turn did not come in time",
    }
}

async fn decide_alone(
    engine: &Arc<Engine>,
    presented: Presented,
    wait: Wait,
) -> Result<(Presented, Result<Identity, Denied>), Goodbye> {
    let failed = || Goodbye::unauthorized("the credential could not be checked");
    if !presented.is_costly(&engine.manner()) {
        let decision = presented.decide(&engine.manner());
        return Ok((presented, decision));
    }
    let turn = engine.deciding.acquire();
    let turn = match wait.until {
        Some(until) => timeout_at(until.into(), turn).await.map_err(|_| late())?,
        None => turn.await,
    };
    let _permit = turn.map_err(|_| failed())?;
    // Others from there may have failed while it waited: who sends very many at once is heard no oftener than who
    // sends one after the other.
    if wait.address.is_some_and(|from| engine.is_paused(from)) {
        return Err(paused());
    }
    let engine = Arc::clone(engine);
    let decided = tokio::task::spawn_blocking(move || {
        let decision = presented.decide(&engine.manner());
        (presented, decision)
    });
    decided.await.map_err(|_| failed())
}
