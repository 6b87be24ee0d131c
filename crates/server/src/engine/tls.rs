//! One connection's TLS without its socket: bytes of the wire in, plain bytes out, and back.
//!
//! rustls keeps no buffers here ("unbuffered"): what is read is decrypted in the thread's own buffer, and
//! what is written is encrypted into the thread's own. An idle connection holds keys and no more.

use std::sync::Arc;

use recado_auth::CertificateNames;
use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{Error, ServerConfig};

use crate::tls::names_in;

/// Bytes that may wait for the rest of a record or handshake message: more than either can have.
const INCOMPLETE_BYTES_MAX: usize = 80 * 1024;
/// Plain bytes of one record.
const RECORD_BYTES: usize = 16 * 1024;
/// What a record adds at most: head, nonce, padding byte, tag.
const RECORD_OVERHEAD: usize = 64;
/// Room for what goes before the records: an answer to a change of keys.
const BEFORE_RECORDS: usize = 256;

/// A buffer that is never cleared, only overwritten: zeroing it each time would cost as much as a copy.
#[derive(Default)]
pub(crate) struct Wire {
    bytes: Vec<u8>,
    end: usize,
}

impl Wire {
    /// Forgets what is in it.
    pub(crate) fn clear(&mut self) {
        self.end = 0;
    }

    /// What is in it.
    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// Appends bytes as they are.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Room for at least so many bytes behind what is in it; [`Wire::grow`] says how many were used.
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        let wanted = self.end + bytes;
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
        }
        &mut self.bytes[self.end..]
    }

    fn grow(&mut self, bytes: usize) {
        self.end += bytes;
    }
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The handshake needs more input.
    Handshake,
    /// Data can be sent and received.
    Open,
    /// The other side said that it sends no more.
    Closed,
}

/// One connection's TLS.
pub(crate) struct TlsSession {
    connection: UnbufferedServerConnection,
    /// The start of a record whose rest has not come yet. rustls may know how far into it it has read, so it
    /// is shown each time, whatever is asked.
    incomplete: Vec<u8>,
    /// The other side broke the rules: nothing may be asked of rustls any more, for it may speak of bytes
    /// that are gone.
    failed: bool,
}

