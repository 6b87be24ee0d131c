//! What did not arrive lately, and why: a bounded journal for whoever asks after a message. It is written where
//! something went wrong already, never on a message's ordinary way.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use recado_wire::{filter_matches, has_wildcard};

use super::clock;

/// Entries that are kept; the oldest go first.
const KEPT_MAX: usize = 4096;
/// Entries older than this are not told.
const AGE_MAX_US: u64 = 15 * 60 * 1_000_000;
/// Among so many of the newest entries the same thing again is only counted: a message may concern several clients.
const ALIKE_AMONG: usize = 16;
/// Bytes of a subject that is noted; what has a longer one is not.
const SUBJECT_BYTES_MAX: usize = 1024;

/// Why a message went no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The publisher's permissions do not allow the subject.
    PublishDenied,
    /// The same, of a user that may answer what it is sent: this was no such answer, or one too many or too late.
    AnswerNotGranted,
    /// A subscriber was cut off with so many bytes unsent.
    SlowConsumer { pending_bytes: usize },
    /// Nobody listened for a request.
    NoResponders,
    /// A stream did not take it, with this error.
    Refused { stream: Box<str>, err_code: u16 },
    /// A service of another account did not answer in time. The subject is the import's, as a filter.
    Unanswered,
    /// Its headers and payload are larger than its publisher may send, which was closed for it.
    TooLarge { bytes: usize, max_bytes: usize },
    /// Its subject or reply subject is the server's own.
    Reserved,
    /// The permissions of a subscriber keep the subject from it; others may have got it.
    DeliveryDenied,
    /// It crossed from account to account as often as it may: imports lead in a circle.
    CrossedTooOften,
}

/// One thing that happened, once or several times in a row.
#[derive(Clone, Debug)]
pub(crate) struct Dropped {
    /// The last time, on the engine's [`clock`].
    pub(crate) at_us: u64,
    pub(crate) account: Arc<str>,
    pub(crate) subject: Box<[u8]>,
    /// The client that it concerns; 0: none.
    pub(crate) cid: u64,
    pub(crate) loss: Loss,
    pub(crate) times: u64,
}

/// The journal.
#[derive(Debug, Default)]
pub(crate) struct Drops(Mutex<VecDeque<Dropped>>);

impl Drops {
    /// Notes that something was dropped just now.
    #[cold]
    pub(crate) fn note(&self, account: &Arc<str>, subject: &[u8], cid: u64, loss: Loss) {
        self.note_times(account, subject, cid, loss, 1);
    }

    /// The same, of so many messages.
    #[cold]
    pub(crate) fn note_times(
        &self,
        account: &Arc<str>,
        subject: &[u8],
        cid: u64,
        loss: Loss,
        times: u64,
    ) {
        self.note_at(account, subject, cid, loss, (times, clock::now_us()));
    }

    fn note_at(
        &self,
        account: &Arc<str>,
        subject: &[u8],
        cid: u64,
        loss: Loss,
        (times, at_us): (u64, u64),
    ) {
        if subject.len() > SUBJECT_BYTES_MAX {
            return;
        }
        let mut kept = self.0.lock();
        let is_same = |other: &&mut Dropped| {
            other.cid == cid
                && *other.subject == *subject
                && other.account == *account
                && other.loss == loss
        };
        if let Some(same) = kept.iter_mut().rev().take(ALIKE_AMONG).find(is_same) {
            same.times += times;
            same.at_us = at_us;
            return;
        }
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(Dropped {
            at_us,
            account: Arc::clone(account),
            subject: subject.into(),
            cid,
            loss,
            times,
        });
    }

    /// What was dropped lately of an account on any of these subjects, the newest first; at most so many.
    pub(crate) fn about(&self, account: &str, subjects: &[&[u8]], most: usize) -> Vec<Dropped> {
        self.about_at(account, subjects, most, clock::now_us())
    }

    fn about_at(
        &self,
        account: &str,
        subjects: &[&[u8]],
        most: usize,
        now_us: u64,
    ) -> Vec<Dropped> {
        let kept = self.0.lock();
        let concerns = |dropped: &&Dropped| {
            now_us.saturating_sub(dropped.at_us) <= AGE_MAX_US
                && *dropped.account == *account
                && subjects.iter().any(|subject| {
                    *dropped.subject == **subject
                        || (has_wildcard(&dropped.subject)
                            && filter_matches(&dropped.subject, subject))
                })
        };
        let found = kept.iter().rev().filter(concerns).take(most);
        let mut found: Vec<Dropped> = found.cloned().collect();
        // What was counted again is newer than its place says.
        found.sort_by_key(|dropped| std::cmp::Reverse(dropped.at_us));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Arc<str> {
        "A".into()
    }

    #[test]
    fn the_journal_is_bounded_and_what_is_old_is_not_told() {
        let drops = Drops::default();
        for cid in 1..=KEPT_MAX as u64 + 10 {
            drops.note_at(&account(), b"s", cid, Loss::NoResponders, (1, cid));
        }
        assert_eq!(drops.0.lock().len(), KEPT_MAX);
        let all = |now_us| drops.about_at("A", &[b"s"], usize::MAX, now_us);
        assert_eq!(all(5000).len(), KEPT_MAX);
        assert_eq!(
            all(5000)[0].cid,
            KEPT_MAX as u64 + 10,
            "the newest is first"
        );
        assert_eq!(drops.about_at("A", &[b"s"], 3, 5000).len(), 3);
        assert_eq!(all(AGE_MAX_US + KEPT_MAX as u64 + 10).len(), 1);
        assert!(all(AGE_MAX_US * 2).is_empty());
    }

    #[test]
    fn what_concerns_several_clients_in_turn_is_counted_for_each() {
        let drops = Drops::default();
        for at in 0..6 {
            drops.note_at(&account(), b"s", 1 + at % 2, Loss::DeliveryDenied, (1, at));
        }
        let told = drops.about_at("A", &[b"s"], 10, 10);
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.cid, one.times, one.at_us))
            .collect();
        assert_eq!(told, [(2, 3, 5), (1, 3, 4)]);
    }

    #[test]
    fn the_same_thing_again_is_counted_and_others_accounts_and_subjects_are_not_told() {
        let drops = Drops::default();
        for at in 0..3 {
            drops.note_at(&account(), b"s", 7, Loss::PublishDenied, (1, at));
        }
        drops.note_at(&"B".into(), b"s", 7, Loss::PublishDenied, (1, 4));
        drops.note_at(&account(), b"t", 7, Loss::PublishDenied, (1, 5));
        drops.note_at(&account(), b"*.x", 0, Loss::Unanswered, (1, 6));
        drops.note_at(&account(), &[b'x'; 2000], 0, Loss::NoResponders, (1, 7));
        let told = drops.about_at("A", &[b"s"], 10, 10);
        assert_eq!((told.len(), told[0].times, told[0].at_us), (1, 3, 2));
        let unanswered = drops.about_at("A", &[b"s.x"], 10, 10);
        assert_eq!(unanswered[0].loss, Loss::Unanswered);
        assert_eq!(drops.0.lock().len(), 4);
    }
}
