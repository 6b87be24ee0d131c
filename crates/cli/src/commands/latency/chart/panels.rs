//! The three charts: percentiles, over time, distribution; each a piece of SVG of one size.

use std::fmt::Write;

use super::super::Report;
use super::super::results::SLICES;
use super::scale::{Scale, around, linear_ticks, log_ticks};
use crate::amount;
use crate::buckets::{show_nanos, show_round};
use crate::text::latency as text;

/// The size of a chart.
pub(super) const WIDTH: f64 = 960.0;
pub(super) const HEIGHT: f64 = 340.0;

/// The field of a chart within it.
const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - 28.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = HEIGHT - 52.0;

/// Into how many bars the distribution is cut.
const BARS: usize = 72;

/// One chart.
pub(super) struct Panel {
    pub(super) name: &'static str,
    pub(super) content: String,
}

/// All of them; none if nothing was answered.
pub(super) fn all(report: &Report) -> Vec<Panel> {
    let answered = &report.results.answered;
    if answered.is_empty() {
        return Vec::new();
    }
    let latencies = around(answered.min() as f64, answered.max() as f64);
    vec![
        Panel {
            name: text::chart_spectrum(),
            content: spectrum(report, latencies),
        },
        Panel {
            name: text::chart_time(),
            content: over_time(report, latencies),
        },
        Panel {
            name: text::chart_distribution(),
            content: distribution(report, latencies),
        },
    ]
}

/// Latency against the percentile, stretched towards 100 %: each nine is as wide as the one before.
fn spectrum(report: &Report, latencies: (f64, f64)) -> String {
    const STEPS: u32 = 400;
    let results = &report.results;
    let nines = (results.due() as f64).log10().max(1.0);
    let x = Scale::linear((0.0, nines), (LEFT, RIGHT));
    let y = Scale::logarithmic(latencies, (BOTTOM, TOP));
    let mut svg = heading(text::chart_spectrum(), text::chart_spectrum_note());
    svg.push_str(&latency_axis(y, latencies));
    svg.push_str(&axis_name(text::axis_percentile()));
    for quantile in [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999_999] {
        let nine = -f64::log10(1.0 - quantile);
        if nine > nines + 1e-9 {
            break;
        }
        let label = crate::buckets::show_quantile(quantile);
        svg.push_str(&tick_below(x.at(nine), &label));
    }
    let mut points = String::new();
    let mut answered_until = nines;
    for step in 0..=STEPS {
        let nine = nines * f64::from(step) / f64::from(STEPS);
        let quantile = match step {
            STEPS => 1.0,
            _ => 1.0 - 10f64.powf(-nine),
        };
        match results.at(quantile) {
            Some(nanos) => {
                let _ = write!(points, "{},{} ", x.at(nine), y.at(nanos as f64));
            }
            None => {
                answered_until = nine;
                break;
            }
        }
    }
    if answered_until < nines {
        let (from, width) = (x.at(answered_until), RIGHT - x.at(answered_until));
        let middle = from + width / 2.0;
        let _ = writeln!(
            svg,
            "<rect class=\"gone\" x=\"{from}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{}\"/>\
             <text class=\"lost mid\" x=\"{middle:.1}\" y=\"{}\">{}</text>",
            BOTTOM - TOP,
            TOP + 20.0,
            text::is_lost()
        );
    }
    let _ = writeln!(
        svg,
        "<polyline class=\"line one\" points=\"{}\"/>",
        points.trim_end()
    );
    svg
}

/// The median, the 90th percentile and the highest latency of each part of the run.
fn over_time(report: &Report, latencies: (f64, f64)) -> String {
    let seconds = report.duration.as_secs_f64();
    let x = Scale::linear((0.0, seconds), (LEFT, RIGHT));
    let y = Scale::logarithmic(latencies, (BOTTOM, TOP));
    let mut svg = heading(text::chart_time(), text::chart_time_note());
    svg.push_str(&latency_axis(y, latencies));
    svg.push_str(&axis_name(text::axis_time()));
    for tick in linear_ticks(seconds) {
        let label = format!("{:.3}", tick);
        let label = label.trim_end_matches('0').trim_end_matches('.');
        svg.push_str(&tick_below(x.at(tick), label));
    }
    let kinds = [
        ("three", text::highest(), 1.0),
        ("two", "90 %", 0.9),
        ("one", "50 %", 0.5),
    ];
    for (class, _, quantile) in kinds {
        let mut run = Vec::new();
        for (number, slice) in report.results.slices.iter().enumerate() {
            if slice.is_empty() {
                svg.push_str(&line_or_dot(class, &run));
                run.clear();
                continue;
            }
            let middle = (number as f64 + 0.5) * seconds / SLICES as f64;
            // Slices are kept less finely than the whole, so that they may seem to leave it.
            let nanos = slice.value_at_quantile(quantile) as f64;
            run.push((x.at(middle), y.at(nanos.clamp(latencies.0, latencies.1))));
        }
        svg.push_str(&line_or_dot(class, &run));
    }
    let mut right = RIGHT;
    for (class, name, _) in kinds {
        let _ = writeln!(
            svg,
            "<text class=\"quiet end\" x=\"{right}\" y=\"40\">{name}</text>\
             <circle class=\"dot-{class}\" cx=\"{}\" cy=\"36\" r=\"5\"/>",
            right - 46.0
        );
        right -= 76.0;
    }
    svg
}

