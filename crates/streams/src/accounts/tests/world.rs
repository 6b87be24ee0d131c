//! A small world for tests: several accounts over a real log, on a disk that loses what was not synced, with clients
//! that hear what is said in their own account.

use std::collections::BTreeMap;

use recado_log::{Committer, Log, Progress, Replayed, SimDisk};
use serde_json::Value;

use crate::accounts::{AccountSettings, Accounts, AccountsError, AccountsReport};
use crate::config::AccountLimits;
use crate::context::{AccountId, Exchange, Outlet, Surroundings};
use crate::jetstream::{Incoming, Settings};
use crate::time::SECOND;

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) account: AccountId,
    pub(super) subject: String,
    pub(super) reply: String,
    pub(super) headers: String,
    pub(super) payload: Vec<u8>,
    /// Of what was delivered: the message's own subject.
    pub(super) about: String,
}

/// Who is subscribed where, and what was said.
#[derive(Default)]
pub(super) struct Net {
    /// Account and filter by sid.
    pub(super) subscriptions: BTreeMap<Vec<u8>, (AccountId, String)>,
    /// Inboxes that somebody listens on.
    pub(super) listening: Vec<(AccountId, String)>,
    pub(super) sent: Vec<Sent>,
    account: Option<AccountId>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Net {
    fn account(&self) -> AccountId {
        self.account.expect("an account was named")
    }
}

impl Exchange for Net {
    fn of(&mut self, account: AccountId) -> &mut dyn Outlet {
        self.account = Some(account);
        self
    }
}

impl Outlet for Net {
    fn publish(&mut self, subject: &[u8], reply: &[u8], headers: &[u8], payload: &[u8]) {
        self.sent.push(Sent {
            account: self.account(),
            subject: text(subject),
            reply: text(reply),
            headers: text(headers),
            payload: payload.to_vec(),
            about: text(subject),
        });
    }

    fn deliver(
        &mut self,
        inbox: &[u8],
        subject: &[u8],
        reply: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> bool {
        let heard = (self.account(), text(inbox));
        if !self.listening.contains(&heard) {
            return false;
        }
        self.publish(inbox, reply, headers, payload);
        if let Some(sent) = self.sent.last_mut() {
            sent.about = text(subject);
        }
        true
    }

    fn has_interest(&self, subject: &[u8], _: Option<&[u8]>) -> bool {
        let subject = text(subject);
        let is_advisory = subject.starts_with("$JS.EVENT.");
        is_advisory || self.listening.contains(&(self.account(), subject))
    }

    fn is_congested(&self, _: &[u8]) -> bool {
        false
    }

    fn subscribe(&mut self, filter: &[u8], sid: &[u8]) {
        let old = self
            .subscriptions
            .insert(sid.to_vec(), (self.account(), text(filter)));
        assert_eq!(old, None, "a sid stands for one filter: {}", text(sid));
    }

    fn unsubscribe(&mut self, sid: &[u8]) {
        let old = self.subscriptions.remove(sid);
        assert!(old.is_some(), "{} is not there", text(sid));
    }
}

pub(super) struct World {
    disk: SimDisk,
    pub(super) accounts: Accounts,
    log: Log<SimDisk>,
    committer: Committer<SimDisk>,
    pub(super) settings: Settings,
    pub(super) roster: Vec<AccountSettings>,
    now_ns: i64,
    random: u64,
    pub(super) net: Net,
    pub(super) report: AccountsReport,
}

/// An account with all that the server has.
pub(super) fn account(id: u32, name: &str) -> AccountSettings {
    AccountSettings {
        id: AccountId(id),
        name: name.to_owned(),
        is_system: false,
        jetstream: Some(AccountLimits::default()),
    }
}

/// An account with limits.
pub(super) fn limited(
    id: u32,
    name: &str,
    limit: impl FnOnce(&mut AccountLimits),
) -> AccountSettings {
    let mut account = account(id, name);
    account.jetstream.as_mut().map(limit);
    account
}

/// An account without JetStream.
pub(super) fn without(id: u32, name: &str) -> AccountSettings {
    AccountSettings {
        jetstream: None,
        ..account(id, name)
    }
}

impl World {
    /// Nothing is stored.
    pub(super) fn new(roster: &[AccountSettings]) -> Self {
        Self::with_settings(roster, Settings::default())
    }

    pub(super) fn with_settings(roster: &[AccountSettings], settings: Settings) -> Self {
        Self::open(SimDisk::new(1), roster.to_vec(), settings, START)
    }

