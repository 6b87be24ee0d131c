//! What of the process's memory is code, and which file it is from.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use object::read::{Object, ObjectSection, ObjectSegment, ReadCache, ReadRef};
use procfs::process::{MMPermissions, MMapPath, MemoryMap, Process};

/// Images that are known. A server of this kind has one to five.
const IMAGES_MAX: usize = 256;
/// Bytes of the piece of code that the kernel lends (vDSO); it has two pages.
const LENT_BYTES_MAX: u64 = 1024 * 1024;

/// The program's own file, whatever its name leads to now.
const OWN: &str = "/proc/self/exe";

/// All code of the process.
pub(super) struct Images(Vec<Image>);

/// Code at one place.
pub(super) struct Image {
    /// What it is called.
    pub(super) name: String,
    /// Where it is to be read; nothing where the kernel lends it.
    pub(super) path: Option<PathBuf>,
    /// Where it lies in memory.
    pub(super) addresses: Range<u64>,
    /// Where that begins in its file.
    pub(super) offset: u64,
    /// What is added to addresses in its file.
    pub(super) bias: u64,
    /// How callers are found there.
    pub(super) callers: Callers,
}

/// Sections that tell how to find the caller of each place in an image.
#[derive(Default)]
pub(super) struct Callers {
    pub(super) text: Option<Range<u64>>,
    pub(super) frames: Option<(Range<u64>, Vec<u8>)>,
    pub(super) index: Option<(Range<u64>, Vec<u8>)>,
}

impl Images {
    /// Reads which code there is. What can't be read is left out: stacks end there.
    ///
    /// # Errors
    /// When `/proc` can't be read.
    pub(super) fn read() -> io::Result<Self> {
        let maps = Process::myself().and_then(|process| process.maps());
        let maps = maps.map_err(io::Error::other)?;
        let own = std::fs::read_link(OWN).ok();
        let images = maps
            .iter()
            .filter(|map| map.perms.contains(MMPermissions::EXECUTE))
            .filter_map(|map| image(map, own.as_deref()))
            .take(IMAGES_MAX);
        Ok(Self(images.collect()))
    }

    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Image> {
        self.0.iter()
    }

    /// The one that an address lies in, and its place in the list.
    pub(super) fn of(&self, address: u64) -> Option<(usize, &Image)> {
        let mut all = self.0.iter().enumerate();
        all.find(|(_, image)| image.addresses.contains(&address))
    }
}

fn image(map: &MemoryMap, own: Option<&Path>) -> Option<Image> {
    let addresses = map.address.0..map.address.1;
    let (name, path, (bias, callers)) = match &map.pathname {
        MMapPath::Path(path) => {
            let at = match own == Some(path) {
                true => PathBuf::from(OWN),
                false => path.clone(),
            };
            let cache = ReadCache::new(File::open(&at).ok()?);
            let read = read(&cache, &addresses, map.offset)?;
            (path.to_string_lossy().into_owned(), Some(at), read)
        }
        MMapPath::Vdso => {
            let bytes = lent(&addresses)?;
            let read = read(bytes.as_slice(), &addresses, 0)?;
            ("[vdso]".to_owned(), None, read)
        }
        _ => return None,
    };
    Some(Image {
        name,
        path,
        addresses,
        offset: map.offset,
        bias,
        callers,
    })
}

/// The code that the kernel lends to each process is in no file.
fn lent(addresses: &Range<u64>) -> Option<Vec<u8>> {
    let length = (addresses.end - addresses.start).min(LENT_BYTES_MAX);
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    let memory = File::open("/proc/self/mem").ok()?;
    memory.read_exact_at(&mut bytes, addresses.start).ok()?;
    Some(bytes)
}

/// What lies at these addresses, of which the first is this far into the file: by how much it is moved, and how
/// callers are found.
fn read<'a, R: ReadRef<'a>>(
    data: R,
    addresses: &Range<u64>,
    offset: u64,
) -> Option<(u64, Callers)> {
    let file = object::File::parse(data).ok()?;
    let page = procfs::page_size();
    let segment = file.segments().find(|segment| {
        let (start, length) = segment.file_range();
        (start - start % page..start.saturating_add(length)).contains(&offset)
            && segment.flags_are_executable()
    })?;
    let (start, _) = segment.file_range();
    // Both are moved by the same; the first page may begin before the segment does.
    let bias = addresses
        .start
        .wrapping_sub(offset)
        .wrapping_sub(segment.address().wrapping_sub(start));
    let section = |name: &str| {
        let section = file.section_by_name(name)?;
        let start = section.address();
        Some((start..start.saturating_add(section.size()), section))
    };
    let with_bytes = |name: &str| {
        let (range, section) = section(name)?;
        Some((range, section.data().ok()?.to_vec()))
    };
    let callers = Callers {
        text: section(".text").map(|(range, _)| range),
        frames: with_bytes(".eh_frame"),
        index: with_bytes(".eh_frame_hdr"),
    };
    Some((bias, callers))
}

/// Whether a segment's bytes are run.
trait Executable {
    fn flags_are_executable(&self) -> bool;
}

impl<'a, S: ObjectSegment<'a>> Executable for S {
    fn flags_are_executable(&self) -> bool {
        match self.flags() {
            object::SegmentFlags::Elf { p_flags } => p_flags & object::elf::PF_X != 0,
            _ => false,
        }
    }
}
