//! Asks services that decide on logins (auth callout, C14, ADR-26), and hands their answers to the connections that wait.
//! Services that know accounts are asked by the same connection ([`super::account_lookup`]).
//!
//! One connection without a socket asks in all accounts. It is made with the first question, and made again should the
//! engine have cut it off. What a question says and what an answer is worth is decided elsewhere, without I/O
//! ([`recado_auth::Callout`]).

use std::sync::{Arc, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hashbrown::HashMap;
use parking_lot::Mutex;
use recado_auth::jwt::{ClientInfo, ClientTls, ServerInfo};
use recado_auth::{
    Asked, CALLOUT_SUBJECT, CALLOUT_XKEY_HEADER, Callout, Court, Denied, Identity, Login, Question,
    Reason,
};
use recado_wire::{Connect, ServerFrame, ServerParsed, parse_server_frame};
use rustls::pki_types::CertificateDer;
use tokio::sync::oneshot;

use super::account::Account;
use super::client::client_type;
use super::connection::Connection;
use super::insider::Insider;
use super::intake::Intake;
use super::layers::Layers;
use super::login::{Presented, now_s};
use super::shared::Engine;
use super::subscription::Origin;
use crate::identity::Identity as ServerIdentity;
use crate::operator::utc_offset;
use crate::version::NATS_VERSION;

/// Logins that wait for a service at once; more are denied.
const WAITING_MAX: usize = 4096;
/// How subjects begin that answers come to, as with nats-server: permissions of services may name it.
const INBOX_PREFIX: &str = "$SYS._INBOX";
/// Bytes of chance in the subject of one answer.
const TOKEN_BYTES: usize = 16;
/// Why a question gets no answer whose connection has ended.
const LOST: &str = "the connection that asks was cut off: the server stops, or answers came faster than it takes them";

/// Logins that wait for a service, and the way to ask it.
pub(crate) struct Inquiries {
    server: ServerIdentity,
    host: String,
    /// What answers begin with, up to the last token.
    inbox: Box<str>,
    desk: Mutex<Option<Arc<Desk>>>,
}

/// Where an answer goes.
type Answering = oneshot::Sender<Box<[u8]>>;

/// The connection that asks.
struct Desk {
    insider: Insider,
    /// Who waits for an answer, by the last token of its subject.
    waiting: Mutex<HashMap<Box<[u8]>, Answering>>,
    /// Where it listens for answers, by the account's name.
    accounts: Mutex<HashMap<Box<str>, Arc<Account>>>,
}

/// Who must listen, for a question to make sense.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Anybody but the connection that asks.
    Anybody,
    /// Clients: parts of the server listen there, too, and do not answer it.
    Clients,
}

/// A question that was asked; it stops waiting when it is dropped.
pub(super) struct Waiting {
    desk: Arc<Desk>,
    token: Box<[u8]>,
    answer: oneshot::Receiver<Box<[u8]>>,
}

impl Waiting {
    /// The answer; `None`: there will be none.
    pub(super) async fn answer(&mut self) -> Option<Box<[u8]>> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.desk.waiting.lock().remove(&self.token);
    }
}

impl Inquiries {
    /// Nobody waits yet. `host` is where clients connect.
    pub(crate) fn new(server: ServerIdentity, host: String) -> Self {
        let id: [u8; 6] = rand::random();
        let inbox = format!("{INBOX_PREFIX}.{}.", URL_SAFE_NO_PAD.encode(id)).into();
        Self {
            server,
            host,
            inbox,
            desk: Mutex::default(),
        }
    }

    /// The server's name.
    pub(super) fn server_name(&self) -> &str {
        &self.server.name
    }

    /// The connection that asks; one that is being cut off hears no answers, so another takes its place.
    fn desk(&self, engine: &Arc<Engine>) -> Option<Arc<Desk>> {
        let mut held = self.desk.lock();
        let serves = |desk: &Arc<Desk>| !desk.insider.is_cut_off();
        if !held.as_ref().is_some_and(serves) {
            let intake = Arc::new(Intake::default());
            let insider = Insider::connect(engine, &intake)?;
            let desk = Arc::new(Desk {
                insider,
                waiting: Mutex::default(),
                accounts: Mutex::default(),
            });
            tokio::spawn(hand_out(
                Arc::downgrade(engine),
                Arc::downgrade(&desk),
                intake,
            ));
            let gone = held.replace(Arc::clone(&desk));
            drop(held);
            // It takes its subscriptions back: not under the lock.
            drop(gone);
            return Some(desk);
        }
        held.clone()
    }

