//! Accounts that come while the server runs: pushed to a directory, changed, revoked, deleted.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use nkeys::{KeyPair, KeyPairType};
use recado_auth::jwt::{Claims, sign};
use recado_server::Server;
use recado_server::config::{Machine, Options, load_file};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::operator::{
    connect, connect_with, is_refused, of_user, pair, root, sales, stock, token, user,
};
use crate::peer::{Frame, Peer};

const EARLIER_S: u64 = 1_700_000_000;

pub(crate) fn system() -> KeyPair {
    pair(KeyPairType::Account, 7)
}

fn unlimited() -> Value {
    json!({"subs": -1, "payload": -1, "conn": -1, "imports": -1, "exports": -1, "wildcards": true})
}

/// An account's token, issued so many seconds later than others.
pub(crate) fn account(key: &KeyPair, by: &KeyPair, mut nats: Value, later_s: u64) -> String {
    nats["type"] = "account".into();
    nats["version"] = 2.into();
    if nats["limits"].is_null() {
        nats["limits"] = unlimited();
    }
    let expires_s = nats["expires"].as_i64().unwrap_or_default();
    let mut claims: Claims<Value> = Claims {
        subject: key.public_key(),
        expires_s,
        nats,
        ..Claims::default()
    };
    sign(&mut claims, by, EARLIER_S + later_s).unwrap()
}

/// A server with the system account preloaded, and a directory for the others.
fn server(directory: &Path, more: &str) -> Server {
    started(directory, "full", more, "jetstream: false")
}

fn started(directory: &Path, kind: &str, more: &str, streams: &str) -> Server {
    let place = tempfile::tempdir().unwrap();
    configured(&configuration(&place, directory, kind, more, streams))
}

fn configured(file: &Path) -> Server {
    let configured = Server::builder().configure(|options| {
        let loaded = load_file(file, options, &Machine).unwrap();
        assert_eq!(loaded.findings.errors, []);
    });
    configured.start().unwrap()
}

