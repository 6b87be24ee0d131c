//! Copies the live records of a mostly dead segment to the log's end, in slices.

use std::marker::PhantomData;

use crate::disk::Disk;

#[derive(Debug)]
pub(crate) struct Compactor<D: Disk>(PhantomData<D>);

impl<D: Disk> Default for Compactor<D> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<D: Disk> Compactor<D> {
    pub(crate) fn reset(&mut self) {}
}
