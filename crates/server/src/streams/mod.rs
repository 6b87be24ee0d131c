//! Streams: their store is opened before the server listens, and served by a thread of its own.

mod committer;
mod driver;
mod outlet;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use crate::engine::{Engine, Intake};

pub(crate) use store::{Store, open};

/// The running streams of one server.
pub(crate) struct Streams {
    intake: Arc<Intake>,
    stop: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Streams {
    /// Starts the threads that serve what was opened.
    ///
    /// # Errors
    /// When the machine has no threads left.
    pub(crate) fn start(engine: &Arc<Engine>, store: Store) -> std::io::Result<Self> {
        let intake = Arc::new(Intake::default());
        let stop = Arc::new(AtomicBool::new(false));
        let driver = driver::Driver::new(engine, &intake, store, &stop)?;
        let thread = std::thread::Builder::new()
            .name("recado-streams".to_owned())
            .spawn(move || driver.run())?;
        Ok(Self {
            intake,
            stop,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Answers what still waits, writes everything down and ends. Waits for it.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.intake.ring();
        if let Some(thread) = self.thread.lock().take() {
            // A panic in it was reported by its hook.
            let _ = thread.join();
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.stop();
    }
}
