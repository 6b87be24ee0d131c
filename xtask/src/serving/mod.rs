//! `cargo xtask serving`: what an answer costs when a thread, a worker process or a new process
//! gives it. Drives the real programs, and renews the table in the documentation.

mod load;
mod page;
mod process;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use load::{Load, Outcome};
use process::Running;

use crate::{Failure, cargo, root, target_folder};

/// How many requests are on their way when throughput is measured.
const IN_FLIGHT: usize = 8;

/// How long before each measurement the same thing runs unmeasured.
const WARM_UP: Duration = Duration::from_millis(300);

/// How often memory is looked at, and for how long.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const LOOK_FOR: Duration = Duration::from_millis(600);

/// A way to answer.
struct Way {
    /// In English and in Spanish.
    name: [&'static str; 2],
    /// What stands behind `recado reply SUBJECT`, as it is shown; `python3` and the paths of the
    /// examples are put in.
    flags: &'static str,
}

const WAYS: [Way; 5] = [
    Way {
        name: ["the responder's own loop", "el propio bucle del programa"],
        flags: "--echo",
    },
    Way {
        name: ["a thread", "un hilo"],
        flags: "--threads 2 --echo",
    },
    Way {
        name: [
            "a worker of a pool, Python",
            "un proceso de la reserva, Python",
        ],
        flags: "--pool 2 --exec python3 worker.py",
    },
    Way {
        name: ["a process per request, C", "un proceso por petición, C"],
        flags: "--exec cat",
    },
    Way {
        name: [
            "a process per request, Python",
            "un proceso por petición, Python",
        ],
        flags: "--exec python3 once.py",
    },
];

/// What was measured of a way.
struct Measured {
    way: &'static Way,
    /// One request after the other.
    alone: Outcome,
    /// Several on their way.
    together: Outcome,
    /// Of all processes, for each request of the first kind.
    processor_time: Duration,
    /// The most that was seen, of all processes.
    memory: u64,
}

/// Measures, prints, and renews the pages.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let (time, keep) = match args {
        [] => (Duration::from_secs(3), true),
        [flag] if flag == "--quick" => (Duration::from_millis(300), false),
        _ => return Err("`cargo xtask serving` knows --quick and nothing else".to_owned()),
    };
    build()?;
    let release = target_folder().join("release");
    let python = python()?;
    let flags = ["-p", "0", "-a", "127.0.0.1"].map(str::to_owned);
    let server = Running::start(&release.join("recado-server"), &flags, "is listening on")?;
    let address = server.ready.split_whitespace().find_map(|word| {
        let word = word.trim_end_matches(['.', ',']);
        word.starts_with("127.0.0.1:").then(|| word.to_owned())
    });
    let address = address.ok_or_else(|| format!("no address in: {}", server.ready))?;
    let mut all = Vec::new();
    for way in &WAYS {
        let measured = measure(way, &release.join("recado"), &python, &address, time)?;
        println!("{}", page::line(&measured));
        all.push(measured);
    }
    match keep {
        true => page::write(&all),
        false => Ok(()),
    }
}

fn measure(
    way: &'static Way,
    recado: &Path,
    python: &str,
    address: &str,
    time: Duration,
) -> Result<Measured, Failure> {
    let mut args = vec!["reply".to_owned(), "cost".to_owned(), "--server".to_owned()];
    args.push(format!("nats://{address}"));
    args.extend(way.flags.split(' ').map(|word| {
        match word {
            "python3" => python.to_owned(),
            word if word.ends_with(".py") => root()
                .join("docs/examples")
                .join(word)
                .display()
                .to_string(),
            word => word.to_owned(),
        }
    }));
    let responder = Running::start(recado, &args, "Answering")?;
    let mut load = Load::connect(address, "cost")?;
    load.run(1, WARM_UP)?;
    let before = responder.processor_time();
    let alone = load.run(1, time)?;
    let used = responder.processor_time().saturating_sub(before);
    load.run(IN_FLIGHT, WARM_UP)?;
    let together = load.run(IN_FLIGHT, time)?;
    let memory = std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let (start, mut most) = (Instant::now(), 0);
            while start.elapsed() < LOOK_FOR {
                most = responder.memory().max(most);
                std::thread::sleep(LOOK_EVERY);
            }
            most
        });
        load.run(IN_FLIGHT, LOOK_FOR)?;
        looking
            .join()
            .map_err(|_| "looking at memory failed".to_owned())
    })?;
    let requests = u32::try_from(alone.requests().max(1)).unwrap_or(u32::MAX);
    Ok(Measured {
        way,
        alone,
        together,
        processor_time: used / requests,
        memory,
    })
}

fn build() -> Result<(), Failure> {
    let mut build = cargo();
    build.current_dir(root());
    build.args([
        "build",
        "--release",
        "--locked",
        "-p",
        "recado-server",
        "-p",
        "recado-cli",
    ]);
    match build.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("the release build failed".to_owned()),
        Err(error) => Err(format!("starting cargo build: {error}")),
    }
}

/// The interpreter itself: `python3` may be a script that looks for one, which is not what is measured.
fn python() -> Result<String, Failure> {
    let mut asked = Command::new("python3");
    asked.args(["-c", "import sys; print(sys.executable)"]);
    let said = asked
        .output()
        .map_err(|error| format!("python3: {error}"))?;
    let path = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim());
    let path = path
        .canonicalize()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.display().to_string())
}
