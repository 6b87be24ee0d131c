//! The engine: connections, and the way of a message between them.
//!
//! One task reads a connection, one batch a turn ([`reader`]; [`operations`] and [`farewell`] are
//! the rest of it). Before the first it passes what its [`door`] asks for ([`opening`]), and between it and
//! its socket may be [`layers`]. A batch is parsed, routed ([`deliver`]) and staged ([`stage`]) per destination with
//! the thread's [`worker`], then each destination is written to at once; what its socket does not
//! take waits in the destination's [`outbox`] for a writer task. Each of the [`threads`] has a runtime of
//! its own, and connections move where there is room. Nothing here
//! knows where settings come from or how a log line looks.

mod account;
mod account_lookup;
mod caches;
mod callout;
mod client;
pub(crate) mod clock;
mod closed;
mod connection;
mod counters;
mod crossing;
mod deliver;
mod door;
mod drops;
mod elsewhere;
mod ending;
mod events;
mod explain;
mod farewell;
mod frames;
mod front;
mod histogram;
mod insider;
mod intake;
mod latency;
mod layers;
mod link;
mod load;
mod login;
mod mapping;
mod mqtt_door;
mod msg_trace;
mod newcomers;
mod opening;
mod operations;
mod outbox;
mod plan;
mod proxy_header;
mod reader;
mod reconsider;
mod registry;
mod route;
mod shared;
mod stage;
mod standing;
mod subscription;
mod tardiness;
mod threads;
mod tls;
mod trace;
mod websocket;
mod worker;

pub(crate) use account::{Account, AccountLimits, Accounts, GLOBAL_ACCOUNT, SYSTEM_ACCOUNT};
pub(crate) use account_lookup::look_up;
pub(crate) use callout::Inquiries;
pub(crate) use client::{Client, client_json, client_type, gone_json};
pub(crate) use closed::{Closed, SubscriptionNote, Vouched};
pub(crate) use connection::{Connection, Delivered};
pub(crate) use crossing::{RESPONSE_THRESHOLD, ResponseType, imported_filter};
pub(crate) use door::{Rules, Way};
pub(crate) use drops::{Dropped, Loss};
pub(crate) use ending::CloseReason;
pub(crate) use events::{Event, count_subjects};
pub(crate) use explain::{Explained, Outcome, View, explain};
pub(crate) use front::Front;
pub(crate) use histogram::{BOUNDS_US, Distribution, Histogram};
pub(crate) use insider::Insider;
pub(crate) use intake::Intake;
pub(crate) use latency::LatencyPlan;
pub(crate) use link::{Link, ReadLink, Socket};
pub(crate) use mapping::Weighted;
pub(crate) use plan::{AccountPlan, ExportPlan, ImportPlan, Kind, TracePlan};
pub(crate) use reader::{Admission, serve};
pub(crate) use reconsider::Verdict;
pub(crate) use registry::{Census, Gone, Totals};
pub(crate) use shared::{Engine, Manner};
pub(crate) use standing::Standing;
pub(crate) use subscription::{Origin, Subscription};
#[cfg(test)]
pub(crate) use threads::Threads;
pub(crate) use threads::start as start_threads;
pub(crate) use tls::{TlsFacts, hexadecimal_of};
