//! Overwrites the headers and payloads of records that are to be forgotten, where they lie.
//!
//! A record stays whole: its head gets the checksum of what is there now, so nobody who reads the segment takes it for
//! damage. What is about to be done is in the file `erasing` before it is done, and is done again when the store is
//! opened: whatever a crash leaves of the bytes, nothing is lost that was not to go.
//!
//! Must never touch a record of which it is not durable that nobody needs it.

use std::collections::BTreeSet;
use std::io;

use crate::Location;
use crate::disk::{Disk, DiskFile, is_full, read_up_to};
use crate::format::{self, FORMAT_VERSION, HEAD_BYTES, Seeds, mix, segment_name};

/// Name of the file.
const ERASING_NAME: &str = "erasing";
const MAGIC: [u8; 8] = *b"RECADOER";
/// Magic, version, how many entries, and a checksum over both and the entries.
const HEADER_BYTES: usize = 20;
/// Four numbers and a head.
const ENTRY_BYTES: usize = 16 + HEAD_BYTES;
/// Records that are overwritten with one sync.
const AT_ONCE_MAX: usize = 1000;
/// The file has room for them from the beginning, so that a full disk does not stand in the way.
const FILE_BYTES: usize = 64 * 1024;
const _: () = assert!(HEADER_BYTES + AT_ONCE_MAX * ENTRY_BYTES <= FILE_BYTES);
/// What a packed record holds begins so once it is overwritten: it can't be unpacked, and is no damage all the same.
/// Nothing that was packed begins so: as an LZ4 block it refers to what lies before its own begin, and what is left of it
/// in fewer bytes stands for fewer than are ever packed.
const PACKED_MARK: [u8; 8] = *b"RECADONO";

/// A record that is overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Erasure {
    segment: u32,
    offset: u32,
    /// Where headers and payload begin in the record.
    body_at: u32,
    /// Of the whole record.
    length: u32,
    /// What its head is then.
    head: [u8; HEAD_BYTES],
}

/// Overwrites records of which it is durable that nobody needs them. When it returns, that is durable, too.
///
/// # Errors
/// When the disk can't write or sync.
pub(crate) fn erase<D: Disk>(disk: &D, salt: u64, places: &[Location]) -> io::Result<()> {
    for part in places.chunks(AT_ONCE_MAX) {
        let mut erasures = Vec::with_capacity(part.len());
        for at in part {
            erasures.extend(prepare(disk, salt, *at)?);
        }
        if erasures.is_empty() {
            continue;
        }
        // Without the note, a crash in the middle leaves a dead record that looks damaged. And what is overwritten takes no
        // room, unless the file system writes it elsewhere: then it erases nothing anyway.
        unless_full(tell(disk, &erasures))?;
        unless_full(apply(disk, &erasures))?;
    }
    Ok(())
}

fn unless_full(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if is_full(&error) { Ok(()) } else { Err(error) })
}

/// Overwrites again what was being overwritten when the store was last used.
///
/// # Errors
/// When the disk can't read, write or sync.
pub(crate) fn finish<D: Disk>(disk: &D) -> io::Result<()> {
    unless_full(apply(disk, &told(disk)?))
}

/// Segments and offsets of what was being overwritten when the store was last used: what is there may look damaged.
pub(crate) fn unfinished<D: Disk>(disk: &D) -> io::Result<BTreeSet<(u32, u32)>> {
    let told = told(disk)?;
    Ok(told.iter().map(|one| (one.segment, one.offset)).collect())
}

/// Whether this is what a packed record holds once it is overwritten.
pub(crate) fn is_erased(body: &[u8]) -> bool {
    let mark = PACKED_MARK.iter();
    !body.is_empty() && body.iter().zip(mark).all(|(byte, mark)| byte == mark)
}

/// Finds out what a record's head is to be. Nothing if there is nothing to overwrite, or nothing to be said first.
fn prepare<D: Disk>(disk: &D, salt: u64, at: Location) -> io::Result<Option<Erasure>> {
    let file = match disk.open(&segment_name(at.segment)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let seeds = Seeds::new(salt, at.segment);
    let mut bytes = Vec::new();
    let head_bytes = (HEAD_BYTES + usize::from(u16::MAX)).min(at.length as usize);
    // What can't be read is damaged.
    let _ = read_up_to(&file, &mut bytes, at.offset.into(), head_bytes);
    let head = format::check_head(&bytes, seeds, at.offset);
    let Some(head) = head.filter(|head| head.length == at.length) else {
        // Nobody can tell where the payload begins: all behind the head goes. The record was damaged, and stays so.
        let rest = at.length.saturating_sub(HEAD_BYTES as u32);
        let noise = noise((at.segment, at.offset), rest, false);
        unless_full(file.write_at(&noise, u64::from(at.offset) + HEAD_BYTES as u64))?;
        file.sync_data()?;
        return Ok(None);
    };
    if head.body_len() == 0 {
        return Ok(None);
    }
    let body = noise((at.segment, at.offset), head.body_len(), head.packed);
    let head_now = format::head_with_body(&bytes, &head, &body, (seeds, at.offset));
    Ok(head_now.map(|now| Erasure {
        segment: at.segment,
        offset: at.offset,
        body_at: head.body_at() as u32,
        length: at.length,
        head: now,
    }))
}

fn apply<D: Disk>(disk: &D, erasures: &[Erasure]) -> io::Result<()> {
    for part in erasures.chunk_by(|one, next| one.segment == next.segment) {
        let Some(first) = part.first() else {
            continue;
        };
        let file = match disk.open(&segment_name(first.segment)) {
            Ok(file) => file,
            // It is gone, and all that it held with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for one in part {
            let at = u64::from(one.offset);
            let body = noise(
                (one.segment, one.offset),
                one.length.saturating_sub(one.body_at),
                format::is_packed(&one.head),
            );
            file.write_at(&body, at + u64::from(one.body_at))?;
            file.write_at(&one.head, at)?;
        }
        file.sync_data()?;
    }
    Ok(())
}

/// Bytes that say nothing, always the same for a place.
fn noise((segment, offset): (u32, u32), length: u32, packed: bool) -> Vec<u8> {
    let seed = u64::from(segment) << 32 | u64::from(offset);
    let words = (0..u64::from(length).div_ceil(8)).flat_map(|at| mix(mix(seed) ^ at).to_le_bytes());
    let mut bytes: Vec<u8> = words.take(length as usize).collect();
    if packed {
        for (byte, mark) in bytes.iter_mut().zip(PACKED_MARK) {
            *byte = mark;
        }
    }
    bytes
}

/// Writes down what is about to be overwritten.
fn tell<D: Disk>(disk: &D, erasures: &[Erasure]) -> io::Result<()> {
    let file = match disk.open(ERASING_NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = disk.create(ERASING_NAME, FILE_BYTES as u64)?;
            disk.sync_dir()?;
            file
        }
        opened => opened?,
    };
    file.write_at(&encode(erasures), 0)?;
    file.sync_data()
}

