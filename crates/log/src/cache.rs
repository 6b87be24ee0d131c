//! Reads records of the past, with a bounded cache of blocks and read-ahead for whoever reads in order.
//!
//! Must never hand out bytes of a segment that is gone: whoever removes one calls [`Reader::forget`].

use std::collections::HashMap;
use std::io;

use crate::Location;
use crate::disk::{Disk, DiskFile};
use crate::format::segment_name;

/// Blocks begin at multiples of it. A record of more bytes is read for itself.
const BLOCK_BYTES: usize = 16 * 1024;
/// Most blocks that are read at once.
const AHEAD_BLOCKS_MAX: usize = 32;
/// Files that are held open.
const FILES_MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct Reader<D: Disk> {
    disk: D,
    files: HashMap<u32, D::File>,
    blocks: Vec<Block>,
    index: HashMap<(u32, u32), usize>,
    blocks_max: usize,
    /// Blocks of segments that are gone: the next ones take their places.
    free: Vec<usize>,
    /// Where the next block to be replaced is looked for.
    hand: usize,
    /// The block that was used last, to find it again at once.
    latest: usize,
    scratch: Vec<u8>,
    ahead: Vec<u8>,
}

#[derive(Debug)]
struct Block {
    key: (u32, u32),
    bytes: Vec<u8>,
    /// Used since the hand last came by.
    used: bool,
    /// How many were read together with it: twice as many are next time.
    ahead: usize,
}

/// Where a record's bytes are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum InCache {
    Block(usize, usize),
    Scratch,
}

impl<D: Disk> Reader<D> {
    pub(crate) fn new(disk: D, bytes_max: usize) -> Self {
        Self {
            disk,
            files: HashMap::new(),
            blocks: Vec::new(),
            index: HashMap::new(),
            blocks_max: (bytes_max / BLOCK_BYTES).max(2 * AHEAD_BLOCKS_MAX),
            free: Vec::new(),
            hand: 0,
            latest: 0,
            scratch: Vec::new(),
            ahead: Vec::new(),
        }
    }

    /// Brings a record's bytes to memory. There may be fewer of them than the location says. What lies at or
    /// after `limit` may still change: it is not kept.
    pub(crate) fn load(&mut self, at: Location, limit: u32) -> io::Result<InCache> {
        let number = at.offset / BLOCK_BYTES as u32;
        let inside = at.offset as usize % BLOCK_BYTES;
        if at.length as usize > BLOCK_BYTES {
            let mut scratch = std::mem::take(&mut self.scratch);
            scratch.resize(at.length as usize, 0);
            let read = self
                .file(at.segment)?
                .read_at(&mut scratch, at.offset.into())?;
            scratch.truncate(read);
            self.scratch = scratch;
            return Ok(InCache::Scratch);
        }
        let wanted = (inside + at.length as usize).min(BLOCK_BYTES);
        let first = self.block((at.segment, number), wanted, limit)?;
        if inside + at.length as usize <= BLOCK_BYTES {
            return Ok(InCache::Block(first, inside));
        }
        let bytes = self
            .blocks
            .get(first)
            .and_then(|block| block.bytes.get(inside..));
        self.scratch.clear();
        self.scratch.extend_from_slice(bytes.unwrap_or_default());
        let rest = at.length as usize - self.scratch.len();
        let second = self.block((at.segment, number + 1), rest, limit)?;
        let bytes = self
            .blocks
            .get(second)
            .map_or(&[][..], |block| &block.bytes);
        self.scratch
            .extend_from_slice(bytes.get(..rest).unwrap_or(bytes));
        Ok(InCache::Scratch)
    }

    /// The bytes that were loaded last.
    pub(crate) fn bytes(&self, found: InCache, length: u32) -> &[u8] {
        let bytes = match found {
            InCache::Scratch => self.scratch.get(..length as usize),
            InCache::Block(index, from) => self
                .blocks
                .get(index)
                .and_then(|block| block.bytes.get(from..from + length as usize)),
        };
        bytes.unwrap_or_default()
    }

    /// A segment is gone.
    pub(crate) fn forget(&mut self, segment: u32) {
        self.files.remove(&segment);
        self.release(|key, _| key.0 == segment);
    }