fn line_or_dot(class: &str, points: &[(f64, f64)]) -> String {
    match points {
        [] => String::new(),
        [(x, y)] => format!("<circle class=\"dot-{class}\" cx=\"{x}\" cy=\"{y}\" r=\"2.5\"/>\n"),
        points => {
            let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
            format!(
                "<polyline class=\"line {class}\" points=\"{}\"/>\n",
                points.join(" ")
            )
        }
    }
}

/// How many requests fall into each of many ranges of equal ratio.
fn distribution(report: &Report, latencies: (f64, f64)) -> String {
    let ratio = (latencies.1 / latencies.0).log10() / BARS as f64;
    let edge = |number: usize| latencies.0 * 10f64.powf(ratio * number as f64);
    let mut counts = [0u64; BARS];
    for step in report.results.answered.iter_recorded() {
        let place = (step.value_iterated_to() as f64 / latencies.0).log10() / ratio;
        counts[(place.max(0.0) as usize).min(BARS - 1)] += step.count_since_last_iteration();
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let x = Scale::logarithmic(latencies, (LEFT, RIGHT));
    let y = Scale::linear((0.0, most as f64 * 1.05), (BOTTOM, TOP));
    let mut svg = heading(text::chart_distribution(), text::chart_distribution_note());
    for tick in linear_ticks(most as f64) {
        svg.push_str(&tick_beside(y.at(tick), &amount::show(tick as u64)));
    }
    for tick in log_ticks(latencies.0, latencies.1) {
        svg.push_str(&tick_below(x.at(tick), &show_round(tick)));
    }
    svg.push_str(&axis_name(text::axis_latency()));
    svg.push_str(&axis_name_above(text::axis_requests()));
    for (number, count) in counts
        .into_iter()
        .enumerate()
        .filter(|(_, count)| *count > 0)
    {
        let (left, right) = (x.at(edge(number)), x.at(edge(number + 1)));
        // A single request among millions is still seen.
        let top = y.at(count as f64).min(BOTTOM - 1.0);
        let _ = writeln!(
            svg,
            "<rect class=\"bar\" x=\"{left}\" y=\"{top}\" width=\"{:.1}\" height=\"{:.1}\">\
             <title>{} – {}: {}</title></rect>",
            (right - left - 1.0).max(0.5),
            BOTTOM - top,
            show_nanos(edge(number)),
            show_nanos(edge(number + 1)),
            amount::show(count)
        );
    }
    let _ = writeln!(
        svg,
        "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{BOTTOM}\" x2=\"{RIGHT}\" y2=\"{BOTTOM}\"/>"
    );
    svg
}

fn heading(name: &str, note: &str) -> String {
    format!(
        "<text x=\"24\" y=\"28\"><tspan class=\"head\">{name}</tspan>\
         <tspan class=\"quiet\" dx=\"10\">{note}</tspan></text>\n"
    )
}

/// The latencies at the left, with a line for each.
fn latency_axis(y: Scale, latencies: (f64, f64)) -> String {
    let mut svg = axis_name_above(text::axis_latency());
    for tick in log_ticks(latencies.0, latencies.1) {
        svg.push_str(&tick_beside(y.at(tick), &show_round(tick)));
    }
    svg
}

fn tick_beside(y: f64, label: &str) -> String {
    format!(
        "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{RIGHT}\" y2=\"{y}\"/>\
         <text class=\"quiet end\" x=\"{}\" y=\"{:.1}\">{label}</text>\n",
        LEFT - 8.0,
        y + 4.5
    )
}

fn tick_below(x: f64, label: &str) -> String {
    format!(
        "<line class=\"grid\" x1=\"{x}\" y1=\"{TOP}\" x2=\"{x}\" y2=\"{BOTTOM}\"/>\
         <text class=\"quiet mid\" x=\"{x}\" y=\"{}\">{label}</text>\n",
        BOTTOM + 19.0
    )
}

fn axis_name(name: &str) -> String {
    format!(
        "<text class=\"quiet mid\" x=\"{}\" y=\"{}\">{name}</text>\n",
        (LEFT + RIGHT) / 2.0,
        BOTTOM + 40.0
    )
}

fn axis_name_above(name: &str) -> String {
    format!(
        "<text class=\"quiet end\" x=\"{}\" y=\"{}\">{name}</text>\n",
        LEFT - 8.0,
        TOP - 9.0
    )
}
