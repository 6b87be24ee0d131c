//! What `explain-config` says of a value and of where it came from.

use std::time::Duration;

use crate::config::keys::{Shown, Source, Unset};
use crate::config::locale::Lang;

/// A value, in a form that the configuration language takes where it can.
pub(in crate::config) fn shown_text(value: &Shown, lang: Lang) -> String {
    match value {
        Shown::Text(text) => text.clone(),
        Shown::Bool(value) => value.to_string(),
        Shown::Count(number) => number.to_string(),
        Shown::Number(number) => number.to_string(),
        Shown::Bytes(number) => size(*number),
        Shown::Time(time) => span(*time),
        Shown::Secret => match lang {
            Lang::En => "(secret)".to_owned(),
            Lang::Es => "(secreto)".to_owned(),
        },
        Shown::Unset(unset) => format!("({})", unset_text(*unset, lang)),
    }
}

fn unset_text(unset: Unset, lang: Lang) -> String {
    let (english, spanish) = match unset {
        Unset::Nothing => ("none", "nada"),
        Unset::Unlimited => ("any", "sin límite"),
        Unset::AsRoomAllows => (
            "three quarters of what there is",
            "tres cuartos de lo que hay",
        ),
        Unset::MadeUp => ("made up at the start", "se inventa al arrancar"),
        Unset::StandardError => ("standard error", "salida de errores"),
        Unset::InMemory => ("in memory", "en memoria"),
        Unset::As(other) => {
            return match lang {
                Lang::En => format!("as {other}"),
                Lang::Es => format!("como {other}"),
            };
        }
        Unset::Batches(atomic, fast) => {
            return match lang {
                Lang::En => format!("{atomic} atomic, {fast} fast"),
                Lang::Es => format!("{atomic} atómicos, {fast} rápidos"),
            };
        }
    };
    match lang {
        Lang::En => english.to_owned(),
        Lang::Es => spanish.to_owned(),
    }
}

/// Where a value came from.
pub(in crate::config) fn source_text(source: &Source, lang: Lang) -> String {
    match (source, lang) {
        (Source::Default, Lang::En) => "default".to_owned(),
        (Source::Default, Lang::Es) => "por omisión".to_owned(),
        (Source::File(place), _) => place.to_string(),
        (Source::Variable { used, name, set }, lang) => match (set, lang) {
            (Some(set), Lang::En) => format!("{used}, ${name} set at {set}"),
            (Some(set), Lang::Es) => format!("{used}, ${name} definida en {set}"),
            (None, Lang::En) => format!("{used}, ${name} of the environment"),
            (None, Lang::Es) => format!("{used}, ${name} del entorno"),
        },
        (Source::Flag(flag), _) => flag.clone(),
        (Source::Environment(name), _) => format!("${name}"),
    }
}

/// `1MiB`, `4096`.
fn size(bytes: u64) -> String {
    for (unit, name) in [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{}{name}", bytes / unit);
        }
    }
    bytes.to_string()
}

/// `2m`, `1m30s`, `250ms`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(time.subsec_millis()), "ms"),
        (u64::from(time.subsec_micros() % 1000), "us"),
        (u64::from(time.subsec_nanos() % 1000), "ns"),
    ];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let text: String = parts
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    match text.is_empty() {
        true => "0s".to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_written_as_the_language_takes_them() {
        assert_eq!(size(0), "0");
        assert_eq!(size(1 << 20), "1MiB");
        assert_eq!(size(4096), "4KiB");
        assert_eq!(size(1000), "1000");
        assert_eq!(span(Duration::from_secs(90)), "1m30s");
        assert_eq!(span(Duration::from_millis(2_250)), "2s250ms");
        assert_eq!(span(Duration::ZERO), "0s");
    }
}
