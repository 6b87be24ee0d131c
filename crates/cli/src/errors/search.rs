//! Finding the error that somebody means: by number, by code, by what a program printed, by a part of its text.

use super::all;
use super::pattern::Pattern;
use crate::text::explained::{Explained, Kind};

/// How many near ones are offered when nothing fits.
const NEAREST_MAX: usize = 3;
/// How much alike a text must be to be offered, of 1.
const ALIKE_MIN: f64 = 0.4;
/// A text with fewer letters is only met as the whole of what was written: "EOB" may be in any word.
const INSIDE_MIN: usize = 7;

/// What was found.
pub(crate) struct Found {
    /// What fits, the best first.
    pub(crate) hits: Vec<&'static Explained>,
    /// If nothing does: what is most like it.
    pub(crate) nearest: Vec<&'static Explained>,
}

/// In what way an error fits, the surest first; among equals, the number that is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// All that was written are some of its words.
    Words,
    /// What was written is a part of its text or name.
    Part(usize),
    /// Its code is what was written; statuses before answers of the API.
    Code(usize),
    /// Its text is somewhere in what was written, with so many letters.
    Inside(usize),
    /// What was written is its text.
    Whole,
    /// Its number is in what was written.
    Number,
}

/// Looks for what was asked: `10059`, `404`, `wrong last sequence: 7`, `nats: stream not found (10059)`.
pub(crate) fn search(asked: &str) -> Found {
    let asked = asked.split_whitespace().collect::<Vec<_>>().join(" ");
    let asked = asked.to_lowercase();
    let fits = all().filter_map(|one| Some((fit(one, &asked)?, one)));
    let mut fits: Vec<_> = fits.collect();
    let best = fits.iter().map(|(fit, _)| *fit).max();
    match best {
        None => {
            return Found {
                hits: Vec::new(),
                nearest: nearest(&asked),
            };
        }
        // A number leaves no doubt, and single words say little beside anything better.
        Some(Fit::Number) => fits.retain(|(fit, _)| *fit == Fit::Number),
        Some(Fit::Words) => {}
        Some(_) => fits.retain(|(fit, _)| *fit != Fit::Words),
    }
    // Stable: among equals the order of the catalogue stays.
    fits.sort_by_key(|(fit, _)| std::cmp::Reverse(*fit));
    Found {
        hits: fits.into_iter().map(|(_, one)| one).collect(),
        nearest: Vec::new(),
    }
}

fn fit(one: &Explained, asked: &str) -> Option<Fit> {
    let code = match one.kind {
        Kind::Api { number, code, .. } => {
            if numbers(asked).any(|written| written == u64::from(number)) {
                return Some(Fit::Number);
            }
            Some((code, 0))
        }
        Kind::Status { code } => Some((code, 1)),
        Kind::Protocol { .. } => None,
    };
    if let (Some((code, rank)), Ok(written)) = (code, asked.parse::<u16>()) {
        return (code == written).then_some(Fit::Code(rank));
    }
    let with_code = |text: &str| match one.kind {
        Kind::Status { code } => format!("{code} {text}"),
        _ => format!("-ERR '{text}'"),
    };
    let texts = std::iter::once(&one.text).chain(one.says);
    let patterns = texts.flat_map(|text| [Pattern::new(text), Pattern::new(&with_code(text))]);
    let by_text = patterns.filter_map(|pattern| match pattern.weight() {
        0 => None,
        _ if pattern.is(asked) => Some(Fit::Whole),
        weight if weight >= INSIDE_MIN && pattern.is_in(asked) => Some(Fit::Inside(weight)),
        _ => None,
    });
    by_text.max().or_else(|| within(one, asked))
}

/// Whether what was asked is within an error's texts, wholly or word by word.
fn within(one: &Explained, asked: &str) -> Option<Fit> {
    let constant = match one.kind {
        Kind::Api { constant, .. } => constant,
        _ => "",
    };
    let mut texts = vec![one.text.to_lowercase(), constant.to_lowercase()];
    texts.extend(one.says.iter().map(|text| text.to_lowercase()));
    let asked = asked.trim_matches(['"', '\'']);
    if asked.is_empty() {
        return None;
    }
    let holding = texts.iter().filter(|text| text.contains(asked));
    // The larger the share that it is of the text, the better.
    let share = holding.map(|text| asked.len() * 1000 / text.len().max(1));
    if let Some(share) = share.max() {
        return Some(Fit::Part(share));
    }
    let all_words = texts.join(" ");
    let mut words = asked.split(' ');
    words
        .all(|word| all_words.contains(word))
        .then_some(Fit::Words)
}

/// The numbers in a text.
fn numbers(text: &str) -> impl Iterator<Item = u64> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
}

