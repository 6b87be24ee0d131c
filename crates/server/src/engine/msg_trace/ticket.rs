//! What goes along with a traced message to the streams' thread: as the last header, which that takes off again.

/// Nothing that a client sends is mistaken for it: the number is known to the engine only.
const NAME: &[u8] = b"Nats-Recado-Trace: ";
/// Digits of the number, of the event, and of whether it is only traced.
const DIGITS: usize = 32 + 8 + 1;
/// The empty line behind all headers.
const END: &[u8] = b"\r\n";

/// Which event of which trace a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(super) number: u128,
    pub(super) event: u32,
    /// The message is to be looked at, and not taken.
    pub(crate) only: bool,
}

impl Ticket {
    /// Headers with the ticket behind them.
    pub(super) fn put_on(self, headers: &[u8]) -> Vec<u8> {
        let head = headers.strip_suffix(END).unwrap_or(headers);
        let Self {
            number,
            event,
            only,
        } = self;
        let value = format!("{number:032x}{event:08x}{}\r\n", u8::from(only));
        [head, NAME, value.as_bytes(), END].concat()
    }

    /// The ticket behind headers, and the headers without it. Its place is known, so others pay one comparison.
    pub(crate) fn take_off(headers: &[u8]) -> Option<(Self, Vec<u8>)> {
        let length = NAME.len() + DIGITS + 2 * END.len();
        let (head, line) = headers.split_at_checked(headers.len().checked_sub(length)?)?;
        let value = line.strip_prefix(NAME)?.get(..DIGITS)?;
        let value = std::str::from_utf8(value).ok()?;
        let ticket = Self {
            number: u128::from_str_radix(value.get(..32)?, 16).ok()?,
            event: u32::from_str_radix(value.get(32..40)?, 16).ok()?,
            only: value.get(40..)? == "1",
        };
        Some((ticket, [head, END].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_taken_off_as_it_was_put_on() {
        let headers = b"NATS/1.0\r\nA: b\r\n\r\n";
        let ticket = Ticket {
            number: u128::MAX - 7,
            event: 3,
            only: true,
        };
        let put = ticket.put_on(headers);
        assert_eq!(Ticket::take_off(&put), Some((ticket, headers.to_vec())));
        assert_eq!(Ticket::take_off(headers), None);
        assert_eq!(Ticket::take_off(b""), None);
        let long = format!("NATS/1.0\r\nA: {}\r\n\r\n", "x".repeat(200));
        assert_eq!(Ticket::take_off(long.as_bytes()), None);
    }
}
