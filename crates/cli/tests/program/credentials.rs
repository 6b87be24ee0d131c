//! Keys, signed identities and certificates, on both ways of connecting (`ping` opens a plain
//! line, `request` and `sub` a session), against a real nats-server: `recado-server` knows none of them yet.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair as CertificateKey,
};
use recado_conformance::{ServerBuilder, ServerProcess};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contexts::Home;
use crate::harness::Recado;

/// What gets in, with how it says who it is: by flags and by variables.
fn gets_in(server: &ServerProcess, home: &Home, args: &[&str], variables: &[(&str, &str)]) {
    for (command, code) in [
        (&["ping", "-c", "1"][..], 0),
        // Nobody answers, which only who got in can learn.
        (&["request", "nobody.here", "x"], 3),
    ] {
        let ended = with(server, home, args, variables, command).run();
        assert_eq!(
            ended.code,
            Some(code),
            "{args:?} {variables:?}: {}",
            ended.stderr
        );
    }
}

/// What is refused, with this status and words.
fn stays_out(server: &ServerProcess, home: &Home, args: &[&str], code: i32, words: &str) {
    for command in [&["ping", "-c", "1"][..], &["sub", "a"]] {
        let ended = with(server, home, args, &[], command).run();
        assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}

fn with(
    server: &ServerProcess,
    home: &Home,
    args: &[&str],
    variables: &[(&str, &str)],
    command: &[&str],
) -> Recado {
    let run = home.recado(&[args, command].concat());
    let url = server.url().replace("127.0.0.1", "localhost");
    let named = args.contains(&"--context") || args.contains(&"-s");
    let run = if named {
        run
    } else {
        run.env("NATS_URL", &url)
    };
    variables
        .iter()
        .fold(run, |run, (name, value)| run.env(name, value))
}

/// A folder for keys, readable for its owner alone.
struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn keep(&self, name: &str, content: &str) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn an_nkey_gets_in_from_a_flag_a_variable_and_a_context() {
    let Some(builder) = ServerBuilder::genuine() else {
        return;
    };
    let (user, stranger) = (KeyPair::new_user(), KeyPair::new_user());
    let server = builder
        .config(format!(
            "authorization {{ users: [ {{ nkey: {} }} ] }}",
            user.public_key()
        ))
        .start();
    let (keys, home) = (Keys::new(), Home::new());
    let right = keys.keep("a.nk", &format!("{}\n", user.seed().unwrap()));
    let wrong = keys.keep("b.nk", &stranger.seed().unwrap());
    gets_in(&server, &home, &["--nkey", &right], &[]);
    gets_in(&server, &home, &[], &[("NATS_NKEY", &right)]);
    home.context(
        "a",
        &json!({ "url": server.url(), "nkey": right }).to_string(),
    );
    gets_in(&server, &home, &["--context", "a"], &[]);
    stays_out(&server, &home, &["--nkey", &wrong], 9, "b.nk");
    stays_out(&server, &home, &[], 9, "asks for credentials");
}

/// An operator, an account and a user, as `nsc` makes them.
struct Signed {
    config: String,
    jwt: String,
    seed: String,
    bearer: String,
}

impl Signed {
    fn new() -> Self {
        let (operator, account, user) = (
            KeyPair::new_operator(),
            KeyPair::new_account(),
            KeyPair::new_user(),
        );
        let limits = json!({ "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
            "wildcards": true, "conn": -1, "leaf": -1 });
        let operator_jwt = signed(
            &operator,
            &operator,
            json!({ "type": "operator", "version": 2 }),
        );
        let account_jwt = signed(
            &operator,
            &account,
            json!({ "type": "account", "version": 2, "limits": limits }),
        );
        let mut rights = json!({ "type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1,
            "data": -1, "payload": -1 });
        let jwt = signed(&account, &user, rights.clone());
        rights["bearer_token"] = json!(true);
        Self {
            config: format!(
                "operator: {operator_jwt}\nresolver: MEMORY\nresolver_preload: {{ {}: {account_jwt} }}\n",
                account.public_key()
            ),
            jwt,
            seed: user.seed().unwrap(),
            bearer: signed(&account, &user, rights),
        }
    }

    fn creds(&self) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             ************************* IMPORTANT *************************\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            self.jwt, self.seed
        )
    }
}

