//! Small changes of an input, as a fuzzer would make them, repeatable from a seed.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// No changed input is longer.
const LENGTH_MAX: usize = 8192;
/// What the languages that are read here are made of.
const WORDS: [&[u8]; 32] = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b".",
    b"*",
    b">",
    b"0",
    b"9",
    b"4294967296",
    b"PUB ",
    b"HPUB ",
    b"SUB ",
    b"UNSUB ",
    b"CONNECT {",
    b"PING\r\n",
    b"NATS/1.0",
    b":",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b"$E",
    b"include f\n",
    b"\\x",
    b"\xff",
    b"\0",
    b"\n---\n",
];

/// A source of changes.
pub(crate) struct Changes {
    random: StdRng,
}

impl Changes {
    /// The same seed gives the same changes.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// `input` with one to four changes; parts may come from the `others`.
    pub(crate) fn of(&mut self, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut changed = input.to_vec();
        for _ in 0..self.random.random_range(1..=4) {
            self.change(&mut changed, others);
        }
        changed.truncate(LENGTH_MAX);
        changed
    }

    fn change(&mut self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        let at = self.random.random_range(0..=bytes.len());
        let part = self.part(bytes.len());
        match self.random.random_range(0..8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(part)),
            2 => {
                let copied = bytes[part].to_vec();
                bytes.splice(at..at, copied);
            }
            3 => {
                let byte = self.random.random();
                bytes.insert(at, byte);
            }
            4 | 5 => {
                let word = WORDS.choose(&mut self.random).copied().unwrap_or_default();
                bytes.splice(at..at, word.iter().copied());
            }
            6 => {
                let bit = 1 << self.random.random_range(0..8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bit;
                }
            }
            _ => {
                if let Some(other) = others.choose(&mut self.random) {
                    let taken = self.part(other.len());
                    bytes.splice(at..at, other[taken].iter().copied());
                }
            }
        }
    }

    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let (a, b) = (
            self.random.random_range(0..=length),
            self.random.random_range(0..=length),
        );
        a.min(b)..a.max(b)
    }
}
