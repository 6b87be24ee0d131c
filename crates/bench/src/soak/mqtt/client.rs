//! One MQTT client's connection, over a socket or WebSocket. It acknowledges what comes, and pings, by itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use recado_mqtt::Qos;

use super::super::line::{Doors, Login, Way};
use super::super::stream::{Stream, is_timeout};
use super::memory::{Memory, Outgoing};
use super::packets::{
    Greeting, Message, Said, push_connect, push_disconnect, push_ping, push_subscribe,
    push_unsubscribe, read,
};
use crate::client::IO_TIMEOUT;
use crate::error::{Doing, Error, Result};

/// Clients promise to say something this often. The server waits half as long again, which a busy machine keeps.
const KEEP_ALIVE_S: u16 = 10;
const PING_EVERY: Duration = Duration::from_secs(3);
const OPEN_PINGS_MAX: u64 = 5;

/// What a connection crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Road {
    Socket,
    Websocket,
}

impl Road {
    /// Each in its turn.
    pub(super) fn nth(n: u64) -> Self {
        match n.is_multiple_of(2) {
            true => Self::Socket,
            false => Self::Websocket,
        }
    }
}

/// Who comes, and how.
#[derive(Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) client_id: &'a str,
    pub(super) login: Login,
    pub(super) road: Road,
    pub(super) clean_session: bool,
    pub(super) keep_alive_s: u16,
    /// Topic, payload and QoS.
    pub(super) will: Option<(&'a str, &'a [u8], Qos)>,
}

impl<'a> Who<'a> {
    /// One of whose session nothing is kept.
    pub(super) fn passing(client_id: &'a str, login: Login, road: Road) -> Self {
        Self {
            client_id,
            login,
            road,
            clean_session: true,
            keep_alive_s: KEEP_ALIVE_S,
            will: None,
        }
    }

    /// One whose session stays.
    pub(super) fn staying(client_id: &'a str, login: Login, road: Road) -> Self {
        Self {
            clean_session: false,
            ..Self::passing(client_id, login, road)
        }
    }
}

/// One connection.
pub(super) struct Client {
    stream: Stream,
    input: Vec<u8>,
    out: Vec<u8>,
    memory: Memory,
    heard: VecDeque<Message>,
    /// What is to be answered by the server, other than messages.
    answer: Option<Said>,
    pinged: Instant,
    /// Pings that are not answered yet.
    open_pings: u64,
    answered_pings: u64,
    /// Nothing is acknowledged any more.
    silent: bool,
}

impl Client {
    /// Connects, and takes up what it remembers; whether the server had a session for it.
    pub(super) fn open(
        doors: &Doors,
        number: u64,
        who: &Who<'_>,
        memory: Memory,
    ) -> Result<(Self, bool)> {
        let stream = match who.road {
            Road::Socket => Stream::clear(doors.knock_for_mqtt(number)?),
            Road::Websocket => {
                Stream::websocket(doors.knock(Way::Websocket, number, false)?, "/mqtt")?
            }
        };
        let mut client = Self {
            stream,
            input: Vec::new(),
            out: Vec::new(),
            memory,
            heard: VecDeque::new(),
            answer: None,
            pinged: Instant::now(),
            open_pings: 0,
            answered_pings: 0,
            silent: false,
        };
        push_connect(
            &mut client.out,
            &Greeting {
                client_id: who.client_id,
                user: who.login.user,
                password: who.login.password,
                clean_session: who.clean_session,
                keep_alive_s: who.keep_alive_s,
                will: who.will,
            },
        );
        client.flush()?;
        let present = client.connack()?;
        client.memory.resume(&mut client.out)?;
        client.flush()?;
        Ok((client, present))
    }

    /// One that begins with nothing, and must find nothing.
    pub(super) fn open_passing(doors: &Doors, number: u64, who: &Who<'_>) -> Result<Self> {
        match Self::open(doors, number, who, Memory::default())? {
            (client, false) => Ok(client),
            (_, true) => Err(Error::Differs(format!(
                "a session for {}, which asked for a clean one",
                who.client_id
            ))),
        }
    }

    fn connack(&mut self) -> Result<bool> {
        match self.answer("CONNACK")? {
            Said::Connack {
                session_present,
                code: 0,
            } => Ok(session_present),
            Said::Connack { code, .. } => Err(Error::Refused(format!("CONNACK {code}"))),
            other => Err(Error::Differs(format!("{other:?} instead of CONNACK"))),
        }
    }

    /// Subscribes, and returns when the server has granted all of it. Messages that come meanwhile are kept.
    pub(super) fn subscribe(&mut self, filters: &[(&str, Qos)]) -> Result<()> {
        let id = self.memory.next_id();
        push_subscribe(&mut self.out, id, filters);
        self.flush()?;
        let wanted: Vec<u8> = filters.iter().map(|(_, qos)| qos.number()).collect();
        match self.answer("SUBACK")? {
            Said::Suback { id: named, granted } if named == id && granted == wanted => Ok(()),
            other => Err(Error::Differs(format!("{other:?} to {filters:?}"))),
        }
    }

    /// Wants no more of a topic filter.
    pub(super) fn unsubscribe(&mut self, filter: &str) -> Result<()> {
        let id = self.memory.next_id();
        push_unsubscribe(&mut self.out, id, filter);
        self.flush()?;
        match self.answer("UNSUBACK")? {
            Said::Unsuback(named) if named == id => Ok(()),
            other => Err(Error::Differs(format!("{other:?} instead of UNSUBACK"))),
        }
    }

    /// Says it with the next [`Client::flush`].
    pub(super) fn publish(&mut self, topic: &str, payload: &[u8], qos: Qos) -> Result<()> {
        self.send(topic, payload, qos, false)
    }