impl TlsSession {
    pub(crate) fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self {
            connection: UnbufferedServerConnection::new(config)?,
            incomplete: Vec::new(),
            failed: false,
        })
    }

    /// Bytes of a record that is not whole yet, which belong before what is read next.
    pub(crate) fn incomplete(&self) -> &[u8] {
        &self.incomplete
    }

    /// Takes what came off the wire, [`TlsSession::incomplete`] in front of it. Plain bytes are
    /// appended to `plain`; what must be sent in return is appended to `wire`, also on an error.
    pub(crate) fn receive(
        &mut self,
        input: &mut [u8],
        plain: &mut Vec<u8>,
        wire: &mut Wire,
    ) -> Result<Stage, Error> {
        self.refuse_if_failed()?;
        let outcome = self.take_in(input, plain, wire);
        self.failed = outcome.is_err();
        outcome
    }

    fn refuse_if_failed(&self) -> Result<(), Error> {
        match self.failed {
            true => Err(Error::General("the session failed before".to_owned())),
            false => Ok(()),
        }
    }

    fn take_in(
        &mut self,
        input: &mut [u8],
        plain: &mut Vec<u8>,
        wire: &mut Wire,
    ) -> Result<Stage, Error> {
        let mut at = 0;
        let stage = loop {
            let UnbufferedStatus {
                mut discard, state, ..
            } = self.connection.process_tls_records(&mut input[at..]);
            let stage = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        plain.extend_from_slice(record.payload);
                    }
                    None
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(|room| data.encode(room), wire)?;
                    None
                }
                Ok(ConnectionState::TransmitTlsData(transmit)) => {
                    transmit.done();
                    None
                }
                Ok(ConnectionState::BlockedHandshake) => Some(Stage::Handshake),
                Ok(ConnectionState::WriteTraffic(_)) => Some(Stage::Open),
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Some(Stage::Closed),
                // Early data is not offered.
                Ok(_) => Some(Stage::Handshake),
                Err(error) => {
                    self.push_alert(&mut input[at + discard..], wire);
                    return Err(error);
                }
            };
            at += discard;
            if let Some(stage) = stage {
                break stage;
            }
        };
        let rest = &input[at..];
        if rest.len() > INCOMPLETE_BYTES_MAX {
            return Err(Error::General("a handshake message is too long".to_owned()));
        }
        if rest.is_empty() {
            self.incomplete = Vec::new();
        } else {
            self.incomplete.clear();
            self.incomplete.extend_from_slice(rest);
        }
        Ok(stage)
    }

    /// What a failed handshake has to say to the other side.
    fn push_alert(&mut self, rest: &mut [u8], wire: &mut Wire) {
        // What is queued comes before all input, and nothing of that may be looked at again.
        while self.connection.wants_write() {
            let told = match self.connection.process_tls_records(rest).state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(|room| data.encode(room), wire).is_ok()
                }
                _ => false,
            };
            if !told {
                return;
            }
        }
    }

    /// Encrypts plain bytes into `wire`.
    pub(crate) fn seal(&mut self, plain: &[u8], wire: &mut Wire) -> Result<(), Error> {
        self.when_open(wire, |traffic, wire| {
            let records = plain.len().div_ceil(RECORD_BYTES);
            let room = plain.len() + records * RECORD_OVERHEAD + BEFORE_RECORDS;
            encrypt(|room| traffic.encrypt(plain, room), room, wire)
        })
    }

    /// Says that nothing more will be sent.
    pub(crate) fn close(&mut self, wire: &mut Wire) -> Result<(), Error> {
        self.when_open(wire, |traffic, wire| {
            encrypt(
                |room| traffic.queue_close_notify(room),
                BEFORE_RECORDS,
                wire,
            )
        })
    }

    fn when_open(
        &mut self,
        wire: &mut Wire,
        mut send: impl FnMut(
            &mut rustls::unbuffered::WriteTraffic<'_, rustls::server::ServerConnectionData>,
            &mut Wire,
        ) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.refuse_if_failed()?;
        loop {
            let UnbufferedStatus { discard, state, .. } =
                self.connection.process_tls_records(&mut self.incomplete);
            let done = match state? {
                ConnectionState::WriteTraffic(mut traffic) => Some(send(&mut traffic, wire)),
                ConnectionState::EncodeTlsData(mut data) => {
                    encode(|room| data.encode(room), wire)?;
                    None
                }
                ConnectionState::TransmitTlsData(transmit) => {
                    transmit.done();
                    None
                }
                ConnectionState::PeerClosed => None,
                _ => Some(Err(Error::HandshakeNotComplete)),
            };
            self.incomplete.drain(..discard);
            if let Some(done) = done {
                return done;
            }
        }
    }

    /// What is told of the session: version and cipher suite by Go's names.
    pub(crate) fn facts(&self) -> TlsFacts {
        use rustls::ProtocolVersion;
        let version = match self.connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            Some(ProtocolVersion::TLSv1_3) => "1.3",
            _ => "",
        };
        let suite = self.connection.negotiated_cipher_suite();
        let cipher_suite = suite
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or_default()
            .replace("TLS13_", "TLS_");
        let certificates = self.connection.peer_certificates().unwrap_or_default();
        TlsFacts {
            version,
            cipher_suite,
            first: false,
            names: certificates.first().and_then(names_in).map(Arc::new),
            certificate: certificates
                .first()
                .cloned()
                .map(CertificateDer::into_owned),
        }
    }
}

/// What is known of a connection's TLS, for decisions and for monitoring.
#[derive(Debug)]
pub(crate) struct TlsFacts {
    /// `1.2` or `1.3`.
    pub(crate) version: &'static str,
    /// By its name in the standard.
    pub(crate) cipher_suite: String,
    /// The client began, before INFO.
    pub(crate) first: bool,
    /// Of the certificate that the client showed, which was found good.
    pub(crate) names: Option<Arc<CertificateNames>>,
    /// That certificate.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

fn encode(
    mut data: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
    wire: &mut Wire,
) -> Result<(), Error> {
    let mut room = RECORD_BYTES + RECORD_OVERHEAD;
    loop {
        match data(wire.room(room)) {
            Ok(count) => {
                wire.grow(count);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(size)) if size.required_size > room => {
                room = size.required_size;
            }
            Err(error) => return Err(Error::General(error.to_string())),
        }
    }
}

fn encrypt(
    mut data: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
    mut room: usize,
    wire: &mut Wire,
) -> Result<(), Error> {
    loop {
        match data(wire.room(room)) {
            Ok(count) => {
                wire.grow(count);
                return Ok(());
            }
            Err(EncryptError::InsufficientSize(size)) if size.required_size > room => {
                room = size.required_size;
            }
            Err(error) => return Err(Error::General(error.to_string())),
        }
    }
}
