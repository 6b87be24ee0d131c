//! The engine's threads: a runtime each, and how busy each of them is.
//!
//! Work stays together until it needs more room. A connection is served by the thread that
//! accepted it. Once that thread has no time left, the connection that took most of it moves to a
//! thread that has ([`load`](super::load) decides); so a flood ends up alone, a few heavy connections
//! spread over the cores, and light ones share a thread without waking another for every batch.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;

use super::load::{Load, Pace, Share, WINDOW, is_better_off};

/// All threads of one engine, as connections see them.
pub(crate) struct Threads {
    all: Box<[Thread]>,
    start: Instant,
    /// Every connection moves after every turn.
    #[cfg(test)]
    restless: AtomicBool,
    #[cfg(test)]
    moves: AtomicU64,
}

/// One thread as the others see it.
struct Thread {
    handle: Handle,
    /// Its [`Load`]: numbers that need not agree with each other at every moment.
    busy: AtomicU32,
    heavy: AtomicU32,
    saturated: AtomicBool,
    /// Since when it waits for something to do, in microseconds since the start; 0: it does not.
    resting_since_us: AtomicU64,
}

/// The threads' runtimes before they run, and how they end.
pub(crate) struct Runtimes {
    first: Runtime,
    others: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

thread_local! {
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

/// What a thread knows of itself.
struct Here {
    threads: Arc<Threads>,
    index: usize,
    pace: Pace,
}

/// Starts `count` threads, all but the first: that one runs in [`Runtimes::run`].
///
/// # Errors
/// When the machine has no threads or descriptors left.
pub(crate) fn start(count: usize, grace: Duration) -> io::Result<(Arc<Threads>, Runtimes)> {
    let runtimes = (0..count.max(1))
        .map(|_| runtime())
        .collect::<io::Result<Vec<_>>>()?;
    let threads = runtimes
        .iter()
        .map(|runtime| Thread::new(runtime.handle().clone()));
    let threads = Arc::new(Threads::new(threads.collect()));
    let stop = watch::Sender::new(false);
    let mut runtimes = runtimes.into_iter();
    let first = runtimes.next().ok_or(io::ErrorKind::InvalidInput)?;
    let mut others = Vec::with_capacity(count);
    for (index, runtime) in (1..).zip(runtimes) {
        let (threads, mut stopped) = (Arc::clone(&threads), stop.subscribe());
        let body = move || {
            settle_in(threads, index);
            // An error means that the sender is gone, and the engine with it.
            let _ = runtime.block_on(stopped.wait_for(|stop| *stop));
            runtime.shutdown_timeout(grace);
        };
        let name = format!("recado-{index}");
        others.push(std::thread::Builder::new().name(name).spawn(body)?);
    }
    let runtimes = Runtimes {
        first,
        others,
        stop,
    };
    Ok((threads, runtimes))
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .on_thread_park(|| {
            here(|here| {
                let now = Instant::now();
                here.pace.rest(now);
                let since = here.threads.micros(now);
                here.own().resting_since_us.store(since, Ordering::Relaxed);
            });
        })
        .on_thread_unpark(|| {
            here(|here| {
                here.own().resting_since_us.store(0, Ordering::Relaxed);
                let now = Instant::now();
                if here.pace.wake(now) {
                    here.judge(now);
                }
            });
        })
        .build()
}

fn settle_in(threads: Arc<Threads>, index: usize) {
    let pace = Pace::new(Instant::now(), cpu_time());
    HERE.set(Some(Here {
        threads,
        index,
        pace,
    }));
}

/// On a thread of an engine: what it knows of itself.
fn here<T>(ask: impl FnOnce(&mut Here) -> T) -> Option<T> {
    HERE.with_borrow_mut(|here| here.as_mut().map(ask))
}

impl Runtimes {
    /// Runs `life` on the calling thread, which becomes the engine's first; then ends all threads.
    pub(crate) fn run(
        self,
        threads: &Arc<Threads>,
        life: impl Future<Output = ()>,
        grace: Duration,
    ) {
        settle_in(Arc::clone(threads), 0);
        self.first.block_on(life);
        let _ = self.stop.send(true);
        self.first.shutdown_timeout(grace);
        for thread in self.others {
            // A panic in it was reported by its hook.
            let _ = thread.join();
        }
        HERE.set(None);
    }
}

impl Threads {
    fn new(all: Box<[Thread]>) -> Self {
        Self {
            all,
            start: Instant::now(),
            #[cfg(test)]
            restless: AtomicBool::new(false),
            #[cfg(test)]
            moves: AtomicU64::new(0),
        }
    }

    /// The calling test's own runtime as the only thread.
    #[cfg(test)]
    pub(crate) fn alone() -> Arc<Self> {
        Arc::new(Self::new([Thread::new(Handle::current())].into()))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// The runtime of a thread.
    pub(crate) fn runtime(&self, index: usize) -> &Handle {
        &self.all[index].handle
    }

    /// Where a new connection should be served, if not where it was accepted.
    pub(crate) fn place(&self) -> Option<&Handle> {
        let own = here(|here| here.pace.load().is_full().then_some(here.index))??;
        let (index, load) = self.least_loaded(own, Instant::now())?;
        (!load.is_saturated).then(|| self.runtime(index))
    }

    /// A connection had a turn on the calling thread. Some: it should move to that thread.
    pub(crate) fn spend(
        &self,
        connection: u64,
        share: &mut Share,
        from: Instant,
        to: Instant,
    ) -> Option<usize> {
        if self.all.len() == 1 {
            return None;
        }
        #[cfg(test)]
        if self.restless.load(Ordering::Relaxed) {
            self.moves.fetch_add(1, Ordering::Relaxed);
            return here(|here| (here.index + 1) % self.all.len());
        }
        here(|here| {
            if here.pace.spend(connection, share, from, to) {
                here.judge(to);
            }
            let part = here.pace.candidacy(connection)?;
            let (index, load) = self.least_loaded(here.index, to)?;
            is_better_off(part, here.pace.load(), load).then(|| {
                // Until that thread says so itself: others must not all follow at once.
                self.all[index].set_load(load.with(part));
                share.moved(to);
                index
            })
        })?
    }

    fn least_loaded(&self, but: usize, now: Instant) -> Option<(usize, Load)> {
        let now = self.micros(now);
        let others = self
            .all
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != but);
        others
            .map(|(index, thread)| (index, thread.load(now)))
            .min_by_key(|(_, load)| (load.heavy, load.busy))
    }

    /// Never 0.
    fn micros(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.start).as_micros();
        u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1)
    }
}

