//! Logins against a list of users.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::{KeyPair, KeyPairType};

use super::*;
use crate::certificate::CertificateNames;
use crate::identity::default_account;

const NONCE: &[u8] = b"a-nonce";

fn user(name: &str, password: Option<&str>) -> User {
    User {
        name: NameOrKey::Name(name.into()),
        password: password.map(Secret::new),
        account: default_account(),
        permissions: None,
        connection_types: ConnectionTypes::default(),
        proxy_required: false,
    }
}

fn pair(kind: KeyPairType, seed: u8) -> KeyPair {
    KeyPair::new_from_raw(kind, [seed; 32]).unwrap()
}

fn nkey_user(pair: &KeyPair) -> User {
    User {
        name: NameOrKey::Nkey(pair.public_key()),
        ..user("", None)
    }
}

fn directory(options: DirectoryOptions) -> Directory {
    Directory::new(options).unwrap()
}

fn of(users: Vec<User>) -> Directory {
    directory(DirectoryOptions {
        users,
        ..DirectoryOptions::default()
    })
}

fn by_password(user: &str, password: &str) -> Connect {
    Connect {
        user: Some(user.into()),
        pass: Some(password.into()),
        ..Connect::default()
    }
}

fn by_nkey(pair: &KeyPair, nonce: &[u8]) -> Connect {
    Connect {
        nkey: Some(pair.public_key()),
        sig: Some(BASE64_URL_SAFE_NO_PAD.encode(pair.sign(nonce).unwrap())),
        ..Connect::default()
    }
}

fn login(connect: &Connect) -> Login<'_> {
    Login {
        connect,
        nonce: NONCE,
        transport: ConnectionType::Standard,
        peer: None,
        certificate: None,
        now_s: 0,
    }
}

fn reason(directory: &Directory, connect: &Connect) -> Option<Reason> {
    let denied = directory.decide(&login(connect)).err();
    denied.map(|denied| denied.reason)
}

#[test]
fn a_user_is_let_in_with_its_password_alone() {
    let hash = bcrypt::hash("clave", 4).unwrap();
    let users = of(vec![
        user("ana", Some("clave")),
        user("eva", Some(&hash)),
        user("nobody", None),
    ]);
    for name in ["ana", "eva"] {
        let who = users.decide(&login(&by_password(name, "clave"))).unwrap();
        assert_eq!(who.user.as_deref(), Some(name));
        assert_eq!(who.method, Method::Password);
    }
    for (name, password) in [
        ("ana", "Clave"),
        ("ana", ""),
        ("eva", &*hash),
        ("nobody", ""),
        ("nobody", "clave"),
        ("unknown", "clave"),
    ] {
        let refused = reason(&users, &by_password(name, password));
        assert_eq!(refused, Some(Reason::WrongUserOrPassword), "{name}");
    }
    assert_eq!(
        reason(&users, &Connect::default()),
        Some(Reason::NothingPresented)
    );
}

#[test]
fn whether_it_takes_long_does_not_tell_who_exists() {
    let hash = bcrypt::hash("clave", 4).unwrap();
    let users = of(vec![user("ana", Some("clave")), user("eva", Some(&hash))]);
    for name in ["ana", "eva", "unknown"] {
        assert!(users.is_costly(&by_password(name, "x")), "{name}");
    }
    assert!(!users.is_costly(&Connect::default()));
    assert!(!of(vec![user("ana", Some("x"))]).is_costly(&by_password("ana", "x")));
}

#[test]
fn an_nkey_must_have_signed_this_nonce() {
    let ana = pair(KeyPairType::User, 1);
    let users = of(vec![nkey_user(&ana)]);
    assert!(users.needs_nonce());
    let who = users.decide(&login(&by_nkey(&ana, NONCE))).unwrap();
    assert_eq!(who.public_key, Some(ana.public_key()));
    assert_eq!(who.user, who.public_key);
    let replayed = by_nkey(&ana, b"another-nonce");
    assert_eq!(reason(&users, &replayed), Some(Reason::WrongSignature));
    let unsigned = Connect {
        sig: None,
        ..replayed
    };
    assert_eq!(reason(&users, &unsigned), Some(Reason::WrongSignature));
    let eva = pair(KeyPairType::User, 2);
    let forged = Connect {
        sig: by_nkey(&eva, NONCE).sig,
        ..unsigned
    };
    assert_eq!(reason(&users, &forged), Some(Reason::WrongSignature));
    let unknown = by_nkey(&eva, NONCE);
    assert_eq!(reason(&users, &unknown), Some(Reason::UnknownNkey));
}

#[test]
fn a_wrong_nkey_is_not_made_good_by_a_password() {
    let users = of(vec![
        nkey_user(&pair(KeyPairType::User, 1)),
        user("ana", Some("clave")),
    ]);
    let both = Connect {
        nkey: Some(pair(KeyPairType::User, 2).public_key()),
        ..by_password("ana", "clave")
    };
    assert_eq!(reason(&users, &both), Some(Reason::UnknownNkey));
}

#[test]
fn only_who_presents_nothing_is_no_auth_user() {
    let users = directory(DirectoryOptions {
        users: vec![user("ana", Some("clave")), user("guest", None)],
        no_auth_user: Some("guest".into()),
        ..DirectoryOptions::default()
    });
    assert!(!users.is_required());
    let who = users.decide(&login(&Connect::default())).unwrap();
    assert_eq!(who.user.as_deref(), Some("guest"));
    assert_eq!(who.method, Method::NoAuthUser);
    for connect in [
        by_password("ana", "x"),
        by_password("", "x"),
        by_password("guest", ""),
        Connect {
            auth_token: Some("x".into()),
            ..Connect::default()
        },
    ] {
        assert!(users.decide(&login(&connect)).is_err());
    }
}

