//! A run for machines: one JSON object, or lines of CSV. Nothing here is translated.

use serde_json::{Value, json};

use super::measured::{Measured, Outcome, Total};
use crate::failure::Failure;
use crate::local_server::Hidden;
use crate::terminal::Out;

/// The columns of `--csv`; new ones are added at the end.
const COLUMNS: &str = "round,server,role,client,messages,bytes,seconds,messages_per_second,\
    megabytes_per_second,lost,surplus,p50_ms,p99_ms,server_cpu_ns_per_message";

/// Writes the first line of CSV.
pub(super) fn csv_head(out: &mut Out) -> Result<(), Failure> {
    out.line(COLUMNS)
}

/// Writes a run as CSV: each client, then each role as a whole (client `all`).
pub(super) fn csv(out: &mut Out, round: u64, measured: &Measured) -> Result<(), Failure> {
    for total in measured.totals() {
        let of_role = measured.outcomes.iter();
        let of_role = of_role.filter(|outcome| outcome.role == total.role);
        for (number, outcome) in of_role.enumerate() {
            let client = (number + 1).to_string();
            let whole = Figures::of(outcome);
            out.line(&line(
                round,
                measured,
                total.role.name(),
                &client,
                &whole,
                None,
            ))?;
        }
        let cpu = measured.server_cpu_per_message();
        let whole = Figures::of_all(measured, &total);
        out.line(&line(
            round,
            measured,
            total.role.name(),
            "all",
            &whole,
            cpu,
        ))?;
    }
    out.flush()
}

/// A run as an object.
pub(super) fn json_of(round: u64, measured: &Measured) -> Value {
    let roles: Vec<Value> = measured
        .totals()
        .iter()
        .map(|total| {
            let clients: Vec<Value> = measured
                .outcomes
                .iter()
                .filter(|outcome| outcome.role == total.role)
                .map(|outcome| Figures::of(outcome).json())
                .collect();
            let mut all = Figures::of_all(measured, total).json();
            all["role"] = json!(total.role.name());
            all["clients"] = json!(clients);
            all["messages_per_second_of_each"] = json!({
                "min": rounded(total.rates.min),
                "avg": rounded(total.rates.mean),
                "max": rounded(total.rates.max),
                "stddev": rounded(total.rates.deviation),
            });
            all
        })
        .collect();
    let mut cpu = json!({
        "server_ns_per_message": measured.server_cpu_per_message().map(rounded),
        "server_seconds": measured.server_cpu.map(|cpu| cpu.as_secs_f64()),
        "own_ns_per_message": measured.own_cpu_per_message().map(rounded),
    });
    match &measured.process {
        Ok((pid, name)) => {
            cpu["server_pid"] = json!(pid);
            cpu["server_process"] = json!(name);
        }
        Err(Hidden::Elsewhere) => cpu["unseen"] = json!("other machine"),
        Err(Hidden::NotOurs) => cpu["unseen"] = json!("other user"),
    }
    json!({ "bench": {
        "round": round,
        "kind": measured.kind.name(),
        "server": measured.server,
        "program": measured.program,
        "lost": measured.lost(),
        "roles": roles,
        "cpu": cpu,
    }})
}

/// What is said of a client as well as of a role.
struct Figures {
    messages: u64,
    bytes: u64,
    seconds: f64,
    rate: f64,
    megabytes: f64,
    lost: u64,
    surplus: u64,
    /// Lowest, p50, p90, p99, highest, in milliseconds.
    latency: Option<[f64; 5]>,
}

impl Figures {
    fn of(outcome: &Outcome) -> Self {
        Self {
            messages: outcome.messages,
            bytes: outcome.bytes,
            seconds: outcome.elapsed.as_secs_f64(),
            rate: outcome.rate(),
            megabytes: outcome.megabytes(),
            lost: outcome.lost,
            surplus: outcome.surplus,
            latency: outcome.times.as_ref().map(|times| times.figures()),
        }
    }

    fn of_all(measured: &Measured, total: &Total) -> Self {
        let of_role = || {
            let outcomes = measured.outcomes.iter();
            outcomes.filter(|outcome| outcome.role == total.role)
        };
        let is_main = measured.main().is_some_and(|main| main.role == total.role);
        let by_group = if is_main { measured.lost_by_group } else { 0 };
        Self {
            messages: total.messages,
            bytes: total.bytes,
            seconds: total.elapsed.as_secs_f64(),
            rate: total.rate(),
            megabytes: total.megabytes(),
            lost: of_role().map(|outcome| outcome.lost).sum::<u64>() + by_group,
            surplus: of_role().map(|outcome| outcome.surplus).sum(),
            latency: total.times.as_ref().map(|times| times.figures()),
        }
    }

    fn json(&self) -> Value {
        let mut object = json!({
            "messages": self.messages,
            "bytes": self.bytes,
            "seconds": (self.seconds * 1e6).round() / 1e6,
            "messages_per_second": rounded(self.rate),
            "megabytes_per_second": rounded(self.megabytes),
            "lost": self.lost,
        });
        if self.surplus > 0 {
            object["surplus"] = json!(self.surplus);
        }
        if let Some([min, p50, p90, p99, max]) = self.latency {
            object["latency"] = json!({
                "min_ms": min, "p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "max_ms": max,
            });
        }
        object
    }
}

fn line(
    round: u64,
    measured: &Measured,
    role: &str,
    client: &str,
    figures: &Figures,
    cpu: Option<f64>,
) -> String {
    let [_, p50, _, p99, _] = figures
        .latency
        .map_or([const { None }; 5], |latency| latency.map(Some));
    let shown = |figure: Option<f64>| figure.map(|figure| figure.to_string()).unwrap_or_default();
    format!(
        "{round},{},{role},{client},{},{},{:.6},{:.1},{:.3},{},{},{},{},{}",
        measured.server,
        figures.messages,
        figures.bytes,
        figures.seconds,
        figures.rate,
        figures.megabytes,
        figures.lost,
        figures.surplus,
        shown(p50),
        shown(p99),
        shown(cpu.map(rounded)),
    )
}

fn rounded(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}
