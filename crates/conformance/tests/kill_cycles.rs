//! Kills the server in the middle of its work, again and again, while clients publish with acks and
//! consume with double acks. At the end everything that was acknowledged is there, once, in the
//! order in which each publisher sent it, and nothing that was confirmed has come again.
//!
//! `RECADO_KILL_CYCLES` says how often (20), `RECADO_KILL_SEED` from which seed the moments are drawn;
//! the seed is printed.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, AckKind, Context, stream};
use async_nats::{Client, ConnectOptions, HeaderMap};
use futures_util::StreamExt;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use recado_conformance::{PATIENCE, ServerBuilder, ServerProcess, is_genuine};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const PUBLISHERS: usize = 3;
/// How many publishes of one publisher are on their way at once.
const WINDOW: usize = 16;
/// The server is killed this long after work has begun.
const KILL_AFTER_MS: std::ops::Range<u64> = 15..120;
/// Long enough that a delivery and its ack are never that far apart on a slow machine.
const ACK_WAIT: Duration = Duration::from_secs(3);

/// What a cycle's clients are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Work,
    /// Publish nothing new, wait for what is on its way.
    Finish,
    /// All is published: consume what is left.
    Drain,
    /// The server is gone; whatever is not known by now never will be.
    Drop,
}

/// What one publisher knows, through all cycles.
#[derive(Default)]
struct Publisher {
    number: usize,
    /// The stream's sequence for each acked message, by the message's own number.
    acked: BTreeMap<u64, u64>,
}

