//! What a client keeps of its session beyond its connection: what it sent and is not done with, and which messages of QoS 2
//! it has. Pure: packets in, packets out.

use std::collections::{BTreeSet, VecDeque};

use recado_mqtt::{
    Publish, Qos, push_puback, push_pubcomp, push_publish, push_pubrec, push_pubrel,
};

use super::packets::{Message, Said};
use crate::error::{Error, Result};

/// Ends the payload of a message of QoS 1 that is sent again: whoever gets it twice knows why.
pub(super) const REPEATED: u8 = b'r';

/// Both sides' half of a session.
#[derive(Default)]
pub(super) struct Memory {
    last_id: u16,
    /// In the order in which it was sent.
    sent: VecDeque<(u16, Sent)>,
    /// Messages of QoS 2 that came and were not released.
    came: BTreeSet<u16>,
}

enum Sent {
    /// Waits for PUBACK or PUBREC.
    Message(Outgoing),
    /// PUBREL: waits for PUBCOMP.
    Release,
}

/// A message to be sent.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) qos: Qos,
    pub(super) retain: bool,
}

impl Outgoing {
    fn push(&self, out: &mut Vec<u8>, id: u16, dup: bool) -> Result<()> {
        let message = Publish {
            topic: &self.topic,
            payload: &self.payload,
            qos: self.qos,
            dup,
            retain: self.retain,
            id,
        };
        match push_publish(out, &message) {
            true => Ok(()),
            false => Err(Error::Server(format!("{} is too long", self.topic))),
        }
    }
}

