//! Schedules (E95).

use super::ingest::Draft;
use super::{Env, PublishHeaders, Stream};
use crate::error::{self, ApiError};

impl Stream {
    pub(super) fn check_schedule(
        &mut self,
        _env: &mut Env<'_>,
        parsed: &PublishHeaders<'_>,
        _draft: &mut Draft<'_>,
        _staged: impl Fn(&[u8]) -> Option<bool>,
    ) -> Result<(), ApiError> {
        if parsed.schedule.is_some() && !self.config.allow_msg_schedules {
            return Err(ApiError::new(&error::MESSAGE_SCHEDULES_DISABLED));
        }
        Ok(())
    }

    pub(super) fn note_schedule(
        &mut self,
        _now_ns: i64,
        _subject: &[u8],
        _parsed: &PublishHeaders<'_>,
        _sequence: u64,
    ) {
    }
}
