//! Nothing crosses from one account to another but what one exports and the other imports: held against a plain
//! model, in random worlds. A case that fails is printed whole, as small as it could be made.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use proptest::prelude::*;
use recado_wire::{Publish, ServerFrame, ServerParsed, parse_server_frame};

use super::*;
use crate::engine::connection::Connection;
use crate::engine::crossing::RESPONSE_PREFIX;
use crate::engine::deliver::Publisher;
use crate::engine::link::Link;
use crate::engine::registry::Limit;
use crate::engine::standing::Standing;
use crate::engine::worker::{Congestion, with_worker};
use crate::internal_client::tests::{engine, run};

#[path = "plan_model.rs"]
mod model;

use model::{Expected, Export, Import, Mapping, NAMES, Publishing, Reply, Sub, World};

/// Where whoever asks wants its answer.
const INBOX: &str = "inbox.k";
/// Stands for the part of a made reply subject that nobody can know.
const CHANCE: &str = "CHANCE";

fn account() -> impl Strategy<Value = usize> {
    0..NAMES.len()
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Stream), Just(Kind::Service)]
}

fn exports() -> impl Strategy<Value = Vec<Export>> {
    let subject = prop_oneof![Just("a.>"), Just("a.*"), Just("b.c"), Just(">")];
    let only = proptest::option::of(account());
    let response = prop_oneof![Just(ResponseType::Singleton), Just(ResponseType::Streamed)];
    let export = (account(), kind(), subject, only, response).prop_map(
        |(account, kind, subject, only, response_type)| Export {
            account,
            kind,
            subject,
            only,
            response_type,
        },
    );
    proptest::collection::vec(export, 0..3)
}

/// Most of them with an export that lets them: by chance alone few would have one.
fn imports() -> impl Strategy<Value = Vec<(Import, Option<Export>)>> {
    let imported = prop_oneof![
        Just(("a.*", "")),
        Just(("a.*", "x.*")),
        Just(("a.>", "in.a.>")),
        Just(("b.c", "x.y")),
        Just(("b.c", "a.b")),
        Just(("*.*", "y.$2.$1")),
    ];
    let response = prop_oneof![Just(ResponseType::Singleton), Just(ResponseType::Streamed)];
    let response = proptest::option::weighted(0.8, response);
    let import = (account(), kind(), account(), imported, response).prop_map(
        |(account, kind, from, (subject, to), response)| {
            let export = response.map(|response_type| Export {
                account: from,
                kind,
                subject,
                only: Some(account),
                response_type,
            });
            let import = Import {
                account,
                kind,
                from,
                subject,
                to,
            };
            (import, export)
        },
    );
    let all = proptest::collection::vec(import, 0..6);
    all.prop_map(|mut imports| {
        imports.retain(|(import, _)| import.account != import.from);
        imports
    })
}

fn subs() -> impl Strategy<Value = Vec<Sub>> {
    let filter = prop_oneof![
        Just(">"),
        Just("a.*"),
        Just("a.b"),
        Just("x.>"),
        Just("in.>"),
        Just("y.*.*"),
        Just("*.c"),
        Just("inbox.*"),
    ];
    let queue = prop_oneof![Just(None), Just(Some("q")), Just(Some("r"))];
    let sub = (account(), filter, queue).prop_map(|(account, filter, queue)| Sub {
        account,
        filter,
        queue,
    });
    proptest::collection::vec(sub, 1..9)
}

fn publishes() -> impl Strategy<Value = Vec<Publishing>> {
    let subject = prop_oneof![
        Just("a.b"),
        Just("b.c"),
        Just("a.b.c"),
        Just("x.b"),
        Just("x.y"),
        Just("y.b.a"),
        Just("in.a.q"),
        Just("m.b"),
        Just("p.k"),
    ];
    let publishing = (account(), subject, any::<bool>(), any::<u64>(), 0..8_usize).prop_map(
        |(account, subject, asks, chance, answerer)| Publishing {
            account,
            subject,
            asks,
            chance,
            answerer,
        },
    );
    proptest::collection::vec(publishing, 1..12)
}

fn world() -> impl Strategy<Value = World> {
    let mapping = prop_oneof![
        Just(Mapping::Whole),
        Just(Mapping::Shared),
        Just(Mapping::Partitioned),
        Just(Mapping::Literal),
    ];
    let mappings = proptest::collection::vec((account(), mapping), 0..6);
    (exports(), imports(), mappings, subs(), publishes()).prop_map(
        |(mut exports, imports, mappings, subs, publishes)| {
            let (imports, lets): (Vec<_>, Vec<_>) = imports.into_iter().unzip();
            exports.extend(lets.into_iter().flatten());
            World {
                exports,
                imports,
                mappings,
                subs,
                publishes,
            }
        },
    )
}

