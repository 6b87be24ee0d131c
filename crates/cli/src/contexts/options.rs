//! The options for connecting, put into a context to stay there.

use super::Context;
use crate::args::Global;
use crate::reference;

impl Context {
    /// Takes over who we are and whom we trust, as far as the options say it. Whether they say who
    /// we are: then nothing of an earlier identity is left.
    pub(crate) fn take(&mut self, global: &Global) -> bool {
        for (key, path) in [
            ("ca", &global.tlsca),
            ("cert", &global.tlscert),
            ("key", &global.tlskey),
        ] {
            if let Some(path) = path {
                self.set(key, reference::lasting(&path.display().to_string()));
            }
        }
        if global.tlsfirst {
            self.set("tls_first", true);
        }
        if let Some(prefix) = &global.inbox_prefix {
            self.set("inbox_prefix", prefix.as_str());
        }
        let identity = identity(global);
        if identity.is_empty() {
            return false;
        }
        self.forget_identity();
        for (key, value) in identity {
            self.set(key, value);
        }
        true
    }
}

/// The keys that say who we are. A user without a password says nothing yet.
fn identity(global: &Global) -> Vec<(&'static str, String)> {
    if let Some(path) = &global.token_file {
        let path = reference::lasting(&path.display().to_string());
        vec![("token", format!("file://{path}"))]
    } else if let Some(token) = &global.token {
        vec![("token", token.clone())]
    } else if let (Some(user), Some(password)) = (&global.user, &global.password) {
        vec![("user", user.clone()), ("password", password.clone())]
    } else if let Some(creds) = &global.creds {
        vec![("creds", reference::lasting(creds))]
    } else if let Some(key) = &global.nkey {
        vec![("nkey", reference::lasting(key))]
    } else if let Some(jwt) = &global.jwt {
        let seed = global.seed.clone().map(|seed| ("user_seed", seed));
        std::iter::once(("user_jwt", jwt.clone()))
            .chain(seed)
            .collect()
    } else {
        Vec::new()
    }
}
