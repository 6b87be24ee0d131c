//! Who we are: a token, a user, a key or a signed identity, and how each proves itself to a server.
//!
//! A secret leaves this room only towards the server. What is shown names where it came from, never
//! the secret; `Debug` shows no more.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;

use crate::failure::Failure;
use crate::reference;
use crate::settings::unreadable;
use crate::terminal;
use crate::text::{credentials as text, failures, talk};

/// The largest file that is read for a secret, in bytes: a long JWT has some ten thousand.
pub(crate) const SECRET_BYTES_MAX: u64 = 1 << 20;

/// Who we are, and where that was said.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    /// What to prove.
    pub(crate) identity: Identity,
    /// The flag, variable, file or context that it came from.
    pub(crate) source: Option<String>,
}

/// What to prove to the server.
#[derive(Clone, Default)]
pub(crate) enum Identity {
    /// Nothing.
    #[default]
    Nobody,
    /// A token.
    Token(String),
    /// A user and a password.
    User(String, String),
    /// A key of which the server knows the public half (nkey).
    Key(Arc<KeyPair>),
    /// A signed description of the user (JWT); without a key only if the server lets it be carried
    /// by anybody (a bearer token).
    Signed(String, Option<Arc<KeyPair>>),
}

/// The fields of `CONNECT` that carry an identity (A06).
#[derive(Default)]
pub(crate) struct Proof {
    pub(crate) token: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// The public key.
    pub(crate) nkey: Option<String>,
    pub(crate) jwt: Option<String>,
    /// The server's nonce, signed; not encoded yet.
    pub(crate) signature: Option<Vec<u8>>,
}

/// An identity as somebody wrote it down: files and references are not looked into before it is
/// clear that this is the one to use.
#[derive(Clone)]
pub(crate) enum Claim {
    /// A token on the first line of a file.
    TokenFile(String),
    /// A token, or a reference to one.
    Token(String),
    /// A user, and a password or a reference to one.
    User(String, String),
    /// The file of a signed identity with its key (`.creds`), or a reference to its content.
    Creds(String),
    /// The file of a key's seed, or a reference to its content.
    Key(String),
    /// A signed identity and the seed of its key, or references to them.
    Signed(String, Option<String>),
    /// Something that the program `nsc` would have to look up.
    Nsc(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials(from {:?})", self.source)
    }
}

impl Identity {
    /// What goes into `CONNECT`, for a server that greeted with this nonce.
    pub(crate) fn proof(&self, nonce: &[u8]) -> Proof {
        // Signing needs the private half, which every key here was made from.
        let signed = |key: &KeyPair| key.sign(nonce).ok();
        let mut proof = Proof::default();
        match self {
            Self::Nobody => {}
            Self::Token(token) => proof.token = Some(token.clone()),
            Self::User(user, password) => {
                proof.user = Some(user.clone());
                proof.password = Some(password.clone());
            }
            Self::Key(key) => {
                proof.nkey = Some(key.public_key());
                proof.signature = signed(key);
            }
            Self::Signed(jwt, key) => {
                proof.jwt = Some(jwt.clone());
                proof.signature = match key {
                    Some(key) => signed(key),
                    None => Some(Vec::new()),
                };
            }
        }
        proof
    }
}