impl World {
    fn plans(&self) -> Vec<AccountPlan> {
        let of = |number: usize| AccountPlan {
            name: NAMES[number].to_owned(),
            exports: { self.exports.iter() }
                .filter(|export| export.account == number)
                .map(|export| ExportPlan {
                    needs_activation: false,
                    kind: export.kind,
                    subject: export.subject.to_owned(),
                    accounts: export.only.map(|only| vec![NAMES[only].to_owned()]),
                    token_position: None,
                    response_type: export.response_type,
                    response_threshold: None,
                    allow_trace: false,
                    latency: None,
                })
                .collect(),
            imports: { self.imports.iter() }
                .filter(|import| import.account == number)
                .map(|import| ImportPlan {
                    kind: import.kind,
                    account: NAMES[import.from].to_owned(),
                    subject: import.subject.to_owned(),
                    to: import.to.to_owned(),
                    share: false,
                    allow_trace: false,
                })
                .collect(),
            mappings: { self.mappings.iter() }
                .filter(|(account, _)| *account == number)
                .map(|(_, mapping)| {
                    let destinations = mapping.destinations().iter();
                    let weighted = destinations.map(|(dest, weight)| Weighted {
                        dest: (*dest).to_owned(),
                        weight: *weight,
                    });
                    (mapping.source().to_owned(), weighted.collect())
                })
                .collect(),
            ..AccountPlan::default()
        };
        (0..NAMES.len()).map(of).collect()
    }
}

/// What arrived: which subscription, under which subject, and with which reply subject.
type Got = (usize, String, Vec<u8>);

/// An engine with everybody subscribed, as a world says.
struct Running {
    engine: Arc<Engine>,
    /// Kept open, and their other ends.
    connections: Vec<Arc<Connection>>,
    receivers: Vec<UnixStream>,
}

impl Running {
    fn new(world: &World, imports_later: bool) -> Self {
        let mut running = Self {
            engine: engine(),
            connections: Vec::new(),
            receivers: Vec::new(),
        };
        let plans = world.plans();
        let put = |running: &Self| {
            let prepared = running.engine.prepare_accounts(&plans).unwrap();
            running.engine.put_accounts_in_force(prepared);
        };
        if !imports_later {
            put(&running);
        }
        for sub in &world.subs {
            let (connection, theirs) = running.connect(sub.account);
            let (filter, queue) = (sub.filter.as_bytes(), sub.queue.map(str::as_bytes));
            let sub = Arc::new(Subscription::new(&connection, true, filter, queue, b"1"));
            connection.subscriptions.lock().insert(Arc::clone(&sub));
            connection.account().enter(sub);
            running.receivers.push(theirs);
        }
        if imports_later {
            put(&running);
        }
        running
    }

    fn connect(&mut self, account: usize) -> (Arc<Connection>, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let (link, _) = Link::internal(ours).unwrap();
        let limits = Arc::clone(&self.engine.write);
        let account = self.engine.accounts.get_or_add(NAMES[account]);
        let standing = Arc::new(Standing::anonymous(&account));
        let connection = self.engine.connections.add(Limit::Internal, |id, slot| {
            Connection::new(id, slot, None, false, link, limits, standing)
        });
        let connection = connection.unwrap();
        self.connections.push(Arc::clone(&connection));
        (connection, theirs)
    }

    /// Publishes as a client of an account would, mappings first; what arrives of it.
    fn publish(&mut self, account: usize, subject: &[u8], reply: &[u8], chance: u64) -> Vec<Got> {
        let (connection, _theirs) = self.connect(account);
        let account = connection.account();
        let renamed = account.terms().mappings.rename(subject, chance);
        let message = Publish {
            subject: renamed.as_deref().unwrap_or(subject),
            reply,
            header_len: 0,
            body: b"x",
            tail: b"",
            with_headers: false,
        };
        let publisher = Publisher {
            connection: &connection,
            echo: true,
            no_responders: false,
        };
        with_worker(|worker| {
            worker.publish(&self.engine, &account, publisher, &message, b"");
            worker.flush(b"", connection.id, None, &mut Congestion::default());
        });
        let receivers = self.receivers.iter_mut().enumerate();
        let got = receivers.flat_map(|(at, theirs)| {
            let frames = frames(theirs).into_iter();
            frames.map(move |(subject, reply)| (at, subject, reply))
        });
        got.collect()
    }
}

/// Subjects and replies of the frames that lie ready.
fn frames(socket: &mut UnixStream) -> Vec<(String, Vec<u8>)> {
    let mut bytes = vec![0; 256 * 1024];
    let count = socket.read(&mut bytes).unwrap_or(0);
    let (mut at, mut found) = (0, Vec::new());
    while let ServerParsed::Complete(frame, length) = parse_server_frame(&bytes[at..count]) {
        if let ServerFrame::Message { subject, reply, .. } = frame {
            let subject = String::from_utf8_lossy(subject).into_owned();
            found.push((subject, reply.to_vec()));
        }
        at += length;
    }
    assert_eq!(at, count, "whole frames");
    found
}

