//! Header blocks.

use recado_wire::{HEADER_VERSION, Headers, no_responders_block};

/// Names and values are what a plain reading of the lines finds; a block made of them reads the
/// same; the input as a subject comes back from a "no responders" block.
pub fn headers(input: &[u8]) {
    let block = Headers::new(input);
    let found: Vec<_> = block.iter().collect();
    assert_eq!(found, plain_reading(input));
    for (name, _) in &found {
        let first = found.iter().find(|(other, _)| other == name);
        assert_eq!(block.get(name), first.map(|(_, value)| *value));
    }

    let status = block.status();
    let mut again = HEADER_VERSION.to_vec();
    if let Some((code, description)) = status {
        again.extend_from_slice(format!(" {code} {description}").as_bytes());
    }
    for (name, value) in &found {
        again.extend_from_slice(format!("\r\n{name}: {value}").as_bytes());
    }
    again.extend_from_slice(b"\r\n\r\n");
    let read = Headers::new(&again);
    assert_eq!(read.status(), status);
    assert_eq!(read.iter().collect::<Vec<_>>(), found);

    a_subject_nobody_listens_on(input);
}

/// The same, without any cleverness: whole lines up to the first empty one.
fn plain_reading(block: &[u8]) -> Vec<(&str, &str)> {
    if !block.starts_with(HEADER_VERSION) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at + 1 < block.len() {
        if &block[at..at + 2] == b"\r\n" {
            if start == at {
                break;
            }
            lines.push(&block[start..at]);
            at += 2;
            start = at;
        } else {
            at += 1;
        }
    }
    let pair = |line: &&'_ [u8]| -> Option<(usize, usize)> {
        let text = std::str::from_utf8(line).ok()?;
        Some((text.find(':')?, text.len()))
    };
    lines
        .into_iter()
        .skip(1)
        .filter_map(|line| {
            let (colon, end) = pair(&line)?;
            let text = std::str::from_utf8(line).ok()?;
            Some((&text[..colon], text[colon + 1..end].trim_start_matches(' ')))
        })
        .collect()
}

/// Subjects hold no white space: neither does the protocol let it in, nor would it come back.
fn a_subject_nobody_listens_on(subject: &[u8]) {
    let Ok(text) = std::str::from_utf8(subject) else {
        return;
    };
    if text.contains(char::is_whitespace) {
        return;
    }
    let block = no_responders_block(subject);
    let read = Headers::new(&block);
    assert_eq!(read.status(), Some((503, "")));
    assert_eq!(read.get("Nats-Subject"), Some(text));
    assert_eq!(read.iter().count(), 1);
}
