//! Gives closed segments their footer, a slice at a time.
//!
//! Must never write before the end of a segment's records.

use std::io;

use crate::disk::DiskFile;
use crate::footer::FooterBuilder;
use crate::format::Seeds;
use crate::gathering::Gathering;
use crate::scan::{Found, Scanner};

/// A closed segment on its way to a footer.
#[derive(Debug)]
pub(crate) struct Sealing<F> {
    pub(crate) number: u32,
    end: u32,
    scanner: Scanner<F>,
    /// What was gathered while it was written, if that may be all.
    gathering: Option<Gathering>,
    footer: FooterBuilder,
    damaged: bool,
}

impl<F: DiskFile> Sealing<F> {
    pub(crate) fn new(
        file: F,
        salt: u64,
        (number, end): (u32, u32),
        gathering: Gathering,
    ) -> io::Result<Self> {
        Ok(Self {
            number,
            end,
            scanner: Scanner::new(file, Seeds::new(salt, number), Some(end))?,
            gathering: Some(gathering),
            footer: FooterBuilder::default(),
            damaged: false,
        })
    }

    /// Records that were written to it before it was closed.
    pub(crate) fn note(&mut self, offset: u32, bytes: &[u8]) {
        if let Some(gathering) = &mut self.gathering {
            gathering.note(offset, bytes);
        }
    }

    /// Looks at some more of it; says whether there is more.
    pub(crate) fn step(&mut self, bytes: u64) -> bool {
        let gathered = self.gathering.take();
        if let Some(footer) = gathered.and_then(|gathering| gathering.finish(self.end)) {
            self.footer = footer;
            return false;
        }
        let until = u64::from(self.scanner.offset()) + bytes;
        while u64::from(self.scanner.offset()) < until {
            // A body is looked at when it is read: what was written a moment ago comes from memory anyway.
            match self.scanner.next_head() {
                Found::Record { head, bytes, .. } => {
                    let subject = head.subject(bytes).unwrap_or_default();
                    self.footer.record(&head, subject);
                }
                Found::End => return false,
                // Told when the store is opened, which reads the segment whole then.
                Found::Damaged { .. } | Found::Gap { .. } => {
                    self.damaged = true;
                    return false;
                }
            }
        }
        true
    }

    /// Gives it no footer: its number and its file.
    pub(crate) fn into_file(self) -> (u32, F) {
        (self.number, self.scanner.into_file())
    }

    pub(crate) fn finish(self, sync: bool) -> io::Result<()> {
        if self.damaged {
            return Ok(());
        }
        let file = self.scanner.into_file();
        write_footer(&file, self.footer, (self.number, self.end), sync)
    }
}

/// Cuts a segment where its records end and puts the footer there.
pub(crate) fn write_footer(
    file: &impl DiskFile,
    footer: FooterBuilder,
    (number, end): (u32, u32),
    sync: bool,
) -> io::Result<()> {
    file.set_length(end.into())?;
    let written = file.write_at(&footer.finish(number, end), end.into());
    if let Err(error) = written {
        // Half a footer is of no use, least of all on a full disk.
        file.set_length(end.into())?;
        return Err(error);
    }
    if sync { file.sync_data() } else { Ok(()) }
}
