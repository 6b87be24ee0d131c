//! `cargo xtask soak`: an hour of mixed load on a server built for release, and `docs/soak.md` with what was found.
//!
//! Nothing is judged here: that is `recado-bench soak`'s work.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, cargo, root, target_folder};

/// Shorter runs say less, and leave the page alone.
const MINUTES_OF_THE_PAGE: f64 = 60.0;
const STORM: &str = "400";

/// What runs found that is not in the tables of the last one.
const FOUND: &str = "\
## What it found so far

- **2026-11-27, an hour of 6bad985.** Nothing was lost, doubled, answered wrongly or left behind: 21 million deliveries, 1.3 million requests,
  1.4 million acknowledged messages, 62,000 connections of guests and 30,800 of strangers, 351 reloads, 116 exchanged certificates, 178 slow consumers.
  Descriptors, threads, connections and subscriptions did not grow. Resident memory did, from 79 to 99 MiB, and with
  one heap arena for all threads (`MALLOC_ARENA_MAX=1`) as well. It was no leak: a heap profile of eight minutes showed 41 MiB in
  use, level once the caches were full, and 1.3 MiB left at the end. The heap lay in pieces: of the 32 MiB of the log that
  stay in memory each batch, 340 bytes on average, was an allocation of its own, freed in its order among others. Short batches are joined to
  pieces of 512 KiB since (`log::tail`), and buffers are used again.
- With the first half of that (9ada858), in a run that was broken off after 12 minutes: 66 MiB after 7 minutes, 77 MiB from the eighth on, level for the
  four that followed.
- With both halves, in a run of 2cfb533 that was broken off after 36 minutes: 65 MiB after six minutes, 76 after fifteen, 86 after thirty-six. A walk through the
  heap of another run shows what grows: blocks of 16 KiB of the log's past, some twenty a minute. They are bounded (16 MiB), but those of segments
  that were gone kept their memory, and new ones did not take their places. They do since (`log::cache`).
- With that, in a run of 7a5579f that was broken off after 31 minutes: 65 MiB after nine minutes, 68 after twenty-six, growing by an eighth of a MiB a
  minute. The heap showed two caches that fill up to their bounds and forget nothing before: blocks that were read once (16 MiB), and routes
  to inboxes that answered twice (32,768 of them, eight more each second). What a minute's work does not use goes since (`log::cache`, `engine::caches`).
- **An hour of 30e6f6a**, with all of it: 63 MiB after ten minutes, 69 from the twenty-third minute to the end, level. By the rule that ten minutes warm up
  it failed (64.9 in the first third of the rest, 69.4 in the last, 4.0 allowed): what takes so long is the heap, not what is in it, which
  stays at 30 MiB: holes are left until there is one for each size that is ever asked for. So a third of the time is for warming up since.
- An hour of e1c5474 failed by that rule, too: 66.6 MiB in the first third, 70.8 in the last.
- Two runs with a look into the heap each minute, broken off when they could not pass any more. Of dbf6d7e, after 46 minutes: 64 MiB from
  the eleventh minute, 65.5 in the forty-first, 69 a minute later. That was one buffer of 3.7 MiB, a footer that was gathered for a segment: it
  found no hole of its size, and left one. Footers are gathered in pieces of 64 KiB since (`log::pieces`). With that, of 3986384, after 48
  minutes: 61 MiB after ten, 64 after thirty, 69 in the end. This time 6 MiB more were in use: twenty batches of 262 to 283 KiB, each
  held in a buffer of its own size. A single large record had made the buffer that is written to grow to 1 MiB, and whatever filled less than half of it was
  copied from then on. It gets its size back since, and only buffers of that size are used again (`log::tail`).
- **An hour of 18a289b passed**: 61.8 MiB in the first third, 64.3 in the last, trend 3.8: 59.8 MiB after ten minutes, 61.3 in the forty-second. A minute later, while this
  repository was built beside it from nothing, so that more waited for a turn than ever before, two arenas of the heap grew by 3 MiB
  together; then it was level to the end.
