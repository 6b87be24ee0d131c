//! A limit on failed logins per address.
//!
//! Who fails [`FAILURES_MAX`] times within [`WINDOW_S`] is not listened to for [`PAUSE_S`]; every further failure while it
//! is over the limit begins the pause anew. Networks of IPv6 count as one address: whoever has one has very many.

use core::net::{IpAddr, Ipv6Addr};
use std::collections::HashMap;

/// Failures after which an address is not listened to.
pub const FAILURES_MAX: u32 = 10;
/// Seconds within which they count.
pub const WINDOW_S: u64 = 60;
/// Seconds for which the address is not listened to then.
pub const PAUSE_S: u64 = 60;
/// Addresses that are remembered at once; of more, those that failed longest ago are forgotten.
pub const ADDRESSES_MAX: usize = 16_384;
/// Leading bits of an IPv6 address that count.
const NETWORK_BITS: u32 = 64;

/// Bounds of failed logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureLimits {
    /// Failures after which an address is not listened to; 0: never.
    pub failures_max: u32,
    /// Seconds within which they count.
    pub window_s: u64,
    /// Seconds for which the address is not listened to then.
    pub pause_s: u64,
}

impl Default for FailureLimits {
    fn default() -> Self {
        Self {
            failures_max: FAILURES_MAX,
            window_s: WINDOW_S,
            pause_s: PAUSE_S,
        }
    }
}

/// Who failed of late. Times are seconds of any clock that does not go back.
#[derive(Debug, Default)]
pub struct Failures {
    limits: FailureLimits,
    by_address: HashMap<IpAddr, Failed>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    count: u32,
    /// When the count began.
    since_s: u64,
    last_s: u64,
    /// Until when the address is not listened to.
    paused_until_s: u64,
}

impl Failures {
    /// With these bounds.
    pub fn new(limits: FailureLimits) -> Self {
        Self {
            limits,
            by_address: HashMap::new(),
        }
    }

    /// Changes the bounds; what was counted stays.
    pub fn set_limits(&mut self, limits: FailureLimits) {
        self.limits = limits;
    }

    /// For how many more seconds an address is not listened to; `None`: it is.
    pub fn paused_s(&self, address: IpAddr, now_s: u64) -> Option<u64> {
        let failed = self.by_address.get(&network(address))?;
        let left = failed.paused_until_s.saturating_sub(now_s);
        (left > 0 && self.limits.failures_max > 0).then_some(left)
    }

    /// A login from there failed. Whether the address is not listened to from now on, and was until now.
    pub fn note(&mut self, address: IpAddr, now_s: u64) -> bool {
        let limits = self.limits;
        if limits.failures_max == 0 {
            return false;
        }
        let address = network(address);
        if !self.by_address.contains_key(&address) {
            self.make_room(now_s);
        }
        let failed = self.by_address.entry(address).or_insert(Failed {
            count: 0,
            since_s: now_s,
            last_s: now_s,
            paused_until_s: 0,
        });
        if now_s.saturating_sub(failed.since_s) >= limits.window_s && failed.paused_until_s <= now_s
        {
            (failed.count, failed.since_s) = (0, now_s);
        }
        failed.count = failed.count.saturating_add(1);
        failed.last_s = now_s;
        if failed.count < limits.failures_max {
            return false;
        }
        let begins = failed.paused_until_s <= now_s;
        failed.paused_until_s = now_s.saturating_add(limits.pause_s);
        begins
    }

    /// A login from there succeeded: what failed before was a slip. A pause that has begun goes on.
    pub fn forgive(&mut self, address: IpAddr, now_s: u64) {
        let address = network(address);
        let paused = self.by_address.get(&address);
        if paused.is_some_and(|failed| failed.paused_until_s <= now_s) {
            self.by_address.remove(&address);
        }
    }

