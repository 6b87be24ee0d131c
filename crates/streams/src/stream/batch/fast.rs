//! Fast batches (E94): each message is stored as it comes, the publisher hears of every so many only. What it
//! says of the batch stands in the reply subject: `<inbox>.<id>.<flow>.<ok|fail>.<place>.<operation>.$FI`.

use std::borrow::Cow;

use super::{BatchLimits, ID_BYTES_MAX, Offered};
use crate::api::BatchFlow;
use crate::config::is_level_met;
use crate::error::{self, ApiError};
use crate::stream::publish_headers::without;
use crate::stream::{Accepted, Env, Origin, PublishHeaders, Stream};

/// What such a reply subject ends with.
const SUFFIX: &[u8] = b".$FI";
/// Messages between two answers, however few batches there are.
const FLOW_MAX: u16 = 500;
/// The same where the publisher names none.
const FLOW_DEFAULT: u16 = 10;

/// What a reply subject says of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FastReply<'a> {
    id: &'a str,
    /// At most so many messages between two answers.
    flow: u16,
    /// Messages that were lost on the way do not end the batch.
    gap_ok: bool,
    /// Counts the batch's messages.
    place: u64,
    operation: Operation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// The first message.
    Start,
    /// One more.
    Append,
    /// The last one.
    Commit,
    /// No message: the one before was the last.
    CommitBefore,
    /// No message: how far has it come?
    Ping,
}

/// An open batch. Messages count as stored when they are in the stream: that what is told of them waits for
/// the disk is its receiver's matter.
#[derive(Debug)]
pub(super) struct Fast {
    gap_ok: bool,
    /// The last place that was seen.
    place: u64,
    /// The last sequence in the stream.
    sequence: u64,
    /// The place that was told last.
    told: u64,
    /// Places between two answers, now and at most.
    every: u16,
    every_max: u16,
    pub(super) end_ns: i64,
}

/// What the publisher is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FastAnswer {
    /// How it goes.
    Flow(BatchFlow),
    /// The batch is over: the last sequence, how many messages, whether it was one that was there already.
    Ack(u64, u64, bool),
    /// As to a message that comes alone.
    Refused(ApiError),
}

/// What follows after a message of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The batch goes on, and how far it has come is told in time.
    Stored,
    /// The batch goes on. That the message was refused is all that is told.
    Refused,
    /// The batch is over.
    Over,
}

impl<'a> FastReply<'a> {
    /// Whether a message belongs to a fast batch by its reply subject.
    pub(crate) fn is_one(reply: &[u8]) -> bool {
        reply.len() > SUFFIX.len() && reply.ends_with(SUFFIX)
    }

    /// Reads such a reply subject, if it makes sense.
    pub(crate) fn parse(reply: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(reply.strip_suffix(SUFFIX)?).ok()?;
        let mut tokens = text.rsplit('.');
        let operation = match tokens.next()? {
            "0" => Operation::Start,
            "1" => Operation::Append,
            "2" => Operation::Commit,
            "3" => Operation::CommitBefore,
            "4" => Operation::Ping,
            _ => return None,
        };
        let place: u64 = tokens.next()?.parse().ok()?;
        let possible = match operation {
            Operation::Start => place == 1,
            Operation::Append | Operation::CommitBefore => place > 1,
            Operation::Commit | Operation::Ping => place > 0,
        };
        if !possible || place == u64::MAX {
            return None;
        }
        let gap_ok = match tokens.next()? {
            "ok" => true,
            "fail" => false,
            _ => return None,
        };
        let flow = match tokens.next()?.parse::<i64>().unwrap_or(0) {
            ..=0 => FLOW_DEFAULT,
            flow => u16::try_from(flow).unwrap_or(u16::MAX),
        };
        let id = tokens.next()?;
        // Something must stand before it.
        tokens.next()?;
        Some(Self {
            id,
            flow,
            gap_ok,
            place,
            operation,
        })
    }

    /// Whether it may be the first of its batch.
    pub(crate) fn is_first(&self) -> bool {
        self.place == 1
    }

    /// Its id.
    pub(crate) fn id(&self) -> &'a str {
        self.id
    }
}

impl Fast {
    fn flow(&self) -> FastAnswer {
        FastAnswer::Flow(BatchFlow::Ack {
            seq: self.told,
            msgs: self.every,
        })
    }

    fn gap(expected: u64, place: u64) -> FastAnswer {
        FastAnswer::Flow(BatchFlow::Gap {
            last_seq: expected,
            seq: place,
        })
    }

    /// Ends it.
    fn ack(&self) -> FastAnswer {
        FastAnswer::Ack(self.sequence, self.place, false)
    }

