//! Monitoring's HTTP: GET and HEAD of a handful of paths, on a thread of its own.
//!
//! Everything that a stranger could make large, slow or many has a bound: connections in all and from one
//! address, the head of a request, the time for it and for its answer, answers in memory at once, and
//! the time that an answer may wait for its reader. A request's body is not read.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::{Mutex, RwLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::access::Access;
use super::figures::{self, Endpoint, Format, Problem};
use super::observed::Observed;
use super::parameters::Query;
use super::patience::Patient;
use crate::config::{ClientCertificates, Options, TlsOptions};
use crate::error::StartError;
use crate::listener::{Listener, open_at, resolve};
use crate::tls::{Material, Revocations, TlsProblem};

/// Connections at once.
const CONNECTIONS_MAX: usize = 256;
/// Connections at once from one address.
const CONNECTIONS_PER_ADDRESS_MAX: usize = 64;
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Lines of it.
const HEADERS_MAX: usize = 64;
/// Time for a request's head; also how long a connection may rest between two requests.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// Time to find what was asked for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);
/// Time that an answer may wait for a reader that takes nothing.
const READER_PATIENCE: Duration = Duration::from_secs(20);
/// Answers that are made or wait for their reader at once.
const ANSWERS_MAX: usize = 8;
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Pause after accepting failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What monitoring over HTTPS shows of itself; can be replaced while it runs. Clients are asked for no certificate: a
/// token is what lets in.
pub(crate) struct Keys(RwLock<Current>);

struct Current {
    material: Material,
}

impl Keys {
    /// Reads what the options name.
    ///
    /// # Errors
    /// When a file can't be read or is not what it should be.
    pub(crate) fn load(
        options: &TlsOptions,
        revocations: Option<&Revocations>,
    ) -> Result<Self, TlsProblem> {
        Ok(Self(RwLock::new(Current::load(options, revocations)?)))
    }

    /// Shows what others show from now on.
    pub(crate) fn replace(&self, others: Self) {
        *self.0.write() = others.0.into_inner();
    }

    async fn handshake(&self, stream: Patient<TcpStream>) -> io::Result<Encrypted> {
        let (acceptor, timeout) = {
            let current = self.0.read();
            let config = Arc::clone(&current.material.config);
            (TlsAcceptor::from(config), current.material.timeout)
        };
        match tokio::time::timeout(timeout, acceptor.accept(stream)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

type Encrypted = tokio_rustls::server::TlsStream<Patient<TcpStream>>;

impl Current {
    fn load(options: &TlsOptions, revocations: Option<&Revocations>) -> Result<Self, TlsProblem> {
        let unasked = TlsOptions {
            client_certificates: ClientCertificates::NotAsked,
            pinned_certs: Vec::new(),
            ..options.clone()
        };
        let material = Material::load(&unasked, revocations)?;
        Ok(Self { material })
    }
}

/// Monitoring that runs. It ends when this is dropped.
pub(crate) struct Monitoring {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

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

impl Monitoring {
    /// Serves what is watched on an open socket: in clear, or with `keys`. `access` says what requests must
    /// bear.
    ///
    /// # Errors
    /// When the machine has no threads or descriptors left.
    pub(crate) fn start(
        listener: Listener,
        observed: Arc<Observed>,
        access: Arc<Access>,
        keys: Option<Arc<Keys>>,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener.into_socket())?
        };
        let site = Arc::new(Site {
            observed,
            access,
            keys,
            answers: Arc::new(Semaphore::new(ANSWERS_MAX)),
        });
        let (stop, mut stopped) = watch::channel(false);
        let thread = std::thread::Builder::new()
            .name("recado-monitor".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        // An error means that the sender is gone, and the server with it.
                        _ = stopped.wait_for(|stop| *stop) => {}
                        () = accept(listener, site) => {}
                    }
                });
                runtime.shutdown_background();
            })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Monitoring {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported by its hook.
            let _ = thread.join();
        }
    }
}

