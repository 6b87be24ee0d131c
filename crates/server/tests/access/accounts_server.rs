//! Accounts that a server is asked for over HTTP: a small one, which answers as well or badly as a test wants it to.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nkeys::KeyPair;
use recado_auth::jwt::TOKEN_BYTES_MAX;
use recado_server::config::{Machine, load_file};
use recado_server::{Server, StartError};
use serde_json::{Value, json};

use crate::operator::{connect, of_user, root, sales, stock, token, user};
use crate::peer::Frame;
use crate::resolver::{Admin, account, system};

/// How one account is answered for.
#[derive(Clone)]
enum Answer {
    Token(String),
    Status(&'static str),
    /// Nothing, and the connection stays.
    Silence,
    /// More than a token may have.
    Huge,
    /// No HTTP.
    Nonsense,
    Elsewhere(String),
}

/// The server; it is asked at `/jwt/v1/accounts/`.
#[derive(Clone)]
struct Asked {
    addr: SocketAddr,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    questions: Arc<Mutex<Vec<String>>>,
}

impl Asked {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let asked = Self {
            addr: listener.local_addr().unwrap(),
            answers: Arc::default(),
            questions: Arc::default(),
        };
        asked.set("", Answer::Token("here".to_owned()));
        let serving = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(stream.unwrap()));
            }
        });
        asked
    }

    fn set(&self, name: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(name.to_owned(), answer);
    }

    fn has(&self, key: &KeyPair, nats: Value) {
        let token = account(key, &root(), nats, 0);
        self.set(&key.public_key(), Answer::Token(token));
    }

    fn times_asked(&self, key: &KeyPair) -> usize {
        let questions = self.questions.lock().unwrap();
        let key = key.public_key();
        questions.iter().filter(|name| **name == key).count()
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut first = String::new();
        let mut line = String::new();
        reader.read_line(&mut first).unwrap();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line).unwrap() == 0 {
                return;
            }
        }
        let path = first.split(' ').nth(1).unwrap();
        let name = path.strip_prefix("/jwt/v1/accounts/").unwrap_or("?");
        self.questions.lock().unwrap().push(name.to_owned());
        let answer = self.answers.lock().unwrap().get(name).cloned();
        let whole = |status: &str, more: &str, body: &str| {
            let length = body.len();
            format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}\r\n{body}")
        };
        let text = match answer {
            None => whole("404 Not Found", "", "no such account"),
            Some(Answer::Token(token)) => whole("200 OK", "", &token),
            Some(Answer::Status(status)) => whole(status, "", ""),
            Some(Answer::Elsewhere(to)) => whole("302 Found", &format!("location: {to}\r\n"), ""),
            Some(Answer::Nonsense) => "nonsense\r\n\r\n".to_owned(),
            Some(Answer::Silence) => {
                // Until the other side gives up.
                let _ = reader.read_line(&mut line);
                return;
            }
            Some(Answer::Huge) => {
                let head = "HTTP/1.1 200 OK\r\n\r\n";
                let body = "x".repeat(TOKEN_BYTES_MAX + 1);
                format!("{head}{body}")
            }
        };
        // The other side may have had enough.
        let _ = stream.write_all(text.as_bytes());
    }
}

fn start(url: &str) -> Result<Server, StartError> {
    let operator = token(
        "operator",
        &root(),
        &root(),
        json!({"system_account": system().public_key()}),
    );
    let text =
        format!("operator: {operator}\nresolver: \"URL({url})\"\nport: -1, jetstream: false");
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("server.conf");
    std::fs::write(&file, text).unwrap();
    let built = Server::builder().configure(|options| {
        let loaded = load_file(&file, options, &Machine).unwrap();
        assert_eq!(loaded.findings.errors, []);
    });
    built.start()
}

fn server(asked: &Asked) -> Server {
    start(&format!("http://{}/jwt/v1/accounts/", asked.addr)).unwrap()
}

/// Whether a user of this account is let in.
fn comes_in(server: &Server, account: &KeyPair) -> bool {
    let mut peer = connect(server, &of_user(account, json!({})), &user());
    peer.send("PING\r\n");
    let frames = std::iter::from_fn(|| peer.next());
    let mut told = frames.filter(|frame| !matches!(frame, Frame::Other));
    match told.next() {
        Some(Frame::Pong) => true,
        Some(Frame::Error(text)) => {
            assert_eq!(text, "Authorization Violation");
            false
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_account_is_asked_for_when_its_user_comes_with_those_it_imports_from() {
    let asked = Asked::start();
    let export = json!({"subject": "moved.>", "type": "stream"});
    asked.has(&stock(), json!({"exports": [export]}));
    let import = json!({"account": stock().public_key(), "subject": "moved.>", "type": "stream", "to": "stock"});
    asked.has(&sales(), json!({"imports": [import]}));
    let server = server(&asked);
    let mut seller = connect(&server, &of_user(&sales(), json!({})), &user());
    seller.send("SUB stock.> 1\r\n");
    seller.settle();
    let mut keeper = connect(&server, &of_user(&stock(), json!({})), &user());
    keeper.send("PUB moved.box 2\r\nhi\r\n");
    keeper.settle();
    let received = seller.settle();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(received[0].subject, "stock.moved.box");
    // Once is enough, however many come.
    assert!(comes_in(&server, &sales()));
    assert_eq!(
        (asked.times_asked(&sales()), asked.times_asked(&stock())),
        (1, 1)
    );
}

#[test]
fn many_who_come_at_once_wait_for_one_answer() {
    let asked = Asked::start();
    asked.has(&sales(), json!({}));
    let server = server(&asked);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(comes_in(&server, &sales())));
        }
    });
    assert_eq!(asked.times_asked(&sales()), 1);
}

