//! Saving what was measured: the ending of the file's name says as what.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::Report;
use super::{chart, shown};
use crate::failure::Failure;
use crate::text::latency as text;

/// What can be saved.
#[derive(Clone, Copy)]
enum Kind {
    /// The charts as one picture.
    Svg,
    /// The charts with the figures, a page of its own.
    Html,
    /// The figures.
    Json,
    /// The percentiles as HdrHistogram's tools plot them.
    Hgrm,
}

/// Checks the ending of a name on the command line.
pub(super) fn target(written: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(written);
    match kind(&path) {
        Some(_) => Ok(path),
        None => Err(text::bad_save(written)),
    }
}

fn kind(path: &Path) -> Option<Kind> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "svg" => Kind::Svg,
        "html" | "htm" => Kind::Html,
        "json" => Kind::Json,
        "hgrm" => Kind::Hgrm,
        _ => return None,
    })
}

/// Writes the file.
pub(super) fn save(path: &Path, report: &Report) -> Result<(), Failure> {
    let content = match kind(path) {
        Some(Kind::Svg) => chart::picture(report),
        Some(Kind::Html) => chart::page(report),
        Some(Kind::Hgrm) => percentile_table(report),
        Some(Kind::Json) | None => format!("{:#}\n", shown::json_of(report)),
    };
    std::fs::write(path, content).map_err(|error| Failure::Local {
        what: text::unsaved(&path.display().to_string(), &error.to_string()),
        next: text::unsaved_next().to_owned(),
    })
}

/// The table that HdrHistogram's plotter reads: values in milliseconds, five steps each time the distance to
/// 100 % halves. It has no place for lost ones; they are named in a comment.
fn percentile_table(report: &Report) -> String {
    let answered = &report.results.answered;
    let mut table = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let mut so_far = 0;
    for step in answered.iter_quantiles(5) {
        so_far += step.count_since_last_iteration();
        let quantile = step.quantile_iterated_to();
        let inverse = match quantile {
            quantile if quantile < 1.0 => format!("{:14.2}", 1.0 / (1.0 - quantile)),
            _ => String::new(),
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "{:12.6} {quantile:1.12} {so_far:10} {inverse}",
            step.value_iterated_to() as f64 / 1e6,
        );
    }
    let _ = writeln!(
        table,
        "#[Mean    = {:12.6}, StdDeviation   = {:12.6}]",
        answered.mean() / 1e6,
        answered.stdev() / 1e6
    );
    let _ = writeln!(
        table,
        "#[Max     = {:12.6}, Total count    = {:12}]",
        answered.max() as f64 / 1e6,
        answered.len()
    );
    let _ = writeln!(
        table,
        "#[Lost    = {:12}, unit           = milliseconds]",
        report.results.missing()
    );
    table
}
