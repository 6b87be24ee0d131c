//! Who answers at the same time, and who waits: a number of seats, each of which answers one
//! request at a time, and a bounded queue in front of them.
//!
//! What a seat is (a process per request, a long-lived worker, a thread) it knows alone. Requests
//! are handed out here in the order in which they came; what does not fit is refused at once, and
//! what has waited past its deadline is refused without being started.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::job::{By, Done, Job};
use super::refusal::Refusal;
use crate::children;
use crate::span;

/// How many bytes of payloads may wait, however many requests they are.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long processes may take to end when their input has ended, then when asked to, and then when
/// killed. With what the end takes before, it must stay below the grace of `Interrupt`.
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);
const TERMINATE_PATIENCE: Duration = Duration::from_millis(300);
const KILL_PATIENCE: Duration = Duration::from_millis(100);

/// What a seat reports.
#[derive(Debug)]
pub(crate) enum Event {
    /// It is ready for a job.
    Free(usize),
    /// It is not, although it said so before; is told whether it was still free. If not, a job is
    /// on its way to it.
    Away(usize, oneshot::Sender<bool>),
    /// It can't do this job now, and has not begun.
    Back(Box<Job>),
    /// This one is over.
    Done(Box<Done>),
}

/// A seat's own end of the wires.
pub(crate) struct Seat {
    pub(crate) number: usize,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) events: Sender<Event>,
}

/// All seats, and what waits for them.
pub(crate) struct Crew {
    seats: Vec<Sender<Job>>,
    tasks: JoinSet<()>,
    events: Receiver<Event>,
    free: VecDeque<usize>,
    waiting: VecDeque<Job>,
    waiting_bytes: usize,
    waiting_max: usize,
    /// Handed to a seat and not over, by their numbers.
    begun: BTreeMap<u64, Job>,
}

impl Crew {
    /// So many seats, each made by `occupy`: with a task that is waited for at the end, if it has one.
    pub(crate) fn new(
        seats: usize,
        waiting_max: usize,
        mut occupy: impl FnMut(Seat, &mut JoinSet<()>),
    ) -> Self {
        let (sender, events) = mpsc::channel(seats * 4);
        let mut tasks = JoinSet::new();
        let seats = (0..seats).map(|number| {
            let (hand, jobs) = mpsc::channel(1);
            let seat = Seat {
                number,
                jobs,
                events: sender.clone(),
            };
            occupy(seat, &mut tasks);
            hand
        });
        Self {
            seats: seats.collect(),
            tasks,
            events,
            free: VecDeque::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            waiting_max,
            begun: BTreeMap::new(),
        }
    }

    /// Takes a job, or gives it back refused if there is no room for it.
    pub(crate) fn take(&mut self, job: Job) -> Option<Done> {
        let job = self.hand(job)?;
        let size = job.request.payload.len();
        // One that is larger than all room may still wait alone.
        let fits = self.waiting_bytes == 0 || self.waiting_bytes + size <= WAITING_BYTES_MAX;
        // Counted together: a seat that is about to say that it is free counts as one.
        let room = self.seats.len() + self.waiting_max;
        if self.outstanding() >= room || !fits {
            let refusal = Refusal::busy(self.waiting.len());
            return Some(job.done(Err(refusal), By::Here));
        }
        self.waiting_bytes += size;
        self.waiting.push_back(job);
        None
    }

