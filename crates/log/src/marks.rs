//! The file `released`: which records of the segments that are left are dead.
//!
//! What made a record dead may lie in a segment that goes earlier than the record's own. So before a
//! segment goes, it is written down here what was released in all the others; what stands here is not
//! replayed any more. Must never name a record that is alive: a segment's number is not used again.
//!
//! Layout: a header of 16 bytes, then frames, each with a checksum. All that is written down at once is one
//! frame, there as a whole or not at all: nothing is forgotten before what it made dead. Numbers never
//! change.

use std::collections::BTreeMap;
use std::io;

use memchr::memmem;

use crate::disk::{Disk, DiskFile, is_full, read_up_to};
use crate::footer::{Take, put};
use crate::format::FORMAT_VERSION;

/// Name of the file.
pub(crate) const RELEASED_NAME: &str = "released";
const NEW_NAME: &str = "released.new";
const MAGIC: [u8; 8] = *b"RECADORL";
const HEADER_BYTES: usize = 16;
const FRAME_MAGIC: [u8; 4] = *b"RLSD";
const FRAME_HEAD_BYTES: usize = 12;
/// The file is written anew when it has grown by this much, and to more than twice of what it was.
const GROWTH_BYTES: u64 = 4 << 20;

/// Offsets of dead records, by segment.
pub(crate) type Released = BTreeMap<u32, Vec<u32>>;

/// Segments and offsets, as they stand in one frame.
type OneFrame = Vec<(u32, Vec<u32>)>;

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    pub(crate) released: Released,
    /// The highest segment that it ever spoke of, as far as is known.
    pub(crate) highest: u32,
    /// Something in it can't be read.
    pub(crate) damaged: bool,
    /// Where its last whole frame ends; 0 if there is no usable file.
    end: u64,
}

impl Marks {
    /// Reads the file, and makes sure that it lasts as it was read: after a sync that failed, the system may
    /// show bytes that never reached the disk.
    pub(crate) fn settle<D: Disk>(disk: &D) -> io::Result<Self> {
        let marks = Self::read(disk)?;
        if marks.end > 0 {
            let file = disk.open(RELEASED_NAME)?;
            let mut bytes = Vec::new();
            read_up_to(&file, &mut bytes, 0, marks.end as usize)?;
            match file.write_at(&bytes, 0) {
                Err(error) if !is_full(&error) => return Err(error),
                _ => {}
            }
            file.set_length(marks.end)?;
            file.sync_data()?;
            disk.sync_dir()?;
        }
        Ok(marks)
    }

    pub(crate) fn read<D: Disk>(disk: &D) -> io::Result<Self> {
        let mut marks = Self::default();
        let file = match disk.open(RELEASED_NAME) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(marks),
            Err(error) => return Err(error),
        };
        let length = file.length()? as usize;
        let mut bytes = Vec::new();
        read_up_to(&file, &mut bytes, 0, length)?;
        marks.damaged = bytes.get(..HEADER_BYTES) != Some(&header());
        let mut at = HEADER_BYTES;
        let mut skipped = false;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some((released, taken)) = frame(rest) {
                for (segment, offsets) in released {
                    marks.highest = marks.highest.max(segment);
                    marks.released.entry(segment).or_default().extend(offsets);
                }
                // Bytes that were skipped are damage only if something whole follows.
                marks.damaged |= skipped;
                at += taken;
                marks.end = at as u64;
                skipped = false;
            } else {
                let next = rest
                    .get(1..)
                    .and_then(|rest| memmem::find(rest, &FRAME_MAGIC));
                let Some(next) = next else {
                    break;
                };
                at += next + 1;
                skipped = true;
            }
        }
        if bytes.len() >= HEADER_BYTES {
            marks.end = marks.end.max(HEADER_BYTES as u64);
        }
        for offsets in marks.released.values_mut() {
            offsets.sort_unstable();
            offsets.dedup();
        }
        Ok(marks)
    }
}

fn header() -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    let crc = crc32c::crc32c(&header[..12]).to_le_bytes();
    header[12..].copy_from_slice(&crc);
    header
}

