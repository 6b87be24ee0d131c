//! The documents: each what nats-server's path of that name tells, under the same names (`monitor.go`), made from
//! what is seen of the server. Whoever asks, over HTTP or on `$SYS`, gets the same.

mod accounts;
mod accountz;
mod accstatz;
mod connz;
mod crossings;
mod explainz;
mod exposition;
mod healthz;
mod index;
mod jsz;
mod links;
mod metrics;
mod moments;
mod problem;
mod request;
mod subsz;
mod varz;

use serde::Serialize;

use super::observed::Observed;

pub(crate) use accounts::name_tag;
pub(super) use exposition::Format;
pub(super) use index::index;
pub(super) use metrics::metrics;
pub(crate) use problem::Problem;
pub(crate) use request::{AccstatzOptions, Endpoint, PATHS, Request};

/// A document.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Document {
    Varz(Box<varz::Varz>),
    Connz(connz::Connz),
    Routez(links::Routez),
    Gatewayz(links::Gatewayz),
    Leafz(links::Leafz),
    Subsz(subsz::Subsz),
    Accountz(Box<accountz::Accountz>),
    Accstatz(accstatz::Accstatz),
    Jsz(Box<jsz::Jsz>),
    Explainz(Box<explainz::Explainz>),
    Healthz(healthz::Healthz),
}

impl Document {
    /// The status that goes with it over HTTP.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Healthz(health) => health.status(),
            _ => 200,
        }
    }
}

/// Makes the document that was asked for.
pub(super) async fn document(observed: &Observed, request: &Request) -> Result<Document, Problem> {
    Ok(match request {
        Request::Varz => Document::Varz(Box::new(varz::varz(observed).await)),
        Request::Connz(options) => Document::Connz(connz::connz(observed, options)?),
        Request::Routez => Document::Routez(links::routez(observed)),
        Request::Gatewayz => Document::Gatewayz(links::gatewayz(observed)),
        Request::Leafz => Document::Leafz(links::leafz(observed)),
        Request::Subsz(options) => Document::Subsz(subsz::subsz(observed, options)?),
        Request::Accountz(options) => {
            Document::Accountz(Box::new(accountz::accountz(observed, options).await?))
        }
        Request::Accstatz(options) => Document::Accstatz(accstatz::accstatz(observed, options)),
        Request::Explain(options) => {
            Document::Explainz(Box::new(explainz::explainz(observed, options).await?))
        }
        Request::Jsz(options) => Document::Jsz(Box::new(jsz::jsz(observed, options).await?)),
        Request::Healthz(options) => Document::Healthz(healthz::healthz(observed, options).await),
    })
}
