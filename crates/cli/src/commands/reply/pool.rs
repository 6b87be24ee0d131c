//! Long-lived worker processes: each seat keeps one, feeds it one request at a time, and replaces
//! it when it ends, answers nonsense, or does not answer in time.
//!
//! A request whose worker failed is not given to another one: nobody knows what the first had done
//! with it already.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout, timeout_at};

use super::crew::{Event, Seat};
use super::frame::{self, Broken};
use super::job::{Answer, By, Job};
use super::program::{self, Failed, Program};
use super::refusal::Refusal;
use crate::children::Group;
use crate::span;
use crate::terminal;
use crate::text::serving as text;

/// The pause before a worker is replaced that has answered nothing; it doubles up to the other.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long a worker that closed its pipes has until it must have ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Number of the worker, from 1, in its environment.
const WORKER: &str = "RECADO_WORKER";

/// What the workers are.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) program: Program,
    pub(crate) output_bytes_max: usize,
}

/// Keeps a worker on a seat until the crew goes home.
pub(crate) async fn occupy(pool: Arc<Pool>, mut seat: Seat) {
    let mut pause = Duration::ZERO;
    loop {
        let worker = Worker::start(&pool, seat.number);
        let (has_answered, lost) = match worker {
            Ok(mut worker) => {
                let end = worker.serve(&mut seat).await;
                match end {
                    End::Closed => return worker.close().await,
                    End::Died(how) => {
                        if leave(&mut seat).await.is_none() {
                            return;
                        }
                        (
                            worker.has_answered,
                            text::worker_lost(worker.group.pid(), &how),
                        )
                    }
                    End::Lost(how) => (
                        worker.has_answered,
                        text::worker_lost(worker.group.pid(), &how),
                    ),
                }
            }
            Err(error) => (false, text::not_started(&error.to_string())),
        };
        pause = match (has_answered, pause * 2) {
            (true, _) => Duration::ZERO,
            (false, twice) => twice.clamp(PAUSE_MIN, PAUSE_MAX),
        };
        terminal::notice(&match pause.is_zero() {
            true => text::replaced_now(&lost),
            false => text::replaced_in(&lost, &span::show(pause)),
        });
        if rest(&mut seat, pause).await.is_none() {
            return;
        }
    }
}

/// Takes back that the seat is free, and gives back a job that was handed to it nevertheless;
/// `None` when the crew goes home.
async fn leave(seat: &mut Seat) -> Option<()> {
    let (answer, was_free) = oneshot::channel();
    let away = Event::Away(seat.number, answer);
    seat.events.send(away).await.ok()?;
    if !was_free.await.ok()? {
        let job = seat.jobs.recv().await?;
        seat.events.send(Event::Back(Box::new(job))).await.ok()?;
    }
    Some(())
}

/// Waits; `None` when the crew goes home meanwhile. No job comes, for the seat is not free.
async fn rest(seat: &mut Seat, pause: Duration) -> Option<()> {
    tokio::select! {
        () = sleep(pause) => Some(()),
        job = seat.jobs.recv() => job.map(drop),
    }
}

struct Worker {
    child: Child,
    group: Group,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    output_bytes_max: usize,
    has_answered: bool,
}

/// Why a worker serves no more.
enum End {
    /// The crew goes home.
    Closed,
    /// It ended while there was nothing to do.
    Died(String),
    /// It was lost over a request, which is answered.
    Lost(String),
}

/// What came of a request, for whoever asked and for the worker.
struct Exchange {
    outcome: Result<Answer, Refusal>,
    /// Why the worker can't go on.
    lost: Option<String>,
}

impl Worker {
    fn start(pool: &Pool, seat: usize) -> std::io::Result<Self> {
        let mut command = pool.program.command();
        command.env(WORKER, (seat + 1).to_string());
        let (mut child, group) = program::start(&mut command)?;
        let missing = || std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        Ok(Self {
            child,
            group,
            stdin,
            stdout: BufReader::new(stdout),
            output_bytes_max: pool.output_bytes_max,
            has_answered: false,
        })
    }

    async fn serve(&mut self, seat: &mut Seat) -> End {
        loop {
            if seat.events.send(Event::Free(seat.number)).await.is_err() {
                return End::Closed;
            }
            let job = tokio::select! {
                // First of all: a job must not go to somebody who is dead.
                biased;
                status = self.child.wait() => {
                    return End::Died(told(status.ok().and_then(Failed::new).as_ref()));
                }
                job = seat.jobs.recv() => job,
            };
            let Some(job) = job else {
                return End::Closed;
            };
            let Exchange { outcome, lost } = self.exchange(&job).await;
            self.has_answered |= lost.is_none();
            let by = By::Process(self.group.pid());
            let done = Event::Done(Box::new(job.done(outcome, by)));
            if seat.events.send(done).await.is_err() {
                return End::Closed;
            }
            if let Some(how) = lost {
                return End::Lost(how);
            }
        }
    }

    async fn exchange(&mut self, job: &Job) -> Exchange {
        let frame = frame::request(job);
        let (stdin, stdout) = (&mut self.stdin, &mut self.stdout);
        let limit = self.output_bytes_max;
        let writing = async {
            stdin.write_all(&frame).await.map_err(|_| Broken::Ended)?;
            stdin.flush().await.map_err(|_| Broken::Ended)
        };
        let both = async { tokio::try_join!(writing, frame::answer(stdout, limit)) };
        let broken = match timeout_at(job.deadline, both).await {
            Ok(Ok(((), outcome))) => {
                return Exchange {
                    outcome,
                    lost: None,
                };
            }
            Ok(Err(broken)) => broken,
            Err(_) => {
                let limit = span::show(job.limit());
                return Exchange {
                    outcome: Err(Refusal::late(&limit)),
                    lost: Some(text::worker_late(&limit)),
                };
            }
        };
        let (refusal, how) = match broken {
            Broken::Ended => self.last_words().await,
            Broken::Malformed(why) => (Refusal::bad_frame(&why), text::worker_malformed(&why)),
            Broken::TooLarge => (
                Refusal::output_too_large(limit),
                text::worker_too_large(limit),
            ),
        };
        Exchange {
            outcome: Err(refusal),
            lost: Some(how),
        }
    }

    /// How a worker ended that closed its pipes.
    async fn last_words(&mut self) -> (Refusal, String) {
        match timeout(LAST_WORDS, self.child.wait()).await {
            Ok(status) => {
                let failed = status.ok().and_then(Failed::new);
                let refusal = failed.as_ref().map(Failed::refusal);
                let refusal =
                    refusal.unwrap_or_else(|| Refusal::process_failed("the process ended"));
                (refusal, told(failed.as_ref()))
            }
            Err(_) => {
                let how = "the process closed its output";
                (
                    Refusal::process_failed(how),
                    text::worker_silent().to_owned(),
                )
            }
        }
    }

    /// Ends its input, which ends a worker that behaves; the crew sees to the others.
    async fn close(mut self) {
        drop(self.stdin);
        // What kind of end it is does not matter any more.
        let _ = self.child.wait().await;
    }
}

/// How a worker ended, for this terminal.
fn told(failed: Option<&Failed>) -> String {
    failed.map_or_else(|| text::worker_ended_well().to_owned(), Failed::told)
}
