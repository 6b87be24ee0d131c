//! One request over HTTP/1.1, with or without TLS: for whoever has something to ask of another server. It waits without a
//! thread; how long is up to who asks, and how many bytes of the answer are taken, too.

use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// Bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("that is no place to ask")]
    Place,
    #[error("no connection: {0}")]
    Connection(#[from] io::Error),
    #[error("the answer breaks off or is no HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
}

/// Sends a request to where `uri` says. Whatever drives the connection is put into `driver`, and ends with it.
///
/// # Errors
/// When that is no place, or nobody there speaks HTTP (over TLS, where it is `https`).
pub(crate) async fn send(
    uri: &Uri,
    request: Request<Full<Bytes>>,
    tls: Option<&Arc<ClientConfig>>,
    driver: &mut JoinSet<()>,
) -> Result<Response<Incoming>, NoAnswer> {
    let host = uri.host().ok_or(NoAnswer::Place)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let secured = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secured { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let mut http = hyper::client::conn::http1::Builder::new();
    http.max_buf_size(HEAD_BYTES_MAX);
    let mut sender = if secured {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| NoAnswer::Place)?;
        let config = tls.ok_or(NoAnswer::Place)?;
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name, stream).await?;
        let (sender, connection) = http.handshake(TokioIo::new(stream)).await?;
        driver.spawn(async { drop(connection.await) });
        sender
    } else {
        let (sender, connection) = http.handshake(TokioIo::new(stream)).await?;
        driver.spawn(async { drop(connection.await) });
        sender
    };
    Ok(sender.send_request(request).await?)
}

/// All of an answer's body.
///
/// # Errors
/// When it has more than `bytes_max`, or breaks off.
pub(crate) async fn body_of(
    answer: Response<Incoming>,
    bytes_max: usize,
) -> Result<Vec<u8>, NoAnswer> {
    let body = Limited::new(answer.into_body(), bytes_max);
    let body = body.collect().await.map_err(|error| {
        match error.downcast::<hyper::Error>() {
            Ok(error) => NoAnswer::Http(*error),
            // The other way to fail is the bound.
            Err(_) => NoAnswer::TooLarge(bytes_max),
        }
    })?;
    Ok(body.to_bytes().into())
}