fn configuration(
    place: &TempDir,
    directory: &Path,
    kind: &str,
    more: &str,
    streams: &str,
) -> PathBuf {
    let operator = token(
        "operator",
        &root(),
        &root(),
        json!({"system_account": system().public_key()}),
    );
    let text = format!(
        "operator: {operator}
         resolver {{ type: {kind}, dir: \"{}\", {more} }}
         resolver_preload {{ {}: {} }}
         port: -1, {streams}",
        directory.display(),
        system().public_key(),
        account(&system(), &root(), json!({}), 0),
    );
    let file = place.path().join("server.conf");
    std::fs::write(&file, text).unwrap();
    file
}

/// Somebody in the system account.
pub(crate) struct Admin(Peer);

impl Admin {
    pub(crate) fn of(server: &Server) -> Self {
        let mut peer = connect(server, &of_user(&system(), json!({})), &user());
        peer.send("SUB answers.* 1\r\n");
        peer.settle();
        Self(peer)
    }

    fn send(&mut self, subject: &str, payload: &str) {
        let bytes = payload.len();
        self.0
            .send(&format!("PUB {subject} answers.1 {bytes}\r\n{payload}\r\n"));
    }

    fn answer(&mut self) -> String {
        loop {
            match self.0.next().expect("still connected") {
                Frame::Message(message) => return String::from_utf8(message.payload).unwrap(),
                Frame::Error(text) => panic!("{text}"),
                _ => {}
            }
        }
    }

    pub(crate) fn ask(&mut self, subject: &str, payload: &str) -> Value {
        self.send(subject, payload);
        let answer: Value = serde_json::from_str(&self.answer()).unwrap();
        assert!(answer["server"]["name"].is_string(), "{answer}");
        answer
    }

    fn push(&mut self, token: &str) -> Value {
        self.ask("$SYS.REQ.CLAIMS.UPDATE", token)
    }

    /// What a refusal says.
    pub(crate) fn refused(&mut self, subject: &str, payload: &str) -> String {
        let answer = self.ask(subject, payload);
        assert_eq!(answer["error"]["code"], 500, "{answer}");
        assert!(answer["data"].is_null());
        answer["error"]["description"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_user_of_an_account_that_is_pushed_is_let_in_at_once_and_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let user_of_sales = of_user(&sales(), json!({}));
    {
        let server = server(directory.path(), "");
        assert!(is_refused(connect(&server, &user_of_sales, &user())));
        let mut admin = Admin::of(&server);
        let answer = admin.push(&account(&sales(), &root(), json!({}), 0));
        assert_eq!(
            answer["data"],
            json!({"account": sales().public_key(), "code": 200, "message": "jwt updated"})
        );
        connect(&server, &user_of_sales, &user()).settle();
        // The same by the subject that names the account.
        let subject = format!("$SYS.REQ.ACCOUNT.{}.CLAIMS.UPDATE", stock().public_key());
        let answer = admin.ask(&subject, &account(&stock(), &root(), json!({}), 0));
        assert_eq!(answer["data"]["message"], "jwt updated");
    }
    let again = server(directory.path(), "");
    connect(&again, &user_of_sales, &user()).settle();
    connect(&again, &of_user(&stock(), json!({})), &user()).settle();
}

#[test]
fn who_is_revoked_is_told_so_and_closed() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "");
    let mut admin = Admin::of(&server);
    admin.push(&account(&sales(), &root(), json!({}), 0));
    admin.push(&account(&stock(), &root(), json!({}), 0));
    let mut seller = connect(&server, &of_user(&sales(), json!({})), &user());
    seller.settle();
    let mut keeper = connect(&server, &of_user(&stock(), json!({})), &user());
    keeper.settle();
    let revoked = json!({"revocations": {user().public_key(): 1_800_000_000}});
    admin.push(&account(&sales(), &root(), revoked, 1));
    assert_eq!(
        seller.last_words().as_deref(),
        Some("User Authentication Revoked")
    );
    assert!(is_refused(connect(
        &server,
        &of_user(&sales(), json!({})),
        &user()
    )));
    // Others stay.
    keeper.settle();
}

#[test]
fn a_default_user_is_asked_each_time_so_who_says_nothing_does_not_outlive_its_revocation() {
    let (directory, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = configuration(&place, directory.path(), "full", "", "jetstream: false");
    let text = std::fs::read_to_string(&file).unwrap();
    let known = format!(
        "resolver_preload {{ {}: {}, ",
        sales().public_key(),
        account(&sales(), &root(), json!({}), 0)
    );
    let text = text.replace("resolver_preload {", &known);
    let sentinel = of_user(&sales(), json!({"bearer_token": true}));
    std::fs::write(&file, format!("{text}\ndefault_sentinel: {sentinel}")).unwrap();
    let server = configured(&file);
    let mut admin = Admin::of(&server);
    let mut anybody = Peer::connect(server.client_addr(), "");
    // Nobody is asked about who leaves CONNECT out, so that one is nobody.
    assert!(is_refused(Peer::bare(server.client_addr())));
    let revoked = json!({"revocations": {user().public_key(): 1_800_000_000}});
    admin.push(&account(&sales(), &root(), revoked, 1));
    assert_eq!(
        anybody.last_words().as_deref(),
        Some("User Authentication Revoked")
    );
    let mut late = Peer::bare(server.client_addr());
    late.send("CONNECT {}\r\n");
    assert!(is_refused(late));
}

#[test]
fn new_limits_and_imports_hold_for_who_is_connected() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "");
    let mut admin = Admin::of(&server);
    admin.push(&account(&sales(), &root(), json!({}), 0));
    let mut seller = connect(&server, &of_user(&sales(), json!({})), &user());
    seller.send("SUB stock.> 1\r\n");
    seller.settle();
    let import = json!({"account": stock().public_key(), "subject": "moved.>", "type": "stream", "to": "stock"});
    admin.push(&account(&sales(), &root(), json!({"imports": [import]}), 1));
    // The exporter comes later.
    let export = json!({"subject": "moved.>", "type": "stream"});
    admin.push(&account(&stock(), &root(), json!({"exports": [export]}), 0));
    let mut keeper = connect(&server, &of_user(&stock(), json!({})), &user());
    keeper.send("PUB moved.box 2\r\nhi\r\n");
    keeper.settle();
    let received = seller.settle();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(received[0].subject, "stock.moved.box");
    // The exporter offers it no more.
    admin.push(&account(&stock(), &root(), json!({}), 1));
    keeper.send("PUB moved.box 2\r\nhi\r\n");
    keeper.settle();
    assert_eq!(seller.settle(), []);
    let mut limits = unlimited();
    limits["payload"] = 3.into();
    admin.push(&account(&sales(), &root(), json!({"limits": limits}), 2));
    seller.settle();
    seller.send("PUB a 4\r\nlong\r\n");
    assert_eq!(
        seller.last_words().as_deref(),
        Some("Maximum Payload Violation")
    );
    // Fewer connections than there are: the newest go.
    let mut first = connect(&server, &of_user(&stock(), json!({})), &user());
    first.settle();
    let mut limits = unlimited();
    limits["conn"] = 1.into();
    admin.push(&account(&stock(), &root(), json!({"limits": limits}), 2));
    assert_eq!(
        first.last_words().as_deref(),
        Some("maximum account active connections exceeded")
    );
    keeper.settle();
}

#[test]
fn an_import_begins_when_its_activation_does() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "");
    let mut admin = Admin::of(&server);
    let export = json!({"subject": "moved.>", "type": "stream", "token_req": true});
    admin.push(&account(&stock(), &root(), json!({"exports": [export]}), 0));
    let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let mut activation: Claims<Value> = Claims {
        subject: sales().public_key(),
        not_before_s: i64::try_from(now_s.unwrap().as_secs()).unwrap() + 2,
        nats: json!({"subject": "moved.>", "kind": "stream", "type": "activation", "version": 2}),
        ..Claims::default()
    };
    let activation = sign(&mut activation, &stock(), EARLIER_S).unwrap();
    let import = json!({"account": stock().public_key(), "subject": "moved.>", "type": "stream",
        "token": activation});
    admin.push(&account(&sales(), &root(), json!({"imports": [import]}), 0));
    let mut seller = connect(&server, &of_user(&sales(), json!({})), &user());
    seller.send("SUB moved.> 1\r\n");
    seller.settle();
    let mut keeper = connect(&server, &of_user(&stock(), json!({})), &user());
    // Nothing else changes meanwhile: the server looks by itself.
    let arrived = std::iter::repeat_with(|| {
        keeper.send("PUB moved.box 2\r\nhi\r\n");
        keeper.settle();
        seller.settle()
    });
    let mut arrived = arrived.skip_while(Vec::is_empty).take(1);
    assert_eq!(arrived.next().unwrap()[0].subject, "moved.box");
}

