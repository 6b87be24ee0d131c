//! Nothing crosses from one account to another but what one exports and the other imports: held against a plain
//! model, in random worlds.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use proptest::prelude::*;
use recado_wire::{Publish, ServerFrame, ServerParsed, parse_server_frame};

use super::*;
use crate::engine::connection::Connection;
use crate::engine::deliver::Publisher;
use crate::engine::link::Link;
use crate::engine::registry::Limit;
use crate::engine::standing::Standing;
use crate::engine::worker::{Congestion, with_worker};
use crate::internal_client::tests::{engine, run};

const NAMES: [&str; 3] = ["A", "B", "C"];

#[derive(Clone, Debug)]
struct World {
    exports: Vec<(usize, Kind, &'static str, Option<usize>)>,
    imports: Vec<(usize, Kind, usize, &'static str, &'static str)>,
    subs: Vec<(usize, &'static str)>,
    publishes: Vec<(usize, &'static str)>,
}

fn world() -> impl Strategy<Value = World> {
    let account = || 0..NAMES.len();
    let kind = || prop_oneof![Just(Kind::Stream), Just(Kind::Service)];
    let exported = prop_oneof![Just("a.>"), Just("a.*"), Just("b.c"), Just(">")];
    let imported = prop_oneof![
        Just(("a.*", "")),
        Just(("a.*", "x.*")),
        Just(("a.>", "in.a.>")),
        Just(("b.c", "x.y")),
        Just(("b.c", "a.b")),
        Just(("*.*", "y.$2.$1")),
    ];
    let filter = prop_oneof![
        Just(">"),
        Just("a.*"),
        Just("a.b"),
        Just("x.>"),
        Just("in.>"),
        Just("y.*.*"),
        Just("*.c")
    ];
    let subject = prop_oneof![
        Just("a.b"),
        Just("b.c"),
        Just("a.b.c"),
        Just("x.b"),
        Just("x.y"),
        Just("y.b.a"),
        Just("in.a.q")
    ];
    let only = proptest::option::of(account());
    let exports = proptest::collection::vec((account(), kind(), exported, only), 0..5);
    let imports = proptest::collection::vec((account(), kind(), account(), imported), 0..4);
    let subs = proptest::collection::vec((account(), filter), 1..6);
    let publishes = proptest::collection::vec((account(), subject), 1..6);
    (exports, imports, subs, publishes).prop_map(|(exports, imports, subs, publishes)| World {
        exports,
        imports: imports
            .into_iter()
            .filter(|(to, _, from, _)| to != from)
            .map(|(to, kind, from, (subject, name))| (to, kind, from, subject, name))
            .collect(),
        subs,
        publishes,
    })
}

/// Whether a filter matches, and what its wildcards stand for.
fn bound<'a>(filter: &str, subject: &'a str) -> Option<Vec<Vec<&'a str>>> {
    let subject: Vec<&str> = subject.split('.').collect();
    let filter: Vec<&str> = filter.split('.').collect();
    let mut found = Vec::new();
    for (at, token) in filter.iter().enumerate() {
        match *token {
            ">" if subject.len() > at => {
                found.push(subject[at..].to_vec());
                return Some(found);
            }
            "*" => found.push(vec![*subject.get(at)?]),
            literal => {
                if subject.get(at) != Some(&literal) {
                    return None;
                }
            }
        }
    }
    (filter.len() == subject.len()).then_some(found)
}

/// What a subject within `from` is called within `to`.
fn renamed(from: &str, to: &str, subject: &str) -> Option<String> {
    let mut found = bound(from, subject)?.into_iter();
    if to.is_empty() {
        return Some(subject.to_owned());
    }
    if to == "y.$2.$1" {
        let parts: Vec<_> = found.collect();
        return Some(format!("y.{}.{}", parts[1][0], parts[0][0]));
    }
    let tokens: Vec<String> = to
        .split('.')
        .map(|token| match token {
            "*" | ">" => found.next().unwrap().join("."),
            literal => literal.to_owned(),
        })
        .collect();
    Some(tokens.join("."))
}

/// The name on the other side, from the importer's.
fn renamed_back(from: &str, to: &str, subject: &str) -> Option<String> {
    if to == "y.$2.$1" {
        let parts = bound("y.*.*", subject)?;
        return Some(format!("{}.{}", parts[1][0], parts[0][0]));
    }
    renamed(if to.is_empty() { from } else { to }, from, subject)
}

impl World {
    fn allows(&self, import: &(usize, Kind, usize, &str, &str)) -> bool {
        let (importer, kind, exporter, subject, _) = *import;
        self.exports.iter().any(|(account, of, what, only)| {
            *account == exporter
                && *of == kind
                && is_subset(subject, what)
                && only.is_none_or(|only| only == importer)
        })
    }

    /// Who gets a message, and under which name: the plain rules.
    fn expected(&self, account: usize, subject: &str, depth: usize) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        if depth > super::super::crossing::CROSSINGS_MAX {
            return found;
        }
        for (at, (of, filter)) in self.subs.iter().enumerate() {
            if *of == account && bound(filter, subject).is_some() {
                found.push((at, subject.to_owned()));
            }
        }
        for (importer, kind, exporter, from, to) in &self.imports {
            match kind {
                Kind::Stream if *exporter == account => {
                    let Some(here) = renamed(from, to, subject) else {
                        continue;
                    };
                    for (at, (of, filter)) in self.subs.iter().enumerate() {
                        if of == importer && bound(filter, &here).is_some() {
                            found.push((at, here.clone()));
                        }
                    }
                }
                Kind::Service if *importer == account => {
                    if let Some(there) = renamed_back(from, to, subject) {
                        found.extend(self.expected(*exporter, &there, depth + 1));
                    }
                }
                _ => {}
            }
        }
        found
    }

