//! What the model makes of operations as the server takes them, and of what the server sends.

use std::rc::Rc;

use recado_streams::consumer::AckSubject;
use serde_json::Value;

use crate::clients::{Answer, Op};
use crate::consumers::{Acks, Hand};
use crate::machine::Machine;
use crate::model::{Publish, Retention, STORE_FAILED, StreamState, Verdict, Window};
use crate::net::Sent;
use crate::world::{Broken, World};

const NO_SUCH_STREAM: u64 = 10059;
const NO_SUCH_CONSUMER: u64 = 10014;
const STREAM_NAME_TAKEN: u64 = 10058;
const NO_SUCH_SEQUENCE: u64 = 10043;
/// Of a sequence beyond the ends of a stream on file.
const MESSAGE_DELETE_FAILED: u64 = 10057;

impl World {
    pub(crate) fn state_of(&self, stream: &str) -> Option<&StreamState> {
        self.streams.get(stream)?.now().as_ref()
    }

    /// Where a stream's messages may change by themselves, looks first how it is.
    pub(crate) fn before_operation(&mut self, number: u64) -> Result<(), Broken> {
        let stream = match self.pending.get(&number).map(|pending| &pending.op) {
            Some(
                Op::Publish { stream, .. }
                | Op::UpdateStream { stream, .. }
                | Op::Purge { stream, .. }
                | Op::DeleteMessage { stream, .. },
            ) => stream.clone(),
            _ => return Ok(()),
        };
        let is_loose = self.state_of(&stream).is_some_and(StreamState::is_loose);
        if is_loose {
            self.audit_stream(&stream)
        } else {
            Ok(())
        }
    }

    /// The server has taken an operation. `known` is whether anybody was subscribed.
    pub(crate) fn after_operation(&mut self, number: u64, known: bool) -> Result<(), Broken> {
        let Some(pending) = self.pending.get_mut(&number) else {
            return Ok(());
        };
        self.order += 1;
        pending.order = self.order;
        let op = pending.op.clone();
        let inbox = format!("_R.{number}");
        let at = self.net.sent.iter().position(|sent| sent.inbox == inbox);
        let answer = at.map(|at| self.net.sent.remove(at).payload);
        if answer.is_some() || !known || matches!(op, Op::Answer { .. }) {
            let stays = answer.is_none() && known;
            if !stays {
                self.pending.remove(&number);
            }
        }
        let broken = match &op {
            Op::Publish { stream, publish } => {
                self.published(number, known, stream, publish, answer.as_deref())
            }
            Op::Answer {
                stream,
                consumer,
                sequence,
                life,
                answer: kind,
            } => {
                self.answered(stream, consumer, (*sequence, *life), *kind);
                let made_by = self.maker_of(stream, consumer);
                if let Some(pending) = self.pending.get_mut(&number) {
                    pending.made_by = made_by;
                }
                match answer {
                    Some(_) => self.confirmed(&op, made_by),
                    None => Ok(()),
                }
            }
            _ => self.called(number, &op, answer.as_deref()),
        };
        broken.map_err(|why| format!("#{number}: {why}"))
    }

