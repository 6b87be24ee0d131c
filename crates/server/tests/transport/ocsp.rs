//! Certificates that were revoked, the server's own and its clients', as their responder says.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, SerialNumber};
use recado_server::config::{
    ClientCertificates, Machine, OcspCacheKept, OcspCacheOptions, OcspMode, OcspPeerOptions,
    Options, StreamsOptions, TlsOptions, load_file,
};
use recado_server::{Server, StartError, TlsProblem};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use serde_json::Value;

use crate::certificates::{Authority, Identity};
use crate::client::{PATIENCE, Secure, plain, secure};
use crate::responder::{Manner, Responder, Says, extension, must_staple};
use crate::watching::get;

/// Serial numbers of the server's certificate, and of the client's.
const SERVER: u8 = 11;
const CLIENT: u8 = 22;

/// An authority with a responder that finds everything good.
fn authority() -> (Authority, Responder) {
    let authority = Authority::new();
    let responder = Responder::start(Manner::of(authority.key()));
    responder.set(&[SERVER], Says::Good);
    responder.set(&[CLIENT], Says::Good);
    (authority, responder)
}

fn numbered(params: &mut CertificateParams, serial: u8, responder: &Responder) {
    params.serial_number = Some(SerialNumber::from(vec![serial]));
    params.custom_extensions.push(extension(&responder.url));
}

/// What a server shows whose certificate asks for a staple, or does not.
fn shown(authority: &Authority, responder: &Responder, asks: bool) -> TlsOptions {
    let identity = authority.sign(&["localhost"], |params| {
        numbered(params, SERVER, responder);
        params.custom_extensions.extend(asks.then(must_staple));
    });
    TlsOptions {
        certificates: vec![authority.files("server", &identity)],
        ca_file: Some(authority.ca_file()),
        ..TlsOptions::default()
    }
}

fn start(tls: TlsOptions, adjust: impl FnOnce(&mut Options)) -> Result<Server, StartError> {
    let server = Server::builder().configure(|options| {
        options.tls = Some(tls);
        adjust(options);
    });
    server.start()
}

fn mode(mode: OcspMode) -> impl FnOnce(&mut Options) {
    move |options| options.ocsp.mode = mode
}

fn problem(started: Result<Server, StartError>) -> String {
    match started {
        Ok(_) => panic!("it started"),
        Err(StartError::Tls(
            problem @ (TlsProblem::NoStaple { .. }
            | TlsProblem::NoIssuer { .. }
            | TlsProblem::CertificateNotGood { .. }),
        )) => problem.to_string(),
        Err(other) => panic!("{other}"),
    }
}

/// Believes what is usual, and remembers the staple that it was shown.
#[derive(Debug)]
struct Seeing {
    inner: Arc<WebPkiServerVerifier>,
    staple: Mutex<Vec<u8>>,
}