    /// Whoever asks next does so by another connection than this.
    fn leave(&self, ended: &Weak<Desk>) {
        let mut held = self.desk.lock();
        let gone = held.take_if(|desk| Arc::as_ptr(desk) == ended.as_ptr());
        drop(held);
        drop(gone);
    }

    /// Publishes a question in an account, on a subject that these must listen on.
    pub(super) fn ask(
        &self,
        engine: &Arc<Engine>,
        account: &Arc<Account>,
        (subject, audience): (&str, Audience),
        headers: &[u8],
        payload: &[u8],
    ) -> Result<Waiting, &'static str> {
        let desk = self
            .desk(engine)
            .ok_or("the server has no room for the connection that asks")?;
        desk.listen(account, &self.inbox);
        let subject = subject.as_bytes();
        let is_heard = match audience {
            Audience::Anybody => desk.insider.has_interest(account, subject, None),
            Audience::Clients => desk.insider.is_heard_by_clients(account, subject),
        };
        if !is_heard {
            return Err("no service is connected to decide on it");
        }
        let chance: [u8; TOKEN_BYTES] = rand::random();
        let token: Box<[u8]> = URL_SAFE_NO_PAD.encode(chance).into_bytes().into();
        let (sender, answer) = oneshot::channel();
        {
            let mut waiting = desk.waiting.lock();
            if waiting.len() >= WAITING_MAX {
                return Err("too many logins wait for a service");
            }
            waiting.insert(token.clone(), sender);
        }
        let waiting = Waiting {
            desk,
            token,
            answer,
        };
        let insider = &waiting.desk.insider;
        // Whoever cut it off meanwhile may have told those that wait already.
        if insider.is_cut_off() {
            return Err(LOST);
        }
        let reply = [self.inbox.as_bytes(), &waiting.token].concat();
        insider.publish(account, subject, &reply, headers, payload);
        insider.flush();
        Ok(waiting)
    }
}

impl Desk {
    /// Hears answers in an account from now on.
    fn listen(&self, account: &Arc<Account>, inbox: &str) {
        let mut accounts = self.accounts.lock();
        let known = accounts.get(&*account.name);
        if known.is_some_and(|known| Arc::ptr_eq(known, account)) {
            return;
        }
        let sid = account.number.to_string();
        let filter = format!("{inbox}*");
        self.insider.unsubscribe(sid.as_bytes());
        self.insider
            .subscribe(account, filter.as_bytes(), sid.as_bytes(), Origin::Untold);
        accounts.insert((*account.name).into(), Arc::clone(account));
    }

    /// Hands every whole message at the start of `frames` to whoever waits for it; says how many bytes that were.
    fn sort(&self, frames: &[u8]) -> usize {
        let mut at = 0;
        while let ServerParsed::Complete(frame, length) = parse_server_frame(&frames[at..]) {
            at += length;
            let ServerFrame::Message {
                subject, payload, ..
            } = frame
            else {
                continue;
            };
            let token = subject.rsplit(|byte| *byte == b'.').next();
            let waits = token.and_then(|token| self.waiting.lock().remove(token));
            if let Some(sender) = waits {
                // Whoever asked may have given up.
                let _ = sender.send(payload.into());
            }
        }
        at
    }
}

/// Hands out answers until the connection ends; then the next question makes another one.
async fn hand_out(engine: Weak<Engine>, desk: Weak<Desk>, intake: Arc<Intake>) {
    let (mut frames, mut partial) = (Vec::new(), Vec::new());
    loop {
        let taken = intake.taken(&mut frames).await;
        partial.append(&mut frames);
        let Some(desk) = desk.upgrade() else {
            return;
        };
        let done = desk.sort(&partial);
        partial.drain(..done);
        if taken.closed {
            break;
        }
    }
    if let Some(engine) = engine.upgrade() {
        engine.inquiries.leave(&desk);
    }
    if let Some(desk) = desk.upgrade() {
        // Those that wait hear that nobody will answer.
        desk.waiting.lock().clear();
    }
}