    pub(super) fn open(
        disk: SimDisk,
        roster: Vec<AccountSettings>,
        settings: Settings,
        now_ns: i64,
    ) -> Self {
        let mut opening = crate::jetstream::Opening::new(settings.clone());
        let mut lost = Vec::new();
        let of_log = recado_log::Settings {
            segment_bytes: 64 * 1024,
            reserve_bytes: 0,
            ..recado_log::Settings::default()
        };
        let opened = Log::open(disk.clone(), of_log, &mut |replayed| match replayed {
            Replayed::Record { entry, payload, .. } => opening.record(&entry, payload),
            Replayed::Lost(one) => lost.push(one.to_string()),
        });
        let (mut log, committer, _) = opened.expect("the log opens");
        let opened = Accounts::open(opening, &roster, now_ns, &mut || 7, &mut log);
        let (accounts, report) = opened.expect("the accounts are possible");
        assert_eq!((lost, &report.found.lost), (Vec::new(), &Vec::new()));
        let mut world = Self {
            disk,
            accounts,
            log,
            committer,
            settings,
            roster,
            now_ns,
            random: 1,
            net: Net::default(),
            report,
        };
        world.act(|accounts, around, _| accounts.subscribe(around));
        world
    }

    /// The server stops, and another one with these accounts begins.
    pub(super) fn restart(mut self, roster: &[AccountSettings]) -> Self {
        self.act(|accounts, around, log| accounts.stopping(around, log));
        self.commit();
        self.log.close(&mut self.committer).expect("it closes");
        Self::open(self.disk, roster.to_vec(), self.settings, self.now_ns)
    }

    /// The power fails; what the log holds then is opened again.
    pub(super) fn crash(self) -> Self {
        self.disk.crash();
        Self::open(self.disk, self.roster, self.settings, self.now_ns)
    }

