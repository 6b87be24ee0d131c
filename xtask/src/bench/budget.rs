//! Which figures a row of the benchmark shows, and what is budgeted for them.

use super::results::{Figure, Measured};
use super::streams::STREAMS;

/// How a figure is written.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Count,
    Nanoseconds,
    Microseconds,
    Kilobytes,
    Megabytes,
    Share,
    Plain,
    Seconds,
}

/// Which way a figure is good.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Good {
    More,
    Less,
    Neither,
}

/// What a figure must reach.
#[derive(Clone, Copy)]
pub(super) enum Budget {
    AtMost(f64),
    AtLeast(f64),
    /// So many times fewer, or more, than nats-server.
    Better(f64),
    /// At most this part of nats-server's.
    OfTheirs(f64),
    /// So many times fewer, or more, than nats-server when that syncs each message.
    BetterThanSynced(f64),
}

/// One line of the table.
pub(super) struct Line {
    /// What it is.
    pub(super) label: &'static str,
    figure: Figure,
    form: Form,
    good: Good,
    budgets: &'static [Budget],
}

use Budget::{AtLeast, AtMost, Better, BetterThanSynced, OfTheirs};

pub(super) const fn line(
    label: &'static str,
    figure: Figure,
    form: Form,
    good: Good,
    budgets: &'static [Budget],
) -> Line {
    Line {
        label,
        figure,
        form,
        good,
        budgets,
    }
}

pub(super) const fn rate(label: &'static str, budgets: &'static [Budget]) -> Line {
    line(label, Figure::Rate, Form::Count, Good::More, budgets)
}

pub(super) const fn cpu(label: &'static str, budgets: &'static [Budget]) -> Line {
    line(
        label,
        Figure::ServerCpu,
        Form::Nanoseconds,
        Good::Less,
        budgets,
    )
}

pub(super) const fn own(label: &'static str, name: &'static str, form: Form, good: Good) -> Line {
    line(label, Figure::Own(name), form, good, &[])
}

pub(super) const LOST: Line = line(
    "messages lost",
    Figure::Lost,
    Form::Count,
    Good::Less,
    &[AtMost(0.0)],
);
pub(super) const P50: &str = "latency p50";
pub(super) const P99: &str = "latency p99";