/// Has the service decide on a login, and judges what it says.
pub(super) async fn ask_service(
    engine: &Arc<Engine>,
    connection: &Connection,
    connect: &Connect,
    presented: &Presented,
    callout: &Callout,
) -> Result<Identity, Denied> {
    let failed = |why: &str| Denied::of(Reason::Callout(why.to_owned()));
    let inquiries = &engine.inquiries;
    let timeout = engine.manner().session_for(connection.way()).auth_timeout;
    let login = presented.login_with(connect);
    let asked = callout.ask(Question {
        login: &login,
        server: ServerInfo {
            name: inquiries.server.name.clone(),
            host: inquiries.host.clone(),
            id: inquiries.server.id.clone(),
            version: NATS_VERSION.to_owned(),
            tags: engine.manner().tags.clone(),
            ..ServerInfo::default()
        },
        client: client_info(connection, connect),
        tls: connection.outside_layers().and_then(tls_info),
        key: &inquiries.server.keys.signing,
        curve_key: &inquiries.server.keys.curve,
        timeout_s: timeout.as_secs(),
        user_seed: rand::random(),
        nonce: rand::random(),
    })?;
    let account = engine
        .accounts
        .get(callout.account())
        .ok_or_else(|| failed("the account of the service is not there"))?;
    let headers = asked.xkey.as_deref().map(xkey_header).unwrap_or_default();
    let to = (CALLOUT_SUBJECT, Audience::Anybody);
    let waiting = inquiries.ask(engine, &account, to, &headers, &asked.payload);
    let mut waiting = waiting.map_err(failed)?;
    let answer = match tokio::time::timeout(timeout, waiting.answer()).await {
        Ok(Some(answer)) => answer,
        Ok(None) => return Err(failed(LOST)),
        Err(_) => return Err(no_answer(timeout)),
    };
    let judged = judge(engine, connection, callout, &asked, &answer, &login);
    let needed = judged.as_ref().err().and_then(Denied::account_needed);
    match needed.cloned() {
        // The service may place users in accounts that nobody used yet.
        Some(account) if engine.find_account(&account).await => {
            judge(engine, connection, callout, &asked, &answer, &login)
        }
        _ => judged,
    }
}

fn judge(
    engine: &Engine,
    connection: &Connection,
    callout: &Callout,
    asked: &Asked,
    answer: &[u8],
    login: &Login<'_>,
) -> Result<Identity, Denied> {
    let manner = engine.manner();
    let court = Court {
        curve_key: &engine.inquiries.server.keys.curve,
        operator: manner.authenticator.operator(),
        proxied: manner.authenticator_for(connection.way()).is_proxied(login),
        utc_offset,
        now_s: now_s(),
    };
    callout.judge(asked, answer, login, &court)
}

fn no_answer(timeout: Duration) -> Denied {
    Denied::of(Reason::Callout(format!(
        "the service did not answer within {} ms; it may have refused the question, or be too slow",
        timeout.as_millis()
    )))
}

fn xkey_header(xkey: &str) -> Vec<u8> {
    format!("NATS/1.0\r\n{CALLOUT_XKEY_HEADER}: {xkey}\r\n\r\n").into_bytes()
}

fn client_info(connection: &Connection, connect: &Connect) -> ClientInfo {
    let address = connection.proved_address();
    let host = address.map(|peer| peer.ip().to_canonical().to_string());
    let claimed = [&connect.nkey, &connect.user];
    let claimed = claimed.into_iter().flatten().find(|text| !text.is_empty());
    ClientInfo {
        host: host.unwrap_or_default(),
        id: connection.id,
        user: claimed.cloned().unwrap_or_default(),
        name: connect.name.clone().unwrap_or_default(),
        kind: "Client".to_owned(),
        client_type: client_type(connection.connection_type()).to_owned(),
        ..ClientInfo::default()
    }
}

/// A certificate that a client could show was verified: others are not asked for.
fn tls_info(layers: &Layers) -> Option<ClientTls> {
    let facts = layers.tls.as_ref()?;
    let chain: Vec<String> = layers.certificates().iter().map(pem).collect();
    Some(ClientTls {
        version: facts.version.to_owned(),
        cipher: facts.cipher_suite.clone(),
        certs: Vec::new(),
        verified_chains: match chain.is_empty() {
            true => Vec::new(),
            false => vec![chain],
        },
    })
}

fn pem(certificate: &CertificateDer<'static>) -> String {
    const LINE: usize = 64;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(LINE) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ending::CloseReason;
    use crate::internal_client::tests::{engine, run};

    #[test]
    fn a_connection_that_was_cut_off_asks_nothing_more_and_its_end_does_not_concern_the_next() {
        run(async {
            let engine = engine();
            let first = engine.inquiries.desk(&engine).unwrap();
            let connection = engine.connections.all().pop().unwrap();
            // Whoever hands out its answers has not heard of it yet.
            connection.close(CloseReason::SlowConsumerPending);
            let second = engine.inquiries.desk(&engine).unwrap();
            assert!(!Arc::ptr_eq(&first, &second));
            assert!(!second.insider.is_cut_off());
            let (sender, answer) = oneshot::channel();
            first.waiting.lock().insert(b"token"[..].into(), sender);
            // Now it hears of it.
            assert!(answer.await.is_err(), "told that nobody will answer");
            let third = engine.inquiries.desk(&engine).unwrap();
            assert!(Arc::ptr_eq(&second, &third));
        });
    }
}
