//! What one thread of the engine reuses from batch to batch: read buffer, cached routes, staged
//! frames. Connections borrow it for the length of one batch and keep nothing of it, so an idle
//! connection holds no buffer.

use std::cell::RefCell;
use std::sync::Arc;

use recado_router::{RouteCache, RouteId};

use super::connection::{Connection, Delivered};
use super::route::Route;
use super::shared::Engine;
use super::stage::{STAGED_MAX, Stage};

/// Size of the read buffer: one batch.
pub(crate) const READ_BYTES: usize = 128 * 1024;
/// Waiting bytes above which a destination counts as congested.
pub(crate) const CONGESTED_BYTES: usize = 256 * 1024;

/// One thread's tools.
pub(crate) struct Worker {
    pub(crate) read_buffer: Vec<u8>,
    pub(crate) cache: RouteCache<Route>,
    pub(crate) stage: Stage,
    pub(crate) touched: Vec<RouteId>,
    pub(crate) random: Random,
}

thread_local! {
    static WORKER: RefCell<Worker> = RefCell::new(Worker::new());
}

/// Runs `batch` with this thread's tools.
#[inline]
pub(crate) fn with_worker<T>(batch: impl FnOnce(&mut Worker) -> T) -> T {
    WORKER.with_borrow_mut(batch)
}

/// What the destinations of a batch looked like after it was written.
#[derive(Default)]
pub(crate) struct Congestion {
    /// Destinations with more than [`CONGESTED_BYTES`] waiting.
    pub(crate) congested: Vec<Arc<Connection>>,
    /// Some destination took what it was given.
    pub(crate) some_free: bool,
}

impl Worker {
    fn new() -> Self {
        Self {
            read_buffer: Vec::with_capacity(READ_BYTES),
            cache: RouteCache::default(),
            stage: Stage::default(),
            touched: Vec::new(),
            random: Random::new(),
        }
    }

    /// Whether so much is staged that it should be written before the batch goes on.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.stage.staged_bytes() > STAGED_MAX
    }

    /// Counts the deliveries staged so far, `not_to` the publisher that does not hear itself.
    pub(crate) fn count(&mut self, not_to: Option<u64>) {
        for id in &self.touched {
            if let Some(route) = self.cache.get_mut(*id) {
                route.count(not_to);
            }
        }
    }

    /// Writes what is staged and ends the batch.
    pub(crate) fn flush(
        &mut self,
        engine: &Engine,
        input: &[u8],
        own: u64,
        not_to: Option<u64>,
        congestion: &mut Congestion,
    ) {
        self.count(not_to);
        let Self {
            cache,
            stage,
            touched,
            ..
        } = self;
        let subject = touched.first().copied();
        stage.flush(input, own, |connection, delivered| match delivered {
            Delivered::Written => congestion.some_free = true,
            Delivered::Queued(pending) if pending > CONGESTED_BYTES => {
                congestion.congested.push(Arc::clone(connection));
            }
            Delivered::Queued(_) => congestion.some_free = true,
            Delivered::CutOff(pending) => {
                let subject = subject.and_then(|id| cache.subject(id)).unwrap_or_default();
                engine.report_slow_consumer(connection, subject, pending);
            }
            Delivered::Gone => {}
        });
        touched.clear();
        cache.end_batch();
    }
}

/// A small generator for choices that must be even, not secret: xorshift64*.
pub(crate) struct Random(u64);

impl Random {
    fn new() -> Self {
        use std::hash::{BuildHasher, Hasher};
        Self(std::hash::RandomState::new().build_hasher().finish() | 1)
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}