    /// Gives back the memory of blocks that nobody read since the last call.
    pub(crate) fn age(&mut self) {
        self.release(|_, block| !std::mem::take(&mut block.used));
    }

    fn release(&mut self, which: impl Fn((u32, u32), &mut Block) -> bool) {
        let Self {
            index,
            blocks,
            free,
            ..
        } = self;
        index.retain(|key, at| {
            let Some(block) = blocks.get_mut(*at) else {
                return false;
            };
            let goes = which(*key, block);
            if goes {
                block.key = (0, 0);
                block.bytes = Vec::new();
                block.used = false;
                free.push(*at);
            }
            !goes
        });
    }

    /// A block of which at least `wanted` bytes are there, if the segment has them.
    fn block(&mut self, key: (u32, u32), wanted: usize, limit: u32) -> io::Result<usize> {
        if let Some(block) = self.blocks.get(self.latest)
            && block.key == key
            && block.bytes.len() >= wanted
        {
            return Ok(self.latest);
        }
        if let Some(&index) = self.index.get(&key)
            && let Some(block) = self.blocks.get_mut(index)
            && block.bytes.len() >= wanted
        {
            block.used = true;
            self.latest = index;
            return Ok(index);
        }
        let before = key
            .1
            .checked_sub(1)
            .and_then(|n| self.index.get(&(key.0, n)));
        let ahead = before
            .and_then(|index| self.blocks.get(*index))
            .map_or(1, |block| (block.ahead * 2).min(AHEAD_BLOCKS_MAX));
        let first = self.read_blocks(key, ahead, limit)?;
        self.latest = first;
        Ok(first)
    }

    /// Reads some blocks in one go.
    fn read_blocks(&mut self, key: (u32, u32), count: usize, limit: u32) -> io::Result<usize> {
        let offset = u64::from(key.1) * BLOCK_BYTES as u64;
        let most = u64::from(limit).saturating_sub(offset);
        let mut bytes = std::mem::take(&mut self.ahead);
        bytes.resize((count * BLOCK_BYTES).min(most as usize), 0);
        let read = self.file(key.0)?.read_at(&mut bytes, offset)?;
        bytes.truncate(read);
        let first = self.put(key, bytes.get(..BLOCK_BYTES).unwrap_or(&bytes), count, true);
        for (piece, number) in bytes.chunks(BLOCK_BYTES).zip(key.1..).skip(1) {
            if self.index.contains_key(&(key.0, number)) {
                break;
            }
            self.put((key.0, number), piece, count, false);
        }
        self.ahead = bytes;
        Ok(first)
    }

    /// Keeps a block's bytes, in place of one that was not used lately if there are too many.
    fn put(&mut self, key: (u32, u32), bytes: &[u8], ahead: usize, used: bool) -> usize {
        let index = if let Some(index) = self.index.get(&key) {
            *index
        } else if let Some(index) = self.free.pop() {
            index
        } else if self.blocks.len() < self.blocks_max {
            self.blocks.push(Block {
                key,
                bytes: Vec::new(),
                used: false,
                ahead,
            });
            self.blocks.len() - 1
        } else {
            self.victim()
        };
        if let Some(block) = self.blocks.get_mut(index) {
            self.index.remove(&block.key);
            block.key = key;
            block.bytes.clear();
            block.bytes.extend_from_slice(bytes);
            block.ahead = ahead;
            block.used = used;
        }
        self.index.insert(key, index);
        index
    }

    fn victim(&mut self) -> usize {
        loop {
            let index = self.hand;
            self.hand = (self.hand + 1) % self.blocks.len().max(1);
            match self.blocks.get_mut(index) {
                Some(block) if block.used => block.used = false,
                _ => return index,
            }
        }
    }