/// A JWT about `subject`, signed by `issuer`.
fn signed(issuer: &KeyPair, subject: &KeyPair, nats: Value) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let body = part(json!({
        "jti": subject.public_key(), "iat": 1_700_000_000, "iss": issuer.public_key(),
        "name": "a test", "sub": subject.public_key(), "nats": nats,
    }));
    let signature = issuer.sign(format!("{head}.{body}").as_bytes()).unwrap();
    format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_credentials_file_gets_in_and_so_do_its_two_halves() {
    let Some(builder) = ServerBuilder::genuine() else {
        return;
    };
    let signed = Signed::new();
    let server = builder.config(signed.config.as_str()).start();
    let (keys, home) = (Keys::new(), Home::new());
    let creds = keys.keep("ana.creds", &signed.creds());
    gets_in(&server, &home, &["--creds", &creds], &[]);
    gets_in(&server, &home, &[], &[("NATS_CREDS", &creds)]);
    let halves = [
        ("NATS_JWT", signed.jwt.as_str()),
        ("NATS_SEED", &signed.seed),
    ];
    gets_in(&server, &home, &[], &halves);
    gets_in(&server, &home, &["--jwt", &signed.bearer], &[]);
    for keys in [
        json!({ "url": server.url(), "creds": creds }),
        json!({ "url": server.url(), "user_jwt": signed.jwt, "user_seed": signed.seed }),
        json!({ "url": server.url(), "creds": format!("file://{creds}") }),
    ] {
        home.context("a", &keys.to_string());
        gets_in(&server, &home, &["--context", "a"], &[]);
    }
    let other = keys.keep("other.creds", &Signed::new().creds());
    stays_out(&server, &home, &["--creds", &other], 9, "other.creds");
    let empty = keys.keep("empty.creds", "\n");
    stays_out(
        &server,
        &home,
        &["--creds", &empty],
        1,
        "empty.creds holds no user JWT",
    );
    stays_out(&server, &home, &["--creds", "/no/such"], 1, "/no/such");
}

/// A server's and a client's certificate of one authority.
struct Certificates {
    keys: Keys,
    authority: String,
    client: [String; 2],
    server: [String; 2],
}

impl Certificates {
    fn new() -> Self {
        let keys = Keys::new();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = CertificateKey::generate().unwrap();
        let authority = keys.keep("ca.pem", &params.self_signed(&key).unwrap().pem());
        let issuer = Issuer::new(params, key);
        let pair = |name: &str, usage| {
            let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.extended_key_usages = vec![usage];
            let key = CertificateKey::generate().unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            [
                keys.keep(&format!("{name}.pem"), &certificate.pem()),
                keys.keep(&format!("{name}.key"), &key.serialize_pem()),
            ]
        };
        let client = pair("client", ExtendedKeyUsagePurpose::ClientAuth);
        let server = pair("server", ExtendedKeyUsagePurpose::ServerAuth);
        Self {
            authority,
            client,
            server,
            keys,
        }
    }

    fn config(&self, more: &str) -> String {
        format!(
            "tls {{ cert_file: '{}', key_file: '{}', ca_file: '{}', verify: true {more} }}",
            self.server[0], self.server[1], self.authority
        )
    }
}

#[test]
fn a_certificate_gets_in_where_the_server_asks_for_one() {
    let Some(builder) = ServerBuilder::genuine() else {
        return;
    };
    let certificates = Certificates::new();
    let server = builder.config(certificates.config("")).start();
    let home = Home::new();
    let [certificate, key] = &certificates.client;
    let authority = &certificates.authority;
    let flags = [
        "--tlsca",
        authority,
        "--tlscert",
        certificate,
        "--tlskey",
        key,
    ];
    gets_in(&server, &home, &flags, &[]);
    let variables = [
        ("NATS_CA", authority.as_str()),
        ("NATS_CERT", certificate),
        ("NATS_KEY", key),
    ];
    gets_in(&server, &home, &[], &variables);
    let url = server.url().replace("127.0.0.1", "localhost");
    let keys = json!({ "url": url, "ca": authority, "cert": certificate, "key": key });
    home.context("a", &keys.to_string());
    gets_in(&server, &home, &["--context", "a"], &[]);
    stays_out(
        &server,
        &home,
        &flags[2..],
        13,
        "nobody whom this machine trusts",
    );
    let other = &Certificates::new();
    let strange = [
        "--tlsca",
        authority,
        "--tlscert",
        certificate,
        "--tlskey",
        &other.client[1],
    ];
    stays_out(&server, &home, &strange, 1, "don't go together");
    let empty = certificates.keys.keep("empty.pem", "nothing\n");
    stays_out(
        &server,
        &home,
        &["--tlsca", &empty],
        1,
        "empty.pem does not hold",
    );
}

#[test]
fn tls_before_the_greeting_is_spoken_when_told_so() {
    let Some(builder) = ServerBuilder::genuine() else {
        return;
    };
    let certificates = Certificates::new();
    let server = builder
        .config(certificates.config(", handshake_first: true"))
        .greets_over_tls()
        .start();
    let home = Home::new();
    let [certificate, key] = &certificates.client;
    let flags = [
        "--tlsca",
        &certificates.authority,
        "--tlscert",
        certificate,
        "--tlskey",
        key,
    ];
    gets_in(&server, &home, &[&flags[..], &["--tlsfirst"]].concat(), &[]);
    gets_in(
        &server,
        &home,
        &[&flags[..], &["--tls-first"]].concat(),
        &[],
    );
    let url = server.url().replace("127.0.0.1", "localhost");
    let keys = json!({ "url": url, "ca": certificates.authority, "cert": certificate, "key": key,
        "tls_first": true });
    home.context("a", &keys.to_string());
    gets_in(&server, &home, &["--context", "a"], &[]);
}

#[test]
fn who_names_an_authority_gets_tls_or_nothing() {
    let server = ServerProcess::nats();
    let certificates = Certificates::new();
    let home = Home::new();
    stays_out(
        &server,
        &home,
        &["--tlsca", &certificates.authority],
        13,
        "offers none",
    );
}
