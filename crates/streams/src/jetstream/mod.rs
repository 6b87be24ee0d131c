//! All streams of one account: what comes in on their subjects, on the API and on ack subjects, and what
//! time brings. One owner; nothing here blocks, and nothing here knows sockets, files or clocks.

mod acks;
mod api;
mod batches;
pub(crate) mod common;
mod consumers;
mod dead_letters;
pub(crate) mod events;
mod graves;
mod offline;
mod open;
mod publish;
mod recovery;
mod replies;
mod sources;
mod streams;
mod tenant;
mod trace;
mod upkeep;
mod watch;
mod work;
#[cfg(test)]
mod world;

#[cfg(test)]
mod api_tests;
#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod publish_tests;
#[cfg(test)]
mod republish_tests;
#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::world_on_disk::World as WorldOnDisk;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use recado_log::{Journal, Position};

use crate::config::{Limits, Storage};
use crate::context::{Context, Outlet};
use crate::error::{self, ApiError};
use crate::stream::Stream;

pub use crate::stream::BatchLimits;

pub(crate) use common::Room;
use common::{Common, Share, Sum};
pub use consumers::ConsumerSlot;
pub(crate) use consumers::StreamSource;
pub use dead_letters::{DEAD_LETTER_KEY, Uncopied};
use events::OutOfStorage;
pub(crate) use open::Part;
pub use open::{Offline, Opening, OpeningReport};
pub(crate) use sources::Feeding;
pub use trace::Traced;
pub use watch::{Bookmark, Found, Inquiry, Page, StreamDetail, Summary};
pub(crate) use work::STREAMS_MAX as TURN_STREAMS_MAX;

use graves::Graves;
use offline::OfflineStream;
use replies::WaitingReplies;

/// Sids of what is subscribed to besides the streams' own subjects.
const SID_API: &[u8] = b"a";
const SID_DOMAIN: &[u8] = b"d";
const SID_ACK: &[u8] = b"k";
const SID_FLOW: &[u8] = b"f";
const SID_SNAPSHOT: &[u8] = b"n";

/// What is listened to besides the API and the streams' subjects.
const OWN_FILTERS: [(&str, &[u8]); 3] = [
    ("$JS.ACK.>", SID_ACK),
    ("$JS.FC.>", SID_FLOW),
    ("$JS.SNAPSHOT.>", SID_SNAPSHOT),
];

/// The account that everybody is in who is in no other.
pub const GLOBAL_ACCOUNT: &str = "$G";

/// What the server's configuration says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `domain`, shown in replies.
    pub domain: Option<String>,
    /// Unknown fields in requests are refused.
    pub strict: bool,
    /// Bytes of all streams in memory; none for no limit.
    pub memory_bytes_max: Option<u64>,
    /// Bytes of all streams in the log; none for no limit.
    pub file_bytes_max: Option<u64>,
    /// Messages of one stream that may wait for the disk (E97).
    pub backlog_messages_max: u64,
    /// Bytes of them.
    pub backlog_bytes_max: u64,
    /// Account's and server's limits.
    pub limits: Limits,
    /// How many batches may be published at the same time, and how large they may be.
    pub batches: BatchLimits,
    /// Name of the server, shown as leader.
    pub server_name: String,
    /// Its id, for advisories.
    pub server_id: String,
    /// Version that `_nats.ver` shows.
    pub version: String,
    /// Acks and flow control are asked for on subjects of the long form (`js_ack_fc_v2`).
    pub long_ack_subjects: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            domain: None,
            strict: true,
            memory_bytes_max: None,
            file_bytes_max: None,
            backlog_messages_max: 100_000,
            backlog_bytes_max: 128 * 1024 * 1024,
            limits: Limits::default(),
            batches: BatchLimits::default(),
            server_name: "recado".to_owned(),
            server_id: "recado".to_owned(),
            version: "2.15.0".to_owned(),
            long_ack_subjects: false,
        }
    }
}

/// A message that came in on one of the subscriptions.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Which subscription.
    pub sid: &'a [u8],
    /// Subject that it was published on.
    pub subject: &'a [u8],
    /// Reply subject, or empty.
    pub reply: &'a [u8],
    /// Header block, or empty.
    pub headers: &'a [u8],
    /// Payload.
    pub payload: &'a [u8],
}

