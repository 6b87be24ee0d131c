//! Streams of several accounts, from the engine's side.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use recado_streams::config::AccountLimits;
use recado_streams::jetstream::Settings;
use recado_wire::{ServerFrame, ServerParsed, parse_server_frame};
use serde_json::{Value, json};

use super::{NotServed, Raised, RequestLimits, ServedAccount, Streams, open};
use crate::config::StoreEncryption;
use crate::config::StreamsOptions;
use crate::engine::{Account, Engine, Insider, Intake, Origin};
use crate::internal_client::tests::{engine, run};

/// Somebody who asks in one account after the other.
struct Asker {
    intake: Arc<Intake>,
    insider: Insider,
    asked: u32,
}

impl Asker {
    fn new(engine: &Arc<Engine>) -> Self {
        let intake = Arc::new(Intake::default());
        let insider = Insider::connect(engine, &intake).unwrap();
        Self {
            intake,
            insider,
            asked: 0,
        }
    }

    /// Asks on a subject of an account, and waits for the answer there.
    fn ask(&mut self, account: &Arc<Account>, subject: &str, body: &str) -> Value {
        self.asked += 1;
        let inbox = format!("inbox.{}", self.asked);
        self.insider
            .subscribe(account, inbox.as_bytes(), inbox.as_bytes(), Origin::Untold);
        self.insider.publish(
            account,
            subject.as_bytes(),
            inbox.as_bytes(),
            b"",
            body.as_bytes(),
        );
        self.insider.flush();
        let until = Instant::now() + Duration::from_secs(60);
        let mut frames = Vec::new();
        loop {
            assert!(Instant::now() < until, "no answer on {subject}");
            let mut more = Vec::new();
            self.intake.take(&mut more, Some(until));
            frames.append(&mut more);
            if let ServerParsed::Complete(ServerFrame::Message { sid, payload, .. }, _) =
                parse_server_frame(&frames)
            {
                assert_eq!(sid, inbox.as_bytes());
                return serde_json::from_slice(payload).unwrap();
            }
        }
    }

    fn api(&mut self, account: &Arc<Account>, call: &str, body: &Value) -> Value {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        self.ask(account, &format!("$JS.API.{call}"), &body)
    }
}

fn start(engine: &Arc<Engine>, directory: &Path, accounts: &[ServedAccount]) -> Streams {
    let store = open(directory, Settings::default(), &StoreEncryption::default()).unwrap();
    let limits = RequestLimits::of(&StreamsOptions::default());
    Streams::start(engine, store, accounts, limits).unwrap().0
}

fn served(account: &Arc<Account>) -> ServedAccount {
    ServedAccount {
        account: Arc::clone(account),
        is_system: false,
        limits: Some(AccountLimits::default()),
    }
}

fn without(account: &Arc<Account>) -> ServedAccount {
    ServedAccount {
        limits: None,
        ..served(account)
    }
}

fn error(answer: &Value) -> u64 {
    answer["error"]["err_code"].as_u64().unwrap_or(0)
}

#[test]
fn each_account_of_the_engine_has_streams_of_its_own_also_after_a_restart() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let config = json!({"name": "S", "subjects": ["s"]});
        {
            let engine = engine();
            let (a, b) = (
                engine.accounts.get_or_add("A"),
                engine.accounts.get_or_add("B"),
            );
            let global = Arc::clone(engine.accounts.global());
            let accounts = [served(&global), served(&a), served(&b)];
            let streams = start(&engine, directory.path(), &accounts);
            let mut asker = Asker::new(&engine);
            for account in [&a, &b] {
                let made = asker.api(account, "STREAM.CREATE.S", &config);
                assert_eq!(made["config"]["name"], "S", "{made}");
            }
            for (account, sequence) in [(&a, 1), (&b, 1), (&b, 2)] {
                assert_eq!(asker.ask(account, "s", "hello")["seq"], sequence);
            }
            let info = asker.api(&global, "STREAM.INFO.S", &Value::Null);
            assert_eq!(error(&info), 10059, "{info}");
            streams.stop();
        }
        let engine = engine();
        // Numbers of accounts are another run's.
        let (b, a) = (
            engine.accounts.get_or_add("B"),
            engine.accounts.get_or_add("A"),
        );
        let streams = start(&engine, directory.path(), &[served(&b), served(&a)]);
        let mut asker = Asker::new(&engine);
        for (account, messages) in [(&a, 1), (&b, 2)] {
            let info = asker.api(account, "STREAM.INFO.S", &Value::Null);
            assert_eq!(info["state"]["messages"], messages, "{info}");
        }
        streams.stop();
    });
}

#[test]
fn accounts_change_while_the_server_runs_and_what_can_not_be_is_refused() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let engine = engine();
        let a = engine.accounts.get_or_add("A");
        let streams = start(&engine, directory.path(), &[without(&a)]);
        let mut asker = Asker::new(&engine);
        let config = json!({"name": "S", "subjects": ["s"]});
        assert_eq!(error(&asker.api(&a, "STREAM.CREATE.S", &config)), 10039);
        streams
            .set_accounts(vec![served(&a)], Raised::default())
            .unwrap();
        assert_eq!(error(&asker.api(&a, "STREAM.CREATE.S", &config)), 0);
        let twice = vec![served(&a), served(&a)];
        let refused = streams.set_accounts(twice, Raised::default());
        assert!(matches!(refused, Err(NotServed::Refused(_))), "{refused:?}");
        assert_eq!(asker.ask(&a, "s", "hello")["seq"], 1);
        streams
            .set_accounts(vec![without(&a)], Raised::default())
            .unwrap();
        assert_eq!(error(&asker.api(&a, "STREAM.INFO.S", &Value::Null)), 10039);
        streams
            .set_accounts(vec![served(&a)], Raised::default())
            .unwrap();
        let info = asker.api(&a, "STREAM.INFO.S", &Value::Null);
        assert_eq!(info["state"]["messages"], 1, "{info}");
        streams.stop();
        assert_eq!(
            streams.set_accounts(vec![served(&a)], Raised::default()),
            Err(NotServed::Stopped)
        );
    });
}
