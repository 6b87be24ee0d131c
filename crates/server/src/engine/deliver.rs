//! One message's way from its publisher to everybody's staged frames.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use recado_wire::{Publish, no_responders_block, push_message};

use super::account::Account;
use super::caches::{Caches, RouteRef};
use super::connection::Connection;
use super::crossing::{CROSSINGS_MAX, RESPONSE_PREFIX, ResponseType, Responses, ServiceImport};
use super::drops::Loss;
use super::latency::{Measure, Notice};
use super::route::{Route, Sharing, Target};
use super::shared::Engine;
use super::stage::{IN_PARTS_MIN, Stage};
use super::subscription::Subscription;
use super::worker::{Congestion, Worker, count};

/// Building a route costs about as much as staging so many frames, ...
const BUILD_WORK: usize = 8;
/// ... and as one more for so many of its bytes.
const BYTES_OF_WORK: usize = 64;

/// Who publishes, as far as delivery cares.
#[derive(Clone, Copy)]
pub(crate) struct Publisher<'a> {
    pub(crate) connection: &'a Arc<Connection>,
    pub(crate) echo: bool,
    pub(crate) no_responders: bool,
}

impl Publisher<'_> {
    /// Who does not hear what it publishes: itself, without echo.
    pub(super) fn not_to(&self) -> Option<u64> {
        (!self.echo).then_some(self.connection.id)
    }
}

/// A message on its way.
#[derive(Clone, Copy)]
pub(super) struct Passage<'a> {
    pub(super) engine: &'a Engine,
    /// Whose subjects these are.
    pub(super) account: &'a Arc<Account>,
    /// How often it crossed from one account to another.
    pub(super) crossings: usize,
    pub(super) publisher: Publisher<'a>,
    pub(super) message: &'a Publish<'a>,
    /// The read buffer that the message lies in.
    pub(super) input: &'a [u8],
}

impl Worker {
    /// Routes one message in an account and stages its frames.
    #[inline]
    pub(crate) fn publish(
        &mut self,
        engine: &Engine,
        account: &Arc<Account>,
        publisher: Publisher<'_>,
        message: &Publish<'_>,
        input: &[u8],
    ) {
        let passage = Passage {
            engine,
            account,
            crossings: 0,
            publisher,
            message,
            input,
        };
        let reached = self.spread(&passage);
        if !reached && !message.reply.is_empty() && publisher.no_responders {
            say_nobody_there(&mut self.stage, &passage);
        }
    }

    /// Stages a copy for everybody whom it reaches; whether anybody was.
    #[inline]
    fn spread(&mut self, passage: &Passage<'_>) -> bool {
        let Passage {
            account,
            publisher,
            message,
            ..
        } = *passage;
        if message.subject.starts_with(RESPONSE_PREFIX)
            && let Some(reached) = self.answer(passage)
        {
            return reached;
        }
        let Self {
            caches,
            stage,
            touched,
            random,
            relieved,
            ..
        } = self;
        let id = find_route(caches, stage, account, message.subject);
        let Some(mut route) = caches.route_mut(id) else {
            return false;
        };
        let mut reached = false;
        if !route.plain.is_empty() || !route.withheld.is_empty() {
            if route.batch_messages == 0 {
                touched.push(id);
            }
            route.batch_messages += 1;
        }
        if !route.plain.is_empty() {
            if route.bytes_of_copies(message) > IN_PARTS_MIN {
                // Parts of it are written before the batch ends: they must be counted by then.
                count(caches, touched, publisher.not_to());
                let Some(again) = caches.route_mut(id) else {
                    return false;
                };
                route = again;
            }
            reached = stage_plain(stage, route, passage, relieved);
        }
        for members in &route.queues {
            reached |= stage_queue(stage, route, members, random.next(), passage);
        }
        if !route.services.is_empty() {
            let services = route.services.clone();
            for service in &services {
                reached |= self.cross(service, passage);
            }
        }
        reached
    }

    /// Publishes a request again in the account that offers the service; whether anybody was there.
    #[cold]
    pub(super) fn cross(&mut self, service: &Arc<ServiceImport>, passage: &Passage<'_>) -> bool {
        self.cross_with(service, passage, false, |worker, crossed| {
            worker.spread(crossed)
        })
    }

