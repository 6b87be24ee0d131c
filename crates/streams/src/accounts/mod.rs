//! Many accounts on one log, each with streams, consumers, an API and limits of its own. An account's messages
//! reach it by the sid that its subscriptions have, its records by the numbers of its streams, and what it says
//! goes through an outlet that is its own: no account can name anything of another's.
//!
//! Accounts with nothing to do cost nothing: a turn asks those only that are awake.

mod open;
mod refusal;
mod roster;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use recado_log::{Entry, Journal, Location, Position};

use crate::api::RequestKind;
use crate::api::advisory::Advisory;
use crate::context::{AccountId, Context, Nobody, Surroundings};
use crate::jetstream::common::Common;
use crate::jetstream::{
    GLOBAL_ACCOUNT, Incoming, JetStream, Settings, TURN_STREAMS_MAX, Traced, Uncopied, events,
};
use crate::stream::kinds;

pub use open::{AccountsReport, Unserved};
pub use roster::{AccountSettings, AccountsError};
pub use watch::AccountSummary;

/// How an account is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    /// It has JetStream.
    Full,
    /// It is told that it has none.
    Refusal,
    /// Nobody asks: there is no such account now.
    None,
}

/// One account.
struct Account {
    name: Arc<str>,
    /// Where it is heard; none where nobody is.
    voice: Option<AccountId>,
    service: Service,
    /// Told of what concerns the whole server.
    is_system: bool,
    /// Its streams. They stay while it is not served: what the log has of them must be known.
    jetstream: Option<Box<JetStream>>,
    /// It is in the list of those that may have something to do.
    is_awake: bool,
    /// When it wants to be woken.
    deadline: Option<i64>,
}

impl Account {
    /// Publishes an advisory in it, if anybody listens.
    fn tell(&self, context: &mut Context<'_>, advisory: &impl Advisory) {
        if let Some(jetstream) = &self.jetstream {
            return jetstream.advise(context, advisory);
        }
        let subject = advisory.subject();
        if context.out.has_interest(subject.as_bytes(), None) {
            let id = events::unique_id(context);
            let body = advisory.to_json(&id, context.now_ns);
            context.out.publish(subject.as_bytes(), b"", b"", &body);
        }
    }
}

/// A damaged message that a consumer met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostMessage {
    /// Account of the stream.
    pub account: Arc<str>,
    /// The stream.
    pub stream: String,
    /// Sequence of the message.
    pub sequence: u64,
}

/// All accounts of a store.
pub struct Accounts {
    settings: Settings,
    common: Common,
    /// By number, which is what sids begin with and is never used again.
    accounts: Vec<Option<Account>>,
    names: BTreeMap<Arc<str>, usize>,
    /// Accounts by the numbers of their streams.
    owners: HashMap<u32, usize>,
    /// Looks after what is nobody's: streams whose configuration is lost, records of what is gone. It has no streams and is
    /// never served.
    keeper: Box<JetStream>,
    /// Accounts that may have something to do, in the order of their turns.
    awake: Vec<usize>,
    /// When each of the others wants to be woken, ...
    deadlines: BTreeSet<(i64, usize)>,
    /// ... and which of them would be by somebody who subscribes.
    unheard: BTreeSet<usize>,
    /// Segments of which they were told that nothing is older, and that a batch was completed in.
    oldest_segment: Option<u32>,
    newest_segment: u32,
    lost: Vec<LostMessage>,
    uncopied: Vec<(Arc<str>, Uncopied)>,
    /// Why nothing is stored any more.
    stopped: Option<String>,
    /// Answers that wait for the disk, or did.
    answers: u64,
}

impl Accounts {
    /// Subscribes to everything that concerns them: at the start, and again after they were cut off.
    pub fn subscribe(&mut self, around: &mut Surroundings<'_>) {
        for at in 0..self.accounts.len() {
            self.subscribe_one(around, at);
        }
    }

    /// Takes a message in.
    pub fn handle(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) {
        let Some((at, sid)) = split_sid(message.sid) else {
            return;
        };
        let message = Incoming { sid, ..*message };
        match self.account(at).map(|account| account.service) {
            Some(Service::Full) => {
                self.with(around, at, |jetstream, context| {
                    jetstream.handle(context, journal, &message);
                });
            }
            Some(Service::Refusal) => self.refuse(around, at, &message),
            // It was taken away while the message was on its way.
            Some(Service::None) | None => {}
        }
    }

