//! What was said about the connection on one level: the command line, the environment, a context.
//!
//! A level only collects; no file is opened and nothing is judged before it is clear which level
//! counts ([`crate::settings`]).

use std::path::PathBuf;

use crate::args::Global;
use crate::contexts::Context;
use crate::credentials::Claim;
use crate::failure::Failure;
use crate::reference;
use crate::text::credentials as text;

/// One level's word on everything that makes a connection; `None` where it says nothing.
#[derive(Default)]
pub(crate) struct Given {
    /// The servers, and the flag, variable or context that named them.
    pub(crate) server: Option<(String, String)>,
    /// Who we are, and where that was said.
    pub(crate) claim: Option<(Claim, String)>,
    /// The authorities to trust.
    pub(crate) authority: Option<PathBuf>,
    /// Our certificate.
    pub(crate) certificate: Option<PathBuf>,
    /// Its private key.
    pub(crate) key: Option<PathBuf>,
    /// TLS before the greeting.
    pub(crate) tls_first: bool,
    /// What the subjects of replies to us start with.
    pub(crate) inbox_prefix: Option<String>,
    /// A way round that we can't take, and who asks for it.
    pub(crate) proxy: Option<(String, String)>,
}

impl Given {
    /// The flags.
    pub(crate) fn on_command_line(global: &Global) -> Self {
        let path = |path: &Option<PathBuf>| path.clone();
        Self {
            server: global
                .server
                .clone()
                .map(|server| (server, "--server".to_owned())),
            claim: claim_on_command_line(global),
            authority: path(&global.tlsca),
            certificate: path(&global.tlscert),
            key: path(&global.tlskey),
            tls_first: global.tlsfirst,
            inbox_prefix: global.inbox_prefix.clone(),
            proxy: None,
        }
    }

    /// The variables, those of the `nats` CLI and `RECADO_TOKEN`.
    pub(crate) fn in_environment() -> Self {
        let named = |name: &str| variable(name).map(|value| (value, name.to_owned()));
        let path = |name| variable(name).map(|written| reference::path(&written));
        Self {
            server: named("NATS_URL"),
            claim: claim_in_environment(),
            authority: path("NATS_CA"),
            certificate: path("NATS_CERT"),
            key: path("NATS_KEY"),
            tls_first: false,
            inbox_prefix: None,
            proxy: named("NATS_SOCKS_PROXY"),
        }
    }

    /// A context's keys (ADR-21).
    pub(crate) fn in_context(context: &Context) -> Result<Self, Failure> {
        let source = text::source_context(&context.name);
        let named = |key| Ok(context.text(key)?.map(|value| (value, source.clone())));
        let path = |key| Ok(context.text(key)?.map(|written| reference::path(&written)));
        if let Some(store) = context.text("windows_cert_store")? {
            return Err(context.refuse(text::windows_store(&source, &store)));
        }
        let nsc = context.text("nsc")?;
        let server = match (named("url")?, &nsc) {
            // Without its own URL the one that nsc knows is meant; no other may take its place.
            (None, Some(written)) if context.text("creds")?.is_none() => {
                return Err(reference::nsc(written, &source));
            }
            (server, _) => server,
        };
        Ok(Self {
            server,
            claim: claim_in_context(context)?.map(|claim| (claim, source.clone())),
            authority: path("ca")?,
            certificate: path("cert")?,
            key: path("key")?,
            tls_first: context.flag("tls_first")?,
            inbox_prefix: context.text("inbox_prefix")?,
            proxy: named("socks_proxy")?,
        })
    }
}

/// A variable, if it is set to something.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn claim_on_command_line(global: &Global) -> Option<(Claim, String)> {
    let written = |path: &PathBuf| path.display().to_string();
    let (claim, source) = if let Some(path) = &global.token_file {
        (Claim::TokenFile(written(path)), "--token-file")
    } else if let Some(token) = &global.token {
        (Claim::Token(token.clone()), "--token")
    } else if let Some(user) = &global.user {
        let password = global.password.clone();
        let password = password.or_else(|| variable("NATS_PASSWORD"));
        (user_or_token(user.clone(), password), "--user")
    } else if let Some(creds) = &global.creds {
        (Claim::Creds(creds.clone()), "--creds")
    } else if let Some(key) = &global.nkey {
        (Claim::Key(key.clone()), "--nkey")
    } else if let Some(jwt) = &global.jwt {
        let seed = global.seed.clone().or_else(|| variable("NATS_SEED"));
        (Claim::Signed(jwt.clone(), seed), "--jwt")
    } else {
        return None;
    };
    Some((claim, source.to_owned()))
}

fn claim_in_environment() -> Option<(Claim, String)> {
    for name in ["RECADO_TOKEN", "NATS_TOKEN"] {
        if let Some(token) = variable(name) {
            return Some((Claim::Token(token), name.to_owned()));
        }
    }
    let (claim, source) = if let Some(user) = variable("NATS_USER") {
        (user_or_token(user, variable("NATS_PASSWORD")), "NATS_USER")
    } else if let Some(creds) = variable("NATS_CREDS") {
        (Claim::Creds(creds), "NATS_CREDS")
    } else if let Some(key) = variable("NATS_NKEY") {
        (Claim::Key(key), "NATS_NKEY")
    } else if let Some(jwt) = variable("NATS_JWT") {
        (Claim::Signed(jwt, variable("NATS_SEED")), "NATS_JWT")
    } else {
        return None;
    };
    Some((claim, source.to_owned()))
}

/// A user who comes without a password is a token: that is how the `nats` CLI takes it.
fn user_or_token(user: String, password: Option<String>) -> Claim {
    match password {
        Some(password) => Claim::User(user, password),
        None => Claim::Token(user),
    }
}

/// In the order in which the `nats` CLI looks, should there be several.
fn claim_in_context(context: &Context) -> Result<Option<Claim>, Failure> {
    if let Some(user) = context.text("user")? {
        let password = context.text("password")?.unwrap_or_default();
        return Ok(Some(Claim::User(user, password)));
    }
    if let Some(creds) = context.text("creds")? {
        return Ok(Some(Claim::Creds(creds)));
    }
    if let Some(nsc) = context.text("nsc")? {
        return Ok(Some(Claim::Nsc(nsc)));
    }
    if let Some(key) = context.text("nkey")? {
        return Ok(Some(Claim::Key(key)));
    }
    if let Some(jwt) = context.text("user_jwt")? {
        return Ok(Some(Claim::Signed(jwt, context.text("user_seed")?)));
    }
    Ok(context.text("token")?.map(Claim::Token))
}
