//! The thread that owns all streams: takes frames in, lets the state machines act, hands batches to the
//! committer, and releases what the watermark allows. It never waits for the disk to sync.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use recado_log::{Committed, Journal, Log, Progress, RealDisk};
use recado_streams::accounts::{Accounts, Unserved};
use recado_streams::context::Surroundings;
use recado_streams::jetstream::{Incoming, Offline};
use recado_wire::{ServerFrame, ServerParsed, parse_server_frame};

use super::beat::Beat;
use super::committer::CommitterThread;
use super::inquiries::{Answering, Glimpse, Inquiries};
use super::orders::{OrderBook, Orders, Raised};
use super::outlet::{Directory, EngineExchange, ServedAccount};
use super::requests::{RequestLimits, Time, WaitingRequests};
use super::store::{Opened, Store};
use super::waits::Waits;
use crate::engine::{Engine, Insider, Intake};
use crate::error::StartError;

/// The longest that it sleeps with nothing to do.
const NAP_MAX: Duration = Duration::from_secs(10);
/// Between two looks at what compaction may do.
const UPKEEP_EVERY: Duration = Duration::from_millis(20);
/// Between two looks at what was not read any more since the last one.
const AGE_EVERY: Duration = Duration::from_secs(60);
/// Live bytes that compaction copies in one step: with the time between two, some 12 MB/s, which publishing
/// does not notice.
const COMPACT_BYTES: u64 = 256 * 1024;
/// Progress of consumers that nobody waits for is written after so long.
const SAVE_AFTER: Duration = Duration::from_millis(100);

/// Everything that the streams thread holds.
pub(super) struct Driver {
    engine: Arc<Engine>,
    intake: Arc<Intake>,
    accounts: Accounts,
    /// The engine's accounts by number.
    directory: Directory,
    /// What others ask this thread to do.
    orders: OrderBook,
    log: Log<RealDisk>,
    committer: CommitterThread,
    stop: Arc<AtomicBool>,
    beat: Arc<Beat>,
    /// Frames that were taken.
    frames: Vec<u8>,
    /// The start of a frame whose rest has not come yet.
    partial: Vec<u8>,
    /// Requests to the API that there was no time for.
    requests: WaitingRequests,
    random: u64,
    /// The last look at what may be compacted found something.
    compacting: bool,
    /// The store is to be encrypted, and some of it is not yet.
    plain: bool,
    inquiries: Answering,
    waits: Waits,
}

/// What other threads hold of it, too.
pub(super) struct Outside {
    pub(super) stop: Arc<AtomicBool>,
    pub(super) orders: Arc<Orders>,
    pub(super) beat: Arc<Beat>,
    pub(super) inquiries: Arc<Inquiries>,
}

impl Driver {
    /// Makes streams of what the log told, and starts the committer.
    ///
    /// # Errors
    /// When the accounts ask for more than there is, or the machine has no threads left.
    pub(super) fn new(
        engine: &Arc<Engine>,
        intake: &Arc<Intake>,
        store: Store,
        accounts: &[ServedAccount],
        limits: RequestLimits,
        outside: Outside,
    ) -> Result<(Self, Opened), StartError> {
        let Store {
            opening,
            mut log,
            committer,
            directory: store_directory,
            memory_bytes_max,
            file_bytes_max,
            started,
        } = store;
        let mut seed = rand::random::<u64>() | 1;
        let mut random = || next_random(&mut seed);
        let mut directory = Directory::default();
        let settings = directory.enter(accounts);
        let (accounts, report) =
            Accounts::open(opening, &settings, now_ns(), &mut random, &mut log)
                .map_err(StartError::Accounts)?;
        for what in &report.found.lost {
            tracing::error!(store = %store_directory.display(), "damaged or lost in the store: {what}");
        }
        tell_unserved(&report.unserved);
        tell_offline(&report.found.offline);
        let report = report.found;
        let opened = Opened {
            directory: store_directory,
            streams: report.streams,
            messages: report.messages,
            memory_bytes_max,
            file_bytes_max,
            took: started.elapsed(),
        };
        let plain = log.usage().plain_segments > 0;
        let driver = Self {
            engine: Arc::clone(engine),
            intake: Arc::clone(intake),
            accounts,
            directory,
            orders: OrderBook(outside.orders),
            log,
            committer: CommitterThread::start(committer, Arc::clone(intake))
                .map_err(StartError::Threads)?,
            stop: outside.stop,
            beat: outside.beat,
            frames: Vec::new(),
            partial: Vec::new(),
            requests: WaitingRequests::new(limits),
            random: seed,
            compacting: true,
            plain,
            inquiries: Answering(outside.inquiries),
            waits: Waits::new(Instant::now()),
        };
        Ok((driver, opened))
    }

