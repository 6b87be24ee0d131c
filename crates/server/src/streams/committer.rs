//! The thread that writes and syncs: one batch at a time, for all streams together.

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use recado_log::{Batch, Committed, Committer, RealDisk};

use crate::engine::Intake;

/// What the two threads hand each other.
struct Desk {
    state: Mutex<State>,
    arrival: Condvar,
}

#[derive(Default)]
struct State {
    batch: Option<Batch>,
    done: Option<Committed>,
    stop: bool,
}

/// The streams thread's side: gives batches away, gets outcomes back.
pub(super) struct CommitterThread {
    desk: Arc<Desk>,
    /// A batch is being written, or its outcome was not taken yet.
    busy: bool,
    thread: Option<JoinHandle<Committer<RealDisk>>>,
}

impl CommitterThread {
    /// Starts the thread; it rings at `intake` when a batch is done.
    ///
    /// # Errors
    /// When the machine has no threads left.
    pub(super) fn start(
        committer: Committer<RealDisk>,
        intake: Arc<Intake>,
    ) -> std::io::Result<Self> {
        let desk = Arc::new(Desk {
            state: Mutex::default(),
            arrival: Condvar::new(),
        });
        let theirs = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("recado-commit".to_owned())
            .spawn(move || run(committer, &theirs, &intake))?;
        Ok(Self {
            desk,
            busy: false,
            thread: Some(thread),
        })
    }

    /// Whether a batch can be given away.
    pub(super) fn is_free(&self) -> bool {
        !self.busy
    }

    /// Gives a batch away.
    pub(super) fn commit(&mut self, batch: Batch) {
        debug_assert!(!self.busy);
        self.busy = true;
        self.desk.state.lock().batch = Some(batch);
        self.desk.arrival.notify_one();
    }

    /// What became of the batch, if it is done.
    pub(super) fn outcome(&mut self) -> Option<Committed> {
        if !self.busy {
            return None;
        }
        let done = self.desk.state.lock().done.take();
        self.busy = done.is_none();
        done
    }
}

impl CommitterThread {
    /// Ends the thread and gives back what it wrote with; nothing if it panicked, which its hook reported.
    pub(super) fn end(mut self) -> Option<Committer<RealDisk>> {
        self.stop()
    }

    fn stop(&mut self) -> Option<Committer<RealDisk>> {
        self.desk.state.lock().stop = true;
        self.desk.arrival.notify_one();
        self.thread.take()?.join().ok()
    }
}

impl Drop for CommitterThread {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(mut committer: Committer<RealDisk>, desk: &Desk, intake: &Intake) -> Committer<RealDisk> {
    loop {
        let batch = {
            let mut state = desk.state.lock();
            loop {
                if let Some(batch) = state.batch.take() {
                    break batch;
                }
                if state.stop {
                    return committer;
                }
                desk.arrival.wait(&mut state);
            }
        };
        let done = committer.commit(batch);
        desk.state.lock().done = Some(done);
        intake.ring();
        // Segments that nobody needs any more go while nothing waits.
        while desk.state.lock().batch.is_none() && committer.tidy() {}
    }
}
