//! What was measured, kept in `docs/benchmarks.json`, and the figures taken from it.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::{Failure, root};

/// All rows that were measured so far, each with every run.
pub(super) struct Results {
    rows: Map<String, Value>,
}

/// One row, all rounds, all sides.
pub(super) struct Measured {
    value: Value,
}

/// One figure of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    /// Units per second.
    Rate,
    /// The server's CPU time for each, in nanoseconds.
    ServerCpu,
    /// The generator's, in nanoseconds.
    GeneratorCpu,
    /// Latency in microseconds: half were faster.
    P50,
    /// Latency in microseconds: 99 of 100 were faster.
    P99,
    /// Latency in microseconds: 999 of 1,000 were faster.
    P999,
    /// Growth of the server's memory for each connection, in bytes.
    PerConnection,
    /// Messages that did not arrive.
    Lost,
    /// One that only some rows have.
    Own(&'static str),
}

impl Results {
    fn path() -> PathBuf {
        root().join("docs/benchmarks.json")
    }

    /// What was kept; nothing when there is nothing readable.
    pub(super) fn load() -> Results {
        let kept = std::fs::read_to_string(Self::path()).unwrap_or_default();
        Results {
            rows: serde_json::from_str(&kept).unwrap_or_default(),
        }
    }

    /// Replaces what was known of this row.
    pub(super) fn put(&mut self, measured: Measured) {
        self.rows.insert(measured.name().to_owned(), measured.value);
    }

    /// Writes all down, a row a line.
    pub(super) fn save(&self) -> Result<(), Failure> {
        let line = |(name, row): (&String, &Value)| format!("\"{name}\": {row}");
        let lines: Vec<String> = self.rows.iter().map(line).collect();
        let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
        let path = Self::path();
        std::fs::create_dir_all(path.parent().expect("docs"))
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The row of this name, if it was ever measured.
    pub(super) fn row(&self, name: &str) -> Option<Measured> {
        self.rows.get(name).cloned().map(Measured::new)
    }
}

impl Measured {
    pub(super) fn new(value: Value) -> Measured {
        Measured { value }
    }

    pub(super) fn name(&self) -> &str {
        self.text("row")
    }

    /// A text of the row: `title`, `how`.
    pub(super) fn text(&self, key: &str) -> &str {
        self.value[key].as_str().unwrap_or_default()
    }

    /// A number of the row: `rounds`, `seconds`, `connections`.
    pub(super) fn number(&self, key: &str) -> f64 {
        self.value[key].as_f64().unwrap_or_default()
    }

    /// What it was measured on: `cpu`, `kernel`, `date` and so on, as text.
    pub(super) fn machine(&self, key: &str) -> String {
        match &self.value["machine"][key] {
            Value::String(text) => text.clone(),
            Value::Number(number) => format!("{:.0}", number.as_f64().unwrap_or_default()),
            _ => String::new(),
        }
    }

    fn runs(&self, side: &str) -> &[Value] {
        self.value["runs"][side]
            .as_array()
            .map_or(&[], Vec::as_slice)
    }

    /// The median over the rounds; `None` where no run has this figure.
    pub(super) fn median(&self, side: &str, figure: Figure) -> Option<f64> {
        let mut found: Vec<f64> = self
            .runs(side)
            .iter()
            .filter_map(|run| figure.of(run))
            .collect();
        found.sort_by(f64::total_cmp);
        let middle = found.len() / 2;
        match found.len() {
            0 => None,
            n if n % 2 == 1 => Some(found[middle]),
            _ => Some((found[middle - 1] + found[middle]) / 2.0),
        }
    }

    /// Runs of our server, or of the floor, that failed or lost messages, one line each.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for side in ["recado", "floor"] {
            let name = self.name();
            problems.extend(
                self.failures(side)
                    .iter()
                    .map(|why| format!("{name}: {side}: {why}")),
            );
        }
        let lost = self
            .runs("recado")
            .iter()
            .filter_map(|run| Figure::Lost.of(run))
            .sum::<f64>();
        if lost > 0.0 {
            problems.push(format!("{}: recado lost {lost} messages", self.name()));
        }
        problems
    }

    /// Why runs of one side failed.
    pub(super) fn failures(&self, side: &str) -> Vec<String> {
        let failed = self
            .runs(side)
            .iter()
            .filter_map(|run| run["failed"].as_str());
        failed.map(str::to_owned).collect()
    }

    /// What the runs of one side remarked, each remark once.
    pub(super) fn notes(&self, side: &str) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for run in self.runs(side) {
            for note in run["notes"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                if !notes.iter().any(|known| known == note) {
                    notes.push(note.to_owned());
                }
            }
        }
        notes
    }
}

impl Figure {
    fn of(self, run: &Value) -> Option<f64> {
        match self {
            Figure::Rate => run["per_second"].as_f64(),
            // What nothing was done for cost nothing, which says nothing.
            Figure::ServerCpu | Figure::GeneratorCpu if run["count"] == 0 => None,
            Figure::ServerCpu => run["server_cpu_ns"].as_f64(),
            Figure::GeneratorCpu => run["generator_cpu_ns"].as_f64(),
            Figure::P50 => run["latency_us"]["p50"].as_f64(),
            Figure::P99 => run["latency_us"]["p99"].as_f64(),
            Figure::P999 => run["latency_us"]["p999"].as_f64(),
            Figure::PerConnection => run["memory"]["per_connection"].as_f64(),
            Figure::Lost => run["lost"].as_f64(),
            Figure::Own(name) => {
                let figures = run["figures"].as_array()?;
                figures.iter().find(|figure| figure["name"] == name)?["value"].as_f64()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn medians_leave_failed_runs_out_and_report_them() {
        let measured = Measured::new(json!({ "row": "r", "runs": { "recado": [
            { "per_second": 1.0, "lost": 0 },
            { "failed": "it did not start" },
            { "per_second": 3.0, "lost": 2 },
            { "per_second": 10.0, "lost": 0, "figures": [{ "name": "x", "value": 7.0 }] },
        ] } }));
        assert_eq!(measured.median("recado", Figure::Rate), Some(3.0));
        assert_eq!(measured.median("recado", Figure::Own("x")), Some(7.0));
        assert_eq!(measured.median("nats", Figure::Rate), None);
        assert_eq!(
            measured.problems(),
            ["r: recado: it did not start", "r: recado lost 2 messages"]
        );
    }
}
