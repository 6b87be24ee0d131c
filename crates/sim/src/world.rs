//! A simulated world: one disk, one server after another on it, clients, a clock, and misfortune. All choices
//! come from one seed.

use std::collections::{BTreeMap, BTreeSet};

use recado_log::{Cipher, Encryption, Secret, SimDisk};

use crate::clients::Op;
use crate::consumers::ConsumerModel;
use crate::dice::{Dice, Fingerprint};
use crate::machine::{Machine, Trouble};
use crate::model::{StreamState, Verdict, Window};
use crate::net::{Message, Net};

/// What was promised and not kept, in words.
pub type Broken = String;

/// Unix time at which every world begins.
const BEGIN_NS: i64 = 1_700_000_000_000_000_000;
/// One world of so many has two accounts.
const TWIN_EVERY: u64 = 4;
/// Bytes that the disk has once it is to fill up, besides what it holds.
const ROOM_BYTES: u64 = 24 * 1024;

/// An operation that was not answered yet.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) op: Op,
    /// What a publish is to be told.
    pub(crate) verdict: Option<Verdict>,
    /// Messages that a purge is to tell of.
    pub(crate) purged: Option<u64>,
    /// When the server took it; 0 as long as it has not.
    pub(crate) order: u64,
    /// The consumer that an answer was for then: number of the operation that made it.
    pub(crate) made_by: Option<u64>,
}

/// What there is to be seen of a world may have changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// The server began.
    Start,
    /// It read its store again.
    Recovery,
}

/// The world.
pub struct World {
    pub(crate) dice: Dice,
    pub(crate) now_ns: i64,
    pub(crate) disk: SimDisk,
    pub(crate) settings: recado_log::Settings,
    secrecy: Secrecy,
    pub(crate) net: Net,
    pub(crate) machine: Option<Machine>,
    pub(crate) streams: BTreeMap<String, Window<Option<StreamState>>>,
    /// By stream and name.
    pub(crate) consumers: BTreeMap<(String, String), ConsumerModel>,
    pub(crate) pending: BTreeMap<u64, Pending>,
    pub(crate) next_op: u64,
    /// Counts what the model was told of.
    pub(crate) order: u64,
    /// Which life of the server it is.
    pub(crate) life: u64,
    /// The disk is full, or was, or failed: refusals are to be expected.
    pub(crate) trouble: bool,
    limited: bool,
    /// Bits were flipped: a thing of some worlds only.
    flips: bool,
    /// The server's answers are about a batch that failed.
    pub(crate) failing: bool,
    /// Messages of which a bit was flipped since a batch was last durable: they may lie at the log's very end.
    pub(crate) flipped_last: BTreeSet<(String, u64)>,
    /// Damage of which the server could not tell whose it is.
    pub(crate) unattributed: u64,
    /// Streams whose deletion was refused: what only memory knew of them is forgotten.
    pub(crate) came_back: BTreeSet<String>,
    /// The first operation of that batch that was refused.
    pub(crate) refused_from: Option<u64>,
    story: Option<Vec<String>>,
    pub(crate) counts: Counts,
}

/// What happened in a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Publishes that were acknowledged.
    pub acked: u64,
    /// Messages that were delivered.
    pub delivered: u64,
    /// Acks that were confirmed.
    pub confirmed: u64,
    /// Lives of the server.
    pub lives: u64,
    /// Batches that failed.
    pub failures: u64,
    /// Bits that were flipped.
    pub flips: u64,
}

/// Whether the store is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secrecy {
    None,
    /// When the server is started again.
    Later,
    Full,
}

impl Secrecy {
    /// One world in three is encrypted, and one in six becomes so.
    fn of(seed: u64) -> Self {
        match seed % 6 {
            1 | 4 => Self::Full,
            5 => Self::Later,
            _ => Self::None,
        }
    }
}

/// Encryption for one opening of the store. It takes no chance from the world: without it all would go the same way.
fn encryption(drawn: u64) -> Encryption {
    let mut dice = Dice::new(!drawn);
    let chance = [0; 4].map(|_: u8| dice.any().to_le_bytes()).concat();
    Encryption {
        cipher: if drawn.is_multiple_of(2) {
            Cipher::ChaCha20
        } else {
            Cipher::Aes256
        },
        key: Secret::new(b"simulated".to_vec()),
        previous: None,
        chance: Secret::new(chance),
    }
}

