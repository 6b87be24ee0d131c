//! The table of failures, as `recado help failures` prints it and `docs/failures.md` holds it.
//!
//! It is made of [`Failure`]s like those that a run meets, so it can't say anything else than they do.

use std::time::Duration;

use crate::errors;
use crate::exit::Status;
use crate::failure::{Failure, Found, Insecure};
use crate::jetstream::about::About;
use crate::jetstream::trouble;
use crate::text::{failures as text, usage};

/// The word after `recado help` that asks for the table, in either language.
pub(crate) const TOPICS: [&str; 2] = ["failures", "fallos"];

/// The server in the examples.
const SERVER: &str = "127.0.0.1:4222";
/// The subject in the examples.
const SUBJECT: &str = "greet";
/// The limit in the examples.
const LIMIT: Duration = Duration::from_secs(5);

/// The whole table, in Markdown and in the language of this run.
pub(crate) fn markdown() -> String {
    let mut page = format!("{}\n\n{}\n", text::table_head(), text::table_columns());
    let examples = examples();
    for status in Status::ALL {
        for failure in examples.iter().filter(|one| one.status() == status) {
            page.push_str(&row(failure));
        }
    }
    page
}

fn row(failure: &Failure) -> String {
    let status = failure.status();
    format!(
        "| {} | `{}` | {} | {} |\n",
        status.code(),
        status.name(),
        cell(&failure.what()),
        cell(&failure.next())
    )
}

/// A text of any number of lines in a cell of a table; none as a dash.
fn cell(words: &str) -> String {
    match words.trim() {
        "" => "—".to_owned(),
        words => words
            .replace('|', "\\|")
            .replace('<', "&lt;")
            .replace('\n', "<br>"),
    }
}

/// One of every kind, with arguments as they could be.
fn examples() -> Vec<Failure> {
    let mut all = of_this_side();
    all.extend(of_waiting());
    all.extend(of_the_way());
    all.extend(of_other_programs());
    all.extend(of_the_server());
    all.extend(of_streams());
    all.extend(of_tls());
    let near = errors::search("steam not found").nearest;
    all.push(errors::unknown("steam not found", &near));
    all.push(Failure::Interrupted);
    all
}

fn of_this_side() -> Vec<Failure> {
    let local = |what, next: &str| Failure::Local {
        what,
        next: next.to_owned(),
    };
    vec![
        local(
            text::file_unreadable("photo.jpg", "No such file or directory (os error 2)"),
            text::file_unreadable_next(),
        ),
        local(
            text::token_file_empty("token.txt"),
            text::token_file_empty_next(),
        ),
        local(
            text::output_failed("No space left on device (os error 28)"),
            text::output_failed_next(),
        ),
        local(
            text::machine_failed("Too many open files (os error 24)"),
            text::machine_failed_next(),
        ),
        Failure::Usage {
            what: usage::unknown_command("pubb"),
            next: format!("{}\n{}", usage::did_you_mean("pub"), usage::see_help()),
        },
    ]
}

fn of_waiting() -> Vec<Failure> {
    let limit = crate::span::show(LIMIT);
    let deadline = |what, next: &str| Failure::Deadline {
        what,
        next: next.to_owned(),
    };
    vec![
        Failure::NoResponders {
            subject: SUBJECT.into(),
            server: SERVER.into(),
        },
        Failure::NoService { name: None },
        Failure::NoService {
            name: Some("calculator".into()),
        },
        deadline(
            text::deadline_reply(SUBJECT, &limit),
            text::deadline_reply_next(),
        ),
        deadline(
            text::deadline_replies(1, 3, &limit),
            text::deadline_reply_next(),
        ),
        deadline(
            text::deadline_messages(1, 3, &limit),
            text::deadline_messages_next(),
        ),
        deadline(
            text::deadline_silence(SUBJECT, &limit),
            text::deadline_messages_next(),
        ),
        deadline(
            text::deadline_pong(SERVER, &limit),
            text::deadline_pong_next(),
        ),
    ]
}

fn of_the_way() -> Vec<Failure> {
    let address = || SERVER.to_owned();
    let unknown = |detail: String| Failure::UnknownHost {
        host: "nats.example".into(),
        detail,
    };
    let unreachable = |detail: &str| Failure::Unreachable {
        address: "192.0.2.1:4222".into(),
        detail: detail.to_owned(),
    };
    vec![
        Failure::Refused { address: address() },
        unknown(text::no_such_name().to_owned()),
        unknown(text::no_name_server().to_owned()),
        unknown(text::name_without_address().to_owned()),
        unknown(text::name_too_late(&crate::span::show(LIMIT))),
        Failure::NoAnswer {
            address: "192.0.2.1:4222".into(),
            limit: LIMIT,
        },
        unreachable(text::network_unreachable()),
        unreachable(text::host_unreachable()),
        Failure::Lost {
            address: address(),
            detail: text::lost_closed().to_owned(),
        },
        Failure::Reset {
            address: address(),
            detail: text::reset_thrown_away().to_owned(),
        },
        Failure::SlowConsumer {
            address: address(),
            detail: text::server_words("Slow Consumer"),
        },
        Failure::GoingAway {
            address: address(),
            detail: text::lost_closed().to_owned(),
        },
    ]
}

