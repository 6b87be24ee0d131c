//! One life of the server: what `server::streams::driver` does, in the same order of calls, but each call by
//! itself, so that anything can happen in between.

use std::cell::RefCell;

use recado_log::{Batch, Committed, Committer, Journal, Log, Preparer, Progress, SimDisk};
use recado_streams::accounts::{AccountSettings, Accounts};
use recado_streams::context::Surroundings;
use recado_streams::jetstream::{Incoming, Opening, Settings};

use crate::dice::Dice;
use crate::net::{self, Message, Net};

/// Live bytes that compaction copies in one step.
const COMPACT_BYTES: u64 = 4096;

/// The server while it runs.
pub struct Machine {
    accounts: Accounts,
    /// There are two accounts.
    twin: bool,
    log: Log<SimDisk>,
    committer: Committer<SimDisk>,
    preparer: Preparer<SimDisk>,
    /// The next segment is being made ready.
    preparing: bool,
    /// A batch that is being written.
    batch: Option<Batch>,
    /// What became of it, not taken yet.
    done: Option<Committed>,
    chance: Dice,
    /// What was found to be lost when the store was read again.
    pub(crate) found_lost: Vec<String>,
    was_full: bool,
}

/// The accounts of a server.
fn roster(twin: bool) -> Vec<AccountSettings> {
    let mut all = vec![AccountSettings::global(net::GLOBAL)];
    if twin {
        all.push(AccountSettings {
            name: net::TWIN_NAME.to_owned(),
            ..AccountSettings::global(net::TWIN)
        });
    }
    all
}

/// How a batch went that did not become durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There was no room.
    Full,
    /// A write or sync failed.
    Stopped,
}

/// What opening told.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// What was lost, in words.
    pub lost: Vec<String>,
    /// Whether the log was closed properly.
    pub clean: bool,
}

impl Machine {
    /// Opens the store on a disk.
    ///
    /// # Errors
    /// When the log can't be opened.
    pub fn open(
        disk: &SimDisk,
        settings: &recado_log::Settings,
        twin: bool,
        now_ns: i64,
        chance: Dice,
    ) -> Result<(Self, Opened), Box<dyn std::error::Error>> {
        let mut chance = chance;
        let mut opening = Opening::new(Settings::default());
        let (mut log, committer, report) =
            Log::open(disk.clone(), settings.clone(), &mut |replayed| {
                opening.replay(&replayed)
            })?;
        let mut random = || chance.any();
        let roster = roster(twin);
        let (accounts, told) = Accounts::open(opening, &roster, now_ns, &mut random, &mut log)?;
        let opened = Opened {
            lost: told.found.lost,
            clean: report.clean,
        };
        let machine = Self {
            accounts,
            twin,
            log,
            preparer: committer.preparer(),
            committer,
            preparing: false,
            batch: None,
            done: None,
            chance,
            was_full: false,
            found_lost: Vec::new(),
        };
        Ok((machine, opened))
    }

