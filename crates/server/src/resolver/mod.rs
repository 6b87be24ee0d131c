//! Where accounts that operators sign are found (C52): in the configuration, in a directory, on a server that is asked over
//! HTTP; and what happens when one is found, brought or taken away while the server runs (C53).

mod directory;
mod effect;
mod requests;

use recado_auth::Operator;
use recado_auth::jwt::Claims;

pub(crate) use self::requests::{Answer, Asker, ClaimsRequest, FILTERS};

use self::directory::AccountDirectory;
use crate::config::Options;
use crate::config::operator::ResolverOptions;
use crate::error::StartError;

/// Where accounts are found.
#[derive(Default)]
pub(crate) struct Resolver {
    place: Place,
}

#[derive(Default)]
enum Place {
    /// Only in the configuration.
    #[default]
    Memory,
    Directory(AccountDirectory),
}

impl Resolver {
    /// Makes ready what the options name.
    ///
    /// # Errors
    /// When accounts can't be asked for as configured.
    pub(crate) fn open(options: &Options) -> Result<Self, StartError> {
        let configured = options.operator.as_ref().map(|operator| &operator.resolver);
        let place = match configured {
            None | Some(ResolverOptions::Memory | ResolverOptions::Url(_)) => Place::Memory,
            Some(ResolverOptions::Directory(directory)) => {
                Place::Directory(AccountDirectory::open(directory))
            }
        };
        Ok(Self { place })
    }

    /// Hands every account that is kept here to `take`, with its key, which says when its claims end.
    pub(crate) fn read_all(&self, now_s: u64, take: &mut impl FnMut(&str, &str) -> Option<u64>) {
        if let Place::Directory(directory) = &self.place {
            directory.read_all(now_s, take);
        }
    }

    /// Keeps what was preloaded, unless something newer is known.
    pub(crate) fn keep_preloaded(
        &self,
        operator: &Operator,
        preload: &[(String, String)],
        now_s: u64,
    ) {
        let Place::Directory(directory) = &self.place else {
            return;
        };
        for (name, token) in preload {
            let id = Claims::decode_account(token).map(|claims| claims.id);
            let known = operator.account(name).map(|claims| claims.id.clone());
            if id.ok() == known
                && let Err(error) = directory.save(name, token, now_s)
            {
                tracing::warn!(account = name, %error, "a preloaded account can't be kept");
            }
        }
    }

    fn directory(&self) -> Option<&AccountDirectory> {
        match &self.place {
            Place::Directory(directory) => Some(directory),
            Place::Memory => None,
        }
    }

    /// Whether it keeps nothing, but is asked when an account is needed.
    pub(crate) fn is_asked(&self) -> bool {
        false
    }

    /// Whether accounts may come while the server runs.
    pub(crate) fn takes_accounts(&self) -> bool {
        !matches!(self.place, Place::Memory)
    }

    /// Does what is due from time to time.
    pub(crate) fn tidy(&self, now_s: u64) {
        if let Place::Directory(directory) = &self.place {
            directory.tidy(now_s);
        }
    }
}
