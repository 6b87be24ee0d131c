//! `/healthz`: whether the server does what it is there for.

use recado_streams::jetstream::Found;
use serde::Serialize;

use super::request::HealthzOptions;
use crate::monitoring::observed::Observed;
use crate::phase::Phase;
use crate::streams::Inquiries;

const UNAVAILABLE: &str = "unavailable";

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct Healthz {
    pub(super) status: &'static str,
    #[serde(skip)]
    code: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<HealthError>,
}

/// What is wrong, if details were asked for.
#[derive(Debug, Serialize)]
struct HealthError {
    #[serde(rename = "type")]
    of_type: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    account: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    stream: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    consumer: String,
    error: String,
}

impl Healthz {
    /// Status of HTTP.
    pub(super) fn status(&self) -> u16 {
        self.code
    }
}

/// Something that is wrong.
struct Trouble<'a> {
    code: u16,
    status: &'static str,
    of_type: &'static str,
    /// Account, stream and consumer that it is about.
    about: (&'a str, &'a str, &'a str),
    error: String,
}

impl Trouble<'_> {
    fn told(self, details: bool) -> Healthz {
        let (account, stream, consumer) = self.about;
        if !details {
            return Healthz {
                status: self.status,
                code: self.code,
                error: self.error,
                errors: Vec::new(),
            };
        }
        Healthz {
            status: "error",
            code: self.code,
            error: String::new(),
            errors: vec![HealthError {
                of_type: self.of_type,
                account: account.to_owned(),
                stream: stream.to_owned(),
                consumer: consumer.to_owned(),
                error: self.error,
            }],
        }
    }
}

/// Makes the document.
pub(super) async fn healthz(observed: &Observed, options: &HealthzOptions) -> Healthz {
    match trouble(observed, options).await {
        Some(trouble) => trouble.told(options.details),
        None => Healthz {
            status: "ok",
            code: 200,
            error: String::new(),
            errors: Vec::new(),
        },
    }
}

async fn trouble<'a>(observed: &Observed, options: &'a HealthzOptions) -> Option<Trouble<'a>> {
    if let Some(trouble) = senseless(options) {
        return Some(trouble);
    }
    let phase = *observed.phase.borrow();
    if phase != Phase::Running {
        return Some(Trouble {
            code: 500,
            status: "error",
            of_type: "CONNECTION",
            about: ("", "", ""),
            error: match phase {
                Phase::LameDuck => "the server takes no new connections: lame duck mode",
                _ => "the server takes no new connections: it is stopping",
            }
            .to_owned(),
        });
    }
    match &observed.inquiries() {
        Some(inquiries) if !options.js_server_only => streams(inquiries, options).await,
        _ => None,
    }
}

/// What is wrong with the streams, or with those that were asked for.
async fn streams<'a>(inquiries: &Inquiries, options: &'a HealthzOptions) -> Option<Trouble<'a>> {
    let unavailable = |error: String| Trouble {
        code: 503,
        status: UNAVAILABLE,
        of_type: "JETSTREAM",
        about: ("", "", ""),
        error,
    };
    let HealthzOptions {
        account,
        stream,
        consumer,
        ..
    } = options;
    let looked_for = (account.clone(), stream.clone(), consumer.clone());
    let answer = inquiries
        .ask(move |glimpse| {
            let (account, stream, consumer) = &looked_for;
            (glimpse.stopped(), glimpse.find(account, stream, consumer))
        })
        .await;
    let (stopped, found) = match answer {
        Ok(answer) => answer,
        Err(error) => return Some(unavailable(error.text().to_owned())),
    };
    if let Some(why) = stopped {
        return Some(unavailable(format!(
            "the store stopped, nothing more is stored until the server is started again: {why}"
        )));
    }
    if options.js_enabled_only || options.js_enabled || options.js_meta_only {
        return None;
    }
    let (of_type, about, error) = if account.is_empty() {
        return None;
    } else if found.is_none() {
        let error = format!("JetStream account {account:?} not found");
        ("ACCOUNT", (account.as_str(), "", ""), error)
    } else if !stream.is_empty() && found == Some(Found::Nothing) {
        let error = format!("JetStream stream {stream:?} not found on account {account:?}");
        ("STREAM", (account.as_str(), stream.as_str(), ""), error)
    } else if !consumer.is_empty() && found == Some(Found::Stream) {
        let error = format!(
            "JetStream consumer {consumer:?} not found for stream {stream:?} on account {account:?}"
        );
        let about = (account.as_str(), stream.as_str(), consumer.as_str());
        ("CONSUMER", about, error)
    } else {
        return None;
    };
    Some(Trouble {
        code: 404,
        status: UNAVAILABLE,
        of_type,
        about,
        error,
    })
}

/// Questions that make no sense.
fn senseless(options: &HealthzOptions) -> Option<Trouble<'_>> {
    let (missing, of) = if options.account.is_empty() && !options.stream.is_empty() {
        ("account", "stream")
    } else if options.stream.is_empty() && !options.consumer.is_empty() {
        ("stream", "consumer")
    } else {
        return None;
    };
    Some(Trouble {
        code: 400,
        status: "error",
        of_type: "BAD_REQUEST",
        about: ("", "", ""),
        error: format!("{missing:?} must not be empty when checking {of} health"),
    })
}
