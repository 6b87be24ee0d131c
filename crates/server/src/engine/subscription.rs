//! Subscriptions, and the table of those that one connection holds.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use hashbrown::HashTable;

use recado_auth::Permissions;
use recado_streams::api::is_call;

use super::connection::Connection;
use super::crossing::{ServiceImport, StreamImport};

/// Which messages tell who published them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// None.
    Untold,
    /// All (the built-in service).
    Told,
    /// Those that are calls of the streams' API.
    ToldOfCalls,
}

/// One SUB. The router holds it while it is live, cached routes a little longer; neither keeps
/// the connection open.
pub(crate) struct Subscription {
    id: u64,
    pub(crate) connection: Weak<Connection>,
    pub(crate) connection_id: u64,
    pub(crate) slot: u32,
    filter_len: u32,
    queue_len: u32,
    is_queue: bool,
    /// The receiver understands HMSG.
    pub(crate) headers: AtomicBool,
    origin: Origin,
    /// What most subscriptions have nothing of.
    special: Option<Box<Special>>,
    /// Filter, queue group and sid in one piece.
    text: Box<[u8]>,
    /// Messages delivered since creation.
    pub(crate) delivered: AtomicU64,
    /// Deliveries after which it ends; 0: none.
    pub(crate) max: AtomicU64,
}

/// What sets a subscription apart from what its SUB says.
#[derive(Default)]
pub(crate) struct Special {
    /// Some subjects within its filter must not reach it (C32).
    pub(crate) filtered: Option<Arc<Permissions>>,
    /// Its receiver may publish to the reply subjects of what it is sent (C33).
    pub(crate) grants_replies: bool,
    /// It stands in another account's index for a subscription to what that exports.
    pub(crate) shadow: Option<Shadow>,
    /// It has no receiver: what it is reached by goes on to another account.
    pub(crate) service: Option<Arc<ServiceImport>>,
}

impl Special {
    /// Whether there is anything to it.
    pub(crate) fn is_any(&self) -> bool {
        self.filtered.is_some()
            || self.grants_replies
            || self.shadow.is_some()
            || self.service.is_some()
    }
}

