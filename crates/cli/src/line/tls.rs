//! TLS over a connection, and what its failures mean.

use std::sync::Arc;
use std::time::Duration;

use async_nats::rustls::pki_types::ServerName;
use async_nats::rustls::{AlertDescription, CertificateError, Error};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::failure::{Failure, Insecure};
use crate::trust::Trust;

/// Secures the connection and checks that the certificate is for `host`.
pub(super) async fn handshake(
    socket: TcpStream,
    trust: &Trust,
    host: &str,
    address: &str,
    limit: Duration,
) -> Result<TlsStream<TcpStream>, Failure> {
    let failed = |trouble: Insecure| Failure::Tls {
        address: address.to_owned(),
        trouble,
    };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| failed(Insecure::Other(error.to_string())))?;
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

/// The usual causes by their kind; the library's own words for the rest.
fn explain(error: &std::io::Error, host: &str) -> Insecure {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(reason)) => match reason {
            CertificateError::UnknownIssuer => Insecure::UnknownIssuer,
            CertificateError::NotValidForName => wrong_name(host, &[]),
            CertificateError::NotValidForNameContext { presented, .. } => {
                wrong_name(host, presented)
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Insecure::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Insecure::NotYet
            }
            other => Insecure::Other(other.to_string()),
        },
        Some(Error::InvalidMessage(_)) => Insecure::NotSpoken,
        _ => refusal_of_ours(error).unwrap_or_else(|| Insecure::Other(error.to_string())),
    }
}

/// The names as they stand in the certificate, `DnsName("example.org")` and the like.
fn wrong_name(host: &str, presented: &[String]) -> Insecure {
    let name = |shown: &String| match shown.split('"').nth(1) {
        Some(inner) => inner.to_owned(),
        None => shown.clone(),
    };
    Insecure::WrongName {
        host: host.to_owned(),
        names: presented.iter().map(name).collect(),
    }
}

/// The server's alert about the certificate that we showed, or did not.
pub(super) fn refusal_of_ours(error: &std::io::Error) -> Option<Insecure> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(alert) if is_about_ours(*alert) => {
            Some(Insecure::OursRefused(format!("{alert:?}")))
        }
        _ => None,
    }
}

fn is_about_ours(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}
