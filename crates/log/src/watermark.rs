//! The file `durable`: how far the log was on disk when that was last noted.
//!
//! It is written after each sync and never synced itself, so it may be behind, and is never ahead: whatever it says was
//! on disk once. When a process is killed it is exact; when the power fails, it may be as old as the system lets it be. What
//! lies before it and is not whole is damage, and no batch that was not finished.
//!
//! Layout: two slots, a sector apart and written in turn, each `magic(8) position(8) crc(4)`. Numbers never change.

use std::io;

use crate::Position;
use crate::disk::{Disk, DiskFile, read_up_to};

const DURABLE_NAME: &str = "durable";
const MAGIC: [u8; 8] = *b"RECADODU";
const SLOT_BYTES: usize = 20;
const SLOT_APART: usize = 512;
const FILE_BYTES: usize = 2 * SLOT_APART;

/// The committer's hold on the file.
#[derive(Debug)]
pub(crate) struct Watermark<F> {
    file: Option<F>,
    /// Which slot comes next.
    odd: bool,
    /// It can't be written: then it is a hint that is not there.
    given_up: bool,
}

impl<F> Default for Watermark<F> {
    fn default() -> Self {
        Self {
            file: None,
            odd: false,
            given_up: false,
        }
    }
}

impl<F: DiskFile> Watermark<F> {
    /// Everything before `durable` is on disk.
    pub(crate) fn note<D: Disk<File = F>>(&mut self, disk: &D, durable: Position) {
        if self.given_up {
            return;
        }
        if let Err(error) = self.write(disk, durable) {
            // A disk that is full now need not stay so.
            self.file = None;
            self.given_up = !crate::is_full(&error);
        }
    }

    fn write<D: Disk<File = F>>(&mut self, disk: &D, durable: Position) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => match disk.open(DURABLE_NAME) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    disk.create(DURABLE_NAME, FILE_BYTES as u64)?
                }
                opened => opened?,
            },
        };
        self.odd = !self.odd;
        let at = if self.odd { SLOT_APART } else { 0 };
        file.write_at(&encode(durable), at as u64)?;
        self.file = Some(file);
        Ok(())
    }
}

/// How far the log was on disk at least; the beginning if nobody knows.
pub(crate) fn read<D: Disk>(disk: &D) -> io::Result<Position> {
    let file = match disk.open(DURABLE_NAME) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Position::default()),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    // What can't be read says nothing.
    let _ = read_up_to(&file, &mut bytes, 0, FILE_BYTES);
    let slots = [0, SLOT_APART].map(|at| bytes.get(at..).and_then(decode));
    Ok(slots.into_iter().flatten().max().unwrap_or_default())
}

fn encode(durable: Position) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(&MAGIC);
    slot[8..16].copy_from_slice(&durable.0.to_le_bytes());
    let crc = crc32c::crc32c(&slot[..16]).to_le_bytes();
    slot[16..].copy_from_slice(&crc);
    slot
}

fn decode(bytes: &[u8]) -> Option<Position> {
    let slot = bytes.first_chunk::<SLOT_BYTES>()?;
    let position = Position(u64::from_le_bytes(*slot.get(8..)?.first_chunk()?));
    (encode(position) == *slot).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimDisk;

    #[test]
    fn the_later_of_two_slots_counts_and_a_torn_one_does_not() {
        let disk = SimDisk::new(1);
        assert_eq!(read(&disk).expect("readable"), Position(0));
        let mut watermark = Watermark::default();
        for position in [5, 6, 7] {
            watermark.note(&disk, Position(position));
            assert_eq!(read(&disk).expect("readable"), Position(position));
        }
        for at in 0..FILE_BYTES {
            let torn = disk.copy();
            torn.flip(DURABLE_NAME, at, 1);
            let read = read(&torn).expect("readable").0;
            let inside = (SLOT_APART..SLOT_APART + SLOT_BYTES).contains(&at);
            assert_eq!(read, if inside { 6 } else { 7 }, "byte {at}");
        }
    }

    #[test]
    fn the_bytes_of_a_slot_never_change() {
        let expected = b"RECADODU\x02\x01\0\0\x03\0\0\0";
        let slot = encode(Position(3 << 32 | 0x102));
        assert_eq!(slot[..16], expected[..]);
        assert_eq!(slot[16..], crc32c::crc32c(expected).to_le_bytes());
    }

    #[test]
    fn a_full_disk_is_asked_again() {
        let disk = SimDisk::new(1);
        let mut watermark = Watermark::default();
        disk.set_limit_bytes(10);
        watermark.note(&disk, Position(5));
        assert_eq!(read(&disk).expect("readable"), Position(0));
        disk.set_limit_bytes(10_000);
        watermark.note(&disk, Position(6));
        assert_eq!(read(&disk).expect("readable"), Position(6));
    }
}