impl World {
    /// A new world.
    ///
    /// # Errors
    /// When not even an empty store can be opened.
    pub fn new(seed: u64, tells: bool) -> Result<Self, Broken> {
        let mut dice = Dice::new(seed);
        let segment_bytes = 2048 << dice.below(4);
        let settings = recado_log::Settings {
            segment_bytes,
            recent_bytes_max: dice.below(3) as usize * 2048,
            cache_bytes_max: dice.below(3) as usize * 4096,
            pending_bytes_max: 64 * 1024,
            reserve_bytes: if dice.once_in(2) { 2048 } else { 0 },
            salt: dice.any(),
            encryption: None,
        };
        let flips = dice.once_in(4);
        let mut world = Self {
            disk: SimDisk::new(dice.any()),
            dice,
            now_ns: BEGIN_NS,
            settings,
            secrecy: Secrecy::of(seed),
            net: Net::new(seed % TWIN_EVERY == TWIN_EVERY - 1),
            machine: None,
            streams: BTreeMap::new(),
            consumers: BTreeMap::new(),
            pending: BTreeMap::new(),
            next_op: 1,
            order: 0,
            life: 0,
            trouble: false,
            limited: false,
            flips,
            failing: false,
            refused_from: None,
            came_back: BTreeSet::new(),
            flipped_last: BTreeSet::new(),
            unattributed: 0,
            story: tells.then(Vec::new),
            counts: Counts::default(),
        };
        world.tell(|world| format!("the log has {:?}", world.settings));
        world.tell(|world| format!("encryption: {:?}", world.secrecy));
        if world.net.is_twin() {
            world.tell(|_| "S1 is another account's S0".to_owned());
        }
        world.start()?;
        Ok(world)
    }

    /// What happened so far, in words.
    #[must_use]
    pub fn story(&self) -> &[String] {
        self.story.as_deref().unwrap_or_default()
    }