impl Thread {
    fn new(handle: Handle) -> Self {
        Self {
            handle,
            busy: AtomicU32::new(0),
            heavy: AtomicU32::new(0),
            saturated: AtomicBool::new(false),
            resting_since_us: AtomicU64::new(1),
        }
    }

    fn load(&self, now_us: u64) -> Load {
        let since = self.resting_since_us.load(Ordering::Relaxed);
        // A thread that rests judges no windows: what it last said is out of date.
        if since > 0 && u128::from(now_us.saturating_sub(since)) > WINDOW.as_micros() {
            return Load::default();
        }
        Load {
            busy: self.busy.load(Ordering::Relaxed),
            heavy: self.heavy.load(Ordering::Relaxed),
            is_saturated: self.saturated.load(Ordering::Relaxed),
        }
    }

    fn set_load(&self, load: Load) {
        self.busy.store(load.busy, Ordering::Relaxed);
        self.heavy.store(load.heavy, Ordering::Relaxed);
        self.saturated.store(load.is_saturated, Ordering::Relaxed);
    }
}

impl Here {
    fn own(&self) -> &Thread {
        &self.threads.all[self.index]
    }

    /// Judges a window that is over, and tells the other threads.
    fn judge(&mut self, now: Instant) {
        self.pace.judge(now, cpu_time());
        self.own().set_load(self.pace.load());
    }
}

/// CPU time that the calling thread has had.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    // The clock begins at zero and never runs backwards.
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::Server;

    const MESSAGES: usize = 20_000;
    const PUBLISHERS: usize = 3;
    /// Messages between two round trips.
    const TURN: usize = 100;

    fn connect(server: &Server) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(server.client_addr()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut stream = BufReader::new(stream);
        let mut info = String::new();
        stream.read_line(&mut info).unwrap();
        stream
    }

    /// Waits until all that was sent is handled.
    fn round_trip(stream: &mut BufReader<TcpStream>) {
        stream.get_mut().write_all(b"PING\r\n").unwrap();
        let mut line = String::new();
        while line != "PONG\r\n" {
            line.clear();
            assert!(stream.read_line(&mut line).unwrap() > 0, "closed");
        }
    }

    fn publish(server: &Server, publisher: usize) {
        let mut stream = connect(server);
        stream
            .get_mut()
            .write_all(b"CONNECT {\"verbose\":false}\r\n")
            .unwrap();
        for number in 0..MESSAGES {
            let body = format!("{publisher} {number:08}");
            let frame = format!("PUB moving {}\r\n{body}\r\n", body.len());
            // Cut anywhere, so that turns end within frames.
            let (one, other) = frame.as_bytes().split_at(number % frame.len());
            let socket = stream.get_mut();
            if number % 64 == 0 {
                socket.write_all(one).unwrap();
                socket.write_all(other).unwrap();
            } else {
                socket.write_all(frame.as_bytes()).unwrap();
            }
            if number % TURN == 0 {
                round_trip(&mut stream);
            }
        }
        round_trip(&mut stream);
    }

    #[test]
    fn connections_that_move_after_every_turn_lose_nothing_and_keep_the_order() {
        let server = Server::builder().start().unwrap();
        let threads = &server.engine().threads;
        // On a machine with one core there is nowhere to move to, and the rest still holds.
        threads.restless.store(true, Ordering::Relaxed);
        let mut subscriber = connect(&server);
        subscriber
            .get_mut()
            .write_all(b"CONNECT {\"verbose\":false}\r\nSUB moving 1\r\n")
            .unwrap();
        round_trip(&mut subscriber);
        let mut line = String::new();
        std::thread::scope(|scope| {
            for publisher in 0..PUBLISHERS {
                let server = &server;
                scope.spawn(move || publish(server, publisher));
            }
            let mut next = [0; PUBLISHERS];
            let mut body = [0; 12];
            while next.iter().sum::<usize>() < MESSAGES * PUBLISHERS {
                line.clear();
                subscriber.read_line(&mut line).unwrap();
                if line == "PING\r\n" {
                    subscriber.get_mut().write_all(b"PONG\r\n").unwrap();
                    continue;
                }
                if !line.starts_with("MSG moving 1 ") {
                    assert!(line.starts_with("INFO "), "{line:?}");
                    continue;
                }
                subscriber.read_exact(&mut body).unwrap();
                let text = std::str::from_utf8(&body).unwrap();
                let (publisher, number) = text.trim_end().split_once(' ').unwrap();
                let publisher: usize = publisher.parse().unwrap();
                assert_eq!(number.parse(), Ok(next[publisher]), "of {publisher}");
                next[publisher] += 1;
            }
        });
        let moves = threads.moves.load(Ordering::Relaxed);
        // Each round trip is a turn at least.
        assert!(moves >= (MESSAGES / TURN) as u64, "{moves} moves");
    }
}
