//! Threads of the operating system that run a built-in answer: one seat each.

use std::io;

use tokio::task::JoinSet;

use super::built_in::BuiltIn;
use super::crew::{Event, Seat};
use super::job::By;

/// Starts the thread of a seat; it ends when the crew goes home.
pub(crate) fn occupy(answer: BuiltIn, seat: Seat, tasks: &mut JoinSet<()>) -> io::Result<()> {
    // Linux keeps fifteen characters of a thread's name.
    let name = format!("answer-{}", seat.number + 1);
    let (gone, end) = tokio::sync::oneshot::channel::<()>();
    std::thread::Builder::new().name(name).spawn(move || {
        serve(&answer, seat);
        drop(gone);
    })?;
    tasks.spawn(async move {
        // Fails when the thread lets go of its end, which is what is waited for.
        let _ = end.await;
    });
    Ok(())
}

fn serve(answer: &BuiltIn, mut seat: Seat) {
    let by = By::Thread(nix::unistd::gettid().as_raw());
    while seat.events.blocking_send(Event::Free(seat.number)).is_ok() {
        let Some(job) = seat.jobs.blocking_recv() else {
            return;
        };
        let answered = answer.answer(&job);
        let done = Event::Done(Box::new(job.done(Ok(answered), by)));
        if seat.events.blocking_send(done).is_err() {
            return;
        }
    }
}
