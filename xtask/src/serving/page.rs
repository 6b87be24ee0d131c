//! The table in `docs/processes-and-threads.md` and its Spanish sister, between two marks.

use std::time::Duration;

use super::{IN_FLIGHT, Measured};
use crate::{Failure, root};

const BEGIN: &str = "<!-- begin of what `cargo xtask serving` writes -->";
const END: &str = "<!-- end of what `cargo xtask serving` writes -->";

/// The pages, by the place of their language in [`super::Way::name`].
const PAGES: [&str; 2] = [
    "docs/processes-and-threads.md",
    "docs/es/procesos-e-hilos.md",
];

/// For the terminal.
pub(super) fn line(measured: &Measured) -> String {
    let [p50, p99, cpu, rate, together, memory] = figures(measured);
    let name = measured.way.name[0];
    format!(
        "{name}: p50 {p50}, p99 {p99}, CPU {cpu}; {IN_FLIGHT} at a time: {rate}/s, p99 {together}; {memory}"
    )
}

/// Renews both pages.
pub(super) fn write(all: &[Measured]) -> Result<(), Failure> {
    for (language, page) in PAGES.into_iter().enumerate() {
        let path = root().join(page);
        let failed = |error: std::io::Error| format!("{page}: {error}");
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        let renewed =
            renew(&text, &table(all, language)).ok_or(format!("{page} lacks the marks"))?;
        std::fs::write(&path, renewed).map_err(failed)?;
        println!("{page} is renewed.");
    }
    Ok(())
}

fn renew(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

fn table(all: &[Measured], language: usize) -> String {
    let headings = [
        format!(
            "| the answer comes from | `recado reply upper …` | p50 | p99 | CPU per request | {IN_FLIGHT} at a time | their p99 | memory |"
        ),
        format!(
            "| la respuesta viene de | `recado reply upper …` | p50 | p99 | CPU por petición | {IN_FLIGHT} a la vez | su p99 | memoria |"
        ),
    ];
    let mut table = format!(
        "{}\n|---|---|--:|--:|--:|--:|--:|--:|\n",
        headings[language]
    );
    for measured in all {
        let [p50, p99, cpu, rate, together, memory] = figures(measured);
        let (name, flags) = (measured.way.name[language], measured.way.flags);
        table.push_str(&format!(
            "| {name} | `{flags}` | {p50} | {p99} | {cpu} | {rate}/s | {together} | {memory} |\n"
        ));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let machine = machine();
    table.push_str(&match language {
        0 => format!(
            "\nMeasured on {machine}, {cores} cores, server and requester on the same machine.\n"
        ),
        _ => format!(
            "\nMedido en {machine}, {cores} núcleos, con servidor y cliente en la misma máquina.\n"
        ),
    });
    table
}

fn figures(measured: &Measured) -> [String; 6] {
    let rate = measured.together.per_second();
    [
        time(measured.alone.quantile(0.5)),
        time(measured.alone.quantile(0.99)),
        time(measured.processor_time),
        // Three digits are more than a second run would repeat.
        match rate as u64 {
            rate @ 10_000.. => thousands(rate / 100 * 100),
            rate @ 1000.. => thousands(rate / 10 * 10),
            rate => rate.to_string(),
        },
        time(measured.together.quantile(0.99)),
        format!("{:.0} MB", measured.memory as f64 / 1e6),
    ]
}

/// With a space, which both languages read as it is meant.
fn thousands(number: u64) -> String {
    format!("{} {:03}", number / 1000, number % 1000)
}

fn time(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..1000 => format!("{micros} µs"),
        _ => format!("{:.1} ms", time.as_secs_f64() * 1e3),
    }
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model
        .and_then(|line| line.split_once(':'))
        .map(|(_, model)| model.trim().to_owned());
    model.unwrap_or_else(|| "an unnamed processor".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_renewed() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let renewed = renew(&page, "new\n").unwrap();
        assert_eq!(renewed, format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert_eq!(renew("no marks", "new"), None);
    }

    #[test]
    fn the_pages_have_their_marks() {
        for page in PAGES {
            let text = std::fs::read_to_string(root().join(page)).unwrap();
            assert!(renew(&text, "").is_some(), "{page}");
        }
    }
}