impl Memory {
    /// An identifier that nothing has.
    pub(super) fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if self.sent.iter().all(|(id, _)| *id != self.last_id) {
                return self.last_id;
            }
        }
    }

    /// Messages that were sent and are not done with.
    pub(super) fn under_way(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn send(&mut self, message: Outgoing, out: &mut Vec<u8>) -> Result<()> {
        if message.qos == Qos::AtMostOnce {
            return message.push(out, 0, false);
        }
        let id = self.next_id();
        message.push(out, id, false)?;
        self.sent.push_back((id, Sent::Message(message)));
        Ok(())
    }

    /// Sends again what the connection before did not bring to its end.
    pub(super) fn resume(&mut self, out: &mut Vec<u8>) -> Result<()> {
        for (id, sent) in &mut self.sent {
            match sent {
                Sent::Message(message) => {
                    if message.qos == Qos::AtLeastOnce && !message.payload.ends_with(&[REPEATED]) {
                        message.payload.push(REPEATED);
                    }
                    message.push(out, *id, true)?;
                }
                Sent::Release => push_pubrel(out, *id),
            }
        }
        Ok(())
    }

    /// Answers a packet, and hands out a message that is not known yet.
    pub(super) fn take(&mut self, said: Said, out: &mut Vec<u8>) -> Result<Option<Message>> {
        match said {
            Said::Message { id, message } => return self.arrived(id, message, out),
            Said::Puback(id) => self.done(id, Qos::AtLeastOnce)?,
            Said::Pubrec(id) => {
                let at = self.place_of(id, Qos::ExactlyOnce)?;
                self.sent[at].1 = Sent::Release;
                push_pubrel(out, id);
            }
            Said::Pubcomp(id) => self.completed(id)?,
            Said::Pubrel(id) => {
                self.came.remove(&id);
                push_pubcomp(out, id);
            }
            other => return Err(Error::Differs(format!("{other:?} that was not asked for"))),
        }
        Ok(None)
    }

    fn arrived(&mut self, id: u16, message: Message, out: &mut Vec<u8>) -> Result<Option<Message>> {
        match message.qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => push_puback(out, id),
            Qos::ExactlyOnce => {
                push_pubrec(out, id);
                if !self.came.insert(id) {
                    return match message.dup {
                        true => Ok(None),
                        false => Err(Error::Differs(format!(
                            "a message under the packet identifier {id}, which is not released, and without DUP"
                        ))),
                    };
                }
            }
        }
        Ok(Some(message))
    }

    /// Where a message of this QoS waits for its acknowledgement.
    fn place_of(&self, id: u16, qos: Qos) -> Result<usize> {
        let waits = |(one, sent): &(u16, Sent)| {
            *one == id && matches!(sent, Sent::Message(message) if message.qos == qos)
        };
        let odd = || Error::Differs(format!("the acknowledgement of {id}, which waits for none"));
        self.sent.iter().position(waits).ok_or_else(odd)
    }

    fn done(&mut self, id: u16, qos: Qos) -> Result<()> {
        let at = self.place_of(id, qos)?;
        self.sent.remove(at);
        Ok(())
    }

    fn completed(&mut self, id: u16) -> Result<()> {
        let waits = |(one, sent): &(u16, Sent)| *one == id && matches!(sent, Sent::Release);
        let odd = || Error::Differs(format!("PUBCOMP of {id}, which was not released"));
        let at = self.sent.iter().position(waits).ok_or_else(odd)?;
        self.sent.remove(at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::packets::read;
    use super::*;

    fn outgoing(qos: Qos) -> Outgoing {
        Outgoing {
            topic: "t".to_owned(),
            payload: b"1".to_vec(),
            qos,
            retain: false,
        }
    }

    fn incoming(qos: Qos, dup: bool) -> Message {
        Message {
            topic: "t".to_owned(),
            payload: b"1".to_vec(),
            qos,
            dup,
            retain: false,
        }
    }

    fn first(out: &[u8]) -> Said {
        read(out).expect("a packet").expect("a whole one").0
    }

    #[test]
    fn what_was_sent_is_sent_again_until_it_is_done_with() {
        let (mut memory, mut out) = (Memory::default(), Vec::new());
        memory.send(outgoing(Qos::ExactlyOnce), &mut out).unwrap();
        out.clear();
        memory.resume(&mut out).unwrap();
        let message = incoming(Qos::ExactlyOnce, true);
        assert_eq!(first(&out), Said::Message { id: 1, message });
        out.clear();
        assert_eq!(memory.take(Said::Pubrec(1), &mut out).unwrap(), None);
        memory.resume(&mut out).unwrap();
        assert_eq!(out, [0x62, 2, 0, 1, 0x62, 2, 0, 1]);
        assert!(memory.take(Said::Puback(1), &mut out).is_err());
        memory.take(Said::Pubcomp(1), &mut out).unwrap();
        assert_eq!(memory.under_way(), 0);
        assert!(memory.take(Said::Pubcomp(1), &mut out).is_err());
    }

    #[test]
    fn a_message_of_qos_1_that_is_sent_again_says_so() {
        let (mut memory, mut out) = (Memory::default(), Vec::new());
        memory.send(outgoing(Qos::AtLeastOnce), &mut out).unwrap();
        for _ in 0..2 {
            out.clear();
            memory.resume(&mut out).unwrap();
            let Said::Message { message, .. } = first(&out) else {
                panic!("{out:?}")
            };
            assert_eq!((&*message.payload, message.dup), (&b"1r"[..], true));
        }
        memory.take(Said::Puback(1), &mut out).unwrap();
        assert_eq!(memory.under_way(), 0);
    }

    #[test]
    fn a_message_of_qos_2_is_handed_out_once_until_it_is_released() {
        let (mut memory, mut out) = (Memory::default(), Vec::new());
        let came = |dup| Said::Message {
            id: 5,
            message: incoming(Qos::ExactlyOnce, dup),
        };
        assert!(memory.take(came(false), &mut out).unwrap().is_some());
        assert_eq!(memory.take(came(true), &mut out).unwrap(), None);
        assert!(memory.take(came(false), &mut out).is_err());
        memory.take(Said::Pubrel(5), &mut out).unwrap();
        assert!(memory.take(came(false), &mut out).unwrap().is_some());
    }
}