fn told<D: Disk>(disk: &D) -> io::Result<Vec<Erasure>> {
    let file = match disk.open(ERASING_NAME) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    read_up_to(&file, &mut bytes, 0, FILE_BYTES)?;
    // What is torn was not begun.
    Ok(decode(&bytes).unwrap_or_default())
}

fn encode(erasures: &[Erasure]) -> Vec<u8> {
    let mut checked = Vec::with_capacity(8 + erasures.len() * ENTRY_BYTES);
    checked.extend(FORMAT_VERSION.to_le_bytes());
    checked.extend((erasures.len() as u32).to_le_bytes());
    for one in erasures {
        for number in [one.segment, one.offset, one.body_at, one.length] {
            checked.extend(number.to_le_bytes());
        }
        checked.extend(one.head);
    }
    let crc = crc32c::crc32c(&checked).to_le_bytes();
    [&MAGIC[..], &crc, &checked].concat()
}

fn decode(bytes: &[u8]) -> Option<Vec<Erasure>> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (crc, checked) = rest.split_first_chunk::<4>()?;
    let (version, rest) = checked.split_first_chunk::<4>()?;
    let (count, _) = rest.split_first_chunk::<4>()?;
    let count = u32::from_le_bytes(*count) as usize;
    let checked = checked.get(..count.checked_mul(ENTRY_BYTES)?.checked_add(8)?)?;
    let is_it = *magic == MAGIC
        && *version == FORMAT_VERSION.to_le_bytes()
        && *crc == crc32c::crc32c(checked).to_le_bytes();
    let entries = checked.get(8..).filter(|_| is_it)?;
    entries.chunks_exact(ENTRY_BYTES).map(entry).collect()
}

fn entry(bytes: &[u8]) -> Option<Erasure> {
    let (numbers, head) = bytes.split_first_chunk::<16>()?;
    let mut numbers = numbers.chunks_exact(4).map(|number| {
        let number = number.first_chunk().copied().unwrap_or_default();
        u32::from_le_bytes(number)
    });
    Some(Erasure {
        segment: numbers.next()?,
        offset: numbers.next()?,
        body_at: numbers.next()?,
        length: numbers.next()?,
        head: *head.first_chunk()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimDisk;

    fn erasures() -> Vec<Erasure> {
        let one = |segment, offset| Erasure {
            segment,
            offset,
            body_at: 50,
            length: 70,
            head: [segment as u8; HEAD_BYTES],
        };
        vec![one(1, 1024), one(1, 4000), one(7, 1024)]
    }

    #[test]
    fn what_is_written_down_is_read_again_and_nothing_that_is_torn() {
        let disk = SimDisk::new(1);
        assert_eq!(told(&disk).expect("readable"), []);
        tell(&disk, &erasures()).expect("room");
        disk.crash();
        assert_eq!(told(&disk).expect("readable"), erasures());
        for at in 0..encode(&erasures()).len() {
            let torn = disk.copy();
            torn.flip(ERASING_NAME, at, 1);
            assert_eq!(told(&torn).expect("readable"), [], "byte {at}");
        }
        tell(&disk, &erasures()[..1]).expect("room");
        assert_eq!(told(&disk).expect("readable"), erasures()[..1]);
    }

    #[test]
    fn the_bytes_of_the_file_never_change() {
        let bytes = encode(&erasures());
        assert_eq!((bytes.len(), crc32c::crc32c(&bytes)), (212, 4_160_701_679));
        assert_eq!(
            noise((3, 1024), 8, false),
            [95, 179, 128, 139, 233, 156, 149, 17]
        );
    }

    #[test]
    fn noise_is_no_hole_and_tells_places_apart() {
        let places = [(1, 1024), (1, 1025), (2, 1024)];
        let mut all = places.map(|place| noise(place, 4096, false));
        for bytes in &all {
            assert!(
                bytes
                    .chunks(16)
                    .all(|part| part.iter().any(|byte| *byte != 0))
            );
            assert!(!is_erased(bytes));
        }
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(is_erased(&noise((1, 1024), 5, true)) && !is_erased(b""));
    }
}
