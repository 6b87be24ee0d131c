//! One stay in a room: enter, talk and listen, leave.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::connection::State as Link;
use async_nats::{Message, StatusCode, Subscriber};
use futures_util::StreamExt;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::deliveries::{CONFIRMING_MAX, Deliveries, Delivery};
use super::editor::Typed;
use super::face::{Event, Face};
use super::history::History;
use super::past;
use super::presence::{BEAT, Change, Presence};
use super::protocol::{
    Heard, Here, Said, State, Subjects, TEXT_BYTES_MAX, as_name, free_name, is_name,
};
use super::{Keyboard, history_failed};
use crate::connect::Session;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::terminal::{self, Out};
use crate::text::chat as text;
use crate::unique;

/// How long the others have to answer who is there, before we choose a name or show the list.
const ROLL_CALL: Duration = Duration::from_millis(300);

/// How often the time is looked at: for confirmations, silences and our own heartbeat.
const TICK: Duration = Duration::from_millis(250);

/// Everything that a member knows.
pub(super) struct Conversation {
    session: Session,
    face: Face,
    keyboard: Keyboard,
    history: Option<History>,
    interrupt: Interrupt,
    subjects: Subjects,
    room: String,
    name: String,
    id: String,
    /// Where answers to us arrive; each with an ending of its own.
    inbox: String,
    entered: Instant,
    beaten: Instant,
    /// How often the connection has been made.
    connects: u64,
    presence: Presence,
    deliveries: Deliveries,
    /// When we last asked who is there.
    asked: Instant,
    /// Whether the person wants to see who answers.
    is_listing: bool,
    /// Whether the input has ended, and only confirmations are waited for.
    ending: bool,
}

/// What we listen to.
struct Ears {
    say: Subscriber,
    here: Subscriber,
    who: Subscriber,
    inbox: Subscriber,
}

/// What comes next.
enum Next {
    Said(Message),
    Here(Message),
    Who(Message),
    Answer(Message),
    Typed(Typed),
    Tick,
    End,
}

impl Conversation {
    pub(super) fn new(
        session: Session,
        face: Face,
        keyboard: Keyboard,
        history: Option<History>,
        interrupt: Interrupt,
        room: &str,
        name: String,
    ) -> Self {
        let id = unique::token();
        let now = Instant::now();
        Self {
            inbox: session.client.new_inbox(),
            connects: session.connects(),
            session,
            face,
            keyboard,
            history,
            interrupt,
            subjects: Subjects::new(room),
            room: room.to_owned(),
            name,
            presence: Presence::new(&id),
            id,
            entered: now,
            beaten: now,
            deliveries: Deliveries::default(),
            asked: now,
            is_listing: false,
            ending: false,
        }
    }

    /// Enters, and talks until the person, the end of the input or a failure ends it.
    ///
    /// `past` is how much of what was said before is shown, if a stream has kept it.
    pub(super) async fn run(&mut self, server: &str, past: Option<u64>) -> Result<(), Failure> {
        let say = self.listen(self.subjects.say.clone()).await?;
        let here = self.listen(self.subjects.here.clone()).await?;
        let mut inbox = self.listen(format!("{}.>", self.inbox)).await?;
        self.session.settle().await?;
        self.call_the_roll(&mut inbox).await?;
        let wanted = self.name.clone();
        self.name = free_name(&wanted, |name| self.presence.is_taken(name));
        self.entered = Instant::now();
        // Only now, so that our own question found nobody in an empty room.
        let who = self.listen(self.subjects.who.clone()).await?;
        self.declare(State::Join).await?;
        let typing = matches!(self.face, Face::Editor(..));
        self.face.show(&Event::Entered {
            room: &self.room,
            name: &self.name,
            server,
            typing,
        })?;
        if self.name != wanted {
            self.face.show(&Event::Renamed {
                name: &self.name,
                taken: Some(&wanted),
            })?;
        }
        if let Some(most) = past {
            past::show(&mut self.session, &mut self.face, &self.subjects.say, most).await?;
        }
        self.show_others()?;
        self.prompt();
        let mut ears = Ears {
            say,
            here,
            who,
            inbox,
        };
        self.talk(&mut ears).await
    }

    /// Says goodbye; everything said before has been processed by the server then.
    pub(super) async fn leave(&mut self) -> Result<(), Failure> {
        if self.session.client.connection_state() != Link::Connected {
            return Ok(());
        }
        self.declare(State::Leave).await?;
        self.session.settle().await
    }