impl ServerCertVerifier for Seeing {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.staple.lock() = staple.to_vec();
        self.inner
            .verify_server_cert(end_entity, intermediates, name, staple, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The staple that a client is shown; empty for none.
fn staple(server: &Server, authority: &Authority) -> Vec<u8> {
    let ca = std::fs::read(authority.ca_file()).unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&ca).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let seeing = Arc::new(Seeing {
        inner: inner.build().unwrap(),
        staple: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&seeing) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let (mut client, _) = secure(server, &Arc::new(config));
    client.connect();
    seeing.staple.lock().clone()
}

#[test]
fn a_certificate_that_asks_for_a_staple_is_shown_with_one() {
    let (authority, responder) = authority();
    let server = start(shown(&authority, &responder, true), |_| {}).unwrap();
    assert_ne!(staple(&server, &authority), b"");
    assert_eq!(responder.asked(), 1);
    assert_ne!(staple(&server, &authority), b"");
    assert_eq!(responder.asked(), 1, "once for all clients");

    let server = start(shown(&authority, &responder, false), mode(OcspMode::Must)).unwrap();
    assert_eq!(staple(&server, &authority), b"", "it does not ask for one");
    assert_eq!(responder.asked(), 1);

    let server = start(shown(&authority, &responder, false), mode(OcspMode::Always)).unwrap();
    assert_ne!(staple(&server, &authority), b"");

    let server = start(shown(&authority, &responder, true), mode(OcspMode::Never)).unwrap();
    assert_eq!(staple(&server, &authority), b"");
    assert_eq!(responder.asked(), 2);
}

#[test]
fn another_responder_can_be_named_and_may_take_get_only() {
    let authority = Authority::new();
    let named = Responder::start(Manner::of(authority.key()));
    let other = Responder::start(Manner::of(authority.key()));
    other.set(&[SERVER], Says::Good);
    other.take_only_get();
    let server = start(shown(&authority, &named, true), |options| {
        options.ocsp.urls = vec![format!("{}/", other.url)];
    });
    assert_ne!(staple(&server.unwrap(), &authority), b"");
    assert_eq!((named.asked(), other.asked() > 0), (0, true));
}

#[test]
fn without_a_staple_that_can_be_believed_it_does_not_start() {
    let (authority, responder) = authority();
    let tls = shown(&authority, &responder, true);
    let try_it = || problem(start(tls.clone(), |_| {}));
    for (says, part) in [
        (Says::TryLater, "it has no time now"),
        (Says::OfAnother, "does not speak of the certificate"),
        (Says::Nonsense, "it is no answer of OCSP"),
    ] {
        responder.set(&[SERVER], says);
        let problem = try_it();
        assert!(problem.contains(part), "{problem}");
    }
    responder.set(&[SERVER], Says::Good);

    // Anybody could say that it is good.
    responder.change(|manner| manner.key = KeyPair::generate().unwrap());
    assert!(try_it().contains("neither the certificate's issuer signed it"));

    // Nor may just any certificate of the authority's speak for it, nor one that another authority made for that.
    let sign_by = |signer: Identity| {
        responder.change(|manner| {
            let certificate = CertificateDer::from_pem_slice(signer.certificate.as_bytes());
            manner.shown = vec![certificate.unwrap().to_vec()];
            manner.key = KeyPair::from_pem(&signer.key).unwrap();
        });
    };
    let may_sign = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    };
    sign_by(authority.sign(&["signer"], |_| {}));
    assert!(try_it().contains("neither the certificate's issuer signed it"));
    sign_by(Authority::new().sign(&["signer"], may_sign));
    assert!(try_it().contains("neither the certificate's issuer signed it"));
    sign_by(authority.sign(&["signer"], |params| {
        may_sign(params);
        crate::certificates::expired(params);
    }));
    assert!(try_it().contains("neither the certificate's issuer signed it"));
    sign_by(authority.sign(&["signer"], may_sign));
    let server = start(tls.clone(), |_| {}).unwrap();
    assert_ne!(staple(&server, &authority), b"");

    responder.change(|manner| manner.until = Some(SystemTime::now() - Duration::from_secs(5)));
    assert!(try_it().contains("does not hold now"));

    let mut alone = tls.clone();
    alone.ca_file = Some(Authority::new().ca_file());
    let problem = problem(start(alone, |_| {}));
    assert!(problem.contains("name it with ca_file"), "{problem}");
}

#[test]
fn what_was_revoked_is_shown_so_or_not_at_all() {
    let (authority, responder) = authority();
    responder.set(&[SERVER], Says::Revoked);
    let tls = shown(&authority, &responder, true);
    for ends in [OcspMode::Always, OcspMode::Must] {
        let problem = problem(start(tls.clone(), mode(ends)));
        assert!(
            problem.contains("revoked; get another certificate"),
            "{problem}"
        );
    }
    let server = start(tls, mode(OcspMode::Auto)).unwrap();
    assert_ne!(staple(&server, &authority), b"", "clients decide");
}

/// Answers hold for so short a time that the server asks again soon.
fn short_lived(responder: &Responder) {
    responder.change(|manner| manner.until = Some(SystemTime::now() + Duration::from_secs(5)));
}

/// Waits until it holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_server_ends_when_its_certificate_is_revoked() {
    let (authority, responder) = authority();
    short_lived(&responder);
    let tls = shown(&authority, &responder, false);
    let server = start(tls, mode(OcspMode::Always)).unwrap();
    let first = staple(&server, &authority);
    responder.change(|manner| manner.until = Some(SystemTime::now() + Duration::from_secs(9)));
    until("it is asked again", || responder.asked() == 2);
    until("the new staple is shown", || {
        staple(&server, &authority) != first
    });
    responder.set(&[SERVER], Says::Revoked);
    let (ended, heard) = mpsc::channel();
    std::thread::spawn(move || {
        server.wait();
        ended.send(())
    });
    heard.recv_timeout(PATIENCE).expect("it ends by itself");
}