    /// Forgets what no longer counts; of the rest, half of those that failed longest ago.
    fn make_room(&mut self, now_s: u64) {
        if self.by_address.len() < ADDRESSES_MAX {
            return;
        }
        let window_s = self.limits.window_s;
        self.by_address.retain(|_, failed| {
            failed.paused_until_s > now_s || now_s.saturating_sub(failed.since_s) < window_s
        });
        if self.by_address.len() < ADDRESSES_MAX {
            return;
        }
        let mut times: Vec<u64> = self
            .by_address
            .values()
            .map(|failed| failed.last_s)
            .collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        self.by_address.retain(|_, failed| failed.last_s > middle);
    }
}

/// What counts of an address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = u128::from(address) >> (128 - NETWORK_BITS) << (128 - NETWORK_BITS);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        short => short,
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn failed(times: u32, from: &str, at_s: u64) -> Failures {
        let mut failures = Failures::default();
        for _ in 0..times {
            failures.note(address(from), at_s);
        }
        failures
    }

    #[test]
    fn too_many_failures_bring_a_pause_for_that_address_alone() {
        let mut failures = failed(FAILURES_MAX - 1, "10.0.0.1", 100);
        assert_eq!(failures.paused_s(address("10.0.0.1"), 100), None);
        assert!(failures.note(address("10.0.0.1"), 100));
        assert_eq!(failures.paused_s(address("10.0.0.1"), 100), Some(PAUSE_S));
        assert_eq!(failures.paused_s(address("::ffff:10.0.0.1"), 130), Some(30));
        assert_eq!(failures.paused_s(address("10.0.0.1"), 160), None);
        assert_eq!(failures.paused_s(address("10.0.0.2"), 100), None);
    }

    #[test]
    fn failures_count_within_a_window() {
        let mut failures = failed(FAILURES_MAX - 1, "10.0.0.1", 100);
        assert!(!failures.note(address("10.0.0.1"), 100 + WINDOW_S));
        assert_eq!(failures.paused_s(address("10.0.0.1"), 100 + WINDOW_S), None);
    }

    #[test]
    fn who_goes_on_failing_goes_on_waiting() {
        let mut failures = failed(FAILURES_MAX, "10.0.0.1", 100);
        assert!(!failures.note(address("10.0.0.1"), 150));
        assert_eq!(failures.paused_s(address("10.0.0.1"), 150), Some(PAUSE_S));
    }

    #[test]
    fn a_success_forgives_slips_but_ends_no_pause() {
        let mut failures = failed(FAILURES_MAX - 1, "10.0.0.1", 100);
        failures.forgive(address("10.0.0.1"), 101);
        assert!(!failures.note(address("10.0.0.1"), 102));
        let mut failures = failed(FAILURES_MAX, "10.0.0.1", 100);
        failures.forgive(address("10.0.0.1"), 101);
        assert!(failures.paused_s(address("10.0.0.1"), 102).is_some());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let mut failures = Failures::default();
        for host in 0..FAILURES_MAX {
            failures.note(address(&format!("2001:db8::{host:x}")), 0);
        }
        assert!(failures.paused_s(address("2001:db8::ffff"), 0).is_some());
        assert!(failures.paused_s(address("2001:db8:0:1::1"), 0).is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut failures = Failures::default();
        for host in 0..2 * ADDRESSES_MAX {
            let bits = u32::try_from(host).unwrap();
            let at_s = u64::from(bits / 4096);
            failures.note(IpAddr::V4(Ipv4Addr::from(bits)), at_s);
            assert!(failures.by_address.len() <= ADDRESSES_MAX);
        }
        let last = u32::try_from(2 * ADDRESSES_MAX - 1).unwrap();
        let last = IpAddr::V4(Ipv4Addr::from(last));
        assert!(failures.by_address.contains_key(&last));
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let mut failures = Failures::new(FailureLimits {
            failures_max: 0,
            ..FailureLimits::default()
        });
        for _ in 0..100 {
            assert!(!failures.note(address("10.0.0.1"), 0));
        }
        assert_eq!(failures.paused_s(address("10.0.0.1"), 0), None);
    }
}
