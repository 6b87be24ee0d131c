//! What happens in the room, and the three ways to show it: above the line that is being typed, as
//! plain lines, or as JSON.
//!
//! Nothing that others sent may control the terminal or look like a line of ours.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::deliveries::Delivery;
use super::editor::Editor;
use super::presence::Change;
use super::protocol::Said;
use crate::failure::Failure;
use crate::jetstream::units;
use crate::shown;
use crate::span;
use crate::terminal::{self, Out, harmless};
use crate::text::chat as text;

/// How many names a line may list.
const NAMES_MAX: usize = 5;

/// Something to show.
pub(super) enum Event<'a> {
    /// We are in.
    Entered {
        room: &'a str,
        name: &'a str,
        server: &'a str,
        typing: bool,
    },
    /// Who else is there, each with the last round trip to them.
    Others(&'a [(String, Option<Duration>)]),
    /// Somebody said something.
    Said { name: &'a str, said: &'a Said },
    /// The same, before we came.
    Past {
        time: Timestamp,
        name: &'a str,
        said: &'a Said,
    },
    /// Our own message, for those who do not see themselves type it.
    Sent { number: u64, text: &'a str },
    /// What became of it.
    Delivered {
        delivery: &'a Delivery,
        others: usize,
    },
    /// Somebody came, went, changed.
    Changed(&'a Change),
    /// We are called something else now; because somebody else had the name, or by our own wish.
    Renamed {
        name: &'a str,
        taken: Option<&'a str>,
    },
    /// A remark about something that was typed.
    Remark(&'a str),
}

/// Where it is shown.
pub(super) enum Face {
    /// Above the line that is being typed.
    Editor(Editor, Out),
    /// Messages on standard output, the rest on standard error.
    Lines(Out),
    /// Everything on standard output, an object a line.
    Json(Out),
}

impl Face {
    /// Shows something.
    pub(super) fn show(&mut self, event: &Event<'_>) -> Result<(), Failure> {
        match self {
            Self::Editor(editor, out) => {
                if !matches!(event, Event::Sent { .. }) {
                    editor.show(event.words(out));
                }
                Ok(())
            }
            Self::Lines(out) => match event {
                Event::Said { .. } | Event::Past { .. } => {
                    let words = event.words(out);
                    out.line(&words)?;
                    out.flush()
                }
                Event::Sent { .. } => Ok(()),
                _ => {
                    terminal::notice(&event.words(out));
                    Ok(())
                }
            },
            Self::Json(out) => {
                let mut object = event.json();
                object["time"] = shown::timestamp().into();
                out.json(&object)?;
                out.flush()
            }
        }
    }
}

impl Event<'_> {
    fn words(&self, out: &Out) -> String {
        match self {
            Self::Entered {
                room,
                name,
                server,
                typing: true,
            } => {
                format!("{}\n{}", text::entered(room, name, server), text::how_to())
            }
            Self::Entered {
                room, name, server, ..
            } => text::entered(room, name, server),
            Self::Others(others) => {
                let listed: Vec<String> = others
                    .iter()
                    .map(|(name, round_trip)| match round_trip {
                        Some(took) => format!("{name} ({})", span::millis(*took)),
                        None => name.clone(),
                    })
                    .collect();
                match others.len() {
                    0 => text::alone().to_owned(),
                    _ => text::others(&listed.join(", ")),
                }
            }
            Self::Said { name, said } => {
                let time = out.dim(&shown::clock());
                format!("{time} {}: {}", out.bold(name), one_line(&said.text))
            }
            Self::Past { time, name, said } => {
                let time = out.dim(&units::local(*time));
                format!("{time} {}: {}", out.bold(name), one_line(&said.text))
            }
            Self::Sent { text, .. } => one_line(text),
            Self::Delivered { delivery, others } => out.dim(&delivered(delivery, *others)),
            Self::Changed(change) => out.dim(&changed(change)),
            Self::Renamed {
                name,
                taken: Some(taken),
            } => text::name_taken(taken, name),
            Self::Renamed { name, taken: None } => text::renamed_self(name),
            Self::Remark(words) => (*words).to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Entered { room, name, .. } => {
                json!({ "event": "entered", "room": room, "name": name })
            }
            Self::Others(others) => {
                let one = |(name, round_trip): &(String, Option<Duration>)| json!({ "name": name, "round_trip_ms": round_trip.map(span::millis_number) });
                json!({ "event": "here", "others": others.iter().map(one).collect::<Vec<_>>() })
            }
            Self::Said { name, said } => json!({
                "event": "message", "from": name, "id": said.id, "text": said.text,
            }),
            Self::Past { time, name, said } => json!({
                "event": "past", "said_at": time.to_string(), "from": name, "id": said.id,
                "text": said.text,
            }),
            Self::Sent { number, text } => json!({ "event": "sent", "n": number, "text": text }),
            Self::Delivered { delivery, .. } => {
                let confirmed: Vec<Value> = delivery
                    .confirmed
                    .iter()
                    .map(|(name, took)| {
                        json!({ "name": name, "round_trip_ms": span::millis_number(*took) })
                    })
                    .collect();
                json!({
                    "event": "delivered", "n": delivery.number,
                    "echo_ms": delivery.echo.map(span::millis_number),
                    "confirmed": confirmed, "missing": delivery.missing,
                })
            }
            Self::Changed(change) => match change {
                Change::Joined(name) => json!({ "event": "joined", "name": name }),
                Change::Found(name) => json!({ "event": "found", "name": name }),
                Change::Left(name) => json!({ "event": "left", "name": name }),
                Change::Vanished(name) => json!({ "event": "vanished", "name": name }),
                Change::Renamed(before, name) => {
                    json!({ "event": "renamed", "before": before, "name": name })
                }
                Change::Clash => json!({ "event": "clash" }),
            },
            Self::Renamed { name, taken } => {
                json!({ "event": "renamed_self", "name": name, "taken": taken })
            }
            Self::Remark(words) => json!({ "event": "remark", "text": words }),
        }
    }
}

fn changed(change: &Change) -> String {
    match change {
        Change::Joined(name) => text::joined(name),
        Change::Found(name) => text::found(name),
        Change::Left(name) => text::left(name),
        Change::Vanished(name) => text::vanished(name, &span::show(super::presence::SILENCE_MAX)),
        Change::Renamed(before, name) => text::renamed(before, name),
        Change::Clash => String::new(),
    }
}

fn delivered(delivery: &Delivery, others: usize) -> String {
    let limit = span::show(super::deliveries::CONFIRMATION_LIMIT);
    let mut words = match (delivery.confirmed.is_empty(), delivery.echo) {
        (false, _) => {
            let mut confirmed = delivery.confirmed.clone();
            confirmed.sort_by_key(|(_, took)| *took);
            let listed: Vec<String> = confirmed
                .iter()
                .map(|(name, took)| format!("{name} {}", span::millis(*took)))
                .collect();
            text::delivered(&listing(&listed))
        }
        (true, Some(echo)) if others == 0 => text::delivered_nobody(&span::millis(echo)),
        (true, Some(echo)) => text::delivered_echo(&span::millis(echo)),
        (true, None) => text::no_echo(&limit),
    };
    if !delivery.missing.is_empty() {
        words.push_str(" · ");
        words.push_str(&text::unconfirmed(&listing(&delivery.missing), &limit));
    }
    format!("  {words}")
}

fn listing(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMES_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => text::and_more(&shown, more),
    }
}

/// Others' text: a further line is marked, so that it can't pass for somebody else's message.
fn one_line(words: &str) -> String {
    harmless(words).replace('\n', "\n    │ ").replace('\t', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_stays_text() {
        assert_eq!(one_line("hola\x1b[2J"), "hola\\u{1b}[2J");
        assert_eq!(one_line("a\n12:00:00 eva: b"), "a\n    │ 12:00:00 eva: b");
        assert_eq!(one_line("\u{202e}olleh"), "\\u{202e}olleh");
        assert_eq!(one_line("ñandú 你好"), "ñandú 你好");
    }

    #[test]
    fn a_long_list_of_names_is_cut() {
        let names: Vec<String> = (0..8).map(|n| n.to_string()).collect();
        assert_eq!(listing(&names[..2]), "0, 1");
        assert_eq!(listing(&names), text::and_more("0, 1, 2, 3, 4", 3));
    }
}