    pub(super) fn act<T>(
        &mut self,
        act: impl FnOnce(&mut Accounts, &mut Surroundings<'_>, &mut Log<SimDisk>) -> T,
    ) -> T {
        let seed = &mut self.random;
        let mut random = || {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *seed >> 33
        };
        let mut around = Surroundings {
            now_ns: self.now_ns,
            random: &mut random,
            exchange: &mut self.net,
        };
        act(&mut self.accounts, &mut around, &mut self.log)
    }

    pub(super) fn set(&mut self, roster: &[AccountSettings]) -> Result<(), AccountsError> {
        let set = self.act(|accounts, around, log| accounts.set_accounts(around, log, roster));
        if set.is_ok() {
            self.roster = roster.to_vec();
        }
        set
    }

    /// The number of the account of this name.
    pub(super) fn id(&self, account: &str) -> AccountId {
        let mut all = self.roster.iter();
        all.find(|one| one.name == account).expect("an account").id
    }

    /// A message of a client in an account, to all that are subscribed. How many those are.
    pub(super) fn say(
        &mut self,
        account: &str,
        subject: &str,
        reply: &str,
        payload: &[u8],
    ) -> usize {
        self.say_with(account, subject, (reply, b""), payload)
    }

    /// The same with headers.
    pub(super) fn say_with(
        &mut self,
        account: &str,
        subject: &str,
        (reply, headers): (&str, &[u8]),
        payload: &[u8],
    ) -> usize {
        let id = self.id(account);
        let matches =
            |filter: &str| recado_wire::filter_matches(filter.as_bytes(), subject.as_bytes());
        let all = self.net.subscriptions.iter();
        let sids: Vec<Vec<u8>> = all
            .filter(|(_, (of, filter))| *of == id && matches(filter))
            .map(|(sid, _)| sid.clone())
            .collect();
        for sid in &sids {
            self.act(|accounts, around, log| {
                let message = Incoming {
                    sid,
                    subject: subject.as_bytes(),
                    reply: reply.as_bytes(),
                    headers,
                    payload,
                };
                accounts.handle(around, log, &message);
            });
        }
        sids.len()
    }

    /// Something that was said in another account comes here, on `subject`, and says that it is on `about`.
    pub(super) fn carry(&mut self, account: &str, subject: &str, about: &str, sent: &Sent) {
        let id = self.id(account);
        let matches =
            |filter: &str| recado_wire::filter_matches(filter.as_bytes(), subject.as_bytes());
        let all = self.net.subscriptions.iter();
        let sids: Vec<Vec<u8>> = all
            .filter(|(_, (of, filter))| *of == id && matches(filter))
            .map(|(sid, _)| sid.clone())
            .collect();
        for sid in &sids {
            self.act(|accounts, around, log| {
                let message = Incoming {
                    sid,
                    subject: about.as_bytes(),
                    reply: sent.reply.as_bytes(),
                    headers: sent.headers.as_bytes(),
                    payload: &sent.payload,
                };
                accounts.handle(around, log, &message);
            });
        }
    }

    /// Publishes; the answer, or null where nobody answers.
    pub(super) fn publish(&mut self, account: &str, subject: &str, payload: &str) -> Value {
        self.say(account, subject, "ack", payload.as_bytes());
        self.commit();
        self.answer(account, "ack")
    }

    /// A call with its answer, once that may leave.
    pub(super) fn api(&mut self, account: &str, call: &str, body: &Value) -> Value {
        self.ask(account, call, body);
        self.commit();
        self.answer(account, "answer")
    }

    pub(super) fn ask(&mut self, account: &str, call: &str, body: &Value) {
        let payload = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let subject = format!("$JS.API.{call}");
        self.say(account, &subject, "answer", payload.as_bytes());
    }

    /// What was answered in an account, and nowhere else.
    pub(super) fn answer(&mut self, account: &str, inbox: &str) -> Value {
        let id = self.id(account);
        let answers = self.take(inbox);
        assert!(
            answers.iter().all(|one| one.account == id),
            "only {account} is answered: {answers:?}"
        );
        let last = answers.last();
        last.map_or(Value::Null, |one| {
            serde_json::from_slice(&one.payload).unwrap_or(Value::Null)
        })
    }

    /// The code of what an API call was refused with; 0 if it was not.
    pub(super) fn code(&mut self, account: &str, call: &str, body: &Value) -> u64 {
        code_of(&self.api(account, call, body))
    }

    pub(super) fn create(&mut self, account: &str, config: &Value) {
        let name = config["name"].as_str().expect("a name");
        let answer = self.api(account, &format!("STREAM.CREATE.{name}"), config);
        assert!(answer["config"].is_object(), "{account}: {answer}");
    }

    /// Messages of a stream as its account sees it; null if it is not there.
    pub(super) fn messages(&mut self, account: &str, stream: &str) -> Value {
        self.api(account, &format!("STREAM.INFO.{stream}"), &Value::Null)["state"]["messages"]
            .take()
    }

    /// The payload of a message of a stream.
    pub(super) fn message(&mut self, account: &str, stream: &str, sequence: u64) -> Value {
        let request = serde_json::json!({"seq": sequence});
        self.api(account, &format!("STREAM.MSG.GET.{stream}"), &request)["message"]["data"].take()
    }

    /// Takes what was sent there, in whatever account.
    pub(super) fn take(&mut self, subject: &str) -> Vec<Sent> {
        let all = std::mem::take(&mut self.net.sent);
        let (taken, left) = all.into_iter().partition(|sent| sent.subject == subject);
        self.net.sent = left;
        taken
    }

    /// Writes what was gathered, and takes the outcome.
    pub(super) fn commit(&mut self) {
        self.act(|accounts, around, log| accounts.complete_batch(around, log));
        let end = recado_log::Journal::end(&self.log);
        let Some(batch) = self.log.take_batch() else {
            self.accounts.sealed(end);
            return self.act(|accounts, around, log| accounts.durable(around, log, end));
        };
        self.accounts.sealed(end);
        let done = self.committer.commit(batch);
        match self.log.committed(done) {
            Progress::Durable(position) => {
                self.act(|accounts, around, log| accounts.durable(around, log, position));
            }
            Progress::RolledBack { why, .. } => {
                let mut opening = self.accounts.opening();
                let replay = &mut |replayed: Replayed<'_>| opening.replay(&replayed);
                let read = self.log.recover(&mut self.committer, replay);
                read.expect("it can be read");
                self.act(|accounts, around, log| accounts.recovered(around, log, opening, &why));
            }
            Progress::Stopped { why } => {
                self.act(|accounts, around, log| accounts.stopped(around, log, &why));
            }
        }
    }

    /// The next batch finds no room.
    pub(super) fn commit_without_room(&mut self) {
        self.disk.fill_writes(1);
        self.commit();
    }

    /// The next batch is not synced.
    pub(super) fn commit_and_fail(&mut self) {
        self.disk.fail_syncs(1);
        self.commit();
    }

    /// Has segments emptied of which little is alive, until there are none.
    pub(super) fn compact(&mut self) {
        loop {
            let oldest = self.log.oldest_segment().unwrap_or(u32::MAX);
            self.act(|accounts, _, log| accounts.upkeep(log, oldest));
            let accounts = std::cell::RefCell::new(&mut self.accounts);
            let step = self.log.compact(
                u64::MAX / 8,
                &mut |entry| accounts.borrow().is_live(entry),
                &mut |entry, to| accounts.borrow_mut().moved(entry, to),
            );
            self.commit();
            while self.committer.tidy() {}
            if !step.more {
                return;
            }
        }
    }

    /// Segments of the log.
    pub(super) fn segments(&self) -> u32 {
        self.log.usage().segments
    }

    /// Time passes, and what is due is done.
    pub(super) fn pass(&mut self, ns: i64) {
        self.now_ns += ns;
        for _ in 0..100 {
            let more = self.act(|accounts, around, log| {
                accounts.tick(around, log);
                accounts.work(around, log)
            });
            self.commit();
            if !more {
                return;
            }
        }
        panic!("it never comes to rest");
    }
}

/// Unix time at which every world begins.
const START: i64 = 1_795_694_400 * SECOND;

/// The code of a refusal; 0 for none.
pub(super) fn code_of(answer: &Value) -> u64 {
    assert!(answer.is_object(), "an answer: {answer}");
    answer["error"]["err_code"].as_u64().unwrap_or(0)
}
