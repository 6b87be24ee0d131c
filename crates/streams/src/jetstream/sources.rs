//! Mirrors and sources.

use super::JetStream;
use crate::api::SourceInfo;
use crate::context::Context;
use crate::stream::Stream;

impl JetStream {
    pub(super) fn start_sources(&mut self, _context: &mut Context<'_>, _id: u32) {}

    pub(super) fn stop_sources(&mut self, _context: &mut Context<'_>, _id: u32) {}
}

impl Stream {
    pub(crate) fn mirror_info(&self, _now_ns: i64) -> Option<SourceInfo> {
        None
    }

    pub(crate) fn source_infos(&self, _now_ns: i64) -> Vec<SourceInfo> {
        Vec::new()
    }
}
