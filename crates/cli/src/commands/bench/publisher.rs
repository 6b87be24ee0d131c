//! A client that publishes without pause, and ends when the server has processed all of it.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::shared::Shared;
use super::traffic::Block;
use super::worker::{Client, Turn};
use crate::direct::{Direct, Heard};
use crate::failure::Failure;

/// So many writes a turn; then others of the same thread have theirs.
const WRITES_MAX: u32 = 4;

/// One publisher.
pub(super) struct Publisher {
    direct: Direct,
    block: Arc<Block>,
    shared: Arc<Shared>,
    /// How many messages it is to publish; until the end of the run if none.
    share: Option<u64>,
    /// How long the server may take to confirm.
    limit: Duration,
    /// Messages of the blocks that are written whole.
    whole: u64,
    /// How much of the current block is written.
    place: usize,
    /// Since when the server has been asked to confirm.
    asked: Option<Instant>,
    /// When it had confirmed everything.
    pub(super) finished: Option<Instant>,
}

impl Publisher {
    pub(super) fn new(
        direct: Direct,
        block: Arc<Block>,
        shared: Arc<Shared>,
        share: Option<u64>,
        limit: Duration,
    ) -> Self {
        Self {
            direct,
            block,
            shared,
            share,
            limit,
            whole: 0,
            place: 0,
            asked: None,
            finished: None,
        }
    }

    /// Messages written so far, the one that has begun included.
    pub(super) fn messages(&self) -> u64 {
        self.whole + self.block.begun_before(self.place)
    }

    /// Writes; true when there is nothing left to write.
    fn publish(&mut self) -> Result<bool, Failure> {
        for _ in 0..WRITES_MAX {
            // Between two messages, never inside one, there may be a PONG to send.
            if self.place == 0 && !self.direct.flush()? {
                return Ok(false);
            }
            let end = match self.share {
                // What has begun is ended.
                _ if self.shared.is_over() => {
                    self.block.end_of(self.block.begun_before(self.place))
                }
                Some(share) => self.block.end_of(share - self.whole),
                None => self.block.bytes.len(),
            };
            if self.place < end {
                let sent = self.direct.send_some(&self.block.bytes[self.place..end])?;
                if sent == 0 {
                    return Ok(false);
                }
                self.place += sent;
            }
            if self.place < end {
                continue;
            }
            let is_whole = end == self.block.bytes.len();
            if is_whole {
                self.whole += self.block.messages();
                self.shared
                    .sent
                    .fetch_add(self.block.messages(), Ordering::Relaxed);
                self.place = 0;
            }
            if !is_whole || self.share == Some(self.whole) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn confirm(&mut self) -> Result<Turn, Failure> {
        let asked = *self.asked.get_or_insert_with(|| {
            self.direct.stage().extend_from_slice(recado_wire::PING);
            Instant::now()
        });
        let flushed = self.direct.flush()?;
        if asked.elapsed() > self.limit {
            return Err(self.direct.silent(self.limit));
        }
        Ok(match flushed {
            true => Turn::Reading,
            false => Turn::Writing,
        })
    }
}

impl Client for Publisher {
    fn socket(&self) -> BorrowedFd<'_> {
        self.direct.socket().as_fd()
    }

    fn turn(&mut self, _buffer: &mut [u8]) -> Result<Turn, Failure> {
        let mut confirmed = false;
        self.direct.hear(|heard| {
            confirmed |= matches!(heard, Heard::Pong);
            Ok(())
        })?;
        if confirmed {
            self.finished = Some(Instant::now());
            return Ok(Turn::Done);
        }
        if self.asked.is_none() && !self.publish()? {
            return Ok(Turn::Writing);
        }
        self.confirm()
    }
}
