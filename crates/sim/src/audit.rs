//! Looks at what the server has, by way of its API, and compares it with what it must and may have.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use base64::Engine;
use serde_json::Value;

use crate::clients::Answer;
use crate::consumers::{Acks, ConsumerSpec};
use crate::handling::json;
use crate::machine::Machine;
use crate::model::{Msg, Retention, StreamState, Window};
use crate::net::Message;
use crate::world::{Broken, Since, World};

/// Rounds in which everything must have been delivered.
const ROUNDS_MAX: u64 = 400;

/// Subject, headers and payload of a message.
type Content = (String, Vec<u8>, Vec<u8>);

/// A stream as the server shows it.
struct Shown {
    given: u64,
    last: u64,
    lost: u64,
    msgs: BTreeMap<u64, Content>,
    /// Sequences that are said to be there and can't be read.
    unreadable: BTreeSet<u64>,
    /// Damaged ones that may lie at the log's very end: that can't be told from what was never written.
    at_end: BTreeSet<u64>,
}

impl World {
    /// Compares everything.
    pub(crate) fn audit(&mut self) -> Result<(), Broken> {
        if self.machine.as_ref().is_none_or(Machine::is_stopped) {
            return Ok(());
        }
        self.tell(|_| "everything is looked at".to_owned());
        for stream in self.streams.keys().cloned().collect::<Vec<_>>() {
            self.audit_stream(&stream)?;
        }
        for (stream, consumer) in self.consumers.keys().cloned().collect::<Vec<_>>() {
            self.audit_consumer(&stream, &consumer)?;
        }
        Ok(())
    }

    /// Compares one stream with the model, which takes over what it can't know.
    pub(crate) fn audit_stream(&mut self, name: &str) -> Result<(), Broken> {
        if self.machine.as_ref().is_none_or(Machine::is_stopped) {
            return Ok(());
        }
        let shown_to = self.streams.get(name).map_or(0, visible);
        let shown = self.look(name, shown_to)?;
        let Some(window) = self.streams.get(name) else {
            return Ok(());
        };
        let taken = compare(
            &[window.now()],
            visible(window),
            shown.as_ref(),
            self.now_ns,
        )
        .map_err(|why| format!("{name}: {why}"))?;
        self.order += 1;
        if let Some(window) = self.streams.get_mut(name) {
            let count = |state: &Option<StreamState>| state.as_ref().map(|state| state.msgs.len());
            if count(window.now()) == count(&taken) {
                *window.now_mut() = taken;
            } else {
                // What went by itself may come back until something later is durable.
                window.push(self.order, taken);
            }
        }
        self.check_work_queue(name)
    }

    /// Any state since the last answer may be there; from now on it is known which.
    pub(crate) fn settle_down(&mut self, since: Since) -> Result<(), Broken> {
        for name in self.streams.keys().cloned().collect::<Vec<_>>() {
            let shown = self.look(&name, u64::MAX)?;
            let Some(window) = self.streams.get(&name) else {
                continue;
            };
            let all: Vec<&Option<StreamState>> = window.all().collect();
            let mut taken = compare(&all, u64::MAX, shown.as_ref(), self.now_ns)
                .map_err(|why| format!("{name}: {why}"))?;
            if let Some(state) = &mut taken {
                state.may_return.clear();
                let is_new = since == Since::Start || self.came_back.contains(&name);
                restore_ids(state, is_new, self.now_ns);
            }
            if let Some(state) = &mut taken
                && state.spec.retention == crate::model::Retention::Interest
            {
                // What nobody needs goes when the store is read.
                state.may_go.extend(state.msgs.keys());
            }
            let is_damaged = taken
                .as_ref()
                .is_some_and(|state| !state.damaged.is_empty());
            if let Some(window) = self.streams.get_mut(&name) {
                window.adopt(taken);
            }
            if is_damaged {
                // What the damaged message had made give way may be there again, and was passed over.
                let own = self.consumers.iter_mut().filter(|((of, _), _)| *of == name);
                own.for_each(|(_, model)| model.is_unsure = true);
            }
        }
        self.order += 1;
        for (stream, consumer) in self.consumers.keys().cloned().collect::<Vec<_>>() {
            self.settle_consumer(&stream, &consumer)?;
        }
        self.audit()
    }

