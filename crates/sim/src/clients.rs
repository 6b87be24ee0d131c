//! The clients: what they ask for.

use serde_json::json;

use crate::consumers::{Acks, ConsumerSpec};
use crate::model::{Msg, Publish, Retention, StreamSpec};
use crate::net::Message;
use crate::world::{Pending, World};

const STREAMS: [&str; 3] = ["S0", "S1", "S2"];
const CONSUMERS: [&str; 3] = ["C0", "C1", "C2"];
const TAILS: [&str; 3] = ["a", "b", "c"];
const SECOND_NS: i64 = 1_000_000_000;

/// How a delivery is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Ack,
    Nak,
    Term,
    Progress,
}

/// What a client asked for.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Publish {
        stream: String,
        publish: Publish,
    },
    CreateStream {
        stream: String,
        spec: StreamSpec,
    },
    UpdateStream {
        stream: String,
        spec: StreamSpec,
    },
    DeleteStream {
        stream: String,
    },
    Purge {
        stream: String,
        before: u64,
        subject: String,
    },
    DeleteMessage {
        stream: String,
        sequence: u64,
    },
    CreateConsumer {
        stream: String,
        consumer: String,
        spec: ConsumerSpec,
    },
    DeleteConsumer {
        stream: String,
        consumer: String,
    },
    Answer {
        stream: String,
        consumer: String,
        sequence: u64,
        life: u64,
        answer: Answer,
    },
}

impl World {
    /// Sends an operation on its way.
    fn send(
        &mut self,
        op: Op,
        subject: String,
        headers: Vec<u8>,
        payload: Vec<u8>,
        answered: bool,
    ) {
        let number = self.next_op;
        self.next_op += 1;
        self.tell(|_| format!("#{number} {}", in_words(&op)));
        let pending = Pending {
            op,
            verdict: None,
            purged: None,
            order: 0,
            made_by: None,
        };
        self.pending.insert(number, pending);
        let reply = if answered {
            format!("_R.{number}")
        } else {
            String::new()
        };
        self.net.intake.push_back(Message {
            subject,
            reply,
            headers,
            payload,
            op: number,
        });
    }

    fn some_stream(&mut self) -> String {
        STREAMS[self.dice.below(STREAMS.len() as u64) as usize].to_owned()
    }

    /// Somebody publishes.
    pub(crate) fn publish(&mut self) {
        let stream = self.some_stream();
        if !self
            .streams
            .get(&stream)
            .is_some_and(|window| window.now().is_some())
            && !self.dice.once_in(5)
        {
            return self.create_stream(stream);
        }
        let tail = TAILS[self.dice.below(3) as usize];
        let subject = format!("{}.{tail}", stream.to_lowercase());
        let number = self.next_op;
        let mut payload = format!("{number}:{:016x}:", self.dice.any()).into_bytes();
        let more = match self.dice.below(10) {
            0 => self.dice.below(1500),
            _ => self.dice.below(60),
        };
        payload.extend((0..more).map(|at| b'a' + (at % 23) as u8));
        let mut headers = String::new();
        let mut id = None;
        if self.dice.once_in(3) {
            let of = format!("{stream}-{}", self.dice.below(12));
            headers.push_str(&format!("Nats-Msg-Id: {of}\r\n"));
            id = Some(of);
        }
        let state = self
            .streams
            .get(&stream)
            .and_then(|window| window.now().clone());
        let (mut expected_last, mut expected_last_on_subject) = (None, None);
        if self.dice.once_in(8) {
            let last = state.as_ref().map_or(0, |state| state.last);
            let last = last.saturating_sub(self.dice.below(2));
            headers.push_str(&format!("Nats-Expected-Last-Sequence: {last}\r\n"));
            expected_last = Some(last);
        } else if self.dice.once_in(8) {
            let last = state.as_ref().and_then(|state| {
                let mut own = state.msgs.iter().rev();
                own.find(|(_, message)| message.subject == subject)
                    .map(|(at, _)| *at)
            });
            let last = last.unwrap_or(0);
            headers.push_str(&format!("Nats-Expected-Last-Subject-Sequence: {last}\r\n"));
            expected_last_on_subject = Some(last);
        }
        let rollup = self.dice.once_in(15);
        if rollup {
            headers.push_str("Nats-Rollup: sub\r\n");
        }
        let headers = if headers.is_empty() {
            Vec::new()
        } else {
            format!("NATS/1.0\r\n{headers}\r\n").into_bytes()
        };
        let message = Msg {
            subject: subject.clone(),
            headers: headers.clone(),
            payload: payload.clone(),
            time_ns: 0,
            id,
        };
        let publish = Publish {
            message,
            expected_last,
            expected_last_on_subject,
            rollup,
        };
        self.send(
            Op::Publish { stream, publish },
            subject,
            headers,
            payload,
            true,
        );
    }

