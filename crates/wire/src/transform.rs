//! Renaming of subjects (ADR-36): `orders.*.>` → `shard.{{partition(3,1)}}.{{wildcard(1)}}.>`. Parsed once, then
//! applied without failing. Chance (`{{random(n)}}`) is an argument.

use std::fmt;

use crate::subject::{filter_matches, has_wildcard, is_publish_subject, is_subset, tokens};

/// Why a renaming was refused; the words are nats-server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransformError(String);

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TransformError {}

fn bad(token: &str, why: &str) -> TransformError {
    let place = if token.is_empty() {
        String::new()
    } else {
        format!(" in {token}")
    };
    TransformError(format!("invalid mapping destination: {why}{place}"))
}

fn bad_subject() -> TransformError {
    TransformError("invalid subject".to_owned())
}

const OUT_OF_RANGE: &str = "wildcard index out of range";
const UNKNOWN_FUNCTION: &str = "unknown function";
const FEW_ARGUMENTS: &str = "not enough arguments passed to the function";
const MANY_ARGUMENTS: &str = "too many arguments passed to the function";
const BAD_ARGUMENT: &str = "function argument is invalid or in the wrong format";
const BAD_SUBJECT: &str = "invalid transform";

/// A parsed renaming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transform {
    src: String,
    /// `None` keeps the subject as it is.
    dest: Option<Vec<Part>>,
    /// How many tokens the source has before its `>`.
    src_head: usize,
}

/// What makes one token (or more) of the new subject. Positions are those of the old subject's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Tail,
    Wildcard(usize),
    /// An empty list means the whole subject.
    Partition(u32, Vec<usize>),
    Random(u32),
    Cut(Cut, usize, i32),
    Split(usize, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    SplitFromLeft,
    SplitFromRight,
    SliceFromLeft,
    SliceFromRight,
    Left,
    Right,
}

impl Transform {
    /// Parses it. An empty source is `>`; an empty destination leaves subjects as they are.
    ///
    /// # Errors
    /// When one of the two is no subject, or they do not fit each other.
    pub fn parse(src: &str, dest: &str) -> Result<Self, TransformError> {
        let src = if src.is_empty() { ">" } else { src };
        let shape = Shape::of(src);
        let Some(shape) = shape.filter(|_| !dest.is_empty()) else {
            return if dest.is_empty() {
                Ok(Self {
                    src: src.to_owned(),
                    dest: None,
                    src_head: 0,
                })
            } else {
                Err(bad_subject())
            };
        };
        let dest_shape = Shape::of(dest).ok_or_else(bad_subject)?;
        if !dest_shape.stars.is_empty() || shape.tail != dest_shape.tail {
            return Err(bad_subject());
        }
        let has_wildcards = shape.tail || !shape.stars.is_empty();
        let mut parts = Vec::new();
        for token in dest.split('.') {
            let part = parse_part(token)?;
            parts.push(if has_wildcards {
                placed(part, token, &shape.stars)?
            } else {
                match part {
                    Part::Literal(_) | Part::Random(_) | Part::Tail => part,
                    Part::Partition(count, _) => Part::Partition(count, Vec::new()),
                    _ => return Err(bad(token, OUT_OF_RANGE)),
                }
            });
        }
        let keeps = src == ">" && dest == ">";
        Ok(Self {
            src: src.to_owned(),
            dest: (!keeps).then_some(parts),
            src_head: shape.tokens - usize::from(shape.tail),
        })
    }

    /// Parses it with the checks that nats-server makes of a configuration first: functions must be known
    /// ones.
    ///
    /// # Errors
    /// As [`Transform::parse`].
    pub fn parse_for_config(src: &str, dest: &str) -> Result<Self, TransformError> {
        let mut tail_seen = false;
        for token in dest.split('.').filter(|_| !dest.is_empty()) {
            if token.is_empty() || tail_seen {
                return Err(bad(token, BAD_SUBJECT));
            }
            if let Some(inside) = function_of(token) {
                let name = call_of(inside).map(|(name, _)| name);
                if name.is_none_or(|name| !is_known(name)) {
                    return Err(bad(token, UNKNOWN_FUNCTION));
                }
            } else if token != ">" && token.contains(['\t', '\n', '\u{c}', '\r', ' ']) {
                return Err(bad("", BAD_SUBJECT));
            }
            tail_seen = token == ">";
        }
        Self::parse(src, dest)
    }

