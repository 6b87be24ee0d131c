//! The durable log: everything that must outlive the process, in one sequence of records.
//!
//! Its owner appends records to a batch; a committer writes and syncs whole batches and tells how far the
//! log is durable. Nothing here knows what a record means, and nothing runs by itself: threads, clocks and
//! chance belong to whoever uses it.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod batch;
mod cache;
mod committer;
mod compaction;
mod disk;
mod footer;
mod format;
mod journal;
mod log;
mod real_disk;
mod recovery;
mod replay;
mod scan;
mod sim_disk;
mod space;
mod tail;
mod verify;

pub use batch::{Batch, Committed, Progress};
pub use committer::Committer;
pub use compaction::Compaction;
pub use disk::{Disk, DiskFile, LockError, is_full};
pub use format::segment_name;
pub use journal::{CONTROL_KIND_MIN, Damaged, Entry, Journal, Location, Position, Record, Refused};
pub use log::{Log, Settings, Usage};
pub use real_disk::{RealDisk, RealLock};
pub use replay::{Cut, Lost, OpenError, OpenReport, Replayed, Why};
pub use sim_disk::{Faults, SimDisk, SimFile, SimLock};
pub use verify::{Finding, SalvageError, Verified, salvage, verify, verify_records};
