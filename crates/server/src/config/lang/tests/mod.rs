//! The language, snippet by snippet. What each means was read from nats-server's own rules and
//! seen with it; what differs from it on purpose is listed in the module's documentation.

mod properties;
mod references;
mod structure;
mod values;

use std::path::Path;

use super::*;
use crate::config::fault::Fault;
use crate::config::locale::Lang;
use crate::config::surroundings::Imagined;

fn parse_with(text: &str, surroundings: &Imagined) -> Result<Parsed, Fault> {
    parse_text(text, Path::new("test.conf"), surroundings)
}

fn parse(text: &str) -> Result<Parsed, Fault> {
    parse_with(text, &Imagined::default())
}

/// A value written short, to compare with.
fn show(value: &Value) -> String {
    match &value.data {
        Data::String(text) => format!("{text:?}"),
        Data::Integer(number) => number.to_string(),
        Data::Float(number) => format!("{number:?}"),
        Data::Bool(value) => value.to_string(),
        Data::Datetime(time) => format!("@{time}"),
        Data::Array(array) => {
            let values: Vec<_> = array.values().iter().map(show).collect();
            format!("[{}]", values.join(" "))
        }
        Data::Map(map) => show_map(map),
    }
}

fn show_map(map: &Map) -> String {
    let entries: Vec<_> = map
        .entries()
        .iter()
        .map(|entry| format!("{}={}", entry.key, show(&entry.value)))
        .collect();
    format!("{{{}}}", entries.join(" "))
}

#[track_caller]
fn accepts(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        match parse(text) {
            Ok(parsed) => assert_eq!(show_map(&parsed.map), *expected, "{text:?}"),
            Err(fault) => panic!("{text:?}: {fault}"),
        }
    }
}

/// Each text with the place where it goes wrong and a part of what is said about it.
#[track_caller]
fn refuses(cases: &[(&str, &str, &str)]) {
    for (text, place, part) in cases {
        match parse(text) {
            Ok(parsed) => panic!("{text:?} reads as {}", show_map(&parsed.map)),
            Err(fault) => {
                let said = fault.text(Lang::En);
                assert!(
                    said.starts_with(&format!("test.conf:{place}: ")),
                    "{text:?}: {said}"
                );
                assert!(said.contains(part), "{text:?}: {said}");
                assert!(said.contains("Parse error: "), "{text:?}: {said}");
                assert_ne!(said, fault.text(Lang::Es));
            }
        }
    }
}

#[test]
fn the_digest_is_nats_servers() -> Result<(), Fault> {
    // Seen with `nats-server -t`, version 2.15.0.
    for (text, expected) in [
        (
            "port: 4222 }\n",
            "797533ebd0dfba7d34a0f9337ecf147e442871f48ddfd07ed751575a5737267e",
        ),
        (
            "ping_interval: 15s\n",
            "d674a43ac41a9fe7b769f6d267fcd97b94468d84051a49932d265c4e499e6f65",
        ),
        (
            "max_payload: 9MB\n",
            "7e60f70cb88dee82c79c3bedd4b367dae87ebeda5c44b4263451eb72c39db500",
        ),
        (
            "http: 0\n",
            "1063296f810f5bac4c907be629b396ae533a9830bc4bb537824e014c38f3a94c",
        ),
        (
            "listen: \":4222\"",
            "cd7e2f4b6947df434be8be6a4681f23acf46800889fda891e7ed3d62f63fb261",
        ),
    ] {
        let map = parse(text)?.map;
        assert_eq!(digest(&map), format!("sha256:{expected}"), "{text:?}");
    }
    // With what Go's JSON writes in its own way.
    for (text, expected) in [
        (
            "k: \"\\x7f\\x01\"\nserver_tags: $k\n",
            "182069976f628b8d2c36c2ce6950e7a3346c76764fcdfc7c5f42b1c78e77dcaf",
        ),
        (
            "k: _x.>\nserver_tags: $k\n",
            "b1c6318bc2d98d4579bb0a2ce064294af31d234be90013ada086be79a41840d3",
        ),
        (
            "k: (\n ) \n)x\n)\n\nserver_tags: $k\n",
            "bb1d1361db2d07c62d0b990b9b65cae2524b173b84a1083794f2526a98919c13",
        ),
        (
            "k: 0.0000001\nauthorization {timeout: $k }\n",
            "5d75861071f50f3fdb045cb4e0c76e68a850062fba15ca5f5a2c50457cc2944f",
        ),
        (
            "k: 0.000001\nauthorization {timeout: $k }\n",
            "ae24fc0cbceae5d8e3002db8e379843da10928309a622532337c536de9bc2247",
        ),
    ] {
        let map = parse(text)?.map;
        assert_eq!(digest(&map), format!("sha256:{expected}"), "{text:?}");
    }
    let same = ["foo = bar", "# c\n'foo': \"bar\";", "{foo bar}"];
    for text in same {
        assert_eq!(digest(&parse(text)?.map), digest(&parse(same[0])?.map));
    }
    Ok(())
}
