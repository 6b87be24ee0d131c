//! Stands for [`cpu`](super) on processors whose stacks nothing here can read.

use std::time::Duration;

use super::trouble::Trouble;

/// Refuses: there are no samples on this processor.
pub(super) async fn profile(_: Duration) -> Result<Vec<u8>, Trouble> {
    Err(Trouble::OtherProcessor)
}
