//! Publishers that write without pause, and subscribers that compare and count what comes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{CpuWatch, Setting};
use crate::client::{Client, IO_TIMEOUT};
use crate::error::{Doing, Error, Result};
use crate::frames::{FIRST_SID_OF_MANY, Numbered, Traffic, Verifier, subject_of_many};
use crate::outcome::Outcome;
use crate::target::Target;

pub(super) const READ_BYTES: usize = 256 * 1024;
/// Messages that are still missing this long after the PONG that should have come behind them
/// are lost.
const LOST_AFTER: Duration = Duration::from_secs(3);
const SUBJECT: &str = "bench.flow";

/// One connection that publishes.
pub(super) struct Publisher {
    pub(super) client: Client,
    pub(super) traffic: Arc<Traffic>,
}

/// One connection that receives.
pub(super) struct Subscriber {
    pub(super) client: Client,
    pub(super) verifier: Verifier,
    /// What its publisher has sent in all, known once the publishers are done.
    due: u64,
    waits_past_pong: bool,
    pub(super) last: Instant,
    /// Messages so far, for those who look on from another thread.
    pub(super) progress: Arc<AtomicU64>,
}

/// Publishers and subscribers of one kind of traffic.
pub(super) struct Flow {
    pub(super) publishers: Vec<Publisher>,
    pub(super) subscribers: Vec<Subscriber>,
}

/// What one phase of a flow did.
pub(super) struct Phase {
    pub(super) delivered: u64,
    pub(super) lost: u64,
    pub(super) elapsed: Duration,
}

pub(super) fn one_to_one(setting: &Setting, payload: usize) -> Result<Outcome> {
    measure(setting, "message", |target| {
        let traffic = Arc::new(Traffic::one_subject(SUBJECT, payload, Numbered::Yes));
        Flow::open(target, SUBJECT, &traffic, 1, 1)
    })
}

pub(super) fn four_to_one(setting: &Setting) -> Result<Outcome> {
    measure(setting, "message", |target| {
        let traffic = Arc::new(Traffic::one_subject(SUBJECT, 16, Numbered::No));
        Flow::open(target, SUBJECT, &traffic, 4, 1)
    })
}

pub(super) fn fan_out(setting: &Setting, subscribers: usize) -> Result<Outcome> {
    measure(setting, "delivery", |target| {
        let traffic = Arc::new(Traffic::one_subject(SUBJECT, 16, Numbered::Yes));
        Flow::open(target, SUBJECT, &traffic, 1, subscribers)
    })
}

pub(super) fn many_subjects(setting: &Setting) -> Result<Outcome> {
    measure(setting, "message", |target| {
        let traffic = Arc::new(Traffic::many_subjects(10_000, 16));
        let subscriptions: String = (0..10_000)
            .map(|n| format!("SUB {} {}\r\n", subject_of_many(n), FIRST_SID_OF_MANY + n))
            .collect();
        let mut flow = Flow::open(target, "bench.unused", &traffic, 1, 1)?;
        let subscriber = &mut flow.subscribers[0].client;
        subscriber.send(subscriptions.as_bytes())?;
        subscriber.flush()?;
        Ok(flow)
    })
}

fn measure(
    setting: &Setting,
    unit: &str,
    open: impl FnOnce(&Target) -> Result<Flow>,
) -> Result<Outcome> {
    let target = setting.start()?;
    let mut flow = open(&target)?;
    flow.run(setting.warm_up())?;
    let watch = CpuWatch::start(&target)?;
    let phase = flow.run(setting.measure)?;
    let used = watch.stop()?;
    Ok(Outcome::new(
        setting.row,
        unit,
        phase.delivered,
        phase.lost,
        phase.elapsed,
        used,
    ))
}

impl Flow {
    /// Connects subscribers and publishers of one subject.
    pub(super) fn open(
        target: &Target,
        subject: &str,
        traffic: &Arc<Traffic>,
        publishers: usize,
        subscribers: usize,
    ) -> Result<Flow> {
        let mut flow = Flow {
            publishers: Vec::new(),
            subscribers: Vec::new(),
        };
        for _ in 0..subscribers {
            let mut client = Client::connect(target.address)?;
            client.send(format!("SUB {subject} 1\r\n").as_bytes())?;
            client.flush()?;
            flow.subscribers.push(Subscriber::new(client, traffic));
        }
        for _ in 0..publishers {
            let client = Client::connect(target.address)?;
            flow.publishers.push(Publisher {
                client,
                traffic: Arc::clone(traffic),
            });
        }
        Ok(flow)
    }

