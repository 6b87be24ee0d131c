//! A responder of OCSP for tests: it says of each certificate what it was told to, signed by whom it was told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use der::asn1::{BitString, OctetString};
use der::{Decode, Encode};
use parking_lot::Mutex;
use rcgen::{CustomExtension, KeyPair, SigningKey};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertStatus, OcspGeneralizedTime, OcspRequest, OcspResponse,
    OcspResponseStatus, ResponderId, ResponseBytes, ResponseData, RevokedInfo, SingleResponse,
};

/// What is said of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Good,
    Revoked,
    Unknown,
    /// It has no time to answer, in the protocol's words.
    TryLater,
    /// It speaks of another certificate.
    OfAnother,
    /// It answers with what is no OCSP.
    Nonsense,
    /// It hangs up.
    Nothing,
}

/// How answers are signed, and when they hold.
pub(crate) struct Manner {
    pub(crate) key: KeyPair,
    /// The signer's certificate, where it is not the authority itself.
    pub(crate) shown: Vec<Vec<u8>>,
    /// Since when an answer holds, and until when.
    pub(crate) since: SystemTime,
    pub(crate) until: Option<SystemTime>,
}

impl Manner {
    /// Good for an hour, signed with this key.
    pub(crate) fn of(key: KeyPair) -> Self {
        let now = SystemTime::now();
        Self {
            key,
            shown: Vec::new(),
            since: now - Duration::from_secs(60),
            until: Some(now + Duration::from_secs(3600)),
        }
    }
}

/// It listens until the test ends.
pub(crate) struct Responder {
    pub(crate) url: String,
    state: Arc<State>,
}

struct State {
    says: Mutex<HashMap<Vec<u8>, Says>>,
    manner: Mutex<Manner>,
    asked: AtomicUsize,
    heard: AtomicUsize,
    only_get: Mutex<bool>,
    gate: Mutex<()>,
}

impl Responder {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            says: Mutex::default(),
            manner: Mutex::new(manner),
            asked: AtomicUsize::new(0),
            heard: AtomicUsize::new(0),
            only_get: Mutex::new(false),
            gate: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                // Whoever asks sees when its question was not heard.
                let _ = client.and_then(|client| serving.serve(client));
            }
        });
        Self { url, state }
    }

    /// What to say of the certificate with this serial number from now on.
    pub(crate) fn set(&self, serial: &[u8], says: Says) {
        self.state.says.lock().insert(serial.to_vec(), says);
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut self.state.manner.lock());
    }

    /// POST is not taken from now on.
    pub(crate) fn take_only_get(&self) {
        *self.state.only_get.lock() = true;
    }

    /// Nothing is answered until this is dropped.
    pub(crate) fn hold(&self) -> parking_lot::MutexGuard<'_, ()> {
        self.state.gate.lock()
    }

    /// Questions that came, answered or not.
    pub(crate) fn heard(&self) -> usize {
        self.state.heard.load(Ordering::SeqCst)
    }

    /// Questions that were answered.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }
}

/// What a certificate has in it whose status is known there.
pub(crate) fn extension(url: &str) -> CustomExtension {
    let place = element(0x86, url.as_bytes());
    let method = element(0x06, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1]);
    let access = element(0x30, &[method, place].concat());
    let content = element(0x30, &access);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

/// What a certificate has in it that asks for a staple.
pub(crate) fn must_staple() -> CustomExtension {
    let features = vec![0x30, 3, 2, 1, 5];
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], features)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128);
    [&[tag, length], content].concat()
}

impl State {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = first.split(' ').nth(1).unwrap_or_default();
        let is_get = first.starts_with("GET ");
        if !is_get && *self.only_get.lock() {
            return write!(&stream, "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n");
        }
        let question = match is_get {
            true => from_path(path.trim_start_matches('/')),
            false => body,
        };
        self.heard.fetch_add(1, Ordering::SeqCst);
        drop(self.gate.lock());
        let answer = self.answer(&question);
        self.asked.fetch_add(1, Ordering::SeqCst);
        if answer.is_empty() {
            return Ok(());
        }
        write!(
            &stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        )?;
        (&stream).write_all(&answer)
    }

    fn answer(&self, question: &[u8]) -> Vec<u8> {
        let question = OcspRequest::from_der(question).unwrap();
        let mut id = question.tbs_request.request_list[0].req_cert.clone();
        let serial = id.serial_number.as_bytes();
        let says = self.says.lock().get(serial).copied();
        let manner = self.manner.lock();
        let moment = |time| {
            OcspGeneralizedTime(
                der::asn1::GeneralizedTime::from_unix_duration(
                    SystemTime::duration_since(&time, SystemTime::UNIX_EPOCH).unwrap(),
                )
                .unwrap(),
            )
        };
        let status = match says.unwrap_or(Says::Unknown) {
            Says::Good => CertStatus::good(),
            Says::OfAnother => {
                id.serial_number = x509_cert::serial_number::SerialNumber::new(&[7]).unwrap();
                CertStatus::good()
            }
            Says::Revoked => CertStatus::revoked(RevokedInfo {
                revocation_time: moment(manner.since),
                revocation_reason: None,
            }),
            Says::Unknown => CertStatus::unknown(),
            Says::TryLater => return OcspResponse::try_later().to_der().unwrap(),
            Says::Nonsense => return b"<html>".to_vec(),
            Says::Nothing => return Vec::new(),
        };
        let data = ResponseData {
            version: x509_ocsp::Version::V1,
            responder_id: ResponderId::ByKey(OctetString::new(vec![0; 20]).unwrap()),
            produced_at: moment(manner.since),
            responses: vec![SingleResponse {
                cert_id: id,
                cert_status: status,
                this_update: moment(manner.since),
                next_update: manner.until.map(moment),
                single_extensions: None,
            }],
            response_extensions: None,
        };
        let signature = manner.key.sign(&data.to_der().unwrap()).unwrap();
        let shown = manner.shown.iter();
        let shown: Vec<_> = shown
            .map(|one| x509_cert::Certificate::from_der(one).unwrap())
            .collect();
        let basic = BasicOcspResponse {
            tbs_response_data: data,
            // ECDSA with SHA-256.
            signature_algorithm: AlgorithmIdentifierOwned {
                oid: "1.2.840.10045.4.3.2".parse().unwrap(),
                parameters: None,
            },
            signature: BitString::from_bytes(&signature).unwrap(),
            certs: (!shown.is_empty()).then_some(shown),
        };
        let whole = OcspResponse {
            response_status: OcspResponseStatus::Successful,
            response_bytes: Some(ResponseBytes {
                response_type: "1.3.6.1.5.5.7.48.1.1".parse().unwrap(),
                response: OctetString::new(basic.to_der().unwrap()).unwrap(),
            }),
        };
        whole.to_der().unwrap()
    }
}

/// A question that is a part of the path.
fn from_path(path: &str) -> Vec<u8> {
    use base64::Engine as _;
    let form = form_urlencoded::parse(path.as_bytes()).next().unwrap();
    base64::prelude::BASE64_STANDARD
        .decode(form.0.as_bytes())
        .unwrap()
}
