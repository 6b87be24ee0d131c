//! The program `recado-bench`: runs rows of the benchmark against one server and prints them.
#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use recado_bench::rows::{Extent, Row, Streams, subscriber};
use recado_bench::target::{Source, raise_descriptor_limit};
use recado_bench::{Result, floor, soak};

const EXAMPLES: &str = "\
Examples:
  recado-bench rows
  recado-bench run one-16 request-1 idle --server target/release/recado-server
  recado-bench run one-16 --server /path/to/nats-server --seconds 5 --json
  recado-bench run one-16 --floor
  recado-bench run durable-128-8x256 --server target/release/recado-server \\
    --server-arg=--store-dir --server-arg={store}
  recado-bench run durable-128-8x256 --server /path/to/nats-server \\
    --server-arg=-js --server-arg=-sd --server-arg={store}
  recado-bench run request-1 --connect 127.0.0.1:4222 --pid $(pidof recado-server)

A server given by --server is started afresh for each row, on a free loopback port, with
`-p PORT -a 127.0.0.1`, and stopped afterwards. In its arguments, {store} stands for a new folder
that is removed when the run ends. To compare two servers use `cargo xtask bench`.";

/// Measures a server that speaks the NATS protocol: what it does and what it pays for it.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs rows and prints what they found.
    Run(Run),
    /// Lists the rows.
    Rows {
        /// As JSON, with what each does.
        #[arg(long)]
        json: bool,
    },
    /// Serves as the least work that any server must do, until it is stopped.
    Floor {
        /// The loopback port to listen on.
        #[arg(long)]
        port: u16,
    },
    /// Puts a long mixed load on a server, and fails when it grows or when anything goes wrong.
    Soak(Soak),
    /// The subscriber that the row `stopped` starts in a process of its own.
    #[command(hide = true)]
    Subscriber {
        /// The server.
        #[arg(long)]
        connect: SocketAddr,
    },
}

#[derive(Args)]
struct Run {
    /// Names of rows, or `all`.
    #[arg(required = true)]
    rows: Vec<String>,
    #[command(flatten)]
    server: Server,
    /// How long the measured part of a row with steady traffic lasts.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How many connections the rows with many of them open.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Which part of their messages the rows store that store millions.
    #[arg(long, default_value_t = 1.0)]
    volume: f64,
    /// How often to run each row.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Server {
    /// The program to start, for each row afresh.
    #[arg(long, conflicts_with_all = ["floor", "connect"])]
    server: Option<PathBuf>,
    /// A further argument for it (repeatable).
    #[arg(long, requires = "server", allow_hyphen_values = true)]
    server_arg: Vec<String>,
    /// The folder in which the stores of such servers are made. Syncs cost what its disk costs.
    #[arg(long, requires = "server", default_value_os_t = std::env::temp_dir())]
    stores: PathBuf,
    /// The floor: no server, only the least work.
    #[arg(long, conflicts_with = "connect")]
    floor: bool,
    /// A server that runs already.
    #[arg(long)]
    connect: Option<SocketAddr>,
    /// Its process, for CPU and memory.
    #[arg(long, requires = "connect")]
    pid: Option<i32>,
}

#[derive(Args)]
struct Soak {
    /// The program to put under load: recado-server, built for release.
    #[arg(long)]
    server: PathBuf,
    /// How long the load lasts, 24 hours at the most.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// How much of that does not count; a third, unless given.
    #[arg(long)]
    warm_up: Option<f64>,
    /// Where all chance comes from; made up, and printed, unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// Connections of a storm.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    storm: u64,
    /// The folder in which the server's own is made, and removed at the end.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
    /// A file for all that was found, samples too, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// A file for the tables.
    #[arg(long)]
    markdown: Option<PathBuf>,
}

impl Server {
    fn source(self) -> Source {
        match (self.server, self.connect) {
            (Some(path), _) => Source::Program {
                path,
                args: self.server_arg,
                stores: self.stores,
            },
            (None, Some(address)) => Source::Running {
                address,
                pid: self.pid,
            },
            (None, None) => Source::Floor,
        }
    }
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(run) => run.run(),
        Command::Rows { json } => list(json),
        Command::Floor { port } => floor::serve(port),
        Command::Soak(soak) => soak.run(),
        Command::Subscriber { connect } => subscriber(connect),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("recado-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Run {
    fn run(self) -> Result<()> {
        raise_descriptor_limit()?;
        let (rows, source) = (chosen(&self.rows)?, self.server.source());
        let extent = Extent {
            measure: Duration::from_secs_f64(self.seconds.clamp(0.05, 600.0)),
            connections: self.connections,
            volume: self.volume.clamp(0.0, 100.0),
        };
        for row in rows {
            for _ in 0..self.rounds {
                let outcome = row.run(&source, extent)?;
                if self.json {
                    println!("{}", serde_json::to_string(&outcome).expect("plain data"));
                } else {
                    println!("{}", outcome.to_text());
                }
            }
        }
        Ok(())
    }
}

impl Soak {
    fn run(self) -> Result<()> {
        raise_descriptor_limit()?;
        let minutes = self.minutes.clamp(0.05, soak::MINUTES_MAX);
        let warm_up = self.warm_up.unwrap_or(minutes / 3.0).clamp(0.0, minutes);
        let seed = self.seed.unwrap_or_else(|| {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
            now.as_nanos() as u64
        });
        println!("soaking for {minutes:.1} minutes, seed {seed}");
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // A second one ends us at once.
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
                .map_err(|error| recado_bench::Error::Server(format!("signals: {error}")))?;
        }
        let report = soak::run(&soak::Plan {
            server: self.server,
            folder: self.folder,
            duration: Duration::from_secs_f64(minutes * 60.0),
            warm_up: Duration::from_secs_f64(warm_up * 60.0),
            seed,
            storm: self.storm,
            stop,
        })?;
        print!("{}", report.to_markdown());
        for (file, text) in [
            (self.json, report.to_json()),
            (self.markdown, report.to_markdown()),
        ] {
            if let Some(file) = file {
                std::fs::write(&file, text).map_err(|error| {
                    recado_bench::Error::Server(format!("writing {}: {error}", file.display()))
                })?;
            }
        }
        if report.is_good() {
            Ok(())
        } else {
            Err(recado_bench::Error::Server("the soak failed".into()))
        }
    }
}

fn chosen(names: &[String]) -> Result<Vec<&'static Row>> {
    if names.iter().any(|name| name == "all") {
        return Ok(Row::all().collect());
    }
    let find = |name: &String| {
        let known = || {
            Row::all()
                .map(|row| row.name)
                .collect::<Vec<_>>()
                .join(", ")
        };
        Row::named(name).ok_or_else(|| {
            recado_bench::Error::Server(format!("there is no row `{name}`; there are {}", known()))
        })
    };
    names.iter().map(find).collect()
}

fn list(json: bool) -> Result<()> {
    for row in Row::all() {
        if json {
            let line = serde_json::json!({
                "name": row.name, "title": row.title, "how": row.how, "floor": row.floor,
                "streams": row.streams != Streams::None,
                "synced": row.streams == Streams::Synced,
            });
            println!("{line}");
        } else {
            println!("{:<18} {}", row.name, row.title);
        }
    }
    Ok(())
}
