//! Claims of users.

use core::net::IpAddr;

use serde::Deserialize;

use super::permissions::{PermissionClaims, UserLimitClaims};
use super::times::UtcOffset;
use super::token::{Claims, InvalidToken, decode, or_default};
use super::{source, times};
use crate::identity::UserLimits;
use crate::signature::KeyKind;

/// What is particular to users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UserClaims {
    /// What it may do.
    #[serde(flatten)]
    pub permissions: PermissionClaims,
    /// Its bounds.
    #[serde(flatten)]
    pub limits: UserLimitClaims,
    /// The token alone is enough: nothing need be signed (C09).
    pub bearer_token: bool,
    /// It must come through a trusted proxy.
    pub proxy_required: bool,
    /// How it may be connected.
    #[serde(deserialize_with = "or_default")]
    pub allowed_connection_types: Vec<String>,
    /// The account, where one of its signing keys signed.
    pub issuer_account: String,
    /// Words, to fill in templates with.
    #[serde(deserialize_with = "or_default")]
    pub tags: Vec<String>,
}

impl Claims<UserClaims> {
    /// Reads a user's token.
    pub fn decode_user(token: &str) -> Result<Self, InvalidToken> {
        let read: Self = decode(token, "user", &[KeyKind::Account], KeyKind::User)?;
        let invalid = |why: &str| Err(InvalidToken::Invalid(why.to_owned()));
        let user = &read.nats;
        user.permissions.check()?;
        user.limits.check()?;
        let account = &user.issuer_account;
        if !account.is_empty() && KeyKind::of(account) != Some(KeyKind::Account) {
            return invalid("its issuer_account is not the public key of an account");
        }
        Ok(read)
    }

    /// The public key of the account that it is of.
    pub fn account(&self) -> &str {
        match self.nats.issuer_account.as_str() {
            "" => &self.issuer,
            account => account,
        }
    }
}

impl UserClaims {
    /// Whether it says nothing of what the user may do: then the signing key's role does.
    pub(crate) fn is_blank(&self) -> bool {
        self.permissions.is_empty()
            && self.limits == UserLimitClaims::default()
            && !self.bearer_token
            && !self.proxy_required
            && self.allowed_connection_types.is_empty()
    }
}

impl UserLimitClaims {
    pub(super) fn check(&self) -> Result<(), InvalidToken> {
        if !self.src.0.iter().all(|one| source::is_network(one)) {
            let why = "a source address in it is not a network like 10.0.0.0/8";
            return Err(InvalidToken::Invalid(why.to_owned()));
        }
        times::check(&self.times)
    }

    /// What its connection is held to; below 0 there is no bound.
    pub(crate) fn bounds(&self) -> UserLimits {
        let bound = |number: i64| usize::try_from(number).ok();
        UserLimits {
            max_subscriptions: bound(self.subs),
            max_payload: bound(self.payload),
        }
    }

    /// Whether the user may come from there.
    pub(crate) fn allows_source(&self, peer: Option<IpAddr>) -> bool {
        let listed = |peer| source::is_within(&self.src.0, peer);
        self.src.0.is_empty() || peer.is_some_and(listed)
    }

    /// Until when the user may be connected; `Err` if it may not now, `Ok(None)` without an end.
    pub(crate) fn allowed_until_s(
        &self,
        now_s: u64,
        utc_offset: UtcOffset,
    ) -> Result<Option<u64>, ()> {
        if self.times.is_empty() {
            return Ok(None);
        }
        let zone = Some(self.times_location.as_str()).filter(|zone| !zone.is_empty());
        let offset_s = utc_offset(zone, now_s).ok_or(())?;
        let now = i64::try_from(now_s).map_err(|_| ())?;
        let left = times::left_s(&self.times, now + i64::from(offset_s)).ok_or(())?;
        Ok(Some(now_s.saturating_add(left.unsigned_abs())))
    }
}