#[test]
fn an_nkey_may_be_no_auth_user_without_a_signature() {
    let ana = pair(KeyPairType::User, 1);
    let users = directory(DirectoryOptions {
        users: vec![nkey_user(&ana)],
        no_auth_user: Some(ana.public_key()),
        ..DirectoryOptions::default()
    });
    let who = users.decide(&login(&Connect::default())).unwrap();
    assert_eq!(who.public_key, Some(ana.public_key()));
    let unsigned = Connect {
        nkey: Some(ana.public_key()),
        ..Connect::default()
    };
    assert_eq!(reason(&users, &unsigned), Some(Reason::WrongSignature));
}

#[test]
fn a_user_may_be_bound_to_ways_to_connect() {
    let only_websocket = User {
        connection_types: [ConnectionType::Websocket].into_iter().collect(),
        ..user("ana", Some("clave"))
    };
    let users = of(vec![only_websocket]);
    let connect = by_password("ana", "clave");
    assert_eq!(
        reason(&users, &connect),
        Some(Reason::ConnectionType("STANDARD"))
    );
    let websocket = Login {
        transport: ConnectionType::Websocket,
        ..login(&connect)
    };
    assert!(users.decide(&websocket).is_ok());
}

#[test]
fn where_certificates_map_nothing_else_does() {
    let users = directory(DirectoryOptions {
        users: vec![user("ana.example.com", None), user("eva", Some("clave"))],
        verify_and_map: vec![ConnectionType::Standard],
        no_auth_user: Some("eva".into()),
        ..DirectoryOptions::default()
    });
    let names = CertificateNames {
        dns: vec!["ana.example.com".into()],
        ..CertificateNames::default()
    };
    let connect = Connect::default();
    let with_certificate = Login {
        certificate: Some(&names),
        ..login(&connect)
    };
    let who = users.decide(&with_certificate).unwrap();
    assert_eq!(who.user.as_deref(), Some("ana.example.com"));
    assert_eq!(reason(&users, &connect), Some(Reason::CertificateMissing));
    let password = by_password("eva", "clave");
    assert_eq!(reason(&users, &password), Some(Reason::CertificateMissing));
    let websocket = Login {
        transport: ConnectionType::Websocket,
        ..login(&password)
    };
    assert!(users.decide(&websocket).is_ok());
    let stranger = CertificateNames::default();
    let strange = Login {
        certificate: Some(&stranger),
        ..with_certificate
    };
    let denied = users.decide(&strange).unwrap_err();
    assert_eq!(denied.reason, Reason::CertificateUnknown);
}

#[test]
fn a_proxy_is_believed_if_a_trusted_key_signed() {
    let proxy = pair(KeyPairType::Server, 3);
    let users = directory(DirectoryOptions {
        users: vec![User {
            proxy_required: true,
            ..user("ana", Some("clave"))
        }],
        trusted_proxies: vec![proxy.public_key()],
        ..DirectoryOptions::default()
    });
    let direct = by_password("ana", "clave");
    assert_eq!(reason(&users, &direct), Some(Reason::ProxyRequired));
    let signed = |by: &KeyPair| Connect {
        proxy_sig: by_nkey(by, NONCE).sig,
        ..direct.clone()
    };
    let who = users.decide(&login(&signed(&proxy))).unwrap();
    assert_eq!(who.proxy_key, Some(proxy.public_key()));
    let stranger = signed(&pair(KeyPairType::Server, 4));
    assert_eq!(reason(&users, &stranger), Some(Reason::ProxyNotTrusted));
}

#[test]
fn a_shared_token_may_require_a_proxy() {
    let proxy = pair(KeyPairType::Server, 3);
    let shared = directory(DirectoryOptions {
        single: Some(Single::Token(Secret::new("s3cr3t"))),
        trusted_proxies: vec![proxy.public_key()],
        proxy_required: true,
        ..DirectoryOptions::default()
    });
    let direct = Connect {
        auth_token: Some("s3cr3t".into()),
        ..Connect::default()
    };
    assert_eq!(reason(&shared, &direct), Some(Reason::ProxyRequired));
    let proxied = Connect {
        proxy_sig: by_nkey(&proxy, NONCE).sig,
        ..direct
    };
    assert!(shared.decide(&login(&proxied)).is_ok());
}

#[test]
fn lists_that_mean_nothing_are_refused() {
    let refused = |options| Directory::new(options).err();
    let twice = DirectoryOptions {
        users: vec![user("ana", None), user("ana", None)],
        ..DirectoryOptions::default()
    };
    assert_eq!(
        refused(twice),
        Some(InvalidDirectory::Duplicate("ana".into()))
    );
    let account = pair(KeyPairType::Account, 1);
    let no_user = DirectoryOptions {
        users: vec![nkey_user(&account)],
        ..DirectoryOptions::default()
    };
    let key = account.public_key();
    assert_eq!(refused(no_user), Some(InvalidDirectory::InvalidNkey(key)));
    let nobody = DirectoryOptions {
        no_auth_user: Some("ana".into()),
        ..DirectoryOptions::default()
    };
    assert_eq!(
        refused(nobody),
        Some(InvalidDirectory::UnknownNoAuthUser("ana".into()))
    );
}