/// All streams and consumers of one account.
pub struct JetStream {
    settings: Settings,
    /// Its account.
    account: Arc<str>,
    /// `domain.account.`, where subjects have the long form.
    ack_scope: Option<Box<str>>,
    /// Its part in what all accounts have in common.
    share: Share,
    /// In the order of their numbers: what is written of all of them is the same each time.
    streams: BTreeMap<u32, Box<Stream>>,
    names: BTreeMap<String, u32>,
    /// Filters subscribed to, with the sid and the stream.
    subjects: BTreeMap<String, (String, u32)>,
    /// Consumers that are in the log: stream and name by number.
    numbers: HashMap<u64, (u32, String)>,
    /// Records that say that something is gone.
    graves: Graves,
    /// Streams whose configuration was not found or can't be served: what the log has of them stays there.
    adrift: BTreeSet<u32>,
    /// Of those the ones that have a name.
    offline: BTreeMap<String, OfflineStream>,
    /// Damaged messages that consumers met.
    lost: Vec<(String, u64)>,
    /// Dead letters that could not be copied.
    uncopied: Vec<Uncopied>,
    /// Numbers of streams that came and went, for the one who keeps several accounts.
    moves: Vec<(u32, bool)>,
    next_sid: u64,
    /// What all its sids begin with; whoever hands messages in has taken it off.
    sid_prefix: String,
    replies: WaitingReplies,
    /// Streams whose consumers may have something to deliver.
    active: VecDeque<u32>,
    /// Streams that take messages from one of this name.
    followers: BTreeMap<String, BTreeSet<u32>>,
    /// When each stream wants to act next, by time and by stream.
    deadlines: BTreeSet<(i64, u32)>,
    deadline_of: HashMap<u32, i64>,
    /// Streams with consumers that would push if somebody listened.
    unheard: BTreeSet<u32>,
    /// Streams and consumers with progress that is not in the log yet.
    unsaved: BTreeSet<u32>,
    /// The log did not take where a stream ends, which an answer may promise.
    is_behind: bool,
    /// When the log was last read, something in it was lost: a consumer, perhaps.
    found_damage: bool,
    /// Segment that the last checkpoint was made in.
    checkpoint_segment: u32,
    /// Why nothing is stored any more.
    stopped: Option<String>,
    /// There is no storage, and that was told.
    told_out_of_storage: Option<OutOfStorage>,
    api_total: u64,
    api_errors: u64,
    transfers: api::Transfers,
    /// Streams with open batches.
    batching: BTreeSet<u32>,
}

impl Settings {
    /// Streams may take so many bytes together; `None`: as many as before.
    pub fn raise(&mut self, memory_bytes: Option<u64>, file_bytes: Option<u64>) {
        let server = &mut self.limits.server;
        if let Some(bytes) = memory_bytes {
            self.memory_bytes_max = Some(bytes);
            server.max_memory = bytes.cast_signed().max(0);
        }
        if let Some(bytes) = file_bytes {
            self.file_bytes_max = Some(bytes);
            server.max_storage = bytes.cast_signed().max(0);
        }
    }
}

impl JetStream {
    /// The account `$G` without streams, alone.
    pub fn new(settings: Settings) -> Self {
        Self::of_account(settings, GLOBAL_ACCOUNT.into(), Common::default())
    }

    /// As [`Settings::raise`].
    pub(crate) fn raise(&mut self, memory_bytes: Option<u64>, file_bytes: Option<u64>) {
        self.settings.raise(memory_bytes, file_bytes);
    }

