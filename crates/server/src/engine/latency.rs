//! How long services take that an account offers to others (A122): for sampled requests the account is told who asked, who
//! answered and when, or why nobody did, under nats-server's names (`io.nats.server.metric.v1.service_latency`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use jiff::Timestamp;
use parking_lot::Mutex;
use recado_wire::Headers;
use serde_json::{Value, json};

use super::account::Account;
use super::client::client_json;
use super::connection::Connection;
use super::crossing::{RESPONSE_PREFIX, ServiceImport};
use super::msg_trace::is_sampled;
use super::shared::Engine;

/// Requests to one account that are measured at once; further ones are answered, and not measured.
const MEASURED_MAX: usize = 65_536;
/// Parts of a whole.
const WHOLE: u64 = 100;

/// What of a service is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LatencyPlan {
    /// Subject in the exporter's account that is told.
    pub(crate) subject: String,
    /// So many of a hundred requests; 0: those whose headers ask for it.
    pub(crate) percent: u8,
}

/// Headers that made somebody measure a request.
pub(super) type Asking = BTreeMap<&'static str, Vec<String>>;

impl LatencyPlan {
    /// Whether a request is measured, and the headers that say so.
    pub(super) fn samples(&self, headers: &[u8], chance: u64) -> Option<Asking> {
        let drawn = ((chance >> 32) * WHOLE) >> 32;
        match drawn < u64::from(self.percent) {
            true => Some(Asking::new()),
            false => asked_by(headers),
        }
    }
}

/// Values of one header that are told with what was measured, ...
const ASKING_VALUES_MAX: usize = 8;
/// ... and the longest of them: W3C wants 512 of `tracestate`.
const ASKING_BYTES_MAX: usize = 1024;

/// What the headers of Jaeger, Zipkin and W3C say, in nats-server's order: the first that is there decides.
fn asked_by(block: &[u8]) -> Option<Asking> {
    let headers: Vec<(&str, &str)> = Headers::new(block).iter().collect();
    let values = |name: &str| -> Vec<String> {
        let same = headers
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.trim().to_owned()).collect()
    };
    let take = |names: &[&'static str]| -> Asking {
        let bounded = |name: &str| {
            let few = values(name).into_iter().take(ASKING_VALUES_MAX);
            few.filter(|value| value.len() <= ASKING_BYTES_MAX)
                .collect()
        };
        let taken = names.iter().map(|name| (*name, bounded(name)));
        taken
            .filter(|(_, values): &(_, Vec<String>)| !values.is_empty())
            .collect()
    };
    if let Some(id) = values("Uber-Trace-Id").first() {
        let flags = id.split(':').nth(3).filter(|_| id.split(':').count() == 4);
        let sampled = flags.is_some_and(|flags| {
            flags.len() <= 2 && u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1)
        });
        return sampled.then(|| take(&["Uber-Trace-Id"]));
    }
    let zipkin = || {
        take(&[
            "X-B3-Sampled",
            "X-B3-Traceid",
            "X-B3-Parentspanid",
            "X-B3-Spanid",
        ])
    };
    match values("X-B3-Sampled").first().map(String::as_str) {
        Some("1") => return Some(zipkin()),
        Some("0") => return None,
        _ if !values("X-B3-TraceId").is_empty() => return Some(zipkin()),
        _ => {}
    }
    if let Some(b3) = values("B3").first() {
        let mut parts = b3.split('-');
        let denied = b3 == "0" || parts.nth(2) == Some("0");
        return (!denied).then(|| take(&["B3"]));
    }
    let parent = values("Traceparent");
    let sampled = parent.first().is_some_and(|parent| is_sampled(parent));
    sampled.then(|| take(&["Traceparent", "Tracestate"]))
}

/// What became of a request.
enum Outcome<'a> {
    /// It was answered, and so much later than it came the answer was on its way.
    Answered {
        by: &'a Connection,
        server: &'a str,
        took: Duration,
    },
    NoReply,
    RequesterGone,
    NobodyThere,
    TooLate,
}

