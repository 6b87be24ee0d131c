//! One field of a block's messages, in as few bytes as its values need.
//!
//! Values are kept as distances from the first one, in cells of 0, 1, 2, 4 or 8 bytes: times, places and
//! subjects of neighbours are near to each other. A cell that does not fit widens the whole column.

/// The values of one field. How many there are is known to the block, and given where it matters.
#[derive(Debug, Default)]
pub(super) struct Column {
    base: u64,
    cells: Cells,
}

#[derive(Debug, Default)]
enum Cells {
    /// All are equal to the base.
    #[default]
    Same,
    One(Vec<u8>),
    Two(Vec<u16>),
    Four(Vec<u32>),
    Eight(Vec<u64>),
}

impl Column {
    /// The value at `index`; the base where there is none.
    #[inline]
    pub(super) fn get(&self, index: usize) -> u64 {
        let raw = match &self.cells {
            Cells::Same => 0,
            Cells::One(cells) => cells.get(index).map_or(0, |&raw| u64::from(raw)),
            Cells::Two(cells) => cells.get(index).map_or(0, |&raw| u64::from(raw)),
            Cells::Four(cells) => cells.get(index).map_or(0, |&raw| u64::from(raw)),
            Cells::Eight(cells) => cells.get(index).copied().unwrap_or(0),
        };
        self.base.wrapping_add(unfold(raw))
    }

    /// Adds a value behind `len` others.
    #[inline(always)]
    pub(super) fn push(&mut self, len: usize, value: u64) {
        if len == 0 {
            *self = Self {
                base: value,
                cells: Cells::Same,
            };
        } else if value != self.base || !matches!(self.cells, Cells::Same) {
            self.push_cell(len, fold(value.wrapping_sub(self.base)));
        }
    }

    #[inline(never)]
    fn push_cell(&mut self, len: usize, raw: u64) {
        match &mut self.cells {
            Cells::One(cells) if raw <= u64::from(u8::MAX) => cells.push(raw as u8),
            Cells::Two(cells) if raw <= u64::from(u16::MAX) => cells.push(raw as u16),
            Cells::Four(cells) if raw <= u64::from(u32::MAX) => cells.push(raw as u32),
            Cells::Eight(cells) => cells.push(raw),
            _ => {
                self.widen(len, raw);
                self.push_cell(len, raw);
            }
        }
    }

    /// Replaces the value at `index` of `len`.
    pub(super) fn set(&mut self, len: usize, index: usize, value: u64) {
        self.edit(len, value, |cells, raw| cells.set(index, raw));
    }

    /// Puts a value before the one at `index` of `len`.
    pub(super) fn insert(&mut self, len: usize, index: usize, value: u64) {
        if len == 0 || index >= len {
            return self.push(len, value);
        }
        self.edit(len, value, |cells, raw| cells.insert(index, raw));
    }

    /// Gives back what growing took in advance.
    pub(super) fn shrink(&mut self) {
        match &mut self.cells {
            Cells::Same => {}
            Cells::One(cells) => cells.shrink_to_fit(),
            Cells::Two(cells) => cells.shrink_to_fit(),
            Cells::Four(cells) => cells.shrink_to_fit(),
            Cells::Eight(cells) => cells.shrink_to_fit(),
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        match &self.cells {
            Cells::Same => 0,
            Cells::One(cells) => cells.capacity(),
            Cells::Two(cells) => cells.capacity() * 2,
            Cells::Four(cells) => cells.capacity() * 4,
            Cells::Eight(cells) => cells.capacity() * 8,
        }
    }

    fn edit(&mut self, len: usize, value: u64, change: impl Fn(&mut Cells, u64)) {
        let raw = fold(value.wrapping_sub(self.base));
        if raw > self.cells.raw_max() {
            self.widen(len, raw);
        }
        change(&mut self.cells, raw);
    }

    /// Makes room for `raw` in each of `len` cells.
    #[cold]
    fn widen(&mut self, len: usize, raw: u64) {
        let old = std::mem::take(&mut self.cells);
        let capacity = (len + 1).next_power_of_two();
        let values = (0..len).map(|index| old.raw(index));
        self.cells = if raw <= u64::from(u8::MAX) {
            Cells::One(gather(capacity, values.map(|raw| raw as u8)))
        } else if raw <= u64::from(u16::MAX) {
            Cells::Two(gather(capacity, values.map(|raw| raw as u16)))
        } else if raw <= u64::from(u32::MAX) {
            Cells::Four(gather(capacity, values.map(|raw| raw as u32)))
        } else {
            Cells::Eight(gather(capacity, values))
        };
    }
}

impl Cells {
    fn raw(&self, index: usize) -> u64 {
        match self {
            Self::Same => 0,
            Self::One(cells) => cells.get(index).map_or(0, |&raw| u64::from(raw)),
            Self::Two(cells) => cells.get(index).map_or(0, |&raw| u64::from(raw)),
            Self::Four(cells) => cells.get(index).map_or(0, |&raw| u64::from(raw)),
            Self::Eight(cells) => cells.get(index).copied().unwrap_or(0),
        }
    }

