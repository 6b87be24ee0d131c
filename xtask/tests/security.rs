//! The table of attacks in `docs/security.md` against the code: the tests that it names are there, its constants have the
//! values that it tells, and no attack that was asked for is missing.

use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/security.md";

/// Attacks that must have a row, by words of its first cell.
const ASKED: &[(&str, &str)] = &[
    (
        "unauthenticated floods",
        "connections that never say who they are",
    ),
    ("slow handshakes", "TLS handshakes that are slow"),
    (
        "slow handshakes over WebSocket",
        "upgrades to WebSocket that are slow",
    ),
    ("oversized frames", "payloads too large"),
    ("header bombs", "headers by the thousand"),
    ("WebSocket fragments", "WebSocket: fragments"),
    ("zip bombs", "WebSocket: zip bombs"),
    ("deep subjects", "deep subjects"),
    ("subscription exhaustion", "subscriptions without end"),
    ("JWT forgeries", "forged or altered JWTs"),
    ("nkey forgeries", "forged nkey signatures"),
    ("replayed nonces", "a nonce replayed"),
    ("path tricks in stream names", "in names of streams"),
    ("log injection", "forged lines in the log"),
    ("decompression limits", "decompression in the store"),
    ("symlinked store files", "links in the store's directory"),
    (
        "timing of token comparison",
        "measuring how much of a secret was right",
    ),
];

/// One row of the table.
struct Row<'a> {
    attack: &'a str,
    bound: &'a str,
    test: &'a str,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    fs::read_to_string(root().join(PAGE)).expect("the page is there")
}

fn rows(page: &str) -> Vec<Row<'_>> {
    let (_, attacks) = page.split_once("## Attacks").expect("the table");
    attacks
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .filter_map(|line| {
            let mut cells = line.split(" | ");
            let row = Row {
                attack: cells.next()?,
                bound: cells.next()?,
                test: cells.next()?,
            };
            assert!(cells.next().is_none(), "too many cells: {line}");
            Some(row)
        })
        .filter(|row| row.attack != "attack")
        .collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Where a path of the table lies.
fn file(path: &str) -> PathBuf {
    let folder = path.split('/').next().unwrap_or_default();
    let below = match folder {
        "hostile" | "protocol_rows" | "jetstream_rows" => "crates/conformance/tests",
        "transport" | "monitoring" | "engine" | "access" | "daemon" => "crates/server/tests",
        "fuzz" => "",
        _ => "crates",
    };
    root().join(below).join(path)
}

#[test]
fn every_attack_has_a_test_and_every_test_that_is_named_is_there() {
    let page = page();
    let mut wrong = Vec::new();
    for Row { attack, test, .. } in rows(&page) {
        if test.contains("no test yet") {
            wrong.push(format!("{attack}: no test yet"));
        }
        let (mut folder, mut source, mut named) = (PathBuf::new(), None, 0);
        for name in quoted(test) {
            if name.ends_with(".rs") {
                // A name without a folder lies beside the last one.
                let path = match name.contains('/') {
                    true => file(name),
                    false => folder.join(name),
                };
                folder = path.parent().map(Path::to_owned).unwrap_or_default();
                source = fs::read_to_string(&path).ok();
                if source.is_none() {
                    wrong.push(format!("{attack}: there is no {name}"));
                }
                // A file that is named alone is a test as a whole.
                named += 1;
            } else if name.contains('_') && !name.contains("::") {
                let source = source.as_deref().unwrap_or_default();
                if !source.contains(&format!("fn {name}(")) {
                    wrong.push(format!(
                        "{attack}: there is no test {name} where it should be"
                    ));
                }
            }
        }
        if named == 0 {
            wrong.push(format!("{attack}: no test is named"));
        }
    }
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
}

#[test]
fn every_attack_that_was_asked_for_has_a_row() {
    let page = page();
    let rows = rows(&page);
    for (asked, words) in ASKED {
        let found = rows.iter().any(|row| row.attack.contains(words));
        assert!(found, "{PAGE} has no row for {asked} ({words:?})");
    }
}