    /// The filter of the subjects that it is for.
    pub fn source(&self) -> &str {
        &self.src
    }

    /// Whether it changes nothing.
    pub fn keeps_subjects(&self) -> bool {
        self.dest.is_none()
    }

    /// The new subject; `None` when the source does not match. `chance` is for `{{random(n)}}` only.
    pub fn apply(&self, subject: &[u8], chance: u32) -> Option<Vec<u8>> {
        let literal = is_publish_subject(subject) && !has_wildcard(subject);
        if !literal || !filter_matches(self.src.as_bytes(), subject) {
            return None;
        }
        Some(self.fill(subject, chance))
    }

    /// The filter of what subjects within `filter` become; `None` where `filter` is not within the source, or
    /// where it can't be said: the new subject must be made of whole tokens of the old one.
    pub fn apply_to_filter(&self, filter: &[u8]) -> Option<Vec<u8>> {
        let whole = |part: &Part| matches!(part, Part::Literal(_) | Part::Tail | Part::Wildcard(_));
        let can_tell = self.dest.iter().flatten().all(whole);
        (can_tell && is_subset(filter, self.src.as_bytes())).then(|| self.fill(filter, 0))
    }

    fn fill(&self, subject: &[u8], chance: u32) -> Vec<u8> {
        let Some(parts) = &self.dest else {
            return subject.to_vec();
        };
        let old: Vec<&[u8]> = tokens(subject).collect();
        let mut new = Vec::with_capacity(subject.len() + 16);
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                new.push(b'.');
            }
            let token = |at: &usize| old.get(*at).copied().unwrap_or_default();
            match part {
                Part::Literal(text) => new.extend_from_slice(text.as_bytes()),
                Part::Tail => {
                    let tail = old.get(self.src_head..).unwrap_or_default();
                    new.extend_from_slice(&tail.join(&b'.'));
                }
                Part::Wildcard(at) => new.extend_from_slice(token(at)),
                Part::Partition(count, positions) => {
                    let chosen: Vec<u8> = positions.iter().flat_map(token).copied().collect();
                    let key = if positions.is_empty() {
                        subject
                    } else {
                        &chosen
                    };
                    push_number(&mut new, fnv1a(key).checked_rem(*count));
                }
                Part::Random(ceiling) => push_number(&mut new, (chance >> 1).checked_rem(*ceiling)),
                Part::Cut(how, at, size) => cut(&mut new, token(at), *how, *size),
                Part::Split(at, delimiter) => split(&mut new, token(at), delimiter),
            }
        }
        new
    }
}

/// What of a filter matters here.
struct Shape {
    tokens: usize,
    /// Positions of its `*`.
    stars: Vec<usize>,
    tail: bool,
}

impl Shape {
    fn of(filter: &str) -> Option<Self> {
        let mut shape = Self {
            tokens: 0,
            stars: Vec::new(),
            tail: false,
        };
        for token in filter.split('.') {
            if token.is_empty() || shape.tail {
                return None;
            }
            match token {
                "*" => shape.stars.push(shape.tokens),
                ">" => shape.tail = true,
                _ => {}
            }
            shape.tokens += 1;
        }
        Some(shape)
    }
}

/// Turns numbers of wildcards into positions of tokens. Numbers below 1 mean the first token, as nats-server
/// has it.
fn placed(part: Part, token: &str, stars: &[usize]) -> Result<Part, TransformError> {
    let position = |number: usize| {
        if number == 0 {
            return Ok(0);
        }
        let out_of_range = || bad(&format!("{token}: [{number}]"), OUT_OF_RANGE);
        stars.get(number - 1).copied().ok_or_else(out_of_range)
    };
    Ok(match part {
        Part::Wildcard(number) => Part::Wildcard(position(number)?),
        Part::Partition(count, numbers) => {
            let positions: Result<_, _> = numbers.into_iter().map(position).collect();
            Part::Partition(count, positions?)
        }
        Part::Cut(how, number, size) => Part::Cut(how, position(number)?, size),
        Part::Split(number, delimiter) => Part::Split(position(number)?, delimiter),
        other => other,
    })
}

