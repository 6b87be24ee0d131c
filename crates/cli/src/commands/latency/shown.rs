//! What was measured, on the screen: percentiles and the distribution as bars; or as one JSON object.

use serde_json::{Value, json};

use super::Report;
use crate::amount;
use crate::bars;
use crate::buckets::{buckets, show_nanos, show_quantile, show_round};
use crate::failure::Failure;
use crate::shown;
use crate::span;
use crate::terminal::Out;
use crate::text::latency as text;

/// The distribution has at most so many rows.
const ROWS_MAX: usize = 20;

/// Columns before the bars: indent, label, figure, and the blanks between.
const LABEL: usize = 20;
const FIGURE: usize = 12;

/// Writes it for people or machines.
pub(super) fn show(out: &mut Out, report: &Report, as_json: bool) -> Result<(), Failure> {
    if !as_json {
        return show_report(out, report);
    }
    out.json(&json_of(report))?;
    out.flush()
}

fn show_report(out: &mut Out, report: &Report) -> Result<(), Failure> {
    if report.results.due() == 0 {
        out.line(text::nothing())?;
        return out.flush();
    }
    out.line(&out.bold(&report.title()))?;
    out.line(&report.setting())?;
    out.line(&report.counts())?;
    for remark in report.remarks() {
        out.line(&remark)?;
    }
    let width = bars::columns().saturating_sub(LABEL + FIGURE + 6).max(8);
    percentiles(out, report, width)?;
    distribution(out, report, width)?;
    out.flush()
}

fn percentiles(out: &mut Out, report: &Report, width: usize) -> Result<(), Failure> {
    let head = format!(
        "\n  {:>LABEL$}  {:>FIGURE$}",
        text::column_percentile(),
        text::column_latency()
    );
    out.line(&out.dim(&head))?;
    let most = report.results.answered.max() as f64;
    for quantile in report.results.shown_quantiles() {
        let label = report.label(quantile);
        let row = match report.results.at(quantile) {
            Some(nanos) => {
                let bar = bars::bar(nanos as f64, most, width);
                format!(
                    "  {label:>LABEL$}  {:>FIGURE$}  {bar}",
                    show_nanos(nanos as f64)
                )
            }
            None => format!("  {label:>LABEL$}  {:>FIGURE$}", text::is_lost()),
        };
        out.line(row.trim_end())?;
    }
    Ok(())
}

fn distribution(out: &mut Out, report: &Report, width: usize) -> Result<(), Failure> {
    let buckets = buckets(&report.results.answered, ROWS_MAX);
    let head = format!(
        "\n  {:>LABEL$}  {:>FIGURE$}",
        text::column_latency(),
        text::column_requests()
    );
    out.line(&out.dim(&head))?;
    let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0);
    for bucket in &buckets {
        let label = format!("{} – {}", show_round(bucket.low), show_round(bucket.high));
        let bar = bars::bar(bucket.count as f64, most as f64, width);
        let count = amount::show(bucket.count);
        let row = format!("  {label:>LABEL$}  {count:>FIGURE$}  {bar}");
        out.line(row.trim_end())?;
    }
    let missing = report.results.missing();
    if missing > 0 {
        let bar = bars::bar(missing as f64, most.max(missing) as f64, width);
        let row = format!(
            "  {:>LABEL$}  {:>FIGURE$}  {bar}",
            text::is_lost(),
            amount::show(missing)
        );
        out.line(&row)?;
    }
    Ok(())
}

/// The whole report for machines; what `--save FILE.json` writes too.
pub(super) fn json_of(report: &Report) -> Value {
    let results = &report.results;
    let millis = |nanos: u64| (nanos as f64 / 1e3).round() / 1e3;
    let percentiles: serde_json::Map<String, Value> = results
        .shown_quantiles()
        .into_iter()
        .map(|quantile| {
            let name = show_quantile(quantile).replace(" %", "");
            (name, json!(results.at(quantile).map(millis)))
        })
        .collect();
    let buckets: Vec<Value> = buckets(&results.answered, ROWS_MAX)
        .into_iter()
        .map(|bucket| json!({ "from_ms": bucket.low / 1e6, "to_ms": bucket.high / 1e6, "requests": bucket.count }))
        .collect();
    let nanos = |nanos: f64| (nanos / 1e3).round() / 1e3;
    json!({ "latency": {
        "time": shown::timestamp(),
        "subject": report.subject,
        "server": report.server,
        "program": report.program,
        "own_responder": report.own_responder,
        "rate_per_second": report.rate,
        "duration_ms": span::millis_number(report.duration),
        "bytes": report.size,
        "timeout_ms": span::millis_number(report.limit),
        "requests": results.due(),
        "answered": results.answered.len(),
        "lost": results.missing(),
        "unsent": results.unsent,
        "nobody_there": results.nobody,
        "percentiles_ms": percentiles,
        "mean_ms": nanos(results.answered.mean()),
        "deviation_ms": nanos(results.answered.stdev()),
        "sent_late_ms": { "p99": millis(results.late.value_at_quantile(0.99)), "max": millis(results.late.max()) },
        "distribution": buckets,
    }})
}

/// The parts of the report that the screen and the charts have in common.
impl Report {
    pub(super) fn title(&self) -> String {
        match self.own_subject {
            true => text::title_own(&self.server),
            false => text::title(&self.subject, &self.server),
        }
    }

    pub(super) fn setting(&self) -> String {
        let responder = match self.own_responder {
            true => text::own_responder(),
            false => text::other_responder(),
        };
        text::setting(
            &amount::show(self.rate),
            &span::show(self.duration),
            &shown::size(self.size as u64),
            responder,
            &self.program,
        )
    }

    pub(super) fn counts(&self) -> String {
        let results = &self.results;
        let (due, missing) = (results.due(), results.missing());
        let percent = missing as f64 * 100.0 / due.max(1) as f64;
        let percent = match missing {
            0 => "0".to_owned(),
            _ if percent < 0.01 => "< 0.01".to_owned(),
            _ => format!("{percent:.2}"),
        };
        text::counts(
            &amount::show(due),
            &amount::show(results.answered.len()),
            &amount::show(missing),
            &percent,
        )
    }

    /// Mean and spread, how late we were ourselves, and where the lost ones were lost.
    pub(super) fn remarks(&self) -> Vec<String> {
        let results = &self.results;
        let mut remarks = Vec::new();
        if results.unsent > 0 {
            let most = amount::show(self.outstanding_max);
            remarks.push(text::unsent(&amount::show(results.unsent), &most));
        }
        if results.nobody > 0 {
            remarks.push(text::nobody(&amount::show(results.nobody)));
        }
        if !results.answered.is_empty() {
            let (mean, deviation) = (results.answered.mean(), results.answered.stdev());
            remarks.push(text::spread(&show_nanos(mean), &show_nanos(deviation)));
        }
        if !results.late.is_empty() {
            let (p99, max) = (results.late.value_at_quantile(0.99), results.late.max());
            remarks.push(text::late(&show_nanos(p99 as f64), &show_nanos(max as f64)));
        }
        remarks
    }

    /// What a percentile is called.
    pub(super) fn label(&self, quantile: f64) -> String {
        match quantile {
            0.0 => text::lowest().to_owned(),
            1.0 => text::highest().to_owned(),
            quantile => show_quantile(quantile),
        }
    }
}