#[test]
fn what_is_heard_of_a_certificate_that_is_not_shown_any_more_ends_nothing() {
    let (authority, responder) = authority();
    short_lived(&responder);
    let old = shown(&authority, &responder, true);
    let server = start(old, mode(OcspMode::Must)).unwrap();
    let held = responder.hold();
    responder.set(&[SERVER], Says::Revoked);
    until("it is asked again", || responder.heard() == 2);

    let other = Responder::start(Manner::of(authority.key()));
    other.set(&[SERVER], Says::Good);
    let options = reloaded(shown(&authority, &other, true), OcspMode::Must);
    server.reload(options).unwrap();
    drop(held);
    until("it is answered", || responder.asked() == 2);
    assert_ne!(staple(&server, &authority), b"");
    // The next connection is as good as the last, for as long as the other's word would have needed.
    std::thread::sleep(Duration::from_millis(200));
    assert_ne!(staple(&server, &authority), b"");
}

/// What a server that was started in a test would be told by a reload.
fn reloaded(tls: TlsOptions, mode: OcspMode) -> Options {
    let mut options = Options {
        port: 0,
        streams: StreamsOptions::off(),
        tls: Some(tls),
        ..Options::default()
    };
    options.ocsp.mode = mode;
    options
}

#[test]
fn with_a_staple_in_hand_a_reload_asks_nobody() {
    let (authority, responder) = authority();
    let tls = shown(&authority, &responder, true);
    let server = start(tls.clone(), mode(OcspMode::Must)).unwrap();
    responder.set(&[SERVER], Says::Nonsense);
    let mut options = reloaded(tls, OcspMode::Must);
    options.limits.max_payload = 1000;
    server.reload(options).unwrap();
    assert_ne!(staple(&server, &authority), b"");
    assert_eq!(responder.asked(), 1);
}

#[test]
fn a_staple_outlives_the_server_beside_its_streams() {
    let (authority, responder) = authority();
    let store = tempfile::tempdir().unwrap();
    let tls = shown(&authority, &responder, true);
    for _ in 0..2 {
        let server = start(tls.clone(), |options| {
            options.streams.enabled = true;
            options.streams.store_dir = Some(store.path().to_owned());
        });
        assert_ne!(staple(&server.unwrap(), &authority), b"");
        assert_eq!(responder.asked(), 1);
    }
    // What is not the responder's is not believed.
    for file in std::fs::read_dir(store.path().join("ocsp")).unwrap() {
        std::fs::write(file.unwrap().path(), "nonsense").unwrap();
    }
    let server = start(tls, |options| {
        options.streams.enabled = true;
        options.streams.store_dir = Some(store.path().to_owned());
    });
    assert_ne!(staple(&server.unwrap(), &authority), b"");
    assert_eq!(responder.asked(), 2);
}