/// The rows in the table's order, with what each shows. The budgets are the project's own
/// (DESIGN, "Speed is budgeted").
pub(super) const TABLE: &[(&str, &[Line])] = &[
    (
        "one-16",
        &[
            rate("messages/s", &[Better(5.0)]),
            cpu("CPU per message", &[AtMost(65.0), Better(8.0)]),
        ],
    ),
    (
        "one-128",
        &[
            rate("messages/s", &[]),
            cpu("CPU per message", &[AtMost(130.0), Better(5.0)]),
        ],
    ),
    (
        "one-1k",
        &[
            rate("messages/s", &[]),
            cpu("CPU per message", &[AtMost(550.0), Better(2.2)]),
        ],
    ),
    (
        "one-32k",
        &[
            rate("messages/s", &[]),
            cpu("CPU per message", &[AtMost(16_000.0), Better(2.0)]),
        ],
    ),
    (
        "four-to-one",
        &[
            rate("messages/s", &[]),
            cpu("CPU per message", &[AtMost(65.0)]),
        ],
    ),
    (
        "subjects-10k",
        &[
            rate("messages/s", &[]),
            cpu("CPU per message", &[AtMost(120.0), Better(9.0)]),
        ],
    ),
    (
        "fan-10",
        &[
            rate("deliveries/s", &[]),
            cpu("CPU per delivery", &[AtMost(25.0)]),
        ],
    ),
    (
        "fan-100",
        &[
            rate("deliveries/s", &[]),
            cpu("CPU per delivery", &[AtMost(25.0)]),
        ],
    ),
    (
        "request-1",
        &[
            line(
                P50,
                Figure::P50,
                Form::Microseconds,
                Good::Less,
                &[OfTheirs(0.6)],
            ),
            line(P99, Figure::P99, Form::Microseconds, Good::Less, &[]),
            cpu("CPU per request", &[OfTheirs(0.42)]),
        ],
    ),
    (
        "request-16",
        &[
            rate("requests/s", &[]),
            line(P50, Figure::P50, Form::Microseconds, Good::Less, &[]),
            line(
                P99,
                Figure::P99,
                Form::Microseconds,
                Good::Less,
                &[OfTheirs(0.4)],
            ),
            cpu("CPU per request", &[OfTheirs(0.7)]),
        ],
    ),
    (
        "request-flood",
        &[
            line(P50, Figure::P50, Form::Microseconds, Good::Less, &[]),
            line(
                P99,
                Figure::P99,
                Form::Microseconds,
                Good::Less,
                &[OfTheirs(1.0)],
            ),
            own(
                "flood messages/s",
                "flood_per_second",
                Form::Count,
                Good::More,
            ),
        ],
    ),
    (
        "tls-one-128",
        &[
            rate("messages/s", &[]),
            cpu("CPU per message", &[Better(2.0)]),
        ],
    ),
    (
        "tls-one-1k",
        &[
            rate("messages/s", &[]),
            cpu("CPU per message", &[Better(2.0)]),
        ],
    ),
    (
        "ws-one-128",
        &[
            rate("messages/s", &[]),
            cpu("CPU per message", &[Better(2.0)]),
        ],
    ),
    (
        "idle",
        &[
            line(
                "memory per connection",
                Figure::PerConnection,
                Form::Kilobytes,
                Good::Less,
                &[AtMost(2048.0)],
            ),
            cpu("CPU to open one", &[]),
        ],
    ),
    (
        "tls-idle",
        &[line(
            "memory per connection",
            Figure::PerConnection,
            Form::Kilobytes,
            Good::Less,
            &[AtMost(12_288.0)],
        )],
    ),
    (
        "idle-same",
        &[line(
            "memory per connection",
            Figure::PerConnection,
            Form::Kilobytes,
            Good::Less,
            &[AtMost(2048.0)],
        )],
    ),
    (
        "connect",
        &[
            rate("connections/s", &[Better(1.9)]),
            cpu("CPU per connection", &[OfTheirs(0.45)]),
            LOST,
        ],
    ),
    (
        "scale",
        &[
            rate("messages/s, all cores", &[]),
            own(
                "messages/s, one core",
                "one_core_per_second",
                Form::Count,
                Good::More,
            ),
            own(
                "times faster with all cores",
                "scaling",
                Form::Plain,
                Good::Neither,
            ),
            own(
                "cores that the server used",
                "cores_used_of_all",
                Form::Plain,
                Good::Neither,
            ),
            cpu("CPU per message, all cores", &[]),
            own(
                "CPU per message, one core",
                "one_core_cpu_ns",
                Form::Nanoseconds,
                Good::Less,
            ),
        ],
    ),
    (
        "active",
        &[
            rate("messages/s", &[]),
            cpu("CPU per message", &[]),
            line(
                "memory per connection",
                Figure::PerConnection,
                Form::Kilobytes,
                Good::Less,
                &[],
            ),
            LOST,
        ],
    ),
    (
        "churn",
        &[
            own(
                "throughput kept beside the churn",
                "kept_ratio",
                Form::Share,
                Good::More,
            ),
            own(
                "the same, worst 100 ms",
                "worst_100_ms_ratio",
                Form::Share,
                Good::More,
            ),
            own(
                "changes/s",
                "changes_per_second",
                Form::Count,
                Good::Neither,
            ),
            cpu("CPU per message", &[]),
            LOST,
        ],
    ),
    (
        "stopped",
        &[
            line(
                "throughput kept by the healthy",
                Figure::Own("healthy_ratio"),
                Form::Share,
                Good::More,
                &[AtLeast(0.95)],
            ),
            own(
                "the same, worst 100 ms",
                "worst_100_ms_ratio",
                Form::Share,
                Good::More,
            ),
            own(
                "part of it with the stopped one connected",
                "stalled_part",
                Form::Share,
                Good::Neither,
            ),
            own(
                "how often it was cut off in the end",
                "cut_off",
                Form::Share,
                Good::Neither,
            ),
            rate("deliveries/s to the healthy", &[]),
            LOST,
        ],
    ),
    (
        "slow",
        &[
            line(
                "growth of memory",
                Figure::Own("memory_growth_mb"),
                Form::Megabytes,
                Good::Less,
                &[AtMost(64.0 + 50.0)],
            ),
            own(
                "published/s",
                "published_per_second",
                Form::Count,
                Good::Neither,
            ),
            rate("received/s", &[]),
            own(
                "how often it was cut off",
                "cut_off",
                Form::Share,
                Good::Neither,
            ),
            own("not delivered", "not_delivered", Form::Count, Good::Neither),
            LOST,
        ],
    ),
];

/// What became of the budgets of one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    None,
    Met,
    Missed,
}

impl Line {
    /// The median of one side.
    pub(super) fn shown(&self, measured: &Measured, side: &str) -> Option<String> {
        measured
            .median(side, self.figure)
            .map(|value| self.form.write(value))
    }

    /// How many times better than nats-server, as it is (`nats`) or syncing each message (`synced`).
    fn better(&self, measured: &Measured, than: &str) -> Option<f64> {
        let ours = measured.median("recado", self.figure)?;
        let theirs = measured.median(than, self.figure)?;
        let better = match self.good {
            Good::More => ours / theirs,
            Good::Less => theirs / ours,
            Good::Neither => return None,
        };
        (better.is_finite() && better > 0.0).then_some(better)
    }

