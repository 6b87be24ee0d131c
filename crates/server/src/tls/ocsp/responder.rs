//! Asking the responders of a certificate (RFC 6960, appendix A): a POST, and a GET where that is not taken.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use rustls::ClientConfig;
use tokio::task::JoinSet;

use super::link::{BadChain, Link};
use super::response::{self, BadResponse, Response};
use crate::config::TlsOptions;
use crate::http_client::{self, NoAnswer};
use crate::tls::client_config;
use crate::version::VERSION;

/// Bytes that an answer may have. Usual ones have a few thousand.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Why no responder gave an answer that can be believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAsked {
    #[error("the certificate names no responder: name one with url in ocsp")]
    NoResponder,
    #[error("{at}: {why}")]
    NoAnswer { at: String, why: NoAnswer },
    #[error("{at} answers with {status}")]
    Status { at: String, status: StatusCode },
    #[error("{at} did not answer within {} ms", .time.as_millis())]
    Late { at: String, time: Duration },
    #[error("the answer of {at} can't be used: {why}")]
    BadResponse { at: String, why: BadResponse },
    #[error("the answer does not hold now: check this machine's clock and the responder's")]
    OutOfDate,
    #[error("whoever asked broke down")]
    Broken,
    #[error(transparent)]
    Chain(#[from] BadChain),
    #[error("no thread to ask from: {0}")]
    NoThread(#[from] std::io::Error),
}

impl NotAsked {
    /// Whether there was no answer at all, and not one that can't be believed.
    pub(super) fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer { .. } | Self::Status { .. } | Self::Late { .. }
        )
    }
}

/// An answer, as it came.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) response: Response,
}

/// Asks one responder after the other until one gives an answer that can be believed; each has `time`. The thread waits
/// meanwhile: it must not be one that drives connections.
///
/// # Errors
/// Why the last one did not.
pub(super) fn ask(link: &Link, responders: &[String], time: Duration) -> Result<Answer, NotAsked> {
    let question = link.request()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let asked = runtime.block_on(ask_all(link, &question, responders, time));
    // Whoever looks a name up may take longer than there is time: it is not waited for.
    runtime.shutdown_background();
    asked
}

async fn ask_all(
    link: &Link,
    question: &[u8],
    responders: &[String],
    time: Duration,
) -> Result<Answer, NotAsked> {
    let mut last = NotAsked::NoResponder;
    for at in responders {
        let asked = ask_one(at, question, time).await;
        let read = asked.and_then(
            |bytes| match response::read(&bytes, link, SystemTime::now()) {
                Ok(response) => Ok(Answer { bytes, response }),
                Err(why) => Err(NotAsked::BadResponse {
                    at: at.clone(),
                    why,
                }),
            },
        );
        match read {
            Ok(answer) => return Ok(answer),
            Err(why) => last = why,
        }
    }
    Err(last)
}

async fn ask_one(at: &str, question: &[u8], time: Duration) -> Result<Vec<u8>, NotAsked> {
    let both = async {
        match send(at, Some(question)).await {
            // It answers, but not to that.
            Err(NotAsked::Status { .. }) => send(&in_the_path(at, question), None).await,
            other => other,
        }
    };
    // As it may be shown: a GET has the question in it.
    let shown = |why| match why {
        NotAsked::NoAnswer { why, .. } => NotAsked::NoAnswer {
            at: at.to_owned(),
            why,
        },
        NotAsked::Status { status, .. } => NotAsked::Status {
            at: at.to_owned(),
            status,
        },
        other => other,
    };
    let answered = tokio::time::timeout(time, both).await;
    let late = || NotAsked::Late {
        at: at.to_owned(),
        time,
    };
    answered.map_err(|_| late())?.map_err(shown)
}

/// One request: a POST with a body, else a GET.
async fn send(at: &str, body: Option<&[u8]>) -> Result<Vec<u8>, NotAsked> {
    let no_answer = |why| NotAsked::NoAnswer {
        at: at.to_owned(),
        why,
    };
    let place = || no_answer(NoAnswer::Place);
    let uri: Uri = at.parse().map_err(|_| place())?;
    let host = uri.authority().ok_or_else(place)?.as_str();
    // Who is named before it is nobody's business there.
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = match body {
        Some(_) => Request::post(path).header(CONTENT_TYPE, "application/ocsp-request"),
        None => Request::get(path),
    };
    let request = request
        .header(HOST, host)
        .header(USER_AGENT, format!("recado-server/{VERSION}"))
        .header(ACCEPT, "application/ocsp-response")
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::copy_from_slice(body.unwrap_or_default())))
        .map_err(|_| place())?;
    let tls = trust(&uri);
    let mut driver = JoinSet::new();
    let answer = http_client::send(&uri, request, tls.as_ref(), &mut driver);
    let answer = answer.await.map_err(no_answer)?;
    let status = answer.status();
    if status != StatusCode::OK {
        let at = at.to_owned();
        return Err(NotAsked::Status { at, status });
    }
    let body = http_client::body_of(answer, ANSWER_BYTES_MAX).await;
    body.map_err(no_answer)
}

/// Whom to trust, where that matters: those that the machine trusts.
fn trust(uri: &Uri) -> Option<Arc<ClientConfig>> {
    let secured = uri.scheme_str() == Some("https");
    secured
        .then(|| client_config(None::<&TlsOptions>).ok())
        .flatten()
}

/// Where a question is asked that is a part of the path.
fn in_the_path(at: &str, question: &[u8]) -> String {
    let question = BASE64_STANDARD.encode(question);
    let escaped: String = form_urlencoded::byte_serialize(question.as_bytes()).collect();
    format!("{}/{escaped}", at.trim_end_matches('/'))
}
