//! A profile of the CPU: the kernel notes a hundred times a second of each thread's time where it is, for as long
//! as somebody waits for it.
//!
//! [`sampling`] has the kernel write samples (registers and the top of the stack) into rings that a thread of its own
//! empties; no signal interrupts anybody, and no code of ours runs in the midst of another's. [`stacks`] finds the
//! callers, [`symbols`] their names, and [`encoding`] writes what comes of it.

mod encoding;
mod images;
mod registers;
mod sampling;
mod stacks;
mod symbols;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;

use self::images::Images;
use self::sampling::Sampling;
use self::stacks::Stacks;
use super::trouble::Trouble;

/// Time between two samples of a thread that runs: 100 a second, as in Go. Not the kernel's own rhythm: samples
/// count time, and are few.
const PERIOD: Duration = Duration::from_millis(10);
/// Time between two looks at the rings.
const PASS: Duration = Duration::from_millis(5);
/// Time between two looks for threads that were not there before.
const NEW_THREADS_EVERY: Duration = Duration::from_millis(100);

/// The one who samples: the process has one set of threads, and two who look would see each other.
static SAMPLED: AtomicBool = AtomicBool::new(false);

/// Has the turn until it is dropped.
struct Turn;

impl Turn {
    fn take() -> Option<Self> {
        let is_free = SAMPLED.compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed);
        is_free.is_ok().then_some(Self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        SAMPLED.store(false, Ordering::Release);
    }
}

/// What is known when the samples are there.
struct Taken {
    stacks: Stacks,
    images: Images,
    began: SystemTime,
    lasted: Duration,
    /// Time in the kernel was seen, too.
    with_kernel: bool,
    /// Samples that found no room.
    lost: u64,
    /// Threads that could not be looked at.
    unseen: usize,
}

/// Samples for so long and makes a profile of it, compressed. When this is dropped, sampling ends within
/// milliseconds.
///
/// # Errors
/// When another one is being made, or the kernel refuses.
pub(super) async fn profile(duration: Duration) -> Result<Vec<u8>, Trouble> {
    let turn = Turn::take().ok_or(Trouble::Busy)?;
    let (asked, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("recado-sampler".to_owned())
        .spawn(move || {
            let taken = sample(duration, || asked.is_closed());
            let made = taken.and_then(|taken| match asked.is_closed() {
                true => Ok(Vec::new()),
                false => encoding::profile(&taken).map_err(Trouble::Machine),
            });
            // Whoever is answered may ask again at once.
            drop(turn);
            // Nobody waits any more? Then nobody misses it.
            let _ = asked.send(made);
        })
        .map_err(Trouble::Machine)?;
    match answer.await {
        Ok(made) => made,
        // It panicked, which its hook reported.
        Err(_) => Err(Trouble::Machine(io::ErrorKind::Other.into())),
    }
}

/// Samples all threads but this one until the time is over or nobody waits.
fn sample(duration: Duration, is_over: impl Fn() -> bool) -> Result<Taken, Trouble> {
    let images = Images::read().map_err(Trouble::Machine)?;
    let mut stacks = Stacks::new(&images);
    let began = SystemTime::now();
    let start = Instant::now();
    let mut sampling = Sampling::start(PERIOD).map_err(Trouble::of_kernel)?;
    let mut looked = start;
    while start.elapsed() < duration && !is_over() {
        std::thread::sleep(PASS);
        sampling.take(|sample| stacks.add(sample));
        if looked.elapsed() >= NEW_THREADS_EVERY {
            looked = Instant::now();
            sampling.look_for_threads();
        }
    }
    Ok(Taken {
        began,
        lasted: start.elapsed(),
        with_kernel: sampling.sees_kernel(),
        lost: sampling.lost() + stacks.left_out(),
        unseen: sampling.unseen(),
        stacks,
        images,
    })
}
