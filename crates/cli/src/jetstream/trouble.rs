//! What the JetStream API refuses, sorted into failures: each names what it is about, the server's error
//! number, and the next step.

use std::error::Error as _;

use async_nats::jetstream;

use super::about::About;
use crate::exit::Status;
use crate::failure::Failure;
use crate::text::{errors, jetstream as text};

/// The server has no JetStream, or none for this account (then it says so).
pub(crate) fn no_jetstream(server: &str, said: Option<&str>) -> Failure {
    Failure::Streams {
        status: Status::NoJetStream,
        err_code: said.map(|_| 10039),
        what: match said {
            Some(said) => text::not_for_account(server, said),
            None => text::no_jetstream(server),
        },
        next: match said {
            Some(_) => text::not_for_account_next().to_owned(),
            None => text::no_jetstream_next().to_owned(),
        },
    }
}

/// There is no such thing.
pub(crate) fn not_found(about: &About, err_code: Option<u64>) -> Failure {
    let what = match err_code {
        Some(number) => text::not_found_numbered(&about.words(), number),
        None => text::not_found(&about.words()),
    };
    Failure::Streams {
        status: Status::NotFound,
        err_code,
        what,
        next: about.when_missing(),
    }
}

/// It is there already, or is not as it was expected to be.
pub(crate) fn conflict(what: String, next: String, err_code: Option<u64>) -> Failure {
    Failure::Streams {
        status: Status::Conflict,
        err_code,
        what,
        next,
    }
}

/// No stream stores what is published on this subject.
pub(crate) fn no_stream(subject: &str, server: &str) -> Failure {
    Failure::Streams {
        status: Status::NoResponders,
        err_code: None,
        what: text::no_stream_for(subject, server),
        next: text::no_stream_for_next(subject),
    }
}

/// An error of the API: its HTTP-like code, its number and its words.
pub(crate) fn refused(about: &About, code: u64, err_code: u64, said: &str) -> Failure {
    let numbered = Some(err_code);
    match err_code {
        10039 | 10076 => no_jetstream(&about.words(), Some(said)),
        // The stream below is what is missing, whatever of it was asked for.
        10059 => not_found(&about.holder(), numbered),
        10014 | 10037 | 10043 | 10149 => not_found(about, numbered),
        // Beyond the ends of a stream on file.
        10057 if matches!(said, "no message found" | "stream store EOF") => {
            not_found(about, numbered)
        }
        10071 | 10164 | 10070 | 10060 => conflict(
            text::changed(&about.words(), said, err_code),
            text::changed_next().to_owned(),
            numbered,
        ),
        10058 | 10148 | 10013 | 10105 | 10130 => conflict(
            text::exists(&about.words(), said, err_code),
            text::exists_next().to_owned(),
            numbered,
        ),
        10065 => conflict(
            text::refused(&about.words(), said, err_code),
            text::overlap_next().to_owned(),
            numbered,
        ),
        _ => Failure::Streams {
            status: Status::Server,
            err_code: numbered,
            what: text::refused(&about.words(), said, err_code),
            next: with_lookup(next_of(code, err_code, said), err_code),
        },
    }
}

/// Whether a stream or consumer is there and can't be served; it can still be removed.
pub(crate) fn is_offline(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Streams {
            err_code: Some(10194 | 10195),
            ..
        }
    )
}

/// The next step, and where the error is explained if that step is the same for many.
fn with_lookup(next: &str, err_code: u64) -> String {
    let of_many = [
        text::next_settings(),
        text::next_log(),
        text::next_later(),
        text::next_offline(),
    ];
    match of_many.contains(&next) {
        true => format!("{next}\n{}", errors::explains(&err_code.to_string())),
        false => next.to_owned(),
    }
}

