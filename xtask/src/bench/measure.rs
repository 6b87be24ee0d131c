//! Runs one row against each side in turn, one process a run, and keeps what each found.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Options;
use super::results::Measured;
use crate::{Failure, target_folder};

/// The servers that are compared, and the program that measures them.
pub(super) struct Sides {
    bench: PathBuf,
    recado: PathBuf,
    nats: PathBuf,
    /// A configuration file in which nats-server is told to sync each message.
    synced: PathBuf,
    /// Where the stores are made: on the disk that holds what is built, not in memory.
    stores: PathBuf,
}

/// A row as `recado-bench rows --json` tells it.
pub(super) struct Row {
    pub(super) name: String,
    title: String,
    how: String,
    floor: bool,
    streams: bool,
    synced: bool,
}

impl Row {
    fn is_named(&self, name: &str) -> bool {
        self.name == name || (self.streams && name == "streams")
    }
}

impl Sides {
    /// Our own release build (or another) against this nats-server.
    pub(super) fn new(ours: Option<PathBuf>, nats: PathBuf) -> Result<Sides, Failure> {
        let release = target_folder().join("release");
        let recado = ours.unwrap_or_else(|| release.join("recado-server"));
        let stores = target_folder().join("bench");
        let synced = stores.join("synced.conf");
        std::fs::create_dir_all(&stores)
            .and_then(|()| std::fs::write(&synced, "jetstream { sync_interval: always }\n"))
            .map_err(|error| format!("{}: {error}", synced.display()))?;
        Ok(Sides {
            bench: release.join("recado-bench"),
            recado,
            nats,
            synced,
            stores,
        })
    }

    /// The rows that are wanted, in the table's order; all when none is named. `streams` names all
    /// rows about streams.
    pub(super) fn rows(&self, only: &[String]) -> Result<Vec<Row>, Failure> {
        let listed = output(Command::new(&self.bench).args(["rows", "--json"]))?;
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let rows: Vec<Row> = listed
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .map(|row: Value| Row {
                name: text(&row, "name"),
                title: text(&row, "title"),
                how: text(&row, "how"),
                floor: row["floor"] == true,
                streams: row["streams"] == true,
                synced: row["synced"] == true,
            })
            .collect();
        if let Some(unknown) = only
            .iter()
            .find(|name| !rows.iter().any(|row| row.is_named(name)))
        {
            let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
            return Err(format!(
                "there is no row `{unknown}`; there are streams (all of its rows), {}",
                names.join(", ")
            ));
        }
        Ok(rows
            .into_iter()
            .filter(|row| only.is_empty() || only.iter().any(|name| row.is_named(name)))
            .collect())
    }

    /// All rounds of one row. A run that fails is part of the result.
    pub(super) fn measure(&self, row: &Row, options: &Options) -> Measured {
        let mut sides = vec!["recado", "nats"];
        if row.floor {
            sides.push("floor");
        }
        if row.synced {
            sides.push("synced");
        }
        let mut runs: Vec<Vec<Value>> = vec![Vec::new(); sides.len()];
        for round in 0..options.rounds {
            for turn in 0..sides.len() {
                // Each goes first as often as the others.
                let side = (turn + round) % sides.len();
                eprint!(
                    "\r{} {}/{} {:<8}",
                    row.name,
                    round + 1,
                    options.rounds,
                    sides[side]
                );
                runs[side].push(self.run(row, sides[side], options));
            }
        }
        eprint!("\r{:50}\r", "");
        let by_side: serde_json::Map<String, Value> = sides
            .into_iter()
            .map(str::to_owned)
            .zip(runs.into_iter().map(Value::from))
            .collect();
        Measured::new(json!({
            "row": row.name,
            "title": row.title,
            "how": row.how,
            "rounds": options.rounds,
            "seconds": options.seconds,
            "connections": options.connections,
            "volume": options.volume,
            "machine": self.machine(),
            "runs": by_side,
        }))
    }

    fn run(&self, row: &Row, side: &str, options: &Options) -> Value {
        let found = output(&mut self.command(row, side, options)).and_then(|text| {
            serde_json::from_str(&text).map_err(|error| format!("unreadable result: {error}"))
        });
        found.unwrap_or_else(|failure| json!({ "failed": failure }))
    }

