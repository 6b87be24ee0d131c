//! Rollups (E91): a message takes the place of what is older. The message and the record of what goes are one group
//! in the log: half of that would be a message that fills the stream without having made room for itself.

use recado_log::{Journal, Record, Refused};

use super::conditions::Rollup;
use super::messages::NewMessage;
use super::removal::RECORD_SEQUENCES_MAX;
use super::{Stream, kinds};
use crate::consumer::Leaving;

/// A message that is about to be stored, and what it rolls up.
pub(super) type Rolling<'a> = (NewMessage<'a>, Rollup);

/// A record of what a rollup takes away.
struct Taken {
    kind: u8,
    payload: Vec<u8>,
    /// `REMOVED`: the youngest segment that holds one of them. `STATE`: what it says.
    youngest: u32,
    state: (u64, u64),
}

impl Stream {
    /// Stores messages with what they roll up, all or nothing; what is older goes when [`Self::roll_up`] is called for each.
    ///
    /// # Errors
    /// When the log does not take them; then no message and no rollup is there.
    pub(super) fn append_rolling(
        &mut self,
        journal: &mut dyn Journal,
        rolling: &[Rolling<'_>],
    ) -> Result<(), Refused> {
        self.write_settled_before(journal, rolling)?;
        if let [(message, Rollup::None)] = rolling {
            return self.messages.append(journal, message);
        }
        let messages: Vec<NewMessage<'_>> = rolling.iter().map(|(message, _)| *message).collect();
        let takes = rolling.iter().any(|(_, rollup)| *rollup != Rollup::None);
        if !takes || !self.messages.is_on_file() {
            return self
                .messages
                .append_group(journal, &messages, &[])
                .map(drop);
        }
        self.write_evicted(journal)?;
        let taken = self.taken_by(journal, rolling);
        let records: Vec<Record<'_>> = taken
            .iter()
            .map(|taken| Record {
                kind: taken.kind,
                stream: self.id,
                payload: &taken.payload,
                ..Record::default()
            })
            .collect();
        let places = self.messages.append_group(journal, &messages, &records)?;
        for (taken, at) in taken.iter().zip(places) {
            if taken.kind == kinds::STATE {
                self.state_at.replace(journal, at);
                self.state = Some(taken.state);
            } else {
                self.tombstones.add(taken.kind, taken.youngest, at);
            }
        }
        Ok(())
    }

    fn taken_by(&self, journal: &dyn Journal, rolling: &[Rolling<'_>]) -> Vec<Taken> {
        // The group itself may begin the next segment.
        let youngest = journal.end().segment().saturating_add(1);
        let last = rolling.last().map_or(0, |(message, _)| message.sequence);
        let mut all = Vec::new();
        for (index, (message, rollup)) in rolling.iter().enumerate() {
            match rollup {
                Rollup::None => {}
                Rollup::All => {
                    let state = (message.sequence, last);
                    all.push(Taken {
                        kind: kinds::STATE,
                        payload: kinds::encode_state(state.0, state.1),
                        youngest,
                        state,
                    });
                }
                Rollup::Subject => {
                    let before = rolling.iter().take(index).map(|(message, _)| message);
                    let same = before.filter(|before| before.subject == message.subject);
                    let mut older = self.sequences_on(message.subject, self.last_sequence());
                    older.extend(same.map(|message| message.sequence));
                    all.extend(older.chunks(RECORD_SEQUENCES_MAX).map(|part| Taken {
                        kind: kinds::REMOVED,
                        payload: kinds::encode_removed(youngest, part),
                        youngest,
                        state: (0, 0),
                    }));
                }
            }
        }
        all
    }

    /// What is older than a message that was stored, and that it rolls up, goes.
    pub(super) fn roll_up(&mut self, rollup: Rollup, subject: &[u8], sequence: u64) {
        match rollup {
            Rollup::None => {}
            Rollup::Subject => {
                let all = self.sequences_on(subject, sequence - 1);
                let leaving = Leaving::of(all.len());
                for older in all {
                    self.take_out(older, leaving);
                }
            }
            Rollup::All => {
                while !self.messages.index.is_empty() {
                    let first = self.messages.index.first_sequence();
                    if first >= sequence {
                        break;
                    }
                    self.take_out(first, Leaving::WithOthers);
                }
            }
        }
    }
}