/// Parses one token of a destination; positions are still numbers of wildcards.
fn parse_part(token: &str) -> Result<Part, TransformError> {
    if let Some(number) = token
        .strip_prefix('$')
        .and_then(|rest| rest.parse::<i64>().ok())
    {
        return Ok(Part::Wildcard(wildcard_number(number)));
    }
    let Some(inside) = function_of(token) else {
        return Ok(if token == ">" {
            Part::Tail
        } else {
            Part::Literal(token.to_owned())
        });
    };
    let (name, arguments) = call_of(inside).ok_or_else(|| bad(token, UNKNOWN_FUNCTION))?;
    let cuts = [
        (Cut::SplitFromLeft, &["split", "from", "left"][..]),
        (Cut::SplitFromRight, &["split", "from", "right"]),
        (Cut::SliceFromLeft, &["slice", "from", "left"]),
        (Cut::SliceFromRight, &["slice", "from", "right"]),
        (Cut::Left, &["left"]),
        (Cut::Right, &["right"]),
    ];
    if is_named(name, &["wildcard"]) {
        let [number] = arguments[..] else {
            return Err(bad(token, MANY_ARGUMENTS));
        };
        if number.trim().is_empty() {
            return Err(bad(token, FEW_ARGUMENTS));
        }
        return Ok(Part::Wildcard(wildcard_number(argument(token, number)?)));
    }
    if is_named(name, &["partition"]) {
        let (count, numbers) = arguments
            .split_first()
            .ok_or_else(|| bad(token, FEW_ARGUMENTS))?;
        let number = |text: &&str| argument(token, text).map(wildcard_number);
        let numbers: Result<Vec<_>, _> = numbers.iter().map(number).collect();
        return Ok(Part::Partition(count_of(token, count)?, numbers?));
    }
    if is_named(name, &["random"]) {
        let [count] = arguments[..] else {
            return Err(bad(token, FEW_ARGUMENTS));
        };
        return Ok(Part::Random(count_of(token, count)?));
    }
    if let Some((how, _)) = cuts.into_iter().find(|(_, parts)| is_named(name, parts)) {
        let [number, size] = two(token, &arguments)?;
        let number = wildcard_number(argument(token, number)?);
        let size = i32::try_from(argument(token, size)?).map_err(|_| bad(token, BAD_ARGUMENT))?;
        return Ok(Part::Cut(how, number, size));
    }
    if is_named(name, &["split"]) {
        let [number, delimiter] = two(token, &arguments)?;
        let number = wildcard_number(argument(token, number)?);
        if delimiter.contains([' ', '.']) {
            return Err(bad(token, BAD_ARGUMENT));
        }
        return Ok(Part::Split(number, delimiter.to_owned()));
    }
    Err(bad(token, UNKNOWN_FUNCTION))
}

/// `wildcard(1)` of `{{wildcard(1)}}`.
fn function_of(token: &str) -> Option<&str> {
    token
        .strip_prefix("{{")?
        .strip_suffix("}}")
        .filter(|inside| !inside.is_empty())
}

/// Name and arguments of a call.
fn call_of(inside: &str) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = inside.trim().split_once('(')?;
    let arguments = rest.strip_suffix(')')?.split(',');
    let arguments = arguments.enumerate().map(|(at, argument)| {
        if at == 0 {
            argument
        } else {
            argument.trim_start()
        }
    });
    Some((name.trim_end(), arguments.collect()))
}

/// Each part may begin with a capital or not: `SplitFromLeft`, `splitfromleft`.
fn is_named(name: &str, parts: &[&str]) -> bool {
    let mut rest = name;
    for part in parts {
        let Some((head, tail)) = rest.split_at_checked(part.len()) else {
            return false;
        };
        let same_first = head
            .get(..1)
            .zip(part.get(..1))
            .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
        if !same_first || head.get(1..) != part.get(1..) {
            return false;
        }
        rest = tail;
    }
    rest.is_empty()
}

fn is_known(name: &str) -> bool {
    let all: [&[&str]; 10] = [
        &["wildcard"],
        &["partition"],
        &["random"],
        &["split"],
        &["left"],
        &["right"],
        &["split", "from", "left"],
        &["split", "from", "right"],
        &["slice", "from", "left"],
        &["slice", "from", "right"],
    ];
    all.iter().any(|parts| is_named(name, parts))
}

fn two<'a>(token: &str, arguments: &[&'a str]) -> Result<[&'a str; 2], TransformError> {
    match arguments {
        [first, second] => Ok([first, second]),
        [] | [_] => Err(bad(token, FEW_ARGUMENTS)),
        _ => Err(bad(token, MANY_ARGUMENTS)),
    }
}