#[test]
fn who_may_send_less_than_others_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "");
    let mut limits = unlimited();
    limits["payload"] = 77.into();
    let mut admin = Admin::of(&server);
    admin.push(&account(
        &sales(),
        &root(),
        json!({"limits": limits.clone()}),
        0,
    ));
    let seller = of_user(&sales(), json!({}));
    let mut peer = connect_with(&server, &seller, &user(), ",\"protocol\":1");
    peer.send("PING\r\n");
    let mut reader = BufReader::new(peer.socket.try_clone().unwrap());
    assert_eq!(info(&mut reader)["max_payload"], 77);
    // Whatever changes is told.
    limits["payload"] = 55.into();
    admin.push(&account(&sales(), &root(), json!({"limits": limits}), 1));
    assert_eq!(info(&mut reader)["max_payload"], 55);
}

/// The next INFO.
fn info(reader: &mut impl BufRead) -> Value {
    let mut line = String::new();
    while !line.starts_with("INFO ") {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    serde_json::from_str(line.trim_start_matches("INFO ")).unwrap()
}

#[test]
fn an_account_that_is_deleted_loses_its_clients() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "allow_delete: true");
    let mut admin = Admin::of(&server);
    admin.push(&account(&sales(), &root(), json!({}), 0));
    admin.push(&account(&stock(), &root(), json!({}), 0));
    let mut seller = connect(&server, &of_user(&sales(), json!({})), &user());
    seller.settle();
    let request = |accounts: &[&KeyPair], by: &KeyPair| {
        let keys: Vec<_> = accounts.iter().map(|key| key.public_key()).collect();
        let mut claims: Claims<Value> = Claims {
            subject: by.public_key(),
            nats: json!({"accounts": keys, "version": 2}),
            ..Claims::default()
        };
        sign(&mut claims, by, EARLIER_S).unwrap()
    };
    let delete = "$SYS.REQ.CLAIMS.DELETE";
    let stranger = pair(KeyPairType::Operator, 9);
    for (bad, why) in [
        (request(&[&sales()], &stranger), "not trusted"),
        (
            request(&[&system()], &root()),
            "not allowed to delete system account",
        ),
        (request(&[], &root()), "malformed request"),
        ("x".to_owned(), "it is not a JWT"),
    ] {
        let said = admin.refused(delete, &bad);
        assert!(said.ends_with(why), "{said}");
    }
    let answer = admin.ask(delete, &request(&[&sales()], &root()));
    assert_eq!(
        answer["data"],
        json!({"code": 200, "message": "deleted 1 accounts"})
    );
    assert_eq!(
        seller.last_words().as_deref(),
        Some("Account Authentication Expired")
    );
    assert!(is_refused(connect(
        &server,
        &of_user(&sales(), json!({})),
        &user()
    )));
    let mut left = [stock().public_key(), system().public_key()];
    left.sort();
    assert_eq!(admin.ask("$SYS.REQ.CLAIMS.LIST", "")["data"], json!(left));
    // Once it is pushed again, it is served again.
    admin.push(&account(&sales(), &root(), json!({}), 0));
    connect(&server, &of_user(&sales(), json!({})), &user()).settle();
}