    /// An account without streams. `common` is that of all accounts of the store.
    pub(crate) fn of_account(settings: Settings, account: Arc<str>, common: Common) -> Self {
        let ack_scope = settings.long_ack_subjects.then(|| {
            let domain = settings.domain.as_deref().unwrap_or("_");
            format!("{domain}.{}.", sources::hash(&account)).into()
        });
        Self {
            settings,
            account,
            ack_scope,
            share: Share::new(common),
            streams: BTreeMap::new(),
            names: BTreeMap::new(),
            subjects: BTreeMap::new(),
            numbers: HashMap::new(),
            graves: Graves::default(),
            adrift: BTreeSet::new(),
            offline: BTreeMap::new(),
            lost: Vec::new(),
            uncopied: Vec::new(),
            moves: Vec::new(),
            next_sid: 1,
            sid_prefix: String::new(),
            replies: WaitingReplies::default(),
            active: VecDeque::new(),
            followers: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            deadline_of: HashMap::new(),
            unheard: BTreeSet::new(),
            unsaved: BTreeSet::new(),
            is_behind: false,
            found_damage: false,
            checkpoint_segment: 0,
            stopped: None,
            told_out_of_storage: None,
            api_total: 0,
            api_errors: 0,
            transfers: api::Transfers::default(),
            batching: BTreeSet::new(),
        }
    }

    /// Subscribes to everything that concerns it: at the start, and again after it was cut off.
    pub fn subscribe(&mut self, context: &mut Context<'_>, _journal: &mut dyn Journal) {
        self.subscribe_to_everything(context.out);
    }

    pub(crate) fn subscribe_to_everything(&self, out: &mut dyn Outlet) {
        let sid = |sid: &[u8]| [self.sid_prefix.as_bytes(), sid].concat();
        out.subscribe_to_calls(b"$JS.API.>", &sid(SID_API));
        for (filter, of) in OWN_FILTERS {
            out.subscribe(filter.as_bytes(), &sid(of));
        }
        if let Some(domain) = &self.settings.domain {
            let filter = format!("$JS.{domain}.API.>");
            out.subscribe_to_calls(filter.as_bytes(), &sid(SID_DOMAIN));
        }
        for (filter, (sid, _)) in &self.subjects {
            out.subscribe(filter.as_bytes(), sid.as_bytes());
        }
        for stream in self.streams.values() {
            stream.feeding.subscribe(out, &self.sid_prefix);
        }
    }

    /// Takes all of that back.
    pub(crate) fn unsubscribe(&self, out: &mut dyn Outlet) {
        let own = OWN_FILTERS.into_iter().map(|(_, sid)| sid);
        let domain = self.settings.domain.is_some().then_some(SID_DOMAIN);
        for sid in own.chain([SID_API]).chain(domain) {
            out.unsubscribe(&[self.sid_prefix.as_bytes(), sid].concat());
        }
        for (sid, _) in self.subjects.values() {
            out.unsubscribe(sid.as_bytes());
        }
        for stream in self.streams.values() {
            stream.feeding.unsubscribe(out, &self.sid_prefix);
        }
    }

    /// Takes a message in.
    pub fn handle(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) {
        match message.sid {
            [b's', rest @ ..] => {
                if let Some(id) = leading_number(rest) {
                    self.publish(context, journal, id, message);
                }
            }
            [b'x', rest @ ..] => {
                if let Some(id) = leading_number(rest) {
                    self.hear(context, journal, id, message);
                }
            }
            SID_ACK => self.handle_ack(context, journal, message),
            SID_API | SID_DOMAIN => self.handle_api(context, journal, message),
            SID_FLOW => self.handle_flow_control(context, journal, message),
            SID_SNAPSHOT => self.handle_transfer(context, journal, message),
            _ => {}
        }
    }

