//! A disk that is full or fails, and how the log stays honest on it.

use recado_log::{
    Committer, Compaction, Journal, Location, Log, Position, Progress, Record, Refused, Replayed,
    Settings, SimDisk,
};

fn settings() -> Settings {
    Settings {
        segment_bytes: 8192,
        recent_bytes_max: 0,
        reserve_bytes: 4096,
        ..Settings::default()
    }
}

fn record(kind: u8, sequence: u64) -> Record<'static> {
    Record {
        kind,
        stream: 1,
        sequence,
        subject: b"s",
        payload: &[7; 900],
        ..Record::default()
    }
}

fn open(disk: &SimDisk) -> (Log<SimDisk>, Committer<SimDisk>, Vec<(u64, Location)>) {
    let mut found = Vec::new();
    let opened = Log::open(disk.clone(), settings(), &mut |replayed| match replayed {
        Replayed::Record { entry, .. } => found.push((entry.sequence, entry.at)),
        Replayed::Lost(lost) => panic!("{lost}"),
    });
    let (log, committer, _) = opened.expect("opens");
    (log, committer, found)
}

fn commit(log: &mut Log<SimDisk>, committer: &mut Committer<SimDisk>) -> Progress {
    let batch = log.take_batch().expect("a batch");
    let progress = log.committed(committer.commit(batch));
    while committer.tidy() {}
    progress
}

#[test]
fn a_full_disk_refuses_messages_takes_control_records_and_recovers_when_there_is_room() {
    let disk = SimDisk::new(1);
    disk.set_limit_bytes(30_000);
    let (mut log, mut committer, _) = open(&disk);
    committer.tidy();
    let mut durable = Vec::new();
    let mut sequence = 0;
    let to = loop {
        sequence += 1;
        let at = log
            .append(&record(1, sequence))
            .expect("not known to be full");
        match commit(&mut log, &mut committer) {
            Progress::Durable(_) => durable.push((sequence, at)),
            Progress::RolledBack { to, .. } => break to,
            Progress::Stopped { why } => panic!("{why}"),
        }
    };
    assert_eq!((log.end(), log.durable()), (to, to));
    assert!(durable.len() > 10);
    for (sequence, at) in &durable {
        assert_eq!(log.read(*at).expect("readable"), record(1, *sequence));
    }
    // Now it is known: messages are refused at once, what makes room is taken.
    assert!(matches!(
        log.append(&record(1, 1000)),
        Err(Refused::Full(_))
    ));
    let at = log.append(&record(16, 2000)).expect("the reserve");
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    durable.push((2000, at));
    assert!(matches!(
        log.append(&record(1, 1000)),
        Err(Refused::Full(_))
    ));

    disk.set_limit_bytes(100_000);
    let at = log.append(&record(1, 3000)).expect("room again");
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    durable.push((3000, at));
    disk.crash();
    let (_, _, found) = open(&disk);
    assert_eq!(found, durable);
}

#[test]
fn a_write_without_room_half_way_leaves_nothing_behind() {
    let disk = SimDisk::new(1);
    let (mut log, mut committer, _) = open(&disk);
    let first = log.append(&record(1, 1)).expect("room");
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    let group = log
        .append_group(&[record(1, 2), record(1, 3)])
        .expect("room");
    log.release(first);
    disk.fill_writes(1);
    let end = Position(1 << 32 | u64::from(first.offset + first.length));
    let progress = commit(&mut log, &mut committer);
    assert!(
        matches!(progress, Progress::RolledBack { to, .. } if to == end),
        "{progress:?}"
    );
    assert!(log.read(group[0]).is_err());
    assert_eq!(
        log.usage().live_bytes,
        u64::from(first.length),
        "the release is void too"
    );
    let again = log.append(&record(1, 2)).expect("room");
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    disk.crash();
    let (_, _, found) = open(&disk);
    assert_eq!(found, [(1, first), (2, again)]);
}