/// What all connections share.
struct Site {
    observed: Arc<Observed>,
    keys: Option<Arc<Keys>>,
    access: Arc<Access>,
    answers: Arc<Semaphore>,
}

/// Who is connected, by address.
#[derive(Default)]
struct Crowd {
    count: usize,
    addresses: HashMap<IpAddr, usize>,
}

/// A place in the crowd.
struct Seat {
    crowd: Arc<Mutex<Crowd>>,
    address: IpAddr,
}

impl Seat {
    /// Takes a place, if there is one.
    fn take(crowd: &Arc<Mutex<Crowd>>, address: IpAddr) -> Option<Self> {
        let mut held = crowd.lock();
        let own = held.addresses.get(&address).copied().unwrap_or(0);
        if held.count >= CONNECTIONS_MAX || own >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        held.count += 1;
        held.addresses.insert(address, own + 1);
        drop(held);
        Some(Self {
            crowd: Arc::clone(crowd),
            address,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.crowd.lock();
        held.count -= 1;
        match held.addresses.get_mut(&self.address) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(held.addresses.remove(&self.address)),
        }
    }
}

/// Accepts until the server ends.
async fn accept(listener: TcpListener, site: Arc<Site>) {
    let crowd = Arc::new(Mutex::new(Crowd::default()));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection for monitoring");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match Seat::take(&crowd, peer.ip().to_canonical()) {
            Some(seat) => drop(tokio::spawn(serve(stream, peer, Arc::clone(&site), seat))),
            None => turn_away(&stream, peer),
        }
    }
}

/// Says that there is no room. A fresh socket takes a line at once, or its other side is gone.
fn turn_away(stream: &TcpStream, peer: SocketAddr) {
    let text = "too many connections to monitoring; close some\n";
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    let _ = stream.try_write(answer.as_bytes());
    tracing::warn!(%peer, "too many connections to monitoring");
}

/// Serves one connection until it ends.
async fn serve(stream: TcpStream, peer: SocketAddr, site: Arc<Site>, seat: Seat) {
    let _seat = seat;
    // Answers are written whole; whoever waits for one should not wait for an ack as well.
    let _ = stream.set_nodelay(true);
    let stream = Patient::new(stream, READER_PATIENCE);
    let Some(keys) = site.keys.clone() else {
        return converse(stream, peer, site).await;
    };
    match keys.handshake(stream).await {
        Ok(stream) => converse(stream, peer, site).await,
        Err(error) => tracing::debug!(%peer, %error, "no TLS with a client of monitoring"),
    }
}

/// Answers requests until the connection ends.
async fn converse<S>(stream: S, peer: SocketAddr, site: Arc<Site>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(stream);
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.respond(&request, peer).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(stream, service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a connection to monitoring ended");
    }
}

/// An answer that is there until its reader has it.
struct Answer {
    content: Full<Bytes>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.get_mut().content).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}

/// What is answered: status, kind and bytes.
struct Reply {
    status: StatusCode,
    content_type: &'static str,
    content: Vec<u8>,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

impl Site {
    async fn respond(&self, request: &Request<Incoming>, peer: SocketAddr) -> Response<Answer> {
        let (reply, permit) = match self.refusal(request, peer) {
            Some(reply) => (reply, None),
            None => {
                // Closed never: it lives as long as the site.
                let permit = Arc::clone(&self.answers).acquire_owned().await.ok();
                let answer = self.answer(request);
                let reply = match tokio::time::timeout(ANSWER_TIME_MAX, answer).await {
                    Ok(reply) => reply,
                    Err(_) => Reply::text(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "the answer took too long; ask for less, or later",
                    ),
                };
                (reply, permit)
            }
        };
        let close = !request.body().is_end_stream();
        reply.into_response(request.method(), close, permit)
    }