/// A client with a certificate whose status the responder knows.
fn client(authority: &Authority, responder: &Responder) -> Arc<ClientConfig> {
    let identity = authority.sign(&[], |params| {
        params.distinguished_name.push(DnType::CommonName, "ana");
        numbered(params, CLIENT, responder);
    });
    authority.client(Some(&identity))
}

/// What a server asks of clients that asks about their certificates, too.
fn asks(authority: &Authority, adjust: impl FnOnce(&mut OcspPeerOptions)) -> TlsOptions {
    let mut peer = OcspPeerOptions::default();
    adjust(&mut peer);
    TlsOptions {
        ca_file: Some(authority.ca_file()),
        client_certificates: ClientCertificates::Verified,
        ocsp_peer: Some(peer),
        ..authority.server_options()
    }
}

/// Whether a client is let in; if not it must hear why.
fn is_let_in(server: &Server, config: &Arc<ClientConfig>) -> bool {
    let (mut client, _) = secure(server, config);
    let mut byte = [0];
    let refused = client
        .stream
        .write_all(b"CONNECT {}\r\nPING\r\n")
        .and_then(|()| {
            client.stream.flush()?;
            client.stream.read(&mut byte)
        });
    let error = match refused {
        Ok(0) => panic!("it was closed without a word"),
        Ok(_) => return true,
        Err(error) => error,
    };
    assert_ne!(error.kind(), ErrorKind::WouldBlock, "nothing came");
    let inner = error.into_inner().expect("an error of TLS");
    let inner = inner.downcast::<Error>().expect("an error of TLS");
    assert_eq!(
        *inner,
        Error::AlertReceived(AlertDescription::CertificateUnknown)
    );
    false
}

#[test]
fn who_was_revoked_is_not_let_in() {
    let (authority, responder) = authority();
    let server = start(asks(&authority, |_| {}), |_| {}).unwrap();
    let config = client(&authority, &responder);
    assert!(is_let_in(&server, &config));
    assert!(is_let_in(&server, &config));
    assert_eq!(responder.asked(), 1, "it is remembered");

    for says in [
        Says::Revoked,
        Says::Unknown,
        Says::TryLater,
        Says::OfAnother,
        Says::Nonsense,
    ] {
        responder.set(&[CLIENT], says);
        let server = start(asks(&authority, |_| {}), |_| {}).unwrap();
        assert!(!is_let_in(&server, &config), "{says:?}");
        let server = start(asks(&authority, |peer| peer.warn_only = true), |_| {}).unwrap();
        assert!(is_let_in(&server, &config), "{says:?}");
        let server = start(asks(&authority, |peer| peer.unknown_is_good = true), |_| {}).unwrap();
        assert_eq!(
            is_let_in(&server, &config),
            says == Says::Unknown,
            "{says:?}"
        );
        // It was reached, whatever it said.
        let unreachable = |peer: &mut OcspPeerOptions| peer.allow_when_ca_unreachable = true;
        let server = start(asks(&authority, unreachable), |_| {}).unwrap();
        assert!(!is_let_in(&server, &config), "{says:?}");
    }

    // Who names no responder can't be asked about.
    let quiet = authority.client(Some(&authority.sign_client("eva")));
    assert!(is_let_in(&server, &quiet));
}

/// A client with a certificate whose status is known where nobody answers.
fn client_of(authority: &Authority, url: &str) -> Arc<ClientConfig> {
    let identity = authority.sign(&[], |params| params.custom_extensions.push(extension(url)));
    authority.client(Some(&identity))
}

/// A client whose part of the handshake is done; it does not wait for what the server makes of it.
fn begun(server: &Server, config: &Arc<ClientConfig>) -> Secure {
    let (mut client, _) = secure(server, config);
    let Secure { stream } = &mut client;
    stream.conn.complete_io(&mut stream.sock).unwrap();
    client
}

