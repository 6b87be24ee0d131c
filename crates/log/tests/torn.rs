//! What a power failure leaves of the batch that was being written, beside damage that only looks like it.

use recado_log::{
    Committer, Disk, Journal, Location, Log, Progress, Record, Replayed, Settings, SimDisk,
};

const SEGMENT: &str = "segment-0000000001.log";
const SECTOR: usize = 512;

fn record(sequence: u64) -> Record<'static> {
    Record {
        kind: 1,
        stream: 1,
        sequence,
        subject: b"s",
        payload: &[7; 100],
        ..Record::default()
    }
}

fn open(disk: &SimDisk) -> (Log<SimDisk>, Committer<SimDisk>, Vec<u64>, usize) {
    let (mut found, mut lost) = (Vec::new(), 0);
    let opened = Log::open(
        disk.clone(),
        Settings::default(),
        &mut |replayed| match replayed {
            Replayed::Record { entry, .. } => found.push(entry.sequence),
            Replayed::Lost(_) => lost += 1,
        },
    );
    let (log, committer, _) = opened.expect("opens");
    (log, committer, found, lost)
}

/// A store with a batch for each range, and where the records lie. The power fails, and nobody knows how far the log was.
fn store(batches: &[std::ops::Range<u64>]) -> (SimDisk, Vec<Location>) {
    let disk = SimDisk::new(1);
    let (mut log, mut committer, ..) = open(&disk);
    let mut places = Vec::new();
    for batch in batches {
        for sequence in batch.clone() {
            places.push(log.append(&record(sequence)).expect("room"));
        }
        let batch = log.take_batch().expect("a batch");
        let progress = log.committed(committer.commit(batch));
        assert!(matches!(progress, Progress::Durable(_)));
    }
    drop((log, committer));
    disk.kill();
    disk.remove("durable").expect("it is there");
    (disk, places)
}

/// As if the sector with this byte had never been written. Which records that hits.
fn unwrite(disk: &SimDisk, places: &[Location], offset: u32) -> Vec<u64> {
    let from = offset as usize / SECTOR * SECTOR;
    let bytes = disk.bytes(SEGMENT).expect("a segment");
    for at in from..from + SECTOR {
        if let Some(byte) = bytes.get(at).filter(|byte| **byte != 0) {
            disk.flip(SEGMENT, at, *byte);
        }
    }
    let hit = |at: &Location| {
        let (start, end) = (at.offset as usize, (at.offset + at.length) as usize);
        start < from + SECTOR && end > from
    };
    let all = places.iter().zip(1..);
    all.filter(|(at, _)| hit(at))
        .map(|(_, sequence)| sequence)
        .collect()
}

#[test]
fn nothing_behind_a_hole_in_the_last_batch_counts() {
    let (disk, places) = store(&[1..11, 11..31]);
    let hit = unwrite(&disk, &places, places[19].offset);
    let (.., found, lost) = open(&disk);
    let whole: Vec<u64> = (1..hit[0]).collect();
    assert_eq!((found, lost), (whole, 0));
}

#[test]
fn a_hole_at_the_start_of_the_last_batch_leaves_the_one_before_whole() {
    let (disk, places) = store(&[1..11, 11..31]);
    let first = places[10].offset as usize;
    let hit = unwrite(&disk, &places, places[10].offset + SECTOR as u32);
    assert!(hit[0] > 10 && first > 0);
    let (.., found, _) = open(&disk);
    assert!(found.len() >= 10 && found.iter().copied().eq(1..hit[0]));
}

#[test]
fn a_hole_in_an_earlier_batch_costs_what_lay_in_it() {
    let (disk, places) = store(&[1..31, 31..33]);
    let hit = unwrite(&disk, &places, places[14].offset);
    let (.., found, lost) = open(&disk);
    let whole: Vec<u64> = (1..33).filter(|sequence| !hit.contains(sequence)).collect();
    assert_eq!(found, whole);
    assert!(lost > 0);
}

#[test]
fn a_flipped_bit_in_the_last_batch_costs_its_record() {
    for byte in [0, 10, 60, 140] {
        let (disk, places) = store(&[1..11, 11..31]);
        disk.flip(SEGMENT, (places[19].offset + byte) as usize, 4);
        let (.., found, lost) = open(&disk);
        let whole: Vec<u64> = (1..31).filter(|sequence| *sequence != 20).collect();
        assert_eq!((found, lost), (whole, 1), "byte {byte}");
    }
}