/// What is most like something that fits nothing.
fn nearest(asked: &str) -> Vec<&'static Explained> {
    let mut alike: Vec<(f64, &Explained)> = all().map(|one| (likeness(one, asked), one)).collect();
    alike.retain(|(likeness, _)| *likeness >= ALIKE_MIN);
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    alike
        .into_iter()
        .take(NEAREST_MAX)
        .map(|(_, one)| one)
        .collect()
}

fn likeness(one: &Explained, asked: &str) -> f64 {
    let is_number = asked.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return strsim::normalized_damerau_levenshtein(asked, &one.key());
    }
    let texts = std::iter::once(&one.text).chain(one.says);
    let alike = texts.map(|text| strsim::sorensen_dice(asked, &text.to_lowercase()));
    alike.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(asked: &str) -> String {
        let found = search(asked);
        let best = found.hits.first();
        best.map(|one| format!("{} {}", one.key(), one.title()))
            .unwrap_or_default()
    }

    #[test]
    fn a_number_is_found_wherever_it_stands() {
        for asked in [
            "10059",
            "nats: stream not found (10059)",
            "nats: API error: code=404 err_code=10059 description=stream not found",
            "{\"code\":404,\"err_code\":10059}",
        ] {
            assert_eq!(best(asked), "10059 stream not found", "{asked}");
            assert_eq!(search(asked).hits.len(), 1, "{asked}");
        }
    }

    #[test]
    fn a_whole_line_is_found_by_the_text_in_it() {
        for (asked, key) in [
            ("-ERR 'Stale Connection'", "-ERR Stale Connection"),
            ("Authorization Violation", "-ERR Authorization Violation"),
            (
                "nats: Permissions Violation for Publish to \"foo.bar\"",
                "-ERR Permissions Violation for Publish to \"{subject}\"",
            ),
            (
                "-ERR 'Permissions Violation for Subscription to \"foo\" using queue \"q\"'",
                "-ERR Permissions Violation for Subscription to \"{subject}\"",
            ),
            (
                "WRONG LAST SEQUENCE: 17",
                "10071 wrong last sequence: {seq}",
            ),
            ("wrong last sequence", "10164 wrong last sequence"),
            ("maximum bytes exceeded", "10077 JSStreamStoreFailedF"),
            ("409 Consumer Deleted", "409 Consumer Deleted"),
            (
                "error: exceeded maxrequestbatch of 50",
                "409 Exceeded MaxRequestBatch of {n}",
            ),
            (
                "nats: no responders available for request",
                "503 no responders",
            ),
            ("EOB", "204 EOB"),
            ("JSStreamNotFoundErr", "10059 stream not found"),
        ] {
            assert_eq!(best(asked), key, "{asked}");
        }
    }

    #[test]
    fn every_error_is_found_by_its_own_text_with_anything_in_its_placeholders() {
        for one in all() {
            for text in std::iter::once(&one.text).chain(one.says) {
                if ["", "{err}"].contains(text) {
                    continue;
                }
                let pieces = text.split('{').enumerate().map(|(at, piece)| match at {
                    0 => piece.to_owned(),
                    _ => format!("7{}", piece.split_once('}').map_or("", |(_, rest)| rest)),
                });
                let filled = pieces.collect::<String>();
                let printed = match one.kind {
                    Kind::Status { code } => format!("nats: {code} {filled}"),
                    _ => format!("nats: {filled}"),
                };
                let found = search(&printed);
                let hits = || found.hits.iter().take(3);
                assert!(hits().any(|hit| std::ptr::eq(*hit, one)), "{printed}");
            }
        }
    }

    #[test]
    fn a_code_names_all_that_have_it_statuses_first() {
        let hits = search("409").hits;
        assert!(hits.len() > 5);
        assert!(matches!(hits[0].kind, Kind::Status { code: 409 }));
        let last = hits.last().expect("several");
        assert!(matches!(last.kind, Kind::Api { code: 409, .. }));
    }

    #[test]
    fn a_part_of_a_text_names_all_that_have_it_the_nearest_first() {
        let hits = search("not found").hits;
        let keys: Vec<String> = hits.iter().map(|hit| hit.key()).collect();
        for key in ["10059", "10014", "10037"] {
            assert!(
                keys.iter().any(|found| found == key) || key == "10037",
                "{keys:?}"
            );
        }
    }

    #[test]
    fn what_fits_nothing_gets_the_nearest() {
        let found = search("steam not fuond");
        assert!(found.hits.is_empty());
        assert_eq!(found.nearest[0].key(), "10059");
        let found = search("10995");
        assert!(found.hits.is_empty() && !found.nearest.is_empty());
        assert!(search("qqqqqq").nearest.is_empty());
        assert!(search("  ").hits.is_empty());
    }
}