/// One frame: `magic crc length`, then for each segment its number, how many offsets, and what each is more
/// than the one before.
fn encode(released: &Released) -> Vec<u8> {
    let mut body = Vec::new();
    for (segment, offsets) in released {
        let mut sorted = offsets.clone();
        sorted.sort_unstable();
        sorted.dedup();
        put(&mut body, u64::from(*segment));
        put(&mut body, sorted.len() as u64);
        let mut before = 0;
        for offset in &sorted {
            put(&mut body, u64::from(offset - before));
            before = *offset;
        }
    }
    let length = (body.len() as u32).to_le_bytes();
    let crc = crc32c::crc32c_append(crc32c::crc32c(&length), &body);
    let mut bytes = Vec::with_capacity(FRAME_HEAD_BYTES + body.len());
    bytes.extend(FRAME_MAGIC);
    bytes.extend(crc.to_le_bytes());
    bytes.extend(length);
    bytes.extend(body);
    bytes
}

/// A whole frame: what it says, and its length.
fn frame(bytes: &[u8]) -> Option<(OneFrame, usize)> {
    let h = bytes.first_chunk::<FRAME_HEAD_BYTES>()?;
    let length = u32::from_le_bytes([h[8], h[9], h[10], h[11]]) as usize;
    let taken = FRAME_HEAD_BYTES.checked_add(length)?;
    let checked = bytes.get(8..taken)?;
    if h[..4] != FRAME_MAGIC || h[4..8] != crc32c::crc32c(checked).to_le_bytes() {
        return None;
    }
    let mut take = Take(checked.get(4..)?);
    let mut released = Vec::new();
    while !take.0.is_empty() {
        let segment = u32::try_from(take.number()?).ok()?;
        let count = take.number()?;
        let mut offsets = Vec::with_capacity((count as usize).min(length));
        let mut offset = 0_u32;
        for _ in 0..count {
            offset = offset.checked_add(u32::try_from(take.number()?).ok()?)?;
            offsets.push(offset);
        }
        released.push((segment, offsets));
    }
    Some((released, taken))
}

/// The committer's hold on the file.
#[derive(Debug)]
pub(crate) struct MarksFile<F> {
    file: Option<F>,
    end: u64,
    /// What it had when it was written anew, or should have had.
    base: u64,
}

impl<F: DiskFile> MarksFile<F> {
    pub(crate) fn new(marks: &Marks) -> Self {
        Self {
            file: None,
            end: marks.end,
            base: encode(&marks.released).len() as u64,
        }
    }

    /// Writes down, for good, what was released.
    pub(crate) fn append<D: Disk<File = F>>(
        &mut self,
        disk: &D,
        released: &Released,
    ) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None if self.end == 0 => {
                let _ = disk.remove(RELEASED_NAME);
                let file = disk.create(RELEASED_NAME, 0)?;
                file.write_at(&header(), 0)?;
                disk.sync_dir()?;
                self.end = HEADER_BYTES as u64;
                file
            }
            None => {
                let file = disk.open(RELEASED_NAME)?;
                file.set_length(self.end)?;
                file
            }
        };
        let bytes = encode(released);
        if let Err(error) = file.write_at(&bytes, self.end) {
            // The next one must not come after half a frame.
            file.set_length(self.end)?;
            self.file = Some(file);
            return Err(error);
        }
        file.sync_data()?;
        self.end += bytes.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    /// Whether most of the file is about segments that are gone.
    pub(crate) fn is_stale(&self) -> bool {
        self.end > 2 * self.base + GROWTH_BYTES
    }

    /// Writes the file anew, without the segments that are gone.
    pub(crate) fn renew<D: Disk<File = F>>(
        &mut self,
        disk: &D,
        exists: impl Fn(u32) -> bool,
    ) -> io::Result<()> {
        // Whatever comes of it, it is not tried again at once.
        self.base = self.end;
        let mut marks = Marks::read(disk)?;
        // The highest stays, so that its number is not used again.
        let highest = marks.highest;
        marks
            .released
            .retain(|segment, _| exists(*segment) || *segment == highest);
        let mut bytes = header().to_vec();
        bytes.extend(encode(&marks.released));
        let _ = disk.remove(NEW_NAME);
        let file = disk.create(NEW_NAME, 0)?;
        file.write_at(&bytes, 0)?;
        file.sync_data()?;
        disk.rename(NEW_NAME, RELEASED_NAME)?;
        disk.sync_dir()?;
        self.file = Some(file);
        self.end = bytes.len() as u64;
        self.base = self.end;
        Ok(())
    }
}