#[test]
fn nothing_is_deleted_where_that_is_not_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "");
    let mut admin = Admin::of(&server);
    let mut claims: Claims<Value> = Claims {
        subject: root().public_key(),
        nats: json!({"accounts": [sales().public_key()], "version": 2}),
        ..Claims::default()
    };
    let request = sign(&mut claims, &root(), EARLIER_S).unwrap();
    let said = admin.refused("$SYS.REQ.CLAIMS.DELETE", &request);
    assert!(
        said.ends_with("delete must be enabled in server config"),
        "{said}"
    );
}

#[test]
fn claims_that_are_not_what_they_should_be_are_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "limit: 2");
    let mut admin = Admin::of(&server);
    let update = "$SYS.REQ.CLAIMS.UPDATE";
    admin.push(&account(&sales(), &root(), json!({}), 5));
    let stranger = pair(KeyPairType::Operator, 9);
    let forged = account(&sales(), &stranger, json!({}), 9);
    let older = account(&sales(), &root(), json!({"tags": ["older"]}), 4);
    let expired = account(&sales(), &root(), json!({"expires": 1_600_000_000}), 9);
    let third = account(&stock(), &root(), json!({}), 0);
    for (bad, why) in [
        (
            forged,
            "jwt update resulted in error - it is not signed by a trusted operator",
        ),
        (
            older,
            "jwt update resulted in error - newer claims of the account are known",
        ),
        (expired, "jwt validation failed - it has expired"),
        (third, "jwt update resulted in error - jwt store is full"),
        (
            String::new(),
            "jwt update resulted in error - it is not a JWT",
        ),
        (of_user(&sales(), json!({})), "it is of type \"user\""),
    ] {
        let said = admin.refused(update, &bad);
        assert!(said.contains(why), "{said}");
    }
    let another = format!("$SYS.REQ.ACCOUNT.{}.CLAIMS.UPDATE", stock().public_key());
    let said = admin.refused(&another, &account(&sales(), &root(), json!({}), 9));
    assert!(
        said.ends_with("subject does not match jwt content"),
        "{said}"
    );
    // All is as it was.
    connect(&server, &of_user(&sales(), json!({})), &user()).settle();
}

