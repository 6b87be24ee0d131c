//! How many records a second become durable: `commit_rate DIRECTORY [records]`.
//!
//! An owner's thread appends, a committer's thread writes and syncs; at most one batch is on its way, and
//! the next one is taken when it has the wanted size. Then everything is read back, and opened again.
#![forbid(unsafe_code)]

use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use recado_log::{Journal, Log, Progress, RealDisk, Record, Settings};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("a directory");
    let records: u64 = arguments
        .next()
        .map_or(2_000_000, |text| text.parse().expect("a number"));
    for batch in [1, 16, 256, 2048, 16384] {
        let records = records.min(batch * 4000);
        run(
            &Path::new(&directory).join(batch.to_string()),
            records,
            batch,
        );
    }
}

fn run(directory: &Path, records: u64, batch_records: u64) {
    let disk = RealDisk::new(directory).expect("a directory");
    let opened = Log::open(disk.clone(), Settings::default(), &mut |_| ());
    let (mut log, mut committer, _) = opened.expect("a log");
    let (to_committer, batches) = mpsc::channel();
    let (to_owner, committed) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut syncs = 0;
        while let Ok(batch) = batches.recv() {
            to_owner.send(committer.commit(batch)).expect("an owner");
            committer.tidy();
            syncs += 1;
        }
        (committer, syncs)
    });
    let payload = [b'x'; 128];
    let started = Instant::now();
    let mut locations = Vec::with_capacity(records as usize);
    let mut in_flight = false;
    let mut appending = std::time::Duration::ZERO;
    for first in (1..=records).step_by(batch_records as usize) {
        let before = Instant::now();
        for sequence in first..(first + batch_records).min(records + 1) {
            let record = Record {
                kind: 1,
                stream: 1,
                sequence,
                time_ns: sequence as i64,
                subject: b"orders.new.42",
                payload: &payload,
                ..Record::default()
            };
            locations.push(log.append(&record).expect("room"));
        }
        appending += before.elapsed();
        if in_flight {
            let progress = log.committed(committed.recv().expect("a committer"));
            assert!(matches!(progress, Progress::Durable(_)));
        }
        to_committer
            .send(log.take_batch().expect("a batch"))
            .expect("a committer");
        in_flight = true;
    }
    let _ = log.committed(committed.recv().expect("a committer"));
    let took = started.elapsed();
    drop(to_committer);
    let (mut committer, syncs) = thread.join().expect("a committer");
    println!(
        "batches of {batch_records}: {:.0} records/s, {syncs} syncs of {:.0} µs, append {:.0} ns",
        records as f64 / took.as_secs_f64(),
        took.as_secs_f64() * 1e6 / f64::from(syncs),
        appending.as_secs_f64() * 1e9 / records as f64,
    );
    let started = Instant::now();
    for at in &locations {
        log.read(*at).expect("readable");
    }
    let read = started.elapsed();
    log.close(&mut committer).expect("a clean end");
    let started = Instant::now();
    let mut found = 0_u64;
    let opened = Log::open(disk, Settings::default(), &mut |_| found += 1);
    let (mut log, _committer, report) = opened.expect("a log");
    let open = started.elapsed();
    assert_eq!((found, report.clean), (records, true));
    let started = Instant::now();
    for at in &locations {
        log.read(*at).expect("readable");
    }
    let cold = started.elapsed();
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e9 / records as f64;
    println!(
        "  read {:.0} ns, open {:.0} ns a record, read again from files {:.0} ns",
        each(read),
        each(open),
        each(cold)
    );
}