impl Proof {
    /// The signature as `CONNECT` carries it.
    pub(crate) fn encoded_signature(&self) -> Option<String> {
        self.signature
            .as_ref()
            .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl Claim {
    /// Looks into the files that it names. `source` is how the person will know it again.
    pub(crate) fn read(self, source: &str) -> Result<Credentials, Failure> {
        let literal = |written: &str| reference::literal(written, source);
        let mut source_shown = source.to_owned();
        let identity = match self {
            Self::TokenFile(path) => {
                let token = first_line(Path::new(&path))?;
                source_shown = path;
                Identity::Token(token)
            }
            Self::Token(token) => Identity::Token(literal(&token)?),
            Self::User(user, password) => Identity::User(user, literal(&password)?),
            Self::Creds(written) => {
                let content = reference::content(&written, source)?;
                source_shown = reference::shown(&written, source);
                let jwt = jwt_in(&content).ok_or_else(|| broken(text::no_jwt(&source_shown)))?;
                Identity::Signed(jwt, Some(key_in(&content, &source_shown)?))
            }
            Self::Key(written) => {
                let content = reference::content(&written, source)?;
                source_shown = reference::shown(&written, source);
                Identity::Key(key_in(&content, &source_shown)?)
            }
            Self::Signed(jwt, seed) => {
                let key = match seed {
                    Some(seed) => Some(key_in(&literal(&seed)?, source)?),
                    None => None,
                };
                let jwt = literal(&jwt)?;
                Identity::Signed(jwt_in(&jwt).unwrap_or(jwt), key)
            }
            Self::Nsc(written) => return Err(reference::nsc(&written, source)),
        };
        Ok(Credentials {
            identity,
            source: Some(source_shown),
        })
    }
}

/// Tells the person when a file that holds a secret is open to others.
pub(crate) fn warn_if_open(path: &Path) {
    if std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o077 != 0) {
        terminal::notice(&talk::token_file_open(&path.display().to_string()));
    }
}

/// The content of a file that holds a secret.
pub(crate) fn secret_file(path: &Path) -> Result<String, Failure> {
    let failed = |error: &std::io::Error| unreadable(path, error);
    let size = std::fs::metadata(path)
        .map_err(|error| failed(&error))?
        .len();
    if size > SECRET_BYTES_MAX {
        return Err(broken(text::too_large(&path.display().to_string())));
    }
    let content = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    warn_if_open(path);
    Ok(content)
}

/// The token on the first line of a file.
fn first_line(path: &Path) -> Result<String, Failure> {
    match secret_file(path)?.lines().next().map(str::trim) {
        Some(token) if !token.is_empty() => Ok(token.to_owned()),
        _ => Err(Failure::Local {
            what: failures::token_file_empty(&path.display().to_string()),
            next: failures::token_file_empty_next().to_owned(),
        }),
    }
}

/// What stands between the lines of dashes of a `.creds` file, block by block.
fn blocks(content: &str) -> Vec<&str> {
    let is_rule = |line: &str| line.starts_with("---") && line.ends_with("---");
    let mut lines = content
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if is_rule(line)
            && let Some(body) = lines.next().filter(|body| !is_rule(body))
        {
            found.push(body);
            // The rule below it.
            lines.next();
        }
    }
    found
}

fn jwt_in(content: &str) -> Option<String> {
    let candidate = blocks(content).first().copied().unwrap_or(content.trim());
    let is_jwt = candidate.split('.').count() == 3 && !candidate.contains(char::is_whitespace);
    is_jwt.then(|| candidate.to_owned())
}

/// The key made from the seed in `content`: its second block, or a line that looks like one.
fn key_in(content: &str, named: &str) -> Result<Arc<KeyPair>, Failure> {
    let mut lines = content.lines().map(str::trim);
    let seed = blocks(content)
        .get(1)
        .copied()
        .or_else(|| lines.find(|line| ["SU", "SA", "SO"].iter().any(|kind| line.starts_with(kind))))
        .ok_or_else(|| broken(text::no_seed(named)))?;
    match KeyPair::from_seed(seed) {
        Ok(key) => Ok(Arc::new(key)),
        // The library's error may repeat what it was given.
        Err(_) => Err(broken(text::bad_seed(named))),
    }
}

fn broken(what: String) -> Failure {
    Failure::Local {
        what,
        next: text::broken_next().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDS: &str = "-----BEGIN NATS USER JWT-----\neyJ0.eyJq.c2ln\n------END NATS USER JWT------\n\n\
        ************************* IMPORTANT *************************\nNKEY Seed printed below\n\n\
        -----BEGIN USER NKEY SEED-----\nSEED\n------END USER NKEY SEED------\n\n\
        *************************************************************\n";

    #[test]
    fn a_credentials_file_gives_its_jwt_and_its_key() {
        let key = KeyPair::new_user();
        let content = CREDS.replace("SEED\n-", &format!("{}\n-", key.seed().unwrap()));
        assert_eq!(jwt_in(&content).as_deref(), Some("eyJ0.eyJq.c2ln"));
        let read = key_in(&content, "a.creds").unwrap();
        assert_eq!(read.public_key(), key.public_key());
    }

    #[test]
    fn a_seed_may_stand_alone_and_what_is_none_is_not_repeated() {
        let key = KeyPair::new_user();
        let content = format!("# my key\n{}\n", key.seed().unwrap());
        assert_eq!(
            key_in(&content, "a.nk").unwrap().public_key(),
            key.public_key()
        );
        for content in ["", "nothing here", "SUSECRETBUTWRONG"] {
            let Err(failure) = key_in(content, "a.nk") else {
                panic!("{content} is no seed")
            };
            assert!(failure.what().contains("a.nk") && !failure.what().contains("SUSECRET"));
        }
        assert_eq!(jwt_in("not a jwt"), None);
    }

    #[test]
    fn a_key_proves_itself_by_signing_the_servers_nonce() {
        let key = KeyPair::new_user();
        let public = KeyPair::from_public_key(&key.public_key()).unwrap();
        let proof = Identity::Key(Arc::new(key)).proof(b"nonce");
        assert_eq!(proof.nkey, Some(public.public_key()));
        public.verify(b"nonce", &proof.signature.unwrap()).unwrap();
        let bearer = Identity::Signed("a.b.c".into(), None).proof(b"nonce");
        assert_eq!(bearer.encoded_signature().as_deref(), Some(""));
    }
}