    fn raw_max(&self) -> u64 {
        match self {
            Self::Same => 0,
            Self::One(_) => u64::from(u8::MAX),
            Self::Two(_) => u64::from(u16::MAX),
            Self::Four(_) => u64::from(u32::MAX),
            Self::Eight(_) => u64::MAX,
        }
    }

    fn set(&mut self, index: usize, raw: u64) {
        fn put<T>(cells: &mut [T], index: usize, value: T) {
            if let Some(cell) = cells.get_mut(index) {
                *cell = value;
            }
        }
        match self {
            Self::Same => {}
            Self::One(cells) => put(cells, index, raw as u8),
            Self::Two(cells) => put(cells, index, raw as u16),
            Self::Four(cells) => put(cells, index, raw as u32),
            Self::Eight(cells) => put(cells, index, raw),
        }
    }

    fn insert(&mut self, index: usize, raw: u64) {
        fn put<T>(cells: &mut Vec<T>, index: usize, value: T) {
            cells.insert(index.min(cells.len()), value);
        }
        match self {
            Self::Same => {}
            Self::One(cells) => put(cells, index, raw as u8),
            Self::Two(cells) => put(cells, index, raw as u16),
            Self::Four(cells) => put(cells, index, raw as u32),
            Self::Eight(cells) => put(cells, index, raw),
        }
    }
}

fn gather<T>(capacity: usize, values: impl Iterator<Item = T>) -> Vec<T> {
    let mut cells = Vec::with_capacity(capacity);
    cells.extend(values);
    cells
}

/// Small distances in either direction become small numbers.
#[inline]
fn fold(distance: u64) -> u64 {
    (distance << 1) ^ (((distance as i64) >> 63) as u64)
}

#[inline]
fn unfold(raw: u64) -> u64 {
    (raw >> 1) ^ (raw & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column_of(values: &[u64]) -> Column {
        let mut column = Column::default();
        for (len, &value) in values.iter().enumerate() {
            column.push(len, value);
        }
        column
    }

    #[test]
    fn equal_values_take_no_room_and_near_ones_little() {
        assert_eq!(column_of(&[7; 1000]).heap_bytes(), 0);
        let near: Vec<u64> = (0..1024).map(|i| 1_000_000 + i % 100).collect();
        assert_eq!(column_of(&near).heap_bytes(), 1024);
    }

    fn any_value() -> impl Strategy<Value = u64> {
        prop_oneof![0u64..4, 0u64..1000, 0u64..100_000, any::<u64>()]
    }

    proptest! {
        #[test]
        fn a_column_is_a_list(
            values in prop::collection::vec(any_value(), 1..50),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any_value(), any::<bool>()), 0..30),
        ) {
            let (mut column, mut model) = (column_of(&values), values);
            for (at, value, put) in edits {
                let at = at.index(model.len());
                if put {
                    column.insert(model.len(), at, value);
                    model.insert(at, value);
                } else {
                    column.set(model.len(), at, value);
                    model[at] = value;
                }
            }
            column.shrink();
            let read: Vec<u64> = (0..model.len()).map(|index| column.get(index)).collect();
            prop_assert_eq!(read, model);
        }
    }
}