    /// Publishes for the time given and returns when everything that was sent has been accounted
    /// for. Every subscriber must be due what all publishers send.
    pub(super) fn run(&mut self, duration: Duration) -> Result<Phase> {
        let received_before: u64 = self.subscribers.iter().map(|s| s.verifier.messages()).sum();
        let (sent, failed) = (AtomicU64::new(0), AtomicBool::new(false));
        let handles = self.handles()?;
        let Flow {
            publishers,
            subscribers,
        } = self;
        let due_before = subscribers.first().map_or(0, |subscriber| subscriber.due);
        let start = Instant::now();
        std::thread::scope(|scope| -> Result<()> {
            let receiving = scope.spawn(|| {
                let done = receive_all(subscribers, &sent);
                failed.store(done.is_err(), Ordering::Relaxed);
                done
            });
            let publishing: Vec<_> = publishers
                .iter_mut()
                .map(|publisher| scope.spawn(|| publisher.publish(start + duration, &failed)))
                .collect();
            let mut all_published = Ok(due_before);
            for publisher in publishing {
                let count = publisher
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                all_published = all_published.and_then(|all| Ok(all + count?));
            }
            sent.store(*all_published.as_ref().unwrap_or(&0), Ordering::Release);
            for mut stream in handles {
                // One that was closed is reported by its reader, who knows more about it.
                let _ = stream.write_all(b"PING\r\n");
            }
            receiving
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            all_published.map(|_| ())
        })?;
        let due = sent.into_inner();
        subscribers
            .iter_mut()
            .for_each(|subscriber| subscriber.due = due);
        let received: u64 = subscribers.iter().map(|s| s.verifier.messages()).sum();
        let last = subscribers.iter().map(|s| s.last).max().unwrap_or(start);
        Ok(Phase {
            delivered: received - received_before,
            lost: subscribers
                .iter()
                .map(|s| due.saturating_sub(s.verifier.messages()))
                .sum(),
            elapsed: last.saturating_duration_since(start),
        })
    }

    fn handles(&self) -> Result<Vec<TcpStream>> {
        let clone = |s: &Subscriber| s.client.stream.try_clone().doing("sharing a socket");
        self.subscribers.iter().map(clone).collect()
    }
}

impl Publisher {
    /// Writes whole blocks until the time has come, and returns how many messages the server has
    /// confirmed with its PONG.
    pub(super) fn publish(&mut self, until: Instant, failed: &AtomicBool) -> Result<u64> {
        let mut count = 0;
        while Instant::now() < until && !failed.load(Ordering::Relaxed) {
            self.client.send(&self.traffic.publish)?;
            count += self.traffic.messages;
        }
        self.client.flush()?;
        Ok(count)
    }
}

impl Subscriber {
    pub(super) fn new(client: Client, traffic: &Traffic) -> Subscriber {
        let verifier = Verifier::new(&traffic.deliver);
        Subscriber {
            client,
            verifier,
            due: 0,
            waits_past_pong: false,
            last: Instant::now(),
            progress: Arc::default(),
        }
    }

    /// Takes in what was read; true when this subscriber has all that is due to it.
    pub(super) fn take(&mut self, bytes: &[u8], sent: &AtomicU64) -> Result<bool> {
        let before = self.verifier.messages();
        self.verifier.feed(bytes)?;
        if self.verifier.messages() > before {
            self.last = Instant::now();
            self.progress
                .store(self.verifier.messages(), Ordering::Relaxed);
        }
        if self.verifier.take_ping() {
            self.client.send(b"PONG\r\n")?;
        }
        self.waits_past_pong |= self.verifier.take_pong();
        let done = self.waits_past_pong && self.verifier.messages() >= sent.load(Ordering::Acquire);
        self.waits_past_pong &= !done;
        Ok(done)
    }

    /// What was read during the handshake and belongs to the flow.
    pub(super) fn take_rest(&mut self, sent: &AtomicU64) -> Result<()> {
        let rest = self.client.incoming.take_rest();
        self.take(&rest, sent).map(|_| ())
    }

    /// Whether the PONG has come and messages are missing.
    pub(super) fn waits_past_pong(&self) -> bool {
        self.waits_past_pong
    }

    fn receive(&mut self, sent: &AtomicU64) -> Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        self.take_rest(sent)?;
        self.client
            .stream
            .set_read_timeout(Some(IO_TIMEOUT))
            .doing("setting a read timeout")?;
        loop {
            let n = match self.client.stream.read(&mut buffer) {
                Ok(0) => return Err(Error::Closed("receiving messages")),
                Ok(n) => n,
                Err(error) if self.waits_past_pong && timed_out(&error) => return Ok(()),
                Err(error) => return Err(error).doing("receiving messages"),
            };
            let waited = self.waits_past_pong;
            if self.take(&buffer[..n], sent)? {
                return Ok(());
            }
            if self.waits_past_pong && !waited {
                let patience = Some(LOST_AFTER);
                self.client
                    .stream
                    .set_read_timeout(patience)
                    .doing("setting a read timeout")?;
            }
        }
    }
}

fn timed_out(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
    )
}

/// Reads until every subscriber has what is due: one blocking, or all with one poll.
fn receive_all(subscribers: &mut [Subscriber], sent: &AtomicU64) -> Result<()> {
    match subscribers {
        [one] => one.receive(sent),
        many => super::many::receive(many, sent, LOST_AFTER),
    }
}