    fn act<T>(
        &mut self,
        net: &mut Net,
        now_ns: i64,
        act: impl FnOnce(&mut Accounts, &mut Surroundings<'_>, &mut Log<SimDisk>) -> T,
    ) -> T {
        let chance = &mut self.chance;
        let mut random = || chance.any();
        let mut around = Surroundings {
            now_ns,
            random: &mut random,
            exchange: net,
        };
        act(&mut self.accounts, &mut around, &mut self.log)
    }

    /// Subscribes, as at the start.
    pub fn subscribe(&mut self, net: &mut Net, now_ns: i64) {
        self.act(net, now_ns, |accounts, around, _| {
            accounts.subscribe(around)
        });
    }

    /// Takes one message in. Whether anybody was subscribed.
    pub fn handle(&mut self, net: &mut Net, now_ns: i64, message: &Message) -> bool {
        let Some((sid, message)) = net.arrive(message) else {
            return false;
        };
        let incoming = Incoming {
            sid: &sid,
            subject: message.subject.as_bytes(),
            reply: message.reply.as_bytes(),
            headers: &message.headers,
            payload: &message.payload,
        };
        self.act(net, now_ns, |accounts, around, log| {
            accounts.handle(around, log, &incoming);
        });
        true
    }

    /// The second account is taken away, and is there again at once.
    pub fn take_away_and_give_back(&mut self, net: &mut Net, now_ns: i64) {
        for twin in [false, self.twin] {
            let roster = roster(twin);
            self.act(net, now_ns, |accounts, around, log| {
                // Without limits there is nothing that they could be refused for.
                let _ = accounts.set_accounts(around, log, &roster);
            });
        }
    }

    /// Whether the outcome of a batch is there.
    #[must_use]
    pub fn has_outcome(&self) -> bool {
        self.done.is_some()
    }

    /// Takes the outcome of a batch, if it is there.
    pub fn settle(&mut self, net: &mut Net, now_ns: i64) -> Option<Trouble> {
        let done = self.done.take()?;
        match self.log.committed(done) {
            Progress::Durable(position) => {
                self.act(net, now_ns, |accounts, around, log| {
                    accounts.durable(around, log, position);
                });
                None
            }
            Progress::RolledBack { why, .. } => Some(self.recover(net, now_ns, &why)),
            Progress::Stopped { why } => Some(self.stop(net, now_ns, &why)),
        }
    }

    fn recover(&mut self, net: &mut Net, now_ns: i64, why: &str) -> Trouble {
        let mut opening = self.accounts.opening();
        let read = self.log.recover(&mut self.committer, &mut |replayed| {
            opening.replay(&replayed);
        });
        if let Err(error) = read {
            return self.stop(net, now_ns, &error.to_string());
        }
        let report = self.act(net, now_ns, |accounts, around, log| {
            accounts.recovered(around, log, opening, why)
        });
        self.found_lost = report.lost;
        Trouble::Full
    }

    fn stop(&mut self, net: &mut Net, now_ns: i64, why: &str) -> Trouble {
        self.act(net, now_ns, |accounts, around, log| {
            accounts.stopped(around, log, why);
        });
        Trouble::Stopped
    }

    /// Timers alone.
    pub fn tick(&mut self, net: &mut Net, now_ns: i64) {
        self.act(net, now_ns, |accounts, around, log| {
            accounts.tick(around, log);
        });
    }

    /// Timers and deliveries. Whether there is more to do at once.
    pub fn work(&mut self, net: &mut Net, now_ns: i64) -> bool {
        self.act(net, now_ns, |accounts, around, log| {
            accounts.tick(around, log);
            accounts.work(around, log)
        })
    }

    /// Hands on what was gathered, if the committer has nothing to do.
    pub fn give_away(&mut self, net: &mut Net, now_ns: i64) {
        if self.is_committing() {
            return;
        }
        self.act(net, now_ns, |accounts, around, log| {
            accounts.complete_batch(around, log);
        });
        self.was_full = self.log.was_full();
        let end = self.log.end();
        if let Some(batch) = self.log.take_batch() {
            self.accounts.sealed(end);
            self.batch = Some(batch);
        } else if self.accounts.has_waiting() {
            self.accounts.sealed(end);
            self.act(net, now_ns, |accounts, around, log| {
                accounts.durable(around, log, end);
            });
        }
    }

    /// Whether the disk was full when what was gathered was last handed on.
    #[must_use]
    pub fn was_full(&self) -> bool {
        self.was_full
    }

    /// Whether a batch is being written, or its outcome was not taken.
    #[must_use]
    pub fn is_committing(&self) -> bool {
        self.batch.is_some() || self.done.is_some()
    }

    /// Writes the batch that was given away. Whether there was one.
    pub fn commit(&mut self) -> bool {
        let Some(batch) = self.batch.take() else {
            return false;
        };
        self.done = Some(self.committer.commit(batch));
        true
    }

    /// One step of what the committer does when nothing waits, and of what goes on beside it.
    pub fn tidy(&mut self) -> bool {
        self.preparing |= self.committer.wants_next();
        let prepared = self.preparing;
        self.preparing = self.preparing && self.preparer.step();
        prepared || (self.batch.is_none() && self.committer.tidy())
    }

    /// Checkpoints and compaction. What consumers found damaged since the last time.
    pub fn upkeep(&mut self, net: &mut Net, now_ns: i64) -> Vec<(String, u64)> {
        let oldest = self.log.oldest_segment().unwrap_or(u32::MAX);
        let lost = self.act(net, now_ns, |accounts, _, log| {
            accounts.upkeep(log, oldest);
            accounts.take_lost()
        });
        let accounts = RefCell::new(&mut self.accounts);
        let _ = self.log.compact(
            COMPACT_BYTES,
            &mut |entry| accounts.borrow().is_live(entry),
            &mut |entry, to| accounts.borrow_mut().moved(entry, to),
        );
        let named = lost.into_iter();
        named
            .map(|one| (net::name_of(&one.account, &one.stream), one.sequence))
            .collect()
    }

    /// When the streams want to act next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<i64> {
        self.accounts.next_deadline()
    }

    /// Whether anything waits to be written.
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        self.is_committing() || self.log.waiting_bytes() > 0 || self.accounts.has_waiting()
    }

    /// Whether the store takes nothing any more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.log.stopped().is_some()
    }

    /// Segments on the disk.
    #[must_use]
    pub fn segments(&self) -> u32 {
        self.log.usage().segments
    }

    /// Says goodbye, as before a stop; what waits is to be drained after it.
    pub fn stopping(&mut self, net: &mut Net, now_ns: i64) {
        self.act(net, now_ns, |accounts, around, log| {
            accounts.stopping(around, log);
        });
    }

    /// Closes the log. Whether that went well.
    pub fn close(self) -> bool {
        let Self {
            log, mut committer, ..
        } = self;
        log.close(&mut committer).is_ok()
    }
}