    /// The same of a message that is kept for those who subscribe later.
    pub(super) fn retain(&mut self, topic: &str, payload: &[u8], qos: Qos) -> Result<()> {
        self.send(topic, payload, qos, true)
    }

    fn send(&mut self, topic: &str, payload: &[u8], qos: Qos, retain: bool) -> Result<()> {
        let message = Outgoing {
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            qos,
            retain,
        };
        self.memory.send(message, &mut self.out)
    }

    /// Writes what is to be said.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let out = std::mem::take(&mut self.out);
        self.stream.send(&out)
    }

    /// The next message, if one comes within this time.
    pub(super) fn message(&mut self, patience: Duration) -> Result<Option<Message>> {
        let until = Instant::now() + patience;
        loop {
            if let Some(message) = self.heard.pop_front() {
                return Ok(Some(message));
            }
            let left = until.saturating_duration_since(Instant::now());
            if !self.hear(left)? && Instant::now() >= until {
                return Ok(None);
            }
        }
    }

    /// The next of the messages that came already.
    pub(super) fn heard(&mut self) -> Option<Message> {
        self.heard.pop_front()
    }

    /// Messages that were sent and are not acknowledged.
    pub(super) fn under_way(&self) -> usize {
        self.memory.under_way()
    }

    /// Returns when all that was sent is acknowledged. Messages that come meanwhile are kept.
    pub(super) fn settle(&mut self) -> Result<()> {
        self.flush()?;
        let until = Instant::now() + IO_TIMEOUT;
        while self.under_way() > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let many = self.under_way();
                let what = format!("{many} messages of MQTT not acknowledged within 30 s");
                return Err(Error::Server(what));
            }
            self.hear(left)?;
        }
        Ok(())
    }

    /// Returns when the server has done all that it was told. Messages that come meanwhile are kept.
    pub(super) fn round_trip(&mut self) -> Result<()> {
        let until = Instant::now() + IO_TIMEOUT;
        self.ping();
        self.flush()?;
        while self.open_pings > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Server("no PINGRESP within 30 s".into()));
            }
            self.hear(left)?;
        }
        Ok(())
    }

    /// Pings that were answered since it was last asked.
    pub(super) fn pings(&mut self) -> u64 {
        std::mem::take(&mut self.answered_pings)
    }

    /// Reads on, and says nothing any more.
    pub(super) fn fall_silent(&mut self) {
        self.silent = true;
    }

    /// Says DISCONNECT, and sees the connection end. What is remembered of the session.
    pub(super) fn leave(mut self) -> Result<Memory> {
        push_disconnect(&mut self.out);
        self.flush()?;
        match self.must_end(IO_TIMEOUT)? {
            true => Ok(self.memory),
            false => Err(Error::Server("DISCONNECT was not heeded".into())),
        }
    }

    /// Ends it without a word, so that the other side gets a reset.
    pub(super) fn reset(self) -> Result<Memory> {
        self.stream.reset()?;
        Ok(self.memory)
    }

    /// Ends it in the middle of a packet.
    pub(super) fn break_off(mut self) -> Result<Memory> {
        self.out.extend_from_slice(&[0x32, 100, 0, 9, b'm']);
        self.flush()?;
        Ok(self.memory)
    }

    /// Leaves the connection as it is, and hands out what is remembered: somebody else goes on with it.
    pub(super) fn hand_over(&mut self) -> Memory {
        std::mem::take(&mut self.memory)
    }

    /// Reads and passes over, until the server ends the connection or the time is over: whether it ended.
    pub(super) fn must_end(&mut self, patience: Duration) -> Result<bool> {
        self.stream.read_to_the_end(patience)
    }

    fn ping(&mut self) {
        push_ping(&mut self.out);
        self.pinged = Instant::now();
        self.open_pings += 1;
    }

    /// What answers the one packet that waits for it.
    fn answer(&mut self, what: &str) -> Result<Said> {
        let until = Instant::now() + IO_TIMEOUT;
        loop {
            if let Some(said) = self.answer.take() {
                return Ok(said);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Server(format!("no {what} within 30 s")));
            }
            self.hear(left)?;
        }
    }

    /// Reads once, and answers what came; whether anything did.
    fn hear(&mut self, patience: Duration) -> Result<bool> {
        if !self.silent && self.pinged.elapsed() > PING_EVERY {
            if self.open_pings > OPEN_PINGS_MAX {
                let many = self.open_pings;
                return Err(Error::Server(format!("{many} pings without an answer")));
            }
            self.ping();
            self.flush()?;
        }
        // A timeout of nothing would be none at all.
        let patience = patience.clamp(Duration::from_millis(1), PING_EVERY);
        self.stream.set_patience(patience)?;
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Error::Closed("an MQTT client listened")),
            Ok(count) => {
                self.input.extend_from_slice(&buffer[..count]);
                self.take()?;
                Ok(true)
            }
            Err(error) if is_timeout(&error) => Ok(false),
            Err(error) => Err(error).doing("listening to MQTT"),
        }
    }

    fn take(&mut self) -> Result<()> {
        let mut at = 0;
        while let Some((said, total)) = read(&self.input[at..])? {
            at += total;
            match said {
                Said::Pong => {
                    let odd = || Error::Differs("PINGRESP that was not asked for".into());
                    self.open_pings = self.open_pings.checked_sub(1).ok_or_else(odd)?;
                    self.answered_pings += 1;
                }
                said @ (Said::Connack { .. } | Said::Suback { .. } | Said::Unsuback(_)) => {
                    self.answer = Some(said);
                }
                said => self.heard.extend(self.memory.take(said, &mut self.out)?),
            }
        }
        self.input.drain(..at);
        match self.silent {
            true => {
                self.out.clear();
                Ok(())
            }
            false => self.flush(),
        }
    }
}