    /// Runs until it is told to stop, or the engine cuts it off for good. Says when it can be reached.
    pub(super) fn run(mut self, subscribed: &Sender<()>) {
        let engine = Arc::clone(&self.engine);
        engine.newcomers.set_intake(&self.intake);
        // Writers that wait for slow subscribers are tasks of the engine's first thread.
        let _entered = engine.threads.runtime(0).enter();
        while let Some(insider) = Insider::connect(&engine, &self.intake) {
            self.partial.clear();
            self.act(&insider, |accounts, around, _| {
                accounts.subscribe(around);
            });
            // Whoever waited for it may have gone on already.
            let _ = subscribed.send(());
            self.serve(&insider);
            if self.stop.load(Ordering::Acquire) {
                self.finish(&insider);
                break;
            }
            tracing::error!(
                "the engine cut the streams off because too much waited for them; they begin anew"
            );
            self.intake.reopen();
        }
        engine.newcomers.set_wanted(false);
        self.close();
    }

    fn serve(&mut self, insider: &Insider) {
        let mut upkeep = Instant::now() + UPKEEP_EVERY;
        let mut age = Instant::now() + AGE_EVERY;
        let mut busy = false;
        while !self.stop.load(Ordering::Acquire) {
            let until = if busy {
                Instant::now()
            } else {
                self.wake_at(upkeep)
            };
            let taken = self.intake.take(&mut self.frames, Some(until));
            self.beat.answer();
            self.waits.turn_begins(Instant::now());
            let mut time = Time::for_a_turn();
            self.handle_frames(insider, &mut time);
            self.serve_requests(insider, &mut time);
            self.settle(insider);
            self.obey(insider);
            self.welcome(insider);
            busy = self.act(insider, |accounts, around, log| {
                accounts.tick(around, log);
                accounts.work(around, log)
            });
            self.give_away(insider);
            self.answer_inquiries(insider, &mut time);
            busy |= self.accounts.has_work()
                || !self.requests.is_empty()
                || !self.inquiries.0.is_empty();
            let now = Instant::now();
            if now >= upkeep {
                self.upkeep(insider);
                upkeep = now + UPKEEP_EVERY;
            }
            if now >= age {
                self.log.age();
                age = now + AGE_EVERY;
            }
            insider.flush();
            // Not before: until then the one who cuts it off is still about to close the intake.
            if taken.closed {
                return;
            }
        }
    }

    /// Does what others ask this thread to do.
    fn obey(&mut self, insider: &Insider) {
        let Some(order) = self.orders.take() else {
            return;
        };
        let settings = self.directory.enter(order.accounts());
        let before = self.accounts.unserved();
        // Accounts may be promised what there is only now.
        let Raised { memory, file } = order.raised();
        let lower = self.accounts.ceilings();
        self.accounts.raise(memory, file);
        let done = self.act(insider, |accounts, around, log| {
            accounts.set_accounts(around, log, &settings)
        });
        if done.is_err() {
            self.accounts.raise(lower.0, lower.1);
        }
        let mut unserved = self.accounts.unserved();
        unserved.retain(|one| !before.contains(one));
        tell_unserved(&unserved);
        order.answer(done);
    }

    /// Looks for those who were waited for, after somebody subscribed.
    fn welcome(&mut self, insider: &Insider) {
        let wanted = self.accounts.waits_for_subscribers();
        self.engine.newcomers.set_wanted(wanted);
        if self.engine.newcomers.take() {
            self.act(insider, |accounts, around, _| {
                accounts.somebody_subscribed(around);
            });
        }
    }

