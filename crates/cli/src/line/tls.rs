//! TLS over a connection, trusting what this machine trusts (or what `SSL_CERT_FILE` names).

use std::sync::Arc;
use std::time::Duration;

use async_nats::rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::failure::Failure;

/// Secures the connection and checks that the certificate is for `host`.
pub(super) async fn handshake(
    socket: TcpStream,
    host: &str,
    address: &str,
    limit: Duration,
) -> Result<TlsStream<TcpStream>, Failure> {
    let failed = |detail: String| Failure::Tls {
        address: address.to_owned(),
        detail,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    // A certificate of the system's that can't be read only narrows the trust.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    match tokio::time::timeout(limit, connector.connect(name, socket)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(Failure::NoAnswer {
            address: address.to_owned(),
            limit,
        }),
    }
}