    /// The publisher asks how far it has come; it has sent everything up to this place. Whether it goes on.
    fn ping(&mut self, place: u64, open: usize, answers: &mut Vec<FastAnswer>) -> bool {
        if place > self.place {
            answers.push(Self::gap(self.place + 1, place + 1));
            if !self.gap_ok {
                answers.push(self.ack());
                return false;
            }
            self.place = place;
            if self.tell(open, answers) {
                return true;
            }
        }
        answers.push(self.flow());
        true
    }

    /// Whether a message at this place may come now; else the batch is over.
    fn takes(&self, place: u64, answers: &mut Vec<FastAnswer>) -> bool {
        let expected = self.place + 1;
        if place > expected {
            answers.push(Self::gap(expected, place));
        }
        let takes = place == expected || (place > expected && self.gap_ok);
        if !takes {
            answers.push(self.ack());
        }
        takes
    }

    /// Tells the publisher how far it has come, if it is time to; `open` batches share the stream.
    fn tell(&mut self, open: usize, answers: &mut Vec<FastAnswer>) -> bool {
        let every = u64::from(self.every.max(1));
        if self.place < self.told + every {
            return false;
        }
        self.told += (self.place - self.told) / every * every;
        let share = usize::from(FLOW_MAX) / open.max(1);
        let most = u16::try_from(share)
            .unwrap_or(FLOW_MAX)
            .max(1)
            .min(self.every_max);
        if self.every < most {
            self.every = self.every.saturating_mul(2).min(most);
        } else if self.every > most {
            self.every = (self.every / 2).max(most);
        }
        answers.push(self.flow());
        true
    }
}

impl Stream {
    /// Takes a message of a fast batch, and says what its publisher is told. `open` batches there are in all
    /// streams. Without `fast` the reply subject made no sense.
    pub(crate) fn publish_fast(
        &mut self,
        env: &mut Env<'_>,
        limits: &BatchLimits,
        open: usize,
        fast: Option<FastReply<'_>>,
        offered: Offered<'_>,
    ) -> Vec<FastAnswer> {
        let mut answers = Vec::new();
        if let Err(error) = self.try_fast(env, limits, open, fast, offered, &mut answers) {
            answers.push(FastAnswer::Refused(error));
        }
        if self.config.no_ack {
            answers.retain(|answer| !matches!(answer, FastAnswer::Refused(_)));
        }
        answers
    }

    fn try_fast(
        &mut self,
        env: &mut Env<'_>,
        limits: &BatchLimits,
        open: usize,
        fast: Option<FastReply<'_>>,
        offered: Offered<'_>,
        answers: &mut Vec<FastAnswer>,
    ) -> Result<(), ApiError> {
        let refuse = |kind| Err(ApiError::new(kind));
        self.check_offered(env, offered)?;
        if !self.config.allow_batched {
            return refuse(&error::BATCH_PUBLISH_DISABLED);
        }
        let Some(reply) = fast else {
            return refuse(&error::BATCH_PUBLISH_INVALID_PATTERN);
        };
        if reply.id.len() > ID_BYTES_MAX {
            return refuse(&error::BATCH_PUBLISH_INVALID_BATCH_ID);
        }
        let batches = &mut self.batches.fast;
        if batches
            .get(reply.id)
            .is_some_and(|one| one.end_ns <= env.now_ns)
        {
            batches.remove(reply.id);
        }
        if !batches.contains_key(reply.id) {
            if reply.place != 1 {
                return refuse(&error::BATCH_PUBLISH_UNKNOWN_BATCH_ID);
            }
            if batches.len() >= limits.fast_per_stream || open >= limits.fast_in_all {
                return refuse(&error::BATCH_PUBLISH_TOO_MANY_INFLIGHT);
            }
            batches.insert(reply.id.into(), new_fast(batches.len(), &reply));
        }
        // Taken out while it is acted on; it comes back unless it is over.
        let Some((id, mut batch)) = self.batches.fast.remove_entry(reply.id) else {
            return Ok(());
        };
        batch.end_ns = env.now_ns.saturating_add(limits.timeout_ns);
        let goes_on = self.act_on_fast(env, &mut batch, &reply, offered, answers)?;
        if goes_on {
            self.batches.wait_until(batch.end_ns);
            self.batches.fast.insert(id, batch);
        }
        Ok(())
    }

