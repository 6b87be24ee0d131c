//! A client that behaves, and notices when it is not served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use recado_conformance::{PATIENCE, Peer, ServerProcess};

/// The longest that a round trip may take while others misbehave; it takes well below a
/// millisecond on a server at rest, but tests share their machine.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(5);

/// Time between two round trips.
const PAUSE: Duration = Duration::from_millis(1);

/// Sends itself messages, one after the other, until it is asked how that went.
pub(crate) struct Witness {
    over: Arc<AtomicBool>,
    thread: JoinHandle<(u64, Duration)>,
}

impl Witness {
    /// Connects, and starts.
    pub(crate) fn of(server: &ServerProcess) -> Self {
        let mut sender = Peer::plain(server);
        let mut receiver = Peer::plain(server);
        assert_eq!(receiver.until_pong("SUB witness 1\r\n"), "");
        let over = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut round_trips = 0;
            let mut longest = Duration::ZERO;
            // At least one after the last of what the others did.
            let mut last = false;
            while !last {
                last = asked.load(Ordering::Acquire);
                let start = Instant::now();
                sender.send("PUB witness 2\r\nhi\r\n");
                assert_eq!(receiver.message().payload, b"hi");
                longest = longest.max(start.elapsed());
                round_trips += 1;
                // It is there to be served, not to add to the load.
                std::thread::sleep(PAUSE);
            }
            (round_trips, longest)
        });
        Self { over, thread }
    }

    /// Ends it.
    ///
    /// # Panics
    /// When it was not served.
    pub(crate) fn was_served(self) {
        self.over.store(true, Ordering::Release);
        let (round_trips, longest) = self.thread.join().expect("the witness lost its connection");
        println!("{round_trips} round trips beside it, the longest {longest:?}");
        assert!(
            longest < ROUND_TRIP_MAX,
            "the witness had to wait for {longest:?}"
        );
    }
}

/// Waits until the server has let go of the connections that were closed.
///
/// # Panics
/// When it keeps more descriptors than `most`.
pub(crate) fn descriptors_fall_to(server: &ServerProcess, most: usize) {
    let deadline = Instant::now() + PATIENCE;
    while server.descriptors() > most {
        assert!(
            Instant::now() < deadline,
            "descriptors of closed connections are kept"
        );
        std::thread::yield_now();
    }
}
