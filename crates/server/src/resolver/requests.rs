//! What is asked about claims in the system account (A118, C53): pushing, listing, looking up, packing and deleting
//! accounts, in the words of nats-server, so that `nsc` understands them.

use std::fmt::Display;
use std::sync::Arc;

use recado_auth::Operator;
use recado_auth::jwt::{Claims, InvalidToken};
use serde_json::{Value, json};

use super::directory::AccountDirectory;
use super::effect::Change;
use super::{Place, Resolver};
use crate::config::Options;
use crate::operator::now_s;
use crate::reload::Reloader;
use crate::system::Asker;

/// Subjects that are asked on.
pub(crate) const FILTERS: [&str; 4] = [
    "$SYS.REQ.CLAIMS.*",
    "$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE",
    "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP",
    // As older servers called it.
    "$SYS.ACCOUNT.*.CLAIMS.UPDATE",
];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimsRequest<'a> {
    /// An account's claims are brought; which account's, where the subject says it.
    Update(Option<&'a str>),
    /// Accounts are to go.
    Delete,
    /// Which accounts there are.
    List,
    /// The claims of all accounts.
    Pack,
    /// The claims of one account.
    Lookup(&'a str),
}

impl<'a> ClaimsRequest<'a> {
    /// What a subject asks, if it is one of these.
    pub(crate) fn of(subject: &'a str) -> Option<Self> {
        let tokens: Vec<&str> = subject.split('.').collect();
        Some(match tokens[..] {
            ["$SYS", "REQ", "CLAIMS", "UPDATE"] => Self::Update(None),
            ["$SYS", "REQ", "CLAIMS", "DELETE"] => Self::Delete,
            ["$SYS", "REQ", "CLAIMS", "LIST"] => Self::List,
            ["$SYS", "REQ", "CLAIMS", "PACK"] => Self::Pack,
            ["$SYS", "REQ", "ACCOUNT", account, "CLAIMS", "UPDATE"]
            | ["$SYS", "ACCOUNT", account, "CLAIMS", "UPDATE"] => Self::Update(Some(account)),
            ["$SYS", "REQ", "ACCOUNT", account, "CLAIMS", "LOOKUP"] => Self::Lookup(account),
            _ => return None,
        })
    }
}

/// What is answered.
pub(crate) enum Answer {
    /// JSON, to which the server adds who it is.
    Json(Value),
    /// A token, or nothing.
    Token(Vec<u8>),
    /// One message for each of these accounts, then an empty one.
    Pack(Vec<String>),
}

impl Answer {
    /// As nats-server says that something was done.
    fn done(account: Option<&str>, message: String) -> Self {
        let mut data = json!({"code": 200, "message": message});
        if let Some(account) = account {
            data["account"] = account.into();
        }
        Self::Json(json!({ "data": data }))
    }

    /// As nats-server says that something failed.
    fn failed(account: Option<&str>, message: &str, why: &dyn Display) -> Self {
        let mut error = json!({"code": 500, "description": format!("{message} - {why}")});
        if let Some(account) = account {
            error["account"] = account.into();
        }
        Self::Json(json!({ "error": error }))
    }
}

impl Reloader {
    /// Does what is asked, and says what came of it.
    pub(crate) fn ask(
        &self,
        request: ClaimsRequest<'_>,
        payload: &[u8],
        asker: &Asker,
    ) -> Option<Answer> {
        // A reload meanwhile would put another operator and another resolver in the places of these.
        let changes = matches!(request, ClaimsRequest::Update(_) | ClaimsRequest::Delete);
        let held = changes.then(|| self.options.lock());
        let resolver = self.resolver();
        let Some(operator) = self.operator() else {
            let why = "this server has no operator";
            return Some(Answer::failed(None, "claims can't be had", &why));
        };
        let directory = resolver.directory();
        if let (ClaimsRequest::Update(account), Some(options)) = (request, &held) {
            let update = Update {
                reloader: self,
                options,
                operator: &operator,
                resolver: &resolver,
                asker,
            };
            return Some(update.take(account, payload));
        }
        if let (ClaimsRequest::Delete, Some(options), Some(directory)) = (request, &held, directory)
        {
            return Some(self.delete(options, &operator, directory, payload, asker));
        }
        Some(match (request, directory) {
            (ClaimsRequest::List, Some(directory)) => {
                Answer::Json(json!({"data": directory.keys(now_s())}))
            }
            (ClaimsRequest::Pack, Some(directory)) => match payload == directory.hash() {
                true => Answer::Pack(Vec::new()),
                false => Answer::Pack(directory.keys(now_s())),
            },
            // What this server asks is for others to answer.
            (ClaimsRequest::Lookup(account), Some(directory))
                if !directory.is_cache() && asker.is_client() =>
            {
                match directory.load(account, now_s()) {
                    Ok(token) => Answer::Token(token.unwrap_or_default().into_bytes()),
                    Err(error) => {
                        tracing::warn!(account, %error, "an account's JWT can't be read");
                        return None;
                    }
                }
            }
            // Whoever keeps them all answers.
            (ClaimsRequest::Lookup(_), _) => return None,
            _ => {
                let why = "this server's resolver keeps no accounts: it needs one of type full";
                Answer::failed(None, "claims can't be had", &why)
            }
        })
    }

    /// One line of a pack; `None` if the account is gone.
    pub(crate) fn packed(&self, account: &str) -> Option<Vec<u8>> {
        let resolver = self.resolver();
        let token = resolver.directory()?.load(account, now_s()).ok()??;
        (!token.is_empty()).then(|| format!("{account}|{token}").into_bytes())
    }

    fn delete(
        &self,
        options: &Options,
        operator: &Operator,
        directory: &AccountDirectory,
        payload: &[u8],
        asker: &Asker,
    ) -> Answer {
        let request = String::from_utf8_lossy(payload);
        let request = Claims::decode_deletion(request.trim());
        let by = request.as_ref().map(|one| one.subject.clone());
        let by = by.unwrap_or_default();
        let accounts = request.map_err(|why| why.to_string()).and_then(|request| {
            let accounts = request.nats.accounts.clone();
            let system = operator.system_account();
            if !directory.options().allow_delete {
                Err("delete must be enabled in server config".to_owned())
            } else if !operator.is_trusted(&request.issuer) {
                Err("not trusted".to_owned())
            } else if let Err(why) = request.check_time(now_s()) {
                Err(why.to_string())
            } else if accounts
                .iter()
                .any(|one| system.is_some_and(|name| **name == **one))
            {
                Err("not allowed to delete system account".to_owned())
            } else {
                Ok(accounts)
            }
        });
        let by_client = asker.shown();
        let accounts = match accounts {
            Ok(accounts) => accounts,
            Err(reason) => {
                tracing::warn!(
                    by = by_client,
                    operator = by,
                    reason,
                    "accounts were not deleted"
                );
                let message = format!("delete accounts request by {by} failed");
                return Answer::failed(None, &message, &reason);
            }
        };
        let (mut gone, mut errors) = (Vec::new(), Vec::new());
        for account in accounts {
            match directory.delete(&account) {
                Ok(_) => gone.push(account),
                Err(error) => errors.push(error.to_string()),
            }
        }
        let deleted = gone.len();
        for account in &gone {
            tracing::info!(
                by = by_client,
                operator = by,
                account,
                "the account was deleted"
            );
        }
        let change = Change {
            gone,
            ..Change::default()
        };
        if let Err(error) = self.change(options, operator, &change, || Ok(())) {
            errors.push(error);
        }
        match errors.is_empty() {
            true => Answer::done(None, format!("deleted {deleted} accounts")),
            false => {
                let failed = errors.len();
                let message = format!("deleted {deleted} accounts, failed for {failed}");
                Answer::failed(None, &message, &errors.join("\n"))
            }
        }
    }
}

/// Claims that somebody brings.
struct Update<'a> {
    reloader: &'a Reloader,
    options: &'a Options,
    operator: &'a Operator,
    resolver: &'a Resolver,
    asker: &'a Asker,
}