    /// The same in words: empty where neither way is better.
    pub(super) fn ratio(&self, measured: &Measured, than: &str) -> String {
        let word = if self.good == Good::More {
            "more"
        } else {
            "less"
        };
        self.better(measured, than)
            .map_or(String::new(), |better| format!("{better:.2} × {word}"))
    }

    /// What must be reached, in words.
    pub(super) fn budget(&self) -> String {
        let say = |budget: &Budget| match budget {
            AtMost(most) => format!("≤ {}", self.form.write(*most)),
            AtLeast(least) => format!("≥ {}", self.form.write(*least)),
            Better(times) if self.good == Good::More => format!("≥ {times} × more"),
            Better(times) => format!("≥ {times} × less"),
            OfTheirs(part) => format!("≤ {part} × nats-server's"),
            BetterThanSynced(times) if self.good == Good::More => {
                format!("≥ {times} × more than synced")
            }
            BetterThanSynced(times) => format!("≥ {times} × less than synced"),
        };
        self.budgets.iter().map(say).collect::<Vec<_>>().join(", ")
    }

    /// Whether it was reached; a row that failed has missed it.
    pub(super) fn verdict(&self, measured: &Measured) -> Verdict {
        if self.budgets.is_empty() {
            return Verdict::None;
        }
        let Some(ours) = measured.median("recado", self.figure) else {
            return Verdict::Missed;
        };
        let met = |budget: &Budget| match budget {
            AtMost(most) => ours <= *most,
            AtLeast(least) => ours >= *least,
            Better(times) => self.is_better(measured, "nats", *times),
            BetterThanSynced(times) => self.is_better(measured, "synced", *times),
            OfTheirs(part) => {
                let theirs = measured.median("nats", self.figure);
                theirs.is_some_and(|theirs| ours <= theirs * part)
            }
        };
        if self.budgets.iter().all(met) {
            Verdict::Met
        } else {
            Verdict::Missed
        }
    }
}

impl Line {
    fn is_better(&self, measured: &Measured, than: &str, times: f64) -> bool {
        self.better(measured, than)
            .is_some_and(|better| better >= times)
    }
}

impl Form {
    /// The value with its unit.
    pub(super) fn write(self, value: f64) -> String {
        match self {
            Form::Count => grouped(value),
            Form::Nanoseconds if value < 100.0 => format!("{value:.1} ns"),
            Form::Nanoseconds if value < 10_000.0 => format!("{} ns", grouped(value)),
            Form::Nanoseconds => format!("{:.1} µs", value / 1e3),
            Form::Microseconds if value < 1_000.0 => format!("{value:.1} µs"),
            Form::Microseconds => format!("{:.2} ms", value / 1e3),
            Form::Kilobytes => format!("{:.2} KB", value / 1024.0),
            Form::Megabytes => format!("{value:.1} MB"),
            Form::Share => format!("{:.1} %", value * 100.0),
            Form::Plain => format!("{value:.2}"),
            Form::Seconds => format!("{value:.2} s"),
        }
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a row shows.
pub(super) fn lines(row: &str) -> &'static [Line] {
    TABLE
        .iter()
        .chain(STREAMS)
        .find(|(name, _)| *name == row)
        .map_or(&[], |(_, lines)| lines)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn measured(ours: f64, theirs: f64) -> Measured {
        let run = |ns: f64| json!([{ "per_second": 1e9 / ns, "server_cpu_ns": ns }]);
        Measured::new(json!({
            "row": "one-16", "title": "1 → 1", "runs": { "recado": run(ours), "nats": run(theirs) },
        }))
    }

    #[test]
    fn a_budget_is_met_only_when_all_its_parts_are() {
        let cpu = &lines("one-16")[1];
        assert_eq!(cpu.verdict(&measured(40.0, 400.0)), Verdict::Met);
        assert_eq!(
            cpu.verdict(&measured(40.0, 300.0)),
            Verdict::Missed,
            "7.5 × is not 8 ×"
        );
        assert_eq!(
            cpu.verdict(&measured(70.0, 700.0)),
            Verdict::Missed,
            "70 ns is not ≤ 65 ns"
        );
        assert_eq!(cpu.ratio(&measured(40.0, 400.0), "nats"), "10.00 × less");
        assert_eq!(cpu.budget(), "≤ 65.0 ns, ≥ 8 × less");
    }

    #[test]
    fn a_row_that_failed_misses_its_budget() {
        let failed = Measured::new(json!({
            "row": "one-16", "runs": { "recado": [{ "failed": "no server" }] },
        }));
        assert_eq!(lines("one-16")[0].verdict(&failed), Verdict::Missed);
    }
}