    /// Why a request gets no answer to what it asks, if so.
    fn refusal(&self, request: &Request<Incoming>, peer: SocketAddr) -> Option<Reply> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return Some(Reply::text(
                StatusCode::METHOD_NOT_ALLOWED,
                "monitoring is only read: GET or HEAD",
            ));
        }
        // Whoever looks after the process must learn that it lives, and learns no more than that.
        let is_open = !self.access.is_restricted()
            || (self.endpoint(request.uri().path()) == Some(Endpoint::Healthz)
                && request.uri().query().is_none_or(str::is_empty));
        if is_open || self.access.allows(request.headers()) {
            return None;
        }
        tracing::warn!(%peer, "monitoring refused: the token is missing or wrong");
        Some(Reply::text(
            StatusCode::UNAUTHORIZED,
            "this server's monitoring asks for a token: Authorization: Bearer TOKEN",
        ))
    }

    /// What a path leads to. Paths are compared as they are: there is nothing to climb.
    fn endpoint(&self, path: &str) -> Option<Endpoint> {
        let facts = self.observed.facts();
        let path = path.strip_prefix(facts.base_path.as_str())?;
        Endpoint::of_path(if path.is_empty() { "/" } else { path })
    }

    async fn answer(&self, request: &Request<Incoming>) -> Reply {
        let Some(endpoint) = self.endpoint(request.uri().path()) else {
            return Reply::text(
                StatusCode::NOT_FOUND,
                "404 page not found; / lists what there is",
            );
        };
        self.observed.count_request(endpoint.path());
        let query = Query::new(request.uri().query().unwrap_or_default());
        let answer = match endpoint {
            Endpoint::Root => Ok(Reply {
                status: StatusCode::OK,
                content_type: "text/html; charset=utf-8",
                content: figures::index(&self.observed).into_bytes(),
            }),
            Endpoint::Metrics => {
                let accept = request.headers().get(header::ACCEPT);
                let format = Format::of_accept(accept.and_then(|accept| accept.to_str().ok()));
                Ok(Reply {
                    status: StatusCode::OK,
                    content_type: format.content_type(),
                    content: figures::metrics(&self.observed, format).await.into_bytes(),
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

    async fn document(&self, endpoint: Endpoint, query: &Query) -> Result<Reply, Problem> {
        let request = figures::Request::from_query(endpoint, query)?;
        let document = self.observed.document(&request).await?;
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

impl Reply {
    fn text(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            content_type: TEXT,
            content: format!("{text}\n").into_bytes(),
        }
    }

    fn into_response(
        self,
        method: &Method,
        close: bool,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Response<Answer> {
        let length = self.content.len();
        // What is not sent needs no place: of a HEAD only the length is told.
        let (content, permit) = match *method {
            Method::HEAD => (Bytes::new(), None),
            _ => (Bytes::from(self.content), permit),
        };
        let mut response = Response::new(Answer {
            content: Full::new(content),
            _permit: permit,
        });
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let fixed = [
            (header::CONTENT_TYPE, self.content_type),
            // Dashboards are pages of other origins.
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        let also = match self.status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            StatusCode::METHOD_NOT_ALLOWED => Some((header::ALLOW, "GET, HEAD")),
            _ => None,
        };
        if let Some((name, value)) = also {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if close {
            // The body that came along is not read.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_places_and_places_are_given_back() {
        let crowd = Arc::new(Mutex::new(Crowd::default()));
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let take = |last| Seat::take(&crowd, address(last));
        let mut seats: Vec<Seat> = std::iter::from_fn(|| take(1)).collect();
        assert_eq!(seats.len(), CONNECTIONS_PER_ADDRESS_MAX);
        assert!(take(2).is_some());
        seats.pop();
        seats.extend(take(1));
        assert!(take(1).is_none());
        for last in 2..=CONNECTIONS_MAX as u16 {
            seats.extend(take(last as u8));
        }
        assert_eq!(seats.len(), CONNECTIONS_MAX);
        assert!(take(255).is_none());
        drop(seats);
        let crowd = crowd.lock();
        assert_eq!((crowd.count, crowd.addresses.len()), (0, 0));
    }
}