- Half an hour of 4b52618, which neither copies nor joins long batches: 58.5 MiB in the first third, 58.9 in the last.
- An hour of c26adad, before there were MQTT clients in it, passed, on another machine, while single crates were built beside it at the lowest priority: level from
  the twentieth minute on.
- Then MQTT clients came into the load. Looks of half a minute to six minutes found what follows, each mended with a test.
  A message of QoS 1 or 2 that was published while somebody subscribed came twice: by the engine, and by the consumer that was just being made. A client of
  QoS 2 that was cut between PUBREC and PUBREL completed the message when it came back, but its consumer was not told; after `ack_wait` it delivered
  it once more, 11 of 13,400 in six minutes with cuts every few seconds. And who came right after one that had left by itself was refused, if that had
  pushed out another within the same second.
- **The hour above, of c778e61, passed** with nothing else running: 74.3 MiB in the first third, 75.5 in the last. What MQTT clients published came
  862,483 times to MQTT clients and 431,244 times to NATS clients; of what was published with QoS 1 and 2 for sessions that stay, 345,600 were delivered, 27,803 of them
  again with DUP, in sessions that were taken up 3,432 times, mostly after a cut: none lost, none doubled.
";

struct Options {
    minutes: f64,
    seed: Option<String>,
    storm: String,
    server: Option<PathBuf>,
    /// The tables of a run that was made before, and the commit that it was made of.
    render: Option<(PathBuf, String)>,
}

/// Builds, soaks, and renews the page when the run was long enough.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let options = Options::parse(args)?;
    if let Some((tables, commit)) = &options.render {
        return write_page(&read(tables)?, commit);
    }
    build()?;
    // Later builds must not change what runs.
    let folder = target_folder().join("soak");
    let copied = |name: &str, from: &Path| {
        let to = folder.join(name);
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::copy(from, &to))
            .map_err(|error| format!("copying {}: {error}", from.display()))?;
        Ok::<_, Failure>(to)
    };
    let release = target_folder().join("release");
    let bench = copied("recado-bench", &release.join("recado-bench"))?;
    let server = options
        .server
        .clone()
        .unwrap_or_else(|| release.join("recado-server"));
    let server = copied("recado-server", &server)?;
    let (commit, tables) = (
        said("git", &["rev-parse", "--short", "HEAD"]),
        folder.join("soak.md"),
    );
    let mut soak = Command::new(bench);
    soak.arg("soak").arg("--server").arg(server);
    soak.args([
        "--minutes",
        &options.minutes.to_string(),
        "--storm",
        &options.storm,
    ]);
    soak.arg("--markdown").arg(&tables);
    soak.arg("--json").arg(folder.join("soak.json"));
    if let Some(seed) = &options.seed {
        soak.args(["--seed", seed]);
    }
    let good = soak
        .status()
        .map_err(|error| format!("starting recado-bench: {error}"))?
        .success();
    if options.minutes >= MINUTES_OF_THE_PAGE {
        write_page(&read(&tables)?, &commit)?;
        println!("\ndocs/soak.md is renewed.");
    }
    if good {
        Ok(())
    } else {
        Err("the soak failed".to_owned())
    }
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            minutes: MINUTES_OF_THE_PAGE,
            seed: None,
            storm: STORM.to_owned(),
            server: None,
            render: None,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} wants a value"));
            match arg.as_str() {
                "--minutes" => {
                    let text = value()?;
                    let wrong = |_| format!("--minutes wants a number, not `{text}`");
                    options.minutes = text.parse().map_err(wrong)?;
                }
                "--seed" => options.seed = Some(value()?.clone()),
                "--storm" => options.storm.clone_from(value()?),
                "--server" => options.server = Some(value()?.into()),
                "--render" => options.render = Some((value()?.into(), value()?.clone())),
                _ => return Err(format!("`cargo xtask soak` does not know {arg}")),
            }
        }
        Ok(options)
    }
}

