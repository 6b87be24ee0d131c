//! Several rounds side by side: medians, and the ratio of two servers.

use serde_json::{Map, Value, json};

use super::measured::Measured;
use super::shown::nanos_shown;
use crate::amount;
use crate::failure::Failure;
use crate::terminal::Out;
use crate::text::bench as text;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Rate,
    Megabytes,
    P50,
    P99,
    Cpu,
}

impl Figure {
    const ALL: [Self; 5] = [Self::Rate, Self::Megabytes, Self::P50, Self::P99, Self::Cpu];

    /// This figure of a run, if it has one.
    fn of(self, measured: &Measured) -> Option<f64> {
        let main = measured.main()?;
        let latency = |place: usize| main.times.as_ref().map(|times| times.figures()[place]);
        match self {
            Self::Rate => Some(main.rate()),
            Self::Megabytes => Some(main.megabytes()),
            Self::P50 => latency(1),
            Self::P99 => latency(3),
            Self::Cpu => measured.server_cpu_per_message(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rate => text::figure_rate(),
            Self::Megabytes => text::figure_megabytes(),
            Self::P50 => text::figure_p50(),
            Self::P99 => text::figure_p99(),
            Self::Cpu => text::figure_cpu(),
        }
    }

    /// The name in the output for machines.
    fn key(self) -> &'static str {
        match self {
            Self::Rate => "messages_per_second",
            Self::Megabytes => "megabytes_per_second",
            Self::P50 => "latency_p50_ms",
            Self::P99 => "latency_p99_ms",
            Self::Cpu => "server_cpu_ns_per_message",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Rate => amount::show(value.round() as u64),
            Self::Megabytes => format!("{value:.1}"),
            Self::P50 | Self::P99 => format!("{value:.3} ms"),
            Self::Cpu => nanos_shown(value),
        }
    }
}

/// The medians of one figure: of the one server, of the other if there is one.
struct Compared {
    figure: Figure,
    one: f64,
    other: Option<f64>,
}

impl Compared {
    /// How many times the other's figure this one is.
    fn ratio(&self) -> Option<f64> {
        self.other
            .filter(|other| *other > 0.0)
            .map(|other| self.one / other)
    }
}

/// Writes the comparison. `other` is empty where there is only one server.
pub(super) fn show(
    out: &mut Out,
    one: &[Measured],
    other: &[Measured],
    as_json: bool,
) -> Result<(), Failure> {
    let compared = compare(one, other);
    let rounds = one.len() as u64;
    if as_json {
        out.json(&summary(&compared, one, other))?;
        return out.flush();
    }
    let names = [one, other].map(|runs| {
        let run = runs.first();
        run.map(|run| (run.server.clone(), run.program.clone()))
            .unwrap_or_default()
    });
    let [(server, program), (other_server, other_program)] = names;
    let alone = other.is_empty();
    out.line(&match alone {
        true => text::medians_alone(rounds),
        false => text::medians(rounds),
    })?;
    let head = |one: &str, other: &str, ratio: &str| {
        let other = if alone { "" } else { other };
        let ratio = if alone { "" } else { ratio };
        format!("  {:<16}{one:>24}{other:>24}{ratio:>9}", "")
            .trim_end()
            .to_owned()
    };
    out.line(&head(&server, &other_server, ""))?;
    out.line(&out.dim(&head(&program, &other_program, text::ratio())))?;
    for row in &compared {
        let one = row.figure.show(row.one);
        let other = row.other.map(|value| row.figure.show(value));
        let ratio = row.ratio().map(|ratio| format!("{ratio:.2}"));
        let line = format!(
            "  {:<16}{one:>24}{:>24}{:>9}",
            row.figure.name(),
            other.unwrap_or_default(),
            ratio.unwrap_or_default()
        );
        out.line(line.trim_end())?;
    }
    out.flush()
}

fn compare(one: &[Measured], other: &[Measured]) -> Vec<Compared> {
    Figure::ALL
        .into_iter()
        .filter_map(|figure| {
            let of =
                |runs: &[Measured]| median(runs.iter().filter_map(|run| figure.of(run)).collect());
            Some(Compared {
                figure,
                one: of(one)?,
                other: of(other),
            })
        })
        .collect()
}

fn summary(compared: &[Compared], one: &[Measured], other: &[Measured]) -> Value {
    let figures = |pick: &dyn Fn(&Compared) -> Option<f64>| {
        let entries = compared
            .iter()
            .map(|row| (row.figure.key().to_owned(), json!(pick(row))));
        Value::Object(entries.collect::<Map<_, _>>())
    };
    let server = |runs: &[Measured]| runs.first().map(|run| run.server.clone());
    let mut summary = json!({
        "rounds": one.len(),
        "server": server(one),
        "medians": figures(&|row| Some(row.one)),
    });
    if !other.is_empty() {
        summary["versus"] = json!(server(other));
        summary["versus_medians"] = figures(&|row| row.other);
        summary["ratios"] = figures(&Compared::ratio);
    }
    json!({ "summary": summary })
}

/// The middle one, or the mean of the two in the middle.
fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let upper = *figures.get(figures.len() / 2)?;
    match figures.len().is_multiple_of(2) {
        true => Some((figures[figures.len() / 2 - 1] + upper) / 2.0),
        false => Some(upper),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 100.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 100.0]), Some(3.0));
    }
}