/// A request that is measured.
pub(crate) struct Measure {
    import: Arc<ServiceImport>,
    /// The requester's reply subject.
    reply: Arc<[u8]>,
    /// Who asked.
    requester: Value,
    /// Its round trip.
    round_trip: Duration,
    since: Instant,
    start: Timestamp,
    asking: Asking,
}

/// What an account is told on one of its subjects.
pub(crate) struct Notice {
    pub(crate) account: Arc<Account>,
    pub(crate) subject: String,
    pub(crate) body: Vec<u8>,
}

impl Measure {
    pub(super) fn new(
        import: &Arc<ServiceImport>,
        requester: &Connection,
        server: &str,
        reply: &[u8],
        asking: Asking,
    ) -> Self {
        let round_trip = round_trip_of(requester);
        let start = Timestamp::now();
        Self {
            import: Arc::clone(import),
            reply: reply.into(),
            requester: told_of(requester, import.share.then_some(server)),
            since: Instant::now(),
            start: start.checked_sub(round_trip).unwrap_or(start),
            round_trip,
            asking,
        }
    }

    /// Whoever asked named no subject for an answer.
    pub(super) fn without_reply(self) -> Option<Notice> {
        self.end(Outcome::NoReply)
    }

    /// Nobody is there to answer.
    pub(super) fn unserved(self) -> Option<Notice> {
        self.end(Outcome::NobodyThere)
    }

    /// It was answered by somebody connected to `server` at a time; `reached`: whoever asked is still there.
    pub(super) fn answered(
        self,
        (by, server): (&Connection, &str),
        at: Instant,
        reached: bool,
    ) -> Option<Notice> {
        let took = at.duration_since(self.since);
        self.end(match reached {
            true => Outcome::Answered { by, server, took },
            false => Outcome::RequesterGone,
        })
    }

    fn is_late(&self, now: Instant) -> bool {
        now.duration_since(self.since) > self.import.threshold
    }

    fn end(self, outcome: Outcome<'_>) -> Option<Notice> {
        let plan = self.import.latency.as_ref()?;
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let (status, description) = match outcome {
            Outcome::Answered { .. } => (200, ""),
            Outcome::NoReply => (400, "Bad Request"),
            Outcome::RequesterGone => (408, "Request Timeout"),
            Outcome::NobodyThere => (503, "Service Unavailable"),
            Outcome::TooLate => (504, "Service Timeout"),
        };
        let mut body = json!({
            "type": "io.nats.server.metric.v1.service_latency",
            "id": format!("{:032x}", rand::random::<u128>()),
            "timestamp": Timestamp::now().to_string(),
            "status": status,
            "requestor": self.requester,
            "start": self.start.to_string(),
            "service": 0,
            "system": 0,
            "total": 0,
        });
        if !description.is_empty() {
            body["description"] = description.into();
        }
        if !self.asking.is_empty() {
            body["header"] = json!(self.asking);
        }
        if let Outcome::Answered { by, server, took } = outcome {
            let theirs = round_trip_of(by);
            let service = took.saturating_sub(theirs);
            // What was neither service nor the way to either of them.
            let system = (self.since.elapsed().saturating_sub(took)) * u32::from(!theirs.is_zero());
            body["responder"] = told_of(by, Some(server));
            body["service"] = nanos(service).into();
            body["system"] = nanos(system).into();
            body["total"] = nanos(self.round_trip + took + system).into();
        }
        Some(Notice {
            account: Arc::clone(&self.import.exporter),
            subject: plan.subject.clone(),
            body: body.to_string().into_bytes(),
        })
    }
}

/// What is told of a connection: everything, with the name of the server where it is; without that, what its account does
/// not keep to itself.
fn told_of(connection: &Connection, server: Option<&str>) -> Value {
    let mut told = client_json(connection);
    let Some(server) = server else {
        return json!({"acc": told["acc"], "rtt": told["rtt"]});
    };
    told["server"] = server.into();
    told
}