    /// Somebody calls the API.
    pub(crate) fn call_api(&mut self) {
        let stream = self.some_stream();
        let state = self
            .streams
            .get(&stream)
            .and_then(|window| window.now().clone());
        let Some(state) = state else {
            return self.create_stream(stream);
        };
        let consumer = CONSUMERS[self.dice.below(3) as usize].to_owned();
        match self.dice.weighted(&[30, 8, 6, 12, 4, 12, 2]) {
            0 => self.create_consumer(stream, consumer),
            1 => {
                let subject = format!("$JS.API.CONSUMER.DELETE.{stream}.{consumer}");
                self.send(
                    Op::DeleteConsumer { stream, consumer },
                    subject,
                    vec![],
                    vec![],
                    true,
                );
            }
            2 => self.purge(stream, state.last),
            3 => {
                let pick = self.dice.below(state.msgs.len() as u64 + 1) as usize;
                let sequence = state
                    .msgs
                    .keys()
                    .nth(pick)
                    .copied()
                    .unwrap_or(state.last + 1);
                let subject = format!("$JS.API.STREAM.MSG.DELETE.{stream}");
                let body = json!({"seq": sequence}).to_string().into_bytes();
                self.send(
                    Op::DeleteMessage { stream, sequence },
                    subject,
                    vec![],
                    body,
                    true,
                );
            }
            4 => self.create_stream(stream),
            5 => {
                let number = self.next_op;
                let mut spec = StreamSpec {
                    given: number,
                    ..state.spec
                };
                self.choose_limits(&mut spec);
                let subject = format!("$JS.API.STREAM.UPDATE.{stream}");
                let body = stream_config(&stream, &spec);
                self.send(
                    Op::UpdateStream { stream, spec },
                    subject,
                    vec![],
                    body,
                    true,
                );
            }
            _ => {
                let subject = format!("$JS.API.STREAM.DELETE.{stream}");
                self.send(Op::DeleteStream { stream }, subject, vec![], vec![], true);
            }
        }
    }

    fn purge(&mut self, stream: String, last: u64) {
        let before = if self.dice.once_in(2) {
            0
        } else {
            self.dice.below(last + 2)
        };
        let subject = match self.dice.below(2) {
            0 => String::new(),
            _ => format!(
                "{}.{}",
                stream.to_lowercase(),
                TAILS[self.dice.below(3) as usize]
            ),
        };
        let mut body = json!({"filter": subject});
        if before > 0 {
            body["seq"] = before.into();
        }
        let call = format!("$JS.API.STREAM.PURGE.{stream}");
        let op = Op::Purge {
            stream,
            before,
            subject,
        };
        self.send(op, call, vec![], body.to_string().into_bytes(), true);
    }

    fn choose_limits(&mut self, spec: &mut StreamSpec) {
        spec.max_msgs = [0, 0, 5, 12, 30][self.dice.below(5) as usize];
        spec.max_per_subject = [0, 0, 0, 2, 6][self.dice.below(5) as usize];
        spec.max_bytes = [0, 0, 0, 1500, 4000][self.dice.below(5) as usize];
        spec.max_age_ns = [0, 0, 0, 3 * SECOND_NS][self.dice.below(4) as usize];
        spec.window_ns = 2 * SECOND_NS;
        if spec.max_age_ns > 0 {
            spec.window_ns = spec.window_ns.min(spec.max_age_ns);
        }
    }