/// Whose shadow a subscription is.
pub(crate) struct Shadow {
    pub(crate) main: Arc<Subscription>,
    pub(crate) import: Arc<StreamImport>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Subscription {
    /// A subscription of `connection`. Filter, queue group and sid come from one control line.
    pub(crate) fn new(
        connection: &Arc<Connection>,
        headers: bool,
        filter: &[u8],
        queue: Option<&[u8]>,
        sid: &[u8],
    ) -> Self {
        let text = [filter, queue.unwrap_or_default(), sid]
            .concat()
            .into_boxed_slice();
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            connection: Arc::downgrade(connection),
            connection_id: connection.id,
            slot: connection.slot,
            filter_len: filter.len() as u32,
            queue_len: queue.map_or(0, <[u8]>::len) as u32,
            is_queue: queue.is_some(),
            headers: AtomicBool::new(headers),
            origin: match connection.wants_origin {
                true => Origin::Told,
                false => Origin::Untold,
            },
            special: None,
            text,
            delivered: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }

    /// One that stands for a service of another account.
    pub(crate) fn for_service(import: Arc<ServiceImport>) -> Self {
        let filter = import.renaming.ours.clone();
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            connection: Weak::new(),
            connection_id: 0,
            slot: u32::MAX,
            filter_len: filter.len() as u32,
            queue_len: 0,
            is_queue: false,
            headers: AtomicBool::new(true),
            origin: Origin::Untold,
            special: Some(Box::new(Special {
                service: Some(import),
                ..Special::default()
            })),
            text: filter,
            delivered: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }

    /// The shadow of `main` in the account that `import` is from, under the filter there.
    pub(crate) fn shadow(main: &Arc<Self>, import: &Arc<StreamImport>, filter: &[u8]) -> Self {
        use recado_router::Subscription as _;
        let text = [filter, main.queue().unwrap_or_default(), main.sid()].concat();
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            connection: Weak::clone(&main.connection),
            connection_id: main.connection_id,
            slot: main.slot,
            filter_len: filter.len() as u32,
            queue_len: main.queue_len,
            is_queue: main.is_queue,
            headers: AtomicBool::new(true),
            origin: Origin::Untold,
            special: Some(Box::new(Special {
                shadow: Some(Shadow {
                    main: Arc::clone(main),
                    import: Arc::clone(import),
                }),
                ..Special::default()
            })),
            text: text.into_boxed_slice(),
            delivered: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }

    /// The same subscription, with what sets it apart.
    pub(crate) fn with_special(self, special: Special) -> Self {
        Self {
            special: Some(Box::new(special)),
            ..self
        }
    }

    /// One that takes the place of this one, with something else that sets it apart.
    pub(crate) fn again(&self, special: Special) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            connection: Weak::clone(&self.connection),
            text: self.text.clone(),
            special: special.is_any().then(|| Box::new(special)),
            headers: AtomicBool::new(self.takes_headers()),
            delivered: AtomicU64::new(self.delivered.load(Ordering::Acquire)),
            max: AtomicU64::new(self.max.load(Ordering::Acquire)),
            ..*self
        }
    }

    /// What sets it apart, if anything does.
    #[inline]
    pub(crate) fn special(&self) -> Option<&Special> {
        self.special.as_deref()
    }

    /// Whether a message on `subject`, by the name that the receiver knows, may reach it.
    pub(crate) fn may_get(&self, subject: &[u8]) -> bool {
        use recado_router::Subscription as _;
        match self.special().and_then(|special| special.filtered.as_ref()) {
            Some(permissions) => permissions.may_deliver(subject, self.queue()),
            None => true,
        }
    }

    /// Whether the receiver may answer what it is sent.
    pub(crate) fn grants_replies(&self) -> bool {
        self.special().is_some_and(|special| special.grants_replies)
    }

    /// The same subscription, with other messages that tell who published them.
    pub(crate) fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Whether a message on this subject tells its receiver who published it.
    #[inline]
    pub(crate) fn tells_origin(&self, subject: &[u8]) -> bool {
        match self.origin {
            Origin::Untold => false,
            Origin::Told => true,
            Origin::ToldOfCalls => is_call(subject),
        }
    }

    /// Whether no message ever does.
    pub(crate) fn never_tells_origin(&self) -> bool {
        self.origin == Origin::Untold
    }

    /// The client's name of the subscription.
    pub(crate) fn sid(&self) -> &[u8] {
        &self.text[(self.filter_len + self.queue_len) as usize..]
    }

    /// Bytes of filter, queue group and sid together.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Whether the receiver understands HMSG.
    pub(crate) fn takes_headers(&self) -> bool {
        self.headers.load(Ordering::Relaxed)
    }

    /// Counts one delivery against the limit: whether it may happen, and whether it is the last.
    pub(crate) fn count_limited(&self) -> (bool, bool) {
        let max = self.max.load(Ordering::Acquire);
        let before = self.delivered.fetch_add(1, Ordering::AcqRel);
        (max == 0 || before < max, max > 0 && before + 1 >= max)
    }
}

impl recado_router::Subscription for Subscription {
    fn id(&self) -> u64 {
        self.id
    }

    fn filter(&self) -> &[u8] {
        &self.text[..self.filter_len as usize]
    }

    fn queue(&self) -> Option<&[u8]> {
        let start = self.filter_len as usize;
        self.is_queue
            .then(|| &self.text[start..start + self.queue_len as usize])
    }
}

/// A connection's subscriptions by sid.
#[derive(Default)]
pub(crate) struct SubscriptionTable {
    table: HashTable<Arc<Subscription>>,
    hasher: foldhash::fast::RandomState,
}

impl SubscriptionTable {
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn get(&self, sid: &[u8]) -> Option<&Arc<Subscription>> {
        self.table
            .find(self.hasher.hash_one(sid), |sub| sub.sid() == sid)
    }

    /// Adds one whose sid is not in the table.
    pub(crate) fn insert(&mut self, sub: Arc<Subscription>) {
        let hasher = &self.hasher;
        let hash = hasher.hash_one(sub.sid());
        self.table
            .insert_unique(hash, sub, |sub| hasher.hash_one(sub.sid()));
    }

    pub(crate) fn remove(&mut self, sid: &[u8]) -> Option<Arc<Subscription>> {
        let hash = self.hasher.hash_one(sid);
        let found = self.table.find_entry(hash, |sub| sub.sid() == sid).ok()?;
        let (sub, _) = found.remove();
        if self.table.is_empty() {
            self.table = HashTable::new();
        }
        Some(sub)
    }

    /// Everybody.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Subscription>> {
        self.table.iter()
    }

    /// Takes everybody out.
    pub(crate) fn take_all(&mut self) -> Vec<Arc<Subscription>> {
        std::mem::take(&mut self.table).into_iter().collect()
    }
}
