//! What the rows about streams show, and what is budgeted for them.

use super::budget::Budget::{AtLeast, AtMost, Better, BetterThanSynced};
use super::budget::{Budget, Form, Good, LOST, Line, P50, P99, cpu, line, own, rate};
use super::results::Figure;

const P999: &str = "latency p99.9";

const fn latency(label: &'static str, figure: Figure) -> Line {
    line(label, figure, Form::Microseconds, Good::Less, &[])
}

const fn flushes(label: &'static str) -> Line {
    own(label, "flushes_per_ack", Form::Plain, Good::Neither)
}

/// What publishing with acks shows, with a budget for the rate.
const fn acks(budgets: &'static [Budget]) -> [Line; 7] {
    [
        rate("acks/s", budgets),
        latency(P50, Figure::P50),
        latency(P99, Figure::P99),
        latency(P999, Figure::P999),
        cpu("CPU per ack", &[]),
        flushes("disk flushes per ack"),
        LOST,
    ]
}

const fn consumed(budgets: &'static [Budget]) -> [Line; 2] {
    [rate("messages/s", budgets), cpu("CPU per message", &[])]
}

const ACKS: &[Line] = &acks(&[]);
const ACKS_ONE_BY_ONE: &[Line] = &acks(&[BetterThanSynced(1.0)]);
const ACKS_MANY: &[Line] = &acks(&[Better(1.0), BetterThanSynced(100.0)]);
const CONSUMED: &[Line] = &consumed(&[Better(1.5)]);

const PUT: &[Line] = &[
    rate("puts/s", &[]),
    latency(P99, Figure::P99),
    cpu("CPU per put", &[]),
    flushes("disk flushes per put"),
    LOST,
];

const GET: &[Line] = &[
    rate("gets/s", &[]),
    latency(P99, Figure::P99),
    cpu("CPU per get", &[]),
];

const fn restart(
    memory: &'static [Budget],
    stopped: &'static [Budget],
    killed: &'static [Budget],
) -> [Line; 5] {
    [
        line(
            "ready after a clean stop",
            Figure::Own("ready_after_stop_s"),
            Form::Seconds,
            Good::Less,
            stopped,
        ),
        line(
            "ready after kill -9",
            Figure::Own("ready_after_kill_s"),
            Form::Seconds,
            Good::Less,
            killed,
        ),
        line(
            "memory at rest",
            Figure::Own("rss_mb"),
            Form::Megabytes,
            Good::Less,
            memory,
        ),
        rate("acks/s while filling", &[]),
        LOST,
    ]
}

/// The rows in the table's order, with what each shows. The budgets are the project's own.
pub(super) const STREAMS: &[(&str, &[Line])] = &[
    ("durable-128-1x1", ACKS_ONE_BY_ONE),
    ("durable-128-1x64", ACKS),
    ("durable-128-1x512", ACKS),
    ("durable-128-8x256", ACKS_MANY),
    ("durable-128-64x32", ACKS),
    ("durable-1k-1x1", ACKS_ONE_BY_ONE),
    ("durable-1k-1x64", ACKS),
    ("durable-1k-1x512", ACKS),
    ("durable-1k-8x256", ACKS_MANY),
    ("durable-1k-64x32", ACKS),
    ("many-streams", ACKS),
    ("consume-ordered", CONSUMED),
    ("consume-fetch", CONSUMED),
    ("consume-fetch-acks", CONSUMED),
    ("consume-push-acks", CONSUMED),
    (
        "filtered",
        &[
            rate("messages/s, filtered", &[]),
            own(
                "messages/s, unfiltered",
                "unfiltered_per_second",
                Form::Count,
                Good::More,
            ),
            line(
                "filtered, of the unfiltered rate",
                Figure::Own("filtered_ratio"),
                Form::Share,
                Good::More,
                &[AtLeast(0.8)],
            ),
            cpu("CPU per message, filtered", &[]),
            own(
                "CPU per message, unfiltered",
                "unfiltered_cpu_ns",
                Form::Nanoseconds,
                Good::Less,
            ),
        ],
    ),
    ("kv-put-1", PUT),
    ("kv-put-64", PUT),
    ("kv-get-1", GET),
    ("kv-get-64", GET),
    (
        "compaction",
        &[
            line(
                "p99.9 of acks, times the quiet one",
                Figure::Own("p999_ratio"),
                Form::Plain,
                Good::Less,
                &[AtMost(3.0)],
            ),
            own(
                "p99.9 of acks, quiet",
                "quiet_p999_us",
                Form::Microseconds,
                Good::Less,
            ),
            latency("p99.9 of acks, compacting", Figure::P999),
            own("deleted", "deleted", Form::Count, Good::Neither),
            own(
                "files that vanished meanwhile",
                "files_vanished",
                Form::Count,
                Good::Neither,
            ),
            LOST,
        ],
    ),
    (
        "restart",
        &restart(&[AtMost(300.0)], &[AtMost(2.0)], &[AtMost(10.0)]),
    ),
    ("restart-kv", &restart(&[AtMost(200.0)], &[], &[])),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::budget::{Verdict, lines};
    use super::super::results::Measured;

    fn measured(row: &str, ours: f64, theirs: f64, synced: f64) -> Measured {
        let run = |rate: f64| json!([{ "per_second": rate }]);
        Measured::new(json!({ "row": row, "title": row, "runs": {
            "recado": run(ours), "nats": run(theirs), "synced": run(synced),
        } }))
    }

    #[test]
    fn many_in_flight_are_held_against_both_kinds_of_nats_server() {
        let rate = &lines("durable-128-8x256")[0];
        let verdict = |ours, theirs, synced| {
            rate.verdict(&measured("durable-128-8x256", ours, theirs, synced))
        };
        assert_eq!(verdict(2e5, 2e5, 1e3), Verdict::Met);
        assert_eq!(verdict(1.9e5, 2e5, 1e3), Verdict::Missed);
        assert_eq!(
            verdict(2e5, 1e5, 3e3),
            Verdict::Missed,
            "67 times is not 100"
        );
        assert_eq!(rate.budget(), "≥ 1 × more, ≥ 100 × more than synced");
    }

    #[test]
    fn one_in_flight_is_held_against_the_one_that_syncs() {
        let rate = &lines("durable-1k-1x1")[0];
        let row = measured("durable-1k-1x1", 1000.0, 9000.0, 900.0);
        assert_eq!(rate.verdict(&row), Verdict::Met);
        assert_eq!(rate.ratio(&row, "synced"), "1.11 × more");
    }
}
