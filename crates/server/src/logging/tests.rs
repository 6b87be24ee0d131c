use std::fs;
use std::io::Write;
use std::sync::mpsc;

use super::clock::Clock;
use super::line::{Line, Value};
use super::sink::ROOM_WAIT;
use super::*;
use tracing::Level;

fn style(format: LogFormat) -> Style {
    Style {
        format,
        colour: false,
        short_time: false,
        with_time: false,
        with_priority: false,
    }
}

#[test]
fn a_line_for_a_daemon_begins_with_its_priority_and_leaves_the_rest_to_it() {
    for (format, shown) in [
        (LogFormat::Text, "<28>WARN  a warning\n"),
        (LogFormat::Nats, "<28>[WRN] a warning\n"),
    ] {
        let style = Style {
            with_priority: true,
            ..style(format)
        };
        let line = Line {
            level: Level::WARN,
            target: "recado",
            message: "a warning",
            fields: &[],
        };
        let clock = Clock::new(true);
        assert_eq!(style.render(clock.now(), &line), shown);
    }
}

fn rendered(style: Style, level: Level, target: &str) -> String {
    let line = Line {
        level,
        target,
        message: "slow consumer",
        fields: &[
            ("cid", Value::Unsigned(7)),
            ("name", Value::Text("my \"app\"".to_owned())),
        ],
    };
    style.render(Clock::new(true).now(), &line)
}

#[test]
fn a_text_line_is_level_message_fields() {
    assert_eq!(
        rendered(style(LogFormat::Text), Level::WARN, "recado"),
        "WARN  slow consumer  cid=7 name=\"my \\\"app\\\"\"\n"
    );
}

#[test]
fn colours_are_closed_again() {
    let coloured = Style {
        colour: true,
        with_time: true,
        ..style(LogFormat::Text)
    };
    let line = rendered(coloured, Level::WARN, "recado");
    let opened = line.matches("\u{1b}[").count() - line.matches("\u{1b}[0m").count();
    assert_eq!(opened, line.matches("\u{1b}[0m").count(), "{line:?}");
    assert!(line.ends_with("\u{1b}[0m\n"));
}

#[test]
fn a_nats_line_has_pid_time_and_label() {
    let with_time = Style {
        with_time: true,
        ..style(LogFormat::Nats)
    };
    let line = rendered(with_time, Level::INFO, "recado");
    let parts: Vec<&str> = line.split(' ').take(4).collect();
    assert_eq!(parts[0], format!("[{}]", std::process::id()));
    assert_eq!(parts[1].len(), "2026/11/23".len());
    assert_eq!(parts[2].len(), "10:11:12.131415".len());
    assert_eq!(parts[3], "[INF]");
    let pid = std::process::id();
    for (level, target, label) in [
        (Level::ERROR, "recado", "ERR"),
        (Level::ERROR, FATAL, "FTL"),
        (Level::WARN, "recado", "WRN"),
        (Level::DEBUG, "recado", "DBG"),
        (Level::TRACE, "recado", "TRC"),
    ] {
        let line = rendered(style(LogFormat::Nats), level, target);
        assert!(line.starts_with(&format!("[{pid}] [{label}] slow consumer cid=7")));
    }
}

#[test]
fn a_json_line_is_one_object_with_typed_fields() {
    let with_time = Style {
        with_time: true,
        ..style(LogFormat::Json)
    };
    let line = rendered(with_time, Level::WARN, "recado::engine");
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object["level"], "warn");
    assert_eq!(object["message"], "slow consumer");
    assert_eq!(object["target"], "recado::engine");
    assert_eq!(object["fields"]["cid"], 7);
    assert_eq!(object["fields"]["name"], "my \"app\"");
    let ts: jiff::Timestamp = object["ts"].as_str().unwrap().parse().unwrap();
    let age = ts.duration_until(jiff::Timestamp::now());
    assert!(age.as_secs() < 60, "{age:?}");
}