    fn published(
        &mut self,
        number: u64,
        known: bool,
        stream: &str,
        publish: &Publish,
        answer: Option<&[u8]>,
    ) -> Result<(), Broken> {
        let mut publish = publish.clone();
        publish.message.time_ns = self.now_ns;
        let Some(state) = self.state_of(stream).cloned() else {
            return if known {
                Err(format!("{stream} is not there and takes messages"))
            } else {
                Ok(())
            };
        };
        if !known {
            return Err(format!("{stream} does not listen"));
        }
        let kept = state.spec.retention != Retention::Interest
            || self.somebody_wants(stream, &publish.message.subject);
        let mut after = state.clone();
        let verdict = after.publish(&publish, self.now_ns, kept);
        let code = answer.and_then(error_of);
        match (answer, code, verdict) {
            (None, _, Verdict::Refused(code)) => Err(format!("it must be refused with {code}")),
            (None, _, verdict) => {
                let window = self.streams.get_mut(stream);
                if state.spec.memory {
                    return Err("a publish into memory is not answered at once".to_owned());
                }
                if let Some(window) = window {
                    window.push(self.order, Some(after));
                }
                if let Some(pending) = self.pending.get_mut(&number) {
                    pending.verdict = Some(verdict);
                }
                Ok(())
            }
            (Some(_), Some(code), Verdict::Refused(expected)) if code == expected => {
                self.tell(|_| format!("#{number} is refused with {code}"));
                Ok(())
            }
            (Some(_), Some(STORE_FAILED), _) if self.trouble => {
                self.tell(|_| format!("#{number} is refused for lack of room"));
                Ok(())
            }
            // A store that stopped shows what is durable, and what it refuses does no harm.
            (Some(_), Some(_), _) if self.is_stopped() => Ok(()),
            (Some(answer), Some(code), verdict) => Err(format!(
                "refused with {code} ({}), expected {verdict:?}",
                String::from_utf8_lossy(answer)
            )),
            (Some(answer), None, verdict) => {
                if !state.spec.memory {
                    return Err("acknowledged before it can be durable".to_owned());
                }
                if self.is_stopped() {
                    // What else a stream in memory has is not known then, and soon it is gone.
                    let told = json(answer);
                    if told["duplicate"] == true {
                        return Ok(());
                    }
                    let sequence = told["seq"].as_u64().unwrap_or_default();
                    let mut told = state;
                    told.last = told.last.max(sequence);
                    let message = std::rc::Rc::new(publish.message);
                    told.msgs.insert(sequence, message);
                    self.set_state(stream, Some(told));
                    return Ok(());
                }
                check_ack(answer, verdict)?;
                self.set_state(stream, Some(after));
                Ok(())
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.machine
            .as_ref()
            .is_none_or(crate::machine::Machine::is_stopped)
    }

    fn push_state(&mut self, stream: &str, state: Option<StreamState>) {
        let window = self
            .streams
            .entry(stream.to_owned())
            .or_insert_with(|| Window::new(None));
        window.push(self.order, state);
    }

    fn set_state(&mut self, stream: &str, state: Option<StreamState>) {
        if let Some(window) = self.streams.get_mut(stream) {
            *window.now_mut() = state;
        }
    }

    pub(crate) fn somebody_wants(&self, stream: &str, subject: &str) -> bool {
        let own = self.consumers.iter().filter(|((of, _), _)| of == stream);
        let mut specs = own.filter_map(|(_, model)| model.window.now().as_ref());
        specs.any(|spec| spec.filter.is_empty() || spec.filter == subject)
    }

    /// A call of the API.
    fn called(&mut self, number: u64, op: &Op, answer: Option<&[u8]>) -> Result<(), Broken> {
        if let Some(answer) = answer {
            let Some(code) = error_of(answer) else {
                return Err("answered before it can be durable".to_owned());
            };
            self.tell(|_| format!("#{number} is refused with {code}"));
            if self.refusal_is_right(op, code) {
                return Ok(());
            }
            if self.is_stopped() {
                return Ok(());
            }
            if code == STORE_FAILED && self.trouble {
                return Ok(());
            }
            return Err(format!("refused: {}", String::from_utf8_lossy(answer)));
        }
        self.apply(number, op)
    }

    /// Whether the model, too, says that this can't be done.
    fn refusal_is_right(&self, op: &Op, code: u64) -> bool {
        let stream = match op {
            Op::CreateStream { stream, .. } => {
                return code == STREAM_NAME_TAKEN && self.state_of(stream).is_some();
            }
            Op::UpdateStream { stream, .. }
            | Op::DeleteStream { stream }
            | Op::Purge { stream, .. }
            | Op::DeleteMessage { stream, .. }
            | Op::CreateConsumer { stream, .. }
            | Op::DeleteConsumer { stream, .. }
            | Op::Publish { stream, .. }
            | Op::Answer { stream, .. } => stream,
        };
        let Some(state) = self.state_of(stream) else {
            return code == NO_SUCH_STREAM;
        };
        match op {
            Op::DeleteMessage { sequence, .. } => {
                let may_lack = state.may_lack(*sequence, self.now_ns);
                let is_told = matches!(code, NO_SUCH_SEQUENCE | MESSAGE_DELETE_FAILED);
                is_told && (!state.msgs.contains_key(sequence) || may_lack)
            }
            Op::DeleteConsumer { consumer, .. } => {
                code == NO_SUCH_CONSUMER && !self.has_consumer(stream, consumer)
            }
            Op::CreateConsumer { consumer, .. } => {
                let is_work_queue = state.spec.retention == Retention::WorkQueue;
                let own = self.consumers.iter().filter(|((of, _), _)| of == stream);
                let others = own
                    .filter(|(_, model)| model.window.now().is_some())
                    .count();
                self.has_consumer(stream, consumer) || (is_work_queue && others > 0)
            }
            _ => false,
        }
    }

    fn has_consumer(&self, stream: &str, consumer: &str) -> bool {
        let key = (stream.to_owned(), consumer.to_owned());
        self.consumers
            .get(&key)
            .is_some_and(|model| model.window.now().is_some())
    }

    /// Does an operation in the model.
    fn apply(&mut self, number: u64, op: &Op) -> Result<(), Broken> {
        match op {
            Op::CreateStream { stream, spec } => {
                if self.state_of(stream).is_some() {
                    return Err(format!("{stream} is there and is created"));
                }
                self.push_state(stream, Some(StreamState::new(spec.clone())));
            }
            Op::DeleteStream { stream } => {
                self.must_be_there(stream)?;
                self.push_state(stream, None);
                let own = self
                    .consumers
                    .iter_mut()
                    .filter(|((of, _), _)| of == stream);
                for (_, model) in own {
                    model.window.push(self.order, None);
                    model.reset();
                }
            }
            Op::UpdateStream { stream, spec } => {
                let mut state = self.must_be_there(stream)?;
                state.spec = spec.clone();
                state.spec.birth = self.must_be_there(stream)?.spec.birth;
                state.spec.memory = self.must_be_there(stream)?.spec.memory;
                state.enforce();
                self.push_state(stream, Some(state));
            }
            Op::Purge {
                stream,
                before,
                subject,
            } => {
                let mut state = self.must_be_there(stream)?;
                let gone = state.purged_by(*before, subject);
                for sequence in &gone {
                    state.msgs.remove(sequence);
                }
                if subject.is_empty() {
                    // Beyond the end, which a failed batch may have brought back: it goes on there.
                    state.last = state.last.max(before.saturating_sub(1));
                }
                if let Some(pending) = self.pending.get_mut(&number)
                    && !state.is_loose()
                {
                    pending.purged = Some(gone.len() as u64);
                }
                self.push_state(stream, Some(state));
            }
            Op::DeleteMessage { stream, sequence } => {
                let mut state = self.must_be_there(stream)?;
                if state.msgs.remove(sequence).is_none() {
                    return Err(format!("{sequence} is not there and is deleted"));
                }
                self.push_state(stream, Some(state));
            }
            Op::CreateConsumer {
                stream,
                consumer,
                spec,
            } => {
                let last = self.must_be_there(stream)?.last;
                let key = (stream.clone(), consumer.clone());
                let model = self.consumers.entry(key).or_default();
                if model.window.now().is_some() {
                    return Err(format!("{consumer} of {stream} is there and is created"));
                }
                model.window.push(self.order, Some(spec.clone()));
                model.reset();
                // What is not durable yet counts as new.
                let durable = self
                    .streams
                    .get(stream)
                    .and_then(|window| window.durable().as_ref());
                model.begins_after = if spec.new_only { last } else { 0 };
                let _ = durable;
            }
            Op::DeleteConsumer { stream, consumer } => {
                let mut state = self.must_be_there(stream)?;
                if !self.has_consumer(stream, consumer) {
                    return Err(format!(
                        "{consumer} of {stream} is not there and is deleted"
                    ));
                }
                if let Some(model) = self.consumers.get_mut(&(stream.clone(), consumer.clone())) {
                    model.window.push(self.order, None);
                    model.reset();
                }
                if state.spec.retention == Retention::Interest {
                    state.may_go.extend(state.msgs.keys());
                    self.set_state(stream, Some(state));
                }
            }
            Op::Publish { .. } | Op::Answer { .. } => {}
        }
        Ok(())
    }

    fn must_be_there(&self, stream: &str) -> Result<StreamState, Broken> {
        let state = self.state_of(stream).cloned();
        state.ok_or_else(|| format!("{stream} is not there and is acted on"))
    }

    /// A delivery was answered.
    fn answered(
        &mut self,
        stream: &str,
        consumer: &str,
        (sequence, life): (u64, u64),
        kind: Answer,
    ) {
        if !matches!(kind, Answer::Ack | Answer::Term) {
            return;
        }
        let now = self.life;
        let Some(model) = self
            .consumers
            .get_mut(&(stream.to_owned(), consumer.to_owned()))
        else {
            return;
        };
        let settled = model.acked(sequence, life == now);
        self.may_go(stream, &settled);
    }

    fn may_go(&mut self, stream: &str, settled: &[u64]) {
        let Some(window) = self.streams.get_mut(stream) else {
            return;
        };
        for state in window.all_mut().flatten() {
            if state.spec.retention != Retention::Limits {
                state.may_go.extend(settled);
            }
        }
    }

    /// Number of the operation that made a consumer.
    fn maker_of(&self, stream: &str, consumer: &str) -> Option<u64> {
        let key = (stream.to_owned(), consumer.to_owned());
        let spec = self.consumers.get(&key)?.window.now().as_ref()?;
        Some(spec.given)
    }

    /// A double ack came back. Another consumer of the same name may be there since.
    fn confirmed(&mut self, op: &Op, made_by: Option<u64>) -> Result<(), Broken> {
        let Op::Answer {
            stream,
            consumer,
            sequence,
            answer,
            ..
        } = op
        else {
            return Ok(());
        };
        if !matches!(answer, Answer::Ack | Answer::Term) {
            return Ok(());
        }
        if let Some(model) = self.consumers.get_mut(&(stream.clone(), consumer.clone()))
            && let Some(spec) = model.window.now()
            && Some(spec.given) == made_by
        {
            match spec.acks {
                Acks::None => {}
                Acks::Explicit => {
                    model.confirmed.insert(*sequence);
                }
                Acks::All => {
                    let upto: Vec<u64> =
                        model.delivered_ever.range(..=*sequence).copied().collect();
                    model.confirmed.extend(upto);
                }
            }
            self.counts.confirmed += 1;
        }
        Ok(())
    }

    /// Takes what the server sent since the last look.
    pub(crate) fn look_at_sent(&mut self) -> Result<(), Broken> {
        for sent in std::mem::take(&mut self.net.sent) {
            if let Some(number) = sent.inbox.strip_prefix("_R.") {
                let number = number.parse().unwrap_or(0);
                self.reply(number, &sent)
                    .map_err(|why| format!("#{number}: {why}"))?;
            } else if sent.reply.starts_with("$JS.ACK.") {
                self.delivery(&sent)?;
            } else {
                let status = String::from_utf8_lossy(&sent.headers);
                let status = status.lines().next().unwrap_or_default().to_owned();
                self.tell(|_| format!("{} is told {status}", sent.inbox));
                if sent.inbox.starts_with("_P.") && !status.contains("100 ") {
                    self.net.listening.remove(&sent.inbox);
                }
            }
        }
        Ok(())
    }

    /// An answer that waited for the disk.
    fn reply(&mut self, number: u64, sent: &Sent) -> Result<(), Broken> {
        let Some(pending) = self.pending.remove(&number) else {
            return Err("answered twice".to_owned());
        };
        if let Some(code) = error_of(&sent.payload) {
            self.tell(|_| format!("#{number} fails with {code}"));
            return if self.failing && code == STORE_FAILED {
                let from = self.refused_from.unwrap_or(u64::MAX);
                self.refused_from = Some(from.min(pending.order));
                Ok(())
            } else {
                Err(format!("fails: {}", String::from_utf8_lossy(&sent.payload)))
            };
        }
        if self.failing && !matches!(pending.op, Op::Answer { .. }) {
            return Err("acknowledged although its batch failed".to_owned());
        }
        if pending.order == 0 {
            return Err("answered before it was taken".to_owned());
        }
        self.tell(|_| format!("#{number} is durable"));
        if let Some(verdict) = pending.verdict {
            check_ack(&sent.payload, verdict)?;
            self.counts.acked += 1;
        }
        self.confirmed(&pending.op, pending.made_by)?;
        if self.is_stopped() {
            // It changed nothing that lasts, and says nothing of what failed.
            return Ok(());
        }
        if let Some(purged) = pending.purged {
            let said = json(&sent.payload)["purged"].as_u64();
            if said != Some(purged) {
                return Err(format!("{said:?} messages purged, expected {purged}"));
            }
        }
        let was_full = self.machine.as_ref().is_some_and(Machine::was_full);
        for (name, window) in &mut self.streams {
            if was_full {
                // What consumers are done with waits for room, unless they want it confirmed, and holds nobody up. Some are
                // done with what they delivered.
                let own = self.consumers.iter().filter(|((of, _), _)| of == name);
                let delivered: Vec<_> = own.map(|(_, model)| &model.delivered_ever).collect();
                let is_delivered = |at: &u64| delivered.iter().any(|all| all.contains(at));
                window.confirm_with(pending.order, |older, state| {
                    keep_settled(older.as_ref(), state.as_mut(), is_delivered);
                });
            } else {
                window.confirm(pending.order);
            }
        }
        for model in self.consumers.values_mut() {
            model.window.confirm(pending.order);
        }
        Ok(())
    }

    /// A message for a consumer's client.
    fn delivery(&mut self, sent: &Sent) -> Result<(), Broken> {
        let Some(ack) = AckSubject::parse(sent.reply.as_bytes()) else {
            return Err(format!("no ack subject: {}", sent.reply));
        };
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let key = (name(ack.stream), name(ack.consumer));
        let sequence = ack.delivery.stream_seq;
        self.tell(|_| format!("{} {} delivers {sequence} to {}", key.0, key.1, sent.inbox));
        let wrong = |why: String| format!("{} {} {sequence}: {why}", key.0, key.1);
        let Some(window) = self.streams.get(&key.0) else {
            return Err(wrong("of a stream that never was".to_owned()));
        };
        let durable = match window.now() {
            Some(now) if now.spec.memory => window.now(),
            _ => window.durable(),
        };
        // After a failed batch a sequence may have been given out twice.
        let all = window.all().flatten();
        let known: Vec<_> = all
            .filter_map(|state| state.msgs.get(&sequence).cloned())
            .collect();
        // A store that stopped shows what is durable, whatever limits took away in memory.
        if known.is_empty() && !self.is_stopped() {
            return Err(wrong("was never published, or is gone".to_owned()));
        }
        let is_it = |message: &std::rc::Rc<crate::model::Msg>| {
            message.subject == sent.subject
                && message.headers == sent.headers
                && message.payload == sent.payload
        };
        if !known.is_empty() && !known.iter().any(is_it) {
            return Err(wrong("is not what was published".to_owned()));
        }
        if durable.as_ref().is_none_or(|state| sequence > state.last) {
            return Err(wrong("is delivered before it is durable".to_owned()));
        }
        let (life, acks) = (
            self.life,
            self.consumers
                .get(&key)
                .and_then(|m| m.window.now().as_ref().map(|s| s.acks)),
        );
        let model = self.consumers.entry(key.clone()).or_default();
        model.delivered(&ack).map_err(wrong)?;
        self.counts.delivered += 1;
        if acks == Some(Acks::None) {
            self.may_go(&key.0, &[sequence]);
        } else {
            model.hands.push(Hand {
                ack: sent.reply.clone(),
                sequence,
                life,
            });
        }
        Ok(())
    }
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// The code of a refusal.
pub(crate) fn error_of(answer: &[u8]) -> Option<u64> {
    json(answer)["error"]["err_code"].as_u64()
}

/// What consumers are done with may come back until there was room to write that down.
fn keep_settled(
    older: Option<&StreamState>,
    state: Option<&mut StreamState>,
    is_delivered: impl Fn(&u64) -> bool,
) {
    let (Some(older), Some(state)) = (older, state) else {
        return;
    };
    if older.spec.birth != state.spec.birth || older.spec.retention == Retention::Limits {
        return;
    }
    for (at, message) in older.msgs.iter().chain(&older.may_return) {
        if is_delivered(at) && !state.msgs.contains_key(at) {
            state.may_return.insert(*at, Rc::clone(message));
        }
    }
}

fn check_ack(answer: &[u8], verdict: Verdict) -> Result<(), Broken> {
    let told = json(answer);
    let duplicate = told["duplicate"].as_bool().unwrap_or_default();
    let sequence = told["seq"].as_u64().unwrap_or_default();
    let said = if duplicate {
        Verdict::Duplicate(sequence)
    } else {
        Verdict::Stored(sequence)
    };
    if said == verdict {
        Ok(())
    } else {
        Err(format!("told {said:?}, expected {verdict:?}"))
    }
}
