//! What the accounts of one store have in common: numbers that are given once only, and sums that the server bounds.
//! All accounts have one owner, so nobody ever waits here; the numbers are atomic only so that the owner may be
//! moved to the thread that it runs on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::Settings;
use crate::config::Storage;
use crate::error::{self, ApiError};
use crate::stream::Stream;

/// What is summed up over all accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// Bytes of streams in the log.
    FileBytes,
    /// Bytes of streams in memory.
    MemoryBytes,
    /// Bytes that streams in the log have reserved by their `max_bytes`.
    FileReserved,
    /// Bytes that streams in memory have reserved so.
    MemoryReserved,
    /// Atomic batches that are open.
    AtomicBatches,
    /// Fast batches that are open.
    FastBatches,
    /// Bytes of answers that wait for the disk.
    WaitingBytes,
}

const SUMS: [Sum; 7] = [
    Sum::FileBytes,
    Sum::MemoryBytes,
    Sum::FileReserved,
    Sum::MemoryReserved,
    Sum::AtomicBatches,
    Sum::FastBatches,
    Sum::WaitingBytes,
];

impl Sum {
    /// Of what there is of this storage.
    pub(super) fn of_bytes(storage: Storage) -> Self {
        match storage {
            Storage::File => Self::FileBytes,
            Storage::Memory => Self::MemoryBytes,
        }
    }

    /// Of what is reserved of this storage.
    pub(super) fn of_reserved(storage: Storage) -> Self {
        match storage {
            Storage::File => Self::FileReserved,
            Storage::Memory => Self::MemoryReserved,
        }
    }
}

/// Of all accounts of a store.
#[derive(Clone, Debug)]
pub(crate) struct Common(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    next_stream: AtomicU32,
    next_consumer: AtomicU64,
    sums: [AtomicU64; SUMS.len()],
}

impl Default for Common {
    fn default() -> Self {
        Self(Arc::new(Inner {
            next_stream: AtomicU32::new(1),
            next_consumer: AtomicU64::new(1),
            sums: Default::default(),
        }))
    }
}

impl Common {
    /// Numbers below these were given.
    pub(crate) fn give_from(&self, stream: u32, consumer: u64) {
        self.0.next_stream.fetch_max(stream, Relaxed);
        self.0.next_consumer.fetch_max(consumer, Relaxed);
    }

    /// Numbers that another one gave are given here, too.
    pub(crate) fn give_behind(&self, other: &Self) {
        let (stream, consumer) = (&other.0.next_stream, &other.0.next_consumer);
        self.give_from(stream.load(Relaxed), consumer.load(Relaxed));
    }

    /// Bytes that streams of accounts that are served have reserved.
    pub(crate) fn reserved(&self, storage: Storage) -> u64 {
        self.all(Sum::of_reserved(storage))
    }

    /// A sum over all accounts.
    pub(super) fn all(&self, sum: Sum) -> u64 {
        self.0.sums[sum as usize].load(Relaxed)
    }
}

/// One account's part of it; taken back when the account goes.
#[derive(Debug, Default)]
pub(super) struct Share {
    common: Common,
    own: [u64; SUMS.len()],
}

impl Share {
    pub(super) fn new(common: Common) -> Self {
        Self {
            common,
            own: Default::default(),
        }
    }

    pub(super) fn common(&self) -> &Common {
        &self.common
    }

    /// The number of a new stream.
    pub(super) fn number_stream(&self) -> u32 {
        self.common.0.next_stream.fetch_add(1, Relaxed)
    }

    /// The number of a new consumer.
    pub(super) fn number_consumer(&self) -> u64 {
        self.common.0.next_consumer.fetch_add(1, Relaxed)
    }

    /// What this account has of a sum.
    pub(super) fn own(&self, sum: Sum) -> u64 {
        self.own[sum as usize]
    }

    /// What all accounts have of it, this one included.
    pub(super) fn all(&self, sum: Sum) -> u64 {
        self.common.all(sum)
    }

    /// What all others have of it.
    pub(super) fn others(&self, sum: Sum) -> u64 {
        self.all(sum).saturating_sub(self.own(sum))
    }