    /// When it has to act again although nothing comes in.
    fn wake_at(&self, upkeep: Instant) -> Instant {
        let now = Instant::now();
        let mut until = now + NAP_MAX;
        if let Some(deadline_ns) = self.accounts.next_deadline() {
            let wait = deadline_ns.saturating_sub(now_ns()).max(0);
            until = until.min(now + Duration::from_nanos(wait.unsigned_abs()));
        }
        if self.accounts.has_unsaved() {
            until = until.min(now + SAVE_AFTER);
        }
        if self.compacting {
            until = until.min(upkeep);
        }
        until
    }

    /// Lets the state machines act, with all that they need.
    fn act<T>(
        &mut self,
        insider: &Insider,
        act: impl FnOnce(&mut Accounts, &mut Surroundings<'_>, &mut Log<RealDisk>) -> T,
    ) -> T {
        self.act_on(insider, |service, _| {
            act(service.accounts, service.around, service.log)
        })
    }

    /// The same for what has to do with requests that wait.
    fn act_on<T>(
        &mut self,
        insider: &Insider,
        act: impl FnOnce(&mut Service<'_, '_>, &mut WaitingRequests) -> T,
    ) -> T {
        let seed = &mut self.random;
        let mut random = || next_random(seed);
        let mut exchange = EngineExchange::new(insider, &self.directory);
        let mut around = Surroundings {
            now_ns: now_ns(),
            random: &mut random,
            exchange: &mut exchange,
        };
        let mut service = Service {
            accounts: &mut self.accounts,
            around: &mut around,
            log: &mut self.log,
        };
        act(&mut service, &mut self.requests)
    }

    /// Acts on the frames that were taken. A request to the API that this turn has no time for waits.
    fn handle_frames(&mut self, insider: &Insider, time: &mut Time) {
        if self.frames.is_empty() {
            return;
        }
        let mut frames = std::mem::take(&mut self.frames);
        if !self.partial.is_empty() {
            self.partial.extend_from_slice(&frames);
            std::mem::swap(&mut self.partial, &mut frames);
            self.partial.clear();
        }
        let mut at = 0;
        self.act_on(insider, |service, requests| {
            loop {
                match parse_server_frame(&frames[at..]) {
                    ServerParsed::Complete(frame, length) => {
                        if let Some(message) = message_of(&frame)
                            && !service.take_traced(insider, &message)
                        {
                            service.take(&message, &frames[at..at + length], requests, time);
                        }
                        at += length;
                    }
                    ServerParsed::Incomplete => break,
                    // Only the engine writes here: it can't be, and nothing behind it could be trusted.
                    ServerParsed::Malformed => {
                        tracing::error!(
                            "a frame for the streams can't be read; the rest of its batch is lost"
                        );
                        at = frames.len();
                        break;
                    }
                }
            }
        });
        self.partial.extend_from_slice(&frames[at..]);
        frames.clear();
        self.frames = frames;
    }

    /// Serves requests that wait, as long as there is time.
    fn serve_requests(&mut self, insider: &Insider, time: &mut Time) {
        if self.requests.is_empty() {
            return;
        }
        self.act_on(insider, |service, requests| {
            while !time.is_up()
                && let Some(frame) = requests.pop()
            {
                time.spend(|| service.serve(&frame));
            }
        });
    }

    /// Answers who asks from other threads: one question a turn, and more as long as there is time.
    fn answer_inquiries(&mut self, insider: &Insider, time: &mut Time) {
        while let Some(question) = self.inquiries.0.pop() {
            self.act(insider, |accounts, around, log| {
                let mut glimpse = Glimpse {
                    accounts,
                    around,
                    log,
                };
                time.spend(|| question(&mut glimpse));
            });
            if time.is_up() {
                return;
            }
        }
    }

    /// Takes the outcome of a batch, and lets go what it allows.
    fn settle(&mut self, insider: &Insider) {
        if let Some(done) = self.committer.outcome() {
            self.settle_with(insider, done);
        }
    }

    fn settle_with(&mut self, insider: &Insider, done: Committed) {
        match self.log.committed(done) {
            Progress::Durable(position) => {
                self.act(insider, |accounts, around, log| {
                    accounts.durable(around, log, position);
                });
                let counters = &self.inquiries.0.counters;
                counters.batches.fetch_add(1, Ordering::Relaxed);
                self.waits.durable(Instant::now(), counters);
            }
            Progress::RolledBack { why, .. } => {
                self.waits.forget();
                tracing::error!(%why, "the store had no room for a batch: its publishes are refused");
                self.recover(insider, &why);
            }
            Progress::Stopped { why } => {
                tracing::error!(
                    %why,
                    "THE STORE STOPPED: a write or sync failed, nothing more is stored until the server is started again"
                );
                self.stopped(insider, &why);
            }
        }
    }

    /// Reads the store again after a batch found no room: nothing of that batch may be left.
    fn recover(&mut self, insider: &Insider, why: &str) {
        let started = Instant::now();
        let mut opening = self.accounts.opening();
        let (log, beat) = (&mut self.log, &self.beat);
        let read = self.committer.with(|committer| {
            log.recover(committer, &mut |replayed| {
                // It takes as long as the store is large, and goes on.
                beat.answer();
                opening.replay(&replayed);
            })
        });
        match read {
            Ok(_) => {
                let report = self.act(insider, |accounts, around, log| {
                    accounts.recovered(around, log, opening, why)
                });
                for what in &report.lost {
                    tracing::error!("damaged or lost in the store: {what}");
                }
                let took = started.elapsed();
                tracing::warn!(
                    ?took,
                    "the store was read again, without that batch; it takes more when there is room"
                );
            }
            Err(error) => {
                tracing::error!(
                    %error,
                    "THE STORE STOPPED: it could not be read again, nothing more is stored until the server is started again"
                );
                self.stopped(insider, &error.to_string());
            }
        }
    }

    fn stopped(&mut self, insider: &Insider, why: &str) {
        self.waits.forget();
        self.act(insider, |accounts, around, log| {
            accounts.stopped(around, log, why);
        });
    }

    /// Hands on what was gathered, if the committer has nothing to do.
    fn give_away(&mut self, insider: &Insider) {
        self.waits.note(self.accounts.answers_so_far());
        if !self.committer.is_free() {
            return;
        }
        self.act(insider, |accounts, around, log| {
            accounts.complete_batch(around, log);
        });
        let end = self.log.end();
        if let Some(batch) = self.log.take_batch() {
            self.accounts.sealed(end);
            self.waits.seal();
            if let Some(done) = self.committer.commit(batch) {
                self.settle_with(insider, done);
            }
        } else if self.accounts.has_waiting() {
            // All that it waits for is on disk already.
            self.accounts.sealed(end);
            self.act(insider, |accounts, around, log| {
                accounts.durable(around, log, end);
            });
            self.waits.seal();
            let counters = &self.inquiries.0.counters;
            self.waits.durable(Instant::now(), counters);
        }
    }

    fn upkeep(&mut self, insider: &Insider) {
        let oldest = self.log.oldest_segment().unwrap_or(u32::MAX);
        let (lost, uncopied) = self.act(insider, |accounts, _, log| {
            accounts.upkeep(log, oldest);
            (accounts.take_lost(), accounts.take_uncopied())
        });
        if let Some(why) = self.log.take_read_error() {
            tracing::error!(
                %why,
                "the store could not be read; whoever waits for what is there gets it when it can be"
            );
        }
        for (account, letter) in uncopied {
            tracing::error!(
                %account,
                stream = %letter.stream,
                sequence = letter.sequence,
                "a dead letter could not be copied into the stream {}: {}",
                letter.target,
                letter.why
            );
        }
        for message in lost {
            tracing::error!(
                account = %message.account,
                stream = %message.stream,
                sequence = message.sequence,
                "a message is damaged on disk and can't be delivered; `recado-server verify DIR` tells where"
            );
        }
        let accounts = RefCell::new(&mut self.accounts);
        let step = self.log.compact(
            COMPACT_BYTES,
            &mut |entry| accounts.borrow().is_live(entry),
            &mut |entry, to| accounts.borrow_mut().moved(entry, to),
        );
        self.compacting = step.more;
        if self.plain && self.log.usage().plain_segments == 0 {
            self.plain = false;
            tracing::info!("the whole store is encrypted now");
        }
    }

    /// Says goodbye to whoever waits, and commits what is left.
    fn finish(&mut self, insider: &Insider) {
        self.intake.take(&mut self.frames, Some(Instant::now()));
        let mut time = Time::unlimited();
        self.handle_frames(insider, &mut time);
        self.serve_requests(insider, &mut time);
        self.act(insider, |accounts, around, log| {
            accounts.stopping(around, log);
        });
        self.drain(insider);
        insider.flush();
    }

    /// Commits until nothing is left.
    fn drain(&mut self, insider: &Insider) {
        loop {
            self.settle(insider);
            self.give_away(insider);
            if self.committer.is_free() {
                let stopped = self.log.stopped().is_some();
                if stopped || (self.log.waiting_bytes() == 0 && !self.accounts.has_waiting()) {
                    return;
                }
                continue;
            }
            self.intake
                .take(&mut self.frames, Some(Instant::now() + NAP_MAX));
            self.frames.clear();
        }
    }

    fn close(self) {
        let Self { log, committer, .. } = self;
        let Some(mut committer) = committer.end() else {
            return;
        };
        if let Err(error) = log.close(&mut committer) {
            tracing::warn!(%error, "the store was not closed cleanly: the next start takes longer");
        }
    }
}

/// The state machines, with all that they need to act.
struct Service<'a, 'c> {
    accounts: &'a mut Accounts,
    around: &'a mut Surroundings<'c>,
    log: &'a mut Log<RealDisk>,
}

impl Service<'_, '_> {
    /// Acts on a message that is traced, and answers; false: it is not.
    fn take_traced(&mut self, insider: &Insider, message: &Incoming<'_>) -> bool {
        let Some((ticket, headers)) = insider.take_ticket(message.headers) else {
            return false;
        };
        let message = Incoming {
            headers: &headers,
            ..*message
        };
        let (around, log) = (&mut *self.around, &mut *self.log);
        if !insider.is_awaited(&ticket) {
            // Nobody hears of it, but it stays what it is: one that is only to be traced is not stored.
            if !ticket.only {
                self.accounts.handle(around, log, &message);
            }
            return true;
        }
        let traced = self
            .accounts
            .handle_traced(around, log, &message, ticket.only);
        insider.answer_trace(&ticket, traced);
        true
    }