    /// Of everything that came out, and of what is on the disk.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        use recado_log::Disk;
        let mut print = Fingerprint(self.net.fingerprint.0);
        for name in self.disk.list().unwrap_or_default() {
            print.add(name.as_bytes());
            print.add(&self.disk.bytes(&name).unwrap_or_default());
        }
        print.0
    }

    /// Adds to the story, if it is told.
    pub(crate) fn tell(&mut self, what: impl FnOnce(&Self) -> String) {
        if self.story.is_some() {
            let at = (self.now_ns - BEGIN_NS) / 1_000_000;
            let line = format!("{at:>8} ms  {}", what(self));
            if let Some(story) = &mut self.story {
                story.push(line);
            }
        }
    }

    /// One thing happens.
    ///
    /// # Errors
    /// When a promise was broken.
    pub fn step(&mut self) -> Result<(), Broken> {
        let twin = u64::from(self.net.is_twin());
        let weights = [30, 6, 14, 14, 40, 14, 6, 7, 4, 3, 2, 1, twin];
        match self.dice.weighted(&weights) {
            0 => {
                for _ in 0..=self.dice.below(4) {
                    self.publish();
                }
            }
            1 => self.call_api(),
            2 => self.pull(),
            3 => self.acknowledge(),
            4 => {
                let most = self.dice.below(16);
                self.turn(most)?;
            }
            5 => self.commit(),
            6 => self.upkeep()?,
            7 => self.pass_time(),
            8 => self.change_interest(),
            9 => self.audit()?,
            10 => self.misfortune()?,
            11 => self.restart()?,
            _ => self.take_account_away()?,
        }
        Ok(())
    }

    fn with_machine<T>(&mut self, act: impl FnOnce(&mut Machine, &mut Net, i64) -> T) -> Option<T> {
        let machine = self.machine.as_mut()?;
        Some(act(machine, &mut self.net, self.now_ns))
    }

    /// One turn of the streams thread, with at most so many messages.
    pub(crate) fn turn(&mut self, most: u64) -> Result<(), Broken> {
        for _ in 0..most {
            let Some(message) = self.net.intake.pop_front() else {
                break;
            };
            self.take_in(&message)?;
        }
        self.settle()?;
        self.with_machine(|machine, net, now| machine.work(net, now));
        self.look_at_sent()?;
        self.with_machine(|machine, net, now| machine.give_away(net, now));
        self.look_at_sent()
    }

    fn take_in(&mut self, message: &Message) -> Result<(), Broken> {
        self.tell(|_| match message.op {
            0 => format!("the server takes {}", message.subject),
            number => format!("the server takes #{number}"),
        });
        self.before_operation(message.op)?;
        let known = self
            .with_machine(|machine, net, now| machine.handle(net, now, message))
            .unwrap_or_default();
        self.after_operation(message.op, known)?;
        self.look_at_sent()
    }

    fn settle(&mut self) -> Result<(), Broken> {
        let has_outcome = self.machine.as_ref().is_some_and(Machine::has_outcome);
        let trouble = self
            .with_machine(|machine, net, now| machine.settle(net, now))
            .flatten();
        if has_outcome && trouble.is_none() {
            self.flipped_last.clear();
        }
        let Some(trouble) = trouble else {
            return self.look_at_sent();
        };
        self.tell(|_| format!("a batch failed: {trouble:?}"));
        self.counts.failures += 1;
        self.trouble = true;
        self.failing = true;
        self.look_at_sent()?;
        self.failing = false;
        self.with_machine(|machine, net, now| machine.tick(net, now));
        if trouble == Trouble::Full {
            // What was not confirmed of consumers is forgotten, as in a crash.
            self.life += 1;
            self.forget_refused();
            let lost = self.with_machine(|machine, _, _| std::mem::take(&mut machine.found_lost));
            self.unattributed = unattributed(&lost.unwrap_or_default());
            self.settle_down(Since::Recovery)?;
            self.came_back.clear();
        }
        Ok(())
    }

    /// Nothing of what was refused was done.
    fn forget_refused(&mut self) {
        let Some(from) = self.refused_from.take() else {
            return;
        };
        let mut in_memory = BTreeSet::new();
        for (name, window) in &mut self.streams {
            if window.all().flatten().any(|state| state.spec.memory) {
                in_memory.insert(name.clone());
            } else {
                let birth = |state: &Option<StreamState>| state.as_ref().map(|own| own.spec.birth);
                let before = birth(window.now());
                window.forget_from(from);
                if birth(window.now()) != before {
                    self.came_back.insert(name.clone());
                }
            }
        }
        for ((stream, _), model) in &mut self.consumers {
            if !in_memory.contains(stream) && model.window.forget_from(from) {
                // What it did before is not known any more.
                model.reset();
                model.is_unsure = true;
            }
        }
    }

    pub(crate) fn commit(&mut self) {
        let Some(machine) = self.machine.as_mut() else {
            return;
        };
        if machine.commit() {
            self.tell(|_| "a batch is written".to_owned());
        } else if machine.tidy() {
            self.tell(|_| "the committer tidies up".to_owned());
        }
    }

    pub(crate) fn upkeep(&mut self) -> Result<(), Broken> {
        let lost = self.with_machine(|machine, net, now| machine.upkeep(net, now));
        for (stream, sequence) in lost.unwrap_or_default() {
            self.tell(|_| format!("{stream} tells that {sequence} is damaged"));
            let is_damaged = self
                .streams
                .get(&stream)
                .and_then(|window| window.now().as_ref())
                .is_some_and(|state| state.damaged.contains(&sequence));
            if !is_damaged {
                return Err(format!(
                    "{stream}: {sequence} is told to be damaged and is not"
                ));
            }
        }
        self.look_at_sent()
    }

    fn pass_time(&mut self) {
        let machine = self.machine.as_ref();
        let next = machine.and_then(Machine::next_deadline).unwrap_or(0) - self.now_ns;
        let by = match self.dice.below(4) {
            0 => self.dice.below(2_000_000),
            1 => self.dice.below(200_000_000),
            2 => self.dice.below(8_000_000_000),
            _ => u64::try_from(next).unwrap_or(0).min(20_000_000_000),
        };
        // The streams' index keeps microseconds.
        self.now_ns += by.cast_signed() / 1000 * 1000;
        self.tell(|_| format!("{} ms pass", by / 1_000_000));
    }

    /// Whatever can go wrong with a disk while the server runs.
    fn misfortune(&mut self) -> Result<(), Broken> {
        match self.dice.below(6) {
            0 | 1 if self.limited => self.make_room()?,
            0 => self.fill_disk(),
            1 => {
                self.trouble = true;
                self.disk.fill_writes(1);
                self.tell(|_| "the next write finds no room".to_owned());
            }
            2 => {
                self.trouble = true;
                self.disk.fail_syncs(1);
                self.tell(|_| "the next sync will fail".to_owned());
            }
            3 => {
                self.trouble = true;
                self.disk.fail_writes(1);
                self.tell(|_| "the next write will fail".to_owned());
            }
            4 => self.power_fails_soon()?,
            _ if self.flips => self.flip(),
            _ => {}
        }
        Ok(())
    }

    fn fill_disk(&mut self) {
        let room = self.dice.below(ROOM_BYTES);
        self.disk.set_limit_bytes(self.disk.used_bytes() + room);
        self.limited = true;
        self.trouble = true;
        self.tell(|_| format!("the disk has {room} bytes left"));
    }

    /// There is room again, and everything recovers.
    pub(crate) fn make_room(&mut self) -> Result<(), Broken> {
        self.disk.set_limit_bytes(u64::MAX);
        self.disk.fill_writes(0);
        self.limited = false;
        self.tell(|_| "the disk has room again".to_owned());
        if self.machine.as_ref().is_some_and(Machine::is_stopped) {
            return Ok(());
        }
        self.disk.fail_syncs(0);
        self.disk.fail_writes(0);
        self.calm()?;
        let stopped = self.machine.as_ref().is_none_or(Machine::is_stopped);
        self.trouble = stopped;
        Ok(())
    }

    /// Lets the server do all that it has to do.
    pub(crate) fn calm(&mut self) -> Result<(), Broken> {
        for _ in 0..200 {
            self.turn(u64::MAX)?;
            let machine = self.machine.as_mut();
            let Some(machine) = machine.filter(|machine| !machine.is_stopped()) else {
                return Ok(());
            };
            if !machine.has_waiting() && self.net.intake.is_empty() {
                return Ok(());
            }
            machine.commit();
        }
        Err("the server never comes to rest".to_owned())
    }

    /// The power fails in the middle of whatever the server does next with its disk.
    fn power_fails_soon(&mut self) -> Result<(), Broken> {
        let changes = self.dice.below(8) as u32;
        self.disk.fail_power_after(changes);
        let what = self.dice.below(3);
        self.tell(|_| format!("the power fails after {changes} more changes of the disk"));
        let Some(machine) = self.machine.as_mut() else {
            return Ok(());
        };
        match what {
            0 => {
                machine.give_away(&mut self.net, self.now_ns);
                machine.commit();
            }
            1 => {
                machine.commit();
                while machine.tidy() {}
            }
            _ => {
                for _ in 0..4 {
                    let _ = machine.upkeep(&mut self.net, self.now_ns);
                    machine.give_away(&mut self.net, self.now_ns);
                    machine.commit();
                }
            }
        }
        self.die(false);
        self.start()
    }

    /// The configuration is read again twice: without the second account, and with it.
    fn take_account_away(&mut self) -> Result<(), Broken> {
        self.tell(|_| "an account goes and comes back".to_owned());
        self.with_machine(|machine, net, now| machine.take_away_and_give_back(net, now));
        self.look_at_sent()
    }

    /// The server ends in one way or another, and another one begins.
    pub(crate) fn restart(&mut self) -> Result<(), Broken> {
        match self.dice.below(4) {
            0 => self.stop_cleanly()?,
            1 => self.die(true),
            _ => self.die(false),
        }
        if self.dice.once_in(3) {
            // Not even opening the store is safe.
            let changes = self.dice.below(6) as u32;
            self.disk.fail_power_after(changes);
            self.tell(|_| format!("the power fails again, {changes} changes of the disk later"));
            let opened = self.open();
            drop(opened);
            self.disk.crash();
        }
        self.start()
    }

    fn stop_cleanly(&mut self) -> Result<(), Broken> {
        let stopped = self.machine.as_ref().is_none_or(Machine::is_stopped);
        if stopped || self.limited || self.trouble {
            self.die(true);
            return Ok(());
        }
        self.tell(|_| "the server is stopped".to_owned());
        self.turn(u64::MAX)?;
        self.with_machine(|machine, net, now| machine.stopping(net, now));
        self.look_at_sent()?;
        for _ in 0..50 {
            self.settle()?;
            self.with_machine(|machine, net, now| machine.give_away(net, now));
            self.look_at_sent()?;
            if !self.machine.as_mut().is_some_and(Machine::commit) {
                break;
            }
        }
        let closed = self.machine.take().is_some_and(Machine::close);
        if !closed && !self.trouble {
            return Err("the store can't be closed".to_owned());
        }
        self.end_life();
        Ok(())
    }

    /// The process dies, or the whole machine does.
    pub(crate) fn die(&mut self, process_only: bool) {
        if process_only {
            self.tell(|_| "kill -9".to_owned());
            self.disk.kill();
        } else {
            self.tell(|_| "the power fails".to_owned());
            self.disk.crash();
        }
        self.machine = None;
        self.end_life();
    }

    fn end_life(&mut self) {
        self.net.cut();
        self.net
            .listening
            .retain(|inbox| inbox.starts_with("push."));
        self.pending.clear();
        for fault in [
            SimDisk::fail_syncs,
            SimDisk::fail_writes,
            SimDisk::fill_writes,
        ] {
            fault(&self.disk, 0);
        }
    }

    fn open(&mut self) -> Result<(Machine, crate::machine::Opened), String> {
        let drawn = self.dice.any();
        let chance = Dice::new(drawn);
        if self.secrecy == Secrecy::Later && self.life > 1 && !self.limited {
            self.secrecy = Secrecy::Full;
            self.tell(|_| "the store is to be encrypted from now on".to_owned());
        }
        let mut settings = self.settings.clone();
        settings.encryption = (self.secrecy == Secrecy::Full).then(|| encryption(drawn));
        Machine::open(
            &self.disk,
            &settings,
            self.net.is_twin(),
            self.now_ns,
            chance,
        )
        .map_err(|error| format!("the store can't be opened: {error}"))
    }

    /// A server begins, and finds what must be there.
    pub(crate) fn start(&mut self) -> Result<(), Broken> {
        let (machine, opened) = self.open()?;
        self.machine = Some(machine);
        self.life += 1;
        self.counts.lives += 1;
        self.trouble = self.limited;
        self.tell(|world| format!("server number {} starts: {opened:?}", world.life));
        // What was torn before it was acknowledged may be told to be lost, if something whole follows it.
        let is_torn = |lost: &String| {
            lost.contains("damaged")
                || lost.contains("not a whole record")
                || lost.contains("a group")
        };
        // If it was a configuration, so are records that it left alone. What was acknowledged is looked for below.
        let any = opened.lost.iter().any(is_torn);
        let is_alone = |lost: &String| any && lost.contains("configuration");
        let mut lost = opened.lost.iter();
        let torn = lost.all(|lost| is_torn(lost) || is_alone(lost));
        self.unattributed = unattributed(&opened.lost);
        if !torn && self.counts.flips == 0 {
            return Err(format!("told to be lost: {:?}", opened.lost));
        }
        self.with_machine(|machine, net, now| machine.subscribe(net, now));
        // What is too old is there until its time is looked at.
        self.with_machine(|machine, net, now| machine.tick(net, now));
        self.forget_memory();
        self.settle_down(Since::Start)
    }

    /// Flips a bit of an acknowledged message on the disk.
    fn flip(&mut self) {
        use recado_log::Disk;
        let mut all = Vec::new();
        for (name, window) in &self.streams {
            let Some(state) = window.durable() else {
                continue;
            };
            if !state.spec.memory
                && window.now().as_ref().map(|now| now.spec.birth) == Some(state.spec.birth)
            {
                all.extend(
                    state
                        .msgs
                        .iter()
                        .map(|(at, msg)| (name.clone(), *at, msg.clone())),
                );
            }
        }
        let Some((name, sequence, message)) = self.dice.pick(&all).cloned() else {
            return;
        };
        let files = self.disk.list().unwrap_or_default();
        let mut places = Vec::new();
        for file in files {
            let bytes = self.disk.bytes(&file).unwrap_or_default();
            let found = bytes
                .windows(message.payload.len())
                .position(|part| part == message.payload);
            places.extend(found.map(|at| (file, at)));
        }
        let before = message.subject.len() + message.headers.len();
        let Some((file, at)) = self.dice.pick(&places).cloned() else {
            return;
        };
        let at = at - before + self.dice.below((before + message.payload.len()) as u64) as usize;
        let bit = 1 << self.dice.below(8);
        self.disk.flip(&file, at, bit);
        self.counts.flips += 1;
        self.flipped_last.insert((name.clone(), sequence));
        self.tell(|_| format!("a bit of {name} {sequence} is flipped, {file} at {at}"));
        for state in self
            .streams
            .get_mut(&name)
            .into_iter()
            .flat_map(Window::all_mut)
            .flatten()
        {
            state.damaged.insert(sequence);
        }
    }
}

/// Damage of which nothing is known but that it is there.
fn unattributed(lost: &[String]) -> u64 {
    let unknown = lost.iter().filter(|lost| lost.contains("unknown stream"));
    unknown.count() as u64
}
