//! The subjects that have messages: their numbers, texts and sequences.
//!
//! A number is given to another subject once its own has no messages left. Whoever remembers something by
//! number asks [`Subjects::reassigned_since`] what he must forget.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::postings::Postings;
use super::texts::{TextAt, Texts};

/// Subjects of a page.
const PAGE_LEN: usize = 1024;
/// Reassigned numbers that are remembered one by one.
const REASSIGNED_MAX: usize = 4096;
/// Smallest table that is worth shrinking.
const TABLE_MIN: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Subjects {
    pages: Vec<Page>,
    /// Pages with a free place.
    with_room: Vec<u32>,
    table: HashTable<Slot>,
    texts: Texts,
    hasher: RandomState,
    /// Numbers from it on were never given.
    bound: u32,
    /// How many numbers were given again, ever.
    reassigned: u64,
    /// The last of them.
    recent: VecDeque<u32>,
}

#[derive(Debug, Default)]
struct Page {
    subjects: Vec<Subject>,
    live: u32,
    /// The first free place, which knows the next. Places behind `subjects` are free too.
    free: Option<u16>,
    /// It is in the list of pages with room.
    listed: bool,
}

#[derive(Debug)]
struct Subject {
    text: TextAt,
    state: State,
}

#[derive(Debug)]
enum State {
    Free(Option<u16>),
    Used(Postings),
}

/// A part of the hash is kept, so that growing reads no texts.
#[derive(Debug)]
struct Slot {
    hash: u32,
    id: u32,
}

impl Slot {
    fn spread(&self) -> u64 {
        spread(self.hash)
    }
}