#[test]
fn an_answer_that_is_no_such_account_lets_nobody_in() {
    let asked = Asked::start();
    let server = server(&asked);
    let name = sales().public_key();
    let other = account(&stock(), &root(), json!({}), 0);
    let stranger = crate::operator::pair(nkeys::KeyPairType::Operator, 9);
    let expired = json!({"expires": 1_600_000_000});
    let far = format!("http://{}/jwt/v1/accounts/{name}", asked.addr);
    for answer in [
        Answer::Status("404 Not Found"),
        Answer::Status("500 Internal Server Error"),
        Answer::Huge,
        Answer::Nonsense,
        Answer::Token(String::new()),
        Answer::Token("x.y.z".to_owned()),
        Answer::Token(other),
        Answer::Token(account(&sales(), &stranger, json!({}), 0)),
        Answer::Token(account(&sales(), &root(), expired, 0)),
        // In circles.
        Answer::Elsewhere(far),
        Answer::Elsewhere("file:///etc/passwd".to_owned()),
    ] {
        asked.set(&name, answer);
        let before = asked.times_asked(&sales());
        assert!(!comes_in(&server, &sales()));
        // It was asked, unless that was within the last second.
        let mut tries = 0;
        while asked.times_asked(&sales()) == before {
            assert!(!comes_in(&server, &sales()));
            tries += 1;
            assert!(tries < 10_000);
        }
    }
    asked.has(&sales(), json!({}));
    let mut tries = 0;
    while !comes_in(&server, &sales()) {
        tries += 1;
        assert!(tries < 10_000);
    }
}

#[test]
fn who_is_sent_elsewhere_finds_the_account_there() {
    let asked = Asked::start();
    asked.has(&stock(), json!({}));
    let token = account(&sales(), &root(), json!({}), 0);
    asked.set("moved", Answer::Token(token));
    let there = "/jwt/v1/accounts/moved".to_owned();
    asked.set(&sales().public_key(), Answer::Elsewhere(there));
    let server = server(&asked);
    assert!(comes_in(&server, &sales()));
}

#[test]
fn a_server_that_does_not_answer_keeps_nobody_else_waiting() {
    let asked = Asked::start();
    asked.set(&sales().public_key(), Answer::Silence);
    asked.has(&stock(), json!({}));
    let server = server(&asked);
    assert!(comes_in(&server, &stock()));
    let mut keeper = connect(&server, &of_user(&stock(), json!({})), &user());
    keeper.settle();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let since = Instant::now();
            assert!(!comes_in(&server, &sales()));
            since.elapsed()
        });
        while asked.times_asked(&sales()) == 0 {
            std::thread::yield_now();
        }
        for _ in 0..10 {
            let since = Instant::now();
            keeper.settle();
            assert!(since.elapsed() < Duration::from_secs(1));
        }
        assert!(waiting.join().unwrap() < Duration::from_secs(20));
    });
}

#[test]
fn claims_that_have_ended_are_asked_for_again() {
    let asked = Asked::start();
    let in_a_moment = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.unwrap().as_secs() + 2
    };
    asked.has(&sales(), json!({"expires": in_a_moment()}));
    let server = server(&asked);
    let mut seller = connect(&server, &of_user(&sales(), json!({})), &user());
    seller.settle();
    assert_eq!(
        seller.last_words().as_deref(),
        Some("Account Authentication Expired")
    );
    let newer = account(&sales(), &root(), json!({}), 1);
    asked.set(&sales().public_key(), Answer::Token(newer));
    let mut tries = 0;
    while !comes_in(&server, &sales()) {
        tries += 1;
        assert!(tries < 10_000);
    }
}

#[test]
fn known_accounts_may_be_pushed_and_nothing_is_kept() {
    let asked = Asked::start();
    asked.has(&sales(), json!({}));
    asked.has(&system(), json!({}));
    let server = server(&asked);
    let mut admin = Admin::of(&server);
    let update = |key: &KeyPair| format!("$SYS.REQ.ACCOUNT.{}.CLAIMS.UPDATE", key.public_key());
    let pushed = account(&sales(), &root(), json!({}), 1);
    // Nobody asked for it yet, so nothing is known of it.
    let answer = admin.ask(&update(&sales()), &pushed);
    assert_eq!(answer["data"]["message"], "jwt update skipped");
    assert!(comes_in(&server, &sales()));
    let answer = admin.ask(&update(&sales()), &pushed);
    assert_eq!(answer["data"]["message"], "jwt updated");
    let said = admin.refused("$SYS.REQ.CLAIMS.LIST", "");
    assert!(said.contains("keeps no accounts"), "{said}");
}

#[test]
fn a_server_starts_only_where_somebody_can_be_asked() {
    let asked = Asked::start();
    asked.set("", Answer::Status("500 Internal Server Error"));
    let refused = start(&format!("http://ana:clave@{}/jwt/v1/accounts", asked.addr));
    let said = refused.err().unwrap().to_string();
    assert!(said.contains("it answers 500"), "{said}");
    assert!(!said.contains("clave"), "{said}");
}

#[test]
fn until_the_system_account_is_found_its_own_key_lets_in() {
    let asked = Asked::start();
    let server = server(&asked);
    let mut admin = Admin::of(&server);
    // Who pushes the system account's claims ends the makeshift.
    let update = format!("$SYS.REQ.ACCOUNT.{}.CLAIMS.UPDATE", system().public_key());
    let answer = admin.ask(&update, &account(&system(), &root(), json!({}), 0));
    assert_eq!(answer["data"]["message"], "jwt updated");
    assert!(comes_in(&server, &system()));
}