#[test]
fn a_batch_whose_second_segment_finds_no_room_is_void_as_a_whole() {
    let disk = SimDisk::new(1);
    let (mut log, mut committer, _) = open(&disk);
    committer.tidy();
    let first = log.append(&record(1, 1)).expect("room");
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    for sequence in 2..20 {
        log.append(&record(1, sequence)).expect("room");
    }
    disk.set_limit_bytes(disk.used_bytes() + 8192 + 1000);
    let end = Position(1 << 32 | u64::from(first.offset + first.length));
    let progress = commit(&mut log, &mut committer);
    assert!(
        matches!(progress, Progress::RolledBack { to, .. } if to == end),
        "{progress:?}"
    );
    disk.set_limit_bytes(100_000);
    let again = log.append(&record(1, 2)).expect("room");
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    disk.crash();
    let (_, _, found) = open(&disk);
    assert_eq!(found, [(1, first), (2, again)]);
}

#[test]
fn a_failed_sync_stops_the_log_until_it_is_opened_again_and_is_never_tried_again() {
    let disk = SimDisk::new(4);
    let (mut log, mut committer, _) = open(&disk);
    log.append(&record(1, 1)).expect("room");
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    let durable = log.durable();
    log.append(&record(1, 2)).expect("room");
    disk.fail_syncs(1);
    let syncs = disk.syncs();
    let Progress::Stopped { why } = commit(&mut log, &mut committer) else {
        panic!("it must stop");
    };
    assert!(why.contains("can't sync segment 1"), "{why}");
    assert_eq!(log.durable(), durable);
    assert_eq!(log.append(&record(1, 3)), Err(Refused::Stopped(why)));
    assert!(log.take_batch().is_none());
    assert_eq!(disk.syncs(), syncs + 1);

    // The system shows what never reached the disk. Once it was replayed it must not vanish any more.
    drop(log);
    disk.kill();
    let (log, _, found) = open(&disk);
    assert_eq!(found.len(), 2);
    drop(log);
    disk.crash();
    assert_eq!(open(&disk).2, found);
}

#[test]
fn segments_go_when_all_in_them_is_dead_and_what_made_it_dead_is_durable() {
    let disk = SimDisk::new(5);
    let (mut log, mut committer, _) = open(&disk);
    let mut first = Vec::new();
    for sequence in 1..=20 {
        first.push(log.append(&record(1, sequence)).expect("room"));
        assert!(matches!(
            commit(&mut log, &mut committer),
            Progress::Durable(_)
        ));
    }
    first.retain(|at| at.segment == 1);
    assert_eq!(log.oldest_segment(), Some(1));
    log.append(&record(16, 100)).expect("room");
    for at in &first {
        log.release(*at);
    }
    assert!(disk.bytes("segment-0000000001.log").is_some());
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    assert_eq!(log.oldest_segment(), Some(1), "it may come back yet");
    let _ = commit(&mut log, &mut committer);
    assert_eq!(disk.bytes("segment-0000000001.log"), None);
    log.append(&record(1, 101)).expect("room");
    let _ = commit(&mut log, &mut committer);
    assert_eq!(log.oldest_segment(), Some(2));
    disk.crash();
    assert!(open(&disk).2.iter().all(|(_, at)| at.segment > 1));
}

#[test]
fn a_mostly_dead_segment_is_emptied_and_goes() {
    let disk = SimDisk::new(6);
    let (mut log, mut committer, _) = open(&disk);
    let mut live = std::collections::BTreeMap::new();
    for sequence in 1..=20 {
        let kind = if sequence % 3 == 0 { 16 } else { 1 };
        let at = log.append(&record(kind, sequence)).expect("room");
        live.insert(sequence, at);
        assert!(matches!(
            commit(&mut log, &mut committer),
            Progress::Durable(_)
        ));
    }
    let dead = |sequence: u64, at: &Location| at.segment == 1 && sequence > 2;
    for (sequence, at) in &live {
        if dead(*sequence, at) {
            log.release(*at);
        }
    }
    live.retain(|sequence, at| !dead(*sequence, at));
    let kept: Vec<u64> = live.keys().copied().collect();
    let mut emptied = None;
    for _ in 0..20 {
        let live = std::cell::RefCell::new(&mut live);
        let step: Compaction = log.compact(
            1000,
            &mut |entry| live.borrow().get(&entry.sequence) == Some(&entry.at),
            &mut |entry, to| {
                live.borrow_mut().insert(entry.sequence, to);
            },
        );
        assert!(step.copied_bytes < 2000, "bounded: {step:?}");
        emptied = emptied.or(step.emptied);
        if let Some(batch) = log.take_batch() {
            let _ = log.committed(committer.commit(batch));
            while committer.tidy() {}
        }
    }
    assert_eq!(emptied, Some(1));
    assert_eq!(disk.bytes("segment-0000000001.log"), None);
    disk.crash();
    let (mut log, _, found) = open(&disk);
    let mut sequences: Vec<u64> = found.iter().map(|(sequence, _)| *sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, kept, "just the live ones, once");
    for (sequence, at) in found {
        assert_eq!(live[&sequence], at);
        assert_eq!(log.read(at).expect("readable").sequence, sequence);
    }
}