    /// Takes a traced message in, or only looks at it; what its stream makes of it, if it is for one.
    pub fn handle_traced(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
        only: bool,
    ) -> Option<Traced> {
        let (at, sid) = split_sid(message.sid)?;
        if self.account(at)?.service != Service::Full {
            if !only {
                self.handle(around, journal, message);
            }
            return None;
        }
        let message = Incoming { sid, ..*message };
        self.with(around, at, |jetstream, context| {
            jetstream.handle_traced(context, journal, &message, only)
        })?
    }

    /// Whether messages that come with this sid are for a stream.
    pub fn is_for_stream(sid: &[u8]) -> bool {
        split_sid(sid).is_some_and(|(_, own)| own.starts_with(b"s"))
    }

    /// What kind of request a message is, if it is one that may wait until there is time for it.
    pub fn request_kind(&self, message: &Incoming<'_>) -> Option<RequestKind> {
        let (at, sid) = split_sid(message.sid)?;
        let jetstream = self.account(at)?.jetstream.as_deref()?;
        jetstream.request_kind(&Incoming { sid, ..*message })
    }

    /// So many requests were dropped because no more may wait (E220).
    pub fn requests_dropped(&self, around: &mut Surroundings<'_>, dropped: usize) {
        self.tell_system(around, &self.settings.requests_dropped(dropped));
    }

    /// Does what is due.
    pub fn tick(&mut self, around: &mut Surroundings<'_>, journal: &mut dyn Journal) {
        while let Some(&(due, at)) = self.deadlines.first()
            && due <= around.now_ns
        {
            self.wake(at);
        }
        let mut left = TURN_STREAMS_MAX;
        for at in self.served() {
            self.with(around, at, |jetstream, context| {
                jetstream.tick_some(context, journal, &mut left);
            });
        }
    }

    /// Whether streams wait for their turn.
    pub fn has_work(&self) -> bool {
        self.awake_streams(true).any(JetStream::has_work)
    }

    /// Delivers what may be delivered, some of it. Whether there is more to do at once.
    pub fn work(&mut self, around: &mut Surroundings<'_>, journal: &mut dyn Journal) -> bool {
        let (mut more, mut left) = (false, TURN_STREAMS_MAX);
        let turns = self.served();
        for at in &turns {
            let had = self.with(around, *at, |jetstream, context| {
                jetstream.work_some(context, journal, &mut left)
            });
            more |= had.unwrap_or_default();
        }
        // Who was first is last the next time.
        if turns.len() > 1
            && let Some(place) = self.awake.iter().position(|at| turns.first() == Some(at))
        {
            let first = self.awake.remove(place);
            self.awake.push(first);
        }
        self.let_sleep();
        more
    }

    /// Whether it matters that somebody subscribes.
    pub fn waits_for_subscribers(&self) -> bool {
        !self.unheard.is_empty()
            || self
                .awake_streams(true)
                .any(JetStream::waits_for_subscribers)
    }

    /// Somebody did: push consumers may begin.
    pub fn somebody_subscribed(&mut self, around: &mut Surroundings<'_>) {
        for at in std::mem::take(&mut self.unheard) {
            self.wake(at);
        }
        for at in self.served() {
            self.with(around, at, |jetstream, context| {
                jetstream.somebody_subscribed(context);
            });
        }
    }

    /// Adds to the batch what belongs to it.
    pub fn complete_batch(&mut self, around: &mut Surroundings<'_>, journal: &mut dyn Journal) {
        let newest = journal.end().segment();
        if self.newest_segment != newest {
            self.newest_segment = newest;
            // All write down what only segments before tell: once this batch is durable those may go.
            for at in 0..self.accounts.len() {
                self.wake(at);
            }
        }
        for at in self.awake.clone() {
            self.with(around, at, |jetstream, context| {
                jetstream.complete_batch(context, journal);
            });
        }
    }

    /// Everything before `end` goes to the disk now. Who waits goes on waiting while the log lacks what an answer
    /// promises.
    pub fn sealed(&mut self, end: Position) {
        if self.is_behind() {
            return;
        }
        let accounts = &mut self.accounts;
        for at in &self.awake {
            let account = accounts.get_mut(*at).and_then(Option::as_mut);
            if let Some(jetstream) = account.and_then(|account| account.jetstream.as_mut())
                && jetstream.is_open()
            {
                jetstream.sealed(end);
            }
        }
    }

    /// Everything before `position` is on disk: acks leave, consumers see what is new.
    pub fn durable(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        position: Position,
    ) {
        for at in self.awake.clone() {
            self.with(around, at, |jetstream, context| {
                jetstream.durable(context, journal, position);
            });
        }
    }

    /// Whether somebody waits for what was done since the last batch, and may be told once the log as it is now is
    /// durable. Nobody may be while the log lacks what an answer of any account promises: what came before would not be
    /// there.
    pub fn has_waiting(&self) -> bool {
        !self.is_behind() && self.awake_streams(false).any(JetStream::is_open)
    }