    fn create_stream(&mut self, stream: String) {
        let number = self.next_op;
        let retention = match self.dice.below(6) {
            0..=2 => Retention::Limits,
            3 => Retention::Interest,
            _ => Retention::WorkQueue,
        };
        let mut spec = StreamSpec {
            birth: number,
            given: number,
            memory: self.dice.once_in(6),
            retention,
            discard_new: self.dice.once_in(4),
            max_msgs: 0,
            max_per_subject: 0,
            max_bytes: 0,
            max_age_ns: 0,
            window_ns: 0,
        };
        self.choose_limits(&mut spec);
        let subject = format!("$JS.API.STREAM.CREATE.{stream}");
        let body = stream_config(&stream, &spec);
        self.send(
            Op::CreateStream { stream, spec },
            subject,
            vec![],
            body,
            true,
        );
    }

    fn create_consumer(&mut self, stream: String, consumer: String) {
        let number = self.next_op;
        let state = self
            .streams
            .get(&stream)
            .and_then(|window| window.now().clone());
        let is_work_queue = state.is_some_and(|state| state.spec.retention == Retention::WorkQueue);
        let acks = match self.dice.below(8) {
            _ if is_work_queue => Acks::Explicit,
            0 => Acks::None,
            1 => Acks::All,
            _ => Acks::Explicit,
        };
        let filter = match self.dice.below(3) {
            0 if !is_work_queue => {
                format!(
                    "{}.{}",
                    stream.to_lowercase(),
                    TAILS[self.dice.below(3) as usize]
                )
            }
            _ => String::new(),
        };
        let spec = ConsumerSpec {
            given: number,
            filter,
            acks,
            ack_wait_ns: [SECOND_NS / 5, SECOND_NS, 5 * SECOND_NS][self.dice.below(3) as usize],
            max_deliver: [0, 0, 0, 1, 3][self.dice.below(5) as usize],
            max_ack_pending: [3, 20, 1000][self.dice.below(3) as usize],
            push: self.dice.once_in(3),
            new_only: !is_work_queue && self.dice.once_in(4),
        };
        let mut config = json!({
            "durable_name": consumer,
            "name": consumer,
            "description": number.to_string(),
            "ack_policy": match acks { Acks::Explicit => "explicit", Acks::All => "all", Acks::None => "none" },
            "deliver_policy": if spec.new_only { "new" } else { "all" },
            "max_deliver": if spec.max_deliver == 0 { -1 } else { spec.max_deliver.cast_signed() },
            "replay_policy": "instant",
        });
        if acks != Acks::None {
            config["ack_wait"] = spec.ack_wait_ns.into();
            config["max_ack_pending"] = spec.max_ack_pending.into();
        }
        if !spec.filter.is_empty() {
            config["filter_subject"] = spec.filter.clone().into();
        }
        if spec.push {
            config["deliver_subject"] = push_inbox(&stream, &consumer).into();
        }
        let body = json!({"stream_name": stream, "config": config, "action": "create"});
        let subject = format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{consumer}");
        let op = Op::CreateConsumer {
            stream,
            consumer,
            spec,
        };
        self.send(op, subject, vec![], body.to_string().into_bytes(), true);
    }

    /// Somebody asks for messages.
    pub(crate) fn pull(&mut self) {
        let all: Vec<(String, String)> = self
            .consumers
            .iter()
            .filter(|(_, model)| model.window.now().as_ref().is_some_and(|spec| !spec.push))
            .map(|(key, _)| key.clone())
            .collect();
        let Some((stream, consumer)) = self.dice.pick(&all).cloned() else {
            return;
        };
        let batch = 1 + self.dice.below(6);
        let expires = self.dice.below(5_000) * 1_000_000 + 1_000_000;
        let no_wait = self.dice.once_in(3);
        let body = if no_wait {
            json!({"batch": batch, "no_wait": true})
        } else {
            json!({"batch": batch, "expires": expires})
        };
        self.request(&stream, &consumer, body.to_string().into_bytes());
    }

    /// A pull request.
    pub(crate) fn request(&mut self, stream: &str, consumer: &str, body: Vec<u8>) {
        let number = self.next_op;
        self.next_op += 1;
        let inbox = format!("_P.{number}");
        self.net.listening.insert(inbox.clone());
        self.tell(|_| {
            let body = String::from_utf8_lossy(&body);
            format!("#{number} pulls from {stream} {consumer}: {body}")
        });
        self.net.intake.push_back(Message {
            subject: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            reply: inbox,
            headers: Vec::new(),
            payload: body,
            op: 0,
        });
    }