/// What the consumer knows, through all cycles.
#[derive(Default)]
struct Worker {
    /// Sequences whose ack the server has confirmed.
    confirmed: BTreeSet<u64>,
    /// Those that an ack was sent for. The server may have taken it although it was killed before it
    /// could say so.
    sent: Arc<Mutex<BTreeSet<u64>>>,
    /// Those of them that came again afterwards.
    again: BTreeSet<u64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_survives_any_kill() {
    let cycles = variable("RECADO_KILL_CYCLES").unwrap_or(20);
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let from_clock = || clock.expect("after 1970").as_nanos() as u64;
    let seed = variable("RECADO_KILL_SEED").unwrap_or_else(from_clock);
    println!("RECADO_KILL_SEED={seed} RECADO_KILL_CYCLES={cycles}");
    let mut chance = seed;

    let mut server = ServerBuilder::nats().jetstream().start();
    set_up(&server).await;
    let mut publishers: Vec<Publisher> = (0..PUBLISHERS).map(Publisher::numbered).collect();
    let mut worker = Worker::default();
    for cycle in 0..=cycles {
        let (order, orders) = watch::channel(Order::Work);
        let publishing = start_publishers(&server, publishers, &orders).await;
        let working = tokio::spawn(worker.work(connect(&server).await, orders.clone()));
        let moment = KILL_AFTER_MS.start + draw(&mut chance) % KILL_AFTER_MS.count() as u64;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        if cycle < cycles {
            server.kill();
            order.send_replace(Order::Drop);
        } else {
            order.send_replace(Order::Finish);
        }
        publishers = done(publishing).await;
        if cycle == cycles {
            order.send_replace(Order::Drain);
        }
        worker = working.await.expect("the worker does not fail");
        if cycle < cycles {
            tokio::task::block_in_place(|| server.restart());
        }
    }
    check(&server, &publishers, &worker).await;
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// SplitMix64: enough to spread moments, and the same from the same seed anywhere.
fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A connection that never tries again once it is lost: what it had not sent yet must not be sent
/// later, behind the back of its successor.
async fn connect(server: &ServerProcess) -> Client {
    let connected = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&connected);
    let delay = move |_| match seen.load(Ordering::Relaxed) {
        true => Duration::from_secs(3_600),
        false => Duration::ZERO,
    };
    let options = ConnectOptions::new().reconnect_delay_callback(delay);
    let client = options
        .connect(server.url())
        .await
        .expect("the server serves");
    connected.store(true, Ordering::Relaxed);
    client
}

async fn set_up(server: &ServerProcess) {
    let context = jetstream::new(connect(server).await);
    let config = stream::Config {
        name: "LOAD".into(),
        subjects: vec!["load.*".into()],
        ..Default::default()
    };
    let stream = context.create_stream(config).await.expect("a stream");
    let config = pull::Config {
        durable_name: Some("work".into()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_ack_pending: 10_000,
        ..Default::default()
    };
    stream.create_consumer(config).await.expect("a consumer");
}

async fn start_publishers(
    server: &ServerProcess,
    publishers: Vec<Publisher>,
    orders: &watch::Receiver<Order>,
) -> Vec<JoinHandle<Publisher>> {
    let mut tasks = Vec::new();
    for publisher in publishers {
        let context = jetstream::new(connect(server).await);
        tasks.push(tokio::spawn(publisher.publish(context, orders.clone())));
    }
    tasks
}

async fn done(publishing: Vec<JoinHandle<Publisher>>) -> Vec<Publisher> {
    let mut publishers = Vec::new();
    for publisher in publishing {
        publishers.push(publisher.await.expect("a publisher does not fail"));
    }
    publishers
}

impl Publisher {
    fn numbered(number: usize) -> Self {
        Self {
            number,
            acked: BTreeMap::new(),
        }
    }

    /// Publishes from the first message that is not known to be stored. An id in each tells the server
    /// which it has already.
    async fn publish(mut self, context: Context, mut orders: watch::Receiver<Order>) -> Self {
        let mut next = (0..)
            .find(|number| !self.acked.contains_key(number))
            .expect("endless");
        let mut waiting = FuturesOrdered::new();
        loop {
            let order = *orders.borrow_and_update();
            match order {
                Order::Drop | Order::Drain => return self,
                Order::Finish if waiting.is_empty() => return self,
                Order::Work if waiting.len() < WINDOW => {
                    let Ok(ack) = self.send(&context, next).await else {
                        return self;
                    };
                    let number = next;
                    waiting.push_back(async move { (number, ack.await) });
                    next += 1;
                    continue;
                }
                Order::Work | Order::Finish => {}
            }
            tokio::select! {
                Some((number, ack)) = waiting.next() => {
                    let Ok(ack) = ack else { return self };
                    let before = self.acked.insert(number, ack.sequence);
                    assert!(before.is_none_or(|before| before == ack.sequence), "two places for one id");
                }
                changed = orders.changed() => changed.expect("orders come until all are done"),
            }
        }
    }

    async fn send(
        &self,
        context: &Context,
        number: u64,
    ) -> Result<jetstream::context::PublishAckFuture, jetstream::context::PublishError> {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", format!("{}-{number}", self.number));
        let subject = format!("load.{}", self.number);
        context
            .publish_with_headers(subject, headers, number.to_string().into())
            .await
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Worker {
    /// Takes messages and confirms them, until the server is gone or nothing is left.
    async fn work(mut self, client: Client, mut orders: watch::Receiver<Order>) -> Self {
        let context = jetstream::new(client);
        loop {
            let taken = tokio::select! {
                _ = orders.wait_for(|order| *order == Order::Drop) => return self,
                taken = self.take_and_confirm(&context) => taken,
            };
            // On an error the server may be gone already, and the order on its way.
            let nothing_came = taken.is_ok_and(|count| count == 0);
            let drains = *orders.borrow() == Order::Drain;
            if drains && nothing_came && nothing_left(&context).await {
                return self;
            }
        }
    }

    /// Returns how many messages came. What is confirmed is noted at once, for this may be dropped
    /// at any moment.
    async fn take_and_confirm(&mut self, context: &Context) -> Result<usize, Failure> {
        let consumer: PullConsumer = context.get_consumer_from_stream("work", "LOAD").await?;
        let batch = consumer
            .batch()
            .max_messages(50)
            .expires(Duration::from_millis(50));
        let mut messages = batch.messages().await?;
        let mut acks = FuturesUnordered::new();
        while let Some(message) = messages.next().await {
            let message = message?;
            let seq = message.info()?.stream_sequence;
            if self.confirmed.contains(&seq) {
                self.again.insert(seq);
            }
            let sent = Arc::clone(&self.sent);
            acks.push(async move {
                sent.lock().expect("nobody panics with it").insert(seq);
                (seq, message.double_ack_with(AckKind::Ack).await)
            });
        }
        let count = acks.len();
        while let Some((seq, done)) = acks.next().await {
            if done.is_ok() {
                self.confirmed.insert(seq);
            }
        }
        Ok(count)
    }
}

async fn nothing_left(context: &Context) -> bool {
    let consumer: Result<PullConsumer, _> = context.get_consumer_from_stream("work", "LOAD").await;
    let Ok(consumer) = consumer else { return false };
    let info = consumer.cached_info();
    info.num_pending == 0 && info.num_ack_pending == 0
}

async fn check(server: &ServerProcess, publishers: &[Publisher], worker: &Worker) {
    let context = jetstream::new(connect(server).await);
    let stored = tokio::time::timeout(PATIENCE, stored(&context))
        .await
        .expect("all is read");
    let acked: usize = publishers
        .iter()
        .map(|publisher| publisher.acked.len())
        .sum();
    println!(
        "{} stored, {acked} acked, {} confirmed, {} of them came again",
        stored.values().map(Vec::len).sum::<usize>(),
        worker.confirmed.len(),
        worker.again.len()
    );
    for publisher in publishers {
        let subject = format!("load.{}", publisher.number);
        let got = stored.get(&subject).cloned().unwrap_or_default();
        let numbers: Vec<u64> = got.iter().map(|(number, _)| *number).collect();
        let expected: Vec<u64> = (0..numbers.len() as u64).collect();
        assert_eq!(numbers, expected, "{subject}: each once and in order");
        let places: BTreeMap<u64, u64> = got.into_iter().collect();
        for (number, seq) in &publisher.acked {
            assert_eq!(
                places.get(number),
                Some(seq),
                "{subject}: message {number} was acked"
            );
        }
    }
    let all: BTreeSet<u64> = stored.values().flatten().map(|(_, seq)| *seq).collect();
    let sent = worker.sent.lock().expect("nobody panics with it").clone();
    let missing: Vec<&u64> = all.difference(&sent).collect();
    assert!(
        missing.is_empty(),
        "never acknowledged, and gone: {missing:?}"
    );
    assert!(
        is_genuine() || worker.again.is_empty(),
        "confirmed, and delivered again: {:?}",
        worker.again
    );
}

/// All that the stream holds, by subject: the messages' own numbers with their sequences.
async fn stored(context: &Context) -> BTreeMap<String, Vec<(u64, u64)>> {
    let stream = context
        .get_stream("LOAD")
        .await
        .expect("the stream is there");
    let config = pull::Config {
        ack_policy: AckPolicy::None,
        ..Default::default()
    };
    let consumer = stream.create_consumer(config).await.expect("a consumer");
    let mut left = consumer.cached_info().num_pending;
    let mut stored: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    while left > 0 {
        let mut messages = consumer
            .fetch()
            .max_messages(500)
            .messages()
            .await
            .expect("a request");
        while let Some(Ok(message)) = messages.next().await {
            let seq = message.info().expect("a delivery").stream_sequence;
            let text = String::from_utf8_lossy(&message.payload).into_owned();
            let number = text.parse().expect("a number was sent");
            let of_subject = stored.entry(message.subject.to_string()).or_default();
            of_subject.push((number, seq));
            left -= 1;
        }
    }
    stored
}
