//! The charts that are saved: one picture (SVG), or a page with the figures (HTML).
//!
//! Both stand alone, without a script, a font or anything else from elsewhere, and follow the
//! reader's choice of light or dark. What comes from outside is escaped.

mod panels;
mod scale;

use std::fmt::Write;

use super::Report;
use crate::amount;
use crate::buckets::show_nanos;
use crate::lang::{Lang, current};
use crate::text::latency as text;
use panels::{HEIGHT, Panel, WIDTH};

/// Colours by their part in the picture, for light and dark.
const COLOURS: &str = "\
    :root{color-scheme:light dark;--paper:#ffffff;--ink:#1b2430;--quiet:#5a6675;--grid:#e2e7ed;\
    --one:#0b62c4;--fill:#0b62c4;--two:#c2410c;--three:#8b95a3;--lost:#b91c1c}\
    @media (prefers-color-scheme:dark){:root{--paper:#11151b;--ink:#e5eaf1;--quiet:#9ba8b7;--grid:#29313c;\
    --one:#6fb3ff;--fill:#3f83d1;--two:#ff9f5a;--three:#6d7988;--lost:#ff7d7d}}";

/// How lines, bars and words look.
const LOOK: &str = "\
    svg{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
    svg text{fill:var(--ink)}svg .quiet{fill:var(--quiet)}svg .head{font-size:16px;font-weight:600}\
    svg .title{font-size:20px;font-weight:600}svg .end{text-anchor:end}svg .mid{text-anchor:middle}\
    svg .grid{stroke:var(--grid);stroke-width:1}svg .axis{stroke:var(--quiet);stroke-width:1}\
    svg .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\
    svg .one{stroke:var(--one)}svg .two{stroke:var(--two)}svg .three{stroke:var(--three)}\
    svg .dot-one{fill:var(--one)}svg .dot-two{fill:var(--two)}svg .dot-three{fill:var(--three)}\
    svg .bar{fill:var(--fill)}svg .lost{fill:var(--lost)}svg .gone{fill:var(--lost);opacity:.13}";

/// All charts in one picture.
pub(super) fn picture(report: &Report) -> String {
    const HEAD: f64 = 112.0;
    let panels = panels::all(report);
    let height = HEAD + HEIGHT * panels.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" lang=\"{}\">\n<title>{}</title>\n<style>{COLOURS}{LOOK}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" style=\"fill:var(--paper)\"/>\n\
         <text class=\"title\" x=\"24\" y=\"38\">{}</text>\n",
        lang(),
        escaped(&report.title()),
        escaped(&report.title()),
    );
    let lines = [report.setting(), report.counts(), figures(report)];
    for (number, line) in lines.iter().enumerate() {
        let y = 62 + 20 * number;
        // Writing to a string does not fail.
        let _ = writeln!(
            svg,
            "<text class=\"quiet\" x=\"24\" y=\"{y}\">{}</text>",
            escaped(line)
        );
    }
    for (number, panel) in panels.iter().enumerate() {
        let y = HEAD + HEIGHT * number as f64;
        let _ = writeln!(
            svg,
            "<g transform=\"translate(0 {y})\">\n{}</g>",
            panel.content
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// A page with the charts and the figures.
pub(super) fn page(report: &Report) -> String {
    const PAGE: &str = "\
        body{margin:0 auto;padding:2rem 1.25rem 3rem;max-width:60rem;background:var(--paper);color:var(--ink);\
        font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
        h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem;overflow-wrap:anywhere}\
        p{margin:.25rem 0}.quiet{color:var(--quiet)}\
        dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr));gap:.75rem;margin:1.5rem 0}\
        dl div{border:1px solid var(--grid);border-radius:.5rem;padding:.6rem .8rem}\
        dt{color:var(--quiet);font-size:.875rem}dd{margin:0;font-size:1.3rem;font-weight:600;\
        font-variant-numeric:tabular-nums}dd.lost{color:var(--lost)}\
        svg{display:block;width:100%;height:auto;margin:1rem 0}\
        table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem 1.25rem .25rem 0;text-align:right;\
        font-variant-numeric:tabular-nums;border-bottom:1px solid var(--grid)}\
        th{color:var(--quiet);font-weight:500}";
    let title = escaped(&report.title());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{title}</title>\n\
         <style>{COLOURS}{LOOK}{PAGE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p>{}</p>\n<p>{}</p>\n<dl>\n",
        lang(),
        escaped(&report.setting()),
        escaped(&report.counts()),
    );
    for quantile in key_quantiles(report) {
        let (class, figure) = match report.results.at(quantile) {
            Some(nanos) => ("", show_nanos(nanos as f64)),
            None => (" class=\"lost\"", text::is_lost().to_owned()),
        };
        let label = report.label(quantile);
        let _ = writeln!(page, "<div><dt>{label}</dt><dd{class}>{figure}</dd></div>");
    }
    page.push_str("</dl>\n");
    for Panel { name, content } in panels::all(report) {
        let _ = writeln!(
            page,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{name}\">\n{content}</svg>"
        );
    }
    page.push_str(&table(report));
    for remark in report.remarks() {
        let _ = writeln!(page, "<p class=\"quiet\">{}</p>", escaped(&remark));
    }
    let program = concat!("recado ", env!("CARGO_PKG_VERSION"));
    let time = jiff::Zoned::now()
        .strftime("%Y-%m-%d %H:%M:%S %Z")
        .to_string();
    let _ = write!(
        page,
        "<p class=\"quiet\">{}</p>\n<p class=\"quiet\">{}</p>\n</body>\n</html>\n",
        text::page_method(),
        escaped(&text::page_made(program, &time)),
    );
    page
}

/// The percentiles that a glance is for.
fn key_quantiles(report: &Report) -> impl Iterator<Item = f64> {
    let shown = report.results.shown_quantiles().into_iter();
    shown.filter(|quantile| [0.5, 0.9, 0.99, 0.999, 1.0].contains(quantile))
}

fn figures(report: &Report) -> String {
    let figures: Vec<String> = key_quantiles(report)
        .map(|quantile| {
            let figure = match report.results.at(quantile) {
                Some(nanos) => show_nanos(nanos as f64),
                None => text::is_lost().to_owned(),
            };
            format!("{} {figure}", report.label(quantile))
        })
        .collect();
    figures.join(" · ")
}

fn table(report: &Report) -> String {
    let mut table = format!(
        "<table>\n<tr><th>{}</th><th>{}</th><th>{}</th></tr>\n",
        text::column_percentile(),
        text::column_latency(),
        text::column_requests()
    );
    let due = report.results.due();
    for quantile in report.results.shown_quantiles() {
        let figure = match report.results.at(quantile) {
            Some(nanos) => show_nanos(nanos as f64),
            None => text::is_lost().to_owned(),
        };
        let rank = (quantile * due as f64).ceil().max(1.0) as u64;
        let _ = writeln!(
            table,
            "<tr><td>{}</td><td>{figure}</td><td>{}</td></tr>",
            report.label(quantile),
            amount::show(rank)
        );
    }
    table.push_str("</table>\n");
    table
}

fn lang() -> &'static str {
    match current() {
        Lang::En => "en",
        Lang::Es => "es",
    }
}

/// Text that must not become markup: subjects and servers' names come from outside.
fn escaped(words: &str) -> String {
    let mut safe = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_outside_do_not_become_markup() {
        assert_eq!(
            escaped("a<b>&\"'\u{1b}"),
            "a&lt;b&gt;&amp;&quot;&#39;\u{fffd}"
        );
    }
}
