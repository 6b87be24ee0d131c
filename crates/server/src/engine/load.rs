//! How busy one thread is, with whom, and whether somebody should leave it: as pure arithmetic.
//!
//! A thread is judged window by window. Only the connection that took most of a saturated window is
//! ever asked to move, so that connections leave one at a time and each move is judged anew.

use std::time::{Duration, Instant};

/// Time over which a thread is judged.
pub(crate) const WINDOW: Duration = Duration::from_millis(5);
/// A connection that moved stays for so long.
const STAY: Duration = Duration::from_millis(500);

// The following are parts of a window, in thousandths.

/// A thread has no time left if it rested for less than this,
const RESTED_MAX: u32 = 50;
/// and had a core for so much of the window. With less, it is the machine that has no time left, and
/// spreading over more threads would only cost more of it.
const SATURATED: u32 = 700;
/// From here on a thread does not even take on a new connection. It is more than [`SATURATED`], for
/// most connections are light and handing one over wakes the other thread.
const FULL: u32 = 900;
/// From here on a connection counts as heavy.
const HEAVY: u32 = 150;
/// From here on a connection is most of what its thread does.
const DOMINANT: u32 = 500;
/// A thread with less to do has room for a heavy connection.
const ROOMY: u32 = 300;
/// What a move must gain at least.
const GAIN: u32 = 100;

/// So many windows in a row must be saturated with several connections before one is asked to move:
/// a PING beside a flood is no reason.
const CROWDED_WINDOWS: u32 = 4;

/// What a thread has to do, as others see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Thousandths of its last window for which it had a core.
    pub(crate) busy: u32,
    /// It had no time left.
    pub(crate) is_saturated: bool,
    /// Connections that each took a good part of it.
    pub(crate) heavy: u32,
}

impl Load {
    /// Whether new connections should go elsewhere.
    pub(crate) fn is_full(self) -> bool {
        self.is_saturated && self.busy >= FULL
    }

    /// The same with one more connection of this weight.
    pub(crate) fn with(self, share: u32) -> Self {
        Self {
            busy: self.busy + share,
            heavy: self.heavy + u32::from(share >= HEAVY),
            ..self
        }
    }
}

/// One connection's part of its thread's time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    /// The window that `spent` belongs to.
    window: u32,
    spent_ns: u32,
    moved: Option<Instant>,
}

impl Share {
    /// It moved now.
    pub(crate) fn moved(&mut self, now: Instant) {
        *self = Self {
            moved: Some(now),
            ..Self::default()
        };
    }
}

/// A thread's account of its time.
#[derive(Debug)]
pub(crate) struct Pace {
    window: u32,
    began: Instant,
    /// The thread's CPU time when it began.
    cpu_began: Duration,
    /// Time of this window in which there was nothing to do.
    idle: Duration,
    idle_since: Option<Instant>,
    /// Connections that had a turn in this window, and those that took much of it.
    active: u32,
    heavy: u32,
    heaviest: Heaviest,
    /// Windows in a row that were saturated with more than one connection.
    crowded: u32,
    last: Judged,
}

#[derive(Clone, Copy, Debug, Default)]
struct Heaviest {
    connection: u64,
    spent_ns: u32,
}

/// A window that is over.
#[derive(Clone, Copy, Debug, Default)]
struct Judged {
    load: Load,
    /// The connection that should move if there is a better place, and its part.
    candidate: Option<(u64, u32)>,
}

impl Pace {
    /// `cpu` is the thread's CPU time so far.
    pub(crate) fn new(now: Instant, cpu: Duration) -> Self {
        Self {
            window: 1,
            began: now,
            cpu_began: cpu,
            idle: Duration::ZERO,
            idle_since: None,
            active: 0,
            heavy: 0,
            heaviest: Heaviest::default(),
            crowded: 0,
            last: Judged::default(),
        }
    }

    /// The thread's load in its last whole window.
    pub(crate) fn load(&self) -> Load {
        self.last.load
    }

    /// There is nothing to do from now on.
    pub(crate) fn rest(&mut self, now: Instant) {
        self.idle_since = Some(now);
    }