fn round_trip_of(connection: &Connection) -> Duration {
    let micros = connection.round_trip_us.load(Ordering::Relaxed);
    Duration::from_micros(micros.into())
}

/// The requests to one account that are measured, by the reply subject that was made for them.
#[derive(Default)]
pub(crate) struct Measures {
    running: Mutex<HashMap<Arc<[u8]>, Measure>>,
    count: AtomicUsize,
}

impl Measures {
    pub(super) fn begin(&self, made: &[u8], measure: Measure) {
        let mut running = self.running.lock();
        if running.len() < MEASURED_MAX {
            running.insert(made.into(), measure);
            self.count.store(running.len(), Ordering::Relaxed);
        }
    }

    /// The measured request that is answered on this subject, if one is.
    pub(super) fn take(&self, made: &[u8]) -> Option<Measure> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut running = self.running.lock();
        let taken = running.remove(made);
        self.count.store(running.len(), Ordering::Relaxed);
        taken
    }

    /// Those that will not be answered any more: too late, or `is_waited_for` says no of an account and a reply subject.
    /// That looks into indexes, so requests go on being measured and answered meanwhile.
    fn ended(&self, now: Instant, is_waited_for: impl Fn(&Account, &[u8]) -> bool) -> Vec<Notice> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let (late, left) = self.take_late(now);
        let late = late.into_iter().map(|one| one.end(Outcome::TooLate));
        let mut ended: Vec<Notice> = late.flatten().collect();
        for (made, import, reply) in left {
            if !is_waited_for(&import.importer, &reply)
                && let Some(measure) = self.take(&made)
            {
                ended.extend(measure.end(Outcome::RequesterGone));
            }
        }
        ended
    }

    /// Takes those that were not answered in time; of the others, what it takes to see whether anybody waits for them.
    fn take_late(&self, now: Instant) -> (Vec<Measure>, Vec<Awaited>) {
        let mut running = self.running.lock();
        let late = running.extract_if(|_, measure| measure.is_late(now));
        let late = late.map(|(_, measure)| measure).collect();
        self.count.store(running.len(), Ordering::Relaxed);
        let left = running.iter().map(|(made, measure)| {
            let (import, reply) = (&measure.import, &measure.reply);
            (Arc::clone(made), Arc::clone(import), Arc::clone(reply))
        });
        (late, left.collect())
    }
}

/// A request that is measured: the reply subject that was made for it, by which import it came, the requester's own.
type Awaited = (Arc<[u8]>, Arc<ServiceImport>, Arc<[u8]>);

/// Whether anybody is subscribed to what a request is to be answered on.
fn is_waited_for(account: &Account, reply: &[u8]) -> bool {
    if reply.starts_with(RESPONSE_PREFIX) {
        return account.responses.peek(reply).is_some();
    }
    let (matches, _) = account.router.resolve(reply, account.router.hash(reply));
    let queues = matches.queues.iter().flat_map(|group| &group.members);
    let mut all = matches.plain.iter().chain(queues);
    all.any(|sub| {
        let is_service = sub
            .special()
            .is_some_and(|special| special.service.is_some());
        let open = sub.connection.upgrade();
        is_service || open.is_some_and(|open| open.close_reason().is_none())
    })
}

impl Engine {
    /// Whether measured requests or traced messages wait for an answer.
    pub(crate) fn waits_for_answers(&self) -> bool {
        let measured = |account: &Arc<Account>| account.measures.count.load(Ordering::Relaxed) > 0;
        self.traces.is_any() || self.accounts.all().iter().any(measured)
    }

    /// Of measured requests, those that will not be answered any more: to be asked every now and then.
    pub(crate) fn unanswered_requests(&self) -> Vec<Notice> {
        let (accounts, now) = (self.accounts.all(), Instant::now());
        let ended = accounts
            .iter()
            .map(|account| account.measures.ended(now, is_waited_for));
        ended.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::crossing::{Renaming, ResponseType};
    use crate::internal_client::tests::{TestClient, engine, run};

    fn asked(lines: &[&str]) -> Option<Vec<&'static str>> {
        let block = format!("NATS/1.0\r\n{}\r\n\r\n", lines.join("\r\n"));
        asked_by(block.as_bytes()).map(|asking| asking.into_keys().collect())
    }