    /// From here on, plain lines.
    pub(super) fn give_terminal_back(&mut self) {
        if matches!(self.face, Face::Editor(..)) {
            self.face = Face::Lines(Out::new());
        }
    }

    async fn listen(&self, subject: String) -> Result<Subscriber, Failure> {
        let subscribed = self.session.client.subscribe(subject).await;
        subscribed.map_err(|_| self.session.closed())
    }

    /// Learns who is there, so that the name can be one that nobody has.
    async fn call_the_roll(&mut self, inbox: &mut Subscriber) -> Result<(), Failure> {
        self.ask_who().await?;
        let listening = async {
            while let Some(message) = inbox.next().await {
                if message.status == Some(StatusCode::NO_RESPONDERS) {
                    break;
                }
                if let Ok(here) = serde_json::from_slice::<Here>(&message.payload) {
                    let asked = self.asked;
                    self.presence.told(&here, "", 0, Instant::now());
                    self.presence
                        .measured(&here.id, asked.elapsed(), Instant::now());
                }
            }
        };
        // Who answers later is found later.
        let _ = timeout(ROLL_CALL, listening).await;
        Ok(())
    }

    async fn talk(&mut self, ears: &mut Ears) -> Result<(), Failure> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.ending && self.deliveries.is_empty() {
                return Ok(());
            }
            let linked = self.session.client.connection_state() == Link::Connected;
            // A pipe can wait for the server, a person wants to be told.
            let patient = matches!(self.keyboard, Keyboard::Lines(_));
            let may_type = !self.ending && self.deliveries.has_room() && (linked || !patient);
            let next = tokio::select! {
                () = self.interrupt.asked() => Next::End,
                trouble = self.session.trouble() => return Err(trouble),
                Some(message) = ears.say.next() => Next::Said(message),
                Some(message) = ears.here.next() => Next::Here(message),
                Some(message) = ears.who.next() => Next::Who(message),
                Some(message) = ears.inbox.next() => Next::Answer(message),
                typed = self.keyboard.next(&mut self.face), if may_type => Next::Typed(typed?),
                _ = ticks.tick() => Next::Tick,
            };
            match next {
                Next::End => return Ok(()),
                Next::Said(message) => self.heard_said(&message).await?,
                Next::Here(message) => self.heard_here(&message).await?,
                Next::Who(message) => self.answer_who(&message).await?,
                Next::Answer(message) => self.heard_answer(&message).await?,
                Next::Typed(Typed::End) => match self.keyboard {
                    Keyboard::Editor => return Ok(()),
                    Keyboard::Lines(_) => self.ending = true,
                },
                Next::Typed(Typed::Line(line)) => {
                    if self.typed(&line).await? {
                        return Ok(());
                    }
                    self.prompt();
                }
                Next::Tick => self.tick().await?,
            }
        }
    }

    /// A line of the person's; true when it was the last one.
    async fn typed(&mut self, line: &str) -> Result<bool, Failure> {
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(false);
        }
        // In a pipe everything is text: a line that begins with a slash may be a path.
        if matches!(self.keyboard, Keyboard::Lines(_)) {
            self.say(line).await?;
            return Ok(false);
        }
        self.remember(line);
        let mut words = line.splitn(2, ' ');
        match (
            words.next().unwrap_or_default(),
            words.next().map(str::trim),
        ) {
            ("/quit" | "/exit" | "/q", None) => return Ok(true),
            ("/help" | "/?", None) => self.face.show(&Event::Remark(text::commands()))?,
            ("/who", None) => {
                self.ask_who().await?;
                self.is_listing = true;
            }
            ("/name", Some(name)) if is_name(name) => self.rename(name).await?,
            ("/name", name) => {
                let words = text::bad_name(name.unwrap_or_default());
                self.face.show(&Event::Remark(&words))?;
            }
            (command, _) if command.starts_with("//") => self.say(&line[1..]).await?,
            (command, _) if command.starts_with('/') => {
                self.face
                    .show(&Event::Remark(&text::unknown_command(command)))?;
            }
            _ => self.say(line).await?,
        }
        Ok(false)
    }

    async fn say(&mut self, words: &str) -> Result<(), Failure> {
        let said = Said {
            from: self.name.clone(),
            id: self.id.clone(),
            text: words.to_owned(),
        };
        let payload = encode(&said);
        let limit = TEXT_BYTES_MAX.min(self.session.client.max_payload());
        if words.len() > TEXT_BYTES_MAX || payload.len() > self.session.client.max_payload() {
            return self.refuse(Failure::TooLarge {
                what: text::too_long(words.len(), limit),
            });
        }
        if self.session.client.connection_state() != Link::Connected {
            return self.face.show(&Event::Remark(text::not_sent()));
        }
        let crowd = self.presence.count() > CONFIRMING_MAX;
        let awaited: BTreeMap<String, String> = match crowd {
            true => BTreeMap::new(),
            false => {
                let others = self.presence.others();
                others
                    .map(|(id, other)| (id.clone(), other.name.clone()))
                    .collect()
            }
        };
        let number = self.deliveries.next_number();
        let reply = format!("{}.m.{number}", self.inbox);
        self.deliveries.sent(awaited, Instant::now());
        self.session.hands_over();
        let sending = self.session.client.publish_with_reply(
            self.subjects.say.clone(),
            reply,
            payload.into(),
        );
        sending.await.map_err(|_| self.session.closed())?;
        self.face.show(&Event::Sent {
            number,
            text: words,
        })
    }

    /// A person is told and may try something else; a script must not miss it.
    fn refuse(&mut self, failure: Failure) -> Result<(), Failure> {
        match self.keyboard {
            Keyboard::Editor => self.face.show(&Event::Remark(&failure.what())),
            Keyboard::Lines(_) => Err(failure),
        }
    }

    async fn heard_said(&mut self, message: &Message) -> Result<(), Failure> {
        let said = Said::read(&message.payload);
        if said.id == self.id {
            let number = message
                .reply
                .as_deref()
                .and_then(|reply| self.number(reply));
            let delivery = number.and_then(|number| self.deliveries.echoed(number, Instant::now()));
            return self.show_delivery(delivery);
        }
        // Confirmed before it is shown: the time is to be that of the way, not of a terminal.
        // Not into the room itself, whatever the sender asks for.
        if let Some(reply) = &message.reply
            && !reply.starts_with("chat.")
            && self.presence.count() <= CONFIRMING_MAX
        {
            let heard = Heard {
                from: self.name.clone(),
                id: self.id.clone(),
            };
            self.publish(reply.to_string(), &heard).await?;
        }
        let name = as_name(&said.from);
        let name = name.as_deref().unwrap_or_else(|| text::somebody());
        self.face.show(&Event::Said { name, said: &said })
    }

    async fn heard_here(&mut self, message: &Message) -> Result<(), Failure> {
        let Ok(here) = serde_json::from_slice::<Here>(&message.payload) else {
            return Ok(());
        };
        let now = Instant::now();
        let change = self.presence.told(&here, &self.name, self.for_ms(), now);
        match change {
            Some(Change::Clash) => {
                let taken = self.name.clone();
                self.name = free_name(&taken, |name| self.presence.is_taken(name));
                self.declare(State::Here).await?;
                self.face.show(&Event::Renamed {
                    name: &self.name,
                    taken: Some(&taken),
                })
            }
            Some(change) => {
                self.face.show(&Event::Changed(&change))?;
                match change {
                    Change::Left(_) => self.forget_the_gone(),
                    _ => Ok(()),
                }
            }
            None => Ok(()),
        }
    }

    async fn answer_who(&mut self, message: &Message) -> Result<(), Failure> {
        match &message.reply {
            Some(reply) if !reply.starts_with("chat.") => {
                let here = self.here(State::Here);
                self.publish(reply.to_string(), &here).await
            }
            _ => Ok(()),
        }
    }

    /// A confirmation, or somebody who answers that they are there.
    async fn heard_answer(&mut self, message: &Message) -> Result<(), Failure> {
        let now = Instant::now();
        if let Some(number) = self.number(&message.subject) {
            let Ok(heard) = serde_json::from_slice::<Heard>(&message.payload) else {
                return Ok(());
            };
            let Some(name) = as_name(&heard.from) else {
                return Ok(());
            };
            let delivery = match self.deliveries.confirmed(number, &heard.id, name, now) {
                Some((took, delivery)) => {
                    self.presence.measured(&heard.id, took, now);
                    delivery
                }
                None => None,
            };
            return self.show_delivery(delivery);
        }
        if let Ok(here) = serde_json::from_slice::<Here>(&message.payload) {
            self.heard_here(message).await?;
            self.presence
                .measured(&here.id, now.duration_since(self.asked), now);
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        let connects = self.session.client.statistics();
        let connects = connects.connects.load(Ordering::Relaxed);
        let linked = self.session.client.connection_state() == Link::Connected;
        if !linked || connects != self.connects {
            self.presence.excuse(now);
        }
        if linked && connects != self.connects {
            self.connects = connects;
            self.declare(State::Here).await?;
            self.ask_who().await?;
        }
        if linked && now.duration_since(self.beaten) >= BEAT {
            self.declare(State::Here).await?;
        }
        if self.is_listing && now.duration_since(self.asked) >= ROLL_CALL {
            self.is_listing = false;
            self.show_others()?;
        }
        let vanished = self.presence.expire(now);
        for change in &vanished {
            self.face.show(&Event::Changed(change))?;
        }
        if !vanished.is_empty() {
            self.forget_the_gone()?;
        }
        for delivery in self.deliveries.expire(now) {
            self.show_delivery(Some(delivery))?;
        }
        Ok(())
    }

    fn forget_the_gone(&mut self) -> Result<(), Failure> {
        let present: Vec<String> = self.presence.others().map(|(id, _)| id.clone()).collect();
        let is_present = |id: &str| present.iter().any(|other| other == id);
        for delivery in self.deliveries.forget(is_present) {
            self.show_delivery(Some(delivery))?;
        }
        Ok(())
    }

    async fn rename(&mut self, name: &str) -> Result<(), Failure> {
        let free = free_name(name, |other| self.presence.is_taken(other));
        let taken = (free != name).then_some(name);
        self.name = free;
        self.declare(State::Here).await?;
        self.face.show(&Event::Renamed {
            name: &self.name,
            taken,
        })
    }

    async fn ask_who(&mut self) -> Result<(), Failure> {
        self.asked = Instant::now();
        let reply = format!("{}.who", self.inbox);
        let subject = self.subjects.who.clone();
        let asking = self
            .session
            .client
            .publish_with_reply(subject, reply, Vec::new().into());
        asking.await.map_err(|_| self.session.closed())
    }

    async fn declare(&mut self, state: State) -> Result<(), Failure> {
        self.beaten = Instant::now();
        let here = self.here(state);
        self.publish(self.subjects.here.clone(), &here).await
    }

    async fn publish(&self, subject: String, what: &impl Serialize) -> Result<(), Failure> {
        let sending = self.session.client.publish(subject, encode(what).into());
        sending.await.map_err(|_| self.session.closed())
    }

    fn here(&self, state: State) -> Here {
        Here {
            from: self.name.clone(),
            id: self.id.clone(),
            state,
            for_ms: self.for_ms(),
        }
    }

    fn for_ms(&self) -> u64 {
        u64::try_from(self.entered.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Which message of ours an answer's subject is about.
    fn number(&self, subject: &str) -> Option<u64> {
        let ending = subject.strip_prefix(&self.inbox)?;
        ending.strip_prefix(".m.")?.parse().ok()
    }

    fn show_others(&mut self) -> Result<(), Failure> {
        let others = self.presence.others();
        let mut others: Vec<(String, Option<Duration>)> = others
            .map(|(_, other)| (other.name.clone(), other.round_trip))
            .collect();
        others.sort();
        self.face.show(&Event::Others(&others))
    }

    fn show_delivery(&mut self, delivery: Option<Delivery>) -> Result<(), Failure> {
        match &delivery {
            Some(delivery) => self.face.show(&Event::Delivered {
                delivery,
                others: self.presence.count(),
            }),
            None => Ok(()),
        }
    }

    fn prompt(&mut self) {
        if let Face::Editor(editor, _) = &self.face {
            editor.resume(format!("{}> ", self.name));
        }
    }

    /// Keeps a line for the next conversation; one that fails is told once.
    fn remember(&mut self, line: &str) {
        if let Some(history) = &self.history
            && let Err(error) = history.add(line)
        {
            terminal::notice(&history_failed(history, &error));
            self.history = None;
        }
    }
}

fn encode(what: &impl Serialize) -> Vec<u8> {
    // Strings and numbers only: nothing that JSON could refuse.
    serde_json::to_vec(what).unwrap_or_default()
}
