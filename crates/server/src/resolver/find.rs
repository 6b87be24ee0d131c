//! Looking for accounts that logins need and nobody knows yet, or whose claims have ended (C52).
//!
//! Anybody can make claims that name an account, so this is bounded: so many look at once, those that need the same account
//! wait for one answer, and a server is not asked for the same account twice within a second.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::Mutex;
use recado_auth::jwt::{AccountClaims, Claims};
use recado_auth::{AccountName, Operator};
use tokio::sync::Semaphore;

use super::effect::Change;
use super::{Place, Resolver};
use crate::engine::{Engine, look_up};
use crate::operator::now_s;
use crate::reload::Reloader;

/// Accounts that are looked for at once where accounts are found, ...
const SEARCHES_MAX: usize = 8;
/// ... and asked for in the system account. Whoever listens there may never answer: that must not keep others from what is
/// at hand, so beyond it nobody is asked.
const QUESTIONS_MAX: usize = 8;
/// Accounts that are looked for, or were lately.
const REMEMBERED_MAX: usize = 1_024;
/// Accounts that are looked for because the one that was needed imports from them, or they do.
const EXPORTERS_MAX: usize = 64;
/// Time between two questions about one account, as with nats-server.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// When the last search for an account ended without it; held while somebody looks.
type Search = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// Accounts that are being looked for.
pub(super) struct Searches {
    permits: Semaphore,
    questions: Semaphore,
    by_name: Mutex<HashMap<AccountName, Search>>,
}

impl Default for Searches {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(SEARCHES_MAX),
            questions: Semaphore::new(QUESTIONS_MAX),
            by_name: Mutex::default(),
        }
    }
}

impl Searches {
    /// The search for an account; `None`: too many are going on.
    fn of(&self, name: &AccountName) -> Option<Search> {
        let mut by_name = self.by_name.lock();
        if by_name.len() >= REMEMBERED_MAX && !by_name.contains_key(name) {
            // Those that somebody waits for stay.
            by_name.retain(|_, search| Arc::strong_count(search) > 1);
            if by_name.len() >= REMEMBERED_MAX {
                return None;
            }
        }
        Some(Arc::clone(by_name.entry(Arc::clone(name)).or_default()))
    }
}

impl Reloader {
    /// Looks for an account. Whether it is known now, so that a login can be decided on again.
    pub(crate) async fn find(self: Arc<Self>, name: AccountName) -> bool {
        let resolver = self.resolver();
        if matches!(resolver.place, Place::Memory) {
            return false;
        }
        let Some(search) = resolver.searches.of(&name) else {
            return false;
        };
        let looking = async {
            let mut last = search.lock().await;
            if self.operator().is_some_and(|one| holds(&one, &name)) {
                return true;
            }
            let lately = last.is_some_and(|last| last.elapsed() < AGAIN_AFTER);
            if lately && resolver.is_asked() {
                return false;
            }
            // Its directory is looked at each time, others are not; who would tell of the system account is not let in yet.
            let operator = self.operator();
            let system = operator.as_ref().and_then(|one| one.system_account());
            let asks = !lately && system != Some(&name);
            let asking = asks.then(|| Arc::clone(&self.engine));
            let found = Arc::clone(&self).look(&resolver, &name, asking).await;
            *last = (!found).then(Instant::now);
            found
        };
        let found = tokio::time::timeout(resolver.patience(), Box::pin(looking)).await;
        if found.is_err() {
            tracing::warn!(account = &*name, "looking for the account took too long");
        }
        found.unwrap_or(false)
    }

    /// Does what is due from time to time: what is over goes, and the system account is looked for until it is found.
    pub(crate) fn keep_house(self: &Arc<Self>) {
        let resolver = self.resolver();
        resolver.tidy(now_s());
        let operator = self.operator().filter(|one| one.is_bootstrapping());
        if let Some(system) = operator.and_then(|one| one.system_account().cloned()) {
            let reloader = Arc::clone(self);
            tokio::spawn(async move {
                if reloader.find(Arc::clone(&system)).await {
                    tracing::info!(account = &*system, "the system account was found");
                }
            });
        }
    }

    /// `asking`: whoever knows accounts in the system account may be asked.
    async fn look(
        self: Arc<Self>,
        resolver: &Arc<Resolver>,
        name: &str,
        asking: Option<Arc<Engine>>,
    ) -> bool {
        let Some(operator) = self.operator() else {
            return false;
        };
        let found = gather(resolver, &operator, name, asking.as_ref()).await;
        if !found.iter().any(|claims| claims.subject == name) {
            return false;
        }
        let (name, resolver) = (name.to_owned(), Arc::clone(resolver));
        // It waits for a reload that is going on, and for the streams.
        let taken = tokio::task::spawn_blocking(move || {
            let options = self.options.lock();
            // A reload may have put another in its place.
            let Some(operator) = self.operator() else {
                return false;
            };
            let mut new = found;
            new.retain(|claims| is_news(&operator, claims));
            let change = Change {
                new,
                ..Change::default()
            };
            let keep = || {
                resolver.keep_found(&change.new);
                Ok(())
            };
            if let Err(error) = self.change(&options, &operator, &change, keep) {
                tracing::error!(account = name, error, "the account can't be served");
            }
            holds(&operator, &name)
        });
        taken.await.unwrap_or(false)
    }
}

