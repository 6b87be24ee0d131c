//! Schedules (E95).

use super::ingest::Draft;
use super::{PublishHeaders, Stream};
use crate::error::{self, ApiError};

impl Stream {
    pub(super) fn check_schedule(
        &self,
        parsed: &PublishHeaders<'_>,
        _draft: &mut Draft<'_>,
    ) -> Result<(), ApiError> {
        if parsed.schedule.is_some() && !self.config.allow_msg_schedules {
            return Err(ApiError::new(&error::MESSAGE_SCHEDULES_DISABLED));
        }
        Ok(())
    }
}