#[test]
fn where_nobody_answers_nobody_is_let_in_unless_that_is_allowed() {
    let authority = Authority::new();
    // One that nobody listens at, and one that takes questions and never answers.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    for at in [closed.unwrap(), deaf.local_addr().unwrap()] {
        let config = client_of(&authority, &format!("http://{at}"));
        for allowed in [false, true] {
            let tls = asks(&authority, |peer| {
                peer.ca_timeout = Duration::from_millis(300);
                peer.allow_when_ca_unreachable = allowed;
            });
            let server = start(tls, |_| {}).unwrap();
            assert_eq!(is_let_in(&server, &config), allowed, "{at}");
        }
    }
}

#[test]
fn nobody_waits_for_those_who_are_asked_about() {
    let (authority, responder) = authority();
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", deaf.local_addr().unwrap());
    let tls = asks(&authority, |peer| peer.ca_timeout = PATIENCE * 3);
    let server = start(tls, |_| {}).unwrap();
    let known = client(&authority, &responder);
    assert!(is_let_in(&server, &known));
    // More than are asked about at once.
    let stuck: Vec<_> = (0..80)
        .map(|_| begun(&server, &client_of(&authority, &silent)))
        .collect();
    assert!(is_let_in(&server, &known), "it is remembered");
    let eva = authority.client(Some(&authority.sign_client("eva")));
    assert!(is_let_in(&server, &eva), "nobody needs to be asked");
    drop(stuck);
}

#[test]
fn one_question_is_enough_for_all_who_show_a_certificate() {
    let (authority, responder) = authority();
    let server = start(asks(&authority, |_| {}), |_| {}).unwrap();
    let config = client(&authority, &responder);
    let held = responder.hold();
    let waiting: Vec<_> = (0..20).map(|_| begun(&server, &config)).collect();
    drop(held);
    for mut client in waiting {
        client.connect();
    }
    assert_eq!(responder.asked(), 1);
}

#[test]
fn the_time_that_a_question_takes_is_not_the_clients() {
    let (authority, responder) = authority();
    let tls = TlsOptions {
        timeout: Duration::from_secs(1),
        ..asks(&authority, |peer| peer.ca_timeout = PATIENCE)
    };
    let server = start(tls, |_| {}).unwrap();
    let config = client(&authority, &responder);
    let held = responder.hold();
    let mut slow = begun(&server, &config);
    // Who says nothing has its own time only, and is cut off meanwhile.
    let mut mute = plain(&server);
    assert!(mute.line().unwrap().starts_with("INFO "));
    assert_eq!(
        mute.line().unwrap(),
        "-ERR 'Secure Connection - TLS Required'"
    );
    drop(held);
    slow.connect();
}

#[test]
fn every_certificate_on_the_way_to_the_authority_must_be_good() {
    let (authority, responder) = authority();
    let (below, certificate) = authority.below(|params| numbered(params, 33, &responder));
    let own = Responder::start(Manner::of(below.key()));
    own.set(&[CLIENT], Says::Good);
    let mut identity = below.sign(&[], |params| numbered(params, CLIENT, &own));
    identity.certificate.push_str(&certificate);
    let config = authority.client(Some(&identity));
    for (says, expected) in [(Says::Good, true), (Says::Revoked, false)] {
        responder.set(&[33], says);
        let server = start(asks(&authority, |_| {}), |_| {}).unwrap();
        assert_eq!(is_let_in(&server, &config), expected);
    }
    // The word that the first is bad is enough.
    assert_eq!(responder.asked(), 2);
}

#[test]
fn a_twin_of_a_revoked_certificate_does_not_help() {
    let (authority, responder) = authority();
    responder.set(&[33], Says::Revoked);
    let (below, certificate) = authority.below(|params| numbered(params, 33, &responder));
    // The same name and key, of which nobody tells anything; but out of date.
    let twin = authority.twin(&below, crate::certificates::expired);
    let own = below.sign_client("ana");
    let server = start(asks(&authority, |_| {}), |_| {}).unwrap();
    for chain in [
        certificate.clone(),
        format!("{twin}{certificate}"),
        format!("{certificate}{twin}"),
    ] {
        let identity = Identity {
            certificate: format!("{}{chain}", own.certificate),
            key: own.key.clone(),
            public: own.public.clone(),
        };
        assert!(!is_let_in(&server, &authority.client(Some(&identity))));
    }
}

