//! The first minute as README shows it is what `recado tour` says, but for numbers, and for what it
//! leaves out with `…`.

use std::fs;
use std::path::Path;

use crate::harness::recado;
use crate::masked::masked;
use recado_conformance::server_program;

/// What stands in the blocks of code between the page's two marks, without the command itself.
fn shown(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(page);
    let page = fs::read_to_string(path).expect("the page is there");
    let marked = page
        .split_once("<!-- tour -->")
        .and_then(|(_, rest)| rest.split_once("<!-- end of tour -->"));
    let (marked, _) = marked.expect("the page marks the tour");
    // Every second part lies inside a fence.
    let blocks: Vec<&str> = marked.split("```").skip(1).step_by(2).collect();
    let block = blocks.concat();
    block.replacen("$ cargo tour\n", "", 1)
}

/// The words of a tour, without what depends on the machine: numbers, units, where lines break, and the
/// histogram's bars.
fn words(tour: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for line in tour.lines().filter(|line| !line.contains(" – ")) {
        let line = masked(line);
        let line = line.strip_prefix("# │ ").unwrap_or(&line);
        for word in line
            .split(' ')
            .filter(|word| !word.chars().all(|c| "─▊▋▌▍▎▉".contains(c)))
        {
            let after_number = words.last().is_some_and(|last| last.ends_with('#'));
            let unit = ["µs", "ms", "s"].iter().find(|unit| {
                word.strip_prefix(**unit)
                    .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_punctuation()))
            });
            match unit {
                Some(unit) if after_number => words.push(format!("time{}", &word[unit.len()..])),
                _ => words.push(word.to_owned()),
            }
        }
    }
    words
}

fn compare(page: &str, lang: &str) {
    // The page shows our server.
    if std::env::var_os("RECADO_SERVER_BIN").is_some() {
        return;
    }
    let shown = words(&shown(page));
    let server = server_program().to_str().expect("a path is text");
    let args = [
        "tour",
        "--server-program",
        server,
        "--lang",
        lang,
        "--timeout",
        "2m",
    ];
    let told = recado("nats://127.0.0.1:1", args).succeed();
    let told_words = words(&told.replace(server, "recado-server"));
    let mut rest = told_words.as_slice();
    for (number, part) in shown.split(|word| word == "…").enumerate() {
        let at = match number {
            0 => Some(0).filter(|_| rest.starts_with(part)),
            _ => (0..=rest.len()).find(|&at| rest[at..].starts_with(part)),
        };
        let at = at.unwrap_or_else(|| {
            let part = part.join(" ");
            panic!("{page} shows this, but the tour does not say it:\n  {part}\nIt says:\n{told}")
        });
        rest = &rest[at + part.len()..];
    }
    assert!(rest.is_empty(), "{page} leaves out the end: {rest:?}");
}

#[test]
fn the_readme_shows_the_tour_as_it_is() {
    compare("README.md", "en");
}

#[test]
fn the_spanish_readme_shows_the_tour_as_it_is() {
    compare("README.es.md", "es");
}