impl Update<'_> {
    /// How nats-server calls it, by where accounts are kept.
    fn word(&self) -> &'static str {
        match &self.resolver.place {
            Place::Directory(directory) if directory.is_cache() => "jwt update cache",
            _ => "jwt update",
        }
    }

    /// Takes the claims over. `named` is the account that the subject speaks of.
    fn take(&self, named: Option<&str>, payload: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(payload);
        let token = text.trim();
        let claims = match Claims::decode_account(token) {
            Ok(claims) => claims,
            Err(why) => return self.refused("n/a", "resulted in error", &why),
        };
        let account = claims.subject.as_str();
        if let Some(named) = named.filter(|named| *named != account) {
            let why = "subject does not match jwt content";
            return self.refused(named, "resulted in error", &why);
        }
        if let Err(why) = self.operator.check_update(token, now_s()) {
            return match why {
                InvalidToken::Expired | InvalidToken::NotYet => self.invalid(account, &why),
                _ => self.refused(account, "resulted in error", &why),
            };
        }
        let directory = self.resolver.directory();
        let takes_new = directory.is_some_and(|directory| !directory.is_cache());
        let known = self.operator.account(account);
        if known.is_none() && !takes_new {
            return Answer::done(Some(account), format!("{} skipped", self.word()));
        }
        let (name, id) = (claims.subject.clone(), claims.id.clone());
        let keep = || match directory {
            Some(directory) => directory
                .save(&name, token, now_s())
                .map_err(|why| why.to_string()),
            None => Ok(()),
        };
        let is_known = known.is_some_and(|known| known.id == id);
        let kept = match is_known {
            true => keep().map(|()| 0),
            false => {
                let change = Change {
                    new: vec![Arc::new(claims)],
                    ..Change::default()
                };
                let (options, operator) = (self.options, self.operator);
                self.reloader.change(options, operator, &change, keep)
            }
        };
        match kept {
            Ok(dismissed) => {
                tracing::info!(
                    by = self.asker.shown(),
                    account = name,
                    id,
                    dismissed,
                    "the account's claims were updated"
                );
                let done = match self.word() {
                    "jwt update cache" => "jwt updated cache",
                    _ => "jwt updated",
                };
                Answer::done(Some(&name), done.to_owned())
            }
            Err(why) => self.refused(&name, "resulted in error", &why),
        }
    }

    /// Claims that do not hold now.
    fn invalid(&self, account: &str, why: &dyn Display) -> Answer {
        let message = match self.word() {
            "jwt update" => "jwt validation failed".to_owned(),
            word => format!("{word} validation failed"),
        };
        self.tell(account, &message, why)
    }

    fn refused(&self, account: &str, step: &str, why: &dyn Display) -> Answer {
        self.tell(account, &format!("{} {step}", self.word()), why)
    }

    fn tell(&self, account: &str, message: &str, why: &dyn Display) -> Answer {
        tracing::warn!(by = self.asker.shown(), account, reason = %why, "the account's claims were refused");
        Answer::failed(Some(account), message, why)
    }
}