    /// Acts on a message, or lets it wait. Behind requests that wait no other request is served.
    fn take(
        &mut self,
        message: &Incoming<'_>,
        frame: &[u8],
        requests: &mut WaitingRequests,
        time: &mut Time,
    ) {
        let Some(kind) = self.accounts.request_kind(message) else {
            return self.accounts.handle(self.around, self.log, message);
        };
        if requests.is_empty() && !time.is_up() {
            return time.spend(|| self.accounts.handle(self.around, self.log, message));
        }
        while requests.is_overfull()
            && let Some(first) = requests.pop()
        {
            time.spend(|| self.serve(&first));
        }
        if let Some(dropped) = requests.push(kind, frame) {
            requests.warn(dropped);
            self.accounts.requests_dropped(self.around, dropped);
        }
    }

    /// Acts on a request that waited.
    fn serve(&mut self, frame: &[u8]) {
        if let ServerParsed::Complete(frame, _) = parse_server_frame(frame)
            && let Some(message) = message_of(&frame)
        {
            self.accounts.handle(self.around, self.log, &message);
        }
    }
}

/// Says in the log what the store has for accounts that nobody can ask for it.
fn tell_unserved(unserved: &[Unserved]) {
    for one in unserved {
        tracing::warn!(
            account = %one.account,
            streams = one.streams,
            messages = one.messages,
            "the store has streams of an account that is not configured or has no JetStream: they are kept, and are \
             there again when it has"
        );
    }
}

/// Says in the log which streams can't be served by this version.
fn tell_offline(offline: &[Offline]) {
    for one in offline {
        tracing::warn!(
            account = %one.account,
            stream = %one.stream,
            why = %one.why,
            "a newer version wrote what this one does not know: the stream is offline, and nothing of it is touched; start \
             a version that knows it, or delete the stream, or the consumer that is named"
        );
    }
}

/// The message that a frame brings, if it is one.
fn message_of<'a>(frame: &ServerFrame<'a>) -> Option<Incoming<'a>> {
    let ServerFrame::Message {
        subject,
        sid,
        reply,
        headers,
        payload,
    } = *frame
    else {
        return None;
    };
    Some(Incoming {
        sid,
        subject,
        reply,
        headers,
        payload,
    })
}

/// Unix time in nanoseconds.
pub(super) fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// xorshift64*: even, not secret.
fn next_random(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_F491_4F6C_DD1D)
}