    /// Everything before `end` goes to the disk now.
    pub fn sealed(&mut self, end: Position) {
        let concerned = self.replies.seal(end);
        self.share.set(Sum::WaitingBytes, self.replies.bytes());
        for id in concerned {
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.sealed();
            }
        }
    }

    /// Everything before `position` is on disk: acks leave, consumers see what is new.
    pub fn durable(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        position: Position,
    ) {
        let released = self.replies.release(position, context.out);
        self.share.set(Sum::WaitingBytes, self.replies.bytes());
        for (id, last) in released.grown {
            if let Some(stream) = self.streams.get_mut(&id) {
                self.told_out_of_storage = self
                    .told_out_of_storage
                    .filter(|told| told.lasts_after(stream, last));
                stream.became_durable(context, journal, last);
            }
            self.activate(id);
        }
        self.finish_restores(context, journal, position);
    }

    /// Whether somebody waits for what was done since the last batch, and may be told once the log as it is now is
    /// durable. Nobody may be while the log lacks what an answer promises.
    pub fn has_waiting(&self) -> bool {
        self.replies.is_open() && !self.is_behind
    }

    /// Puts a stream in the list of those that have something to do.
    fn activate(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id)
            && !std::mem::replace(&mut stream.is_active, true)
        {
            self.active.push_back(id);
        }
    }

    /// When it wants to act next although nothing comes in.
    pub fn next_deadline(&self) -> Option<i64> {
        let streams = self.deadlines.first().map(|(at, _)| *at);
        streams
            .into_iter()
            .chain(self.transfers.next_deadline())
            .min()
    }

    /// Notes when a stream wants to act next.
    fn schedule(&mut self, id: u32) {
        self.account_for(id);
        self.note_unheard(id);
        let next = self
            .streams
            .get(&id)
            .and_then(|stream| stream.next_deadline());
        let known = self.deadline_of.get(&id).copied();
        if known == next {
            return;
        }
        if let Some(known) = known {
            self.deadlines.remove(&(known, id));
        }
        match next {
            Some(next) => {
                self.deadlines.insert((next, id));
                self.deadline_of.insert(id, next);
            }
            None => {
                self.deadline_of.remove(&id);
            }
        }
    }

    /// Messages of all streams.
    pub(crate) fn message_count(&self) -> u64 {
        let all = self.streams.values();
        all.map(|stream| stream.messages.index.len()).sum()
    }

    fn stream(&self, name: &str) -> Result<&Stream, ApiError> {
        let found = self.names.get(name).and_then(|id| self.streams.get(id));
        found
            .map(|stream| &**stream)
            .ok_or_else(|| self.not_served(name))
    }

    fn stream_mut(&mut self, name: &str) -> Result<&mut Stream, ApiError> {
        let Some(id) = self.names.get(name) else {
            return Err(self.not_served(name));
        };
        let found = self.streams.get_mut(id);
        found
            .map(|stream| &mut **stream)
            .ok_or_else(|| ApiError::new(&error::STREAM_NOT_FOUND))
    }

    /// A stream of this account, from now on.
    fn insert_stream(&mut self, stream: Stream) {
        self.moves.push((stream.id, true));
        self.streams.insert(stream.id, Box::new(stream));
    }

    /// A stream is gone, and with it the bytes that it took.
    fn remove_stream(&mut self, id: u32) -> Option<Box<Stream>> {
        let mut stream = self.streams.remove(&id)?;
        self.moves.push((id, false));
        let sum = Sum::of_bytes(stream.config.storage);
        let freed = std::mem::take(&mut stream.accounted_bytes);
        self.share
            .set(sum, self.share.own(sum).saturating_sub(freed));
        if self.batching.remove(&id) {
            self.count_batches();
        }
        Some(stream)
    }

    /// Bytes that streams of this kind may still take.
    fn room(&self, storage: Storage) -> Room {
        self.share.room(&self.settings, storage)
    }

    fn bytes_used(&self, storage: Storage) -> u64 {
        self.share.own(Sum::of_bytes(storage))
    }

    /// Brings the sums up to date with a stream that gained or lost messages.
    fn account_for(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            self.share.account_for(stream);
        }
    }

    /// Brings the sums up to date with what streams reserve by their `max_bytes`.
    fn note_reserved(&mut self) {
        for storage in [Storage::File, Storage::Memory] {
            let reserved = self.reserved(storage);
            self.share.set(Sum::of_reserved(storage), reserved);
        }
    }

    /// What its streams of this kind reserve.
    fn reserved(&self, storage: Storage) -> u64 {
        let all = self.streams.values().map(|stream| &stream.config);
        all.filter(|config| config.storage == storage)
            .map(|config| u64::try_from(config.max_bytes).unwrap_or(0))
            .fold(0, u64::saturating_add)
    }

    /// As records of its streams name it.
    fn stored_account(&self) -> Option<Arc<str>> {
        (*self.account != *GLOBAL_ACCOUNT).then(|| Arc::clone(&self.account))
    }
}

/// The number that a text begins with.
fn leading_number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(text.get(..digits)?).ok()?.parse().ok()
}