    #[test]
    fn headers_of_other_systems_ask_for_a_measure() {
        for (lines, expected) in [
            (
                &["uber-trace-id: a:b:c:1"][..],
                Some(&["Uber-Trace-Id"][..]),
            ),
            (&["uber-trace-id: a:b:c:0", "X-B3-Sampled: 1"], None),
            (
                &["X-B3-Sampled: 1", "x-b3-spanid: 7"],
                Some(&["X-B3-Sampled", "X-B3-Spanid"]),
            ),
            (&["X-B3-Sampled: 0", "X-B3-TraceId: a"], None),
            (&["X-B3-TraceId: a"], Some(&["X-B3-Traceid"])),
            (&["b3: a-b-1"], Some(&["B3"])),
            (&["b3: a-b-0"], None),
            (&["b3: 0"], None),
            (
                &["traceparent: 00-a-b-01", "tracestate: x=y"],
                Some(&["Traceparent", "Tracestate"]),
            ),
            (&["traceparent: 00-a-b-00"], None),
            (&["A: b"], None),
        ] {
            assert_eq!(asked(lines).as_deref(), expected, "{lines:?}");
        }
    }

    #[test]
    fn requests_are_answered_while_it_is_looked_for_those_that_nobody_waits_for() {
        run(async {
            let engine = engine();
            let _client = TestClient::new(&engine);
            let requester = engine.connections.all().pop().unwrap();
            let account = engine.accounts.global();
            let import = Arc::new(ServiceImport {
                exporter: Arc::clone(account),
                importer: Arc::clone(account),
                renaming: Renaming::new("q", "").unwrap(),
                share: true,
                response_type: ResponseType::Singleton,
                threshold: Duration::from_secs(10),
                allow_trace: false,
                latency: Some(LatencyPlan {
                    subject: "took".into(),
                    percent: 100,
                }),
            });
            let measures = Measures::default();
            let begin = |made: &[u8]| {
                let measure = Measure::new(&import, &requester, "here", made, Asking::new());
                measures.begin(made, measure);
            };
            for made in [b"answered", &b"given up"[..], b"awaited"] {
                begin(made);
            }
            // Whoever answers takes the measure, whatever is being looked at: nothing is held meanwhile.
            let ended = measures.ended(Instant::now(), |_, reply| {
                assert!(measures.running.try_lock().is_some());
                drop(measures.take(b"answered"));
                reply == b"awaited"
            });
            let told = |notices: Vec<Notice>| -> Vec<Value> {
                let bodies = notices
                    .iter()
                    .map(|notice| serde_json::from_slice(&notice.body));
                bodies.map(Result::unwrap).collect()
            };
            let ended = told(ended);
            assert_eq!(ended.len(), 1, "{ended:?}");
            assert_eq!(ended[0]["status"], 408);
            assert_eq!(ended[0]["requestor"]["server"], "here");
            let later = Instant::now() + 2 * import.threshold;
            let late = told(measures.ended(later, |_, _| true));
            assert_eq!(late.len(), 1, "{late:?}");
            assert_eq!(late[0]["status"], 504);
            assert_eq!(measures.count.load(Ordering::Relaxed), 0);
        });
    }

    #[test]
    fn so_many_of_a_hundred_are_measured() {
        for percent in [0, 1, 50, 100] {
            let plan = LatencyPlan {
                subject: "l".into(),
                percent,
            };
            // The middle of each hundredth of the range.
            let chances = (0..100_u64).map(|part| (((part * 2 + 1) << 32) / 200) << 32);
            let taken = chances.filter(|chance| plan.samples(b"", *chance).is_some());
            assert_eq!(taken.count(), usize::from(percent));
        }
    }
}
