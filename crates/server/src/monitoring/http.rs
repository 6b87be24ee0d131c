//! HTTP for what is only looked at, monitoring and profiles: GET and HEAD of a handful of paths, on a thread of its own.
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
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::{Mutex, RwLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::access::Access;
use super::patience::Patient;
use crate::config::{ClientCertificates, TlsOptions};
use crate::listener::Listener;
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
/// Time that an answer may wait for a reader that takes nothing.
const READER_PATIENCE: Duration = Duration::from_secs(20);
/// Answers that are made or wait for their reader at once.
const ANSWERS_MAX: usize = 8;
/// Pause after accepting failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What monitoring over HTTPS shows of itself; can be replaced while it runs. Clients are asked for no certificate: a
/// token is what lets in.
pub(crate) struct Keys(RwLock<Material>);

impl Keys {
    /// Reads what the options name.
    ///
    /// # Errors
    /// When a file can't be read or is not what it should be.
    pub(crate) fn load(
        options: &TlsOptions,
        revocations: Option<&Revocations>,
    ) -> Result<Self, TlsProblem> {
        let unasked = TlsOptions {
            client_certificates: ClientCertificates::NotAsked,
            pinned_certs: Vec::new(),
            ..options.clone()
        };
        let material = Material::load(&unasked, revocations)?;
        Ok(Self(RwLock::new(material)))
    }

    /// Shows what others show from now on.
    pub(crate) fn replace(&self, others: Self) {
        *self.0.write() = others.0.into_inner();
    }

    async fn handshake(&self, stream: Patient<TcpStream>) -> io::Result<Encrypted> {
        let (acceptor, timeout) = {
            let current = self.0.read();
            let config = Arc::clone(&current.config);
            (TlsAcceptor::from(config), current.timeout)
        };
        match tokio::time::timeout(timeout, acceptor.accept(stream)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

type Encrypted = tokio_rustls::server::TlsStream<Patient<TcpStream>>;

/// What is served: paths, and what they lead to.
pub(crate) trait Pages: Send + Sync + 'static {
    /// What it is called in the log and to those who ask.
    const NAME: &'static str;
    /// The name of the thread that serves it.
    const THREAD: &'static str;
    /// Time to find what was asked for.
    const ANSWER_TIME_MAX: Duration;
    /// Pages of other origins may read it.
    const IS_FOR_ALL_ORIGINS: bool;

    /// Whether this is told to those, too, who don't bear the token.
    fn are_open(&self, uri: &Uri) -> bool;

    /// What is answered to a request that may be answered. It is dropped when whoever asked goes away.
    fn answer(&self, request: &Request<Incoming>) -> impl Future<Output = Reply> + Send;
}

/// A site that is served. It ends when this is dropped.
pub(crate) struct Served {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    /// Serves pages on an open socket: in clear, or with `keys`. `access` says what requests must bear.
    ///
    /// # Errors
    /// When the machine has no threads or descriptors left.
    pub(crate) fn start<P: Pages>(
        listener: Listener,
        pages: P,
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
            pages,
            access,
            keys,
            answers: Arc::new(Semaphore::new(ANSWERS_MAX)),
        });
        let (stop, mut stopped) = watch::channel(false);
        let thread = std::thread::Builder::new()
            .name(P::THREAD.to_owned())
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

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported by its hook.
            let _ = thread.join();
        }
    }
}

/// What all connections share.
struct Site<P> {
    pages: P,
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
async fn accept<P: Pages>(listener: TcpListener, site: Arc<Site<P>>) {
    let crowd = Arc::new(Mutex::new(Crowd::default()));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection for {}", P::NAME);
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match Seat::take(&crowd, peer.ip().to_canonical()) {
            Some(seat) => drop(tokio::spawn(serve(stream, peer, Arc::clone(&site), seat))),
            None => turn_away::<P>(&stream, peer),
        }
    }
}

/// Says that there is no room. A fresh socket takes a line at once, or its other side is gone.
fn turn_away<P: Pages>(stream: &TcpStream, peer: SocketAddr) {
    let text = format!("too many connections to {}; close some\n", P::NAME);
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    let _ = stream.try_write(answer.as_bytes());
    tracing::warn!(%peer, "too many connections to {}", P::NAME);
}

/// Serves one connection until it ends.
async fn serve<P: Pages>(stream: TcpStream, peer: SocketAddr, site: Arc<Site<P>>, seat: Seat) {
    let _seat = seat;
    // Answers are written whole; whoever waits for one should not wait for an ack as well.
    let _ = stream.set_nodelay(true);
    let stream = Patient::new(stream, READER_PATIENCE);
    let Some(keys) = site.keys.clone() else {
        return converse(stream, peer, site).await;
    };
    match keys.handshake(stream).await {
        Ok(stream) => converse(stream, peer, site).await,
        Err(error) => tracing::debug!(%peer, %error, "no TLS with a client of {}", P::NAME),
    }
}

/// Answers requests until the connection ends.
async fn converse<P, S>(stream: S, peer: SocketAddr, site: Arc<Site<P>>)
where
    P: Pages,
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
        tracing::debug!(%peer, %error, "a connection to {} ended", P::NAME);
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
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) content: Vec<u8>,
}

/// A page of HTML.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
/// Lines for people.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

impl<P: Pages> Site<P> {
    async fn respond(&self, request: &Request<Incoming>, peer: SocketAddr) -> Response<Answer> {
        let (reply, permit) = match self.refusal(request, peer) {
            Some(reply) => (reply, None),
            None => {
                // Closed never: it lives as long as the site.
                let permit = Arc::clone(&self.answers).acquire_owned().await.ok();
                let answer = self.pages.answer(request);
                let reply = match tokio::time::timeout(P::ANSWER_TIME_MAX, answer).await {
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
        reply.into_response::<P>(request.method(), close, permit)
    }

    /// Why a request gets no answer to what it asks, if so.
    fn refusal(&self, request: &Request<Incoming>, peer: SocketAddr) -> Option<Reply> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let text = format!("{} is only read: GET or HEAD", P::NAME);
            return Some(Reply::text(StatusCode::METHOD_NOT_ALLOWED, &text));
        }
        let is_open = !self.access.is_restricted() || self.pages.are_open(request.uri());
        if is_open || self.access.allows(request.headers()) {
            return None;
        }
        tracing::warn!(%peer, "{} refused: the token is missing or wrong", P::NAME);
        let text = format!(
            "this server's {} asks for a token: Authorization: Bearer TOKEN",
            P::NAME
        );
        Some(Reply::text(StatusCode::UNAUTHORIZED, &text))
    }
}

impl Reply {
    /// A line.
    pub(crate) fn text(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            content_type: TEXT,
            content: format!("{text}\n").into_bytes(),
        }
    }

    fn into_response<P: Pages>(
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
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if P::IS_FOR_ALL_ORIGINS {
            let all = HeaderValue::from_static("*");
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, all);
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