fn of_other_programs() -> Vec<Failure> {
    let found = [
        Found::Http,
        Found::Ssh("SSH-2.0-OpenSSH_9.6".into()),
        Found::Program("Redis", "-ERR unknown command".into()),
        Found::OtherPort("attempted to connect to leaf node port".into()),
        Found::Other("hello".into()),
        Found::Silence(LIMIT),
        Found::Closed,
        Found::TlsFirst,
    ];
    let one = |found| Failure::NotNats {
        address: SERVER.into(),
        found,
    };
    found.map(one).into()
}

fn of_the_server() -> Vec<Failure> {
    let said = |source, words| Failure::from_server(SERVER, source, words);
    vec![
        said(None, "Authorization Violation"),
        said(Some("--token-file"), "Authorization Violation"),
        said(None, "Permissions Violation for Publish to \"greet\""),
        Failure::TooLarge {
            what: text::too_large(SERVER, 2_097_152, 1_048_576),
        },
        said(None, "maximum connections exceeded"),
        Failure::Service {
            code: "500".into(),
            said: "division by zero".into(),
        },
    ]
}

fn of_streams() -> Vec<Failure> {
    let stream = About::Stream("ORDERS".into());
    let consumer = About::Consumer("ORDERS".into(), "shipping".into());
    let key = About::Key("config".into(), "theme".into());
    let object = About::Object("files".into(), "photo.jpg".into());
    vec![
        trouble::no_stream("orders.new", SERVER),
        trouble::refused(&stream, 404, 10059, "stream not found"),
        trouble::refused(&consumer, 404, 10014, "consumer not found"),
        trouble::refused(
            &About::Message("ORDERS".into(), 17),
            404,
            10037,
            "no message found",
        ),
        trouble::not_found(&About::Bucket("config".into()), None),
        trouble::not_found(&key, None),
        trouble::not_found(&object, None),
        trouble::refused(&key, 400, 10071, "wrong last sequence: 3"),
        trouble::refused(
            &stream,
            400,
            10058,
            "stream name already in use with a different configuration",
        ),
        trouble::refused(
            &stream,
            400,
            10065,
            "subjects overlap with an existing stream",
        ),
        trouble::refused(
            &stream,
            500,
            10074,
            "replicas > 1 not supported in non-clustered mode",
        ),
        trouble::refused(
            &consumer,
            400,
            10138,
            "consumer subject filters cannot overlap",
        ),
        trouble::refused(&stream, 503, 10077, "maximum messages exceeded"),
        trouble::refused(
            &stream,
            503,
            10077,
            "no space left for the log: the disk is full",
        ),
        trouble::refused(
            &stream,
            503,
            10077,
            "the log stopped after a failed write: Input/output error (os error 5)",
        ),
        trouble::no_jetstream(SERVER, None),
        trouble::no_jetstream(SERVER, Some("JetStream not enabled for account")),
    ]
}

fn of_tls() -> Vec<Failure> {
    let trouble = [
        Insecure::UnknownIssuer,
        Insecure::WrongName {
            host: "nats.example".into(),
            names: Vec::new(),
        },
        Insecure::WrongName {
            host: "nats.example".into(),
            names: vec!["localhost".into(), "127.0.0.1".into()],
        },
        Insecure::Expired,
        Insecure::NotYet,
        Insecure::NotSpoken,
        Insecure::NotOffered,
        Insecure::OursRefused("CertificateRequired".into()),
        Insecure::Other("HandshakeFailure".into()),
    ];
    let one = |trouble| Failure::Tls {
        address: SERVER.into(),
        trouble,
    };
    trouble.map(one).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_but_done_has_an_example() {
        let examples = examples();
        for status in Status::ALL {
            let shown = examples.iter().any(|failure| failure.status() == status);
            assert_eq!(shown, status != Status::Done, "{}", status.name());
        }
    }

    #[test]
    fn a_text_stays_within_its_cell() {
        assert_eq!(cell("a | b\n<c>"), "a \\| b<br>&lt;c>");
        assert_eq!(cell(""), "—");
    }
}