fn argument(token: &str, text: &str) -> Result<i64, TransformError> {
    text.trim_matches(' ')
        .parse()
        .map_err(|_| bad(token, BAD_ARGUMENT))
}

fn wildcard_number(number: i64) -> usize {
    usize::try_from(number.max(0)).unwrap_or(usize::MAX)
}

/// How many there are to choose from. nats-server takes negative ones and divides by what their bits mean;
/// here they are refused.
fn count_of(token: &str, text: &str) -> Result<u32, TransformError> {
    let count = i32::try_from(argument(token, text)?).ok();
    count
        .and_then(|count| u32::try_from(count).ok())
        .ok_or_else(|| bad(token, BAD_ARGUMENT))
}

/// Of none to choose from, the number is 0.
fn push_number(new: &mut Vec<u8>, number: Option<u32>) {
    new.extend_from_slice(number.unwrap_or(0).to_string().as_bytes());
}

fn fnv1a(key: &[u8]) -> u32 {
    key.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// A size that the token is too short for leaves it whole.
fn cut(new: &mut Vec<u8>, token: &[u8], how: Cut, size: i32) {
    let size = usize::try_from(size).unwrap_or(0);
    if size == 0 || size >= token.len() {
        new.extend_from_slice(token);
        return;
    }
    let from_right = token.len() - size;
    let halves = |at: usize| {
        let (left, right) = token.split_at_checked(at).unwrap_or((token, b""));
        [left, b".", right].concat()
    };
    match how {
        Cut::SplitFromLeft => new.extend_from_slice(&halves(size)),
        Cut::SplitFromRight => new.extend_from_slice(&halves(from_right)),
        Cut::Left => new.extend_from_slice(token.get(..size).unwrap_or(token)),
        Cut::Right => new.extend_from_slice(token.get(from_right..).unwrap_or(token)),
        Cut::SliceFromLeft => {
            let slices: Vec<_> = token.chunks(size).collect();
            new.extend_from_slice(&slices.join(&b'.'));
        }
        Cut::SliceFromRight => {
            let mut slices: Vec<_> = token.rchunks(size).collect();
            slices.reverse();
            new.extend_from_slice(&slices.join(&b'.'));
        }
    }
}

/// Empty pieces make no tokens.
fn split(new: &mut Vec<u8>, token: &[u8], delimiter: &str) {
    let text = String::from_utf8_lossy(token);
    let pieces: Vec<&str> = text
        .split(delimiter)
        .filter(|piece| !piece.is_empty())
        .collect();
    new.extend_from_slice(pieces.join(".").as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn applied(src: &str, dest: &str, subject: &str) -> Option<String> {
        let transform = Transform::parse(src, dest).expect("a transform");
        let new = transform.apply(subject.as_bytes(), 0)?;
        Some(String::from_utf8(new).expect("text"))
    }

    #[test]
    fn the_functions_do_what_adr_36_says() {
        for (src, dest, subject, expected) in [
            ("foo", "bar", "foo", "bar"),
            ("foo.>", "bar.>", "foo.a.b", "bar.a.b"),
            (">", "x.>", "a.b", "x.a.b"),
            ("", "x.>", "a.b", "x.a.b"),
            ("a.*.*", "b.$2.$1", "a.x.y", "b.y.x"),
            (
                "a.*.*",
                "b.{{ Wildcard( 2 ) }}.{{wildcard(1)}}",
                "a.x.y",
                "b.y.x",
            ),
            ("a.*.>", "b.{{wildcard(1)}}.>", "a.x.y.z", "b.x.y.z"),
            ("*", "{{splitFromLeft(1,3)}}", "abcdef", "abc.def"),
            ("*", "{{SplitFromRight(1,2)}}", "abcdef", "abcd.ef"),
            ("*", "{{SliceFromLeft(1,4)}}", "abcdefghij", "abcd.efgh.ij"),
            ("*", "{{SliceFromRight(1,4)}}", "abcdefghij", "ab.cdef.ghij"),
            ("*", "{{left(1,2)}}", "abcd", "ab"),
            ("*", "{{right(1,3)}}", "abcd", "bcd"),
            ("*", "{{left(1,9)}}", "abcd", "abcd"),
            ("*", "{{split(1,-)}}", "-abc-def--ghi-", "abc.def.ghi"),
            ("*", "q.{{random(5)}}", "a", "q.0"),
            ("*", "$JS.{{wildcard(1)}}", "a", "$JS.a"),
        ] {
            assert_eq!(
                applied(src, dest, subject).as_deref(),
                Some(expected),
                "{src} {dest}"
            );
        }
    }

    #[test]
    fn partitions_are_those_of_fnv1a_as_nats_server_counts_them() {
        // FNV-1a of "foo" is 0xa9f37ed7, of "" the offset basis.
        assert_eq!(fnv1a(b"foo"), 0xa9f3_7ed7);
        let expected = (0xa9f3_7ed7_u32 % 7).to_string();
        assert_eq!(
            applied("*.*", "{{partition(7,1)}}", "foo.x"),
            Some(expected.clone())
        );
        assert_eq!(applied("foo", "{{partition(7)}}", "foo"), Some(expected));
        assert_eq!(
            applied("*", "{{partition(0,1)}}", "foo").as_deref(),
            Some("0")
        );
    }

    #[test]
    fn what_the_source_does_not_match_is_left_alone() {
        assert_eq!(applied("foo.*", "bar.$1", "baz.a"), None);
        assert_eq!(applied("foo.*", "bar.$1", "foo.*"), None);
        assert_eq!(applied(">", ">", "a.b").as_deref(), Some("a.b"));
        assert_eq!(applied("a.>", "", "a.b").as_deref(), Some("a.b"));
        assert_eq!(applied("a.>", "", "b"), None);
    }

    #[test]
    fn a_filter_is_renamed_like_the_subjects_within_it() {
        for (src, dest, filter, expected) in [
            ("a.*.>", "b.$1.>", "a.x.>", Some("b.x.>")),
            ("a.*.>", "b.$1.>", "a.*.y.*", Some("b.*.y.*")),
            ("a.>", "b.>", ">", None),
            ("a.*", "b.$1", "a.>", None),
            ("a.*", "b.{{left(1,1)}}", "a.x", None),
            (">", ">", "a.>", Some("a.>")),
        ] {
            let transform = Transform::parse(src, dest).expect("a transform");
            let new = transform.apply_to_filter(filter.as_bytes());
            assert_eq!(new.as_deref(), expected.map(str::as_bytes), "{filter}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_in_nats_servers_words() {
        let text = |src, dest| {
            Transform::parse(src, dest)
                .expect_err("refused")
                .to_string()
        };
        assert_eq!(text("foo.*", "bar.>"), "invalid subject");
        assert_eq!(text("foo.*", "bar.*"), "invalid subject");
        assert_eq!(text("foo..a", "bar"), "invalid subject");
        assert_eq!(
            text("foo.*", "bar.$2"),
            "invalid mapping destination: wildcard index out of range in $2: [2]"
        );
        assert_eq!(
            text("foo", "bar.{{wildcard(1)}}"),
            "invalid mapping destination: wildcard index out of range in {{wildcard(1)}}"
        );
        assert_eq!(
            text("foo.*", "{{nope(1)}}"),
            "invalid mapping destination: unknown function in {{nope(1)}}"
        );
        assert_eq!(
            text("foo.*", "{{split(1)}}"),
            "invalid mapping destination: not enough arguments passed to the function in {{split(1)}}"
        );
        let config = Transform::parse_for_config("*", "{{middle(1,2)}}").expect_err("refused");
        assert_eq!(
            config.to_string(),
            "invalid mapping destination: unknown function in {{middle(1,2)}}"
        );
        for dest in ["{{left(1,2)}}", "{{Right(1,2)}}"] {
            assert_eq!(
                Transform::parse_for_config("*", dest),
                Transform::parse("*", dest)
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble(src in "[a*>.$]{0,8}", dest in "[a1,()${}>.]{0,20}", subject in "[a.é]{0,8}") {
            let _ = Transform::parse_for_config(&src, &dest);
            if let Ok(transform) = Transform::parse(&src, &dest) {
                let _ = transform.apply(subject.as_bytes(), 7);
            }
        }

        #[test]
        fn a_tail_carries_all_tokens_over(tail in proptest::collection::vec("[a-z]{1,3}", 1..6)) {
            let tail = tail.join(".");
            let new = applied("in.>", "out.x.>", &format!("in.{tail}"));
            prop_assert_eq!(new, Some(format!("out.x.{tail}")));
        }
    }
}