fn build() -> Result<(), Failure> {
    let mut build = cargo();
    build.current_dir(root());
    build.args([
        "build",
        "--release",
        "--locked",
        "--bins",
        "-p",
        "recado-server",
        "-p",
        "recado-bench",
    ]);
    match build.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("the release build failed".to_owned()),
        Err(error) => Err(format!("starting cargo build: {error}")),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write_page(tables: &str, commit: &str) -> Result<(), Failure> {
    let path = root().join("docs/soak.md");
    std::fs::write(&path, page(tables, commit))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn page(tables: &str, commit: &str) -> String {
    let field = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let memory = field("/proc/meminfo", "MemTotal").replace(" kB", "");
    format!(
        "# Soak\n\n\
         Written by `cargo xtask soak`; don't edit it by hand.\n\n\
         | | |\n|---|---|\n\
         | date, commit | {}, {commit} |\n\
         | machine | {}, {} cores, {:.0} GiB, Linux {} |\n\
         | compiler | {} |\n\n\
         One server, built for release, on loopback; the rate is moderate, for what is looked at is what the server \
         keeps, not how fast it is. All of this at the same time:\n\n\
         - a flow that four clients receive (in clear, over TLS, over WebSocket, and in an account that imports it), each message \
         numbered and held against the one before;\n\
         - requests over the same ways, and across accounts;\n\
         - publishing into a bounded stream with acknowledgements and repeated ids; a durable consumer that acknowledges, and refuses \
         some once; a bucket of 2,000 keys that is written, read back and watched by consumers that come and go; streams \
         that are made, filled, purged and removed;\n\
         - storms of {STORM} connections over all ways, that log in (some by bcrypt) and vanish: in order, by a reset, in the middle of a message; in every third \
         storm they are strangers with wrong passwords, half handshakes, noise;\n\
         - a new configuration every 10 s: a user comes or goes, another's permissions change, the certificate is exchanged, now and then there is \
         a mistake in it; each is held against its effects;\n\
         - subscribers that stop reading until they are cut off;\n\
         - MQTT clients, over TCP and WebSocket: a flow of messages of QoS 0, 1 and 2 to two others and to a NATS client, and one from NATS; two with a \
         session that stays, which leave, are cut, fall silent or are pushed out by themselves, and come back while messages of QoS 1 and 2 wait; who \
         publishes these, cut in the middle as well; retained messages that are set, replaced, removed, and read by a new client each time; wills of \
         clients that are cut or say nothing for too long; a tenth of each storm, with new client identifiers and wrong passwords;\n\
         - somebody who reads all of monitoring and the events of the system account.\n\n\
         Every 5 s the server is looked at (`/proc`, `/varz`). It fails when the median of the last third of the samples after the \
         warm-up lies above that of the first third by more than what is allowed, or the median of all slopes (Theil and Sen) does over the whole time; \
         when connections, subscriptions, descriptors or threads are more at rest afterwards than before; when sessions, consumers or messages \
         of MQTT are left after all its clients have ended theirs, or more than the steady ones' after a storm; and when \
         anything is lost, doubled, out of order, answered wrongly or not at all.\n\n\
         ```sh\n\
         cargo xtask soak                # an hour, and renews this page\n\
         cargo xtask soak --minutes 5    # a look; what warms up within that time counts as growth\n\
         ```\n\n\
         ## Results\n\n{tables}\n{FOUND}",
        said("date", &["-u", "+%Y-%m-%d"]),
        field("/proc/cpuinfo", "model name"),
        std::thread::available_parallelism().map_or(0, |cores| cores.get()),
        memory.parse::<f64>().unwrap_or(0.0) / 1_048_576.0,
        read(Path::new("/proc/sys/kernel/osrelease"))
            .unwrap_or_default()
            .split('-')
            .next()
            .unwrap_or_default()
            .trim(),
        said("rustc", &["--version"]),
    )
}

/// What a program says; nothing when it can't be started.
fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(root())
        .output();
    output.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}
