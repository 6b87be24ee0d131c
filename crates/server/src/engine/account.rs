//! Accounts: each has subjects of its own, and an index of who is subscribed to them (C40).
//!
//! What crosses from one to another does so by an import of what the other exports: see [`super::crossing`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use recado_router::{Router, Subscription as _};

use super::crossing::{Responses, StreamImport};
use super::latency::Measures;
use super::mapping::Mappings;
use super::plan::{AccountPlan, TracePlan};
use super::subscription::Subscription;

/// Account of clients that no other is named for; the name nats-server gives it.
pub(crate) const GLOBAL_ACCOUNT: &str = "$G";
/// Account of the server itself, unless another is named for it (A110).
pub(crate) const SYSTEM_ACCOUNT: &str = "$SYS";

/// One account.
pub(crate) struct Account {
    pub(crate) name: Arc<str>,
    /// Small, and never used for another account.
    pub(crate) number: u32,
    pub(crate) router: Router<Subscription>,
    /// Where requests that crossed into this account are answered.
    pub(crate) responses: Responses,
    /// Requests that crossed into this account and are measured.
    pub(crate) measures: Measures,
    /// Clients that are in it.
    pub(crate) clients: AtomicUsize,
    /// Shadows of this account's subscriptions in others, by the id of the subscription.
    shadows: Mutex<HashMap<u64, Vec<Shadowed>>>,
    terms: RwLock<Arc<Terms>>,
    /// [`Terms::mappings`] has any: else nobody looks.
    renames: AtomicBool,
    /// [`Terms::stream_imports`] has any: else nobody looks.
    imports_streams: AtomicBool,
    /// [`Terms::trace`] is there: else nobody looks.
    traces: AtomicBool,
}

/// Where a shadow stands.
type Shadowed = (Arc<Account>, Arc<Subscription>);

/// What is configured for an account, and changes as a whole when the configuration is read again.
#[derive(Default)]
pub(crate) struct Terms {
    pub(crate) limits: AccountLimits,
    /// Which subjects are renamed when they are published (C49).
    pub(crate) mappings: Mappings,
    /// What others export and this account takes as its own.
    pub(crate) stream_imports: Vec<Arc<StreamImport>>,
    /// Subscriptions in this account's index that stand for services of others.
    pub(crate) services: Vec<Arc<Subscription>>,
    /// All of it, as it was configured.
    pub(crate) plan: AccountPlan,
    /// Messages that other systems trace are traced here, too (A123).
    pub(crate) trace: Option<TracePlan>,
}

/// Bounds of an account (C41); `None`: the server's own holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountLimits {
    pub(crate) max_connections: Option<usize>,
    /// Of one connection.
    pub(crate) max_subscriptions: Option<usize>,
    /// Bytes of one message.
    pub(crate) max_payload: Option<usize>,
}

impl Account {
    fn new(name: &str, number: u32) -> Self {
        Self {
            name: name.into(),
            number,
            router: Router::default(),
            responses: Responses::default(),
            measures: Measures::default(),
            clients: AtomicUsize::new(0),
            shadows: Mutex::default(),
            terms: RwLock::default(),
            renames: AtomicBool::new(false),
            imports_streams: AtomicBool::new(false),
            traces: AtomicBool::new(false),
        }
    }

    /// What is configured for it now.
    pub(crate) fn terms(&self) -> Arc<Terms> {
        Arc::clone(&self.terms.read())
    }

    /// Whether any subject is renamed.
    #[inline]
    pub(crate) fn renames(&self) -> bool {
        self.renames.load(Ordering::Relaxed)
    }

    /// Whether messages that other systems trace are traced here, too.
    #[inline]
    pub(crate) fn traces(&self) -> bool {
        self.traces.load(Ordering::Relaxed)
    }

    /// Enters a subscription, and shadows of it where it imports what that asks for.
    pub(crate) fn enter(&self, sub: Arc<Subscription>) {
        if self.imports_streams.load(Ordering::Acquire) {
            self.cast_shadows(&sub, &self.terms().stream_imports);
        }
        self.router.insert(sub);
    }

    /// Puts a subscription in the place of another with the same filter.
    pub(super) fn replace(&self, old: &Subscription, new: Arc<Subscription>) {
        self.take_shadows(old);
        if self.imports_streams.load(Ordering::Acquire) {
            self.cast_shadows(&new, &self.terms().stream_imports);
        }
        self.router.replace(old, new);
    }

    /// Takes a subscription out again.
    pub(crate) fn leave(&self, sub: &Subscription) {
        self.router.remove(sub);
        self.take_shadows(sub);
    }

    /// Something changed about a subscription that routes took over: they are built anew.
    pub(crate) fn outdate(&self, sub: &Subscription) {
        self.router.outdate(sub);
        for (exporter, shadow) in self.shadows.lock().get(&sub.id()).into_iter().flatten() {
            exporter.router.outdate(shadow);
        }
    }

