//! Bytes in pieces of one size. What is gathered to a few megabytes and let go again, over and over, would as one
//! buffer leave holes of all sizes in the heap, which keeps them; pieces fit where pieces were.

/// Bytes of a piece at the most, as long as what is written at once is small beside it.
const PIECE_BYTES: usize = 64 * 1024;

/// The bytes.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
}

impl Pieces {
    /// Where so many bytes can be added behind all others.
    pub(crate) fn room(&mut self, bytes: usize) -> &mut Vec<u8> {
        if !self.last.is_empty() && self.last.len() + bytes > PIECE_BYTES {
            // The first one grew with what came: often that is all.
            let full = std::mem::replace(&mut self.last, Vec::with_capacity(PIECE_BYTES));
            self.full.push(full);
        }
        &mut self.last
    }

    /// Adds a piece as it is.
    pub(crate) fn push(&mut self, piece: Vec<u8>) {
        let before = std::mem::replace(&mut self.last, piece);
        if !before.is_empty() {
            self.full.push(before);
        }
    }

    /// Adds all of the others.
    pub(crate) fn append(&mut self, others: Self) {
        for piece in others.full {
            self.push(piece);
        }
        self.push(others.last);
    }

    /// All bytes together.
    pub(crate) fn len(&self) -> usize {
        self.iter().map(<[u8]>::len).sum()
    }

    /// In their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let all = self.full.iter().chain([&self.last]);
        all.map(Vec::as_slice).filter(|piece| !piece.is_empty())
    }

    /// The same, to be changed in place.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let all = self.full.iter_mut().chain([&mut self.last]);
        all.map(Vec::as_mut_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_filled_and_keep_their_order() {
        let mut pieces = Pieces::default();
        let numbers: Vec<[u8; 4]> = (0..40_000u32).map(u32::to_le_bytes).collect();
        for number in &numbers {
            pieces.room(number.len()).extend(number);
        }
        let lengths: Vec<usize> = pieces.iter().map(<[u8]>::len).collect();
        assert_eq!(
            lengths,
            [PIECE_BYTES, PIECE_BYTES, 160_000 - 2 * PIECE_BYTES]
        );
        assert_eq!(pieces.len(), 160_000);
        let all: Vec<u8> = pieces.iter().flatten().copied().collect();
        assert_eq!(all, numbers.concat());
    }

    #[test]
    fn what_is_larger_than_a_piece_is_one_of_its_own() {
        let mut pieces = Pieces::default();
        pieces.room(1).push(1);
        pieces.room(PIECE_BYTES + 1).extend([2; PIECE_BYTES + 1]);
        pieces.room(1).push(3);
        let lengths: Vec<usize> = pieces.iter().map(<[u8]>::len).collect();
        assert_eq!(lengths, [1, PIECE_BYTES + 1, 1]);
    }
}
