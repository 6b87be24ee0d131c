//! Frames made ready beforehand: a publisher writes the same block again and again.

use recado_wire::push_publish;

/// Blocks are about this long: few system calls, and still inside a core's cache.
const BLOCK_BYTES: usize = 64 * 1024;

/// One round of messages, in the bytes that cross the socket.
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl Block {
    /// Messages to these subjects in turn, each with a payload of this size.
    ///
    /// Every subject occurs equally often, so that one block after the other is one turn after the other.
    pub(super) fn new(subjects: &[String], size: usize) -> Self {
        let payload = vec![b'.'; size];
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        while bytes.is_empty() || bytes.len() < BLOCK_BYTES {
            for subject in subjects {
                push_publish(&mut bytes, subject.as_bytes(), b"", None, &payload);
                ends.push(bytes.len());
            }
        }
        Self { bytes, ends }
    }

    /// How many messages it holds.
    pub(super) fn messages(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Where its first `messages` messages end; all of them, if it has no more.
    pub(super) fn end_of(&self, messages: u64) -> usize {
        match usize::try_from(messages) {
            Ok(0) => 0,
            Ok(count) if count <= self.ends.len() => self.ends[count - 1],
            _ => self.bytes.len(),
        }
    }

    /// How many messages have begun before this place.
    pub(super) fn begun_before(&self, place: usize) -> u64 {
        if place == 0 {
            return 0;
        }
        (self.ends.partition_point(|end| *end < place) + 1) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_whole_turns_of_all_subjects() {
        let subjects: Vec<String> = ["a", "long.one", "b"].map(str::to_owned).to_vec();
        let block = Block::new(&subjects, 10);
        assert!(block.messages().is_multiple_of(3) && block.bytes.len() >= BLOCK_BYTES);
        assert!(
            block
                .bytes
                .starts_with(b"PUB a 10\r\n..........\r\nPUB long.one 10\r\n")
        );
        let large = Block::new(&subjects[..1], 1 << 20);
        assert_eq!(large.messages(), 1);
    }

    #[test]
    fn a_message_that_has_begun_is_counted_to_its_end() {
        let block = Block::new(&["a".to_owned()], 10);
        let frame = "PUB a 10\r\n..........\r\n".len();
        assert_eq!((block.end_of(0), block.end_of(2)), (0, 2 * frame));
        assert_eq!(block.end_of(u64::MAX), block.bytes.len());
        assert_eq!((block.begun_before(0), block.begun_before(1)), (0, 1));
        assert_eq!(block.begun_before(frame), 1);
        assert_eq!(block.begun_before(frame + 1), 2);
    }
}
