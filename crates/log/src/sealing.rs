//! Gives closed segments their footer, a slice at a time.
//!
//! Must never write before the end of a segment's records.

use std::io;

use crate::crypt::{DataKey, Sealed, Veil};
use crate::disk::DiskFile;
use crate::footer::FooterBuilder;
use crate::format::Seeds;
use crate::gathering::Gathering;
use crate::scan::{Found, Scanner};
use crate::veil::{Part, lift};

/// A closed segment on its way to a footer.
#[derive(Debug)]
pub(crate) struct Sealing<F> {
    pub(crate) number: u32,
    end: u32,
    scanner: Scanner<F>,
    /// What was gathered while it was written, if that may be all.
    gathering: Option<Gathering>,
    footer: FooterBuilder,
    /// How its records are covered, if they are, and what uncovers them.
    veil: Option<(DataKey, Sealed, Veil)>,
    room: Vec<u8>,
    damaged: bool,
}

impl<F: DiskFile> Sealing<F> {
    pub(crate) fn new(
        file: F,
        salt: u64,
        (number, end): (u32, u32),
        (gathering, veil): (Gathering, Option<(DataKey, Sealed)>),
    ) -> io::Result<Self> {
        let veil = veil.map(|(key, sealed)| {
            let veil = key.veil(sealed, number);
            (key, sealed, veil)
        });
        Ok(Self {
            veil,
            room: Vec::new(),
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
                Found::Record {
                    offset,
                    head,
                    bytes,
                } => {
                    let veil = self.veil.as_mut().map(|(_, _, veil)| veil);
                    let record = (&head, bytes);
                    let lifted = lift(record, offset, veil, Part::Subject, &mut self.room);
                    let subject = lifted.and_then(|bytes| head.subject(bytes));
                    self.footer.record(&head, subject.unwrap_or_default());
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

    /// Gives it no footer: its number, its file and how its records are covered.
    pub(crate) fn into_file(self) -> (u32, F, Option<Sealed>) {
        let sealed = self.veil.map(|(_, sealed, _)| sealed);
        (self.number, self.scanner.into_file(), sealed)
    }

    pub(crate) fn finish(self, sync: bool) -> io::Result<()> {
        if self.damaged {
            return Ok(());
        }
        let file = self.scanner.into_file();
        let veil = self.veil.as_ref().map(|(key, sealed, _)| (key, *sealed));
        write_footer(&file, (self.footer, veil), (self.number, self.end), sync)
    }
}

/// Cuts a segment where its records end and puts the footer there.
pub(crate) fn write_footer(
    file: &impl DiskFile,
    (footer, veil): (FooterBuilder, Option<(&DataKey, Sealed)>),
    (number, end): (u32, u32),
    sync: bool,
) -> io::Result<()> {
    file.set_length(end.into())?;
    let mut at = u64::from(end);
    let footer = footer.finish(number, end, veil);
    let written = footer.iter().try_for_each(|piece| {
        file.write_at(piece, at)?;
        at += piece.len() as u64;
        Ok(())
    });
    if let Err(error) = written {
        // Half a footer is of no use, least of all on a full disk.
        file.set_length(end.into())?;
        return Err(error);
    }
    if sync { file.sync_data() } else { Ok(()) }
}
