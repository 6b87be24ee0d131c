//! `recado trace`: what it shows of a message's way, and that the message arrives only where that was asked for.

use recado_conformance::{ServerBuilder, ServerProcess};
use serde_json::Value;

use crate::harness::{Ended, recado};

const CONFIG: &str = r#"
jetstream: enabled
accounts {
  SHOP {
    jetstream: enabled
    mappings: { "old": "orders.new" }
    users: [{user: ana, password: a, permissions: {publish: {deny: "secret"}}}]
    exports: [{stream: "orders.>"}]
  }
  SALES {
    users: [{user: eva, password: a}]
    imports: [{stream: {account: SHOP, subject: "orders.>"}, prefix: shop, allow_trace: true}]
  }
  SYS { users: [{user: admin, password: a}] }
}
system_account: SYS
"#;

fn as_ana(server: &ServerProcess, args: &[&str]) -> Ended {
    let credentials = ["--user", "ana", "--password", "a"];
    recado(&server.url(), credentials.iter().chain(args)).run()
}

fn messages(server: &ServerProcess) -> Value {
    let told = as_ana(server, &["stream", "info", "ORDERS", "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).expect("a document");
    told["state"]["messages"].clone()
}

#[test]
fn it_shows_the_way_of_a_message_and_delivers_it_only_if_asked_to() {
    let server = ServerBuilder::recado().jetstream().config(CONFIG).start();
    let added = ["stream", "add", "ORDERS", "--subjects", "orders.>"];
    assert_eq!(as_ana(&server, &added).code, Some(0));

    let followed = as_ana(&server, &["trace", "old", "hello"]);
    let shown = String::from_utf8(followed.stdout).expect("text");
    assert_eq!(followed.code, Some(0), "{shown}");
    for part in [
        "old, only followed",
        "account SHOP, as old",
        "a mapping calls it orders.new",
        "→ stream ORDERS · stored as orders.new",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert_eq!(messages(&server), 0, "it was only followed");

    let delivered = as_ana(&server, &["trace", "old", "hello", "--deliver", "--json"]);
    let trace: Value = serde_json::from_slice(&delivered.stdout).expect("a document");
    assert_eq!(trace["events"][0]["subj"], "old", "{trace}");
    assert_eq!(messages(&server), 1);

    let nobody = as_ana(&server, &["trace", "nobody", "hello", "--lang", "es"]);
    assert_eq!(nobody.code, Some(3));
    let shown = String::from_utf8(nobody.stdout).expect("text");
    assert!(shown.contains("no lo recibe nadie"), "{shown}");
    assert_eq!(as_ana(&server, &["trace", "secret", "x"]).code, Some(10));
}