fn kept_in(directory: &Path, preserve_revoked: bool) -> OcspCacheOptions {
    OcspCacheOptions {
        kept: OcspCacheKept::InDirectory {
            directory: directory.to_owned(),
            save_interval: Duration::from_secs(300),
        },
        preserve_revoked,
    }
}

#[test]
fn what_is_known_outlives_the_server_in_its_directory() {
    let (authority, responder) = authority();
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("known");
    let config = client(&authority, &responder);
    for _ in 0..2 {
        let server = start(asks(&authority, |_| {}), |options| {
            options.ocsp_cache = kept_in(&directory, false);
        });
        assert!(is_let_in(&server.unwrap(), &config));
        assert_eq!(responder.asked(), 1);
    }
    let text = std::fs::read_to_string(directory.join("cache.json")).unwrap();
    let known: Value = serde_json::from_str(&text).unwrap();
    let (_, entry) = known.as_object().unwrap().iter().next().unwrap();
    assert_eq!(entry["resp_status"], "good");
    assert_eq!(entry["subject"], "CN=ana");

    // Whoever can write there can't say that somebody is good.
    responder.set(&[CLIENT], Says::Revoked);
    let forged = text.replace("\"resp\": \"", "\"resp\": \"AAAA");
    std::fs::write(directory.join("cache.json"), forged).unwrap();
    let server = start(asks(&authority, |_| {}), |options| {
        options.ocsp_cache = kept_in(&directory, false);
    });
    assert!(!is_let_in(&server.unwrap(), &config));
    std::fs::write(directory.join("cache.json"), "nonsense").unwrap();
    let server = start(asks(&authority, |_| {}), |options| {
        options.ocsp_cache = kept_in(&directory, false);
    });
    assert!(!is_let_in(&server.unwrap(), &config));
}

#[test]
fn without_a_cache_each_handshake_asks() {
    let (authority, responder) = authority();
    let server = start(asks(&authority, |_| {}), |options| {
        options.ocsp_cache.kept = OcspCacheKept::Nowhere;
    });
    let server = server.unwrap();
    let config = client(&authority, &responder);
    assert!(is_let_in(&server, &config));
    assert!(is_let_in(&server, &config));
    assert_eq!(responder.asked(), 2);
}

#[test]
fn a_revocation_that_is_to_be_remembered_counts_when_nobody_answers() {
    let (authority, responder) = authority();
    let config = client(&authority, &responder);
    responder.set(&[CLIENT], Says::Revoked);
    for preserve in [true, false] {
        // It holds now, as far as clocks agree, and does not with the next server, whose clock is believed more.
        responder.change(|manner| manner.until = Some(SystemTime::now() - Duration::from_secs(5)));
        responder.set(&[CLIENT], Says::Revoked);
        let directory = tempfile::tempdir().unwrap();
        let remembers = |options: &mut Options| {
            options.ocsp_cache = kept_in(directory.path(), preserve);
        };
        let server = start(asks(&authority, |_| {}), remembers);
        assert!(!is_let_in(&server.unwrap(), &config));
        responder.set(&[CLIENT], Says::Nothing);
        let strict = |peer: &mut OcspPeerOptions| {
            peer.allowed_clockskew = Duration::ZERO;
            peer.allow_when_ca_unreachable = true;
        };
        let server = start(asks(&authority, strict), remembers).unwrap();
        assert!(!is_let_in(&server, &config), "known as revoked");
        assert_eq!(is_let_in(&server, &config), !preserve, "it may forget that");
    }
}

