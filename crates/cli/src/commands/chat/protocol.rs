//! What goes over the wire in a room: subjects, and JSON that a person can write by hand.
//!
//! `docs/chat.md` describes it for other clients. A field that is missing, or a payload that is no
//! JSON at all, is never an error here: whoever joins by hand gets as far as possible.

use serde::{Deserialize, Serialize};

use crate::text::chat as text;

/// The room when none is named.
pub(super) const ROOM: &str = "lobby";

/// The most bytes that a room's name may have.
const ROOM_BYTES_MAX: usize = 64;

/// The most bytes that a person's name may have.
const NAME_BYTES_MAX: usize = 32;

/// The most bytes of text in one message, when the server does not set a lower limit.
pub(super) const TEXT_BYTES_MAX: usize = 16 * 1024;

/// A room: one token of a subject.
pub(super) fn room(written: &str) -> Result<String, String> {
    let fits = !written.is_empty()
        && written.len() <= ROOM_BYTES_MAX
        && !written.contains(['.', '*', '>'])
        && !written.chars().any(|c| c.is_whitespace() || c.is_control());
    match fits {
        true => Ok(written.to_owned()),
        false => Err(text::bad_room(written, ROOM_BYTES_MAX)),
    }
}

/// Whether somebody may be called so: letters, digits, `-` and `_`, so that a name can neither
/// look like something else nor move the cursor.
pub(super) fn is_name(written: &str) -> bool {
    !written.is_empty()
        && written.len() <= NAME_BYTES_MAX
        && written
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

/// What can be kept of a name that came from elsewhere.
pub(super) fn as_name(written: &str) -> Option<String> {
    let kept = written.chars().map(|c| match c {
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => c,
        _ => '_',
    });
    let mut name = String::new();
    for c in kept {
        if name.len() + c.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        name.push(c);
    }
    name.chars().any(char::is_alphanumeric).then_some(name)
}

/// `ana`, `ana-2`, `ana-3`: the first that nobody has.
pub(super) fn free_name(wanted: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut name = wanted.to_owned();
    let mut number: u64 = 2;
    while is_taken(&name) {
        let ending = format!("-{number}");
        let mut stem = wanted.to_owned();
        while stem.len() + ending.len() > NAME_BYTES_MAX {
            stem.pop();
        }
        name = stem + &ending;
        number += 1;
    }
    name
}

/// The subjects of a room.
pub(super) struct Subjects {
    /// What is said.
    pub(super) say: String,
    /// Who comes, is there and goes.
    pub(super) here: String,
    /// The question who is there; answered on its reply subject.
    pub(super) who: String,
}

impl Subjects {
    pub(super) fn new(room: &str) -> Self {
        let of = |what: &str| format!("chat.{room}.{what}");
        Self {
            say: of("say"),
            here: of("here"),
            who: of("who"),
        }
    }
}

/// A message. Its reply subject, if it has one, is where those who got it say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    /// Who says it; without a name it is somebody who joined by hand.
    #[serde(default)]
    pub(super) from: String,
    /// The sender's id, the same in everything that it publishes.
    #[serde(default)]
    pub(super) id: String,
    /// The text.
    pub(super) text: String,
}

impl Said {
    /// Reads a payload; whatever is not of this shape is the text itself.
    pub(super) fn read(payload: &[u8]) -> Self {
        let mut said = serde_json::from_slice(payload).unwrap_or_else(|_| Self {
            from: String::new(),
            id: String::new(),
            text: String::from_utf8_lossy(payload).trim_end().to_owned(),
        });
        if said.text.len() > TEXT_BYTES_MAX {
            let is_boundary = |&end: &usize| said.text.is_char_boundary(end);
            let end = (0..=TEXT_BYTES_MAX).rev().find(is_boundary).unwrap_or(0);
            said.text.truncate(end);
            said.text.push('…');
        }
        said
    }
}

/// Whether somebody comes, is there or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// Has just come.
    Join,
    /// Is there: a heartbeat, or an answer to the question who is.
    Here,
    /// Goes.
    Leave,
}

/// Somebody's presence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Here {
    /// The name.
    pub(super) from: String,
    /// The id, which no two have; a name may be held twice for a moment.
    pub(super) id: String,
    /// What about it.
    pub(super) state: State,
    /// For how many milliseconds it has been there, by its own clock: who came later gives way
    /// when two have the same name.
    #[serde(default)]
    pub(super) for_ms: u64,
}

/// The confirmation that a message arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    /// Whose.
    #[serde(default)]
    pub(super) from: String,
    /// Its id.
    pub(super) id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_one_token_of_a_subject() {
        for good in ["lobby", "sala-1", "peña", "$x"] {
            assert_eq!(room(good).as_deref(), Ok(good));
        }
        for bad in ["", "a.b", "a b", "*", ">", "a\r\nPUB x", &"x".repeat(65)] {
            assert!(room(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_from_elsewhere_can_not_control_anything() {
        assert!(is_name("ana-2") && is_name("Íñigo") && !is_name("a b") && !is_name(""));
        assert_eq!(as_name("ana\x1b[2J"), Some("ana__2J".into()));
        assert_eq!(as_name("\u{202e}anna"), Some("_anna".into()));
        assert_eq!(as_name("\r\n"), None);
        assert!(as_name(&"ñ".repeat(100)).unwrap().len() <= NAME_BYTES_MAX);
    }

    #[test]
    fn a_taken_name_gets_the_first_free_number() {
        assert_eq!(
            free_name("ana", |name| ["ana", "ana-2"].contains(&name)),
            "ana-3"
        );
        let long = "x".repeat(NAME_BYTES_MAX);
        let free = free_name(&long, |name| name == long);
        assert!(free.ends_with("-2") && free.len() == NAME_BYTES_MAX);
    }

    #[test]
    fn what_is_written_by_hand_is_understood() {
        let by_hand = Said::read(br#"{"from":"eva","text":"hola"}"#);
        assert_eq!(
            (by_hand.from.as_str(), by_hand.text.as_str()),
            ("eva", "hola")
        );
        assert_eq!(Said::read(b"hola\n").text, "hola");
        assert_eq!(Said::read(b"{\"from\":1}").text, "{\"from\":1}");
        assert_eq!(Said::read(b"\xff").text, "\u{fffd}");
        let long = Said::read(&vec![b'x'; TEXT_BYTES_MAX + 1]);
        assert!(long.text.len() <= TEXT_BYTES_MAX + '…'.len_utf8());
    }

    #[test]
    fn the_json_is_the_documented_one() {
        let here = Here {
            from: "ana".into(),
            id: "1f".into(),
            state: State::Join,
            for_ms: 0,
        };
        assert_eq!(
            serde_json::to_string(&here).unwrap(),
            r#"{"from":"ana","id":"1f","state":"join","for_ms":0}"#
        );
    }
}