    fn settle_consumer(&mut self, stream: &str, name: &str) -> Result<(), Broken> {
        let shown = self.look_at_consumer(stream, name)?;
        let given = shown.as_ref().and_then(given_of);
        let Some(model) = self
            .consumers
            .get_mut(&(stream.to_owned(), name.to_owned()))
        else {
            return Ok(());
        };
        let is_it = |spec: &&Option<ConsumerSpec>| spec.as_ref().map(|spec| spec.given) == given;
        let found = model.window.all().find(is_it).cloned();
        let Some(spec) = found else {
            return Err(format!(
                "{stream} {name}: there is one given by #{given:?}, which can't be"
            ));
        };
        let before = model.window.now().as_ref().map(|spec| spec.given);
        if before != given {
            model.reset();
            // What the one that came back has delivered is not known any more.
            model.is_unsure = true;
        }
        model.window.adopt(spec);
        model.begin_life();
        Ok(())
    }

    /// What is in memory is gone with the process.
    pub(crate) fn forget_memory(&mut self) {
        for (name, window) in &mut self.streams {
            let mut gone = false;
            for state in window.all_mut() {
                if state.as_ref().is_some_and(|state| state.spec.memory) {
                    *state = None;
                    gone = true;
                }
            }
            if gone {
                let own = self.consumers.iter_mut().filter(|((of, _), _)| of == name);
                for (_, model) in own {
                    // Those of a stream on disk of the same name are in the window, too.
                    let newest = model.window.now().clone();
                    model.window.push(0, None);
                    model.window.push(0, newest);
                }
            }
        }
    }

    /// Asks the server at once.
    fn ask(&mut self, subject: &str, body: &str) -> Result<Value, Broken> {
        let message = Message {
            subject: subject.to_owned(),
            reply: "_A".to_owned(),
            headers: Vec::new(),
            payload: body.as_bytes().to_vec(),
            op: 0,
        };
        let now_ns = self.now_ns;
        if let Some(machine) = &mut self.machine {
            machine.handle(&mut self.net, now_ns, &message);
        }
        let at = self.net.sent.iter().position(|sent| sent.inbox == "_A");
        let sent = at.map(|at| self.net.sent.remove(at));
        let sent = sent.ok_or_else(|| format!("no answer on {subject}"))?;
        Ok(json(&sent.payload))
    }