    /// The same, by a way of one's own in that account. `only`: it is to reach nobody, so no answer is waited for.
    pub(super) fn cross_with(
        &mut self,
        service: &Arc<ServiceImport>,
        passage: &Passage<'_>,
        only: bool,
        spread: impl FnOnce(&mut Self, &Passage<'_>) -> bool,
    ) -> bool {
        let message = passage.message;
        if passage.crossings >= CROSSINGS_MAX {
            if passage.crossings == CROSSINGS_MAX {
                let (drops, subject) = (passage.engine.drops(), message.subject);
                drops.note(&passage.account.name, subject, 0, Loss::CrossedTooOften);
            }
            return false;
        }
        let outward = &service.renaming.outward;
        let Some(subject) = outward.apply(message.subject, self.random.next() as u32) else {
            return false;
        };
        let responses = &service.exporter.responses;
        let reply = match message.reply.is_empty() {
            true => Box::default(),
            // Not to be guessed: whoever knows it can answer.
            false => {
                let (now, drops) = (Instant::now(), passage.engine.drops());
                responses.expire(now, drops);
                responses.owe(service, message.reply, rand::random(), now)
            }
        };
        if !only && service.latency.is_some() {
            self.measure(service, passage, &reply);
        }
        let (headers, payload) = message.body.split_at(message.header_len);
        let shared: Vec<u8>;
        let (body, header_len) = match service.share {
            true => {
                let publisher = passage.publisher.connection;
                let headers = passage.engine.origin_headers(publisher, headers);
                shared = [&headers, payload].concat();
                (&shared[..], headers.len())
            }
            false => (message.body, message.header_len),
        };
        let crossed = Publish {
            subject: &subject,
            reply: &reply,
            header_len,
            body,
            tail: b"",
            with_headers: message.with_headers || service.share,
        };
        let crossed = Passage {
            account: &service.exporter,
            crossings: passage.crossings + 1,
            message: &crossed,
            ..*passage
        };
        let reached = spread(self, &crossed);
        if (!reached || only) && !reply.is_empty() {
            responses.forget(&reply);
            let measure = service.exporter.measures.take(&reply);
            self.announce(passage, measure.and_then(Measure::unserved));
        }
        reached
    }

    /// Begins to measure a request that crosses, if it is one of those that are.
    #[cold]
    fn measure(&mut self, service: &Arc<ServiceImport>, passage: &Passage<'_>, made: &[u8]) {
        let message = passage.message;
        let headers = message.body.get(..message.header_len).unwrap_or_default();
        let chance = self.random.next();
        let plan = service.latency.as_ref();
        let asking = plan.and_then(|plan| plan.samples(headers, chance));
        let Some(asking) = asking.filter(|_| service.response_type == ResponseType::Singleton)
        else {
            return;
        };
        let requester = passage.publisher.connection;
        let server = passage.engine.inquiries.server_name();
        let measure = Measure::new(service, requester, server, message.reply, asking);
        match made.is_empty() {
            true => self.announce(passage, measure.without_reply()),
            false => service.exporter.measures.begin(made, measure),
        }
    }

    /// Tells an account what was measured. That is for whoever listens there: it is no request to services of others, or
    /// two accounts that measure each other would never end.
    fn announce(&mut self, passage: &Passage<'_>, notice: Option<Notice>) {
        let Some(notice) = notice else { return };
        let message = Publish {
            subject: notice.subject.as_bytes(),
            reply: b"",
            header_len: 0,
            body: &notice.body,
            tail: b"",
            with_headers: false,
        };
        let publisher = Publisher {
            echo: true,
            no_responders: false,
            ..passage.publisher
        };
        self.spread(&Passage {
            account: &notice.account,
            crossings: CROSSINGS_MAX + 1,
            publisher,
            message: &message,
            ..*passage
        });
    }

    /// Sends what answers a request that crossed back to the requester; whether that was there. `None`: it answers
    /// nothing.
    #[cold]
    pub(super) fn answer(&mut self, passage: &Passage<'_>) -> Option<bool> {
        let message = passage.message;
        let responses = &passage.account.responses;
        let now = Instant::now();
        let (to, reply) = responses.settle(message.subject, now)?;
        let answer = Publish {
            subject: &reply,
            tail: b"",
            ..*message
        };
        // The requester hears the answer even if it is its own (A46).
        let publisher = Publisher {
            echo: true,
            ..passage.publisher
        };
        let reached = self.spread(&Passage {
            account: &to,
            crossings: passage.crossings + 1,
            message: &answer,
            publisher,
            ..*passage
        });
        if let Some(measure) = passage.account.measures.take(message.subject) {
            let server = passage.engine.inquiries.server_name();
            let by = (&**passage.publisher.connection, server);
            self.announce(passage, measure.answered(by, now, reached));
        }
        Some(reached)
    }
}

impl Worker {
    /// Hands a message to whoever is subscribed to `inbox`; `push` writes the frame for one of them, and returns
    /// how long its headers and payload are together. For parts of the server, whose messages bear another subject than the one they are routed by. Whether
    /// anybody took it.
    pub(crate) fn deliver_as(
        &mut self,
        engine: &Engine,
        account: &Arc<Account>,
        publisher: Publisher<'_>,
        inbox: &[u8],
        mut push: impl FnMut(&mut Vec<u8>, &Subscription) -> usize,
    ) -> bool {
        let answered = answered(account, inbox, |responses| {
            responses.settle(inbox, Instant::now())
        });
        let (account, inbox) = answered
            .as_ref()
            .map_or((account, inbox), |(to, reply)| (to, reply));
        let Self {
            caches,
            stage,
            touched,
            random,
            ..
        } = self;
        let id = find_route(caches, stage, account, inbox);
        let Some(route) = caches.route_mut(id) else {
            return false;
        };
        let own = publisher.connection.id;
        let mut stage_one = |target: &Target| {
            // What it listens to in another account is somebody else's.
            if (target.connection_id == own && !target.elsewhere)
                || (target.limited && !count_limited(&target.sub, engine))
            {
                return false;
            }
            let appender = stage.buffer_for(target.slot, target.connection_id, &target.sub);
            appender
                .map(|appender| appender.message(|frames| push(frames.buffer(), &target.sub)))
                .is_some()
        };
        let mut reached = false;
        if !route.plain.is_empty() {
            if route.batch_messages == 0 {
                touched.push(id);
            }
            route.batch_messages += 1;
            for target in &route.plain {
                reached |= stage_one(target);
            }
        }
        for members in &route.queues {
            reached |= in_turn(members, random.next()).any(&mut stage_one);
        }
        reached
    }

