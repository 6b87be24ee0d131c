//! What other threads ask the streams thread to do. It looks after each turn; who asked waits.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use parking_lot::Mutex;
use recado_streams::accounts::AccountsError;

use super::outlet::ServedAccount;

/// Why accounts are not served as they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotServed {
    /// They can't be.
    Refused(AccountsError),
    /// There is no streams thread any more, or another order came in between.
    Stopped,
}

impl std::fmt::Display for NotServed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Stopped => f.write_str("streams are not served any more"),
        }
    }
}

impl std::error::Error for NotServed {}

/// What streams of all accounts may take together from now on, in bytes; `None`: as much as before (D52).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Raised {
    pub(crate) memory: Option<u64>,
    pub(crate) file: Option<u64>,
}

/// The order to serve these accounts, and to let streams take so much.
pub(super) struct Order {
    accounts: Vec<ServedAccount>,
    raised: Raised,
    answer: SyncSender<Result<(), NotServed>>,
}

impl Order {
    pub(super) fn accounts(&self) -> &[ServedAccount] {
        &self.accounts
    }

    pub(super) fn raised(&self) -> Raised {
        self.raised
    }

    pub(super) fn answer(self, done: Result<(), AccountsError>) {
        // Whoever asked may have gone.
        let _ = self.answer.send(done.map_err(NotServed::Refused));
    }
}

/// At most one order at a time: a newer one takes the place of one that was not looked at.
#[derive(Default)]
pub(super) struct Orders(Mutex<Desk>);

#[derive(Default)]
struct Desk {
    next: Option<Order>,
    closed: bool,
}

impl Orders {
    /// Leaves an order; what became of it will be told there.
    pub(super) fn put(
        &self,
        accounts: Vec<ServedAccount>,
        raised: Raised,
    ) -> Receiver<Result<(), NotServed>> {
        let (answer, told) = sync_channel(1);
        let mut desk = self.0.lock();
        if !desk.closed {
            desk.next = Some(Order {
                accounts,
                raised,
                answer,
            });
        }
        told
    }
}

/// The side of the thread that looks after them. When it goes, however it does, nobody waits any more.
pub(super) struct OrderBook(pub(super) Arc<Orders>);

impl OrderBook {
    pub(super) fn take(&self) -> Option<Order> {
        self.0.0.lock().next.take()
    }
}

impl Drop for OrderBook {
    fn drop(&mut self) {
        let mut desk = self.0.0.lock();
        desk.closed = true;
        desk.next = None;
    }
}
