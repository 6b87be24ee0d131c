//! A run for people: a table, each client's part, the CPU, and what is missing.

use super::measured::{Measured, Outcome, Role, Total};
use super::plan::Kind;
use crate::amount;
use crate::failure::Failure;
use crate::local_server::Hidden;
use crate::terminal::Out;
use crate::text::bench as text;

/// Of more clients than this, only the spread is shown.
const CLIENTS_SHOWN_MAX: usize = 16;

/// Columns of names and of figures.
const NAME: usize = 16;
const FIGURE: usize = 14;

/// Writes what a run did.
pub(super) fn show(out: &mut Out, measured: &Measured) -> Result<(), Failure> {
    let at = text::at(&measured.server, &measured.program);
    out.line(&out.bold(&at))?;
    let heads = [
        text::column_messages(),
        text::column_seconds(),
        text::column_rate(),
        text::column_megabytes(),
    ];
    out.line(&out.dim(&row("", &heads.map(str::to_owned))))?;
    let totals = measured.totals();
    for total in &totals {
        each_client(out, measured, total)?;
        let figures = [
            amount::show(total.messages),
            format!("{:.3}", total.elapsed.as_secs_f64()),
            amount::show(total.rate().round() as u64),
            format!("{:.1}", total.megabytes()),
        ];
        out.line(&row(name_of_all(total.role), &figures))?;
    }
    for total in totals.iter().filter(|total| total.clients > 1) {
        spread(out, total)?;
    }
    for times in totals.iter().filter_map(|total| total.times.as_ref()) {
        if times.len() > 0 {
            out.line(&text::latency(&times.show()))?;
        }
    }
    cpu(out, measured)?;
    for line in missing(measured) {
        out.line(&line)?;
    }
    out.flush()
}

/// What this kind of run is called.
pub(super) fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Pub => text::title_pub(),
        Kind::Sub => text::title_sub(),
        Kind::Pubsub => text::title_pubsub(),
        Kind::Request => text::title_request(),
        Kind::Reply => text::title_reply(),
    }
}

fn each_client(out: &mut Out, measured: &Measured, total: &Total) -> Result<(), Failure> {
    if !(2..=CLIENTS_SHOWN_MAX).contains(&total.clients) {
        return Ok(());
    }
    for (number, outcome) in of_role(measured, total.role).enumerate() {
        let figures = [
            amount::show(outcome.messages),
            format!("{:.3}", outcome.elapsed.as_secs_f64()),
            amount::show(outcome.rate().round() as u64),
            format!("{:.1}", outcome.megabytes()),
        ];
        let line = row(&name_of(total.role, number), &figures);
        out.line(&out.dim(&line))?;
    }
    Ok(())
}

fn spread(out: &mut Out, total: &Total) -> Result<(), Failure> {
    let heads = [
        text::column_min(),
        text::column_mean(),
        text::column_max(),
        text::column_deviation(),
    ];
    let of_each = text::per_client(total.clients);
    out.line(&out.dim(&format!("{}: {of_each}", name_of_all(total.role))))?;
    let rates = &total.rates;
    let figures = [rates.min, rates.mean, rates.max, rates.deviation]
        .map(|rate| amount::show(rate.round() as u64));
    let shown: Vec<String> = heads
        .iter()
        .zip(figures)
        .map(|(head, figure)| format!("{head} {figure}"))
        .collect();
    out.line(&format!("  {}", shown.join(" · ")))
}

fn cpu(out: &mut Out, measured: &Measured) -> Result<(), Failure> {
    let Some(main) = measured.main() else {
        return Ok(());
    };
    let seconds = main.elapsed.as_secs_f64();
    let cores = |cpu: Option<std::time::Duration>| match (cpu, seconds > 0.0) {
        (Some(cpu), true) => format!("{:.2}", cpu.as_secs_f64() / seconds),
        _ => "-".to_owned(),
    };
    match (&measured.process, measured.server_cpu_per_message()) {
        (Ok((pid, name)), Some(nanos)) => {
            let process = text::process(name, *pid);
            let busy = cores(measured.server_cpu);
            out.line(&text::server_cpu(&nanos_shown(nanos), &busy, &process))?;
        }
        (Err(Hidden::Elsewhere), _) => out.line(text::cpu_elsewhere())?,
        (Err(Hidden::NotOurs), _) => out.line(text::cpu_not_ours())?,
        (Ok(_), None) => {}
    }
    if let Some(nanos) = measured.own_cpu_per_message() {
        out.line(&text::own_cpu(
            &nanos_shown(nanos),
            &cores(measured.own_cpu),
        ))?;
    }
    Ok(())
}

/// What did not arrive, and what came unasked, by client.
fn missing(measured: &Measured) -> Vec<String> {
    let mut lines = Vec::new();
    for role in [Role::Subscriber, Role::Requester] {
        for (number, outcome) in of_role(measured, role).enumerate() {
            let who = name_of(role, number);
            if outcome.lost > 0 {
                let due = amount::show(outcome.messages + outcome.lost);
                lines.push(text::lost(&amount::show(outcome.lost), &due, &who));
            }
            if outcome.surplus > 0 {
                lines.push(text::surplus(&amount::show(outcome.surplus), &who));
            }
        }
    }
    if measured.lost_by_group > 0 {
        let received: u64 = of_role(measured, Role::Subscriber)
            .map(|outcome| outcome.messages)
            .sum();
        let due = amount::show(received + measured.lost_by_group);
        let lost = amount::show(measured.lost_by_group);
        lines.push(text::lost(&lost, &due, text::lost_by_group()));
    }
    lines
}

fn of_role(measured: &Measured, role: Role) -> impl Iterator<Item = &Outcome> {
    let outcomes = measured.outcomes.iter();
    outcomes.filter(move |outcome| outcome.role == role)
}

fn name_of_all(role: Role) -> &'static str {
    match role {
        Role::Publisher => text::published(),
        Role::Subscriber => text::delivered(),
        Role::Requester => text::asked(),
        Role::Responder => text::answered(),
    }
}

fn name_of(role: Role, number: usize) -> String {
    let name = match role {
        Role::Publisher => text::publisher(),
        Role::Subscriber => text::subscriber(),
        Role::Requester => text::requester(),
        Role::Responder => text::responder(),
    };
    format!("{name} {}", number + 1)
}

/// CPU time: `44.0 ns`, `31.5 µs`.
pub(super) fn nanos_shown(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 1e3 => format!("{nanos:.1} ns"),
        nanos => format!("{:.1} µs", nanos / 1e3),
    }
}

fn row(name: &str, figures: &[String]) -> String {
    let figures: String = figures
        .iter()
        .map(|figure| format!("{figure:>FIGURE$}"))
        .collect();
    format!("  {name:<NAME$}{figures}")
}