    /// Whether any of those whom `subject` reaches is one `that`.
    pub(crate) fn any_target(
        &mut self,
        account: &Arc<Account>,
        subject: &[u8],
        that: impl Fn(&Target) -> bool,
    ) -> bool {
        let answered = answered(account, subject, |responses| responses.peek(subject));
        let (account, subject) = answered
            .as_ref()
            .map_or((account, subject), |(to, reply)| (to, reply));
        let id = find_route(&mut self.caches, &mut self.stage, account, subject);
        self.caches.route(id).is_some_and(|route| {
            let queues = route.queues.iter().flatten();
            route.plain.iter().chain(queues).any(that)
        })
    }
}

/// The account and the subject that a message for `inbox` really goes to, if that stands for the reply subject of a
/// request that crossed.
#[inline]
fn answered(
    account: &Account,
    inbox: &[u8],
    owed: impl FnOnce(&Responses) -> Option<(Arc<Account>, Box<[u8]>)>,
) -> Option<(Arc<Account>, Box<[u8]>)> {
    inbox
        .starts_with(RESPONSE_PREFIX)
        .then(|| owed(&account.responses))?
}

#[inline]
fn find_route(
    caches: &mut Caches,
    stage: &mut Stage,
    account: &Account,
    subject: &[u8],
) -> RouteRef {
    let id = caches
        .of(account)
        .find(&account.router, subject, |matches| {
            stage
                .resolved
                .note(matches.plain.len() + matches.queues.len());
            let built = Route::new(subject, matches);
            stage.add_work(BUILD_WORK + built.weight / BYTES_OF_WORK);
            built
        });
    RouteRef::new(account, id)
}

/// Stages a copy for everybody who is subscribed plainly; whether anybody was.
#[inline]
fn stage_plain(
    stage: &mut Stage,
    route: &mut Route,
    passage: &Passage<'_>,
    relieved: &mut Congestion,
) -> bool {
    let mut reached = false;
    for target in &route.plain[..route.apart] {
        reached |= stage_target(stage, route.prefix(target), target, passage);
        if stage.is_overfull() {
            relieve(stage, passage, relieved);
        }
    }
    for at in 0..route.groups.len() {
        reached |= stage_group(stage, route, at, passage, relieved);
    }
    reached
}

/// Stages a copy for one destination; whether it takes it.
#[inline]
pub(super) fn stage_target(
    stage: &mut Stage,
    prefix: &[u8],
    target: &Target,
    passage: &Passage<'_>,
) -> bool {
    let Passage {
        publisher,
        message,
        input,
        ..
    } = *passage;
    let own = target.connection_id == publisher.connection.id;
    if own && !publisher.echo {
        return false;
    }
    if target.limited && !count_limited(&target.sub, passage.engine) {
        return false;
    }
    let odd = target.sub.tells_origin(message.subject)
        || (message.with_headers && !target.sub.headers.load(Ordering::Relaxed));
    let Some(appender) = stage.buffer_for(target.slot, target.connection_id, &target.sub) else {
        return false;
    };
    if odd {
        appender.message(|frames| push_odd(frames.buffer(), prefix, target, passage));
    } else if prefix.is_empty() {
        let sid = target.sub.sid();
        appender.message(|frames| {
            frames.push_message_to(sid, message, input);
            message.body.len()
        });
    } else {
        appender.message(|frames| {
            frames.push_message(prefix, message, input);
            message.body.len()
        });
    }
    if target.grants_replies && !message.reply.is_empty() {
        grant_reply(target, message.reply);
    }
    true
}

/// Lets the receiver publish to the reply subject of what it is sent (C33).
#[cold]
fn grant_reply(target: &Target, reply: &[u8]) {
    if let Some(connection) = target.sub.connection.upgrade() {
        connection.grant_reply(reply, Instant::now());
    }
}

/// Stages a copy for a group of destinations that get the same bytes.
#[inline]
fn stage_group(
    stage: &mut Stage,
    route: &mut Route,
    at: usize,
    passage: &Passage<'_>,
    relieved: &mut Congestion,
) -> bool {
    let Passage {
        publisher,
        message,
        input,
        ..
    } = *passage;
    let members = route.groups[at].members.clone();
    if route.groups[at].round != stage.round() {
        route.groups[at].round = stage.round();
        route.groups[at].staged = open_group(stage, &route.plain[members.clone()], &publisher);
    }
    if let Sharing::Buffer(number) = route.groups[at].staged {
        if let Some(appender) = stage.shared_frames(number) {
            let prefix = route.prefix(&route.plain[members.start]);
            appender.message(|frames| {
                frames.push_message(prefix, message, input);
                message.body.len()
            });
            return true;
        }
        route.groups[at].staged = Sharing::Apart;
    }
    let mut reached = false;
    for target in &route.plain[members] {
        reached |= stage_target(stage, route.prefix(target), target, passage);
        if stage.is_overfull() {
            relieve(stage, passage, relieved);
        }
    }
    reached
}

/// Writes what is staged in the middle of a message that is for very many.
#[cold]
pub(super) fn relieve(stage: &mut Stage, passage: &Passage<'_>, relieved: &mut Congestion) {
    let own = passage.publisher.connection.id;
    let subject = passage.message.subject;
    stage.flush(passage.input, own, subject, |connection, delivered| {
        relieved.note(connection, delivered, subject);
    });
}

/// Decides how a group is staged in this batch.
#[cold]
fn open_group(stage: &mut Stage, targets: &[Target], publisher: &Publisher<'_>) -> Sharing {
    let own = publisher.connection.id;
    if targets.iter().any(|target| target.connection_id == own) {
        // Its own replies may come between, or it must not hear itself.
        return Sharing::Apart;
    }
    let targets = targets.iter().map(|t| (t.slot, t.connection_id, &*t.sub));
    stage.share(targets).map_or(Sharing::Apart, Sharing::Buffer)
}

/// Members of a queue group as they are asked, one after the other, until one takes a message: from a random start (A44).
#[inline]
pub(super) fn in_turn<T>(members: &[T], random: u64) -> impl Iterator<Item = &T> {
    let start = (((random >> 32) * members.len() as u64) >> 32) as usize;
    let (before, from) = members.split_at(start);
    from.iter().chain(before)
}

/// Stages a copy for one member of a queue group: the first that takes it.
fn stage_queue(
    stage: &mut Stage,
    route: &Route,
    members: &[Target],
    random: u64,
    passage: &Passage<'_>,
) -> bool {
    in_turn(members, random).any(|target| {
        let took = stage_target(stage, route.prefix(target), target, passage);
        if took && !target.limited {
            target.sub.delivered.fetch_add(1, Ordering::AcqRel);
        }
        took
    })
}

/// Counts a delivery to a subscription that ends after so many, and ends it after the last (A24).
#[cold]
fn count_limited(sub: &Arc<Subscription>, engine: &Engine) -> bool {
    let (allowed, last) = sub.count_limited();
    if last {
        engine.end_subscription(sub);
    }
    allowed
}

/// A frame that differs from what the publisher sent: headers taken out (A27), or the origin put in.
/// How long the headers and the payload that it gets are together.
#[cold]
fn push_odd(out: &mut Vec<u8>, prefix: &[u8], target: &Target, passage: &Passage<'_>) -> usize {
    let Publish {
        reply,
        header_len,
        body,
        ..
    } = *passage.message;
    let (headers, payload) = body.split_at(header_len);
    let sid = target.sub.sid();
    // As the receiver calls it: `HMSG subject sid `.
    let subject = match prefix {
        [] => passage.message.subject,
        _ => &prefix[5..prefix.len() - sid.len() - 2],
    };
    if target.sub.tells_origin(subject) {
        let headers = passage
            .engine
            .origin_headers(passage.publisher.connection, headers);
        push_message(out, subject, sid, reply, Some(&headers), payload);
        headers.len() + payload.len()
    } else {
        push_message(out, subject, sid, reply, None, payload);
        payload.len()
    }
}

/// Tells the publisher that nobody listens, and notes it.
#[cold]
pub(super) fn say_nobody_there(stage: &mut Stage, passage: &Passage<'_>) {
    say_no_responders(stage, passage);
    let drops = passage.engine.drops();
    let (account, cid) = (&passage.account.name, passage.publisher.connection.id);
    drops.note(account, passage.message.subject, cid, Loss::NoResponders);
}

/// Tells the publisher that nobody listens: on its own plain subscription to the reply subject (A47).
fn say_no_responders(stage: &mut Stage, passage: &Passage<'_>) {
    let Publish { subject, reply, .. } = *passage.message;
    let publisher = passage.publisher.connection;
    let mut seen = 0;
    let own = passage.account.router.find_plain(reply, |sub| {
        seen += 1;
        sub.connection_id == publisher.id
    });
    stage.add_work(seen);
    let Some(sub) = own else { return };
    let block = no_responders_block(subject);
    // It is no delivery: it counts neither towards the subscription's limit nor as sent.
    if let Some(appender) = stage.buffer_of(publisher) {
        let mut frame = Vec::new();
        push_message(&mut frame, reply, sub.sid(), b"", Some(&block), b"");
        appender.control(&frame);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engine::link::Link;
    use crate::engine::registry::Limit;
    use crate::engine::worker::with_worker;
    use crate::internal_client::tests::{engine, run};
    use std::os::unix::net::UnixStream;

    /// Connections at whose other ends nobody reads.
    pub(in crate::engine) struct Unread<'a> {
        engine: &'a Engine,
        others: Vec<UnixStream>,
    }

    impl<'a> Unread<'a> {
        pub(in crate::engine) fn new(engine: &'a Engine) -> Self {
            let others = Vec::new();
            Self { engine, others }
        }

        pub(in crate::engine) fn add(&mut self) -> Arc<Connection> {
            let (ours, theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            self.others.push(theirs);
            let (link, _) = Link::internal(ours).unwrap();
            let limits = Arc::clone(&self.engine.write);
            let made = self.engine.connections.add(Limit::Internal, |id, slot| {
                let standing = Arc::clone(self.engine.insider());
                Connection::new(id, slot, None, false, link, limits, standing)
            });
            made.unwrap()
        }
    }

    #[test]
    fn a_message_written_in_parts_is_counted_and_its_congestion_reported() {
        run(async {
            let engine = engine();
            let mut connections = Unread::new(&engine);
            let (publisher, reader) = (connections.add(), connections.add());
            let subs: Vec<_> = (0..20)
                .map(|sid: u8| {
                    Arc::new(Subscription::new(&reader, true, b"s", None, &[b'a' + sid]))
                })
                .collect();
            for sub in &subs {
                engine.accounts.global().enter(Arc::clone(sub));
            }
            let input = [&b"1048576\r\n"[..], &[b'x'; 1 << 20], b"\r\n"].concat();
            let message = Publish {
                subject: b"s",
                reply: b"",
                header_len: 0,
                body: &input[9..input.len() - 2],
                tail: &input,
                with_headers: false,
            };
            let publisher = Publisher {
                connection: &publisher,
                echo: true,
                no_responders: false,
            };
            with_worker(|worker| {
                let account = engine.accounts.global();
                worker.publish(&engine, account, publisher, &message, &input);
                // The first part is out; the last is not.
                assert!(worker.stage.staged_bytes() > 0);
                let delivered = |sub: &Arc<Subscription>| sub.delivered.load(Ordering::Acquire);
                assert!(subs.iter().all(|sub| delivered(sub) == 1));
                let mut congestion = Congestion::default();
                worker.relieved.some_free = true;
                worker.flush(&input, 0, None, &mut congestion);
                assert_eq!(
                    congestion.congested.len(),
                    2,
                    "of the first part and the last"
                );
                assert!(
                    congestion.some_free,
                    "what was noted in the middle is reported"
                );
                assert!(subs.iter().all(|sub| delivered(sub) == 1));
            });
        });
    }
}