    fn plans(&self) -> Vec<AccountPlan> {
        NAMES
            .iter()
            .enumerate()
            .map(|(number, name)| AccountPlan {
                name: (*name).to_owned(),
                exports: self
                    .exports
                    .iter()
                    .filter(|export| export.0 == number)
                    .map(|(_, kind, subject, only)| ExportPlan {
                        needs_activation: false,
                        kind: *kind,
                        subject: (*subject).to_owned(),
                        accounts: only.map(|only| vec![NAMES[only].to_owned()]),
                        token_position: None,
                        response_type: ResponseType::Singleton,
                        response_threshold: None,

                        allow_trace: false,
                        latency: None,
                    })
                    .collect(),
                imports: self
                    .imports
                    .iter()
                    .filter(|import| import.0 == number)
                    .map(|(_, kind, from, subject, to)| ImportPlan {
                        kind: *kind,
                        account: NAMES[*from].to_owned(),
                        subject: (*subject).to_owned(),
                        to: (*to).to_owned(),
                        share: false,

                        allow_trace: false,
                    })
                    .collect(),
                ..AccountPlan::default()
            })
            .collect()
    }

    /// Who got what. On a thread of its own: what a thread keeps of routes belongs to one engine.
    fn observed(&self, imports_later: bool) -> Vec<BTreeSet<(usize, String)>> {
        std::thread::scope(|scope| {
            let done = scope.spawn(|| self.observed_here(imports_later)).join();
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn observed_here(&self, imports_later: bool) -> Vec<BTreeSet<(usize, String)>> {
        let mut observed = Vec::new();
        run(async {
            let engine = engine();
            let plans = self.plans();
            if !imports_later {
                engine.put_accounts_in_force(engine.prepare_accounts(&plans).unwrap());
            }
            let mut receivers = Vec::new();
            let mut connections = Vec::new();
            let mut connect = |account: usize| {
                let (ours, theirs) = UnixStream::pair().unwrap();
                ours.set_nonblocking(true).unwrap();
                theirs.set_nonblocking(true).unwrap();
                let (link, _) = Link::internal(ours).unwrap();
                let limits = Arc::clone(&engine.write);
                let account = engine.accounts.get_or_add(NAMES[account]);
                let standing = Arc::new(Standing::anonymous(&account));
                let connection = engine.connections.add(Limit::Internal, |id, slot| {
                    Connection::new(id, slot, None, false, link, limits, standing)
                });
                connections.push(connection.unwrap());
                (Arc::clone(connections.last().unwrap()), theirs)
            };
            for (account, filter) in &self.subs {
                let (connection, theirs) = connect(*account);
                let sub = Subscription::new(&connection, true, filter.as_bytes(), None, b"1");
                let sub = Arc::new(sub);
                connection.subscriptions.lock().insert(Arc::clone(&sub));
                connection.account().enter(sub);
                receivers.push(theirs);
            }
            if imports_later {
                engine.put_accounts_in_force(engine.prepare_accounts(&plans).unwrap());
            }
            for (account, subject) in &self.publishes {
                let (connection, _theirs) = connect(*account);
                let message = Publish {
                    subject: subject.as_bytes(),
                    reply: b"",
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
                    worker.publish(&engine, &connection.account(), publisher, &message, b"");
                    worker.flush(b"", connection.id, None, &mut Congestion::default());
                });
                let got = receivers.iter_mut().enumerate().flat_map(|(at, theirs)| {
                    subjects(theirs)
                        .into_iter()
                        .map(move |subject| (at, subject))
                });
                observed.push(got.collect());
            }
        });
        observed
    }
}

/// Subjects of the frames that lie ready.
fn subjects(socket: &mut UnixStream) -> Vec<String> {
    let mut bytes = vec![0; 64 * 1024];
    let count = socket.read(&mut bytes).unwrap_or(0);
    let (mut at, mut found) = (0, Vec::new());
    while let ServerParsed::Complete(frame, length) = parse_server_frame(&bytes[at..count]) {
        if let ServerFrame::Message { subject, .. } = frame {
            found.push(String::from_utf8_lossy(subject).into_owned());
        }
        at += length;
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn nothing_crosses_without_an_export_and_an_import(mut world in world(), imports_later: bool) {
        let refused = world.imports.iter().any(|import| !world.allows(import));
        if refused {
            let mut result = Ok(());
            run(async { result = engine().prepare_accounts(&world.plans()).map(drop); });
            prop_assert!(matches!(result, Err(PlanError::NotExported { .. })), "{:?}", result);
            let allowed = world.clone();
            world.imports.retain(|import| allowed.allows(import));
        }
        let observed = world.observed(imports_later);
        for ((account, subject), got) in world.publishes.iter().zip(observed) {
            let expected: BTreeSet<_> = world.expected(*account, subject, 0).into_iter().collect();
            prop_assert_eq!(got, expected, "{} in {}", subject, NAMES[*account]);
        }
    }
}
