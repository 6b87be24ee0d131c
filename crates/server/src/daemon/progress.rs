//! How far a store is read: a bar on a terminal, and nothing anywhere else.
//!
//! Whoever reads it need not know: its disk counts.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use recado_log::{Disk, DiskFile, LockError};

/// A bar over so many bytes, or none without a terminal, or if it is not wanted.
fn bar(name: String, bytes: u64, wanted: bool) -> ProgressBar {
    if !wanted || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr_with_hz(10));
    // A constant that the constructor accepts; without colours, so that `NO_COLOR` needs no second one.
    let style = ProgressStyle::with_template(
        "{prefix:>12} {wide_bar} {percent:>3} % {bytes}/{total_bytes} {bytes_per_sec} {eta}",
    );
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    bar.set_prefix(name);
    // At once, whatever the thread that draws it again finds when it gets its turn.
    bar.tick();
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A disk whose bar grows as its files are read.
#[derive(Clone, Debug)]
pub(super) struct Observed<D> {
    disk: D,
    files: Arc<HashMap<String, Arc<Reading>>>,
    bar: ProgressBar,
}

/// How much of a file was read. Parts are read twice, but no file counts for more than it holds.
#[derive(Debug)]
struct Reading {
    length: u64,
    read: AtomicU64,
}

impl Reading {
    /// Notes that so many bytes were read: how many of them count.
    fn add(&self, bytes: u64) -> u64 {
        let before = self.read.fetch_add(bytes, Ordering::Relaxed);
        let left = self.length.saturating_sub(before);
        bytes.min(left)
    }
}

impl<D: Disk> Observed<D> {
    /// The disk, with a bar called `name`, if it is `wanted`.
    ///
    /// # Errors
    /// When the files of the disk can't be looked at.
    pub(super) fn new(disk: &D, name: String, wanted: bool) -> io::Result<Self> {
        let mut files = HashMap::new();
        for file in disk.list()?.into_iter().filter(|file| is_segment(file)) {
            let length = disk.open(&file)?.length()?;
            let reading = Reading {
                length,
                read: AtomicU64::new(0),
            };
            files.insert(file, Arc::new(reading));
        }
        let all = files.values().map(|reading| reading.length).sum();
        Ok(Self {
            disk: disk.clone(),
            files: Arc::new(files),
            bar: bar(name, all, wanted),
        })
    }

    /// Takes the bar away.
    pub(super) fn done(self) {
        self.bar.finish_and_clear();
    }
}

/// Other files are small, or not read.
fn is_segment(file: &str) -> bool {
    let number = file.strip_prefix("segment-");
    let number = number.and_then(|rest| rest.strip_suffix(".log")?.parse().ok());
    number.is_some_and(|number| recado_log::segment_name(number) == file)
}

impl<D: Disk> Disk for Observed<D> {
    type File = ObservedFile<D::File>;
    type Lock = D::Lock;

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Self::File> {
        self.disk
            .create(name, bytes)
            .map(|file| self.observe(name, file))
    }

    fn open(&self, name: &str) -> io::Result<Self::File> {
        self.disk.open(name).map(|file| self.observe(name, file))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }

    fn lock(&self) -> Result<Self::Lock, LockError> {
        self.disk.lock()
    }
}

impl<D: Disk> Observed<D> {
    fn observe(&self, name: &str, file: D::File) -> ObservedFile<D::File> {
        ObservedFile {
            file,
            reading: self.files.get(name).cloned(),
            bar: self.bar.clone(),
        }
    }
}

/// A file of such a disk.
#[derive(Debug)]
pub(super) struct ObservedFile<F> {
    file: F,
    reading: Option<Arc<Reading>>,
    bar: ProgressBar,
}

impl<F: DiskFile> DiskFile for ObservedFile<F> {
    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.file.read_at(to, offset)?;
        if let Some(reading) = &self.reading {
            self.bar.inc(reading.add(read as u64));
        }
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }

    fn write_before_zeros(&self, bytes: &[u8], offset: u64, zeros: usize) -> io::Result<()> {
        self.file.write_before_zeros(bytes, offset, zeros)
    }

    fn write_zeros(&self, offset: u64, bytes: u64) -> io::Result<()> {
        self.file.write_zeros(offset, bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.file.set_length(bytes)
    }
}

#[cfg(test)]
mod tests {
    use recado_log::SimDisk;

    use super::*;

    #[test]
    fn a_file_counts_for_what_it_holds_however_often_it_is_read() {
        let disk = SimDisk::new(1);
        disk.create("segment-0000000001.log", 100).unwrap();
        disk.create("released", 1000).unwrap();
        disk.create("segment-1.log", 1000).unwrap();
        let mut observed = Observed::new(&disk, "checking".to_owned(), false).unwrap();
        observed.bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::hidden());
        let read = |name: &str, bytes: usize| {
            let file = observed.open(name).unwrap();
            file.read_at(&mut vec![0; bytes], 0).unwrap();
            observed.bar.position()
        };
        assert_eq!(read("released", 1000), 0);
        assert_eq!(read("segment-0000000001.log", 70), 70);
        assert_eq!(read("segment-0000000001.log", 70), 100);
        assert_eq!(read("segment-0000000001.log", 70), 100);
        assert_eq!(read("segment-1.log", 1000), 100);
    }
}
