//! `recado explain`: what it says of a message's way, against the server that answers and one that can't.

use recado_conformance::{ServerBuilder, ServerProcess, is_genuine};
use serde_json::Value;

use crate::harness::{Ended, recado};

const CONFIG: &str = r#"
jetstream: enabled
accounts {
  SHOP {
    jetstream: enabled
    mappings: { "old": "orders.new" }
    imports: [{stream: {account: STOCK, subject: "moved.>"}, prefix: stock}]
    users: [
      {user: ana, password: a, permissions: {
        publish: {allow: ["orders.>", "old", "ask", "$SYS.REQ.>", "$JS.API.>"], deny: ["orders.secret"]}
      }}
    ]
  }
  STOCK {
    exports: [{service: count}, {stream: "moved.>"}, {stream: "private.>", accounts: [SYS]}]
    users: [{user: kay, password: k}]
  }
  SYS { users: [{user: admin, password: s}] }
}
system_account: SYS
"#;

fn as_user(server: &ServerProcess, user: &str, args: &[&str]) -> Ended {
    let password = if user == "ana" { "a" } else { "s" };
    let credentials = ["--user", user, "--password", password];
    recado(&server.url(), credentials.iter().chain(args)).run()
}

fn explained(server: &ServerProcess, subject: &str) -> (String, Option<i32>) {
    let ended = as_user(server, "ana", &["explain", subject]);
    (String::from_utf8(ended.stdout).expect("text"), ended.code)
}

#[test]
fn it_says_where_a_message_goes_what_stops_it_and_what_was_lost() {
    // nats-server has nothing like it: what is said of that is the other test's.
    if is_genuine() {
        return;
    }
    let server = ServerBuilder::recado().jetstream().config(CONFIG).start();
    let added = ["stream", "add", "ORDERS", "--subjects", "orders.>"];
    assert_eq!(as_user(&server, "ana", &added).code, Some(0));

    let (shown, code) = explained(&server, "old");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("orders.new"), "{shown}");
    assert!(shown.contains("ORDERS stores it"), "{shown}");

    let refused = as_user(&server, "ana", &["pub", "orders.secret", "x"]);
    assert_eq!(refused.code, Some(10));
    let (shown, code) = explained(&server, "orders.secret");
    assert_eq!(code, Some(10), "{shown}");
    let rule = "the permission orders.secret denies it";
    assert!(shown.contains(rule), "{shown}");
    assert!(shown.contains("its publisher's permissions"), "{shown}");

    let asked = as_user(&server, "ana", &["request", "ask", "x"]);
    assert_eq!(asked.code, Some(3));
    let (shown, code) = explained(&server, "ask");
    assert_eq!(code, Some(3), "{shown}");
    assert!(shown.contains("nobody was listening"), "{shown}");

    let other = ["explain", "a", "--account", "SYS"];
    assert_eq!(as_user(&server, "ana", &other).code, Some(10));
    let theirs = ["explain", "orders.new", "--account", "SHOP", "--json"];
    let told = as_user(&server, "admin", &theirs);
    let told: Value = serde_json::from_slice(&told.stdout).expect("a document");
    assert_eq!(told["stored"], true, "{told}");
    assert_eq!(told["streams"][0]["name"], "ORDERS", "{told}");
}

#[test]
fn it_says_what_other_accounts_have_under_the_subject_as_far_as_one_may_know() {
    if is_genuine() {
        return;
    }
    let server = ServerBuilder::recado().jetstream().config(CONFIG).start();
    let (shown, _) = explained(&server, "count");
    let offered = "STOCK exports the service count · this account does not import it";
    assert!(shown.contains(offered), "{shown}");
    let (shown, _) = explained(&server, "moved.box");
    let renamed = "STOCK exports the stream moved.> · called stock.moved.box here";
    assert!(shown.contains(renamed), "{shown}");
    let (shown, _) = explained(&server, "private.x");
    assert!(!shown.contains("STOCK"), "{shown}");
    let asked = ["--lang", "es", "explain", "private.x", "--account", "SHOP"];
    let shown = as_user(&server, "admin", &asked).stdout;
    let shown = String::from_utf8(shown).expect("text");
    let kept = "STOCK exporta el flujo private.> · no es para esta cuenta";
    assert!(shown.contains(kept), "{shown}");
}

#[test]
fn a_server_that_does_not_explain_is_said_to_be_none_that_does() {
    let Some(builder) = ServerBuilder::genuine() else {
        return;
    };
    let server = builder.start();
    let ended = recado(&server.url(), ["explain", "a"]).run();
    assert_eq!(ended.code, Some(14), "{}", ended.stderr);
    assert!(ended.stderr.contains("recado-server"), "{}", ended.stderr);
}