#[test]
fn constants_have_the_values_that_the_table_tells() {
    let page = page();
    let sources = sources();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for row in rows(&page) {
        for (name, told) in constants(row.bound) {
            seen += 1;
            let found = values(&sources, name);
            if found.is_empty() {
                wrong.push(format!("{}: there is no constant {name}", row.attack));
            } else if let Some(told) = told.and_then(amount)
                && !found.contains(&told)
            {
                wrong.push(format!("{}: {name} is {found:?}, not {told}", row.attack));
            }
        }
    }
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
    assert!(seen > 20, "only {seen} constants were found on {PAGE}");
}

/// Names in capitals, each with what stands in brackets behind it.
fn constants(cell: &str) -> Vec<(&str, Option<&str>)> {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let mut found = Vec::new();
    let mut rest = cell;
    while let Some(at) = rest.find(|c: char| c.is_ascii_uppercase()) {
        let word = &rest[at..];
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (name, behind) = word.split_at(end.max(1));
        let told = behind
            .strip_prefix(" (")
            .and_then(|behind| behind.split_once(')'))
            .map(|(told, _)| told);
        let stands_alone =
            !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == ':' || c == '_');
        if stands_alone && name.contains('_') {
            found.push((name, told));
        }
        rest = behind;
    }
    found
}

/// `16,384`, `60 s`, `80 KiB` as a number of seconds, bytes or things.
fn amount(told: &str) -> Option<u64> {
    let mut words = told.split(' ');
    let number: u64 = words.next()?.replace(',', "").parse().ok()?;
    Some(match words.next() {
        Some("KiB") => number << 10,
        Some("MiB") => number << 20,
        _ => number,
    })
}

/// The sources of all crates.
fn sources() -> String {
    let mut folders = vec![root().join("crates")];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(&path).expect("a source");
            }
        }
    }
    text
}

/// The values of all constants of this name, as far as they are plain arithmetic.
fn values(sources: &str, name: &str) -> Vec<u64> {
    let start = format!("const {name}: ");
    let mut found = Vec::new();
    for (at, _) in sources.match_indices(&start) {
        let Some(line) = sources[at..].split(';').next() else {
            continue;
        };
        let value = line.split_once('=').map_or("", |(_, value)| value.trim());
        // That it is there is something, too.
        found.push(value_of(value).unwrap_or(u64::MAX));
    }
    found
}

fn value_of(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(inner) = text
        .strip_prefix("Duration::from_secs(")
        .and_then(|text| text.strip_suffix(')'))
    {
        return value_of(inner);
    }
    if let Some((left, right)) = text.split_once("<<") {
        return Some(value_of(left)? << value_of(right)?);
    }
    if let Some((left, right)) = text.rsplit_once('+') {
        return value_of(left)?.checked_add(value_of(right)?);
    }
    if let Some((left, right)) = text.rsplit_once('*') {
        return value_of(left)?.checked_mul(value_of(right)?);
    }
    text.replace('_', "").parse().ok()
}

#[test]
fn the_readers_of_the_table_understand_it() {
    let cell = "`max_x` (5), FAILURES_MAX (10) within WINDOW_S (60 s), A, TLS, `subtle::CT_EQ`; BYTES_MAX (80 KiB)";
    let found = constants(cell);
    let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["FAILURES_MAX", "WINDOW_S", "BYTES_MAX"]);
    let told: Vec<_> = found
        .iter()
        .filter_map(|(_, told)| amount((*told)?))
        .collect();
    assert_eq!(told, [10, 60, 80 << 10]);
    let sources =
        "pub const A_B: usize = 80 * 1024;\nconst A_B: Duration = Duration::from_secs(5);";
    assert_eq!(values(sources, "A_B"), [80 << 10, 5]);
    assert_eq!(value_of("(64 << 20)"), None);
    assert_eq!(value_of("64 << 20"), Some(64 << 20));
    assert_eq!(value_of("1_000"), Some(1_000));
}