    /// Bytes that streams of this kind may still take.
    pub(super) fn room(&self, settings: &Settings, storage: Storage) -> Room {
        let account = &settings.limits.account;
        let (of_server, of_account) = match storage {
            Storage::File => (settings.file_bytes_max, account.max_storage),
            Storage::Memory => (settings.memory_bytes_max, account.max_memory),
        };
        let sum = Sum::of_bytes(storage);
        let left =
            |max: Option<u64>, used: u64| max.map_or(u64::MAX, |max| max.saturating_sub(used));
        Room {
            of_server: left(of_server, self.all(sum)),
            of_account: left(u64::try_from(of_account).ok(), self.own(sum)),
        }
    }

    /// Brings the sums up to date with a stream that gained or lost messages.
    pub(super) fn account_for(&mut self, stream: &mut Stream) {
        let bytes = stream.messages.index.bytes();
        let sum = Sum::of_bytes(stream.config.storage);
        let own = self.own(sum).saturating_sub(stream.accounted_bytes) + bytes;
        stream.accounted_bytes = bytes;
        self.set(sum, own);
    }

    /// From now on this account has so much of it.
    pub(super) fn set(&mut self, sum: Sum, now: u64) {
        let own = std::mem::replace(&mut self.own[sum as usize], now);
        if own != now {
            let all = &self.common.0.sums[sum as usize];
            // Nobody else changes it meanwhile.
            all.store(
                all.load(Relaxed).wrapping_sub(own).wrapping_add(now),
                Relaxed,
            );
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        for sum in SUMS {
            self.set(sum, 0);
        }
    }
}

/// Bytes that there is room for in a stream, whatever its own limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// What the server has left.
    pub(crate) of_server: u64,
    /// What the account has left.
    pub(crate) of_account: u64,
}

impl Room {
    /// As much as anybody wants.
    pub(crate) const ANY: Self = Self {
        of_server: u64::MAX,
        of_account: u64::MAX,
    };

    /// Whether so many bytes may be stored.
    ///
    /// # Errors
    /// 10023 where the server, 10002 where the account has no room.
    pub(crate) fn check(&self, bytes: u64) -> Result<(), ApiError> {
        if bytes > self.of_server {
            return Err(ApiError::new(&error::INSUFFICIENT_RESOURCES));
        }
        if bytes > self.of_account {
            return Err(ApiError::new(&error::ACCOUNT_RESOURCES_EXCEEDED));
        }
        Ok(())
    }

    /// So many bytes were stored.
    pub(crate) fn take(&mut self, bytes: u64) {
        self.of_server = self.of_server.saturating_sub(bytes);
        self.of_account = self.of_account.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_of_all_accounts_and_an_account_that_goes_takes_its_part_along() {
        let common = Common::default();
        let mut one = Share::new(common.clone());
        let mut other = Share::new(common.clone());
        one.set(Sum::FileBytes, 10);
        other.set(Sum::FileBytes, 5);
        one.set(Sum::FileBytes, 7);
        assert_eq!(
            (one.own(Sum::FileBytes), one.others(Sum::FileBytes)),
            (7, 5)
        );
        assert_eq!(common.all(Sum::FileBytes), 12);
        drop(one);
        assert_eq!(common.all(Sum::FileBytes), 5);
        assert_eq!(other.others(Sum::FileBytes), 0);
    }

    #[test]
    fn numbers_are_given_once() {
        let common = Common::default();
        let (one, other) = (Share::new(common.clone()), Share::new(common.clone()));
        common.give_from(7, 3);
        assert_eq!((one.number_stream(), other.number_stream()), (7, 8));
        assert_eq!((other.number_consumer(), one.number_consumer()), (3, 4));
        let later = Common::default();
        later.give_behind(&common);
        let share = Share::new(later);
        assert_eq!((share.number_stream(), share.number_consumer()), (9, 5));
    }

    #[test]
    fn who_has_no_room_is_told_whose_limit_it_is() {
        let room = Room {
            of_server: 10,
            of_account: 5,
        };
        let code = |bytes| {
            room.check(bytes)
                .map_or_else(|error| error.err_code, |()| 0)
        };
        assert_eq!((code(5), code(6), code(11)), (0, 10002, 10023));
    }
}
