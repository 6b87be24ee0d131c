//! Whether the threads of a server still do their work: each is asked, and has a bounded time to answer.
//! Who asks decides what a silence means; nothing here ends anything.
//!
//! The committer is not asked. It waits for the disk, which takes as long as it takes, and a process that is
//! started anew waits for the same disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::streams::Place;

/// The threads of one server, with the questions that they have not answered yet: one each at the most.
pub(crate) struct Pulse {
    engine: Arc<Engine>,
    /// One for each thread of the engine.
    asked: Vec<Option<Receiver<()>>>,
    streams: Arc<Place>,
}

impl Pulse {
    pub(crate) fn new(engine: &Arc<Engine>, streams: Arc<Place>) -> Self {
        Self {
            engine: Arc::clone(engine),
            asked: (0..engine.threads.count()).map(|_| None).collect(),
            streams,
        }
    }

    /// Asks every thread and waits for all of them together, no longer than `patience`. Returns the names of
    /// those that kept silent.
    pub(crate) fn silent(&mut self, patience: Duration) -> Vec<String> {
        let until = Instant::now() + patience;
        for (index, asked) in self.asked.iter_mut().enumerate() {
            // Who has not answered the last question would not answer another.
            asked.get_or_insert_with(|| ask(&self.engine, index));
        }
        // They may have been turned on or off since.
        let streams = self.streams.get().map(|running| running.streams.beat());
        if let Some(streams) = &streams {
            streams.ask();
        }
        let mut silent = Vec::new();
        for (index, asked) in self.asked.iter_mut().enumerate() {
            let left = until.saturating_duration_since(Instant::now());
            let outcome = asked.as_ref().map(|answer| answer.recv_timeout(left));
            if outcome != Some(Err(RecvTimeoutError::Timeout)) {
                *asked = None;
            }
            if outcome != Some(Ok(())) {
                silent.push(format!("recado-{index}"));
            }
        }
        if let Some(streams) = &streams
            && !streams.answered(until)
        {
            silent.push("recado-streams".to_owned());
        }
        silent
    }
}

/// A task on the thread that answers as soon as it has a turn, as a connection would.
fn ask(engine: &Engine, index: usize) -> Receiver<()> {
    let (answer, answered) = sync_channel(1);
    engine.threads.runtime(index).spawn(async move {
        // Whoever asked may have gone.
        let _ = answer.try_send(());
    });
    answered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;

    /// Ample for a slow machine; met only by a failing test.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn a_server_with_streams_answers_with_all_its_threads() {
        let directory = tempfile::tempdir().unwrap();
        let server = Server::builder()
            .store_dir(directory.path())
            .start()
            .unwrap();
        let mut pulse = server.handle().pulse();
        assert!(pulse.streams.get().is_some());
        for _ in 0..3 {
            assert_eq!(pulse.silent(PATIENCE), Vec::<String>::new());
        }
    }

    #[test]
    fn a_thread_that_is_stuck_is_named_until_it_goes_on() {
        let server = Server::builder().start().unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (stuck, is_stuck) = std::sync::mpsc::channel();
        server.engine().threads.runtime(0).spawn(async move {
            stuck.send(()).unwrap();
            // As a defect would, it keeps the thread.
            let _ = held.recv();
        });
        is_stuck.recv().unwrap();
        let mut pulse = server.handle().pulse();
        for _ in 0..2 {
            assert_eq!(pulse.silent(Duration::from_millis(50)), ["recado-0"]);
        }
        drop(release);
        assert_eq!(pulse.silent(PATIENCE), Vec::<String>::new());
    }

    #[test]
    fn a_server_that_has_ended_is_silent_and_nobody_waits_for_it() {
        let server = Server::builder().start().unwrap();
        let mut pulse = server.handle().pulse();
        server.shutdown();
        let before = Instant::now();
        assert!(!pulse.silent(PATIENCE).is_empty());
        assert!(before.elapsed() < PATIENCE);
    }
}
