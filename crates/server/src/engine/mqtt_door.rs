//! What a client passes that speaks MQTT, once TLS or the upgrade is done: it says CONNECT, in time and in bounds. Then what
//! translates for it takes the connection over, and the engine gets another one from there.

use std::sync::Arc;
use std::time::Duration;

use recado_mqtt::{Connect, Fault, Packet, Parsed, parse, push_connack};
use tokio::time::timeout;

use super::door::Way;
use super::ending::CloseReason;
use super::opening::Refused;
use super::reader::Reader;
use crate::mqtt::{self, Outside};

/// A CONNECT may have so many bytes: client identifier, will, user and password.
const CONNECT_BYTES_MAX: usize = 5 * (u16::MAX as usize + 2) + 16;
/// A last CONNACK is given so long to reach the client.
const LINGER_MAX: Duration = Duration::from_millis(500);

/// Why nothing came of it.
enum NoConnect {
    Gone,
    Fault(Fault),
}

impl Reader {
    /// Hears CONNECT, and hands the connection over.
    pub(super) async fn hear_mqtt(mut self: Box<Self>, early: Vec<u8>) {
        self.connection.set_awaits_mqtt();
        let time = self.engine.manner().session_for(Way::Mqtt).auth_timeout;
        let mut input = early;
        let reason = match timeout(time, self.read_connect(&mut input)).await {
            Ok(Ok(connect)) => return self.hand_over(*connect, input),
            Ok(Err(NoConnect::Gone)) => CloseReason::ClientClosed,
            Ok(Err(NoConnect::Fault(fault))) => self.refuse_mqtt(&fault, &input).await,
            Err(_) => {
                let (cid, peer) = (self.connection.id, self.connection.peer_text());
                let timeout_ms = time.as_millis() as u64;
                tracing::error!(cid, %peer, timeout_ms, "MQTT client timed out: it did not say CONNECT in time (the timeout of mqtt's authorization)");
                CloseReason::AuthenticationTimeout
            }
        };
        self.clean_up(reason).await;
    }

    /// What is behind it stays in `input`.
    async fn read_connect(&mut self, input: &mut Vec<u8>) -> Result<Box<Connect>, NoConnect> {
        loop {
            match parse(input, CONNECT_BYTES_MAX).map_err(NoConnect::Fault)? {
                Parsed::Packet(Packet::Connect(connect), length) => {
                    input.drain(..length);
                    return Ok(connect);
                }
                Parsed::Packet(..) => return Err(NoConnect::Fault(not_connect())),
                Parsed::Incomplete(_) => match self.read_some(input).await {
                    Ok(()) => {}
                    Err(Refused::Gone | Refused::Told(..)) => return Err(NoConnect::Gone),
                },
            }
        }
    }

    async fn refuse_mqtt(&self, fault: &Fault, input: &[u8]) -> CloseReason {
        let (cid, peer) = (self.connection.id, self.connection.peer_text());
        match input.starts_with(b"GET ") {
            true => {
                tracing::error!(cid, %peer, "MQTT protocol error: the client asks for WebSocket, which has a port of its own (the path ends with /mqtt there)");
            }
            false => tracing::error!(cid, %peer, "MQTT protocol error: {fault}"),
        }
        if let Some(code) = fault.told {
            let mut answer = Vec::new();
            push_connack(&mut answer, false, code);
            self.connection.deliver_bytes(&answer);
            let written = self
                .connection
                .finish_writing(CloseReason::ProtocolViolation);
            // Who does not read it in time is closed all the same.
            let _ = timeout(LINGER_MAX, written).await;
        }
        CloseReason::ProtocolViolation
    }

    /// The engine forgets this connection, and will know the client by another one.
    fn hand_over(mut self: Box<Self>, connect: Connect, rest: Vec<u8>) {
        self.cleaned_up = true;
        self.engine.connections.withdraw(&self.connection);
        let outside = Outside {
            connection: Arc::clone(&self.connection),
            read: self.read.clone(),
            input: rest,
        };
        mqtt::start(&self.engine, outside, connect);
    }
}

fn not_connect() -> Fault {
    Fault {
        told: None,
        why: "the first packet is not CONNECT".into(),
    }
}
