//! The bytes of all subjects, one behind the other in pages: no allocation for each, none lost.
//!
//! Each text has its owner's number in front, so that a page that is mostly dead can be emptied by itself.

/// Bytes of a page; one that holds a longer text is as long as that.
const PAGE_BYTES: usize = 64 * 1024;
/// Owner and length, four bytes each.
const HEAD_BYTES: usize = 8;

/// Where a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct TextAt {
    page: u32,
    offset: u32,
}

#[derive(Debug, Default)]
pub(super) struct Texts {
    pages: Vec<Page>,
    free: Vec<u32>,
    current: Option<u32>,
    /// Pages that should be emptied.
    due: Vec<u32>,
}

#[derive(Debug, Default)]
struct Page {
    bytes: Vec<u8>,
    dead: usize,
}

impl Page {
    fn is_sparse(&self) -> bool {
        self.dead * 2 > self.bytes.len()
    }
}

impl Texts {
    pub(super) fn add(&mut self, owner: u32, text: &[u8]) -> TextAt {
        let number = self.page_for(HEAD_BYTES + text.len());
        let Some(page) = self.pages.get_mut(number as usize) else {
            return TextAt::default();
        };
        let offset = page.bytes.len() as u32;
        page.bytes.extend_from_slice(&owner.to_le_bytes());
        page.bytes
            .extend_from_slice(&(text.len() as u32).to_le_bytes());
        page.bytes.extend_from_slice(text);
        TextAt {
            page: number,
            offset,
        }
    }

    #[inline]
    pub(super) fn get(&self, at: TextAt) -> &[u8] {
        let entry = self.pages.get(at.page as usize);
        let entry = entry.and_then(|page| read(&page.bytes, at.offset as usize));
        entry.map(|(_, text)| text).unwrap_or_default()
    }

    /// Marks a text as dead. It must not be read again.
    pub(super) fn remove(&mut self, at: TextAt) {
        let bytes = HEAD_BYTES + self.get(at).len();
        let Some(page) = self.pages.get_mut(at.page as usize) else {
            return;
        };
        let was_due = page.is_sparse();
        page.dead += bytes;
        if self.current == Some(at.page) {
            // Nobody refers to a page that is all dead.
            if page.dead == page.bytes.len() {
                page.bytes.clear();
                page.dead = 0;
            }
        } else if page.is_sparse() && !was_due {
            self.due.push(at.page);
        }
    }

    /// Takes the texts off a page that is mostly dead, if there is one. Those that still are somebody's
    /// must be added again before [`Texts::give_back`].
    pub(super) fn take_sparse(&mut self) -> Option<Taken> {
        let number = self.due.pop()?;
        let page = self.pages.get_mut(number as usize)?;
        let bytes = std::mem::take(page).bytes;
        Some(Taken {
            bytes,
            page: number,
        })
    }

    /// The page may be filled again.
    pub(super) fn give_back(&mut self, taken: Taken) {
        self.free.push(taken.page);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let inside: usize = self.pages.iter().map(|page| page.bytes.capacity()).sum();
        inside
            + self.pages.capacity() * size_of::<Page>()
            + (self.free.capacity() + self.due.capacity()) * size_of::<u32>()
    }

    /// The page that takes so many bytes more.
    fn page_for(&mut self, bytes: usize) -> u32 {
        if let Some(current) = self.current
            && let Some(page) = self.pages.get_mut(current as usize)
        {
            if page.bytes.is_empty() || page.bytes.len() + bytes <= PAGE_BYTES {
                return current;
            }
            page.bytes.shrink_to_fit();
            if page.is_sparse() {
                self.due.push(current);
            }
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.pages.push(Page::default());
            self.pages.len() as u32 - 1
        });
        self.current = Some(number);
        number
    }
}

/// The texts of a page that was emptied.
pub(super) struct Taken {
    bytes: Vec<u8>,
    page: u32,
}

impl Taken {
    /// Each text with its owner, and where it was.
    pub(super) fn texts(&self) -> impl Iterator<Item = (u32, TextAt, &[u8])> {
        let mut offset = 0;
        std::iter::from_fn(move || {
            let (owner, text) = read(&self.bytes, offset)?;
            let at = TextAt {
                page: self.page,
                offset: offset as u32,
            };
            offset += HEAD_BYTES + text.len();
            Some((owner, at, text))
        })
    }
}

#[inline]
fn read(bytes: &[u8], offset: usize) -> Option<(u32, &[u8])> {
    let (owner, rest) = bytes.get(offset..)?.split_first_chunk::<4>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let text = rest.get(..u32::from_le_bytes(*len) as usize)?;
    Some((u32::from_le_bytes(*owner), text))
}