    /// There is something to do again; whether the window is over.
    pub(crate) fn wake(&mut self, now: Instant) -> bool {
        if let Some(since) = self.idle_since.take() {
            self.idle += now.saturating_duration_since(since.max(self.began));
        }
        self.is_over(now)
    }

    /// A connection had a turn; whether the window is over.
    pub(crate) fn spend(
        &mut self,
        connection: u64,
        share: &mut Share,
        from: Instant,
        to: Instant,
    ) -> bool {
        if share.window != self.window {
            share.window = self.window;
            share.spent_ns = 0;
            self.active += 1;
        }
        let before = share.spent_ns;
        let took = to.saturating_duration_since(from).as_nanos();
        share.spent_ns = before.saturating_add(u32::try_from(took).unwrap_or(u32::MAX));
        let heavy_ns = part_of(WINDOW, HEAVY);
        self.heavy += u32::from(before < heavy_ns && share.spent_ns >= heavy_ns);
        let stays = share
            .moved
            .is_some_and(|moved| to.saturating_duration_since(moved) < STAY);
        if share.spent_ns > self.heaviest.spent_ns && !stays {
            self.heaviest = Heaviest {
                connection,
                spent_ns: share.spent_ns,
            };
        }
        self.is_over(to)
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.began) >= WINDOW
    }

    /// Judges the window that is over, and begins the next. `cpu` is the thread's CPU time so far.
    pub(crate) fn judge(&mut self, now: Instant, cpu: Duration) {
        let elapsed = now.saturating_duration_since(self.began);
        let busy = thousandths(cpu.saturating_sub(self.cpu_began), elapsed);
        let load = Load {
            busy,
            is_saturated: busy >= SATURATED && thousandths(self.idle, elapsed) <= RESTED_MAX,
            heavy: self.heavy,
        };
        let share = thousandths(Duration::from_nanos(self.heaviest.spent_ns.into()), elapsed);
        self.crowded = if load.is_saturated && self.active > 1 {
            self.crowded + 1
        } else {
            0
        };
        let asks = self.crowded >= CROWDED_WINDOWS && self.heaviest.spent_ns > 0;
        self.last = Judged {
            load,
            candidate: asks.then_some((self.heaviest.connection, share)),
        };
        self.window = self.window.wrapping_add(1).max(1);
        self.began = now;
        self.cpu_began = cpu;
        self.idle = Duration::ZERO;
        self.active = 0;
        self.heavy = 0;
        self.heaviest = Heaviest::default();
    }

    /// The part of this connection if it is the one that should move, asked once a window.
    pub(crate) fn candidacy(&mut self, connection: u64) -> Option<u32> {
        let (candidate, share) = self.last.candidate?;
        (candidate == connection).then(|| {
            self.last.candidate = None;
            share
        })
    }
}

/// Whether a connection with this part of its thread's time is better off on another thread.
pub(crate) fn is_better_off(share: u32, here: Load, there: Load) -> bool {
    let has_room = there.busy + share + GAIN <= here.busy;
    // Heavy ones take what they are given: their part here says little about their part there.
    let gets_away = share >= DOMINANT && there.heavy == 0 && there.busy <= ROOMY;
    let evens_out = share >= HEAVY && there.heavy + 2 <= here.heavy;
    has_room || gets_away || evens_out
}

fn thousandths(part: Duration, whole: Duration) -> u32 {
    let whole = whole.as_nanos().max(1);
    u32::try_from(part.as_nanos() * 1000 / whole).map_or(1000, |found| found.min(1000))
}

