//! Addresses that a user may come from, as networks: `10.0.0.0/8`, `2001:db8::/32`.

use core::net::IpAddr;

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

/// Whether an address is in any of the networks. An address of IPv4 in the clothes of IPv6 is one of IPv4.
pub(super) fn is_within(networks: &[String], address: IpAddr) -> bool {
    let address = address.to_canonical();
    let read = networks.iter().filter_map(|text| Network::parse(text));
    read.into_iter().any(|network| network.contains(address))
}

/// Whether it is a network.
pub(super) fn is_network(text: &str) -> bool {
    Network::parse(text).is_some()
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        if bits.is_empty() || !bits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let bits: u8 = bits.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = u32::from(network) ^ u32::from(address);
                differ.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = u128::from(network) ^ u128::from(address);
                differ.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(network: &str, address: &str) -> bool {
        is_within(&[network.to_owned()], address.parse().unwrap())
    }

    #[test]
    fn addresses_are_held_against_networks() {
        assert!(within("10.1.0.0/16", "10.1.2.3"));
        assert!(within("10.1.0.0/16", "::ffff:10.1.2.3"));
        assert!(!within("10.1.0.0/16", "10.2.2.3"));
        assert!(within("0.0.0.0/0", "1.2.3.4"));
        assert!(!within("0.0.0.0/0", "::1"));
        assert!(within("1.2.3.4/32", "1.2.3.4"));
        assert!(!within("1.2.3.4/32", "1.2.3.5"));
        assert!(within("2001:db8::/32", "2001:db8::7"));
        assert!(!within("2001:db8::/32", "2001:db9::7"));
        assert!(within("::/0", "::1"));
    }

    #[test]
    fn what_is_no_network_holds_nobody() {
        for text in [
            "",
            "10.0.0.1",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "a/8",
            "::/129",
            "1.2.3.4/",
        ] {
            assert!(!is_network(text), "{text}");
            assert!(!within(text, "10.0.0.1"), "{text}");
        }
    }
}
