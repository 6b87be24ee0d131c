//! Streams: their store is opened before the server listens, and served by a thread of its own.

mod beat;
mod ceilings;
mod committer;
mod driver;
mod inquiries;
mod orders;
mod outlet;
mod place;
mod preparer;
mod requests;
mod store;
#[cfg(test)]
mod tests;
mod waits;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use recado_streams::config::{Limits, ServerLimits};
use recado_streams::jetstream::{BatchLimits, Settings};

use crate::config::{Options, features};
use crate::engine::{Engine, Intake};
use crate::error::StartError;
use crate::identity::Identity;
use crate::version::NATS_VERSION;

pub(crate) use beat::Beat;
pub(crate) use ceilings::Ceilings;
pub(crate) use inquiries::{Inquiries, NoAnswer, StoreFigures};
use orders::Orders;
pub(crate) use orders::{NotServed, Raised};
pub(crate) use outlet::ServedAccount;
pub(crate) use place::{Place, Running};
pub(crate) use requests::RequestLimits;
pub use store::Opened;
pub(crate) use store::{Store, open};

/// What the state machines are to know of the server's configuration.
pub(crate) fn settings(options: &Options, ceilings: &Ceilings, identity: &Identity) -> Settings {
    let streams = &options.streams;
    let limits = &streams.limits;
    let bytes = |limit: Option<u64>| limit.map_or(-1, |limit| limit.cast_signed().max(0));
    let number = |limit: Option<u64>| limit.map_or(0, |limit| limit.cast_signed().max(0));
    Settings {
        domain: streams.domain.clone(),
        strict: streams.strict,
        memory_bytes_max: ceilings.memory_bytes,
        file_bytes_max: ceilings.file_bytes,
        backlog_messages_max: streams.max_buffered_messages,
        backlog_bytes_max: streams.max_buffered_bytes,
        limits: Limits {
            server: ServerLimits {
                max_memory: bytes(ceilings.memory_bytes),
                max_storage: bytes(ceilings.file_bytes),
                max_request_batch: number(limits.max_request_batch),
                max_ack_pending: number(limits.max_ack_pending),
                default_max_consumers: number(limits.default_max_consumers),
                max_duplicate_window: limits.duplicate_window.map_or(0, |window| {
                    i64::try_from(window.as_nanos()).unwrap_or(i64::MAX)
                }),
            },
            ..Limits::default()
        },
        batches: batch_limits(options),
        server_name: identity.name.clone(),
        server_id: identity.id.clone(),
        version: NATS_VERSION.to_owned(),
        long_ack_subjects: features::is_on(&options.feature_flags, features::LONG_ACK_SUBJECTS),
    }
}

/// As configured, the rest as nats-server has it.
fn batch_limits(options: &Options) -> BatchLimits {
    let batch = &options.streams.limits.batch;
    let default = BatchLimits::default();
    let count = |limit: Option<u64>, default: usize| {
        limit.map_or(default, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        })
    };
    BatchLimits {
        atomic_per_stream: count(batch.max_inflight_per_stream, default.atomic_per_stream),
        atomic_in_all: count(batch.max_inflight_total, default.atomic_in_all),
        fast_per_stream: count(batch.max_inflight_per_stream, default.fast_per_stream),
        fast_in_all: count(batch.max_inflight_total, default.fast_in_all),
        messages_max: batch.max_messages.unwrap_or(default.messages_max),
        bytes_per_stream: options.streams.max_buffered_bytes,
        timeout_ns: batch.timeout.map_or(default.timeout_ns, |timeout| {
            i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX)
        }),
    }
}

/// The running streams of one server.
pub(crate) struct Streams {
    intake: Arc<Intake>,
    beat: Arc<Beat>,
    stop: Arc<AtomicBool>,
    orders: Arc<Orders>,
    thread: Mutex<Option<JoinHandle<()>>>,
    inquiries: Arc<Inquiries>,
}

impl Streams {
    /// Starts the threads that serve what was opened to these accounts.
    ///
    /// # Errors
    /// When the accounts ask for more than there is, or the machine has no threads left.
    pub(crate) fn start(
        engine: &Arc<Engine>,
        store: Store,
        accounts: &[ServedAccount],
        limits: RequestLimits,
    ) -> Result<(Self, Opened), StartError> {
        let intake = Arc::new(Intake::default());
        let stop = Arc::new(AtomicBool::new(false));
        let orders = Arc::new(Orders::default());
        let (subscribed, ready) = std::sync::mpsc::channel();
        let beat = Arc::new(Beat::new(&intake));
        let inquiries = Arc::new(Inquiries::new(&intake));
        let outside = driver::Outside {
            stop: Arc::clone(&stop),
            orders: Arc::clone(&orders),
            beat: Arc::clone(&beat),
            inquiries: Arc::clone(&inquiries),
        };
        let (driver, opened) =
            driver::Driver::new(engine, &intake, store, accounts, limits, outside)?;
        let thread = std::thread::Builder::new()
            .name("recado-streams".to_owned())
            .spawn(move || driver.run(&subscribed))
            .map_err(StartError::Threads)?;
        // Nobody may connect and find nobody there. An error means that the thread ended, which it has told of.
        let _ = ready.recv();
        let streams = Self {
            intake,
            beat,
            stop,
            orders,
            thread: Mutex::new(Some(thread)),
            inquiries,
        };
        Ok((streams, opened))
    }

    /// Asks the thread whether it goes on.
    pub(crate) fn beat(&self) -> Arc<Beat> {
        Arc::clone(&self.beat)
    }

    /// From now on these are the accounts, with these limits. Waits until that is so, which takes a turn of the streams
    /// thread: not to be called where the engine's own threads would wait. Streams of others stay in the store, and are
    /// there again when their account is.
    ///
    /// # Errors
    /// When it can't be done; then nothing changed.
    pub(crate) fn set_accounts(
        &self,
        accounts: Vec<ServedAccount>,
        raised: Raised,
    ) -> Result<(), NotServed> {
        let answer = self.orders.put(accounts, raised);
        self.intake.ring();
        answer.recv().unwrap_or(Err(NotServed::Stopped))
    }

    /// Where the thread is asked from others.
    pub(crate) fn inquiries(&self) -> &Arc<Inquiries> {
        &self.inquiries
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