    fn file(&mut self, segment: u32) -> io::Result<&D::File> {
        if self.files.len() >= FILES_MAX && !self.files.contains_key(&segment) {
            // Whichever: opening one again is cheap beside the reads that lead here.
            let any = self.files.keys().next().copied();
            any.map(|any| self.files.remove(&any));
        }
        match self.files.entry(segment) {
            std::collections::hash_map::Entry::Occupied(file) => Ok(file.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => {
                Ok(place.insert(self.disk.open(&segment_name(segment))?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimDisk;

    fn byte(offset: u32) -> u8 {
        (offset / 7) as u8
    }

    fn disk(bytes: u32) -> SimDisk {
        let disk = SimDisk::new(0);
        disk.put(&segment_name(1), (0..bytes).map(byte).collect());
        disk
    }

    fn check(reader: &mut Reader<SimDisk>, offset: u32, length: u32, limit: u32) {
        let at = Location {
            segment: 1,
            offset,
            length,
        };
        let found = reader.load(at, limit).expect("readable");
        let expected: Vec<u8> = (offset..offset + length).map(byte).collect();
        assert!(reader.bytes(found, length) == expected, "{at:?}");
    }

    #[test]
    fn reading_in_any_order_gives_what_the_file_holds() {
        let size = 1_500_000;
        let mut reader = Reader::new(disk(size), 0);
        for offset in (0..size - 1000).step_by(777) {
            check(&mut reader, offset, 777, u32::MAX);
        }
        let mut offset = 1;
        for _ in 0..1000 {
            offset = (offset * 48_271_u64) % 0x7FFF_FFFF;
            let length = 1 + (offset % 40_000) as u32;
            check(
                &mut reader,
                offset as u32 % (size - length),
                length,
                u32::MAX,
            );
        }
        assert!(reader.blocks.len() <= reader.blocks_max);
    }

    #[test]
    fn what_may_still_change_is_not_kept() {
        let disk = disk(1000);
        let mut reader = Reader::new(disk.clone(), 0);
        check(&mut reader, 0, 500, 500);
        let file = disk.open(&segment_name(1)).expect("a file");
        let bytes: Vec<u8> = (500..2000).map(byte).collect();
        file.write_at(&[0xEE; 500], 500).expect("room");
        check(&mut reader, 100, 400, 500);
        file.write_at(&bytes, 500).expect("room");
        check(&mut reader, 400, 1600, 2000);
    }

    #[test]
    fn the_next_blocks_take_the_places_of_those_that_were_forgotten() {
        let disk = SimDisk::new(0);
        for segment in 1..=20 {
            disk.put(&segment_name(segment), (0..400_000).map(byte).collect());
        }
        let mut reader = Reader::new(disk, 64 * 1024 * 1024);
        for segment in 1..=20 {
            for offset in (0..390_000).step_by(777) {
                let at = Location {
                    segment,
                    offset,
                    length: 777,
                };
                reader.load(at, u32::MAX).expect("readable");
            }
            reader.forget(segment);
            let held: usize = reader
                .blocks
                .iter()
                .map(|block| block.bytes.capacity())
                .sum();
            assert_eq!(held, 0, "of a segment that is gone nothing stays");
        }
        assert!(reader.blocks.len() < 60, "{}", reader.blocks.len());
        assert_eq!(reader.free.len(), reader.blocks.len());
    }

    #[test]
    fn what_nobody_reads_any_more_gives_its_memory_back() {
        let mut reader = Reader::new(disk(400_000), 64 * 1024 * 1024);
        for offset in (0..390_000).step_by(777) {
            check(&mut reader, offset, 777, u32::MAX);
        }
        let held = |reader: &Reader<SimDisk>| -> usize {
            let blocks = reader.blocks.iter();
            blocks.filter(|block| block.bytes.capacity() > 0).count()
        };
        let all = held(&reader);
        reader.age();
        assert!(
            held(&reader) + AHEAD_BLOCKS_MAX >= all,
            "all but what was read ahead were used"
        );
        check(&mut reader, 20_000, 777, u32::MAX);
        reader.age();
        assert_eq!(held(&reader), 1);
        check(&mut reader, 20_000, 777, u32::MAX);
        check(&mut reader, 300_000, 777, u32::MAX);
        reader.age();
        reader.age();
        assert_eq!(held(&reader), 0);
        check(&mut reader, 100_000, 777, u32::MAX);
    }

    #[test]
    fn a_forgotten_segment_is_read_anew() {
        let first = disk(1000);
        let mut reader = Reader::new(first.clone(), 0);
        check(&mut reader, 0, 100, u32::MAX);
        reader.forget(1);
        first.put(&segment_name(1), vec![9; 1000]);
        let at = Location {
            segment: 1,
            offset: 0,
            length: 100,
        };
        let found = reader.load(at, u32::MAX).expect("readable");
        assert_eq!(reader.bytes(found, 100), [9; 100]);
    }
}