#[test]
fn claims_are_looked_up_and_packed_for_others() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "");
    let mut admin = Admin::of(&server);
    let pushed = account(&sales(), &root(), json!({}), 0);
    admin.push(&pushed);
    let lookup = |key: &KeyPair| format!("$SYS.REQ.ACCOUNT.{}.CLAIMS.LOOKUP", key.public_key());
    admin.send(&lookup(&sales()), "");
    assert_eq!(admin.answer(), pushed);
    admin.send(&lookup(&stock()), "");
    assert_eq!(admin.answer(), "");
    admin.send("$SYS.REQ.CLAIMS.PACK", "");
    let mut packed = vec![admin.answer(), admin.answer()];
    packed.sort();
    let mut wanted = [
        format!("{}|{pushed}", sales().public_key()),
        format!(
            "{}|{}",
            system().public_key(),
            account(&system(), &root(), json!({}), 0)
        ),
    ];
    wanted.sort();
    assert_eq!(packed, wanted);
    assert_eq!(admin.answer(), "");
}

#[test]
fn an_account_that_only_a_service_in_the_system_account_knows_is_asked_for_and_kept() {
    for kind in ["cache", "full"] {
        let directory = tempfile::tempdir().unwrap();
        let server = started(
            directory.path(),
            kind,
            "timeout: \"20s\"",
            "jetstream: false",
        );
        let mut service = Admin::of(&server).0;
        let lookup = "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP";
        service.send(&format!("SUB {lookup} 7\r\n"));
        service.settle();
        // Several come at once, and it is asked once.
        let jwt = of_user(&sales(), json!({}));
        let mut sellers: Vec<Peer> = (0..4).map(|_| connect(&server, &jwt, &user())).collect();
        for seller in &mut sellers {
            seller.send("PING\r\n");
        }
        let question = loop {
            if let Some(Frame::Message(message)) = service.next() {
                break message;
            }
        };
        let asked = lookup.replace('*', &sales().public_key());
        assert_eq!(question.subject, asked, "{kind}");
        let token = account(&sales(), &root(), json!({}), 0);
        service.send(&format!(
            "PUB {} {}\r\n{token}\r\n",
            question.reply,
            token.len()
        ));
        for seller in &mut sellers {
            seller.settle();
        }
        assert_eq!(service.settle(), [], "{kind}: one question");
        let kept = directory
            .path()
            .join(format!("{}.jwt", sales().public_key()));
        assert_eq!(std::fs::read_to_string(kept).unwrap(), token, "{kind}");
    }
}

#[test]
fn what_a_service_answers_must_be_that_account_signed_by_the_operator() {
    let directory = tempfile::tempdir().unwrap();
    let server = started(directory.path(), "cache", "", "jetstream: false");
    // Nobody to be asked: it is refused at once.
    assert!(is_refused(connect(
        &server,
        &of_user(&stock(), json!({})),
        &user()
    )));
    let mut service = Admin::of(&server).0;
    service.send("SUB $SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP 7\r\n");
    service.settle();
    for (key, token) in [
        (
            sales(),
            account(&sales(), &pair(KeyPairType::Operator, 9), json!({}), 0),
        ),
        (
            pair(KeyPairType::Account, 12),
            account(&stock(), &root(), json!({}), 0),
        ),
        (pair(KeyPairType::Account, 13), String::new()),
    ] {
        let mut seller = connect(&server, &of_user(&key, json!({})), &user());
        seller.send("PING\r\n");
        let question = loop {
            if let Some(Frame::Message(message)) = service.next() {
                break message;
            }
        };
        service.send(&format!(
            "PUB {} {}\r\n{token}\r\n",
            question.reply,
            token.len()
        ));
        assert_eq!(
            seller.last_words().as_deref(),
            Some("Authorization Violation")
        );
    }
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        1,
        "the system account"
    );
}

