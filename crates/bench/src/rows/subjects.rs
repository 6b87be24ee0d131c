//! Which subject a numbered message goes to, written fast: the generator must not be the bound.

/// How the messages of a connection are spread over subjects.
#[derive(Clone, Debug)]
pub(super) enum Subjects {
    /// All go to one.
    One(String),
    /// So many keys below a prefix, gone through again and again, neighbours far apart.
    Keys {
        /// What stands before the key, its dot included.
        prefix: String,
        /// How many there are.
        keys: u64,
    },
    /// A subject for each message, in turn below `even.` and `odd.`.
    Halves {
        /// What stands before both, its dot included.
        prefix: String,
    },
    /// Every fiftieth goes to a subject of its own below `kept.`; the others go round `hot.`.
    HotAndKept {
        /// What stands before both, its dot included.
        prefix: String,
        /// How many hot subjects there are.
        hot: u64,
    },
}

/// Of so many messages, one goes below `kept.`.
pub(super) const KEPT_EVERY: u64 = 50;
/// Subjects and payloads show numbers with so many digits.
pub(super) const DIGITS: usize = 16;
/// Prime, and no divisor of a number of keys that anyone would choose.
const STRIDE: u64 = 7919;

impl Subjects {
    /// What identifies the n-th message: the number that its payload begins with.
    pub(super) fn place(&self, n: u64) -> u64 {
        match self {
            Subjects::Keys { keys, .. } => n.wrapping_mul(STRIDE) % keys,
            _ => n,
        }
    }

    /// Appends the subject of the n-th message.
    pub(super) fn write(&self, n: u64, out: &mut Vec<u8>) {
        match self {
            Subjects::One(subject) => out.extend_from_slice(subject.as_bytes()),
            Subjects::Keys { prefix, .. } => {
                out.extend_from_slice(prefix.as_bytes());
                write_number(self.place(n), 8, out);
            }
            Subjects::Halves { prefix } => {
                out.extend_from_slice(prefix.as_bytes());
                let half: &[u8] = if n.is_multiple_of(2) {
                    b"even."
                } else {
                    b"odd."
                };
                out.extend_from_slice(half);
                write_number(n, 8, out);
            }
            Subjects::HotAndKept { prefix, hot } => {
                out.extend_from_slice(prefix.as_bytes());
                if n.is_multiple_of(KEPT_EVERY) {
                    out.extend_from_slice(b"kept.");
                    write_number(n, 8, out);
                } else {
                    out.extend_from_slice(b"hot.");
                    write_number(n % hot, 8, out);
                }
            }
        }
    }
}

/// Appends the last `digits` digits of a number, zeros in front.
pub(super) fn write_number(number: u64, digits: usize, out: &mut Vec<u8>) {
    let (at, mut rest) = (out.len(), number);
    out.resize(at + digits, b'0');
    for digit in out[at..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

/// The number that these digits are; `None` if anything else is among them.
pub(super) fn read_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, b| match b {
        b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u64::from(b - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn written(subjects: &Subjects, n: u64) -> String {
        let mut out = Vec::new();
        subjects.write(n, &mut out);
        String::from_utf8(out).expect("digits and names")
    }

    #[test]
    fn a_round_over_the_keys_meets_each_of_them_once() {
        for keys in [1000, 5_000, 100_000] {
            let prefix = "$KV.b.".to_owned();
            let subjects = Subjects::Keys { prefix, keys };
            let met: HashSet<String> = (keys..keys * 2).map(|n| written(&subjects, n)).collect();
            assert_eq!(met.len() as u64, keys);
        }
    }

    #[test]
    fn halves_and_kept_ones_are_told_apart_by_their_subject() {
        let prefix = "b.".to_owned();
        let halves = Subjects::Halves { prefix };
        assert_eq!(written(&halves, 4), "b.even.00000004");
        assert_eq!(written(&halves, 5), "b.odd.00000005");
        let prefix = "b.".to_owned();
        let mixed = Subjects::HotAndKept { prefix, hot: 10 };
        assert_eq!(written(&mixed, 100), "b.kept.00000100");
        assert_eq!(written(&mixed, 123), "b.hot.00000003");
    }

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for number in [0, 7, 99_999_999, 1_234_567_890_123_456] {
            let mut out = Vec::new();
            write_number(number, DIGITS, &mut out);
            assert_eq!(read_number(&out), Some(number));
        }
        assert_eq!(read_number(b"12a"), None);
        assert_eq!(read_number(b""), None);
    }
}
