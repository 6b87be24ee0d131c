//! Accounts as the log tells of them: when a store is opened, and again after a batch found no room.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use recado_log::Journal;

use super::roster::{check, jetstream_of};
use super::{AccountSettings, Accounts, AccountsError, Service};
use crate::context::{Context, Nobody, Surroundings};
use crate::jetstream::common::Common;
use crate::jetstream::events::OutOfStorage;
use crate::jetstream::{JetStream, Opening, OpeningReport, Part, Settings};

/// Streams of an account that is not there, or has no JetStream. They are kept as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unserved {
    /// The account.
    pub account: Arc<str>,
    /// Its streams.
    pub streams: usize,
    /// Messages in them.
    pub messages: u64,
}

/// What was found in a store.
#[derive(Clone, Debug, Default)]
pub struct AccountsReport {
    /// Of all accounts.
    pub found: OpeningReport,
    /// What of it nobody can get at.
    pub unserved: Vec<Unserved>,
}

impl Accounts {
    /// All of a log was read: makes streams of it, and serves these accounts from the next
    /// [`Accounts::subscribe`] on.
    ///
    /// # Errors
    /// When the accounts ask for more than the server has.
    pub fn open(
        opening: Opening,
        accounts: &[AccountSettings],
        now_ns: i64,
        random: &mut dyn FnMut() -> u64,
        journal: &mut dyn Journal,
    ) -> Result<(Self, AccountsReport), AccountsError> {
        let settings = opening.settings().clone();
        check(accounts, &settings)?;
        let common = Common::default();
        let mut all = Self {
            keeper: keeper(&settings, &common),
            settings,
            common,
            accounts: Vec::new(),
            names: BTreeMap::new(),
            owners: HashMap::new(),
            awake: Vec::new(),
            deadlines: BTreeSet::new(),
            unheard: BTreeSet::new(),
            oldest_segment: None,
            newest_segment: 0,
            lost: Vec::new(),
            uncopied: Vec::new(),
            answers: 0,
            stopped: None,
        };
        let mut around = Surroundings {
            now_ns,
            random,
            exchange: &mut Nobody,
        };
        let mut found = opening.sort(journal);
        found.give_numbers(&all.common);
        for (name, part) in std::mem::take(&mut found.parts) {
            all.settle_new(&mut around, journal, &name, part, &mut found.report);
        }
        found.leave_rest_to(&mut all.keeper);
        all.apply(&mut around, journal, accounts);
        let report = AccountsReport {
            found: found.report,
            unserved: all.unserved(),
        };
        Ok((all, report))
    }

    /// Streams of an account that nobody knew of until now.
    fn settle_new(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        name: &Arc<str>,
        part: Part,
        report: &mut OpeningReport,
    ) {
        let at = self.number_of(name);
        let (settings, common) = (self.settings.clone(), self.common.clone());
        if let Some(account) = self.accounts.get_mut(at).and_then(Option::as_mut) {
            account.jetstream = Some(Box::new(jetstream_of(at, name, settings, common)));
        }
        self.with(around, at, |jetstream, context| {
            part.settle_in(jetstream, context, journal, report);
            jetstream.reserve_nothing();
        });
    }

    /// Streams that nobody can get at.
    pub fn unserved(&self) -> Vec<Unserved> {
        let all = self.accounts.iter().flatten();
        let unserved = all.filter(|account| account.service != Service::Full);
        let with_streams = unserved.filter_map(|account| {
            let jetstream = account.jetstream.as_ref()?;
            Some(Unserved {
                account: Arc::clone(&account.name),
                streams: jetstream.stream_count(),
                messages: jetstream.message_count(),
            })
        });
        with_streams.filter(|one| one.streams > 0).collect()
    }

    /// What the log holds can be read into it.
    pub fn opening(&self) -> Opening {
        Opening::new(self.settings.clone())
    }

    /// The log lost its last batches for lack of room, and was read again into `opening`
    /// ([`Accounts::opening`]).
    pub fn recovered(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        opening: Opening,
        why: &str,
    ) -> OpeningReport {
        for at in 0..self.accounts.len() {
            self.with(around, at, |jetstream, context| {
                jetstream.refuse_waiting(context, why);
            });
        }
        let mut found = opening.sort(journal);
        let common = Common::default();
        common.give_behind(&self.common);
        found.give_numbers(&common);
        self.common = common;
        self.owners.clear();
        for at in 0..self.accounts.len() {
            let name = self.account(at).map(|account| Arc::clone(&account.name));
            let part = name.and_then(|name| found.parts.remove(&name));
            self.begin_again(
                around,
                journal,
                at,
                part.unwrap_or_default(),
                &mut found.report,
            );
        }
        // Deleted, and not really.
        for (name, part) in std::mem::take(&mut found.parts) {
            self.settle_new(around, journal, &name, part, &mut found.report);
        }
        self.keeper = keeper(&self.settings, &self.common);
        found.leave_rest_to(&mut self.keeper);
        self.oldest_segment = None;
        // Reading again is no reason to write anything.
        self.newest_segment = journal.end().segment();
        self.out_of_storage(around, OutOfStorage::Full);
        found.report
    }

    fn begin_again(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        at: usize,
        part: Part,
        report: &mut OpeningReport,
    ) {
        let common = self.common.clone();
        let is_served = self
            .account(at)
            .is_some_and(|account| account.service == Service::Full);
        self.with(around, at, |jetstream, context| {
            // Nothing is to be subscribed to for those who are not served.
            let mut nobody = Nobody;
            let mut context = Context {
                now_ns: context.now_ns,
                random: &mut *context.random,
                out: match is_served {
                    true => &mut *context.out,
                    false => &mut nobody,
                },
            };
            let mut fresh = jetstream.without_streams(&common);
            part.settle_in(&mut fresh, &mut context, journal, report);
            // All its streams are said to be new; those of before are not gone one by one.
            jetstream.begin_again(&mut context, journal, fresh);
            if !is_served {
                jetstream.reserve_nothing();
            }
        });
    }

    /// The disk failed: nothing is stored any more, and nothing after what is durable holds.
    pub fn stopped(&mut self, around: &mut Surroundings<'_>, journal: &mut dyn Journal, why: &str) {
        self.stopped = Some(why.to_owned());
        for at in 0..self.accounts.len() {
            self.with(around, at, |jetstream, context| {
                jetstream.stop_storing(context, journal, why);
            });
        }
        self.out_of_storage(around, OutOfStorage::Stopped);
    }

    /// Nothing can be stored: told once, until there was room again (E218).
    fn out_of_storage(&mut self, around: &mut Surroundings<'_>, why: OutOfStorage) {
        let mut is_news = false;
        for account in self.accounts.iter_mut().flatten() {
            if let Some(jetstream) = &mut account.jetstream {
                is_news |= jetstream.note_out_of_storage(why);
            }
        }
        if is_news {
            self.tell_system(around, &self.settings.out_of_space());
        }
    }
}

/// Who looks after what is nobody's.
fn keeper(settings: &Settings, common: &Common) -> Box<JetStream> {
    let nobody = Arc::from("");
    Box::new(JetStream::of_account(
        settings.clone(),
        nobody,
        common.clone(),
    ))
}