    /// Somebody answers a delivery.
    pub(crate) fn acknowledge(&mut self) {
        let all: Vec<(String, String)> = self
            .consumers
            .iter()
            .filter(|(_, model)| !model.hands.is_empty())
            .map(|(key, _)| key.clone())
            .collect();
        let Some((stream, consumer)) = self.dice.pick(&all).cloned() else {
            return;
        };
        for _ in 0..=self.dice.below(3) {
            let Some(model) = self.consumers.get_mut(&(stream.clone(), consumer.clone())) else {
                return;
            };
            if model.hands.is_empty() {
                return;
            }
            let at = self.dice.below(model.hands.len() as u64) as usize;
            let hand = model.hands.swap_remove(at);
            let (answer, payload) = match self.dice.below(12) {
                0 => (Answer::Nak, "-NAK"),
                1 => (Answer::Nak, "-NAK {\"delay\": 300000000}"),
                2 => (Answer::Term, "+TERM enough"),
                3 => (Answer::Progress, "+WPI"),
                _ => (Answer::Ack, "+ACK"),
            };
            let double = self.dice.once_in(2);
            self.answer(&stream, &consumer, &hand, (answer, payload), double);
        }
    }

    /// One answer to one delivery.
    pub(crate) fn answer(
        &mut self,
        stream: &str,
        consumer: &str,
        hand: &crate::consumers::Hand,
        (answer, payload): (Answer, &str),
        double: bool,
    ) {
        let op = Op::Answer {
            stream: stream.to_owned(),
            consumer: consumer.to_owned(),
            sequence: hand.sequence,
            life: hand.life,
            answer,
        };
        self.send(
            op,
            hand.ack.clone(),
            Vec::new(),
            payload.as_bytes().to_vec(),
            double,
        );
    }

    /// Subscribers come and go, or stop reading.
    pub(crate) fn change_interest(&mut self) {
        let stream = self.some_stream();
        let consumer = CONSUMERS[self.dice.below(3) as usize];
        let inbox = push_inbox(&stream, consumer);
        match self.dice.below(4) {
            0 => {
                self.tell(|_| format!("nobody listens on {inbox}"));
                self.net.listening.remove(&inbox);
            }
            1 => {
                self.tell(|_| format!("{inbox} does not keep up"));
                self.net.slow.insert(inbox);
            }
            _ => {
                self.tell(|_| format!("somebody listens on {inbox}"));
                self.net.slow.remove(&inbox);
                self.net.listening.insert(inbox);
            }
        }
        if self.dice.once_in(4) {
            // Whoever pulled goes away.
            self.net
                .listening
                .retain(|inbox| inbox.starts_with("push."));
        }
    }
}

/// Where a push consumer delivers to.
pub(crate) fn push_inbox(stream: &str, consumer: &str) -> String {
    format!("push.{stream}.{consumer}")
}

fn stream_config(stream: &str, spec: &StreamSpec) -> Vec<u8> {
    let limit = |value: u64| if value == 0 { -1 } else { value.cast_signed() };
    json!({
        "name": stream,
        "description": spec.given.to_string(),
        "subjects": [format!("{}.*", stream.to_lowercase())],
        "retention": match spec.retention {
            Retention::Limits => "limits",
            Retention::Interest => "interest",
            Retention::WorkQueue => "workqueue",
        },
        "storage": if spec.memory { "memory" } else { "file" },
        "discard": if spec.discard_new { "new" } else { "old" },
        "max_msgs": limit(spec.max_msgs),
        "max_msgs_per_subject": limit(spec.max_per_subject),
        "max_bytes": limit(spec.max_bytes),
        "max_age": spec.max_age_ns,
        "max_consumers": -1,
        "num_replicas": 1,
        "duplicate_window": spec.window_ns,
        "allow_rollup_hdrs": true,
        "deny_delete": false,
        "deny_purge": false,
        "metadata": {"birth": spec.birth.to_string()},
    })
    .to_string()
    .into_bytes()
}

fn in_words(op: &Op) -> String {
    match op {
        Op::Publish { publish, .. } => {
            let message = &publish.message;
            let headers = String::from_utf8_lossy(&message.headers);
            let headers = headers
                .trim_start_matches("NATS/1.0")
                .trim()
                .replace("\r\n", ", ");
            format!(
                "publishes on {}, {} bytes {headers}",
                message.subject,
                message.payload.len()
            )
        }
        other => format!("{other:?}"),
    }
}