/// As the model tells it: no chance in it.
fn plain(got: &[Got]) -> Vec<(usize, String, Reply)> {
    let plain = got.iter().map(|(sub, subject, reply)| {
        let tokens = subject.split('.').map(|token| match token.len() {
            32 => CHANCE,
            _ => token,
        });
        let reply = match &reply[..] {
            b"" => Reply::None,
            made if made.starts_with(RESPONSE_PREFIX) => Reply::Made,
            own => {
                assert_eq!(own, INBOX.as_bytes());
                Reply::Own
            }
        };
        (*sub, tokens.collect::<Vec<_>>().join("."), reply)
    });
    plain.collect()
}

fn held(expected: &Expected, got: &[Got], what: &str) -> Result<(), TestCaseError> {
    let told = plain(got);
    prop_assert!(
        expected.fits(&told),
        "{what}: got {told:?}, expected {expected:?}"
    );
    Ok(())
}

/// Publishes all of a world's messages, and answers to some, each held against the model.
fn hold(world: &World, imports_later: bool) -> Result<(), TestCaseError> {
    let mut running = Running::new(world, imports_later);
    for publishing in &world.publishes {
        let Publishing {
            account,
            subject,
            asks,
            chance,
            ..
        } = *publishing;
        let reply = if asks { INBOX.as_bytes() } else { b"" };
        let got = running.publish(account, subject.as_bytes(), reply, chance);
        let mapped = world.mapped(account, subject, chance);
        let expected = world.expected(account, &mapped, asks);
        let what = format!("{subject} as {mapped} in {}", NAMES[account]);
        held(&expected, &got, &what)?;
        if asks && !got.is_empty() {
            let at = publishing.answerer % got.len();
            hold_answer(&mut running, world, &expected, &got[at], chance)?;
        }
    }
    Ok(())
}

/// One that got a request answers; before that somebody of another account tries to.
fn hold_answer(
    running: &mut Running,
    world: &World,
    expected: &Expected,
    request: &Got,
    chance: u64,
) -> Result<(), TestCaseError> {
    let told = plain(std::slice::from_ref(request));
    // Where several ways are alike, nobody can tell which one this is.
    let Some(way) = expected.way_of(&told[0]) else {
        return Ok(());
    };
    let (sub, _, reply) = request;
    let responder = world.subs[*sub].account;
    let own = &plain(&[(
        *sub,
        String::from_utf8_lossy(reply).into_owned(),
        Vec::new(),
    )])[0]
        .1;
    if told[0].2 == Reply::Own {
        // It may have come by a stream: then its reply subject is only a name.
        let got = running.publish(responder, reply, b"", chance);
        let expected = world.expected(responder, own, false);
        return held(&expected, &got, "an answer to the requester's own subject");
    }
    // A request that went on as a stream was made in the account that offers the service.
    let exporter = way.last().map_or(responder, |at| world.imports[*at].from);
    for stranger in (0..NAMES.len()).filter(|account| *account != exporter) {
        let got = running.publish(stranger, reply, b"", chance);
        let expected = world.expected(stranger, own, false);
        held(&expected, &got, "an answer by somebody who was not asked")?;
    }
    for again in [false, true] {
        let (to, is_back, crossings) = world.returned(way, again);
        let subject = if is_back { INBOX } else { own };
        let got = running.publish(exporter, reply, b"", chance);
        let expected = world.answered(to, subject, crossings);
        held(&expected, &got, &format!("an answer, again: {again}"))?;
    }
    Ok(())
}

/// On a thread of its own: what a thread keeps of routes belongs to one engine.
fn hold_apart(world: &World, imports_later: bool) -> Result<(), TestCaseError> {
    std::thread::scope(|scope| {
        let done = scope.spawn(|| {
            let mut result = Ok(());
            run(async { result = hold(world, imports_later) });
            result
        });
        let done = done.join();
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_crosses_without_an_export_and_an_import(mut world in world(), imports_later: bool) {
        let refused = world.imports.iter().any(|import| world.export_for(import).is_none());
        if refused {
            let mut result = Ok(());
            run(async { result = engine().prepare_accounts(&world.plans()).map(drop); });
            prop_assert!(matches!(result, Err(PlanError::NotExported { .. })), "{:?}", result);
            let allowed = world.clone();
            world.imports.retain(|import| allowed.export_for(import).is_some());
        }
        hold_apart(&world, imports_later)?;
    }
}