#[test]
fn a_reload_asks_from_then_on_or_changes_nothing() {
    let (authority, responder) = authority();
    let tls = TlsOptions {
        ocsp_peer: None,
        ..asks(&authority, |_| {})
    };
    let store = tempfile::tempdir().unwrap();
    let server = start(tls.clone(), |_| {}).unwrap();
    let options = |tls: TlsOptions, mode| {
        let mut options = reloaded(tls, mode);
        options.ocsp_cache = kept_in(store.path(), false);
        options
    };
    responder.set(&[CLIENT], Says::Revoked);
    let config = client(&authority, &responder);
    assert!(is_let_in(&server, &config));
    let checked = asks(&authority, |_| {});
    let reloaded = server
        .reload(options(checked.clone(), OcspMode::Auto))
        .unwrap();
    assert_eq!(reloaded.changed, ["tls", "ocsp_cache"]);
    assert!(!is_let_in(&server, &config));

    // This certificate names no responder, and always asks for a staple: that can't be.
    let refused = server.reload(options(tls, OcspMode::Always)).unwrap_err();
    assert!(
        refused.to_string().contains("names no responder"),
        "{refused}"
    );
    assert!(!is_let_in(&server, &config), "all is as it was");
}

#[test]
fn who_was_refused_is_told_of_in_the_system_account() {
    let (authority, responder) = authority();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    let text = "port: -1, jetstream: false, https_port: -1, system_account: SYS
        accounts { SYS { users: [{user: root, password: r}] } }";
    std::fs::write(&file, text).unwrap();
    let server = Server::builder().configure(|options| {
        let loaded = load_file(&file, options, &Machine).unwrap();
        assert_eq!(loaded.findings.errors, []);
        options.tls = Some(asks(&authority, |_| {}));
    });
    let server = server.start().unwrap();
    let eva = authority.client(Some(&authority.sign_client("eva")));
    let (mut listener, _) = secure(&server, &eva);
    listener.send(
        "CONNECT {\"user\":\"root\",\"pass\":\"r\"}\r\nSUB $SYS.SERVER.*.OCSP.> 1\r\nPING\r\n",
    );
    assert_eq!(listener.line().unwrap(), "+OK");
    while listener.line().unwrap() != "PONG" {}

    responder.set(&[CLIENT], Says::Revoked);
    assert!(!is_let_in(&server, &client(&authority, &responder)));
    let mut events = Vec::new();
    for subject in ["LINK.INVALID", "CONN.REJECT"] {
        let head = listener.line().unwrap();
        assert!(head.contains(&format!(".OCSP.PEER.{subject} ")), "{head}");
        let event: Value = serde_json::from_str(&listener.line().unwrap()).unwrap();
        events.push(event);
    }
    let kind = |event: &Value| event["type"].as_str().unwrap().to_owned();
    assert_eq!(
        kind(&events[0]),
        "io.nats.server.advisory.v1.ocsp_peer_link_invalid"
    );
    assert_eq!(events[0]["link"]["subject"], "CN=ana");
    assert_eq!(events[0]["link"], events[0]["peer"]);
    assert_eq!(events[0]["reason"], "it was revoked");
    assert_eq!(
        kind(&events[1]),
        "io.nats.server.advisory.v1.ocsp_peer_reject"
    );
    assert_eq!(events[1]["kind"], "Client");
    assert_eq!(events[1]["reason"], "client not OCSP valid");
    assert_eq!(events[1]["peer"], events[0]["peer"]);

    let (_, addr) = server.monitoring_addr().unwrap();
    let answer = get(addr, &eva, "/varz").unwrap();
    let varz: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(varz["tls_ocsp_peer_verify"], true);
    let cache = &varz["ocsp_peer_cache"];
    assert_eq!(cache["cache_type"], "local");
    assert_eq!(cache["cached_revoked_responses"], 1);
    assert_eq!(
        (&cache["cache_misses"], &cache["cache_hits"]),
        (&1.into(), &0.into())
    );
}
