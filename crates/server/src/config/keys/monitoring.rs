//! Monitoring over HTTP: where it listens, and who may look.

use super::authorization::token_in_file;
use super::field::Field;
use super::known::MonitoringKey;
use super::listen::{read_listen, read_port};
use crate::config::fault::Fault;
use crate::config::lang::Data;
use crate::config::messages::KeyProblem;
use crate::config::monitoring::{MonitoringOptions, base_path};
use crate::config::options::Personality;
use crate::config::surroundings::Surroundings;

/// Sets one key.
pub(super) fn set(
    key: MonitoringKey,
    field: &Field<'_>,
    options: &mut MonitoringOptions,
    surroundings: &dyn Surroundings,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    match key {
        MonitoringKey::Http => options.port = listen(field, &mut options.host)?,
        MonitoringKey::Https => options.https_port = listen(field, &mut options.host)?,
        MonitoringKey::HttpPort => options.port = port(field)?,
        MonitoringKey::HttpsPort => options.https_port = port(field)?,
        MonitoringKey::ProfilePort => options.profile_port = port(field)?,
        MonitoringKey::HttpBasePath => {
            let text = field.text()?;
            options.base_path = base_path(text)
                .ok_or_else(|| field.fault(KeyProblem::BadBasePath(text.to_owned())))?;
        }
        MonitoringKey::Token => set_token(field, options, field.text()?.to_owned())?,
        MonitoringKey::TokenFile => {
            let (path, token) = token_in_file(field, surroundings, warnings)?;
            options.token_file = Some(path);
            set_token(field, options, token)?;
        }
        MonitoringKey::MaxClosedClients => {
            // As nats-server: 0 stands for the default.
            let standard = MonitoringOptions::default().max_closed_clients;
            options.max_closed_clients = field.count(i64::from(i32::MAX))?.unwrap_or(standard);
        }
    }
    Ok(())
}

/// A port, or host and port. Ports are as `recado-server` has them: -1 is a free one. A port of 0 alone says that
/// there is no monitoring.
fn listen(field: &Field<'_>, host: &mut Option<String>) -> Result<Option<u16>, Fault> {
    if is_zero(field) {
        return Ok(None);
    }
    let (named, port) = read_listen(field, Personality::Recado)?;
    *host = named.or(host.take());
    Ok(Some(port))
}

fn port(field: &Field<'_>) -> Result<Option<u16>, Fault> {
    let port = read_port(field, Personality::Recado)?;
    Ok(Some(port).filter(|_| !is_zero(field)))
}

fn is_zero(field: &Field<'_>) -> bool {
    matches!(field.value.data, Data::Integer(0))
}

fn set_token(
    field: &Field<'_>,
    options: &mut MonitoringOptions,
    token: String,
) -> Result<(), Fault> {
    if token.is_empty() {
        return Err(field.fault(KeyProblem::Empty(field.key.to_owned())));
    }
    match options.token.replace(token) {
        Some(_) => Err(field.fault(KeyProblem::MonitorTokenTwice)),
        None => Ok(()),
    }
}
