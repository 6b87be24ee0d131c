//! A set of filters, compiled once, that a subject is held against for each message.
//!
//! A trie of tokens whose nodes lie in one array. Matching allocates nothing and looks at each node
//! at most once, so it costs no more than the set is large, however the subject is made.

use recado_wire::{is_publish_subject, tokens};

/// Filters, wildcards allowed.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    /// The first is the root; an empty array is the empty set.
    nodes: Vec<Node>,
}

/// One place in the trie: what ends here, and what goes on.
#[derive(Debug, Default)]
struct Node {
    /// A filter ends with this token.
    ends: bool,
    /// A filter ends with `>` behind this token.
    tail: bool,
    /// Where filters go on with `*`.
    star: Option<usize>,
    /// Where filters go on with a literal token; sorted by it.
    literals: Vec<(Box<[u8]>, usize)>,
}

impl Subjects {
    /// Adds a filter, which must be valid.
    pub(super) fn insert(&mut self, filter: &[u8]) {
        let mut at = 0;
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        for token in tokens(filter) {
            if token == b">" {
                self.nodes[at].tail = true;
                return;
            }
            at = self.child(at, token);
        }
        self.nodes[at].ends = true;
    }

    /// The node behind `token`, made if it is not there. `at` is a node of this set.
    fn child(&mut self, at: usize, token: &[u8]) -> usize {
        let new = self.nodes.len();
        let node = &mut self.nodes[at];
        let child = if token == b"*" {
            *node.star.get_or_insert(new)
        } else {
            match node.find(token) {
                Ok(place) => node.literals[place].1,
                Err(place) => {
                    node.literals.insert(place, (token.into(), new));
                    new
                }
            }
        };
        if child == new {
            self.nodes.push(Node::default());
        }
        child
    }

    /// Whether any of the filters matches. As nats-server, a subject with an empty token matches
    /// nothing, and a wildcard in the subject is a token like another.
    pub(super) fn matches(&self, subject: &[u8]) -> bool {
        match self.nodes.first() {
            Some(root) => is_publish_subject(subject) && self.matches_from(root, Some(subject)),
            None => false,
        }
    }

    /// Whether what is left of a subject fits below `node`; `None`: nothing is left. It goes deeper only
    /// where a filter has `*`, and a filter has at most `FILTER_TOKENS_MAX` tokens.
    fn matches_from<'a>(&'a self, mut node: &'a Node, mut rest: Option<&[u8]>) -> bool {
        while let Some(subject) = rest {
            if node.tail {
                return true;
            }
            let dot = subject.iter().position(|&byte| byte == b'.');
            let token = &subject[..dot.unwrap_or(subject.len())];
            rest = dot.map(|dot| &subject[dot + 1..]);
            let literal = node.find(token).ok().map(|place| node.literals[place].1);
            match (node.star, literal) {
                (None, None) => return false,
                (Some(only), None) | (None, Some(only)) => node = &self.nodes[only],
                (Some(star), Some(literal)) => {
                    if self.matches_from(&self.nodes[star], rest) {
                        return true;
                    }
                    node = &self.nodes[literal];
                }
            }
        }
        node.ends
    }
}

impl Node {
    fn find(&self, token: &[u8]) -> Result<usize, usize> {
        self.literals
            .binary_search_by(|(known, _)| (**known).cmp(token))
    }
}