/// What helps against an error that has no kind of its own.
fn next_of(code: u64, err_code: u64, said: &str) -> &'static str {
    match err_code {
        // A store that failed is told apart by its words only, and no limit of a stream would help.
        _ if said.to_ascii_lowercase().contains("no space left") => text::next_disk_full(),
        _ if said.contains("stopped after a failed write") => text::next_store_stopped(),
        10023 | 10028 | 10047 | 10002 | 10026 | 10027 | 10122 => text::next_resources(),
        10077 | 10054 => text::next_full(),
        10074 | 10126 => text::next_replicas(),
        10109 => text::next_sealed(),
        10194 | 10195 => text::next_offline(),
        10099 | 10100 => text::next_workqueue(),
        10025 => text::next_fields(),
        // Of the request, although their code is 500.
        10012 | 10052 | 10057 | 10110 | 10111 => text::next_settings(),
        _ if code == 503 => text::next_later(),
        _ if code >= 500 => text::next_log(),
        _ => text::next_settings(),
    }
}

/// An error of the library, which may hold one of the API somewhere below.
pub(crate) fn from_library(about: &About, error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<jetstream::Error>() {
            return from_api(about, error);
        }
        cause = current.source();
    }
    Failure::Streams {
        status: Status::Server,
        err_code: None,
        what: text::refused_unnumbered(&about.words(), &error.to_string()),
        next: text::next_log().to_owned(),
    }
}

/// The same for one that could not create or find a consumer.
pub(crate) fn from_consumer(
    about: &About,
    error: &async_nats::jetstream::stream::ConsumerError,
) -> Failure {
    use async_nats::jetstream::stream::ConsumerErrorKind;
    match error.kind() {
        ConsumerErrorKind::JetStream(error) => from_api(about, &error),
        _ => match error.source() {
            Some(cause) => from_library(about, cause),
            None => from_library(about, error),
        },
    }
}

fn from_api(about: &About, error: &jetstream::Error) -> Failure {
    let code = u64::try_from(error.code()).unwrap_or_default();
    // The library shows the words only together with the numbers, which are ours to add.
    let said = error.to_string();
    let said = said.split(" (code").next().unwrap_or_default();
    refused(about, code, error.error_code().0, said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(about: &About, err_code: u64) -> Status {
        refused(about, 400, err_code, "words").status()
    }

    #[test]
    fn errors_are_sorted_by_their_number_and_keep_it() {
        let consumer = About::Consumer("ORDERS".into(), "c1".into());
        assert_eq!(status(&consumer, 10014), Status::NotFound);
        assert_eq!(status(&consumer, 10148), Status::Conflict);
        assert_eq!(status(&consumer, 10071), Status::Conflict);
        assert_eq!(status(&consumer, 10039), Status::NoJetStream);
        assert_eq!(status(&consumer, 10074), Status::Server);
        let failure = refused(&consumer, 400, 10093, "words");
        assert!(failure.what().contains("c1") && failure.what().contains("10093"));
        assert_eq!(failure.err_code(), Some(10093));
    }

    #[test]
    fn where_the_next_step_is_the_same_for_many_the_explanation_is_named() {
        let stream = About::Stream("ORDERS".into());
        let next = |code, number| refused(&stream, code, number, "words").next().to_owned();
        assert!(next(400, 10093).contains("recado errors lookup 10093"));
        assert!(next(503, 10008).contains("recado errors lookup 10008"));
        assert!(!next(500, 10074).contains("recado errors lookup"));
    }

    #[test]
    fn a_full_disk_and_a_stopped_store_are_told_apart_from_a_full_stream() {
        let stream = About::Stream("ORDERS".into());
        let next = |said: &str| refused(&stream, 503, 10077, said).next().to_owned();
        for said in [
            "No space left on device (os error 28)",
            "no space left for the log: the disk is full",
            "write 1.blk: no space left on device",
        ] {
            assert_eq!(next(said), text::next_disk_full(), "{said}");
        }
        let stopped = "the log stopped after a failed write: Input/output error (os error 5)";
        assert_eq!(next(stopped), text::next_store_stopped());
        assert_eq!(next("maximum messages exceeded"), text::next_full());
    }

    #[test]
    fn a_missing_stream_is_named_and_not_the_consumer_that_it_would_hold() {
        let consumer = About::Consumer("ORDERS".into(), "c1".into());
        let failure = refused(&consumer, 404, 10059, "stream not found");
        assert!(!failure.what().contains("c1"), "{failure:?}");
        assert!(failure.next().contains("ORDERS"), "{failure:?}");
    }
}
