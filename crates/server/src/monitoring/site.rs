//! Monitoring's paths: which document each leads to, and how that is written.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, StatusCode, Uri, header};

use super::figures::{self, Endpoint, Format, Problem};
use super::http::{HTML, Pages, Reply};
use super::observed::Observed;
use super::parameters::Query;
use crate::config::Options;
use crate::error::StartError;
use crate::listener::{Listener, open_at, resolve};

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

const JSON: &str = "application/json";

/// Opens monitoring's socket, if there is to be any.
///
/// # Errors
/// When the host has no address, or nothing can listen there.
pub(crate) fn open(options: &Options) -> Result<Option<Listener>, StartError> {
    let monitoring = &options.monitoring;
    let Some(port) = monitoring.port.or(monitoring.https_port) else {
        return Ok(None);
    };
    let host = monitoring.host_for(options.personality, options.host.as_deref());
    let addr = resolve(&host, port)?;
    open_at(addr, host).map(Some)
}

/// What is watched, as pages.
pub(crate) struct Watched(pub(crate) Arc<Observed>);

impl Pages for Watched {
    const NAME: &'static str = "monitoring";
    const THREAD: &'static str = "recado-monitor";
    const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);
    // Dashboards are such pages.
    const IS_FOR_ALL_ORIGINS: bool = true;

    /// Whoever looks after the process must learn that it lives, and learns no more than that.
    fn are_open(&self, uri: &Uri) -> bool {
        self.endpoint(uri.path()) == Some(Endpoint::Healthz)
            && uri.query().is_none_or(str::is_empty)
    }

    async fn answer(&self, request: &Request<Incoming>) -> Reply {
        let Some(endpoint) = self.endpoint(request.uri().path()) else {
            return Reply::text(
                StatusCode::NOT_FOUND,
                "404 page not found; / lists what there is",
            );
        };
        self.0.count_request(endpoint.path());
        let query = Query::new(request.uri().query().unwrap_or_default());
        let answer = match endpoint {
            Endpoint::Root => Ok(Reply {
                status: StatusCode::OK,
                content_type: HTML,
                content: figures::index(&self.0).into_bytes(),
            }),
            Endpoint::Metrics => {
                let accept = request.headers().get(header::ACCEPT);
                let format = Format::of_accept(accept.and_then(|accept| accept.to_str().ok()));
                Ok(Reply {
                    status: StatusCode::OK,
                    content_type: format.content_type(),
                    content: figures::metrics(&self.0, format).await.into_bytes(),
                })
            }
            _ => self.document(endpoint, &query).await,
        };
        answer.unwrap_or_else(|problem| {
            let status = StatusCode::from_u16(problem.status());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Reply::text(status, problem.text())
        })
    }
}

impl Watched {
    /// What a path leads to. Paths are compared as they are: there is nothing to climb.
    fn endpoint(&self, path: &str) -> Option<Endpoint> {
        let facts = self.0.facts();
        let path = path.strip_prefix(facts.base_path.as_str())?;
        Endpoint::of_path(if path.is_empty() { "/" } else { path })
    }

    async fn document(&self, endpoint: Endpoint, query: &Query) -> Result<Reply, Problem> {
        let request = figures::Request::from_query(endpoint, query)?;
        let document = self.0.document(&request).await?;
        let mut content = Bounded(Vec::new());
        let written = match endpoint {
            // Probes compare it.
            Endpoint::Healthz => serde_json::to_writer(&mut content, &document),
            _ => serde_json::to_writer_pretty(&mut content, &document),
        };
        if written.is_err() {
            return Err(Problem::too_large(ANSWER_BYTES_MAX));
        }
        let status = StatusCode::from_u16(document.status());
        Ok(Reply {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            content_type: JSON,
            content: content.0,
        })
    }
}

/// Bytes up to [`ANSWER_BYTES_MAX`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > ANSWER_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
