//! Tests of whole accounts, over a log on a disk that fails.

mod batches;
mod compression;
mod consumers;
mod dead_letters;
pub(super) mod world_on_disk;
