//! What one client may do, as its credential says. Without one that says anything, nothing is asked.

use std::sync::Arc;
use std::time::Instant;

use recado_auth::Permissions;
use recado_wire::{ParseLimits, ProtocolError};

/// What a credential allows.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// Subjects; `None`: all.
    pub permissions: Option<Arc<Permissions>>,
    /// Bytes of one message; `None`: as many as anybody may send.
    pub max_payload: Option<usize>,
    /// Subscriptions at once; `None`: as many as anybody may have.
    pub max_subscriptions: Option<usize>,
    /// When the credential is no longer good.
    pub expires: Option<Instant>,
    /// When the account's own is no longer good.
    pub account_expires: Option<Instant>,
}

/// The rights of one session.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) rights: Rights,
    /// Bounds of one operation, narrowed to what the rights allow.
    pub(crate) parse: ParseLimits,
    /// The subject that was last allowed: most clients publish to one many times.
    last_allowed: Vec<u8>,
}

impl Held {
    /// `None` where nothing has to be asked. A message may have `payload_room` bytes more than the rights allow.
    pub(crate) fn new(
        rights: Rights,
        parse: ParseLimits,
        payload_room: usize,
    ) -> Option<Box<Self>> {
        let plain = rights.permissions.is_none()
            && rights.max_payload.is_none()
            && rights.max_subscriptions.is_none()
            && rights.expires.is_none()
            && rights.account_expires.is_none();
        let max_payload = rights.max_payload.map_or(parse.max_payload, |bytes| {
            bytes.saturating_add(payload_room).min(parse.max_payload)
        });
        (!plain).then(|| {
            Box::new(Self {
                rights,
                parse: ParseLimits {
                    max_payload,
                    ..parse
                },
                last_allowed: Vec::new(),
            })
        })
    }

    /// What ends first, and when.
    pub(crate) fn ends(&self) -> Option<(Instant, ProtocolError)> {
        let user = self
            .rights
            .expires
            .map(|at| (at, ProtocolError::UserExpired));
        let account = self.rights.account_expires;
        let account = account.map(|at| (at, ProtocolError::AccountExpired));
        match (user, account) {
            (Some(user), Some(account)) => Some(if account.0 < user.0 { account } else { user }),
            (user, account) => user.or(account),
        }
    }

    pub(crate) fn may_publish(&mut self, subject: &[u8]) -> bool {
        let Some(permissions) = &self.rights.permissions else {
            return true;
        };
        if self.last_allowed == subject {
            return true;
        }
        let may = permissions.may_publish(subject);
        if may {
            self.last_allowed.clear();
            self.last_allowed.extend_from_slice(subject);
        }
        may
    }
}