    /// Whether the batch goes on.
    fn act_on_fast(
        &mut self,
        env: &mut Env<'_>,
        batch: &mut Fast,
        reply: &FastReply<'_>,
        offered: Offered<'_>,
        answers: &mut Vec<FastAnswer>,
    ) -> Result<bool, ApiError> {
        let open = self.batches.fast.len() + 1;
        let level = PublishHeaders::parse(offered.headers).required_api_level;
        if level.is_some_and(|level| !is_level_met(level)) {
            return Err(ApiError::new(&error::REQUIRED_API_LEVEL));
        }
        if reply.operation == Operation::Ping {
            return Ok(batch.ping(reply.place, open, answers));
        }
        if !batch.takes(reply.place, answers) {
            return Ok(false);
        }
        if reply.operation == Operation::CommitBefore {
            batch.place = reply.place - 1;
            answers.push(batch.ack());
            return Ok(false);
        }
        batch.place = reply.place;
        if reply.operation == Operation::Start && !self.config.no_ack {
            answers.push(batch.flow());
        }
        let headers = match level {
            Some(_) => without(offered.headers, "Nats-Required-Api-Level").into(),
            None => Cow::Borrowed(offered.headers),
        };
        let offered = Offered {
            headers: &headers,
            ..offered
        };
        let after = self.store_fast(env, batch, reply, offered, answers)?;
        if after == After::Stored {
            batch.tell(open, answers);
        }
        Ok(after != After::Over)
    }

    /// Stores a message of a batch. What follows.
    fn store_fast(
        &mut self,
        env: &mut Env<'_>,
        batch: &mut Fast,
        reply: &FastReply<'_>,
        offered: Offered<'_>,
        answers: &mut Vec<FastAnswer>,
    ) -> Result<After, ApiError> {
        let commits = reply.operation == Operation::Commit;
        let is_alone = reply.place == 1 && !batch.gap_ok;
        let Offered {
            subject,
            headers,
            payload,
        } = offered;
        match self.publish(env, Origin::Client, subject, headers, payload) {
            Ok(Accepted::Duplicate(sequence)) if commits && is_alone => {
                answers.push(FastAnswer::Ack(sequence, reply.place, true));
                return Ok(After::Over);
            }
            Ok(Accepted::Duplicate(_)) => {}
            Ok(Accepted::Stored(sequence) | Accepted::Counted(sequence, _)) => {
                batch.sequence = sequence;
            }
            Err(error) if is_alone => return Err(error),
            Err(error) => {
                let seq = reply.place;
                let found_late = error.is(&error::STREAM_WRONG_LAST_MSG_ID);
                answers.push(match found_late {
                    // nats-server finds that when it stores the message, and answers as if that came alone.
                    true => FastAnswer::Refused(error),
                    false => FastAnswer::Flow(BatchFlow::Err { seq, error }),
                });
                if batch.gap_ok && !commits {
                    return Ok(After::Refused);
                }
                batch.place -= 1;
                answers.push(batch.ack());
                return Ok(After::Over);
            }
        }
        if commits {
            answers.push(batch.ack());
        }
        Ok(if commits { After::Over } else { After::Stored })
    }
}

/// A batch at its start, beside so many others in the stream.
fn new_fast(others: usize, reply: &FastReply<'_>) -> Fast {
    let every = match others {
        0 => FLOW_MAX.min(reply.flow),
        _ => 1,
    };
    Fast {
        gap_ok: reply.gap_ok,
        place: 0,
        sequence: 0,
        told: 0,
        every,
        every_max: reply.flow,
        end_ns: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_subject_says_what_is_meant() {
        let reply = FastReply::parse(b"_INBOX.x.id.100.fail.1.0.$FI");
        let expected = FastReply {
            id: "id",
            flow: 100,
            gap_ok: false,
            place: 1,
            operation: Operation::Start,
        };
        assert_eq!(reply, Some(expected));
        let later = FastReply::parse(b"i.id.0.ok.7.4.$FI").expect("a ping");
        assert_eq!((later.flow, later.gap_ok, later.place), (10, true, 7));
        let most = FastReply::parse(b"i.id.70000.ok.2.1.$FI").expect("one more");
        assert_eq!(most.flow, u16::MAX);
    }

    #[test]
    fn what_makes_no_sense_is_none() {
        for wrong in [
            "id.1.ok.1.0.$FI",
            "i.id.1.ok.2.0.$FI",
            "i.id.1.ok.1.1.$FI",
            "i.id.1.ok.1.3.$FI",
            "i.id.1.ok.0.4.$FI",
            "i.id.1.ok.1.5.$FI",
            "i.id.1.maybe.1.0.$FI",
            "i.id.1.ok.18446744073709551615.1.$FI",
            ".$FI",
        ] {
            assert_eq!(FastReply::parse(wrong.as_bytes()), None, "{wrong}");
        }
        assert!(!FastReply::is_one(b"_INBOX.x"));
        assert!(FastReply::is_one(b"wrong.$FI"));
    }
}