    fn is_behind(&self) -> bool {
        self.awake_streams(false).any(JetStream::is_behind)
    }

    /// When one of them wants to act next although nothing comes in.
    pub fn next_deadline(&self) -> Option<i64> {
        let sleeping = self.deadlines.first().map(|(due, _)| *due);
        let awake = self.awake_streams(true);
        awake
            .filter_map(JetStream::next_deadline)
            .chain(sleeping)
            .min()
    }

    /// Whether there is progress that is not in the log.
    pub fn has_unsaved(&self) -> bool {
        self.awake_streams(false).any(JetStream::has_unsaved)
    }

    /// Regular work that no message asks for. `oldest_segment` may still be found after a crash.
    pub fn upkeep(&mut self, journal: &mut dyn Journal, oldest_segment: u32) {
        self.keeper.gather_graves(journal);
        if self.oldest_segment == Some(oldest_segment) {
            return;
        }
        self.oldest_segment = Some(oldest_segment);
        for account in self.accounts.iter_mut().flatten() {
            if let Some(jetstream) = &mut account.jetstream {
                jetstream.upkeep(journal, oldest_segment);
            }
        }
        self.keeper.upkeep(journal, oldest_segment);
    }

    /// Whether a record is still needed where it lies.
    pub fn is_live(&self, entry: &Entry<'_>) -> bool {
        let owner = self.owner(entry.stream);
        let is_live = owner.is_some_and(|owner| owner.is_live(entry));
        // What a stream that is there has not got may still say that something is gone.
        is_live || ((owner.is_none() || is_grave(entry.kind)) && self.keeper.is_live(entry))
    }

    /// A record lies elsewhere now.
    pub fn moved(&mut self, entry: &Entry<'_>, to: Location) {
        let owner = self.owners.get(&entry.stream).copied();
        let account = owner.and_then(|at| self.accounts.get_mut(at)?.as_mut());
        if let Some(jetstream) = account.and_then(|account| account.jetstream.as_mut()) {
            jetstream.moved(entry, to);
        }
        self.keeper.moved(entry, to);
    }

    /// Dead letters that were not copied since the last call, with their accounts, for the server's log.
    pub fn take_uncopied(&mut self) -> Vec<(Arc<str>, Uncopied)> {
        std::mem::take(&mut self.uncopied)
    }

    /// Damaged messages that consumers met since the last call, for the server's log.
    pub fn take_lost(&mut self) -> Vec<LostMessage> {
        std::mem::take(&mut self.lost)
    }

    /// The server stops: whoever waits is told, and everything is written down.
    pub fn stopping(&mut self, around: &mut Surroundings<'_>, journal: &mut dyn Journal) {
        for at in 0..self.accounts.len() {
            self.with(around, at, |jetstream, context| {
                jetstream.stopping(context, journal);
            });
        }
    }
}

impl Accounts {
    fn account(&self, at: usize) -> Option<&Account> {
        self.accounts.get(at)?.as_ref()
    }

    fn owner(&self, stream: u32) -> Option<&JetStream> {
        let at = self.owners.get(&stream)?;
        self.account(*at)?.jetstream.as_deref()
    }

    /// Streams of all that are awake; only of those that are served, if that is asked.
    fn awake_streams(&self, served: bool) -> impl Iterator<Item = &JetStream> {
        let awake = self.awake.iter().filter_map(|at| self.account(*at));
        awake
            .filter(move |account| !served || account.service == Service::Full)
            .filter_map(|account| account.jetstream.as_deref())
    }

    /// Those that are awake and served, in the order of their turns.
    fn served(&self) -> Vec<usize> {
        let is_served = |at: &usize| {
            let account = self.account(*at);
            account.is_some_and(|account| account.service == Service::Full)
        };
        self.awake.iter().copied().filter(is_served).collect()
    }

