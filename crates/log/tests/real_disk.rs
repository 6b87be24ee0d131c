//! The log on the real file system.

use recado_log::{
    Journal, LockError, Log, OpenError, Progress, RealDisk, Record, Replayed, Settings,
};

fn settings() -> Settings {
    Settings {
        segment_bytes: 64 * 1024,
        reserve_bytes: 4096,
        recent_bytes_max: 0,
        cache_bytes_max: 0,
        salt: 7,
        ..Settings::default()
    }
}

fn record(sequence: u64, payload: &[u8]) -> Record<'_> {
    Record {
        kind: 1,
        flags: 3,
        stream: 5,
        sequence,
        time_ns: 1_000 + sequence as i64,
        subject: b"orders.new",
        headers: b"NATS/1.0\r\n\r\n",
        payload,
        compress: false,
    }
}

#[test]
fn what_was_committed_is_read_back_after_a_clean_close_and_without_one() {
    for clean in [true, false] {
        let directory = tempfile::tempdir().expect("a directory");
        let disk = RealDisk::new(directory.path()).expect("a disk");
        let (mut log, mut committer, report) =
            Log::open(disk.clone(), settings(), &mut |_| panic!("an empty store")).expect("a log");
        assert_eq!(report.segments, 0);
        let payload = [b'x'; 500];
        let mut locations = Vec::new();
        for sequence in 1..=1000 {
            let record = record(sequence, &payload[..sequence as usize % 500]);
            locations.push(log.append(&record).expect("room"));
            if sequence % 30 == 0 {
                let batch = log.take_batch().expect("a batch");
                let end = log.end();
                assert_eq!(
                    log.committed(committer.commit(batch)),
                    Progress::Durable(end)
                );
            }
        }
        for (at, sequence) in locations.iter().zip(1..) {
            let read = log.read(*at).expect("readable");
            assert_eq!(read, record(sequence, &payload[..sequence as usize % 500]));
        }
        if clean {
            log.close(&mut committer).expect("a clean end");
        } else {
            let batch = log.take_batch().expect("a batch");
            let _ = log.committed(committer.commit(batch));
            drop((log, committer));
        }

        let mut replayed = Vec::new();
        let (mut log, _committer, report) = Log::open(disk, settings(), &mut |found| {
            let Replayed::Record { entry, .. } = found else {
                panic!("lost: {found:?}");
            };
            assert_eq!(entry.subject, b"orders.new");
            assert_eq!(entry.time_ns, 1_000 + entry.sequence as i64);
            replayed.push((entry.sequence, entry.at));
        })
        .expect("a log");
        assert_eq!((report.clean, report.cut), (clean, None), "{report:?}");
        let expected: Vec<_> = (1..=1000).zip(locations).collect();
        assert_eq!(replayed, expected);
        for (sequence, at) in replayed {
            let read = log.read(at).expect("readable");
            assert_eq!(read, record(sequence, &payload[..sequence as usize % 500]));
        }
    }
}

#[test]
fn a_second_server_on_the_same_store_is_told_who_has_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let disk = RealDisk::new(directory.path()).expect("a disk");
    let first = Log::open(disk.clone(), settings(), &mut |_| ()).expect("a log");
    let second = Log::open(disk.clone(), settings(), &mut |_| ());
    let Err(OpenError::Lock(LockError::Held { pid, .. })) = &second else {
        panic!("{second:?}");
    };
    assert_eq!(*pid, Some(std::process::id()));
    let text = second.map(|_| ()).expect_err("held").to_string();
    assert!(
        text.contains(&format!("process {}", std::process::id())),
        "{text}"
    );
    drop(first);
    Log::open(disk, settings(), &mut |_| ()).expect("free again");
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_followed() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = directory.path().join("store");
    let disk = RealDisk::new(&store).expect("a disk");
    let open = |disk: &RealDisk| Log::open(disk.clone(), settings(), &mut |_| {});
    let (mut log, mut committer, _) = open(&disk).expect("a log");
    log.append(&record(1, b"x")).expect("room");
    let batch = log.take_batch().expect("a batch");
    let _ = log.committed(committer.commit(batch));
    drop((log, committer));
    let file = std::fs::read_dir(&store)
        .expect("the store")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| !path.ends_with("lock") && path.is_file())
        .expect("a file of the log");
    let elsewhere = directory.path().join("elsewhere");
    std::fs::rename(&file, &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, &file).expect("a link");
    let before = std::fs::read(&elsewhere).expect("its bytes");
    assert!(open(&disk).is_err(), "the store is led elsewhere");
    assert_eq!(std::fs::read(&elsewhere).expect("its bytes"), before);
}
