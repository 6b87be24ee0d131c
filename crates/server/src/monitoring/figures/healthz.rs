//! `/healthz`: whether the server does what it is there for.

use serde::Serialize;

use super::request::HealthzOptions;
use crate::monitoring::observed::Observed;
use crate::phase::Phase;

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
    None
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
