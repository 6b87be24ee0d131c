//! `websocket { … }`: the listener for WebSocket clients.

use super::Findings;
use super::draft::{Draft, Placed};
use super::field::Field;
use super::known::{WEBSOCKET, WEBSOCKET_AUTHORIZATION, WebsocketKey};
use super::listen::{read_listen, read_port};
use super::{authorization, tls};
use crate::config::fault::Fault;
use crate::config::lang::Data;
use crate::config::messages::{Kind, TransportProblem};
use crate::config::options::Personality;
use crate::config::websocket::WebsocketOptions;

/// Reads the block; mistakes in it are added to `findings`. `None` for one whose port is 0, or that has
/// none: as with nats-server, there is no listener then.
pub(super) fn read(
    field: &Field<'_>,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Result<Option<WebsocketOptions>, Fault> {
    let mut read = Block {
        options: WebsocketOptions::default(),
        port: None,
        named: false,
    };
    let map = field.map()?;
    super::read_block(map, WEBSOCKET, findings, |key, inner, findings| {
        set(key, inner, &mut read, draft, findings)
    });
    if !read.named && !map.is_empty() {
        let problem = TransportProblem::WebsocketWithoutPort;
        findings.warnings.push(field.fault(problem.into()));
    }
    Ok(read.port.map(|port| WebsocketOptions {
        port,
        ..read.options
    }))
}

/// What was read so far.
struct Block {
    options: WebsocketOptions,
    /// None: no listener.
    port: Option<u16>,
    /// A port was named, 0 perhaps.
    named: bool,
}

fn set(
    key: WebsocketKey,
    field: &Field<'_>,
    block: &mut Block,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let options = &mut block.options;
    let text = || field.text().map(str::to_owned);
    match key {
        WebsocketKey::Listen | WebsocketKey::Port => {
            block.named = true;
            let (host, port) = match key {
                // As `recado-server` takes ports: here 0 stands for no listener.
                WebsocketKey::Listen => read_listen(field, Personality::Recado)?,
                _ => (None, read_port(field, Personality::Recado)?),
            };
            options.host = host.or(options.host.take());
            block.port = (!matches!(field.value.data, Data::Integer(0))).then_some(port);
        }
        WebsocketKey::Host => options.host = Some(text()?),
        WebsocketKey::Advertise => options.advertise = Some(text()?),
        WebsocketKey::NoTls => options.no_tls = field.boolean()?,
        WebsocketKey::Tls => options.tls = Some(tls::read(field, findings)?),
        WebsocketKey::Compression => options.compression = field.boolean()?,
        WebsocketKey::SameOrigin => options.same_origin = field.boolean()?,
        WebsocketKey::AllowedOrigins => options.allowed_origins = texts(field)?,
        WebsocketKey::JwtCookie => options.jwt_cookie = Some(text()?),
        WebsocketKey::UserCookie => options.user_cookie = Some(text()?),
        WebsocketKey::PassCookie => options.pass_cookie = Some(text()?),
        WebsocketKey::TokenCookie => options.token_cookie = Some(text()?),
        WebsocketKey::Headers => options.headers = headers(field)?,
        WebsocketKey::HandshakeTimeout => {
            let timeout = field.timeout()?;
            // As nats-server: 0 stands for the default.
            if !timeout.is_zero() {
                options.handshake_timeout = timeout;
            }
        }
        WebsocketKey::NoAuthUser => {
            draft.websocket_no_auth_user = Some(Placed::at(field, text()?));
            options.no_auth_user = Some(text()?);
        }
        WebsocketKey::Authorization => {
            let (own, map) = (&mut options.authorization, field.map()?);
            super::read_block(
                map,
                WEBSOCKET_AUTHORIZATION,
                findings,
                |key, inner, findings| authorization::set_single(key, inner, own, findings),
            );
            if own.token.is_some() || own.user.is_some() {
                draft.websocket_single = Some(Placed::at(field, ()));
            }
        }
        WebsocketKey::PingInterval => {
            let interval = field.timeout()?;
            options.ping_interval = Some(interval).filter(|interval| !interval.is_zero());
        }
    }
    Ok(())
}

/// One text or a list of them.
pub(super) fn texts(field: &Field<'_>) -> Result<Vec<String>, Fault> {
    match &field.value.data {
        Data::Array(array) => array
            .values()
            .iter()
            .map(|value| field.with(value).text().map(str::to_owned))
            .collect(),
        Data::String(_) => Ok(vec![field.text()?.to_owned()]),
        _ => Err(field.wrong_kind(Kind::List)),
    }
}

/// Headers of the answer: one line each, or the answer would say something else.
fn headers(field: &Field<'_>) -> Result<Vec<(String, String)>, Fault> {
    field
        .map()?
        .entries()
        .iter()
        .map(|entry| {
            let inner = Field::of(entry);
            let value = inner.text()?;
            let name_fits = !entry.key.is_empty()
                && entry
                    .key
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            let value_fits = !value.contains(|letter: char| letter.is_control());
            match name_fits && value_fits {
                true => Ok((entry.key.to_string(), value.to_owned())),
                false => {
                    let problem = TransportProblem::NotHeader(entry.key.to_string());
                    Err(inner.fault(problem.into()))
                }
            }
        })
        .collect()
}
