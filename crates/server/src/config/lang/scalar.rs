//! Bare words: what `4222`, `64MiB`, `1.5`, `yes`, `2026-01-31T00:00:00Z` and `word` are.

use jiff::Timestamp;

use super::value::Data;
use crate::config::messages::SyntaxProblem;

/// What a bare word turned out to be.
pub(super) enum Word {
    /// A value.
    Data(Data),
    /// `$name`, to be looked up.
    Variable(String),
}

/// Reads a bare word that was written without escapes.
pub(super) fn read_word(word: &str) -> Result<Word, SyntaxProblem> {
    if let Some(name) = word.strip_prefix('$') {
        return Ok(match is_bcrypt(word) {
            true => Word::Data(Data::String(word.into())),
            false => Word::Variable(name.to_owned()),
        });
    }
    let first = word.chars().next();
    if first == Some('-') {
        return read_number(word)?
            .map(Word::Data)
            .ok_or_else(|| SyntaxProblem::BadNumber(word.to_owned()));
    }
    if first.is_some_and(|first| first.is_ascii_digit())
        && let Some(data) = read_number(word)?
    {
        return Ok(Word::Data(data));
    }
    if let Some(after_point) = word.strip_prefix('.')
        && after_point.starts_with(|next: char| next.is_ascii_digit())
    {
        return Err(SyntaxProblem::FloatNeedsDigit(word.to_owned()));
    }
    Ok(Word::Data(match read_bool(word) {
        Some(value) => Data::Bool(value),
        None => Data::String(word.into()),
    }))
}

/// `$2a$10$…`: a bcrypt hash needs no quotes, although it starts like a variable.
fn is_bcrypt(word: &str) -> bool {
    ["$2a$", "$2b$", "$2x$", "$2y$"]
        .iter()
        .any(|prefix| word.starts_with(prefix))
}

fn read_bool(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// An integer, size, float or date; `None` for a word that only begins like one (`15s`,
/// `127.0.0.1:4222`).
fn read_number(word: &str) -> Result<Option<Data>, SyntaxProblem> {
    let negative = word.starts_with('-');
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let digits = unsigned
        .find(|found: char| !found.is_ascii_digit())
        .unwrap_or(unsigned.len());
    let (number, rest) = unsigned.split_at(digits);
    if number.is_empty() {
        return Ok(None);
    }
    if rest.starts_with('-') && !negative {
        return read_datetime(word).map(Some);
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let whole = !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
        let float = whole.then(|| word.parse::<f64>().ok()).flatten();
        return match float {
            Some(float) if !float.is_finite() => {
                Err(SyntaxProblem::NumberTooLarge(word.to_owned()))
            }
            float => Ok(float.map(Data::Float)),
        };
    }
    let Some(factor) = size_factor(rest) else {
        return Ok(None);
    };
    // The sign belongs to the digits: the smallest integer has no positive counterpart.
    let sign = if negative { "-" } else { "" };
    format!("{sign}{number}")
        .parse::<i64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .map(|number| Some(Data::Integer(number)))
        .ok_or_else(|| SyntaxProblem::NumberTooLarge(word.to_owned()))
}

/// What a size suffix multiplies with: `k` by 1000, `kb`, `ki` and `kib` by 1024, and so on.
fn size_factor(suffix: &str) -> Option<i64> {
    let lower = suffix.to_ascii_lowercase();
    let mut letters = lower.chars();
    let Some(unit) = letters.next() else {
        return Some(1);
    };
    let power = match unit {
        'k' => 1,
        'm' => 2,
        'g' => 3,
        't' => 4,
        'p' => 5,
        'e' => 6,
        _ => return None,
    };
    match letters.as_str() {
        "" => Some(1000_i64.pow(power)),
        "b" | "i" | "ib" => Some(1024_i64.pow(power)),
        _ => None,
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ` and nothing else.
fn read_datetime(word: &str) -> Result<Data, SyntaxProblem> {
    const SHAPE: &str = "0000-00-00T00:00:00Z";
    let shaped = word.len() == SHAPE.len()
        && word.bytes().zip(SHAPE.bytes()).all(|(found, wanted)| {
            if wanted == b'0' {
                found.is_ascii_digit()
            } else {
                found == wanted
            }
        });
    // jiff would round a leap second down; the language has none.
    let leap_second = word.ends_with(":60Z");
    shaped
        .then(|| word.parse::<Timestamp>().ok())
        .flatten()
        .filter(|_| !leap_second)
        .map(Data::Datetime)
        .ok_or_else(|| SyntaxProblem::BadDatetime(word.to_owned()))
}

/// An integer with or without a size suffix, as the language writes them.
pub(crate) fn parse_size(text: &str) -> Option<i64> {
    match read_number(text) {
        Ok(Some(Data::Integer(number))) => Some(number),
        _ => None,
    }
}