    /// Imports changed: the shadows of a subscription are made anew.
    pub(super) fn recast_shadows(&self, sub: &Arc<Subscription>) {
        self.take_shadows(sub);
        self.cast_shadows(sub, &self.terms().stream_imports);
    }

    fn cast_shadows(&self, sub: &Arc<Subscription>, imports: &[Arc<StreamImport>]) {
        let cast: Vec<Shadowed> = imports
            .iter()
            .filter_map(|import| {
                let filter = import.shadow_filter(sub.filter())?;
                let shadow = Arc::new(Subscription::shadow(sub, import, &filter));
                import.exporter.router.insert(Arc::clone(&shadow));
                Some((Arc::clone(&import.exporter), shadow))
            })
            .collect();
        if !cast.is_empty() {
            self.shadows.lock().insert(sub.id(), cast);
        }
    }

    fn take_shadows(&self, sub: &Subscription) {
        let mut shadows = self.shadows.lock();
        if shadows.is_empty() {
            return;
        }
        let taken = shadows.remove(&sub.id());
        drop(shadows);
        for (exporter, shadow) in taken.into_iter().flatten() {
            exporter.router.remove(&shadow);
        }
    }

    /// Configures it anew; what was before is given back.
    pub(super) fn set_terms(&self, terms: Terms) -> Arc<Terms> {
        let mut held = self.terms.write();
        self.renames
            .store(!terms.mappings.is_empty(), Ordering::Relaxed);
        self.traces.store(terms.trace.is_some(), Ordering::Relaxed);
        self.imports_streams
            .store(!terms.stream_imports.is_empty(), Ordering::Release);
        std::mem::replace(&mut *held, Arc::new(terms))
    }
}

/// All accounts of one server. None ever goes: one that is no longer configured has no users.
pub(crate) struct Accounts {
    by_name: RwLock<HashMap<Arc<str>, Arc<Account>>>,
    global: Arc<Account>,
    system: RwLock<Arc<Account>>,
    /// When imports of some account begin or end to hold next, in seconds since 1970.
    next_turn_s: AtomicU64,
}

impl Accounts {
    /// The two that every server has.
    pub(crate) fn new(system: &str) -> Self {
        let global = Arc::new(Account::new(GLOBAL_ACCOUNT, 0));
        let accounts = Self {
            by_name: RwLock::default(),
            system: RwLock::new(Arc::clone(&global)),
            next_turn_s: AtomicU64::new(u64::MAX),
            global,
        };
        let global = Arc::clone(&accounts.global);
        accounts
            .by_name
            .write()
            .insert(Arc::clone(&global.name), global);
        accounts.set_system(system);
        accounts
    }

    /// Account of clients that no other is named for.
    pub(crate) fn global(&self) -> &Arc<Account> {
        &self.global
    }

    /// Account of the server itself.
    pub(crate) fn system(&self) -> Arc<Account> {
        Arc::clone(&self.system.read())
    }

    /// Names the account of the server itself.
    pub(crate) fn set_system(&self, name: &str) {
        let account = self.get_or_add(name);
        *self.system.write() = account;
    }

    /// The one of this name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Account>> {
        self.by_name.read().get(name).cloned()
    }

    /// The one of this name, which is new if nobody spoke of it yet.
    pub(crate) fn get_or_add(&self, name: &str) -> Arc<Account> {
        if let Some(known) = self.get(name) {
            return known;
        }
        let mut all = self.by_name.write();
        let number = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let added = all
            .entry(name.into())
            .or_insert_with_key(|name| Arc::new(Account::new(name, number)));
        Arc::clone(added)
    }

    /// Imports of an account begin or end to hold then.
    pub(crate) fn note_turn(&self, at_s: Option<u64>) {
        if let Some(at_s) = at_s {
            self.next_turn_s.fetch_min(at_s, Ordering::AcqRel);
        }
    }

    /// Whether imports of some account are due to begin or end.
    pub(crate) fn has_turn(&self, now_s: u64) -> bool {
        self.next_turn_s.load(Ordering::Acquire) <= now_s
    }

    /// Whose imports are due; the next look is when others are.
    pub(crate) fn take_turns(&self, now_s: u64) -> Vec<Arc<Account>> {
        self.next_turn_s.store(u64::MAX, Ordering::Release);
        let mut due = self.all();
        due.retain(|account| match account.terms().plan.imports_turn_s {
            Some(at_s) if at_s <= now_s => true,
            later => {
                self.note_turn(later);
                false
            }
        });
        due
    }

    /// Everybody, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<Account>> {
        self.by_name.read().values().cloned().collect()
    }
}
