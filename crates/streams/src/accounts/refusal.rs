//! What an account hears that has no JetStream while the server has (E02).

use super::{Accounts, sid_prefix};
use crate::api::{ApiCall, refusal_of_type, strip_prefix};
use crate::context::{Outlet, Surroundings};
use crate::error::{self, ApiError};
use crate::jetstream::Incoming;

/// Sids of the API's subjects, and of those with the domain.
const SID_API: &str = "r";
const SID_DOMAIN: &str = "q";
/// The `type` of answers to the system's account, whatever it asks.
const SYSTEM_RESPONSE: &str = "io.nats.jetstream.api.v1.system_response";

impl Accounts {
    pub(super) fn subscribe_to_refuse(&self, out: &mut dyn Outlet, at: usize) {
        let prefix = sid_prefix(at);
        let sid = format!("{prefix}{SID_API}");
        out.subscribe_to_calls(b"$JS.API.>", sid.as_bytes());
        if let Some(domain) = &self.settings.domain {
            let filter = format!("$JS.{domain}.API.>");
            let sid = format!("{prefix}{SID_DOMAIN}");
            out.subscribe_to_calls(filter.as_bytes(), sid.as_bytes());
        }
    }

    pub(super) fn unsubscribe_from_refusing(&self, out: &mut dyn Outlet, at: usize) {
        let prefix = sid_prefix(at);
        out.unsubscribe(format!("{prefix}{SID_API}").as_bytes());
        if self.settings.domain.is_some() {
            out.unsubscribe(format!("{prefix}{SID_DOMAIN}").as_bytes());
        }
    }

    /// Answers a call that nobody serves: 10039, or as if nobody had subscribed where a stream or consumer would
    /// have answered itself.
    pub(super) fn refuse(&self, around: &mut Surroundings<'_>, at: usize, message: &Incoming<'_>) {
        let Some(account) = self.account(at) else {
            return;
        };
        let (Some(id), false) = (account.voice, message.reply.is_empty()) else {
            return;
        };
        let out = around.exchange.of(id);
        let domain = self.settings.domain.as_deref().unwrap_or_default();
        let call = ApiCall::parse(message.subject, domain);
        let is_of_cluster = account.is_system && is_of_cluster(message.subject, domain);
        let kind = match call {
            _ if is_of_cluster => return,
            ApiCall::Unknown if !account.is_system => return,
            ApiCall::Info => call.response_type(),
            _ if account.is_system => Some(SYSTEM_RESPONSE),
            // Only a consumer would answer that.
            ApiCall::ConsumerReset(_) => return,
            _ => call.response_type(),
        };
        match kind {
            Some(kind) => {
                let error = ApiError::new(&error::NOT_ENABLED_FOR_ACCOUNT);
                let body = refusal_of_type(kind, &error);
                out.publish(message.reply, b"", b"", &body);
            }
            None => {
                let block = recado_wire::no_responders_block(message.subject);
                out.publish(message.reply, b"", &block, b"");
            }
        }
    }
}

/// Whether a call of the system's account is one that only servers of a cluster answer.
fn is_of_cluster(subject: &[u8], domain: &str) -> bool {
    const CALLS: [&[u8]; 4] = [
        b"META.LEADER.STEPDOWN",
        b"META.RESCUE",
        b"SERVER.REMOVE",
        b"SERVER.EVACUATE",
    ];
    strip_prefix(subject, domain)
        .is_some_and(|rest| CALLS.contains(&rest) || rest.starts_with(b"ACCOUNT."))
}
