//! `mqtt { … }`: the listener for MQTT clients.

use std::time::Duration;

use super::Findings;
use super::draft::{Draft, Placed};
use super::field::Field;
use super::known::{MQTT, MqttKey, WEBSOCKET_AUTHORIZATION};
use super::listen::{read_listen, read_port};
use super::streams::ignore;
use super::{authorization, tls};
use crate::config::fault::Fault;
use crate::config::lang::Data;
use crate::config::messages::TransportProblem;
use crate::config::mqtt::MqttOptions;
use crate::config::options::Personality;

/// Reads the block; mistakes in it are added to `findings`. `None` for one whose port is 0, or that has
/// none: as with nats-server, there is no listener then.
pub(super) fn read(
    field: &Field<'_>,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Result<Option<MqttOptions>, Fault> {
    let mut read = Block {
        options: MqttOptions::default(),
        port: None,
        named: false,
    };
    let map = field.map()?;
    super::read_block(map, MQTT, findings, |key, inner, findings| {
        set(key, inner, &mut read, draft, findings)
    });
    if !read.named && !map.is_empty() {
        let problem = TransportProblem::MqttWithoutPort;
        findings.warnings.push(field.fault(problem.into()));
    }
    Ok(read.port.map(|port| MqttOptions {
        port,
        ..read.options
    }))
}

/// What was read so far.
struct Block {
    options: MqttOptions,
    /// None: no listener.
    port: Option<u16>,
    /// A port was named, 0 perhaps.
    named: bool,
}

fn set(
    key: MqttKey,
    field: &Field<'_>,
    block: &mut Block,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let options = &mut block.options;
    let text = || field.text().map(str::to_owned);
    match key {
        MqttKey::Listen | MqttKey::Port => {
            block.named = true;
            let (host, port) = match key {
                // As `recado-server` takes ports: here 0 stands for no listener.
                MqttKey::Listen => read_listen(field, Personality::Recado)?,
                _ => (None, read_port(field, Personality::Recado)?),
            };
            options.host = host.or(options.host.take());
            block.port = (!matches!(field.value.data, Data::Integer(0))).then_some(port);
        }
        MqttKey::Host => options.host = Some(text()?),
        MqttKey::Tls => options.tls = Some(tls::read(field, findings)?),
        MqttKey::Authorization => {
            let (own, map) = (&mut options.authorization, field.map()?);
            super::read_block(
                map,
                WEBSOCKET_AUTHORIZATION,
                findings,
                |key, inner, findings| authorization::set_single(key, inner, own, findings),
            );
            if own.token.is_some() || own.user.is_some() {
                draft.mqtt_single = Some(Placed::at(field, ()));
            }
        }
        MqttKey::NoAuthUser => {
            draft.mqtt_no_auth_user = Some(Placed::at(field, text()?));
            options.no_auth_user = Some(text()?);
        }
        MqttKey::AckWait => set_time(field, &mut options.ack_wait)?,
        MqttKey::ApiTimeout => set_time(field, &mut options.js_api_timeout)?,
        MqttKey::MaxAckPending => {
            let most = u16::try_from(field.integer(0, u16::MAX.into())?).unwrap_or_default();
            if most > 0 {
                options.max_ack_pending = most;
            }
        }
        MqttKey::Domain => options.js_domain = Some(text()?),
        MqttKey::ConsumerMemoryStorage => options.consumer_memory_storage = field.boolean()?,
        MqttKey::ConsumerInactiveThreshold => {
            options.consumer_inactive_threshold = field.timeout()?;
        }
        MqttKey::RejectQos2Publish => options.reject_qos2_publish = field.boolean()?,
        MqttKey::DowngradeQos2Subscribe => options.downgrade_qos2_subscribe = field.boolean()?,
        MqttKey::ForSeveral(form) => ignore(form, field, findings)?,
    }
    Ok(())
}

/// As nats-server: 0 stands for the default.
fn set_time(field: &Field<'_>, time: &mut Duration) -> Result<(), Fault> {
    let given = field.timeout()?;
    if !given.is_zero() {
        *time = given;
    }
    Ok(())
}
