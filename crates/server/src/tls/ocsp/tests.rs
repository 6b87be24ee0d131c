//! What is believed of an answer, byte by byte; the rest is tested with servers and clients (`tests/transport/ocsp.rs`).

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SerialNumber};
use rustls::pki_types::CertificateDer;

use self::responder::{Manner, Responder, Says, extension, must_staple};
use super::link::{BadChain, Link, asks_for_staple};
use super::peer::holds;
use super::response::{self, Response, Status};

#[path = "../../../tests/transport/responder.rs"]
#[expect(dead_code, reason = "the other tests use the rest of it")]
mod responder;

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn signed_by(
    authority: &CertifiedIssuer<'_, KeyPair>,
    adjust: impl FnOnce(&mut CertificateParams),
) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    adjust(&mut params);
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, authority).unwrap().der().clone()
}

/// A link with an answer about it, and what that says.
fn answered(says: Says) -> (Link, Vec<u8>, Response) {
    let authority = authority();
    let key = KeyPair::from_pem(&authority.key().serialize_pem()).unwrap();
    let responder = Responder::start(Manner::of(key));
    responder.set(&[5], says);
    let certificate = signed_by(&authority, |params| {
        params.serial_number = Some(SerialNumber::from(vec![5]));
        params.custom_extensions.push(extension(&responder.url));
    });
    let link = Link::find(&certificate, [authority.der()].into_iter()).unwrap();
    let answer = super::responder::ask(&link, &link.responders(), Duration::from_secs(20));
    let answer = answer.unwrap();
    (link, answer.bytes, answer.response)
}

#[test]
fn no_byte_of_an_answer_can_be_changed_unseen() {
    for (says, status) in [(Says::Good, Status::Good), (Says::Revoked, Status::Revoked)] {
        let (link, bytes, response) = answered(says);
        assert_eq!(response.status, status);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(read) = response::read(&changed, &link, SystemTime::now()) {
                    assert_eq!(read, response, "bit {bit} of byte {at}");
                }
            }
            let cut = response::read(&bytes[..at], &link, SystemTime::now());
            assert!(cut.is_err(), "{at} bytes of it");
        }
    }
}

#[test]
fn an_answer_about_one_certificate_says_nothing_of_another() {
    let (link, bytes, _) = answered(Says::Good);
    let now = SystemTime::now();
    let (other, _, _) = answered(Says::Good);
    assert!(response::read(&bytes, &other, now).is_err());
    assert!(response::read(&bytes, &link, now).is_ok());
}

#[test]
fn the_issuer_is_whoever_signed_it() {
    let (root, other) = (authority(), authority());
    let leaf = signed_by(&root, |_| {});
    let link = Link {
        certificate: leaf.clone(),
        issuer: root.der().clone(),
    };
    let both = [other.der(), root.der()];
    assert_eq!(Link::find(&leaf, both.into_iter()), Ok(link));
    let nobody = Link::find(&leaf, [other.der()].into_iter());
    assert_eq!(nobody, Err(BadChain::NoIssuer));
    let nonsense = CertificateDer::from(vec![1, 2, 3]);
    let unreadable = Link::find(&nonsense, both.into_iter());
    assert_eq!(unreadable, Err(BadChain::Unreadable));
}

#[test]
fn certificates_say_whether_they_want_a_staple_and_where_to_ask() {
    let root = authority();
    let plain = signed_by(&root, |_| {});
    let asking = signed_by(&root, |params| {
        params.custom_extensions.push(must_staple());
        params.custom_extensions.push(extension("ldap://a.example"));
    });
    assert!(!asks_for_staple(&plain));
    assert!(asks_for_staple(&asking));
    for certificate in [plain, asking] {
        let issuer = root.der().clone();
        let link = Link {
            certificate,
            issuer,
        };
        assert_eq!(link.responders(), Vec::<String>::new());
    }
}

#[test]
fn answers_hold_between_two_moments_as_far_as_clocks_agree() {
    let at = |s: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(s);
    let of = |next_update| Response {
        status: Status::Good,
        this_update: at(1000),
        next_update,
    };
    let seconds = Duration::from_secs;
    let bounded = |now, skew| holds(&of(Some(at(2000))), at(now), seconds(skew), seconds(9999));
    assert!(bounded(1000, 0) && bounded(2000, 0));
    assert!(!bounded(999, 0) && !bounded(2001, 0));
    assert!(bounded(970, 30) && bounded(2030, 30));
    assert!(!bounded(969, 30) && !bounded(2031, 30));
    let unbounded = |now| holds(&of(None), at(now), Duration::ZERO, seconds(100));
    assert!(unbounded(1100) && !unbounded(1101));
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let certificate = CertificateDer::from(bytes.clone());
        let link = Link { certificate: certificate.clone(), issuer: certificate.clone() };
        prop_assert!(response::read(&bytes, &link, SystemTime::now()).is_err());
        prop_assert!(!asks_for_staple(&certificate));
        prop_assert!(link.responders().is_empty());
    }
}