#[test]
fn colours_follow_the_convention() {
    let with = |set: &'static [(&'static str, &'static str)]| {
        colours_wanted(move |name| {
            set.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).into())
        })
    };
    assert!(with(&[("TERM", "xterm")]));
    assert!(with(&[("NO_COLOR", "")]));
    assert!(!with(&[("NO_COLOR", "1")]));
    assert!(!with(&[("TERM", "dumb")]));
}

#[test]
fn the_automatic_format_follows_the_personality() {
    let auto = LogFormat::Auto;
    assert_eq!(effective_format(auto, Personality::Recado), LogFormat::Text);
    assert_eq!(
        effective_format(auto, Personality::NatsServer),
        LogFormat::Nats
    );
    assert_eq!(
        effective_format(LogFormat::Json, Personality::NatsServer),
        LogFormat::Json
    );
}

/// A log in a file of its own directory.
fn file_log(change: impl FnOnce(&mut LogOptions)) -> (tempfile::TempDir, PathBuf, Log) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.log");
    let mut options = LogOptions {
        file: Some(path.clone()),
        ..LogOptions::default()
    };
    change(&mut options);
    let log = Log::open(&options, Personality::Recado).unwrap();
    (directory, path, log)
}

fn flushed(log: &Log) {
    assert!(
        log.flush(Duration::from_secs(10)),
        "the log was not written"
    );
}

#[test]
fn a_client_can_not_forge_a_line() {
    let (_directory, path, log) = file_log(|options| options.no_time = true);
    tracing::subscriber::with_default(log.subscriber(), || {
        let name = "x\nERROR  all is lost\u{1b}[31m";
        tracing::info!(name, subject = %"a\r\nb", "client\nconnected");
    });
    flushed(&log);
    let written = fs::read_to_string(path).unwrap();
    assert_eq!(
        written,
        "INFO  client\\nconnected  name=\"x\\nERROR  all is lost\\u{1b}[31m\" subject=\"a\\r\\nb\"\n"
    );
}

#[test]
fn debug_and_trace_are_off_until_asked_for_one_by_one() {
    let written = |debug, trace| {
        let (_directory, path, log) = file_log(|options| {
            options.no_time = true;
            options.debug = debug;
            options.trace = trace;
        });
        tracing::subscriber::with_default(log.subscriber(), || {
            tracing::debug!("D");
            tracing::trace!("T");
            tracing::debug!(target: "mio::poll", "library");
            tracing::info!("I");
        });
        flushed(&log);
        fs::read_to_string(path).unwrap()
    };
    assert_eq!(written(false, false), "INFO  I\n");
    assert_eq!(written(true, false), "DEBUG D\nINFO  I\n");
    assert_eq!(written(false, true), "TRACE T\nINFO  I\n");
    assert_eq!(written(true, true), "DEBUG D\nTRACE T\nINFO  I\n");
}

#[test]
fn an_endless_value_is_cut() {
    let (_directory, path, log) = file_log(|options| options.no_time = true);
    tracing::subscriber::with_default(log.subscriber(), || {
        tracing::info!(name = "ñ".repeat(VALUE_BYTES_MAX), "connected");
    });
    flushed(&log);
    let written = fs::read_to_string(path).unwrap();
    assert!(written.ends_with("…[cut]\n"));
    assert!(written.len() < VALUE_BYTES_MAX + 100);
}

#[test]
fn a_renamed_file_is_left_behind_by_reopen() {
    let (directory, path, log) = file_log(|options| options.no_time = true);
    let old = directory.path().join("old.log");
    tracing::subscriber::with_default(log.subscriber(), || {
        tracing::info!("before");
        flushed(&log);
        fs::rename(&path, &old).unwrap();
        tracing::info!("between");
        assert!(log.reopen());
        flushed(&log);
        tracing::info!("after");
    });
    flushed(&log);
    assert_eq!(
        fs::read_to_string(old).unwrap(),
        "INFO  before\nINFO  between\n"
    );
    let new = fs::read_to_string(path).unwrap();
    assert!(
        new.ends_with("INFO  after\n") && !new.contains("between"),
        "{new}"
    );
}

