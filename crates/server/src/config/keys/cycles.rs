//! Imports that lead in a circle: what one account takes of another would come back to it (C47).

use std::collections::HashMap;

use recado_streams::config::subjects_overlap;

use super::draft::DraftAccount;
use crate::config::access::Import;
use crate::config::fault::Place;
use crate::engine::imported_filter;

/// A circle: the accounts on the way, and an import that closes it.
pub(super) struct Circle<'a> {
    pub(super) accounts: Vec<String>,
    pub(super) place: &'a Place,
}

/// One import on the way.
struct Node<'a> {
    importer: &'a str,
    import: &'a Import,
    local: String,
    place: &'a Place,
}

/// How far an import was followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    OnTheWay,
    Done,
}

/// What it is called in the importer's account. Names that don't fit were told already.
fn local_filter(import: &Import) -> String {
    let named = import.local();
    imported_filter(&import.subject, &named).unwrap_or(named)
}

/// Follows every import to the imports that its subject comes from in the other account. Each import is followed
/// once; of a circle the import that closes it is told.
pub(super) fn find(accounts: &[DraftAccount]) -> Vec<Circle<'_>> {
    let nodes: Vec<Node<'_>> = accounts
        .iter()
        .flat_map(|account| {
            account.imports.iter().map(|import| Node {
                importer: &account.options.name,
                import: &import.value,
                local: local_filter(&import.value),
                place: &import.place,
            })
        })
        .collect();
    let mut of_importer: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        of_importer.entry(node.importer).or_default().push(at);
    }
    let next = |at: usize| -> Vec<usize> {
        let node = &nodes[at];
        let there = of_importer.get(node.import.from_account.as_str());
        let goes_on = |other: &&usize| {
            let other = &nodes[**other];
            other.import.kind == node.import.kind
                && subjects_overlap(&other.local, &node.import.subject)
        };
        there
            .into_iter()
            .flatten()
            .filter(goes_on)
            .copied()
            .collect()
    };
    let mut circles = Vec::new();
    let mut seen = vec![Seen::Not; nodes.len()];
    for start in 0..nodes.len() {
        if seen[start] != Seen::Not {
            continue;
        }
        seen[start] = Seen::OnTheWay;
        let mut way = vec![(start, next(start))];
        while let Some((at, open)) = way.last_mut() {
            let at = *at;
            match open.pop() {
                None => {
                    seen[at] = Seen::Done;
                    way.pop();
                }
                Some(to) if seen[to] == Seen::Not => {
                    seen[to] = Seen::OnTheWay;
                    way.push((to, next(to)));
                }
                Some(to) if seen[to] == Seen::OnTheWay => {
                    let steps = way.iter().map(|(at, _)| *at).skip_while(|at| *at != to);
                    let mut names: Vec<_> = steps.map(|at| nodes[at].importer.to_owned()).collect();
                    names.push(nodes[to].importer.to_owned());
                    circles.push(Circle {
                        accounts: names,
                        place: nodes[at].place,
                    });
                }
                Some(_) => {}
            }
        }
    }
    circles
}
