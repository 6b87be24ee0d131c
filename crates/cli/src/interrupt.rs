//! Ctrl-C, SIGTERM, and a terminal that is closed (SIGHUP): the first asks the command to end well,
//! the second ends it at once.
//!
//! It is taken from the very start. A command that does not listen for it yet (it looks a name up,
//! connects, reads its input) has nothing to bring to an end, and is ended here. It must never be
//! possible that neither does anything: a command that has not ended in time, for instance because
//! nobody reads its output, is ended here too.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Status;
use crate::failure::Failure;
use crate::terminal;
use crate::text::failures as text;

/// How long a command may take to end well.
const GRACE: Duration = Duration::from_secs(3);

/// Whether the end was asked for; set up once, by [`install`].
static ASKED: OnceLock<watch::Sender<bool>> = OnceLock::new();

/// Whether the command listens.
static ATTENDED: AtomicBool = AtomicBool::new(false);

/// From now on, signals are requests. For `main`, before anything else that may take time.
pub(crate) fn install(as_json: bool) -> Result<(), Failure> {
    let refused = |error: io::Error| Failure::Local {
        what: text::machine_failed(&error.to_string()),
        next: text::machine_failed_next().to_owned(),
    };
    let mut signals = Signals::new().map_err(refused)?;
    let asked = ASKED.get_or_init(|| watch::channel(false).0);
    tokio::spawn(async move {
        signals.any().await;
        if !ATTENDED.load(Ordering::SeqCst) {
            terminal::complain(&Failure::Interrupted, as_json);
            crate::children::kill_all();
            std::process::exit(Status::Interrupted.code().into());
        }
        asked.send_replace(true);
        let _ = tokio::time::timeout(GRACE, signals.any()).await;
        crate::children::kill_all();
        std::process::exit(Status::Interrupted.code().into());
    });
    Ok(())
}

/// Waits until the end is asked for, on behalf of a command that may or may not listen itself.
pub(crate) async fn asked() {
    let asked = ASKED.get_or_init(|| watch::channel(false).0);
    Interrupt(asked.subscribe()).asked().await;
}

/// Whether somebody has asked for the end.
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// From now on, the command itself sees to its end.
    ///
    /// Fails never today; a command treats it as what may, like everything that asks the machine.
    pub(crate) fn new() -> Result<Self, Failure> {
        let asked = ASKED.get_or_init(|| watch::channel(false).0);
        ATTENDED.store(true, Ordering::SeqCst);
        Ok(Self(asked.subscribe()))
    }

    /// Waits until the end is asked for.
    pub(crate) async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            // The sender is a static: it never goes.
            std::future::pending::<()>().await;
        }
    }

    /// Whether the end has been asked for.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Not with `nohup`, whose point it is that this changes nothing.
    hangup: Option<Signal>,
}

impl Signals {
    fn new() -> io::Result<Self> {
        // Asked before we take the signal over ourselves.
        let hangup = !ignores_hangup();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: hangup.then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    async fn any(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether whoever started us wants SIGHUP to be ignored: the lowest bit of the mask in `/proc`.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}
