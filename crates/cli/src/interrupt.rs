//! Ctrl-C (and SIGTERM): the first asks the command to end well, the second ends it at once.
//!
//! It must never be possible that neither does anything: a command that has not ended in time,
//! for instance because nobody reads its output, is ended here.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Status;
use crate::failure::Failure;
use crate::text::failures as text;

/// How long a command may take to end well.
const GRACE: Duration = Duration::from_secs(3);

/// Whether somebody has asked for the end.
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// From now on, signals are requests.
    pub(crate) fn new() -> Result<Self, Failure> {
        let refused = |error: std::io::Error| Failure::Local {
            what: text::machine_failed(&error.to_string()),
            next: text::machine_failed_next().to_owned(),
        };
        let mut pressed = signal(SignalKind::interrupt()).map_err(refused)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            either(&mut pressed, &mut terminate).await;
            // Nobody listens only when the program is about to end anyway.
            let _ = sender.send(true);
            let _ = tokio::time::timeout(GRACE, either(&mut pressed, &mut terminate)).await;
            crate::children::kill_all();
            std::process::exit(Status::Interrupted.code().into());
        });
        Ok(Self(receiver))
    }

    /// Waits until the end is asked for.
    pub(crate) async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            // The task above never drops its sender before the program ends.
            std::future::pending::<()>().await;
        }
    }

    /// Whether the end has been asked for.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
