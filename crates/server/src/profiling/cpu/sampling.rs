//! The kernel's samples: an event (`perf_event_open`) and a ring for each thread of this process but the one that reads.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use perf_event::events::Software;
use perf_event::{Builder, SampleFlag, Sampler};
use procfs::process::{Process, Task};

use super::registers::{self, Registers};

/// Bytes that are kept of a stack, from its top. Callers further away are not seen.
const STACK_BYTES: u32 = 16 * 1024;
/// Bytes of a thread's ring: three samples, which is six times what comes between two looks. The kernel counts them
/// against what a user may lock in memory.
const RING_BYTES: usize = 64 * 1024;
/// Threads that are looked at.
const THREADS_MAX: usize = 1024;

/// Kinds of records. The numbers are the kernel's and never change.
const RECORD_LOST: u32 = 2;
const RECORD_SAMPLE: u32 = 9;
/// In `misc`: which mode the processor was in.
const MODE_MASK: u16 = 7;
const MODE_KERNEL: u16 = 1;

/// Samples the process's threads until it is dropped.
pub(super) struct Sampling {
    builder: Builder<'static>,
    threads: HashMap<i32, Thread>,
    own: i32,
    sees_kernel: bool,
    lost: u64,
    unseen: usize,
}

struct Thread {
    sampler: Sampler,
    name: Arc<str>,
    /// It was there at the last look.
    lives: bool,
}

/// Where a thread was.
pub(super) struct Sample<'a> {
    /// The thread's name.
    pub(super) thread: &'a Arc<str>,
    /// It was in the kernel; the rest says from where it had gone there.
    pub(super) in_kernel: bool,
    /// Nothing for threads that have nothing outside the kernel, while they begin or end.
    pub(super) registers: Option<Registers>,
    /// The stack from where its register points on.
    pub(super) stack: &'a [u8],
}

impl Sampling {
    /// Begins to sample every thread that there is. Time in the kernel is seen where that is allowed.
    ///
    /// # Errors
    /// When not a single thread may be looked at.
    pub(super) fn start(period: Duration) -> io::Result<Self> {
        let mut sampling = Self {
            builder: builder(period),
            threads: HashMap::new(),
            own: nix::unistd::gettid().as_raw(),
            sees_kernel: true,
            lost: 0,
            unseen: 0,
        };
        if let Err(error) = sampling.open_all() {
            if error.kind() != io::ErrorKind::PermissionDenied {
                return Err(error);
            }
            sampling.builder.exclude_kernel(true);
            sampling.sees_kernel = false;
            sampling.open_all()?;
        }
        Ok(sampling)
    }

    /// Whether time in the kernel is seen.
    pub(super) fn sees_kernel(&self) -> bool {
        self.sees_kernel
    }

    /// Samples for which a ring had no room.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Threads that were there and could not be looked at.
    pub(super) fn unseen(&self) -> usize {
        self.unseen
    }

    /// Samples threads that have begun meanwhile, too, and leaves those that ended.
    pub(super) fn look_for_threads(&mut self) {
        // Those that are watched already go on.
        let _ = self.open_all();
    }

