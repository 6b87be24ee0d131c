//! The durable log: everything that must outlive the process, in one sequence of records.
//!
//! Its owner appends records to a batch; a committer writes and syncs whole batches and tells how far the
//! log is durable. Nothing here knows what a record means, and nothing runs by itself: threads, clocks and
//! chance belong to whoever uses it.
//!
//! ```text
//! owner:      append ─► take_batch ──┐        ┌─► committed ─► Durable | RolledBack | Stopped
//! committer:                         └► commit┘   tidy, while no batch waits
//! ```
//!
//! On disk there are segments (`format`: records, each with checksums bound to its place; `pack`: those whose owner
//! wants them smaller; `footer`: what is known of them without payloads), the file `released` (`marks`: what is dead in segments that are left), and
//! room in reserve. Of an encrypted store, what records say of others' data is covered (`crypt`, `keyfile`, `veil`).
//! The rules that recovery rests on:
//!
//! * A batch is begun only when the one before is on disk. So only the last one can be there in part; a group
//!   in any other was whole once, and what it lacks now is damage.
//! * A segment is begun only when all before it is on disk, and its header says where the one before ends:
//!   what lies behind was rolled back. Every opening begins a new segment, so what was found stays as it is.
//! * Before a segment is removed, what is dead in the others is written down: nothing that was released comes
//!   back once what made it dead is gone.
//! * After a process has died, or a sync has failed, the system may show bytes that never reached the disk.
//!   So what an opening finds at the log's end is written again and synced before it counts.
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
mod crypt;
mod disk;
mod erasing;
mod footer;
mod format;
mod gathering;
mod journal;
mod keyfile;
mod log;
mod marks;
mod pack;
mod pieces;
mod preparing;
mod real_disk;
mod recovery;
mod replay;
mod scan;
mod sealing;
mod sim_disk;
mod space;
mod tail;
mod tidy;
mod veil;
mod verify;
mod watermark;

pub use batch::{Batch, Committed, Progress};
pub use committer::Committer;
pub use compaction::Compaction;
pub use crypt::{Cipher, Encryption, Secret};
pub use disk::{Disk, DiskFile, LockError, is_full};
pub use format::segment_name;
pub use journal::{CONTROL_KIND_MIN, Damaged, Entry, Journal, Location, Position, Record, Refused};
pub use log::{Log, Settings, Usage};
pub use preparing::Preparer;
pub use real_disk::{RealDisk, RealLock};
pub use replay::{Cut, Lost, OpenError, OpenReport, Replayed, Why};
pub use sim_disk::{Faults, SimDisk, SimFile, SimLock};
pub use verify::{Finding, SalvageError, Verified, salvage, verify, verify_records};