    /// Lets an account act, if it has streams, and takes in what came of it.
    fn with<T>(
        &mut self,
        around: &mut Surroundings<'_>,
        at: usize,
        act: impl FnOnce(&mut JetStream, &mut Context<'_>) -> T,
    ) -> Option<T> {
        self.wake(at);
        let account = self.accounts.get_mut(at)?.as_mut()?;
        let jetstream = account.jetstream.as_mut()?;
        let mut nobody = Nobody;
        let mut context = Context {
            now_ns: around.now_ns,
            random: &mut *around.random,
            out: match account.voice {
                Some(id) => around.exchange.of(id),
                None => &mut nobody,
            },
        };
        let before = jetstream.replies_so_far();
        let done = act(jetstream, &mut context);
        // Fewer than before: it was made anew.
        self.answers += jetstream.replies_so_far().saturating_sub(before);
        if jetstream.has_news() {
            self.take_news(at);
        }
        Some(done)
    }

    /// Takes in what happened in an account that concerns all.
    fn take_news(&mut self, at: usize) {
        let Some(account) = self.accounts.get_mut(at).and_then(Option::as_mut) else {
            return;
        };
        let Some(jetstream) = &mut account.jetstream else {
            return;
        };
        for (stream, is_there) in jetstream.take_moves() {
            if is_there {
                self.owners.insert(stream, at);
            } else {
                self.owners.remove(&stream);
            }
        }
        self.keeper.keep_graves(jetstream.take_graves());
        let name = &account.name;
        for (stream, sequence) in jetstream.take_lost() {
            self.lost.push(LostMessage {
                account: Arc::clone(name),
                stream,
                sequence,
            });
        }
        let uncopied = jetstream.take_uncopied().into_iter();
        self.uncopied
            .extend(uncopied.map(|letter| (Arc::clone(name), letter)));
    }

    /// Puts an account that has streams in the list of those that may have something to do.
    fn wake(&mut self, at: usize) {
        let Some(account) = self.accounts.get_mut(at).and_then(Option::as_mut) else {
            return;
        };
        if account.is_awake || account.jetstream.is_none() {
            return;
        }
        account.is_awake = true;
        self.awake.push(at);
        if let Some(due) = account.deadline.take() {
            self.deadlines.remove(&(due, at));
        }
        self.unheard.remove(&at);
    }

    /// Takes those out of the list again that have nothing to do.
    fn let_sleep(&mut self) {
        let Self {
            accounts,
            awake,
            deadlines,
            unheard,
            ..
        } = self;
        awake.retain(|&at| {
            let Some(account) = accounts.get_mut(at).and_then(Option::as_mut) else {
                return false;
            };
            let Some(jetstream) = &account.jetstream else {
                account.is_awake = false;
                return false;
            };
            let is_served = account.service == Service::Full;
            if jetstream.waits_for_log() || (is_served && jetstream.is_busy()) {
                return true;
            }
            account.is_awake = false;
            account.deadline = jetstream.next_deadline().filter(|_| is_served);
            deadlines.extend(account.deadline.map(|due| (due, at)));
            if is_served && jetstream.waits_for_subscribers() {
                unheard.insert(at);
            }
            false
        });
    }

    /// Tells whoever looks after the server of something: in the system's account and, where no other has JetStream, in
    /// `$G`, for nobody may be able to be in the system's then.
    fn tell_system(&self, around: &mut Surroundings<'_>, advisory: &impl Advisory) {
        let served = |account: &&Account| account.service == Service::Full;
        let is_alone = self.accounts.iter().flatten().filter(served).count() == 1;
        for account in self.accounts.iter().flatten() {
            let is_only_one = is_alone && served(&account) && *account.name == *GLOBAL_ACCOUNT;
            let Some(id) = account.voice else {
                continue;
            };
            if !account.is_system && !is_only_one {
                continue;
            }
            let mut context = Context {
                now_ns: around.now_ns,
                random: &mut *around.random,
                out: around.exchange.of(id),
            };
            account.tell(&mut context, advisory);
        }
    }

    fn subscribe_one(&mut self, around: &mut Surroundings<'_>, at: usize) {
        let Some(account) = self.account(at) else {
            return;
        };
        let Some(id) = account.voice else {
            return;
        };
        match (account.service, &account.jetstream) {
            (Service::Full, Some(jetstream)) => {
                jetstream.subscribe_to_everything(around.exchange.of(id));
            }
            (Service::Refusal, _) => self.subscribe_to_refuse(around.exchange.of(id), at),
            (Service::Full | Service::None, _) => {}
        }
    }
}

/// Whether a record says that something is gone.
fn is_grave(kind: u8) -> bool {
    matches!(
        kind,
        kinds::STREAM_DELETED
            | kinds::CONSUMER_DELETED
            | kinds::STREAMS_DELETED
            | kinds::CONSUMERS_DELETED
            | kinds::RESTORING
    )
}

/// What the sids of an account begin with.
fn sid_prefix(at: usize) -> String {
    format!("{at}:")
}

/// The account that a sid belongs to, and how it calls it.
fn split_sid(sid: &[u8]) -> Option<(usize, &[u8])> {
    let mut at = 0usize;
    let mut rest = sid;
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        match byte {
            b'0'..=b'9' => at = at.checked_mul(10)?.checked_add(usize::from(byte - b'0'))?,
            b':' if tail.len() + 1 < sid.len() => return Some((at, tail)),
            _ => return None,
        }
    }
}