    fn look(&mut self, name: &str, shown_to: u64) -> Result<Option<Shown>, Broken> {
        let info = format!("$JS.API.STREAM.INFO.{name}");
        let info = self.ask(&info, r#"{"deleted_details":true}"#)?;
        if info["error"]["err_code"].as_u64() == Some(10059) {
            return Ok(None);
        }
        let Some(given) = given_of(&info) else {
            return Err(format!("{name} can't be looked at: {info}"));
        };
        let state = &info["state"];
        let number = |name: &str| state[name].as_u64().unwrap_or_default();
        let (first, last, count) = (number("first_seq"), number("last_seq"), number("messages"));
        let deleted: BTreeSet<u64> = state["deleted"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect();
        let mut shown = Shown {
            given,
            last,
            lost: 0,
            msgs: BTreeMap::new(),
            unreadable: BTreeSet::new(),
            at_end: BTreeSet::new(),
        };
        let flipped = self.flipped_last.iter();
        let own = flipped.filter(|(stream, at)| stream == name && *at > last);
        shown.at_end.extend(own.map(|(_, at)| *at));
        if count > 0 {
            for sequence in (first..=last).filter(|at| !deleted.contains(at)) {
                // Whoever asks for what is not durable yet waits until it is.
                let message = if sequence > shown_to {
                    None
                } else {
                    self.read(name, sequence)?
                };
                match message {
                    Some(message) => {
                        shown.msgs.insert(sequence, message);
                    }
                    None => {
                        shown.unreadable.insert(sequence);
                    }
                }
            }
        }
        let told = (shown.msgs.len() + shown.unreadable.len()) as u64;
        if told != count {
            return Err(format!(
                "{name}: {count} messages are told of, {told} are there: {state}"
            ));
        }
        let info = self.ask(&format!("$JS.API.STREAM.INFO.{name}"), "")?;
        let lost = &info["state"]["lost"]["msgs"];
        shown.lost = lost.as_array().map_or(0, |all| all.len() as u64) + self.unattributed;
        Ok(Some(shown))
    }

    fn read(&mut self, name: &str, sequence: u64) -> Result<Option<Content>, Broken> {
        let body = format!("{{\"seq\":{sequence}}}");
        let answer = self.ask(&format!("$JS.API.STREAM.MSG.GET.{name}"), &body)?;
        let message = &answer["message"];
        if message.is_null() {
            return Ok(None);
        }
        let decode = |field: &str| {
            let text = message[field].as_str().unwrap_or_default();
            base64::engine::general_purpose::STANDARD
                .decode(text)
                .unwrap_or_default()
        };
        if message["seq"].as_u64() != Some(sequence) {
            return Err(format!(
                "{name}: asked for {sequence}, got {}",
                message["seq"]
            ));
        }
        let subject = message["subject"].as_str().unwrap_or_default().to_owned();
        Ok(Some((subject, decode("hdrs"), decode("data"))))
    }

    fn look_at_consumer(&mut self, stream: &str, name: &str) -> Result<Option<Value>, Broken> {
        let info = self.ask(&format!("$JS.API.CONSUMER.INFO.{stream}.{name}"), "")?;
        if info["error"].is_null() {
            Ok(Some(info))
        } else {
            Ok(None)
        }
    }

    fn audit_consumer(&mut self, stream: &str, name: &str) -> Result<(), Broken> {
        let shown = self.look_at_consumer(stream, name)?;
        let key = (stream.to_owned(), name.to_owned());
        let spec = self
            .consumers
            .get(&key)
            .and_then(|model| model.window.now().clone());
        let (Some(shown), Some(spec)) = (&shown, &spec) else {
            return if shown.is_none() && spec.is_none() {
                Ok(())
            } else {
                Err(format!("{stream} {name}: is there: {}", shown.is_some()))
            };
        };
        if given_of(shown) != Some(spec.given) {
            return Err(format!(
                "{stream} {name}: given by {:?}, not by {}",
                given_of(shown),
                spec.given
            ));
        }
        self.check_counts(stream, name, shown, spec)
    }

    fn check_counts(
        &self,
        stream: &str,
        name: &str,
        shown: &Value,
        spec: &ConsumerSpec,
    ) -> Result<(), Broken> {
        let Some(window) = self.streams.get(stream) else {
            return Ok(());
        };
        // What a damaged message had made give way may be there again, and was passed over.
        let Some(state) = window.now().as_ref().filter(|one| one.damaged.is_empty()) else {
            return Ok(());
        };
        let visible = visible(window);
        let delivered = shown["delivered"]["stream_seq"]
            .as_u64()
            .unwrap_or_default();
        let ahead = state.msgs.iter().filter(|(at, message)| {
            **at > delivered
                && **at <= visible
                && (spec.filter.is_empty() || spec.filter == message.subject)
        });
        let expected = ahead.count() as u64;
        let pending = shown["num_pending"].as_u64().unwrap_or(u64::MAX);
        if pending != expected {
            return Err(format!(
                "{stream} {name}: num_pending is {pending}, {expected} messages are ahead of {delivered} (visible {visible})"
            ));
        }
        let on_their_way = shown["num_ack_pending"].as_u64().unwrap_or(u64::MAX);
        if spec.acks != Acks::None && on_their_way > spec.max_ack_pending {
            return Err(format!(
                "{stream} {name}: {on_their_way} messages wait for acks"
            ));
        }
        Ok(())
    }

    /// What a work queue's consumer has confirmed is not there any more.
    fn check_work_queue(&self, name: &str) -> Result<(), Broken> {
        let Some(state) = self.state_of(name) else {
            return Ok(());
        };
        // What a damaged message had made give way may be there again, and was acknowledged meanwhile.
        let is_damaged = !state.damaged.is_empty();
        if state.spec.retention != Retention::WorkQueue || self.trouble || is_damaged {
            return Ok(());
        }
        for ((_, consumer), model) in self.consumers.iter().filter(|((of, _), _)| of == name) {
            let mut confirmed = model.confirmed.iter();
            if let Some(at) = confirmed.find(|at| state.msgs.contains_key(at)) {
                return Err(format!(
                    "{name}: {consumer} confirmed {at}, which is still there"
                ));
            }
        }
        Ok(())
    }

    /// The end: all is well with the disk, all clients listen and acknowledge, and so everything that is left is
    /// delivered.
    ///
    /// # Errors
    /// When it is not.
    pub fn finish(&mut self) -> Result<(), Broken> {
        self.tell(|_| "all is well from now on".to_owned());
        self.make_room()?;
        if self.machine.as_ref().is_none_or(Machine::is_stopped) {
            self.die(true);
            self.start()?;
        }
        self.net.slow.clear();
        self.calm()?;
        self.audit()?;
        let keys: Vec<(String, String)> = self.consumers.keys().cloned().collect();
        for round in 0..ROUNDS_MAX {
            let mut busy = false;
            for (stream, consumer) in &keys {
                busy |= self.ask_for_the_rest(stream, consumer)?;
            }
            if !busy {
                break;
            }
            if round + 1 == ROUNDS_MAX {
                return Err("not everything is delivered in the end".to_owned());
            }
            self.calm()?;
            self.upkeep()?;
            self.now_ns += 500_000_000;
            self.answer_all();
            self.calm()?;
        }
        self.audit()?;
        self.check_all_delivered()?;
        self.stop_and_compare()
    }

    fn stop_and_compare(&mut self) -> Result<(), Broken> {
        self.die(false);
        self.start()?;
        self.calm()?;
        self.audit()
    }

    /// Asks for what a consumer still has. Whether it has anything.
    fn ask_for_the_rest(&mut self, stream: &str, name: &str) -> Result<bool, Broken> {
        let Some(shown) = self.look_at_consumer(stream, name)? else {
            return Ok(false);
        };
        let number = |name: &str| shown[name].as_u64().unwrap_or_default();
        let busy = number("num_pending") + number("num_ack_pending") > 0;
        if shown["config"]["deliver_subject"].is_string() {
            self.net
                .listening
                .insert(crate::clients::push_inbox(stream, name));
        } else if busy && number("num_waiting") == 0 {
            self.request(
                stream,
                name,
                br#"{"batch":50,"expires":3000000000}"#.to_vec(),
            );
        }
        Ok(busy)
    }

    fn answer_all(&mut self) {
        for (key, model) in self.consumers.clone() {
            for hand in &model.hands {
                self.answer(&key.0, &key.1, hand, (Answer::Ack, "+ACK"), true);
            }
            if let Some(model) = self.consumers.get_mut(&key) {
                model.hands.clear();
            }
        }
    }

    fn check_all_delivered(&self) -> Result<(), Broken> {
        for ((stream, name), model) in &self.consumers {
            let (Some(spec), Some(state)) = (model.window.now(), self.state_of(stream)) else {
                continue;
            };
            if model.is_unsure {
                continue;
            }
            let wanted = state.msgs.iter().filter(|(at, message)| {
                **at > model.begins_after
                    && (spec.filter.is_empty() || spec.filter == message.subject)
            });
            for (at, _) in wanted {
                let seen = if spec.max_deliver > 0 || spec.acks == Acks::None {
                    &model.delivered_ever
                } else {
                    &model.acked_ever
                };
                if !seen.contains(at) && !state.damaged.contains(at) {
                    return Err(format!("{stream} {name}: {at} was never delivered"));
                }
            }
        }
        Ok(())
    }
}

/// Number of the operation that gave a stream or consumer its configuration.
fn given_of(info: &Value) -> Option<u64> {
    info["config"]["description"].as_str()?.parse().ok()
}

/// The last sequence that is durable for sure: messages behind it are not shown. Should a batch have failed, the
/// oldest state is not the shortest.
fn visible(window: &Window<Option<StreamState>>) -> u64 {
    let Some(now) = window.now() else {
        return 0;
    };
    if now.spec.memory {
        return now.last;
    }
    let last = |state: &Option<StreamState>| {
        let own = state
            .as_ref()
            .filter(|own| own.spec.birth == now.spec.birth);
        own.map_or(0, |own| own.last)
    };
    window.all().map(last).min().unwrap_or(0)
}

/// Holds what is shown against the states that may be. The state that it is.
fn compare(
    states: &[&Option<StreamState>],
    visible: u64,
    shown: Option<&Shown>,
    now_ns: i64,
) -> Result<Option<StreamState>, Broken> {
    let Some(shown) = shown else {
        let may_be = states.iter().any(|state| state.is_none());
        return if may_be {
            Ok(None)
        } else {
            Err("it is not there".to_owned())
        };
    };
    let all = states.iter().filter_map(|state| state.as_ref());
    let all: Vec<&StreamState> = all
        .filter(|state| state.spec.given == shown.given)
        .collect();
    let (Some(oldest), Some(newest)) = (all.first(), all.last()) else {
        return Err(format!(
            "there is one given by #{}, which can't be",
            shown.given
        ));
    };
    for sequence in &shown.unreadable {
        if !newest.damaged.contains(sequence) && *sequence <= visible {
            return Err(format!("{sequence} can't be read"));
        }
    }
    let mut may: BTreeMap<u64, &Rc<Msg>> = BTreeMap::new();
    let same = |state: &&StreamState| state.spec.birth == newest.spec.birth;
    for state in states
        .iter()
        .filter_map(|state| state.as_ref())
        .filter(same)
    {
        may.extend(state.msgs.iter().map(|(at, message)| (*at, message)));
        may.extend(state.may_return.iter().map(|(at, message)| (*at, message)));
        if !newest.damaged.is_empty() {
            for (at, message) in &state.evicted {
                may.entry(*at).or_insert(message);
            }
        }
    }
    let mut taken = StreamState {
        msgs: BTreeMap::new(),
        last: shown.last,
        ..(*newest).clone()
    };
    for at in shown.unreadable.iter().filter(|at| **at > visible) {
        // It is not shown before it is durable.
        let Some(message) = may.get(at) else {
            return Err(format!("{at} must not be there"));
        };
        taken.msgs.insert(*at, Rc::clone(message));
    }
    for (at, (subject, headers, payload)) in &shown.msgs {
        let same = |message: &&Rc<Msg>| {
            message.subject == *subject
                && message.headers == *headers
                && message.payload == *payload
        };
        // After a failed batch a sequence may have been given out twice.
        let of_its_birth = states.iter().filter_map(|state| state.as_ref());
        let mut given_out = of_its_birth.filter_map(|state| state.msgs.get(at));
        let found = given_out.find(same).or(may.get(at).copied());
        let Some(message) = found else {
            return Err(format!(
                "{at} ({}) must not be there",
                String::from_utf8_lossy(payload)
            ));
        };
        if message.subject != *subject || message.headers != *headers || message.payload != *payload
        {
            return Err(format!("{at} is not what was published"));
        }
        taken.msgs.insert(*at, Rc::clone(message));
    }
    let lacks = |at: &u64| !taken.msgs.contains_key(at) && !newest.may_lack(*at, now_ns);
    // What every state has, whatever its configuration: after a failed batch a new one may hold without its messages.
    let has = |state: &&Option<StreamState>, at: &u64| {
        let own = state
            .as_ref()
            .filter(|state| state.spec.birth == newest.spec.birth);
        own.is_some_and(|state| state.msgs.contains_key(at))
    };
    for at in oldest.msgs.keys().filter(|at| lacks(at)) {
        if states.iter().all(|state| has(state, at)) {
            return Err(format!("{at} is gone; there are {:?}", shown.msgs.keys()));
        }
    }
    let lacking = newest
        .damaged
        .iter()
        .filter(|at| newest.msgs.contains_key(at) && !shown.msgs.contains_key(at))
        .filter(|at| !shown.at_end.contains(at));
    let unreadable = shown.unreadable.iter();
    let unreadable = unreadable.filter(|at| newest.damaged.contains(at));
    let lacking = (lacking.count() as u64).saturating_sub(unreadable.count() as u64);
    if lacking > 0
        && shown.lost == 0
        && newest.spec.retention == Retention::Limits
        && newest.spec.max_age_ns == 0
    {
        return Err(format!("{lacking} damaged messages are not told of"));
    }
    let last_of = |state: &&Option<StreamState>| {
        let own = state
            .as_ref()
            .filter(|own| own.spec.birth == newest.spec.birth);
        own.map_or(0, |own| own.last)
    };
    // Damage at the log's very end can't be told from what was never written.
    let whole_of = |state: &&Option<StreamState>| {
        let mut last = last_of(state);
        while newest.damaged.contains(&last) {
            last -= 1;
        }
        last
    };
    let low = states.iter().map(whole_of).min().unwrap_or(0);
    // A message may be there although the configuration that was written before it is torn: neither was promised.
    let high = states.iter().map(last_of).max().unwrap_or(0);
    check_end((low.min(newest.last), high), shown, &taken)?;
    Ok(Some(taken))
}

/// What was not answered may be there up to some message, and nothing behind it.
fn check_end((low, high): (u64, u64), shown: &Shown, taken: &StreamState) -> Result<(), Broken> {
    if shown.last < low || shown.last > high {
        return Err(format!(
            "its last sequence is {}, not {low} to {high}",
            shown.last
        ));
    }
    let mut limited = taken.clone();
    limited.enforce();
    if limited.msgs.len() != taken.msgs.len() {
        return Err("it has more than its limits allow".to_owned());
    }
    Ok(())
}

/// Which message ids are known: of what is there.
fn restore_ids(state: &mut StreamState, restarted: bool, now_ns: i64) {
    let last = state.last;
    state
        .ids
        .retain(|_, (sequence, _)| !restarted && *sequence <= last);
    if restarted {
        for (sequence, message) in &state.msgs {
            if let Some(id) = &message.id
                && message.time_ns >= now_ns - state.spec.window_ns
            {
                state.ids.insert(id.clone(), (*sequence, message.time_ns));
            }
        }
    }
}
