//! Frames that the server sends.

use super::deflate;

/// Bits of a frame's first byte.
pub(super) const FIN: u8 = 0x80;
pub(super) const COMPRESSED: u8 = 0x40;
pub(super) const RESERVED: u8 = 0x30;
/// The bit of a frame's second byte that says that the payload is masked.
pub(super) const MASKED: u8 = 0x80;

/// What a frame is; never change: the numbers are the standard's.
pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// Longest payload of a frame that is no data.
pub(super) const CONTROL_BYTES_MAX: usize = 125;
/// Payloads from this size on are compressed, where that was agreed on.
const COMPRESS_MIN: usize = 64;

/// Why a connection ends, as a browser is told (reference row B15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseCode {
    /// All is well.
    Normal,
    /// The server goes away, or took the client for gone.
    GoingAway,
    /// The rules of WebSocket or of the protocol were broken.
    Protocol,
    /// What came can't be made sense of.
    InvalidData,
    /// A credential, a limit, or reading too slowly.
    Policy,
    /// Something was larger than it may be.
    TooBig,
    /// The server failed.
    Internal,
}

impl CloseCode {
    fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::Protocol => 1002,
            Self::InvalidData => 1007,
            Self::Policy => 1008,
            Self::TooBig => 1009,
            Self::Internal => 1011,
        }
    }
}

/// Appends a binary message, compressed if that was agreed on and is worth it.
pub(crate) fn push_data(out: &mut Vec<u8>, payload: &[u8], compress: bool) {
    if compress && payload.len() >= COMPRESS_MIN {
        deflate::compress(payload, |compressed| {
            push_head(out, FIN | COMPRESSED | BINARY, compressed.len());
            out.extend_from_slice(compressed);
        });
    } else {
        push_head(out, FIN | BINARY, payload.len());
        out.extend_from_slice(payload);
    }
}

/// Appends the answer to a ping.
pub(crate) fn push_pong(out: &mut Vec<u8>, payload: &[u8]) {
    push_control(out, PONG, payload);
}

/// Appends the last frame of a connection.
pub(crate) fn push_close(out: &mut Vec<u8>, code: CloseCode, reason: &str) {
    let mut payload = code.number().to_be_bytes().to_vec();
    let mut end = reason.len().min(CONTROL_BYTES_MAX - payload.len());
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    push_control(out, CLOSE, &payload);
}

fn push_control(out: &mut Vec<u8>, what: u8, payload: &[u8]) {
    let payload = &payload[..payload.len().min(CONTROL_BYTES_MAX)];
    push_head(out, FIN | what, payload.len());
    out.extend_from_slice(payload);
}

fn push_head(out: &mut Vec<u8>, first: u8, length: usize) {
    out.push(first);
    match length {
        0..126 => out.push(length as u8),
        126..65_536 => {
            out.push(126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_as_short_as_the_length_allows() {
        for (length, head) in [
            (5, &[0x82, 5][..]),
            (125, &[0x82, 125]),
            (126, &[0x82, 126, 0, 126]),
            (65_535, &[0x82, 126, 0xff, 0xff]),
            (65_536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = Vec::new();
            push_data(&mut out, &vec![b'x'; length], false);
            assert_eq!(&out[..head.len()], head);
            assert_eq!(out.len(), head.len() + length);
        }
    }

    #[test]
    fn a_long_reason_is_cut_where_a_character_ends() {
        let mut out = Vec::new();
        push_close(&mut out, CloseCode::Policy, &"ñ".repeat(100));
        assert_eq!(out.len(), 2 + 2 + 122);
        assert_eq!(&out[..4], [0x88, 124, 0x03, 0xf0]);
        assert!(std::str::from_utf8(&out[4..]).is_ok());
    }
}