/// Whether claims of the account are known that an operator signed, and that hold now.
fn holds(operator: &Operator, name: &str) -> bool {
    let known = operator.account(name);
    known.is_some_and(|claims| !claims.issuer.is_empty() && claims.check_time(now_s()).is_ok())
}

/// Whether claims are to be trusted, and newer than what is known.
fn is_news(operator: &Operator, claims: &Claims<AccountClaims>) -> bool {
    let known = operator.account(&claims.subject);
    let old = known.is_some_and(|known| known.id == claims.id || known.issued_s > claims.issued_s);
    operator.is_trusted(&claims.issuer) && !old
}

/// The claims of an account, and of those that it imports from as far as they are not known.
async fn gather(
    resolver: &Arc<Resolver>,
    operator: &Operator,
    name: &str,
    asking: Option<&Arc<Engine>>,
) -> Vec<Arc<Claims<AccountClaims>>> {
    let deadline = Instant::now() + resolver.patience() * 9 / 10;
    let mut wanted = VecDeque::from([name.to_owned()]);
    let mut seen = vec![name.to_owned()];
    let mut found = Vec::new();
    while let Some(name) = wanted.pop_front() {
        let looking = obtain(resolver, operator, &name, asking);
        let claims = tokio::time::timeout_at(deadline.into(), looking).await;
        let claims = claims.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let claims = match claims {
            Ok(claims) => claims,
            Err(reason) => {
                tracing::warn!(account = name, reason, "the account was not found");
                continue;
            }
        };
        for import in &claims.nats.imports {
            let exporter = &import.account;
            let known = seen.contains(exporter) || operator.account(exporter).is_some();
            if !known && seen.len() < EXPORTERS_MAX {
                seen.push(exporter.clone());
                wanted.push_back(exporter.clone());
            }
        }
        found.push(Arc::new(claims));
    }
    found
}

/// Claims that hold, from where accounts are found; or from whoever is connected to the system account, where a directory
/// has none that do.
async fn obtain(
    resolver: &Arc<Resolver>,
    operator: &Operator,
    name: &str,
    asking: Option<&Arc<Engine>>,
) -> Result<Claims<AccountClaims>, String> {
    let searches = &resolver.searches;
    let own = {
        let permit = searches.permits.acquire().await;
        let _permit = permit.map_err(|closed| closed.to_string())?;
        resolver.get(name).await
    };
    let own = own.and_then(|token| accepted(operator, name, &token));
    match (own, asking) {
        (Err(why), Some(engine)) if resolver.directory().is_some() => {
            let Ok(_question) = searches.questions.try_acquire() else {
                return Err(format!("{why}; too many are asked for already"));
            };
            let asked = look_up(engine, name, resolver.patience()).await;
            let asked = asked.and_then(|token| accepted(operator, name, &token));
            asked.map_err(|also| format!("{why}; asked in the system account: {also}"))
        }
        (own, _) => own,
    }
}

fn accepted(operator: &Operator, name: &str, token: &str) -> Result<Claims<AccountClaims>, String> {
    let claims = operator.check_update(token.trim(), now_s());
    let claims = claims.map_err(|why| why.to_string())?;
    match claims.subject == name {
        true => Ok(claims),
        false => Err(format!("this is the JWT of {}", claims.subject)),
    }
}

impl Resolver {
    /// Time that a login waits for it in all, exporters included.
    fn patience(&self) -> Duration {
        let directory = self.directory().map(|directory| directory.options());
        let configured = directory.and_then(|options| options.lookup_timeout);
        configured.unwrap_or(super::server::ANSWER_MAX)
    }

    /// Keeps what was found, unless it is there.
    fn keep_found(&self, found: &[Arc<Claims<AccountClaims>>]) {
        let Some(directory) = self.directory() else {
            return;
        };
        for claims in found {
            let name = &claims.subject;
            let token = &*claims.nats.token;
            let kept = directory.load(name, now_s()).ok().flatten();
            if kept.is_some_and(|kept| kept.trim() == token) {
                continue;
            }
            if let Err(error) = directory.save(name, token, now_s()) {
                tracing::warn!(account = name, %error, "an account that was found can't be kept");
            }
        }
    }

    /// The token of an account, from where accounts are found.
    async fn get(self: &Arc<Self>, name: &str) -> Result<String, String> {
        match &self.place {
            Place::Memory => Err("accounts are in the configuration only".to_owned()),
            Place::Server(server) => server.fetch(name).await.map_err(|why| why.to_string()),
            Place::Directory(_) => {
                let (resolver, name) = (Arc::clone(self), name.to_owned());
                let loaded = tokio::task::spawn_blocking(move || {
                    let loaded = resolver.directory().map(|one| one.load(&name, now_s()));
                    loaded.unwrap_or(Ok(None)).map_err(|why| why.to_string())
                });
                let loaded = loaded.await.map_err(|why| why.to_string())?;
                loaded?.ok_or_else(|| "it is not in the directory".to_owned())
            }
        }
    }
}
