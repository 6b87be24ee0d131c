//! The errors that a server can send, explained in both languages: why each comes, and what to do then.
//!
//! Numbers, codes, names and texts are the protocol's, and clients match them literally: never reword them. Causes
//! and remedies are ours. One file holds one family; a row looks like this:
//!
//! ```text
//! (10059 404 JSStreamNotFoundErr) "stream not found"
//! en "why it comes" => "what to do"
//! es "por qué llega" => "qué hacer";
//! ```
//!
//! Instead of number, code and name, `(409)` is a status that comes in a message's headers, and `(-ERR)` or
//! `(-ERR closes)` an error of the connection, which may end it. Where a text says nothing by itself (`{err}`), `says`
//! lists what has been seen in its place, so that it can be found.

mod batches;
mod clusters;
mod consumers;
mod copies;
mod counters;
mod delivery;
mod priorities;
mod protocol;
mod publishing;
mod reading;
mod requests;
mod room;
mod schedules;
mod statuses;
mod streams;

/// A group of errors about one subject.
pub(crate) struct Family {
    /// Its heading in English.
    pub(crate) en: &'static str,
    /// Its heading in Spanish.
    pub(crate) es: &'static str,
    /// Its errors.
    pub(crate) rows: &'static [Explained],
}

/// One error.
#[derive(Debug)]
pub(crate) struct Explained {
    /// How it reaches a client.
    pub(crate) kind: Kind,
    /// Its text as the server sends it, with `{placeholders}`.
    pub(crate) text: &'static str,
    /// What has been seen in place of its placeholder.
    pub(crate) says: &'static [&'static str],
    /// The explanation in English.
    pub(crate) en: Words,
    /// The explanation in Spanish.
    pub(crate) es: Words,
}

/// How an error reaches a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As `error` in an answer of the JetStream API or to a publish.
    Api {
        /// `err_code`.
        number: u16,
        /// `code`, like an HTTP status.
        code: u16,
        /// The name in nats-server's sources.
        constant: &'static str,
    },
    /// As a status line in a message's headers.
    Status {
        /// Its number.
        code: u16,
    },
    /// As `-ERR` on the connection.
    Protocol {
        /// Whether the server then closes it.
        closes: bool,
    },
}

/// An explanation in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words {
    /// Why the error comes.
    pub(crate) cause: &'static str,
    /// What to do then.
    pub(crate) remedy: &'static str,
}

/// All families, from the connection inwards.
pub(crate) const FAMILIES: &[Family] = &[
    protocol::FAMILY,
    statuses::FAMILY,
    publishing::FAMILY,
    batches::FAMILY,
    counters::FAMILY,
    schedules::FAMILY,
    reading::FAMILY,
    streams::FAMILY,
    copies::FAMILY,
    consumers::FAMILY,
    delivery::FAMILY,
    priorities::FAMILY,
    requests::FAMILY,
    room::FAMILY,
    clusters::FAMILY,
];

/// The numbers that only nats-server sends, or sent once: most are about clusters, and recado-server stands alone.
/// A test of the program reads the server's sources and fails when one of them is used there.
pub(crate) const ELSEWHERE: &[u16] = &[
    10004, 10005, 10006, 10007, 10008, 10009, 10011, 10016, 10019, 10032, 10033, 10036, 10040,
    10041, 10042, 10044, 10048, 10050, 10051, 10053, 10061, 10063, 10066, 10067, 10068, 10072,
    10073, 10075, 10078, 10085, 10087, 10092, 10093, 10096, 10103, 10104, 10105, 10106, 10114,
    10117, 10118, 10119, 10120, 10123, 10124, 10129, 10158, 10163, 10180, 10181, 10182, 10202,
    10224, 10226,
];

/// Defines the family of one file; see the top of this one.
macro_rules! family {
    (
        en $family_en:literal es $family_es:literal;
        $(
            ($($kind:tt)*) $text:literal $(says [$($said:literal),* $(,)?])?
            en $cause_en:literal => $remedy_en:literal
            es $cause_es:literal => $remedy_es:literal;
        )*
    ) => {
        pub(super) const FAMILY: $crate::text::explained::Family = $crate::text::explained::Family {
            en: $family_en,
            es: $family_es,
            rows: &[$($crate::text::explained::Explained {
                kind: $crate::text::explained::kind!($($kind)*),
                text: $text,
                says: &[$($($said),*)?],
                en: $crate::text::explained::Words { cause: $cause_en, remedy: $remedy_en },
                es: $crate::text::explained::Words { cause: $cause_es, remedy: $remedy_es },
            }),*],
        };
    };
}
use family;

/// What stands in the parentheses of a row. `-ERR` comes first: a minus could begin a number.
macro_rules! kind {
    (-ERR) => {
        $crate::text::explained::Kind::Protocol { closes: false }
    };
    (-ERR closes) => {
        $crate::text::explained::Kind::Protocol { closes: true }
    };
    ($number:literal $code:literal $constant:ident) => {
        $crate::text::explained::Kind::Api {
            number: $number,
            code: $code,
            constant: stringify!($constant),
        }
    };
    ($code:literal) => {
        $crate::text::explained::Kind::Status { code: $code }
    };
}
use kind;
