//! The index, one behaviour at a time; how much memory it takes.

use recado_log::Location;

use super::{Filters, Index, Scan};

fn place(number: u64) -> Location {
    Location {
        segment: (number / 500_000) as u32,
        offset: (number % 500_000 * 260) as u32,
        length: 200 + (number % 37) as u32,
    }
}

/// As a stream gets them: some 200 bytes each, 100,000 a second.
fn push(index: &mut Index, subject: &str) -> u64 {
    let sequence = index.last_sequence() + 1;
    let at = place(sequence);
    let time_ns = 1_700_000_000_000_000_000 + sequence as i64 * 10_000;
    index.push(sequence, subject.as_bytes(), time_ns, at.length + 14, at, 0);
    sequence
}

fn index_of(subjects: &[&str]) -> Index {
    let mut index = Index::new(1);
    for subject in subjects {
        push(&mut index, subject);
    }
    index
}

fn found(index: &Index, from: u64, filters: &mut Filters) -> Scan {
    index.next_matching(from, u64::MAX, filters, &mut 1000)
}

/// A number that looks random, from one that does not.
fn scatter(number: u64) -> u64 {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

#[test]
fn an_emptied_index_has_its_first_sequence_above_the_last() {
    let mut index = index_of(&["a", "b", "c"]);
    index.remove_range(0, u64::MAX, |_| {});
    assert_eq!((index.first_sequence(), index.last_sequence()), (4, 3));
    assert_eq!((index.deleted_count(), index.bytes()), (0, 0));
    index.skip_to(10);
    assert_eq!((index.first_sequence(), index.last_sequence()), (11, 10));
    assert_eq!(push(&mut index, "a"), 11);
    assert_eq!((index.first_sequence(), index.len()), (11, 1));
}

#[test]
fn the_first_sequence_may_be_chosen() {
    let mut index = Index::new(1000);
    assert_eq!((index.first_sequence(), index.last_sequence()), (1000, 999));
    assert_eq!(push(&mut index, "a"), 1000);
    assert_eq!((index.first_sequence(), index.deleted_count()), (1000, 0));
}

#[test]
fn removing_at_the_front_moves_the_first_sequence_past_the_gap() {
    let mut index = index_of(&["a", "b", "c", "d"]);
    index.remove(2);
    assert_eq!((index.first_sequence(), index.deleted_count()), (1, 1));
    assert_eq!(index.deleted_ranges().collect::<Vec<_>>(), [(2, 2)]);
    index.remove(1);
    assert_eq!((index.first_sequence(), index.deleted_count()), (3, 0));
}

#[test]
fn a_message_that_comes_again_in_a_replay_replaces_the_first() {
    let mut index = index_of(&["a", "b", "c"]);
    let moved = Location {
        segment: 9,
        offset: 1,
        length: 2,
    };
    assert_eq!(index.insert(2, b"b", 5, 7, moved, 3), Some(place(2)));
    let meta = index.get(2).expect("it is there");
    assert_eq!((meta.place, meta.size, meta.flags), (moved, 7, 3));
    assert_eq!((index.len(), index.count_of(b"b")), (3, 1));
}

#[test]
fn evicting_the_oldest_of_a_subject_needs_its_first_sequence_only() {
    let mut index = Index::new(1);
    for number in 0..10_000 {
        let subject = format!("key.{}", number % 10);
        push(&mut index, &subject);
        if index.count_of(subject.as_bytes()) > 5 {
            let first = index.first_of(subject.as_bytes()).expect("it has six");
            index.remove(first);
        }
    }
    assert_eq!((index.len(), index.first_sequence()), (50, 9_951));
}

#[test]
fn a_number_given_again_is_matched_again() {
    let mut index = index_of(&["a"]);
    let mut filters = Filters::new(["b.*"]);
    assert_eq!(found(&index, 1, &mut filters), Scan::None);
    for round in 0..10_000 {
        index.remove(index.first_sequence());
        let matching = round % 3 == 0;
        let at = push(&mut index, if matching { "b.x" } else { "a" });
        let expected = if matching {
            Scan::Found(at)
        } else {
            Scan::None
        };
        assert_eq!(found(&index, 1, &mut filters), expected);
    }
    for _ in 0..5_000 {
        index.remove(index.first_sequence());
        push(&mut index, "a");
        index.remove(index.first_sequence());
        push(&mut index, "b.x");
    }
    let last = index.last_sequence();
    assert_eq!(found(&index, 1, &mut filters), Scan::Found(last));
    assert_eq!(index.subject_count(), 1);
}

#[test]
fn subjects_stay_true_while_others_leave_and_come() {
    let name = |number: u64| format!("a.rather.long.subject.{number}");
    let mut index = Index::new(1);
    let mut left: Vec<(u64, u64)> = Vec::new();
    for round in 0..4 {
        for number in round * 10_000..(round + 1) * 10_000 {
            left.push((push(&mut index, &name(number)), number));
        }
        let stays = |&(sequence, number): &(u64, u64)| {
            scatter(number + round).is_multiple_of(5) || index.remove(sequence).is_none()
        };
        left.retain(stays);
        assert_eq!(index.subject_count(), left.len());
        for &(sequence, number) in &left {
            let meta = index.get(sequence).expect("it stays");
            assert_eq!(index.subject(meta.subject), name(number).as_bytes());
            assert_eq!(index.last_of(name(number).as_bytes()), Some(sequence));
        }
    }
    let each = index.heap_bytes() / left.len();
    assert!(each < 400, "{each} bytes for each that is left");
}

#[test]
fn a_subject_longer_than_a_page_is_kept_whole() {
    let long = "x".repeat(100_000);
    let mut index = index_of(&["a", &long, "b"]);
    assert_eq!(index.count_of(long.as_bytes()), 1);
    let meta = index.get(2).expect("it is there");
    assert_eq!(index.subject(meta.subject), long.as_bytes());
    assert_eq!(
        (index.last_of(b"a"), index.last_of(b"b")),
        (Some(1), Some(3))
    );
    index.remove(2);
    assert_eq!(index.count_of(long.as_bytes()), 0);
    assert!(index.heap_bytes() < 100_000);
}

#[test]
fn few_matching_subjects_among_many_messages_are_asked_not_looked_for() {
    let mut index = index_of(&["rare.1"]);
    for number in 0..200_000 {
        push(&mut index, ["often.1", "often.2", "often.3"][number % 3]);
    }
    let at = push(&mut index, "rare.2");
    for filter in ["rare.2", "*.2", "rare.*"] {
        let mut filters = Filters::new([filter]);
        let mut budget = 1000;
        let mut next = 2;
        if filter == "*.2" {
            // One of the frequent ones matches too.
            assert_eq!(found(&index, at, &mut filters), Scan::Found(at));
            next = at;
        }
        let scan = index.next_matching(next, u64::MAX, &mut filters, &mut budget);
        assert_eq!(scan, Scan::Found(at), "{filter}");
        let scan = index.next_matching(at + 1, u64::MAX, &mut filters, &mut budget);
        assert_eq!(scan, Scan::None, "{filter}");
        assert!(budget > 500, "{filter}: {budget} left");
    }
}

#[test]
fn a_search_stops_when_its_budget_is_spent_and_goes_on_from_there() {
    let mut index = Index::new(1);
    for number in 0..5_000 {
        push(&mut index, &format!("n.{number}"));
    }
    let mut filters = Filters::new(["n.4999.>", "x.*"]);
    let (mut from, mut steps) = (1, 0);
    let end = loop {
        let mut budget = 100;
        match index.next_matching(from, u64::MAX, &mut filters, &mut budget) {
            Scan::OutOfBudget(at) => from = at,
            end => break end,
        }
        assert_eq!(budget, 0);
        steps += 1;
    };
    assert_eq!(end, Scan::None);
    assert!((30..60).contains(&steps), "{steps}");
}

#[test]
fn a_time_finds_the_first_message_that_is_not_older() {
    let mut index = Index::new(1);
    for sequence in 1..=10_000 {
        index.push(
            sequence,
            b"a",
            sequence as i64 * 1_000_500,
            1,
            place(sequence),
            0,
        );
    }
    for sequence in [1, 2, 4096, 4097, 9_999, 10_000] {
        assert_eq!(
            index.first_at_or_after(sequence as i64 * 1_000_500),
            Some(sequence)
        );
        assert_eq!(
            index.first_at_or_after(sequence as i64 * 1_000_500 - 999_000),
            Some(sequence)
        );
    }
    assert_eq!(index.first_at_or_after(i64::MIN), Some(1));
    assert_eq!(index.first_at_or_after(10_001 * 1_000_500), None);
}

#[test]
fn a_message_of_one_subject_or_of_ten_thousand_takes_at_most_22_bytes() {
    const COUNT: usize = 1_000_000;
    for subjects in [1, 10_000] {
        let names: Vec<String> = (0..subjects).map(|number| format!("s.{number}")).collect();
        let mut index = Index::new(1);
        for number in 0..COUNT {
            push(
                &mut index,
                &names[scatter(number as u64) as usize % subjects],
            );
        }
        let each = index.heap_bytes() as f64 / COUNT as f64;
        eprintln!("{subjects} subjects: {each:.1} bytes a message");
        assert!(each <= 22.0, "{subjects} subjects: {each} bytes a message");
    }
}

#[test]
fn a_key_with_one_message_takes_at_most_130_bytes_and_overwriting_all_of_them_no_more() {
    // As full as the table of a million is.
    const KEYS: u64 = 500_000;
    let mut index = Index::new(1);
    let mut name = String::new();
    let mut key = |number: u64| {
        use std::fmt::Write as _;
        name.clear();
        write!(name, "$KV.bucket.key{number:07}").expect("a string takes all");
        name.clone()
    };
    for number in 0..KEYS {
        push(&mut index, &key(number));
    }
    let fresh = index.heap_bytes() as f64 / KEYS as f64;
    for number in 0..2 * KEYS {
        let key = key(scatter(number) % KEYS);
        push(&mut index, &key);
        let first = index.first_of(key.as_bytes()).expect("it has two");
        index.remove(first);
    }
    assert_eq!(index.len(), KEYS);
    let overwritten = index.heap_bytes() as f64 / KEYS as f64;
    eprintln!("{fresh:.1} bytes a key, {overwritten:.1} when overwritten");
    assert!(fresh <= 130.0, "{fresh} bytes a key");
    assert!(
        overwritten <= 130.0,
        "{overwritten} bytes a key when overwritten"
    );
    for number in 0..KEYS - 1000 {
        let first = index.first_of(key(number).as_bytes()).expect("it has one");
        index.remove(first);
    }
    let left = index.heap_bytes();
    eprintln!("{left} bytes for the last thousand keys");
    assert!(left < 1_000_000, "{left} bytes for a thousand keys");
}

#[test]
fn a_sequence_that_was_taken_back_is_found_again_when_it_is_given_out_anew() {
    let mut index = Index::new(1);
    for _ in 1..=40 {
        push(&mut index, "a");
    }
    index.truncate_to(30);
    for _ in 31..=50 {
        push(&mut index, "a");
    }
    let there: Vec<u64> = (1..=60).filter(|&at| index.get(at).is_some()).collect();
    assert_eq!(there, (1..=50).collect::<Vec<u64>>());
}

#[test]
fn a_page_of_subjects_is_what_stands_there_when_all_are_in_order() {
    let mut index = Index::new(1);
    let mut expected = Vec::new();
    for sequence in 1..=100u64 {
        let subject = format!("s.{}", sequence * 37 % 101);
        index.push(sequence, subject.as_bytes(), 0, 1, Location::default(), 0);
        expected.push(subject);
    }
    expected.sort_unstable();
    for (skip, max) in [(0, 200), (0, 1), (40, 20), (99, 5), (100, 5), (0, 0)] {
        let page = index.subjects_in_order(&mut Filters::new(["s.>"]), skip, max);
        let found: Vec<&[u8]> = page.iter().map(|(subject, _)| *subject).collect();
        let all = expected.iter().skip(skip).take(max);
        let expected: Vec<&[u8]> = all.map(|subject| subject.as_bytes()).collect();
        assert_eq!(found, expected, "{skip} {max}");
    }
}
