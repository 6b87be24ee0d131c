//! CONNECT: who a client is, how its session goes, and what is said for it when it is lost.

use std::fmt;
use std::time::Duration;

use crate::Qos;
use crate::cursor::Cursor;
use crate::fault::{Fault, ReturnCode};

/// The name of the protocol, and of its version before.
const NAME: &[u8] = b"MQTT";
const OLD_NAME: &[u8] = b"MQIsdp";
/// MQTT 3.1.1.
const LEVEL: u8 = 4;

/// Flags of CONNECT.
const RESERVED: u8 = 0x01;
const CLEAN_SESSION: u8 = 0x02;
const WILL: u8 = 0x04;
const WILL_QOS: u8 = 0x18;
const WILL_RETAIN: u8 = 0x20;
const PASSWORD: u8 = 0x40;
const USER: u8 = 0x80;

/// What a client says of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Connect {
    /// Empty: the server makes one up.
    pub client_id: String,
    /// Nothing is kept from before, nor for later.
    pub clean_session: bool,
    /// The client promises to say something at least so often; zero: it does not.
    pub keep_alive: Duration,
    /// Published when the client is lost.
    pub will: Option<Will>,
    /// User name.
    pub user: Option<String>,
    /// Password: any bytes.
    pub password: Option<Vec<u8>>,
}

/// What is published when a client is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// How surely.
    pub qos: Qos,
    /// Whether it is kept for those who subscribe later.
    pub retain: bool,
}

/// The password never reaches a log through `{:?}`.
impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "[redacted]");
        f.debug_struct("Connect")
            .field("client_id", &self.client_id)
            .field("clean_session", &self.clean_session)
            .field("keep_alive", &self.keep_alive)
            .field("user", &self.user)
            .field("password", &password)
            .finish_non_exhaustive()
    }
}

impl Connect {
    /// From the bytes behind the fixed header.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        check_protocol(&mut cursor)?;
        let flags = cursor.byte("connect flags")?;
        check_flags(flags)?;
        let keep_alive = Duration::from_secs(cursor.number("keep alive")?.into());
        let clean_session = flags & CLEAN_SESSION != 0;
        let client_id = client_id(&mut cursor, clean_session)?;
        let will = match flags & WILL {
            0 => None,
            _ => Some(will(&mut cursor, flags)?),
        };
        let user = match flags & USER {
            0 => None,
            _ => Some(user(&mut cursor)?),
        };
        let password = match flags & PASSWORD {
            0 => None,
            _ => Some(cursor.bytes("password")?.to_vec()),
        };
        match cursor.is_empty() {
            true => Ok(Self {
                client_id,
                clean_session,
                keep_alive,
                will,
                user,
                password,
            }),
            false => Err(Fault::new("CONNECT goes on behind its last field")),
        }
    }
}

fn check_protocol(cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    let name = cursor.bytes("protocol name")?;
    if name == OLD_NAME {
        let why = "MQTT 3.1 (MQIsdp) is not spoken: have the client use MQTT 3.1.1";
        return Err(Fault::new(why));
    }
    if name != NAME {
        let name = name.escape_ascii().to_string();
        return Err(Fault::new(format!(
            "the protocol's name is \"{}\", not \"MQTT\"",
            shortened(&name)
        )));
    }
    match cursor.byte("protocol level")? {
        LEVEL => Ok(()),
        level => Err(Fault::told(
            ReturnCode::UnacceptableVersion,
            format!(
                "protocol level {level} is not spoken: have the client use MQTT 3.1.1 (level 4)"
            ),
        )),
    }
}

/// Text of a client for the log: not a long one.
fn shortened(text: &str) -> &str {
    text.get(..64).unwrap_or(text)
}

fn check_flags(flags: u8) -> Result<(), Fault> {
    let wrong = if flags & RESERVED != 0 {
        "the reserved connect flag is set"
    } else if flags & WILL == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0 {
        "there is no will, but its flags are set"
    } else if flags & WILL_QOS == WILL_QOS {
        "the will's QoS is 3"
    } else if flags & USER == 0 && flags & PASSWORD != 0 {
        "there is a password without a user name"
    } else {
        return Ok(());
    };
    Err(Fault::new(wrong))
}

fn client_id(cursor: &mut Cursor<'_>, clean_session: bool) -> Result<String, Fault> {
    let rejected = |fault: Fault| Fault::told(ReturnCode::IdentifierRejected, fault.why);
    let bytes = cursor.bytes("client identifier")?;
    let id = std::str::from_utf8(bytes)
        .map_err(|_| rejected(Fault::new("the client identifier is not UTF-8")))?;
    if id.is_empty() && !clean_session {
        let why = "a client without an identifier must ask for a clean session";
        return Err(rejected(Fault::new(why)));
    }
    // It is a token of subjects under which its messages are stored.
    let unfit = |letter: char| letter.is_control() || " .*>".contains(letter);
    match id.contains(unfit) {
        true => Err(rejected(Fault::new(
            "the client identifier holds a space, a control character, or one of . * >",
        ))),
        false => Ok(id.to_owned()),
    }
}

fn will(cursor: &mut Cursor<'_>, flags: u8) -> Result<Will, Fault> {
    let topic = cursor.text("will topic")?.to_owned();
    if topic.is_empty() {
        return Err(Fault::new("the will topic is empty"));
    }
    let qos = Qos::from_number((flags & WILL_QOS) >> 3);
    Ok(Will {
        topic,
        payload: cursor.bytes("will message")?.to_vec(),
        qos: qos.ok_or_else(|| Fault::new("the will's QoS is 3"))?,
        retain: flags & WILL_RETAIN != 0,
    })
}

fn user(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    let bad = |why: &'static str| Fault::told(ReturnCode::BadUserOrPassword, why);
    let bytes = cursor.bytes("user name")?;
    match std::str::from_utf8(bytes) {
        Ok("") => Err(bad("the user name is empty")),
        Ok(user) if !user.contains('\0') => Ok(user.to_owned()),
        _ => Err(bad("the user name is not UTF-8, or holds a NUL")),
    }
}