fn part_of(whole: Duration, thousandths: u32) -> u32 {
    u32::try_from(whole.as_nanos() * u128::from(thousandths) / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    /// A thread and what its connections did, on a clock of its own.
    struct Story {
        start: Instant,
        pace: Pace,
        at: Duration,
        cpu: Duration,
    }

    impl Story {
        fn new() -> Self {
            let start = Instant::now();
            Self {
                start,
                pace: Pace::new(start, Duration::ZERO),
                at: Duration::ZERO,
                cpu: Duration::ZERO,
            }
        }

        /// A turn during which the thread had a core for `cpu`.
        fn slow_turn(&mut self, connection: u64, share: &mut Share, took: Duration, cpu: Duration) {
            let (from, to) = (self.at, self.at + took);
            (self.at, self.cpu) = (to, self.cpu + cpu);
            let (from, to) = (self.start + from, self.start + to);
            if self.pace.spend(connection, share, from, to) {
                self.pace.judge(to, self.cpu);
            }
        }

        fn turn(&mut self, connection: u64, share: &mut Share, took: Duration) {
            self.slow_turn(connection, share, took, took);
        }

        fn rest(&mut self, took: Duration) {
            self.pace.rest(self.start + self.at);
            self.at += took;
            if self.pace.wake(self.start + self.at) {
                self.pace.judge(self.start + self.at, self.cpu);
            }
        }
    }

    #[test]
    fn a_connection_that_is_alone_on_its_thread_is_never_asked_to_move() {
        let (mut story, mut share) = (Story::new(), Share::default());
        for _ in 0..100 {
            story.turn(1, &mut share, ms(1));
        }
        assert!(story.pace.load().is_saturated);
        assert_eq!(story.pace.candidacy(1), None);
    }

    #[test]
    fn the_heaviest_of_a_saturated_thread_is_asked_once_a_window() {
        let (mut story, mut heavy, mut light) = (Story::new(), Share::default(), Share::default());
        for _ in 0..CROWDED_WINDOWS {
            assert_eq!(
                story.pace.candidacy(1),
                None,
                "not before it was so for a while"
            );
            story.turn(1, &mut heavy, ms(3));
            story.turn(2, &mut light, ms(1));
            story.turn(1, &mut heavy, ms(1));
        }
        assert_eq!(story.pace.candidacy(2), None);
        assert_eq!(story.pace.candidacy(1), Some(800));
        assert_eq!(story.pace.candidacy(1), None);
    }

    #[test]
    fn a_thread_with_time_left_keeps_everybody() {
        let (mut story, mut one, mut other) = (Story::new(), Share::default(), Share::default());
        for _ in 0..100 {
            story.turn(1, &mut one, ms(2));
            story.turn(2, &mut other, ms(2));
            story.rest(ms(1));
            assert_eq!(story.pace.candidacy(1), None);
            assert_eq!(story.pace.candidacy(2), None);
        }
        let load = Load {
            busy: 800,
            is_saturated: false,
            heavy: 2,
        };
        assert_eq!(story.pace.load(), load);
    }

    #[test]
    fn a_thread_that_waits_for_a_core_keeps_everybody_too() {
        let (mut story, mut one, mut other) = (Story::new(), Share::default(), Share::default());
        for _ in 0..100 {
            story.slow_turn(1, &mut one, ms(2), ms(1));
            story.slow_turn(2, &mut other, ms(3), ms(1));
            assert_eq!(story.pace.candidacy(2), None);
        }
    }

    #[test]
    fn who_moved_stays_for_a_while() {
        let (mut story, mut moved, mut other) = (Story::new(), Share::default(), Share::default());
        moved.moved(story.start);
        for _ in 0..CROWDED_WINDOWS {
            story.turn(1, &mut moved, ms(4));
            story.turn(2, &mut other, ms(1));
        }
        assert_eq!(story.pace.candidacy(1), None);
        assert_eq!(story.pace.candidacy(2), Some(200));
    }

    #[test]
    fn moving_must_help() {
        let load = |busy, heavy| Load {
            busy,
            heavy,
            is_saturated: busy >= SATURATED,
        };
        // A flood beside light ones goes to an idle thread, and not back.
        assert!(is_better_off(950, load(1000, 1), load(0, 0)));
        assert!(!is_better_off(950, load(1000, 1), load(1000, 1)));
        // Three floods on one thread and one on the other become two and two.
        assert!(is_better_off(333, load(1000, 3), load(1000, 1)));
        assert!(!is_better_off(500, load(1000, 2), load(1000, 1)));
        // Many light ones spread until both have about the same to do.
        assert!(is_better_off(10, load(1000, 0), load(880, 0)));
        assert!(!is_better_off(10, load(1000, 0), load(950, 0)));
    }
}
