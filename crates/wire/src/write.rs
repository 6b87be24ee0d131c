//! Writes frames into a buffer: MSG and HMSG for the server, PUB and HPUB for a client, `-ERR`.

use crate::error::ProtocolError;

/// Numbers below this have at most 16 digits.
const SHORT_MAX: u64 = 10_000_000_000_000_000;

/// Appends a number in decimal.
#[inline]
pub fn push_decimal(out: &mut Vec<u8>, value: u64) {
    if value >= SHORT_MAX {
        return out.extend_from_slice(value.to_string().as_bytes());
    }
    let mut digits = [0u8; 16];
    let mut rest = value;
    let mut unused = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        unused -= 1;
        if rest == 0 {
            break;
        }
    }
    // As one word, of which too much is taken back: to copy a few bytes of any number takes a call.
    let word = u128::from_be_bytes(digits) << (8 * unused);
    out.extend_from_slice(&word.to_be_bytes());
    out.truncate(out.len() - unused);
}

/// Appends `-ERR '<text>'`.
pub fn push_err(out: &mut Vec<u8>, error: &ProtocolError) {
    out.extend_from_slice(b"-ERR '");
    out.extend_from_slice(error.text().as_bytes());
    out.extend_from_slice(b"'\r\n");
}

/// Appends MSG, or HMSG where there are `headers`: the whole block. An empty block is none.
pub fn push_message(
    out: &mut Vec<u8>,
    subject: &[u8],
    sid: &[u8],
    reply: &[u8],
    headers: Option<&[u8]>,
    payload: &[u8],
) {
    let headers = headers.unwrap_or_default();
    out.extend_from_slice(if headers.is_empty() {
        b"MSG "
    } else {
        b"HMSG "
    });
    out.extend_from_slice(subject);
    out.push(b' ');
    out.extend_from_slice(sid);
    out.push(b' ');
    push_rest(out, reply, headers, payload);
}

/// Appends PUB, or HPUB where there are `headers`: the whole block. An empty block is none.
pub fn push_publish(
    out: &mut Vec<u8>,
    subject: &[u8],
    reply: &[u8],
    headers: Option<&[u8]>,
    payload: &[u8],
) {
    let headers = headers.unwrap_or_default();
    out.extend_from_slice(if headers.is_empty() {
        b"PUB "
    } else {
        b"HPUB "
    });
    out.extend_from_slice(subject);
    out.push(b' ');
    push_rest(out, reply, headers, payload);
}

/// What PUB, HPUB, MSG and HMSG have in common: `[reply] sizes`, body, line ends.
fn push_rest(out: &mut Vec<u8>, reply: &[u8], headers: &[u8], payload: &[u8]) {
    if !reply.is_empty() {
        out.extend_from_slice(reply);
        out.push(b' ');
    }
    if !headers.is_empty() {
        push_decimal(out, headers.len() as u64);
        out.push(b' ');
    }
    push_decimal(out, (headers.len() + payload.len()) as u64);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_decimal() {
        let powers = (0..20).map(|power| 10u64.pow(power));
        let around = powers.flat_map(|power| [power - 1, power, power + 1]);
        for value in around.chain([4096, u64::MAX]) {
            let mut out = b"before".to_vec();
            push_decimal(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), format!("before{value}"));
        }
    }

    #[test]
    fn frames_are_written_as_the_protocol_says() {
        let mut out = Vec::new();
        push_message(&mut out, b"a", b"1", b"", None, b"hi");
        push_message(&mut out, b"a", b"1", b"r", Some(b"NATS/1.0\r\n\r\n"), b"hi");
        push_publish(&mut out, b"a", b"r", None, b"");
        push_err(&mut out, &ProtocolError::MaxPayload);
        let expected = "MSG a 1 2\r\nhi\r\nHMSG a 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n\
                        PUB a r 0\r\n\r\n-ERR 'Maximum Payload Violation'\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_empty_header_block_is_written_as_none() {
        let mut out = Vec::new();
        push_message(&mut out, b"a", b"1", b"", Some(b""), b"hi");
        push_publish(&mut out, b"a", b"", Some(b""), b"hi");
        assert_eq!(out, b"MSG a 1 2\r\nhi\r\nPUB a 2\r\nhi\r\n");
    }
}