/// The table looks at the lowest bits and the highest seven.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl Subjects {
    /// Subjects with messages.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// All numbers are below it.
    pub(super) fn bound(&self) -> u32 {
        self.bound
    }

    #[inline]
    pub(super) fn find(&self, text: &[u8]) -> Option<u32> {
        let hash = self.hash(text);
        let is_it = |slot: &Slot| slot.hash == hash && self.text(slot.id) == text;
        self.table.find(spread(hash), is_it).map(|slot| slot.id)
    }

    /// The number of a subject that is about to have a message.
    #[inline]
    pub(super) fn find_or_add(&mut self, text: &[u8]) -> u32 {
        match self.find(text) {
            Some(id) => id,
            None => self.add(text),
        }
    }

    #[inline]
    pub(super) fn text(&self, id: u32) -> &[u8] {
        self.subject(id)
            .map(|subject| self.texts.get(subject.text))
            .unwrap_or_default()
    }

    /// The sequences of a subject; none if nobody has the number.
    #[inline]
    pub(super) fn postings(&self, id: u32) -> Option<&Postings> {
        match &self.subject(id)?.state {
            State::Used(postings) => Some(postings),
            State::Free(_) => None,
        }
    }

    /// Changes a subject's sequences. If none is left its number is free. Returns how many are left.
    #[inline]
    pub(super) fn change(&mut self, id: u32, change: impl FnOnce(&mut Postings)) -> u64 {
        let Some(subject) = self.subject_mut(id) else {
            return 0;
        };
        let State::Used(postings) = &mut subject.state else {
            return 0;
        };
        change(postings);
        let left = postings.count();
        if left == 0 {
            self.release(id);
        }
        left
    }

    /// How many numbers were given again, ever.
    pub(super) fn reassigned(&self) -> u64 {
        self.reassigned
    }

    /// The numbers that were given again since that was the count; `None` if they are too many to know.
    pub(super) fn reassigned_since(&self, count: u64) -> Option<impl Iterator<Item = u32>> {
        let behind = usize::try_from(self.reassigned - count.min(self.reassigned)).ok()?;
        let skipped = self.recent.len().checked_sub(behind)?;
        Some(self.recent.iter().skip(skipped).copied())
    }

    /// Forgets all. Every number may be given again.
    pub(super) fn clear(&mut self) {
        let reassigned = self.reassigned + REASSIGNED_MAX as u64 + 1;
        *self = Self {
            hasher: self.hasher.clone(),
            reassigned,
            ..Self::default()
        };
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let page = |page: &Page| {
            let subjects = page.subjects.iter();
            let inside: usize = subjects
                .map(|subject| match &subject.state {
                    State::Used(postings) => postings.heap_bytes(),
                    State::Free(_) => 0,
                })
                .sum();
            inside + page.subjects.capacity() * size_of::<Subject>()
        };
        self.pages.iter().map(page).sum::<usize>()
            + self.pages.capacity() * size_of::<Page>()
            + (self.with_room.capacity() + self.recent.capacity()) * size_of::<u32>()
            + self.table.allocation_size()
            + self.texts.heap_bytes()
    }

    fn hash(&self, text: &[u8]) -> u32 {
        (self.hasher.hash_one(text) >> 32) as u32
    }

    #[inline]
    fn subject(&self, id: u32) -> Option<&Subject> {
        let page = self.pages.get(id as usize / PAGE_LEN)?;
        page.subjects.get(id as usize % PAGE_LEN)
    }

    #[inline]
    fn subject_mut(&mut self, id: u32) -> Option<&mut Subject> {
        let page = self.pages.get_mut(id as usize / PAGE_LEN)?;
        page.subjects.get_mut(id as usize % PAGE_LEN)
    }

    #[cold]
    fn add(&mut self, text: &[u8]) -> u32 {
        let id = self.take_number();
        if id < self.bound {
            self.reassigned += 1;
            if self.recent.len() >= REASSIGNED_MAX {
                self.recent.pop_front();
            }
            self.recent.push_back(id);
        } else {
            self.bound = id + 1;
        }
        let at = self.texts.add(id, text);
        if let Some(subject) = self.subject_mut(id) {
            *subject = Subject {
                text: at,
                state: State::Used(Postings::default()),
            };
        }
        let hash = self.hash(text);
        let slot = Slot { hash, id };
        self.table.insert_unique(spread(hash), slot, Slot::spread);
        self.tidy_texts();
        id
    }

    /// Takes a free place.
    fn take_number(&mut self) -> u32 {
        let number = match self.with_room.last() {
            Some(&number) => number,
            None => {
                self.pages.push(Page {
                    listed: true,
                    ..Page::default()
                });
                let number = self.pages.len() as u32 - 1;
                self.with_room.push(number);
                number
            }
        };
        let Some(page) = self.pages.get_mut(number as usize) else {
            return 0;
        };
        let place = match page.free {
            Some(place) => {
                page.free = match page.subjects.get(usize::from(place)) {
                    Some(Subject {
                        state: State::Free(next),
                        ..
                    }) => *next,
                    _ => None,
                };
                place
            }
            None => {
                page.subjects.push(Subject {
                    text: TextAt::default(),
                    state: State::Free(None),
                });
                page.subjects.len() as u16 - 1
            }
        };
        page.live += 1;
        if page.free.is_none() && page.subjects.len() >= PAGE_LEN {
            page.listed = false;
            self.with_room.pop();
        }
        number * PAGE_LEN as u32 + u32::from(place)
    }

    /// Frees the number of a subject without messages.
    #[cold]
    fn release(&mut self, id: u32) {
        let Some(subject) = self.subject(id) else {
            return;
        };
        let text = subject.text;
        let hash = self.hash(self.texts.get(text));
        if let Ok(slot) = self.table.find_entry(spread(hash), |slot| slot.id == id) {
            slot.remove();
        }
        self.texts.remove(text);
        let number = id / PAGE_LEN as u32;
        let place = (id as usize % PAGE_LEN) as u16;
        if let Some(page) = self.pages.get_mut(number as usize) {
            page.live -= 1;
            if let Some(subject) = page.subjects.get_mut(usize::from(place)) {
                subject.state = State::Free(page.free);
                page.free = Some(place);
            }
            if page.live == 0 {
                page.subjects = Vec::new();
                page.free = None;
            }
            if !page.listed {
                page.listed = true;
                self.with_room.push(number);
            }
        }
        if self.table.capacity() > TABLE_MIN && self.table.len() * 8 < self.table.capacity() {
            self.table.shrink_to(self.table.len() * 2, Slot::spread);
        }
        self.tidy_texts();
    }

    /// Moves the texts that are left on mostly dead pages.
    fn tidy_texts(&mut self) {
        while let Some(taken) = self.texts.take_sparse() {
            for (id, at, text) in taken.texts() {
                let is_used = self.subject(id).is_some_and(|subject| {
                    subject.text == at && matches!(subject.state, State::Used(_))
                });
                if is_used {
                    let at = self.texts.add(id, text);
                    if let Some(subject) = self.subject_mut(id) {
                        subject.text = at;
                    }
                }
            }
            self.texts.give_back(taken);
        }
    }
}