#[test]
fn a_file_that_somebody_puts_there_is_found_when_its_user_comes() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path(), "");
    assert!(is_refused(connect(
        &server,
        &of_user(&sales(), json!({})),
        &user()
    )));
    let file = directory
        .path()
        .join(format!("{}.jwt", sales().public_key()));
    std::fs::write(file, account(&sales(), &root(), json!({}), 0)).unwrap();
    connect(&server, &of_user(&sales(), json!({})), &user()).settle();
}

#[test]
fn who_is_revoked_in_the_directory_hears_so_when_it_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let place = tempfile::tempdir().unwrap();
    let file = configuration(&place, directory.path(), "full", "", "jetstream: false");
    let read = || {
        let mut options = Options::default();
        load_file(&file, &mut options, &Machine).unwrap();
        options
    };
    let server = Server::start(read(), recado_server::Inherited::default()).unwrap();
    let mut admin = Admin::of(&server);
    admin.push(&account(&sales(), &root(), json!({}), 0));
    let mut seller = connect(&server, &of_user(&sales(), json!({})), &user());
    seller.settle();
    // Nothing changed: everybody stays.
    assert_eq!(server.reload(read()).unwrap().dismissed, 0);
    seller.settle();
    let revoked = json!({"revocations": {"*": 1_800_000_000}});
    let path = directory
        .path()
        .join(format!("{}.jwt", sales().public_key()));
    std::fs::write(path, account(&sales(), &root(), revoked, 1)).unwrap();
    assert_eq!(server.reload(read()).unwrap().dismissed, 1);
    assert_eq!(
        seller.last_words().as_deref(),
        Some("User Authentication Revoked")
    );
}

#[test]
fn a_cache_takes_news_of_what_it_knows_only() {
    let directory = tempfile::tempdir().unwrap();
    let server = started(directory.path(), "cache", "ttl: \"1h\"", "jetstream: false");
    let mut admin = Admin::of(&server);
    let answer = admin.push(&account(&sales(), &root(), json!({}), 0));
    assert_eq!(answer["data"]["message"], "jwt update cache skipped");
    let answer = admin.push(&account(&system(), &root(), json!({"tags": ["x"]}), 1));
    assert_eq!(answer["data"]["message"], "jwt updated cache");
    let said = admin.refused("$SYS.REQ.CLAIMS.UPDATE", "x");
    assert!(
        said.starts_with("jwt update cache resulted in error"),
        "{said}"
    );
}

#[test]
fn an_account_gets_streams_and_loses_them_by_its_claims() {
    let directory = tempfile::tempdir().unwrap();
    let store = tempfile::tempdir().unwrap();
    let streams = format!("jetstream {{ store_dir: \"{}\" }}", store.path().display());
    let server = started(directory.path(), "full", "", &streams);
    let mut admin = Admin::of(&server);
    let with = |bytes: i64| {
        let mut limits = unlimited();
        limits["disk_storage"] = bytes.into();
        json!({"limits": limits})
    };
    admin.push(&account(&sales(), &root(), with(1_000_000), 0));
    let mut seller = connect(&server, &of_user(&sales(), json!({})), &user());
    seller.send("SUB in 1\r\n");
    let mut info = move || {
        seller.send("PUB $JS.API.INFO in 0\r\n\r\n");
        loop {
            if let Frame::Message(message) = seller.next().expect("still connected") {
                return serde_json::from_slice::<Value>(&message.payload).unwrap_or_default();
            }
        }
    };
    assert_eq!(info()["limits"]["max_storage"], 1_000_000);
    admin.push(&account(&sales(), &root(), with(2_000_000), 1));
    assert_eq!(info()["limits"]["max_storage"], 2_000_000);
    admin.push(&account(&sales(), &root(), with(0), 2));
    assert_eq!(info()["error"]["err_code"], 10039);
}