    /// Opens all threads that are not open yet.
    fn open_all(&mut self) -> io::Result<()> {
        let tasks = Process::myself().and_then(|process| process.tasks());
        let tasks = tasks.map_err(io::Error::other)?;
        self.threads.values_mut().for_each(|one| one.lives = false);
        let mut refused = None;
        self.unseen = 0;
        for task in tasks.flatten().filter(|task| task.tid != self.own) {
            let count = self.threads.len();
            match self.threads.entry(task.tid) {
                Entry::Occupied(mut known) => known.get_mut().lives = true,
                Entry::Vacant(_) if count >= THREADS_MAX => self.unseen += 1,
                Entry::Vacant(place) => match open(&mut self.builder, &task) {
                    Ok(thread) => drop(place.insert(thread)),
                    Err(error) => {
                        self.unseen += 1;
                        refused = Some(error);
                    }
                },
            }
        }
        self.threads.retain(|_, one| one.lives);
        match refused {
            Some(error) if self.threads.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// Gives away all samples that there are.
    pub(super) fn take(&mut self, mut each: impl FnMut(&Sample<'_>)) {
        for Thread { sampler, name, .. } in self.threads.values_mut() {
            while let Some(record) = sampler.next_record() {
                let bytes = record.to_contiguous();
                match record.ty() {
                    RECORD_SAMPLE => {
                        let in_kernel = record.misc() & MODE_MASK == MODE_KERNEL;
                        match parse(&bytes, name, in_kernel) {
                            Some(sample) => each(&sample),
                            None => self.lost += 1,
                        }
                    }
                    RECORD_LOST => self.lost += lost(&bytes),
                    _ => {}
                }
            }
        }
    }
}

fn builder(period: Duration) -> Builder<'static> {
    let mut builder = Builder::new(Software::CPU_CLOCK);
    builder
        .sample(SampleFlag::REGS_USER | SampleFlag::STACK_USER)
        .sample_period(u64::try_from(period.as_nanos()).unwrap_or(u64::MAX))
        .sample_regs_user(registers::mask())
        .sample_stack_user(STACK_BYTES)
        .include_kernel()
        .any_cpu()
        .enabled(true);
    builder
}

fn open(builder: &mut Builder<'static>, task: &Task) -> io::Result<Thread> {
    let sampler = builder.observe_pid(task.tid).build()?.sampled(RING_BYTES)?;
    let name = task.stat().map(|stat| stat.comm);
    Ok(Thread {
        sampler,
        name: name.unwrap_or_else(|_| task.tid.to_string()).into(),
        lives: true,
    })
}

/// A record's bytes: which set of registers, they, how much of the stack, it, and how much of that was read.
fn parse<'a>(bytes: &'a [u8], thread: &'a Arc<str>, in_kernel: bool) -> Option<Sample<'a>> {
    let mut rest = bytes;
    let registers = match number(&mut rest)? {
        0 => None,
        _ => {
            let mut registers = Registers::default();
            for register in &mut registers {
                *register = number(&mut rest)?;
            }
            Some(registers)
        }
    };
    let room = usize::try_from(number(&mut rest)?).ok()?;
    let (mut stack, mut rest) = rest.split_at_checked(room)?;
    if room > 0 {
        let read = usize::try_from(number(&mut rest)?).ok()?;
        stack = stack.get(..read)?;
    }
    Some(Sample {
        thread,
        in_kernel,
        registers,
        stack,
    })
}

/// How many records were lost: it stands behind the event's number.
fn lost(bytes: &[u8]) -> u64 {
    let mut rest = bytes;
    let _event = number(&mut rest);
    number(&mut rest).unwrap_or(0)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (first, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u64::from_ne_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(numbers: &[u64]) -> Vec<u8> {
        numbers.iter().flat_map(|one| one.to_ne_bytes()).collect()
    }

    fn name() -> Arc<str> {
        "x".into()
    }

    #[test]
    fn a_sample_has_registers_and_as_much_of_the_stack_as_was_read() {
        let registers: Vec<u64> = (1..=registers::COUNT as u64).collect();
        let record = [&[2][..], &registers, &[16, 7, 8, 8]].concat();
        let (record, name) = (bytes(&record), name());
        let sample = parse(&record, &name, true).unwrap();
        assert!(sample.in_kernel);
        assert_eq!(sample.registers.unwrap().to_vec(), registers);
        assert_eq!(sample.stack, bytes(&[7]));
    }

    #[test]
    fn a_thread_without_anything_outside_the_kernel_has_neither() {
        let (record, name) = (bytes(&[0, 0]), name());
        let sample = parse(&record, &name, true).unwrap();
        assert!(sample.registers.is_none() && sample.stack.is_empty());
    }

    #[test]
    fn what_is_lost_is_counted() {
        assert_eq!(lost(&bytes(&[77, 3])), 3);
        assert_eq!(lost(&[]), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let name = name();
            let _ = parse(&bytes, &name, false);
            let _ = lost(&bytes);
        }
    }
}
