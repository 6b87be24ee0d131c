//! Where accounts that operators sign are found (C52): in the configuration, in a directory, on a server that is asked over
//! HTTP; and what happens when one is found, brought or taken away while the server runs (C53).

mod directory;
mod effect;
mod find;
mod requests;
mod server;

use std::io;

use recado_auth::Operator;
use recado_auth::jwt::Claims;

pub(crate) use self::requests::{Answer, ClaimsRequest, FILTERS};

use self::directory::AccountDirectory;
use self::find::Searches;
use self::server::{AccountsServer, NotFetched};
use crate::config::Options;
use crate::config::operator::ResolverOptions;
use crate::error::StartError;

/// Where accounts are found.
#[derive(Default)]
pub(crate) struct Resolver {
    place: Place,
    searches: Searches,
    /// What was asked for at the start: the system account, with its key.
    at_start: Option<(String, String)>,
}

#[derive(Default)]
enum Place {
    /// Only in the configuration.
    #[default]
    Memory,
    Directory(AccountDirectory),
    Server(AccountsServer),
}

impl Resolver {
    /// Makes ready what the options name.
    ///
    /// # Errors
    /// When accounts can't be asked for as configured.
    pub(crate) fn open(options: &Options) -> Result<Self, StartError> {
        let configured = options.operator.as_ref().map(|operator| &operator.resolver);
        let place = match configured {
            None | Some(ResolverOptions::Memory) => Place::Memory,
            Some(ResolverOptions::Url(url)) => {
                let operator = options.operator.as_ref();
                let tls = operator.and_then(|operator| operator.resolver_tls.as_ref());
                Place::Server(AccountsServer::new(url, tls).map_err(StartError::Tls)?)
            }
            Some(ResolverOptions::Directory(directory)) => {
                Place::Directory(AccountDirectory::open(directory))
            }
        };
        Ok(Self {
            place,
            ..Self::default()
        })
    }

    /// The same at the start of a server: whoever is to be asked must be there, and is asked for the system account.
    ///
    /// # Errors
    /// As [`Self::open`], and when nobody answers.
    pub(crate) fn open_at_start(options: &Options) -> Result<Self, StartError> {
        let mut resolver = Self::open(options)?;
        let Place::Server(server) = &resolver.place else {
            return Ok(resolver);
        };
        let system = options.system_account.as_deref();
        let asked = on_its_own_thread(async {
            server.fetch("").await?;
            let Some(system) = system else {
                return Ok(None);
            };
            match server.fetch(system).await {
                Ok(token) => Ok(Some((system.to_owned(), token))),
                Err(reason) => {
                    tracing::warn!(account = system, %reason, "the system account was not found");
                    Ok(None)
                }
            }
        });
        let asked = asked.map_err(StartError::Threads)?;
        resolver.at_start = asked.map_err(|why: NotFetched| {
            let url = server.shown();
            StartError::Options(format!("accounts can't be asked for at {url}: {why}"))
        })?;
        Ok(resolver)
    }

    /// Hands every account that is kept here to `take`, with its key, which says when its claims end.
    pub(crate) fn read_all(&self, now_s: u64, take: &mut impl FnMut(&str, &str) -> Option<u64>) {
        if let Place::Directory(directory) = &self.place {
            directory.read_all(now_s, &mut *take);
        }
        if let Some((name, token)) = &self.at_start {
            take(name, token.trim());
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
            Place::Memory | Place::Server(_) => None,
        }
    }

    /// Whether it keeps nothing, but is asked when an account is needed.
    pub(crate) fn is_asked(&self) -> bool {
        matches!(self.place, Place::Server(_))
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

/// Waits for something, from wherever that may be: the caller may be part of a runtime.
fn on_its_own_thread<T: Send>(work: impl Future<Output = T> + Send) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::scope(|scope| {
        let waited = std::thread::Builder::new()
            .name("recado-resolver".to_owned())
            .spawn_scoped(scope, move || {
                let done = runtime.block_on(work);
                // A look-up of a host's name may still be going on.
                runtime.shutdown_background();
                done
            })?;
        waited
            .join()
            .map_err(|_| io::Error::other("looking for accounts panicked"))
    })
}
