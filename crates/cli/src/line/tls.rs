//! TLS over a connection, and what its failures mean.

use std::sync::Arc;
use std::time::Duration;

use async_nats::rustls::pki_types::ServerName;
use async_nats::rustls::{CertificateError, Error};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::failure::Failure;
use crate::text::failures as text;
use crate::trust::Trust;

/// Secures the connection and checks that the certificate is for `host`.
pub(super) async fn handshake(
    socket: TcpStream,
    trust: &Trust,
    host: &str,
    address: &str,
    limit: Duration,
) -> Result<TlsStream<TcpStream>, Failure> {
    let failed = |detail: String| Failure::Tls {
        address: address.to_owned(),
        detail,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
    let config = trust.config()?;
    let connector = TlsConnector::from(Arc::new(config));
    match tokio::time::timeout(limit, connector.connect(name, socket)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(explain(&error, host))),
        Err(_) => Err(Failure::NoAnswer {
            address: address.to_owned(),
            limit,
        }),
    }
}

/// The usual causes in plain words; the library's own words for the rest.
fn explain(error: &std::io::Error, host: &str) -> String {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(reason)) => match reason {
            CertificateError::UnknownIssuer => text::tls_unknown_issuer().to_owned(),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                text::tls_wrong_name(host)
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                text::tls_expired().to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                text::tls_not_yet().to_owned()
            }
            other => other.to_string(),
        },
        Some(Error::InvalidMessage(_)) => text::tls_not_spoken().to_owned(),
        _ => error.to_string(),
    }
}
