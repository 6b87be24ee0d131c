//! Any text at all: it is read or refused, and what was written is what is read.

use proptest::prelude::*;

use super::*;

/// A value, written in the language, with the value that it is.
fn written_value() -> impl Strategy<Value = (String, String)> {
    let quoted = any::<String>().prop_map(|text| {
        let mut written = String::from("\"");
        for found in text.replace('\0', "").chars() {
            match found {
                '"' => written.push_str("\\\""),
                '\\' => written.push_str("\\x5c"),
                '\n' => written.push_str("\\n"),
                _ => written.push(found),
            }
        }
        written.push('"');
        (written, format!("{:?}", text.replace('\0', "")))
    });
    let leaf = prop_oneof![
        quoted,
        any::<i64>().prop_map(|number| (number.to_string(), number.to_string())),
        any::<bool>().prop_map(|value| (value.to_string(), value.to_string())),
        (0_i32..1_000_000, 0_u32..1000).prop_map(|(whole, part)| {
            let written = format!("{whole}.{part:03}");
            let shown = written
                .parse::<f64>()
                .map_or_else(|_| written.clone(), |float| format!("{float:?}"));
            (written, shown)
        }),
        "[a-s][a-z_.:/]{0,12}"
            .prop_filter("booleans are no words", |word| {
                !matches!(word.as_str(), "no" | "on" | "off")
            })
            .prop_map(|word| {
                let shown = format!("{word:?}");
                (word, shown)
            }),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            (
                prop::collection::vec(inner.clone(), 0..5),
                prop_oneof![Just(","), Just("\n"), Just(" ,\n # c\n")]
            )
                .prop_map(|(values, separator)| {
                    let (written, shown): (Vec<_>, Vec<_>) = values.into_iter().unzip();
                    (
                        format!("[{}]", written.join(separator)),
                        format!("[{}]", shown.join(" ")),
                    )
                }),
            (
                prop::collection::vec(inner, 0..5),
                prop_oneof![Just(","), Just("\n"), Just(";")],
                prop_oneof![Just(": "), Just("="), Just(" ")]
            )
                .prop_map(|(values, separator, colon)| {
                    let (written, shown): (Vec<_>, Vec<_>) = values
                        .into_iter()
                        .enumerate()
                        .map(|(at, (written, shown))| {
                            (format!("k{at}{colon}{written}"), format!("k{at}={shown}"))
                        })
                        .unzip();
                    (
                        format!("{{{}}}", written.join(separator)),
                        format!("{{{}}}", shown.join(" ")),
                    )
                }),
        ]
    })
}

/// Text made of the language's own pieces, which reaches further into the reader than noise.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "a",
            "b",
            "include",
            "include ",
            " ",
            "\n",
            "\r\n",
            ":",
            "=",
            ",",
            ";",
            "{",
            "}",
            "[",
            "]",
            "(",
            ")",
            "\n)\n",
            "\"",
            "'",
            "\\",
            "\\x4",
            "\\n",
            "#",
            "//",
            "/",
            "$",
            "$a",
            "$E",
            "$F",
            "$2a$",
            "-",
            "1",
            "1k",
            "1.5",
            ".",
            "2020-01-01T00:00:00Z",
            "2020-",
            "true",
            "off",
            "f",
            "é",
            "\u{feff}",
            "\0",
            "9999999999999999999",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read((written, shown) in written_value()) {
        let parsed = parse(&format!("v: {written}\n"));
        prop_assert!(parsed.is_ok(), "{written:?}: {:?}", parsed.err().map(|fault| fault.to_string()));
        let map = parsed.map(|parsed| show_map(&parsed.map)).unwrap_or_default();
        prop_assert_eq!(map, format!("{{v={shown}}}"));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>(), pieces in pieces()) {
        let surroundings = Imagined::default()
            .file("f", &pieces)
            .variable("E", &pieces)
            .variable("F", "$E");
        for text in [text, pieces] {
            match parse_with(&text, &surroundings) {
                Ok(parsed) => prop_assert!(digest(&parsed.map).len() == 71),
                Err(fault) => {
                    prop_assert!(fault.place.is_some());
                    prop_assert!(!fault.text(Lang::Es).is_empty());
                }
            }
        }
    }
}