#[test]
fn a_large_file_is_rotated_and_old_backups_go_but_nothing_else() {
    let (directory, path, log) = file_log(|options| {
        options.no_time = true;
        options.size_limit = 400;
        options.max_num = 2;
    });
    let bystander = directory.path().join("server.log.2026.11.23.notes");
    fs::write(&bystander, "mine").unwrap();
    tracing::subscriber::with_default(log.subscriber(), || {
        for number in 0..100 {
            tracing::info!(number, "a line");
        }
    });
    flushed(&log);
    assert!(bystander.exists());
    let mut backups: Vec<PathBuf> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|found| *found != path && *found != bystander)
        .collect();
    backups.sort();
    assert_eq!(backups.len(), 2, "{backups:?}");
    for file in backups.iter().chain([&path]) {
        assert!(fs::metadata(file).unwrap().len() <= 400 + 100, "{file:?}");
    }
    // Across the files that were kept, the numbers go on without a gap up to the last.
    let kept: String = backups
        .iter()
        .chain([&path])
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let numbers: Vec<u32> = kept
        .lines()
        .filter_map(|line| line.split_once("number=")?.1.parse().ok())
        .collect();
    assert_eq!(numbers.last(), Some(&99));
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}

#[test]
fn an_unopenable_file_is_named() {
    let options = LogOptions {
        file: Some(PathBuf::from("/nowhere/at/all.log")),
        ..LogOptions::default()
    };
    let error = Log::open(&options, Personality::Recado).err().unwrap();
    assert_eq!(error.path, PathBuf::from("/nowhere/at/all.log"));
    assert_eq!(error.source.kind(), io::ErrorKind::NotFound);
}

/// An output that blocks until it is let go.
struct Gate {
    open: mpsc::Receiver<()>,
    is_open: bool,
    seen: Arc<parking_lot::Mutex<Vec<u8>>>,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_open {
            let _ = self.open.recv();
            self.is_open = true;
        }
        self.seen.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_log_that_nobody_reads_delays_nobody_and_says_what_was_lost() {
    let (open, gate) = mpsc::channel();
    let seen = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let sink = Sink::start(
        Output::Stream(Box::new(Gate {
            open: gate,
            is_open: false,
            seen: Arc::clone(&seen),
        })),
        Arc::new(Look::new(
            style(LogFormat::Text),
            &LogOptions {
                utc: true,
                ..LogOptions::default()
            },
        )),
    );
    let line = [b'x'; 1023]
        .iter()
        .chain(b"\n")
        .copied()
        .collect::<Vec<_>>();
    let pushed = 3 * PENDING_BYTES_MAX / line.len();
    let begun = std::time::Instant::now();
    for _ in 0..pushed {
        sink.push(&line);
    }
    // Only one line waited for room; the bound leaves a slow machine ample time to copy 12 MB.
    assert!(begun.elapsed() < ROOM_WAIT + Duration::from_secs(5));
    let lost = sink.lines_lost();
    assert!(lost > 0 && lost < pushed as u64, "{lost} of {pushed}");
    open.send(()).unwrap();
    assert!(sink.flush(Duration::from_secs(10)));
    sink.push(b"next\n");
    assert!(sink.flush(Duration::from_secs(10)));
    let seen = String::from_utf8(seen.lock().clone()).unwrap();
    assert_eq!(
        seen.lines().filter(|line| line.starts_with('x')).count() as u64,
        pushed as u64 - lost
    );
    assert!(
        seen.contains(&format!("lines={lost}")),
        "{}",
        &seen[seen.len() - 200..]
    );
    assert!(seen.contains("next\n"));
}
