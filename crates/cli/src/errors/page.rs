//! The page of all errors, as `docs/errors.md` and `docs/es/errores.md` hold it.

use super::Explained;
use crate::lang::{self, Lang};
use crate::text::errors as text;
use crate::text::explained::{FAMILIES, Family, Kind};

/// The whole page, in Markdown and in the language of this run.
pub(crate) fn markdown() -> String {
    let mut page = format!("{}\n", text::page_head());
    for family in FAMILIES {
        page.push_str(&format!("\n## {}\n", heading(family)));
        for one in family.rows {
            page.push_str(&entry(one));
        }
    }
    page
}

fn heading(family: &Family) -> &'static str {
    match lang::current() {
        Lang::En => family.en,
        Lang::Es => family.es,
    }
}

fn entry(one: &Explained) -> String {
    let words = one.words();
    let mut entry = format!("\n### {} · {}\n\n", one.key(), harmless(one.title()));
    entry.push_str(&format!("_{}_\n", facts(one)));
    if !one.says.is_empty() {
        let says: Vec<String> = one.says.iter().map(|text| format!("`{text}`")).collect();
        entry.push_str(&format!("\n{} {}\n", text::page_says(), says.join(", ")));
    }
    entry.push_str(&format!(
        "\n**{}** {}\n\n**{}** {}\n",
        text::page_cause(),
        harmless(words.cause),
        text::page_remedy(),
        harmless(words.remedy)
    ));
    entry
}

/// What is known of it, in a line: name, code, whether the connection ends, who sends it.
fn facts(one: &Explained) -> String {
    let mut facts = match one.kind {
        Kind::Api { code, constant, .. } => vec![format!("`{constant}`"), text::code(code)],
        Kind::Status { .. } => vec![text::status().to_owned()],
        Kind::Protocol { closes: true } => vec![text::closes().to_owned()],
        Kind::Protocol { closes: false } => vec![text::stays().to_owned()],
    };
    if !one.is_sent_by_recado() {
        facts.push(text::elsewhere().to_owned());
    }
    facts.join(" · ")
}

/// Text that Markdown shows as it is.
fn harmless(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    for c in words.chars() {
        if matches!(c, '*' | '_' | '<' | '>' | '[' | ']' | '|' | '`' | '\\') {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_means_nothing_to_markdown() {
        assert_eq!(harmless("max_age > orders.*"), "max\\_age \\> orders.\\*");
    }
}
