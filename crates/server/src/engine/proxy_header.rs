//! What a proxy says before the first byte of a client: whose the connection is (the PROXY protocol of
//! haproxy, versions 1 and 2; reference row B11).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest header that is read; with less than this a proxy can say all that it usually does.
pub(super) const HEADER_BYTES_MAX: usize = 4096;

const TEXT_START: &[u8] = b"PROXY ";
/// Longest header of version 1.
const TEXT_BYTES_MAX: usize = 107;
const BINARY_START: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// What comes before the addresses of version 2.
const BINARY_HEAD: usize = 16;

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// It can't be said yet.
    Incomplete,
    /// No header: the client's own bytes.
    Absent,
    /// A header of so many bytes, and whose the connection is if the proxy knows.
    Header(usize, Option<SocketAddr>),
    /// Something that begins like a header and is none.
    Malformed(&'static str),
}

/// Looks at the first bytes of a connection.
pub(super) fn parse(input: &[u8]) -> Start {
    if begins_like(input, TEXT_START) {
        text(input)
    } else if begins_like(input, BINARY_START) {
        binary(input)
    } else {
        Start::Absent
    }
}

fn begins_like(input: &[u8], start: &[u8]) -> bool {
    let common = input.len().min(start.len());
    input[..common] == start[..common]
}

/// `PROXY TCP4 source destination sourceport destinationport` CR LF
fn text(input: &[u8]) -> Start {
    let Some(end) = input.windows(2).position(|pair| pair == b"\r\n") else {
        return match input.len() >= TEXT_BYTES_MAX {
            true => Start::Malformed("its line is too long"),
            false => Start::Incomplete,
        };
    };
    if end + 2 > TEXT_BYTES_MAX {
        return Start::Malformed("its line is too long");
    }
    let Ok(line) = std::str::from_utf8(&input[..end]) else {
        return Start::Malformed("it is not text");
    };
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => Start::Header(end + 2, None),
        [
            "PROXY",
            family @ ("TCP4" | "TCP6"),
            source,
            destination,
            port,
            to_port,
        ] => {
            let of_family = |ip: &IpAddr| ip.is_ipv4() == (*family == "TCP4");
            let address = |ip: &str, port: &str| {
                let ip = ip.parse::<IpAddr>().ok().filter(of_family)?;
                Some(SocketAddr::new(ip, port.parse().ok()?))
            };
            match (address(source, port), address(destination, to_port)) {
                (Some(source), Some(_)) => Start::Header(end + 2, Some(source)),
                _ => Start::Malformed("its addresses are none"),
            }
        }
        _ => Start::Malformed("it names no addresses"),
    }
}

/// Start, version and command, family, length; then addresses, and whatever else the proxy says.
fn binary(input: &[u8]) -> Start {
    let Some(head) = input.get(BINARY_START.len()..BINARY_HEAD) else {
        return Start::Incomplete;
    };
    let [command, family, high, low] = *head else {
        return Start::Incomplete;
    };
    let length = BINARY_HEAD + usize::from(u16::from_be_bytes([high, low]));
    if length > HEADER_BYTES_MAX {
        return Start::Malformed("it is too long");
    }
    let Some(addresses) = input.get(BINARY_HEAD..length) else {
        return Start::Incomplete;
    };
    match (command, family) {
        // LOCAL: the proxy's own connection.
        (0x20, _) => Start::Header(length, None),
        (0x21, 0x11) => match *addresses {
            [a, b, c, d, _, _, _, _, high, low, _, _, ..] => {
                let port = u16::from_be_bytes([high, low]);
                let source = SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), port);
                Start::Header(length, Some(source))
            }
            _ => Start::Malformed("its addresses are too short"),
        },
        (0x21, 0x21) => {
            let parts = (addresses.first_chunk::<16>(), addresses.get(32..36));
            match parts {
                (Some(ip), Some(&[high, low, _, _])) => {
                    let port = u16::from_be_bytes([high, low]);
                    let source = SocketAddr::new(Ipv6Addr::from(*ip).into(), port);
                    Start::Header(length, Some(source))
                }
                _ => Start::Malformed("its addresses are too short"),
            }
        }
        // Another kind of transport, which says nothing of addresses that we know.
        (0x21, _) => Start::Header(length, None),
        _ => Start::Malformed("its version or command is unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary_header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [BINARY_START, &[command, family], &length, rest].concat()
    }

    #[test]
    fn both_versions_name_the_client() {
        let line = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 4222\r\nCONNECT {}";
        let source = Some("192.0.2.7:4711".parse().unwrap());
        assert_eq!(parse(line), Start::Header(42, source));
        let line = b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n";
        let source = Some("[2001:db8::7]:1".parse().unwrap());
        assert_eq!(parse(line), Start::Header(line.len(), source));
        let v4 = [192, 0, 2, 7, 192, 0, 2, 1, 0x12, 0x67, 0x10, 0x7e];
        let source = Some("192.0.2.7:4711".parse().unwrap());
        let header = binary_header(0x21, 0x11, &v4);
        assert_eq!(parse(&header), Start::Header(header.len(), source));
        let mut v6 = [0; 40];
        v6[15] = 1;
        v6[33] = 9;
        let header = binary_header(0x21, 0x21, &v6);
        let source = Some("[::1]:9".parse().unwrap());
        assert_eq!(parse(&header), Start::Header(header.len(), source));
    }

    #[test]
    fn a_proxy_may_not_know_whose_the_connection_is() {
        let line = b"PROXY UNKNOWN ffff::1 ::1 1 2\r\n";
        assert_eq!(parse(line), Start::Header(line.len(), None));
        let local = binary_header(0x20, 0, &[]);
        assert_eq!(parse(&local), Start::Header(local.len(), None));
        let unix = binary_header(0x21, 0x31, &[0; 216]);
        assert_eq!(parse(&unix), Start::Header(unix.len(), None));
    }

    #[test]
    fn every_start_of_a_header_waits_for_the_rest() {
        let line = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 4222\r\n";
        let header = binary_header(0x21, 0x11, &[1; 12]);
        for whole in [&line[..], &header] {
            for length in 0..whole.len() {
                assert_eq!(parse(&whole[..length]), Start::Incomplete, "{length}");
            }
        }
    }

    #[test]
    fn what_a_client_says_is_no_header() {
        for input in [
            &b"PING\r\n"[..],
            b"PUB a 1\r\n",
            b"CONNECT {}",
            b"\x16\x03\x01",
            b"\r\nx",
        ] {
            assert_eq!(parse(input), Start::Absent);
        }
    }

    #[test]
    fn broken_headers_are_refused_and_none_is_longer_than_the_bound() {
        for input in [
            &b"PROXY TCP4 192.0.2.7 192.0.2.1 4711\r\n"[..],
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP4 192.0.2.7 192.0.2.1 99999 1\r\n",
            b"PROXY \xff\r\n",
            &[b"PROXY ", &[b'x'; 200][..]].concat(),
            &binary_header(0x21, 0x11, &[1; 11]),
            &binary_header(0x21, 0x21, &[1; 35]),
            &binary_header(0x31, 0x11, &[1; 12]),
            &binary_header(0x21, 0x11, &[1; 5000]),
        ] {
            assert!(matches!(parse(input), Start::Malformed(_)), "{input:?}");
        }
    }
}
