//! A process for each request: the payload on its standard input, its standard output the answer.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::{timeout, timeout_at};

use super::crew::{Event, Seat};
use super::environment;
use super::job::{Answer, By, Job};
use super::program::{self, Failed, Program};
use super::refusal::Refusal;
use crate::children::Group;
use crate::span;
use crate::terminal;
use crate::text::serving as text;

/// How long the output of a process that is over is still read: somebody that it started may hold
/// the other end, and has left its group so that it was not killed with it.
const REST_PATIENCE: Duration = Duration::from_millis(200);

/// What is started for each request.
#[derive(Debug)]
pub(crate) struct Exec {
    pub(crate) program: Program,
    pub(crate) output_bytes_max: usize,
}

/// Answers the jobs of a seat, one after the other.
pub(crate) async fn occupy(exec: Arc<Exec>, mut seat: Seat) {
    let free = || Event::Free(seat.number);
    while seat.events.send(free()).await.is_ok() {
        let Some(job) = seat.jobs.recv().await else {
            return;
        };
        let (outcome, by) = exec.answer(&job).await;
        let done = Event::Done(Box::new(job.done(outcome, by)));
        if seat.events.send(done).await.is_err() {
            return;
        }
    }
}

impl Exec {
    async fn answer(&self, job: &Job) -> (Result<Answer, Refusal>, By) {
        let mut command = self.program.command();
        match environment::of(job) {
            Ok(variables) => command.envs(variables),
            Err(refusal) => return (Err(refusal), By::Here),
        };
        let (mut child, group) = match program::start(&mut command) {
            Ok(started) => started,
            Err(error) => {
                terminal::notice(&text::not_started(&error.to_string()));
                return (Err(Refusal::not_started()), By::Here);
            }
        };
        let by = By::Process(group.pid());
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return (Err(Refusal::not_started()), by);
        };
        let payload = job.request.payload.clone();
        let work = self.converse(&mut child, group, stdin, stdout, payload);
        let outcome = match timeout_at(job.deadline, work).await {
            Ok(outcome) => outcome,
            // The group went with the future.
            Err(_) => Err(Refusal::late(&span::show(job.limit()))),
        };
        if outcome.is_err() {
            // Killed by now, if it did not end by itself: it must not stay as a zombie.
            let _ = child.wait().await;
        }
        (outcome.map(Answer::from), by)
    }

    /// Writes, reads and waits at the same time: a process may answer before it has read all.
    async fn converse(
        &self,
        child: &mut tokio::process::Child,
        group: Group,
        stdin: ChildStdin,
        mut stdout: ChildStdout,
        payload: Bytes,
    ) -> Result<Bytes, Refusal> {
        let mut output = Vec::new();
        let status = {
            let limit = self.output_bytes_max;
            let mut reading = std::pin::pin!(read_up_to(&mut stdout, &mut output, limit));
            let mut writing = std::pin::pin!(feed(stdin, payload));
            let (mut has_read, mut has_written) = (None, false);
            let status = loop {
                tokio::select! {
                    status = child.wait() => break status,
                    fits = &mut reading, if has_read.is_none() => {
                        fits?;
                        has_read = Some(());
                    }
                    () = &mut writing, if !has_written => has_written = true,
                }
            };
            // Whatever it started must not answer, or live, after it.
            drop(group);
            if has_read.is_none() {
                match timeout(REST_PATIENCE, reading).await {
                    Ok(fits) => fits?,
                    Err(_) => terminal::notice(text::output_held()),
                }
            }
            status
        };
        judge(status, output)
    }
}

fn judge(status: std::io::Result<ExitStatus>, output: Vec<u8>) -> Result<Bytes, Refusal> {
    match status {
        Ok(status) => match Failed::new(status) {
            None => Ok(output.into()),
            Some(failed) => Err(failed.refusal()),
        },
        Err(_) => Err(Refusal::process_failed("the process was lost")),
    }
}

async fn feed(mut stdin: ChildStdin, payload: Bytes) {
    // A process need not read its input.
    let _ = stdin.write_all(&payload).await;
    let _ = stdin.shutdown().await;
}

async fn read_up_to(
    stdout: &mut ChildStdout,
    output: &mut Vec<u8>,
    max: usize,
) -> Result<(), Refusal> {
    let one_more = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    // What fails here is a pipe of our own; the exit status tells more.
    let _ = stdout.take(one_more).read_to_end(output).await;
    if output.len() > max {
        return Err(Refusal::output_too_large(max));
    }
    Ok(())
}
