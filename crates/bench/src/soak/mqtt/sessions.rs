//! Sessions that stay: clients that go, in order or not, and come back while messages wait for them; and who publishes for
//! them, which is cut itself in the middle of what it sends.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use recado_mqtt::Qos;

use super::super::chance::Chance;
use super::super::line::Doors;
use super::super::place::{PATIENCE, STEADY};
use super::super::tally::Shared;
use super::client::{Client, Road, Who};
use super::ledger::Ledger;
use super::memory::{Memory, REPEATED};
use super::packets::Message;
use super::{is_over, last_level, number_in, numbered, tell_doubled, tell_missing};
use crate::error::{Error, Result};

/// Client identifiers of those who come and go.
pub(super) const SLEEPERS: [&str; 2] = ["soak-sleeper-0", "soak-sleeper-1"];
const KEEPER: &str = "soak-keeper";
const FILTERS: [(&str, Qos); 2] = [
    ("mq/kept/1", Qos::AtLeastOnce),
    ("mq/kept/2", Qos::ExactlyOnce),
];

/// How long one stays, at least. Who takes another's place within a second is taken for one of two that quarrel.
const STAY: Duration = Duration::from_millis(1500);
/// What chance adds to that, and how long one is away, at most.
const MORE_MS: u64 = 2_000;
/// How long one reads without acknowledging anything before it is cut.
const SILENCE: Duration = Duration::from_millis(300);
const TURN: Duration = Duration::from_millis(100);
/// Messages of a turn, with QoS 1 and with 2.
const MESSAGES_A_TURN: [u64; 2] = [3, 2];
const UNDER_WAY_MAX: usize = 200;
const FORGOTTEN: &str = "MQTT sessions forgotten";

fn road_of(name: &str) -> Road {
    match name.ends_with('0') {
        true => Road::Socket,
        false => Road::Websocket,
    }
}

/// A client that comes and goes.
pub(super) struct Sleeper {
    name: &'static str,
    memory: Memory,
    /// Of QoS 1 and 2.
    ledgers: [Ledger; 2],
}

impl Sleeper {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            memory: Memory::default(),
            ledgers: [Ledger::from(1), Ledger::from(1)],
        }
    }

    pub(super) fn shared(self) -> Mutex<Self> {
        Mutex::new(self)
    }

    fn who(&self) -> Who<'static> {
        Who::staying(self.name, STEADY, road_of(self.name))
    }

    /// Subscribes for the first time.
    pub(super) fn begin(mut self, doors: &Doors) -> Result<()> {
        let memory = std::mem::take(&mut self.memory);
        let (mut client, present) = Client::open(doors, 13, &self.who(), memory)?;
        if present {
            return Err(Error::Differs(format!("a session of {}", self.name)));
        }
        client.subscribe(&FILTERS)?;
        client.leave().map(drop)
    }

    /// Comes back. Its subscriptions must be there still.
    fn come(&mut self, shared: &Shared) -> Result<Client> {
        let memory = std::mem::take(&mut self.memory);
        let (client, present) = Client::open(&shared.doors, 13, &self.who(), memory)?;
        note_resumed(shared, self.name, present);
        Ok(client)
    }

    /// Listens for so long.
    fn listen(&mut self, shared: &Shared, client: &mut Client, duration: Duration) -> Result<()> {
        let until = Instant::now() + duration;
        while !until.saturating_duration_since(Instant::now()).is_zero() {
            let left = until.saturating_duration_since(Instant::now());
            if let Some(message) = client.message(left)? {
                self.note(shared, &message)?;
            }
        }
        // They are acknowledged: nobody sends them again.
        while let Some(message) = client.heard() {
            self.note(shared, &message)?;
        }
        Ok(())
    }

    /// With QoS 2 each comes once; with QoS 1 again only if somebody says why.
    fn note(&mut self, shared: &Shared, message: &Message) -> Result<()> {
        let level = last_level(message)?;
        let odd = || Error::Differs(format!("{:?} on {}", message.qos, message.topic));
        let at = level
            .checked_sub(1)
            .filter(|&at| FILTERS[at.min(1)].1 == message.qos);
        let ledger = at.and_then(|at| self.ledgers.get_mut(at)).ok_or_else(odd)?;
        let number = number_in(&message.payload)?;
        if message.dup {
            shared.tally.add("MQTT messages sent again with DUP", 1);
        }
        if ledger.note(number) {
            shared.tally.add("MQTT messages kept and delivered", 1);
            return Ok(());
        }
        let explained = message.dup || message.payload.ends_with(&[REPEATED]);
        if message.qos == Qos::ExactlyOnce || !explained {
            let what = format!("{number} on {} for {}", message.topic, self.name);
            tell_doubled(shared, what);
        }
        Ok(())
    }

    fn missing(&self, shared: &Shared) -> Option<u64> {
        let kinds = self.ledgers.iter().zip(&shared.mqtt.kept);
        kinds
            .map(|(ledger, finish)| finish.known().map(|last| ledger.missing(last)))
            .sum()
    }

    /// Hears out what there is, and gives the session up.
    fn end(&mut self, shared: &Shared) -> Result<()> {
        let mut client = self.come(shared)?;
        let mut ended = None;
        while !is_over(shared, self.missing(shared), &mut ended) {
            self.listen(shared, &mut client, Duration::from_millis(200))?;
        }
        let missing = self.missing(shared).unwrap_or_default();
        let first = self.ledgers.each_ref().map(Ledger::first_missing);
        let of = format!("kept for {}, from {first:?} on", self.name);
        tell_missing(shared, missing, &of);
        client.leave()?;
        give_up(&shared.doors, self.who())
    }
}

