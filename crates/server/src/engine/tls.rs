//! One connection's TLS without its socket: bytes of the wire in, plain bytes out, and back.
//!
//! rustls keeps no buffers here ("unbuffered"): what is read is decrypted in the thread's own buffer, and
//! what is written is encrypted into the thread's own. An idle connection holds keys and no more.

use std::sync::Arc;

use recado_auth::CertificateNames;
use rustls::pki_types::CertificateDer;
use rustls::server::{ParsedCertificate, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{Error, ServerConfig};
use sha2::{Digest, Sha256};

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
        let certificates = self.certificates();
        TlsFacts {
            version,
            cipher_suite,
            first: false,
            names: certificates.first().and_then(names_in).map(Arc::new),
            digests: certificates.first().and_then(Digests::of),
        }
    }

    /// What the client showed: its certificate and those that lead to a known authority. Mostly nothing.
    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        self.connection.peer_certificates().unwrap_or_default()
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
    /// Digests of that certificate.
    pub(crate) digests: Option<Digests>,
}

/// By which a certificate is known where there is no room for it: SHA-256, in hexadecimal digits.
#[derive(Debug)]
pub(crate) struct Digests {
    /// Of its public key (SPKI), as `pinned_certs` has it.
    pub(crate) key: String,
    /// Of all of it.
    pub(crate) certificate: String,
}

impl Digests {
    fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let parsed = ParsedCertificate::try_from(certificate).ok()?;
        Some(Self {
            key: hexadecimal(&parsed.subject_public_key_info()),
            certificate: hexadecimal(certificate),
        })
    }
}

fn hexadecimal(hashed: &[u8]) -> String {
    hexadecimal_of(&Sha256::digest(hashed))
}

/// A digest as text.
pub(crate) fn hexadecimal_of(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::server::WebPkiClientVerifier;
    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    use super::*;

    /// A server's session and the client that it is for, which shows the same certificate if it is asked for one.
    fn pair(asks: bool) -> (TlsSession, ClientConnection, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let key = PrivateKeyDer::Pkcs8(key);
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let roots = Arc::new(roots);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let server = match asks {
            true => {
                let asked = WebPkiClientVerifier::builder_with_provider(
                    Arc::clone(&roots),
                    Arc::clone(&provider),
                );
                server.with_client_cert_verifier(asked.build().unwrap())
            }
            false => server.with_no_client_auth(),
        };
        let server = server
            .with_single_cert(vec![certificate.clone()], key.clone_key())
            .unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate.clone()], key)
            .unwrap();
        let name = "localhost".try_into().unwrap();
        (
            TlsSession::new(Arc::new(server)).unwrap(),
            ClientConnection::new(Arc::new(client), name).unwrap(),
            certificate,
        )
    }

    /// What came off the wire in pieces of this size.
    fn receive(
        session: &mut TlsSession,
        wire: &[u8],
        size: usize,
        plain: &mut Vec<u8>,
    ) -> (Result<Stage, Error>, Vec<u8>) {
        let mut answer = Wire::default();
        let mut stage = Ok(Stage::Handshake);
        for piece in wire.chunks(size) {
            let mut input = [session.incomplete(), piece].concat();
            stage = session.receive(&mut input, plain, &mut answer);
            // Somebody delivers meanwhile, whatever is still missing of a record.
            if stage == Ok(Stage::Open) {
                session.seal(b"x", &mut answer).unwrap();
            }
        }
        (stage, answer.filled().to_vec())
    }

    fn said(client: &mut ClientConnection) -> Vec<u8> {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        wire
    }

    fn hear(client: &mut ClientConnection, mut wire: &[u8]) -> Vec<u8> {
        let mut heard = Vec::new();
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets().unwrap();
            let mut plain = [0; 100_000];
            while let Ok(count @ 1..) = client.reader().read(&mut plain) {
                heard.extend_from_slice(&plain[..count]);
            }
        }
        heard
    }

    fn shake_hands(size: usize) -> (TlsSession, ClientConnection) {
        let (mut session, mut client, _) = pair(false);
        finish_handshake(&mut session, &mut client, size);
        (session, client)
    }

    fn finish_handshake(session: &mut TlsSession, client: &mut ClientConnection, size: usize) {
        let mut plain = Vec::new();
        while client.is_handshaking() || client.wants_write() {
            let wire = said(client);
            let (stage, answer) = receive(session, &wire, size, &mut plain);
            stage.unwrap();
            hear(client, &answer);
        }
        assert!(plain.is_empty());
    }

    #[test]
    fn what_a_client_showed_can_be_asked_for_as_long_as_the_session_lasts() {
        for asks in [true, false] {
            let (mut session, mut client, certificate) = pair(asks);
            finish_handshake(&mut session, &mut client, usize::MAX);
            let shown = match asks {
                true => std::slice::from_ref(&certificate),
                false => &[],
            };
            assert_eq!(session.certificates(), shown);
            assert_eq!(session.facts().digests.is_some(), asks);
        }
    }

    #[test]
    fn records_are_understood_however_they_are_cut() {
        for size in [1, 7, 1000, usize::MAX] {
            let (mut session, mut client) = shake_hands(size);
            let message = vec![b'm'; 40_000];
            client.writer().write_all(&message).unwrap();
            let wire = said(&mut client);
            let mut plain = Vec::new();
            let (stage, answer) = receive(&mut session, &wire, size, &mut plain);
            assert_eq!(stage, Ok(Stage::Open));
            assert!(plain == message);
            let heard = hear(&mut client, &answer);
            assert!(heard.iter().all(|byte| *byte == b'x'));
        }
    }

    #[test]
    fn what_is_sealed_comes_out_at_the_other_side_and_a_change_of_keys_does_not_matter() {
        let (mut session, mut client) = shake_hands(usize::MAX);
        client.refresh_traffic_keys().unwrap();
        let wire = said(&mut client);
        let (stage, answer) = receive(&mut session, &wire, 3, &mut Vec::new());
        assert_eq!(stage, Ok(Stage::Open));
        hear(&mut client, &answer);
        let message = vec![b's'; 100_000];
        let mut sealed = Wire::default();
        session.seal(&message, &mut sealed).unwrap();
        assert!(hear(&mut client, sealed.filled()) == message);
        let mut last = Wire::default();
        session.close(&mut last).unwrap();
        client.read_tls(&mut last.filled()).unwrap();
        assert!(client.process_new_packets().unwrap().peer_has_closed());
    }

    #[test]
    fn a_broken_record_is_told_and_nothing_is_asked_of_the_session_afterwards() {
        let (mut session, mut client) = shake_hands(usize::MAX);
        client.writer().write_all(b"hello").unwrap();
        let mut wire = said(&mut client);
        *wire.last_mut().unwrap() ^= 1;
        let mut plain = Vec::new();
        let (stage, answer) = receive(&mut session, &wire, usize::MAX, &mut plain);
        assert_eq!(stage, Err(Error::DecryptError));
        assert!(plain.is_empty());
        client.read_tls(&mut &answer[..]).unwrap();
        let told = client.process_new_packets().unwrap_err();
        assert!(matches!(told, Error::AlertReceived(_)), "{told}");
        assert!(session.seal(b"x", &mut Wire::default()).is_err());
        assert!(session.close(&mut Wire::default()).is_err());
    }
}