/// Tells dead records from others; to be asked in the order of the segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadHere<'a>(&'a [u32]);

impl<'a> DeadHere<'a> {
    pub(crate) fn new(marks: &'a Marks, segment: u32) -> Self {
        Self(marks.released.get(&segment).map_or(&[], Vec::as_slice))
    }

    /// Whether the record at an offset is dead.
    pub(crate) fn has(&mut self, offset: u32) -> bool {
        while let Some((first, rest)) = self.0.split_first() {
            if *first >= offset {
                return *first == offset;
            }
            self.0 = rest;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimDisk;

    fn released() -> Released {
        BTreeMap::from([(2, vec![1024, 1500]), (7, vec![1024])])
    }

    #[test]
    fn the_bytes_of_the_file_never_change() {
        let mut bytes = header().to_vec();
        bytes.extend(encode(&released()));
        let expected: &[u8] = &[
            b"RECADORL\x01\0\0\0".as_slice(),
            &crc32c::crc32c(b"RECADORL\x01\0\0\0").to_le_bytes(),
            b"RLSD",
            &crc32c::crc32c(b"\x0a\0\0\0\x02\x02\x80\x08\xdc\x03\x07\x01\x80\x08").to_le_bytes(),
            b"\x0a\0\0\0\x02\x02\x80\x08\xdc\x03\x07\x01\x80\x08",
        ]
        .concat();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_is_written_down_is_read_again_and_may_be_torn_at_the_end() {
        let disk = SimDisk::new(1);
        let mut file = MarksFile::new(&Marks::read(&disk).expect("none"));
        file.append(&disk, &released()).expect("room");
        file.append(&disk, &BTreeMap::from([(2, vec![1200])]))
            .expect("room");
        let marks = Marks::read(&disk).expect("readable");
        assert_eq!(marks.released[&2], [1024, 1200, 1500]);
        assert_eq!((marks.highest, marks.damaged), (7, false));

        let bytes = disk.bytes(RELEASED_NAME).expect("a file");
        disk.put(RELEASED_NAME, bytes[..bytes.len() - 1].to_vec());
        let marks = Marks::read(&disk).expect("readable");
        assert_eq!((marks.released.clone(), marks.damaged), (released(), false));
        let mut file = MarksFile::new(&marks);
        file.append(&disk, &BTreeMap::from([(8, vec![1024])]))
            .expect("room");
        assert_eq!(Marks::read(&disk).expect("readable").highest, 8);
    }

    #[test]
    fn damage_costs_one_frame_and_is_noticed() {
        let disk = SimDisk::new(1);
        let mut file = MarksFile::new(&Marks::read(&disk).expect("none"));
        file.append(&disk, &released()).expect("room");
        file.append(&disk, &BTreeMap::from([(8, vec![1024])]))
            .expect("room");
        for at in 0..HEADER_BYTES + FRAME_HEAD_BYTES + 10 {
            let disk = disk.copy();
            disk.flip(RELEASED_NAME, at, 1);
            let marks = Marks::read(&disk).expect("readable");
            assert!(marks.damaged, "byte {at}");
            assert_eq!(marks.released[&8], [1024]);
        }
    }

    #[test]
    fn a_renewed_file_speaks_of_segments_that_exist_and_keeps_the_highest_number() {
        let disk = SimDisk::new(1);
        let mut file = MarksFile::new(&Marks::read(&disk).expect("none"));
        file.append(&disk, &released()).expect("room");
        file.append(&disk, &BTreeMap::from([(3, vec![2000])]))
            .expect("room");
        file.renew(&disk, |segment| segment == 3).expect("room");
        disk.crash();
        let marks = Marks::read(&disk).expect("readable");
        assert_eq!(marks.released.keys().copied().collect::<Vec<_>>(), [3, 7]);
    }
}
