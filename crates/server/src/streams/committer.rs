//! Who writes and syncs: one batch at a time, for all streams together. A thread of its own, so that streams
//! go on meanwhile; but a small batch on a fast disk is written at once, for waking a thread and being
//! woken by it takes longer than that.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use recado_log::{Batch, Committed, Committer, RealDisk};

use super::preparer::PreparerThread;
use crate::engine::Intake;

/// Batches of at most so many bytes may be written at once, ...
const INLINE_BYTES_MAX: u64 = 16 * 1024;
/// ... while the disk takes no longer than this for one. Streams do nothing else meanwhile.
const INLINE_TIME_MAX: Duration = Duration::from_micros(500);

/// What the two threads share.
struct Desk {
    state: Mutex<State>,
    arrival: Condvar,
    committer: Mutex<Committer<RealDisk>>,
    preparer: PreparerThread,
}

#[derive(Default)]
struct State {
    batch: Option<Batch>,
    done: Option<Committed>,
    stop: bool,
}

impl Desk {
    fn write(&self, committer: &mut Committer<RealDisk>, batch: Batch) -> Committed {
        let done = committer.commit(batch);
        if committer.wants_next() {
            self.preparer.order();
        }
        done
    }
}

/// The streams thread's side: gives batches away, gets outcomes back.
pub(super) struct CommitterThread {
    desk: Arc<Desk>,
    /// A batch is being written, or its outcome was not taken yet.
    busy: bool,
    /// What a small batch takes, about.
    takes: Duration,
    thread: Option<JoinHandle<()>>,
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
        let preparer = PreparerThread::start(committer.preparer())?;
        let desk = Arc::new(Desk {
            state: Mutex::default(),
            arrival: Condvar::new(),
            committer: Mutex::new(committer),
            preparer,
        });
        let theirs = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("recado-commit".to_owned())
            .spawn(move || run(&theirs, &intake))?;
        Ok(Self {
            desk,
            busy: false,
            takes: Duration::ZERO,
            thread: Some(thread),
        })
    }

    /// Whether a batch can be given away.
    pub(super) fn is_free(&self) -> bool {
        !self.busy
    }

    /// Writes a batch, or gives it away to be written. Some: it is done already.
    pub(super) fn commit(&mut self, batch: Batch) -> Option<Committed> {
        debug_assert!(!self.busy);
        if batch.bytes() <= INLINE_BYTES_MAX
            && !batch.has_chores()
            && self.takes <= INLINE_TIME_MAX
            && let Some(mut committer) = self.desk.committer.try_lock()
        {
            let start = Instant::now();
            let done = self.desk.write(&mut committer, batch);
            // The mean of the last few: one slow sync is no slow disk.
            self.takes = (self.takes * 7 + start.elapsed()) / 8;
            return Some(done);
        }
        // From time to time a disk that was slow gets another chance.
        self.takes = self.takes * 15 / 16;
        self.busy = true;
        self.desk.state.lock().batch = Some(batch);
        self.desk.arrival.notify_one();
        None
    }

    /// What became of the batch that was given away, if it is done.
    pub(super) fn outcome(&mut self) -> Option<Committed> {
        if !self.busy {
            return None;
        }
        let done = self.desk.state.lock().done.take();
        self.busy = done.is_none();
        done
    }

    /// Lets somebody else have what it writes with, while there is no batch.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Committer<RealDisk>) -> T) -> T {
        act(&mut self.desk.committer.lock())
    }

    /// Ends the thread and gives back what it wrote with; nothing if it panicked, which its hook reported.
    pub(super) fn end(mut self) -> Option<Committer<RealDisk>> {
        self.stop();
        let placeholder = Arc::clone(&self.desk);
        drop(self);
        Some(Arc::into_inner(placeholder)?.committer.into_inner())
    }

    fn stop(&mut self) {
        self.desk.state.lock().stop = true;
        self.desk.arrival.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported by its hook.
            let _ = thread.join();
        }
    }
}

impl Drop for CommitterThread {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(desk: &Desk, intake: &Intake) {
    loop {
        let batch = {
            let mut state = desk.state.lock();
            loop {
                if let Some(batch) = state.batch.take() {
                    break batch;
                }
                if state.stop {
                    return;
                }
                desk.arrival.wait(&mut state);
            }
        };
        let done = desk.write(&mut desk.committer.lock(), batch);
        desk.state.lock().done = Some(done);
        intake.ring();
        // Segments that nobody needs any more go while nothing waits.
        while desk.state.lock().batch.is_none() && desk.committer.lock().tidy() {}
    }
}