/// Comes, listens, goes in one of several ways, is away for a while, and comes again.
pub(super) fn come_and_go(shared: &Shared, sleeper: &Mutex<Sleeper>) -> Result<()> {
    let mut sleeper = sleeper.lock().unwrap_or_else(PoisonError::into_inner);
    let number = SLEEPERS.iter().position(|name| *name == sleeper.name);
    let mut chance = Chance::new(shared.seed ^ 0x51ee ^ number.unwrap_or_default() as u64);
    let mut left_open: Option<Client> = None;
    while shared.rest(Duration::from_millis(chance.below(MORE_MS))) {
        let mut client = sleeper.come(shared)?;
        if let Some(mut before) = left_open.take()
            && !before.must_end(PATIENCE)?
        {
            let what = format!("{} is there twice", sleeper.name);
            shared.tally.wrong("MQTT clients not pushed out", what);
        }
        let stay = STAY + Duration::from_millis(chance.below(MORE_MS));
        sleeper.listen(shared, &mut client, stay)?;
        shared.tally.add("MQTT pings answered", client.pings());
        sleeper.memory = match chance.below(4) {
            0 => client.leave()?,
            1 => client.reset()?,
            2 => {
                client.fall_silent();
                sleeper.listen(shared, &mut client, SILENCE)?;
                client.reset()?
            }
            // The next one takes its place.
            _ => {
                let memory = client.hand_over();
                left_open = Some(client);
                memory
            }
        };
    }
    sleeper.end(shared)
}

/// Who publishes for those who come and go. It has a session itself, so that nothing of QoS 2 is doubled when it is cut.
#[derive(Default)]
pub(super) struct Keeper {
    memory: Memory,
    /// Of QoS 1 and 2.
    numbers: [u64; 2],
}

impl Keeper {
    fn who() -> Who<'static> {
        Who::staying(KEEPER, STEADY, Road::Socket)
    }

    pub(super) fn shared() -> Mutex<Self> {
        Mutex::default()
    }

    pub(super) fn begin(doors: &Doors) -> Result<()> {
        let (client, _) = Client::open(doors, 14, &Self::who(), Memory::default())?;
        client.leave().map(drop)
    }

    fn come(&mut self, shared: &Shared) -> Result<Client> {
        let memory = std::mem::take(&mut self.memory);
        let (client, present) = Client::open(&shared.doors, 14, &Self::who(), memory)?;
        note_resumed(shared, KEEPER, present);
        Ok(client)
    }

    fn publish_a_turn(&mut self, shared: &Shared, client: &mut Client) -> Result<()> {
        for (at, (topic, qos)) in FILTERS.iter().enumerate() {
            for _ in 0..MESSAGES_A_TURN[at] {
                self.numbers[at] += 1;
                client.publish(topic, &numbered(self.numbers[at]), *qos)?;
            }
            let published = "MQTT messages published for sessions";
            shared.tally.add(published, MESSAGES_A_TURN[at]);
        }
        client.flush()
    }
}

/// Publishes, and is cut now and then before all is acknowledged.
pub(super) fn publish(shared: &Shared, keeper: &Mutex<Keeper>) -> Result<()> {
    let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
    let mut chance = Chance::new(shared.seed ^ 0x4ee9);
    while !shared.is_ending() {
        let mut client = keeper.come(shared)?;
        let until = Instant::now() + STAY + Duration::from_millis(chance.below(MORE_MS));
        while Instant::now() < until && shared.rest(TURN) {
            keeper.publish_a_turn(shared, &mut client)?;
            if client.message(Duration::ZERO)?.is_some() {
                let what = "a message for who subscribed to nothing";
                return Err(Error::Differs(what.into()));
            }
            if client.under_way() > UNDER_WAY_MAX {
                client.settle()?;
            }
        }
        shared.tally.add("MQTT pings answered", client.pings());
        keeper.publish_a_turn(shared, &mut client)?;
        // Some of it may have arrived, some of the acknowledgements may be on their way.
        if chance.below(2) == 0 {
            client.message(Duration::from_millis(chance.below(5)))?;
        }
        let many = client.under_way() as u64;
        let under_way = "MQTT messages under way at a cut";
        shared.tally.add(under_way, many);
        keeper.memory = match chance.below(3) {
            0 => client.leave()?,
            1 => client.reset()?,
            _ => client.break_off()?,
        };
    }
    let mut client = keeper.come(shared)?;
    client.settle()?;
    for (finish, number) in shared.mqtt.kept.iter().zip(keeper.numbers) {
        finish.tell(number);
    }
    client.leave()?;
    give_up(&shared.doors, Keeper::who())
}

fn note_resumed(shared: &Shared, name: &str, present: bool) {
    match present {
        true => shared.tally.add("MQTT sessions resumed", 1),
        false => shared.tally.wrong(FORGOTTEN, name.to_owned()),
    }
}

/// Ends a session: who asks for a clean one has none afterwards.
fn give_up(doors: &Doors, who: Who<'_>) -> Result<()> {
    let clean = Who {
        clean_session: true,
        ..who
    };
    Client::open_passing(doors, 15, &clean)?.leave().map(drop)
}