    /// Waits until a job is over. Without jobs it waits for ever.
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Done {
        loop {
            let oldest = self.waiting.front().map(|job| job.deadline);
            let expiry = async {
                match oldest {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                biased;
                // When all seats are gone, only deadlines are left to wait for.
                Some(event) = self.events.recv() => self.judge(event),
                () = expiry => self.unqueue().map(|job| {
                    let refusal = Refusal::late(&span::show(job.limit()));
                    job.done(Err(refusal), By::Here)
                }),
            };
            if let Some(done) = done {
                return done;
            }
        }
    }

    /// How many are being worked on or wait.
    pub(crate) fn outstanding(&self) -> usize {
        self.begun.len() + self.waiting.len()
    }

    /// Refuses everything that is not over; what a seat still says about it counts no more.
    pub(crate) fn give_up(&mut self) -> Vec<Done> {
        self.waiting_bytes = 0;
        let begun = std::mem::take(&mut self.begun).into_values();
        let refused = |job: Job| job.done(Err(Refusal::ending()), By::Here);
        begun.chain(self.waiting.drain(..)).map(refused).collect()
    }

    /// Lets everybody go: processes get the end of their input, then SIGTERM, then SIGKILL.
    pub(crate) async fn close(mut self) {
        self.seats.clear();
        // Whoever has something to report must not wait for someone who listens no more.
        self.events.close();
        if self.all_gone(CLOSE_PATIENCE).await {
            return;
        }
        children::terminate_all();
        if !self.all_gone(TERMINATE_PATIENCE).await {
            children::kill_all();
            self.all_gone(KILL_PATIENCE).await;
        }
    }

    async fn all_gone(&mut self, patience: Duration) -> bool {
        let gone = async { while self.tasks.join_next().await.is_some() {} };
        timeout(patience, gone).await.is_ok()
    }

    fn judge(&mut self, event: Event) -> Option<Done> {
        match event {
            Event::Free(seat) => {
                self.free.push_back(seat);
                self.hand_waiting();
                None
            }
            Event::Away(seat, was_free) => {
                let before = self.free.len();
                self.free.retain(|free| *free != seat);
                // A seat that does not wait for the answer is gone altogether.
                let _ = was_free.send(self.free.len() < before);
                None
            }
            Event::Back(job) => {
                self.begun.remove(&job.number);
                self.waiting_bytes += job.request.payload.len();
                self.waiting.push_front(*job);
                self.hand_waiting();
                None
            }
            Event::Done(done) => {
                self.begun.remove(&done.job.number);
                Some(*done)
            }
        }
    }

    fn hand_waiting(&mut self) {
        while !self.free.is_empty() {
            let Some(job) = self.unqueue() else { return };
            if let Some(job) = self.hand(job) {
                self.waiting_bytes += job.request.payload.len();
                self.waiting.push_front(job);
                return;
            }
        }
    }

    fn unqueue(&mut self) -> Option<Job> {
        let job = self.waiting.pop_front()?;
        self.waiting_bytes -= job.request.payload.len();
        Some(job)
    }

    /// Hands a job to the seat that has been free for longest; gives it back if none is.
    fn hand(&mut self, mut job: Job) -> Option<Job> {
        while let Some(seat) = self.free.pop_front() {
            let begun = job.clone();
            match self.seats[seat].try_send(job) {
                Ok(()) => {
                    self.begun.insert(begun.number, begun);
                    return None;
                }
                // A seat that ended; it will not say that it is free again.
                Err(TrySendError::Closed(back) | TrySendError::Full(back)) => job = back,
            }
        }
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use async_nats::Message;
    use tokio::time::Instant;

    use super::*;
    use crate::commands::reply::job::Answer;

    fn job(number: u64, payload: usize) -> Job {
        let request = Message {
            subject: "s".into(),
            reply: Some("r".into()),
            payload: vec![0; payload].into(),
            headers: None,
            status: None,
            description: None,
            length: payload,
        };
        let arrived = Instant::now();
        let deadline = arrived + Duration::from_secs(60);
        Job {
            number,
            request,
            arrived,
            deadline,
        }
    }

    /// A crew whose seats are played by the test.
    fn crew(seats: usize, waiting_max: usize) -> (Crew, Vec<Seat>) {
        let mut played = Vec::new();
        let crew = Crew::new(seats, waiting_max, |seat, _| played.push(seat));
        (crew, played)
    }

    fn number(seat: &mut Seat) -> Option<u64> {
        seat.jobs.try_recv().ok().map(|job| job.number)
    }

    #[test]
    fn jobs_go_to_whoever_has_been_free_for_longest_and_wait_in_order() {
        let (mut crew, mut seats) = crew(2, 2);
        crew.judge(Event::Free(1));
        crew.judge(Event::Free(0));
        for number in 1..=4 {
            assert!(crew.take(job(number, 1)).is_none());
        }
        let refused = crew.take(job(5, 1)).unwrap();
        assert_eq!(refused.outcome.unwrap_err().code, 503);
        assert_eq!(
            (number(&mut seats[1]), number(&mut seats[0])),
            (Some(1), Some(2))
        );
        crew.judge(Event::Free(0));
        assert_eq!(number(&mut seats[0]), Some(3));
        let over = job(2, 1).done(Ok(Answer::default()), By::Here);
        assert_eq!(
            crew.judge(Event::Done(Box::new(over))).unwrap().job.number,
            2
        );
        assert_eq!(crew.outstanding(), 3);
    }

    #[test]
    fn a_seat_that_is_free_no_more_learns_whether_a_job_is_on_its_way() {
        let (mut crew, mut seats) = crew(2, 2);
        crew.judge(Event::Free(0));
        let (answer, mut was_free) = oneshot::channel();
        crew.judge(Event::Away(0, answer));
        assert_eq!(was_free.try_recv(), Ok(true));
        crew.judge(Event::Free(0));
        assert!(crew.take(job(1, 1)).is_none() && crew.take(job(2, 1)).is_none());
        let (answer, mut was_free) = oneshot::channel();
        crew.judge(Event::Away(0, answer));
        assert_eq!(was_free.try_recv(), Ok(false));
        let back = seats[0].jobs.try_recv().unwrap();
        crew.judge(Event::Back(Box::new(back)));
        crew.judge(Event::Free(1));
        assert_eq!(
            number(&mut seats[1]),
            Some(1),
            "before the one that came later"
        );
        assert_eq!(number(&mut seats[0]), None);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_too() {
        let (mut crew, _seats) = crew(1, 100);
        assert!(crew.take(job(1, WAITING_BYTES_MAX)).is_none());
        assert!(crew.take(job(2, 1)).is_some());
        assert_eq!(crew.give_up().len(), 1);
        assert!(crew.take(job(3, 1)).is_none());
    }
}
