//! `docs/compatibility.md` has every row of the groups that it is about: none is silently absent.
//!
//! The list of rows is not part of the repository. Where it does not lie beside it, nothing can be compared, and
//! the test says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const LIST: &str = "../shared/reference/nats-2.15.md";
const PAGE: &str = "docs/compatibility.md";
const STATUSES: [&str; 5] = ["done", "partly", "not yet", "one server", "differs"];

/// The cells of each line of a table whose first cell is a row of groups A to E or G.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| "))
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| is_row(cells.first().copied().unwrap_or_default()))
        .collect()
}

fn is_row(id: &str) -> bool {
    let digits = id.strip_prefix(['A', 'B', 'C', 'D', 'E', 'G']);
    digits.is_some_and(|digits| digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[test]
fn every_row_stands_on_the_page_once_with_a_status() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join(PAGE)).expect("the page is there");
    let mut told = BTreeSet::new();
    for cells in rows(&page) {
        let (id, status) = (cells[0], cells.get(2).copied().unwrap_or_default());
        assert!(told.insert(id.to_owned()), "{id} stands twice on {PAGE}");
        assert!(STATUSES.contains(&status), "{id} has no status: {status:?}");
    }
    let Ok(list) = fs::read_to_string(root.join(LIST)) else {
        println!("SKIPPED: the list of rows is not beside the repository ({LIST})");
        return;
    };
    let listed: BTreeSet<String> = rows(&list)
        .iter()
        .map(|cells| cells[0].to_owned())
        .collect();
    let missing: Vec<&String> = listed.difference(&told).collect();
    let unknown: Vec<&String> = told.difference(&listed).collect();
    assert!(missing.is_empty(), "{PAGE} lacks {missing:?}");
    assert!(
        unknown.is_empty(),
        "{PAGE} has rows that {LIST} does not: {unknown:?}"
    );
}
