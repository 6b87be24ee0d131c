//! From registers and the top of a stack to who called whom, and how often that was seen.

use std::collections::HashMap;
use std::sync::Arc;

use framehop::{
    CacheNative, ExplicitModuleSectionInfo, MayAllocateDuringUnwind, Module, Unwinder,
    UnwinderNative,
};

use super::images::{Image, Images};
use super::registers::position;
use super::sampling::Sample;

/// Callers that are followed.
const DEPTH_MAX: usize = 128;
/// Different stacks that are kept; samples of further ones are only counted.
const STACKS_MAX: usize = 32 * 1024;

/// Stands for the kernel, in the place of an address: nothing lies there.
pub(super) const KERNEL: u64 = 0;

/// All stacks that were seen.
pub(super) struct Stacks {
    unwinder: UnwinderNative<Vec<u8>, MayAllocateDuringUnwind>,
    cache: CacheNative<MayAllocateDuringUnwind>,
    seen: HashMap<Stack, u64>,
    left_out: u64,
}

/// Where a thread was, and whence it had been called.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Stack {
    /// The thread's name.
    pub(super) thread: Arc<str>,
    /// Addresses: the place itself, its caller, that one's caller.
    pub(super) addresses: Vec<u64>,
}

impl Stacks {
    /// None so far.
    pub(super) fn new(images: &Images) -> Self {
        let mut unwinder = UnwinderNative::new();
        images
            .iter()
            .map(module)
            .for_each(|module| unwinder.add_module(module));
        Self {
            unwinder,
            cache: CacheNative::new(),
            seen: HashMap::new(),
            left_out: 0,
        }
    }

    /// Counts a sample.
    pub(super) fn add(&mut self, sample: &Sample<'_>) {
        let stack = Stack {
            thread: Arc::clone(sample.thread),
            addresses: self.addresses(sample),
        };
        let is_full = self.seen.len() >= STACKS_MAX;
        match self.seen.get_mut(&stack) {
            Some(count) => *count += 1,
            None if is_full => self.left_out += 1,
            None => drop(self.seen.insert(stack, 1)),
        }
    }

    /// Each stack, and how often it was seen.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Stack, u64)> {
        self.seen.iter().map(|(stack, count)| (stack, *count))
    }

    /// Samples that found no room.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    fn addresses(&mut self, sample: &Sample<'_>) -> Vec<u64> {
        let mut addresses = Vec::with_capacity(32);
        if sample.in_kernel {
            addresses.push(KERNEL);
        }
        let Some(registers) = &sample.registers else {
            return addresses;
        };
        let position = position(registers);
        let mut read = |address| word(sample.stack, position.stack, address).ok_or(());
        let mut frames = self.unwinder.iter_frames(
            position.instruction,
            position.registers,
            &mut self.cache,
            &mut read,
        );
        // Where the bytes end, or nobody knows the caller, the stack ends.
        while let Ok(Some(frame)) = frames.next() {
            addresses.push(frame.address_for_lookup());
            if addresses.len() >= DEPTH_MAX {
                break;
            }
        }
        addresses
    }
}

/// The word at an address of a stack whose bytes begin at `top`.
fn word(stack: &[u8], top: u64, address: u64) -> Option<u64> {
    let at = usize::try_from(address.checked_sub(top)?).ok()?;
    let bytes = stack.get(at..)?.first_chunk()?;
    Some(u64::from_ne_bytes(*bytes))
}

fn module(image: &Image) -> Module<Vec<u8>> {
    let callers = &image.callers;
    let (frames_at, frames) = callers.frames.clone().unzip();
    let (index_at, index) = callers.index.clone().unzip();
    Module::new(
        image.name.clone(),
        image.addresses.clone(),
        image.bias,
        ExplicitModuleSectionInfo {
            base_svma: 0,
            text_svma: callers.text.clone(),
            eh_frame_svma: frames_at,
            eh_frame: frames,
            eh_frame_hdr_svma: index_at,
            eh_frame_hdr: index,
            ..ExplicitModuleSectionInfo::default()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_where_there_are_bytes() {
        let stack: Vec<u8> = [1_u64, 2].iter().flat_map(|n| n.to_ne_bytes()).collect();
        assert_eq!(word(&stack, 100, 100), Some(1));
        assert_eq!(word(&stack, 100, 108), Some(2));
        for address in [0, 99, 109, 116, u64::MAX] {
            assert_eq!(word(&stack, 100, address), None, "{address}");
        }
    }
}