    fn command(&self, row: &Row, side: &str, options: &Options) -> Command {
        let mut command = Command::new(&self.bench);
        command.args(["run", &row.name, "--json"]);
        command.args(["--seconds", &options.seconds.to_string()]);
        command.args(["--connections", &options.connections.to_string()]);
        command.args(["--volume", &options.volume.to_string()]);
        match side {
            "recado" => command.arg("--server").arg(&self.recado),
            "nats" | "synced" => command.arg("--server").arg(&self.nats),
            _ => command.arg("--floor"),
        };
        if row.streams {
            command.arg("--stores").arg(&self.stores);
            for arg in self.stores_streams(side) {
                command.arg(format!("--server-arg={arg}"));
            }
        }
        command
    }

    /// How a side is told to store streams, and where.
    fn stores_streams(&self, side: &str) -> Vec<String> {
        let synced = self.synced.display().to_string();
        let args: &[&str] = match side {
            "recado" => &["--store-dir", "{store}"],
            "synced" => &["-c", &synced, "-js", "-sd", "{store}"],
            _ => &["-js", "-sd", "{store}"],
        };
        args.iter().map(|arg| (*arg).to_owned()).collect()
    }

    /// On what, when and of what this was measured.
    fn machine(&self) -> Value {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let after_colon = |text: &str, key: &str| {
            let line = text
                .lines()
                .find(|line| line.starts_with(key))
                .unwrap_or_default();
            line.split_once(':')
                .map_or(String::new(), |(_, value)| value.trim().to_owned())
        };
        let memory_kb = after_colon(&read("/proc/meminfo"), "MemTotal").replace(" kB", "");
        let say = |program: &str, args: &[&str]| {
            output(Command::new(program).args(args))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let version = |program: &PathBuf| {
            output(Command::new(program).arg("--version"))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        json!({
            "cpu": after_colon(&read("/proc/cpuinfo"), "model name"),
            "cores": std::thread::available_parallelism().map_or(0, |cores| cores.get()),
            "memory_gib": memory_kb.parse::<f64>().unwrap_or(0.0) / 1048576.0,
            "kernel": read("/proc/sys/kernel/osrelease").split('-').next(),
            "rustc": say("rustc", &["--version"]),
            "recado": version(&self.recado),
            "nats": version(&self.nats),
            "commit": say("git", &["rev-parse", "--short", "HEAD"]),
            "date": say("date", &["-u", "+%Y-%m-%d"]),
        })
    }
}

fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output();
    let problem = |error| format!("starting {}: {error}", command.get_program().display());
    let output = output.map_err(problem)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(said.trim().trim_start_matches("recado-bench: ").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(streams: bool, synced: bool) -> Row {
        Row {
            name: "a-row".into(),
            title: String::new(),
            how: String::new(),
            floor: false,
            streams,
            synced,
        }
    }

    /// What the load generator is told.
    fn told(row: &Row, side: &str) -> String {
        let sides = Sides {
            bench: "bench".into(),
            recado: "ours".into(),
            nats: "theirs".into(),
            synced: "synced.conf".into(),
            stores: "stores".into(),
        };
        let options = Options::parse(&[]).expect("no arguments");
        let command = sides.command(row, side, &options);
        let args = command.get_args().map(|arg| arg.to_string_lossy());
        args.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_server_is_told_in_its_own_words_where_to_store() {
        let streams = row(true, true);
        assert!(streams.is_named("streams") && streams.is_named("a-row"));
        let stored = "--stores stores --server-arg";
        let ours = told(&streams, "recado");
        let end = format!("--server ours {stored}=--store-dir --server-arg={{store}}");
        assert!(ours.ends_with(&end), "{ours}");
        let theirs = told(&streams, "nats");
        let end = format!("--server theirs {stored}=-js --server-arg=-sd --server-arg={{store}}");
        assert!(theirs.ends_with(&end), "{theirs}");
        let synced = told(&streams, "synced");
        let configured = format!("--server theirs {stored}=-c --server-arg=synced.conf");
        assert!(synced.contains(&configured), "{synced}");
    }

    #[test]
    fn rows_without_streams_start_both_servers_as_they_are() {
        let plain = row(false, false);
        assert!(!plain.is_named("streams"));
        assert!(told(&plain, "nats").ends_with("--server theirs"));
        assert!(told(&plain, "floor").ends_with("--floor"));
    }
}
