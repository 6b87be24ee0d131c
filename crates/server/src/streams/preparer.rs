//! Makes the next segment ready on a thread of its own, so that nobody waits for its zeros.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use recado_log::{Preparer, RealDisk};

/// The thread, for whoever sees that a segment fills up.
pub(super) struct PreparerThread {
    orders: SyncSender<()>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PreparerThread {
    /// Starts the thread. It waits until it is told that a segment is wanted.
    ///
    /// # Errors
    /// When the machine has no threads left.
    pub(super) fn start(preparer: Preparer<RealDisk>) -> io::Result<Self> {
        let (orders, told) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("recado-prepare".to_owned())
            .spawn(move || run(preparer, &told, &theirs))?;
        Ok(Self {
            orders,
            stop,
            thread: Some(thread),
        })
    }

    /// The next segment is wanted. Does not wait.
    pub(super) fn order(&self) {
        // One that waits already is enough.
        let _ = self.orders.try_send(());
    }
}

impl Drop for PreparerThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.order();
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported by its hook.
            let _ = thread.join();
        }
    }
}

fn run(mut preparer: Preparer<RealDisk>, told: &Receiver<()>, stop: &AtomicBool) {
    while told.recv().is_ok() {
        while !stop.load(Ordering::Acquire) && preparer.step() {}
        if stop.load(Ordering::Acquire) {
            return;
        }
    }
}