#[test]
fn what_is_too_large_is_refused_and_what_is_larger_than_a_segment_gets_its_own() {
    let disk = SimDisk::new(7);
    let (mut log, mut committer, _) = open(&disk);
    let subject = vec![b'a'; 70_000];
    let too_long = Record {
        subject: &subject,
        ..record(1, 1)
    };
    assert!(matches!(
        log.append(&too_long),
        Err(Refused::TooLarge { max: 65_535, .. })
    ));
    let payload = vec![1; 100_000];
    let large = Record {
        payload: &payload,
        ..record(1, 2)
    };
    let locations = log.append_group(&[large, large]).expect("room");
    let after = log.append(&record(1, 3)).expect("room");
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    assert_eq!(locations[0].segment, locations[1].segment);
    assert!(after.segment > locations[0].segment);
    assert_eq!(log.read(locations[1]).expect("readable"), large);
    disk.crash();
    assert_eq!(open(&disk).2.len(), 3);
}

#[test]
fn what_waits_to_be_written_is_bounded() {
    let disk = SimDisk::new(8);
    let settings = Settings {
        pending_bytes_max: 3000,
        ..settings()
    };
    let (mut log, mut committer, _) = Log::open(disk, settings, &mut |_| ()).expect("opens");
    for sequence in 1..=3 {
        log.append(&record(1, sequence)).expect("room");
    }
    assert!(matches!(log.append(&record(1, 4)), Err(Refused::Full(_))));
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    log.append(&record(1, 4)).expect("room again");
}

#[test]
fn what_was_released_does_not_come_back_when_what_made_it_dead_is_gone() {
    let disk = SimDisk::new(9);
    let (mut log, mut committer, _) = open(&disk);
    let mut first = Vec::new();
    for sequence in 1..=7 {
        first.push(log.append(&record(1, sequence)).expect("room"));
    }
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    assert_eq!((first[0].segment, first[6].segment), (1, 1));
    // A newer message and a tombstone, in a segment that is dead as a whole soon.
    let mut killers = Vec::new();
    for sequence in 101..=107 {
        killers.push(log.append(&record(16, sequence)).expect("room"));
    }
    log.append(&record(1, 200)).expect("room");
    log.release(first[2]);
    for at in killers.iter().filter(|at| at.segment == 2) {
        log.release(*at);
    }
    assert!(matches!(
        commit(&mut log, &mut committer),
        Progress::Durable(_)
    ));
    assert!(log.take_batch().is_some_and(|batch| {
        let _ = log.committed(committer.commit(batch));
        while committer.tidy() {}
        true
    }));
    assert_eq!(disk.bytes("segment-0000000002.log"), None);
    disk.crash();
    let (log, _, found) = open(&disk);
    let sequences: Vec<u64> = found.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(sequences, [1, 2, 4, 5, 6, 7, 200]);
    let dead = log.usage().bytes - log.usage().live_bytes;
    assert_eq!(dead, u64::from(first[2].length));
}

#[test]
fn both_sides_can_move_to_another_thread() {
    fn sent<T: Send>() {}
    sent::<Log<recado_log::RealDisk>>();
    sent::<Committer<recado_log::RealDisk>>();
    sent::<recado_log::Batch>();
    sent::<recado_log::Committed>();
}
