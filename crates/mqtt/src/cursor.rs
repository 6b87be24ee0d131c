//! Reads the fields of one packet whose end is known. What ends too early is a fault that names the field.

use crate::fault::Fault;

/// The rest of a packet.
pub(crate) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn byte(&mut self, field: &str) -> Result<u8, Fault> {
        let (first, rest) = self.0.split_first().ok_or_else(|| ends_in(field))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn number(&mut self, field: &str) -> Result<u16, Fault> {
        Ok(u16::from_be_bytes([self.byte(field)?, self.byte(field)?]))
    }

    /// A packet identifier, which is never 0.
    pub(crate) fn packet_id(&mut self) -> Result<u16, Fault> {
        match self.number("packet identifier")? {
            0 => Err(Fault::new("the packet identifier is 0")),
            id => Ok(id),
        }
    }

    /// Bytes with their length in front.
    pub(crate) fn bytes(&mut self, field: &str) -> Result<&'a [u8], Fault> {
        let length = usize::from(self.number(field)?);
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| ends_in(field))?;
        self.0 = rest;
        Ok(bytes)
    }

    /// The same of text: UTF-8 without a NUL.
    pub(crate) fn text(&mut self, field: &str) -> Result<&'a str, Fault> {
        let bytes = self.bytes(field)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Fault::new(format!("the {field} is not UTF-8")))?;
        match text.contains('\0') {
            true => Err(Fault::new(format!("the {field} holds a NUL"))),
            false => Ok(text),
        }
    }
}

fn ends_in(field: &str) -> Fault {
    Fault::new(format!("the packet ends in its {field}"))
}
