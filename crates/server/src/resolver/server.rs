//! A server that is asked for accounts over HTTP (C52): one request for each, bounded in time and bytes, which waits
//! without a thread.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use recado_auth::jwt::TOKEN_BYTES_MAX;
use rustls::ClientConfig;
use tokio::task::JoinSet;

use crate::config::TlsOptions;
use crate::config::operator::AccountsUrl;
use crate::http_client::{self, NoAnswer};
use crate::tls::{self, TlsProblem};
use crate::version::VERSION;

/// Time that an answer may take, as with nats-server: a login must not wait longer than it has time to authenticate.
pub(super) const ANSWER_MAX: Duration = Duration::from_millis(1_900);
/// Times that the server may send us elsewhere.
const REDIRECTS_MAX: usize = 5;

/// Why an account could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotFetched {
    #[error("no answer within {} ms", ANSWER_MAX.as_millis())]
    Late,
    #[error("{0} is no place to ask")]
    Place(String),
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    #[error("it answers {0}")]
    Status(StatusCode),
    #[error("it sends us elsewhere more than {REDIRECTS_MAX} times, or to where we may not go")]
    Redirects,
    #[error("the answer is not text")]
    NotText,
}

/// The server.
pub(super) struct AccountsServer {
    url: AccountsUrl,
    /// Whom to trust; `None` where that is nobody.
    tls: Option<Arc<ClientConfig>>,
}

impl AccountsServer {
    /// A server, with what was configured for TLS.
    ///
    /// # Errors
    /// When TLS is needed, and can't be had so.
    pub(super) fn new(url: &AccountsUrl, tls: Option<&TlsOptions>) -> Result<Self, TlsProblem> {
        let needed = tls.is_some() || url.0.starts_with("https:");
        let tls = match tls::client_config(tls) {
            Err(problem) if needed => return Err(problem),
            // It may only be missed where the server sends us elsewhere.
            config => config.ok(),
        };
        let url = url.clone();
        Ok(Self { url, tls })
    }

    /// As it may be shown.
    pub(super) fn shown(&self) -> String {
        self.url.shown()
    }

    /// What it has under this name; an empty one asks whether anybody is there.
    ///
    /// # Errors
    /// When it does not answer in time, or not with a text of a size that a token may have.
    pub(super) async fn fetch(&self, name: &str) -> Result<String, NotFetched> {
        let fetched = Box::pin(self.fetch_whole(name));
        let fetched = tokio::time::timeout(ANSWER_MAX, fetched).await;
        fetched.unwrap_or(Err(NotFetched::Late))
    }

    async fn fetch_whole(&self, name: &str) -> Result<String, NotFetched> {
        let url = format!("{}{name}", self.url.0);
        let not_a_place = || NotFetched::Place(self.shown());
        let mut uri: Uri = url.parse().map_err(|_| not_a_place())?;
        let first = uri.clone();
        for _ in 0..=REDIRECTS_MAX {
            // A password is for whom it was written down for.
            let shows_password = uri.authority() == first.authority();
            // Whatever drives the connection ends with this.
            let mut driver = JoinSet::new();
            let answer = self.ask(&uri, shows_password, &mut driver).await?;
            match answer.status() {
                StatusCode::OK => return text_of(answer).await,
                status if status.is_redirection() => {
                    let to = answer.headers().get(LOCATION);
                    let to = to.and_then(|to| to.to_str().ok());
                    uri = to
                        .and_then(|to| redirected(&uri, to))
                        .ok_or(NotFetched::Redirects)?;
                }
                status => return Err(NotFetched::Status(status)),
            }
        }
        Err(NotFetched::Redirects)
    }

    async fn ask(
        &self,
        uri: &Uri,
        shows_password: bool,
        driver: &mut JoinSet<()>,
    ) -> Result<Response<Incoming>, NotFetched> {
        let request = request(uri, shows_password);
        let request = request.ok_or_else(|| NotFetched::Place(self.shown()))?;
        let sent = http_client::send(uri, request, self.tls.as_ref(), driver);
        sent.await.map_err(|why| match why {
            NoAnswer::Place => NotFetched::Place(self.shown()),
            other => NotFetched::NoAnswer(other),
        })
    }
}

fn request(uri: &Uri, shows_password: bool) -> Option<Request<Full<Bytes>>> {
    let authority = uri.authority()?.as_str();
    let (credential, place) = match authority.rsplit_once('@') {
        Some((credential, place)) => (Some(credential), place),
        None => (None, authority),
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::get(path)
        .header(HOST, place)
        .header(USER_AGENT, format!("recado-server/{VERSION}"))
        .header(CONNECTION, "close");
    if let Some(credential) = credential.filter(|_| shows_password) {
        let basic = BASE64_STANDARD.encode(unescaped(credential));
        request = request.header(AUTHORIZATION, format!("Basic {basic}"));
    }
    request.body(Full::default()).ok()
}

/// Percent signs in a name and a password stand for what URLs can't hold.
fn unescaped(credential: &str) -> Vec<u8> {
    // Plus signs are themselves here, unlike in a form.
    let form = credential.replace('+', "%2B");
    let text = form_urlencoded::parse(form.as_bytes()).next();
    text.map(|(text, _)| text.into_owned().into_bytes())
        .unwrap_or_default()
}

/// Where an answer sends us: never from a secured connection to one in clear.
fn redirected(from: &Uri, to: &str) -> Option<Uri> {
    let to: Uri = match to.starts_with('/') && !to.starts_with("//") {
        true => {
            let mut parts = from.clone().into_parts();
            parts.path_and_query = Some(to.parse().ok()?);
            Uri::from_parts(parts).ok()?
        }
        false => to.parse().ok()?,
    };
    match (from.scheme_str(), to.scheme_str()) {
        (_, Some("https")) | (Some("http"), Some("http")) => Some(to),
        _ => None,
    }
}

async fn text_of(answer: Response<Incoming>) -> Result<String, NotFetched> {
    let body = http_client::body_of(answer, TOKEN_BYTES_MAX).await?;
    String::from_utf8(body).map_err(|_| NotFetched::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_as_secure_as_it_was() {
        let at = |text: &str| text.parse::<Uri>().unwrap();
        let to = |from: &str, to: &str| redirected(&at(from), to).map(|uri| uri.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(to("http://h:1/a/X", "/b/X"), some("http://h:1/b/X"));
        assert_eq!(to("http://h/a", "https://g/b"), some("https://g/b"));
        assert_eq!(to("http://h/a", "http://g/b"), some("http://g/b"));
        assert_eq!(to("https://h/a", "http://h/b"), None);
        for bad in ["ftp://h/b", "//g/b", "b", "", "https://"] {
            assert_eq!(to("https://h/a", bad), None, "{bad}");
        }
    }

    #[test]
    fn a_password_goes_to_its_own_server_only() {
        let uri: Uri = "http://ana:cla%3Ave+1@h:9/a/X".parse().unwrap();
        let asked = request(&uri, true).unwrap();
        assert_eq!(asked.headers()[HOST], "h:9");
        assert_eq!(asked.uri(), "/a/X");
        let basic = format!("Basic {}", BASE64_STANDARD.encode("ana:cla:ve+1"));
        assert_eq!(asked.headers()[AUTHORIZATION], basic);
        let elsewhere = request(&uri, false).unwrap();
        assert!(!elsewhere.headers().contains_key(AUTHORIZATION));
    }
}
