//! The catalogue: every text that a person can see, in English and in Spanish, side by side.
//!
//! Each entry is a function whose arguments are typed, so that a text that lacks a language, or
//! names an argument that does not exist, does not compile; that each language uses all the
//! arguments is checked by the tests below. No other file may hold a sentence for people.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod completions;
pub(crate) mod consumer;
pub(crate) mod contexts;
pub(crate) mod credentials;
pub(crate) mod doctor;
pub(crate) mod errors;
pub(crate) mod explain;
pub(crate) mod explained;
pub(crate) mod failures;
pub(crate) mod help;
pub(crate) mod jetstream;
pub(crate) mod kv;
pub(crate) mod latency;
pub(crate) mod login;
pub(crate) mod object;
pub(crate) mod ping;
pub(crate) mod service;
pub(crate) mod serving;
pub(crate) mod stream;
pub(crate) mod talk;
pub(crate) mod top;
pub(crate) mod tour;
pub(crate) mod trace;
pub(crate) mod usage;
pub(crate) mod waiting;
pub(crate) mod wire;

/// One text as it stands in the catalogue, for the tests below.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Entry {
    /// The entry's name, unique within its file.
    pub(crate) name: &'static str,
    /// The names of its arguments.
    pub(crate) arguments: &'static [&'static str],
    /// The English text, with its arguments in braces.
    pub(crate) en: &'static str,
    /// The Spanish text, with its arguments in braces.
    pub(crate) es: &'static str,
}

/// Defines the entries of one file of the catalogue: `name(argument: Type) { en: "…", es: "…" }`.
///
/// An entry without arguments gives a `&'static str`, one with arguments a `String`.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident ($($arg:ident: $ty:ty),*) { en: $en:literal, es: $es:literal $(,)? })*) => {
        $($crate::text::texts!(@one $(#[$doc])* $name ($($arg: $ty),*) $en, $es);)*

        /// All entries of this file.
        #[cfg(test)]
        pub(crate) const ENTRIES: &[$crate::text::Entry] = &[
            $($crate::text::Entry {
                name: stringify!($name),
                arguments: &[$(stringify!($arg)),*],
                en: $en,
                es: $es,
            }),*
        ];
    };
    (@one $(#[$doc:meta])* $name:ident () $en:literal, $es:literal) => {
        $(#[$doc])*
        pub(crate) fn $name() -> &'static str {
            match $crate::lang::current() {
                $crate::lang::Lang::En => $en,
                $crate::lang::Lang::Es => $es,
            }
        }
    };
    (@one $(#[$doc:meta])* $name:ident ($($arg:ident: $ty:ty),+) $en:literal, $es:literal) => {
        $(#[$doc])*
        pub(crate) fn $name($($arg: $ty),+) -> String {
            match $crate::lang::current() {
                $crate::lang::Lang::En => format!($en),
                $crate::lang::Lang::Es => format!($es),
            }
        }
    };
}
pub(crate) use texts;

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static Entry> {
        [
            completions::ENTRIES,
            consumer::ENTRIES,
            contexts::ENTRIES,
            credentials::ENTRIES,
            bench::ENTRIES,
            chat::ENTRIES,
            doctor::ENTRIES,
            errors::ENTRIES,
            explain::ENTRIES,
            failures::ENTRIES,
            help::ENTRIES,
            jetstream::ENTRIES,
            kv::ENTRIES,
            latency::ENTRIES,
            login::ENTRIES,
            object::ENTRIES,
            ping::ENTRIES,
            service::ENTRIES,
            serving::ENTRIES,
            stream::ENTRIES,
            talk::ENTRIES,
            tour::ENTRIES,
            top::ENTRIES,
            trace::ENTRIES,
            usage::ENTRIES,
            waiting::ENTRIES,
            wire::ENTRIES,
        ]
        .into_iter()
        .flatten()
    }

    #[test]
    fn both_languages_use_every_argument_of_an_entry() {
        for entry in all() {
            for argument in entry.arguments {
                for (lang, text) in [("en", entry.en), ("es", entry.es)] {
                    let used = text.contains(&format!("{{{argument}}}"))
                        || text.contains(&format!("{{{argument}:"));
                    assert!(used, "{} ({lang}) leaves out {argument}", entry.name);
                }
            }
        }
    }

    #[test]
    fn no_text_is_empty_and_none_was_left_untranslated() {
        for entry in all() {
            assert!(
                !entry.en.trim().is_empty() && !entry.es.trim().is_empty(),
                "{}",
                entry.name
            );
            // A text of several words that is the same in both languages was forgotten; but for a command
            // line without anything to fill in (`recado context ls`), which has no language.
            if entry.en.starts_with("recado ") && !entry.en.contains('[') {
                continue;
            }
            let words = entry
                .en
                .split_whitespace()
                .filter(|word| !word.contains('{'))
                .count();
            assert!(
                words < 3 || entry.en != entry.es,
                "{} is the same in both",
                entry.name
            );
        }
    }
}
