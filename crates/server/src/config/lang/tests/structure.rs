//! Keys, separators, comments, braces, and where things are.

use super::*;

#[test]
fn a_key_and_its_value_may_be_parted_in_three_ways() {
    accepts(&[
        ("a: 1", "{a=1}"),
        ("a = 1", "{a=1}"),
        ("a 1", "{a=1}"),
        ("a=1", "{a=1}"),
        ("a:1", "{a=1}"),
        ("a\t:\t1", "{a=1}"),
        ("a { b: 1 }", "{a={b=1}}"),
        ("a: { b: 1 }", "{a={b=1}}"),
        ("a{b:1}", "{a={b=1}}"),
        ("a [1]", "{a=[1]}"),
        ("a\n{\nb 1\n}", "{a={b=1}}"),
        ("a\n\n1", "{a=1}"),
    ]);
    accepts(&[("m {a:\n\n1}", "{m={a=1}}"), ("m {a =\n1}", "{m={a=1}}")]);
}

#[test]
fn entries_end_with_a_line_a_comma_or_a_semicolon() {
    accepts(&[
        ("", "{}"),
        (" \r\n\t\n", "{}"),
        ("a: 1\nb: 2", "{a=1 b=2}"),
        ("a: 1\r\nb: 2\r\n", "{a=1 b=2}"),
        ("a: 1, b: 2;c:3", "{a=1 b=2 c=3}"),
        ("a: 1;\nb: 2,\n", "{a=1 b=2}"),
        ("m {a: 1, b: 2; c: 3\n d: 4,\n}", "{m={a=1 b=2 c=3 d=4}}"),
        ("m {}\nn {\n}", "{m={} n={}}"),
        ("a: 1\n, b: 2", "{a=1 b=2}"),
        ("m {a: 1\n, b: 2}", "{m={a=1 b=2}}"),
    ]);
}

#[test]
fn keys_may_be_quoted_and_keep_their_case() {
    accepts(&[
        ("\"a\": 1", "{a=1}"),
        ("'a b': 1", "{a b=1}"),
        ("\"a\" 1", "{a=1}"),
        ("\"a\\n\": 1", "{a\\n=1}"),
        ("Port: 1", "{Port=1}"),
        ("a.b-c/d: 1", "{a.b-c/d=1}"),
        ("señal: 1", "{señal=1}"),
        ("m {'a': 1, \"b\" = 2}", "{m={a=1 b=2}}"),
    ]);
}

#[test]
fn comments_end_with_their_line_and_begin_outside_words() {
    accepts(&[
        ("# all\n// of it\na: 1 # one\nb: 2 // two", "{a=1 b=2}"),
        ("m { # here\n a: 1 // there\n # and\n}", "{m={a=1}}"),
        ("a [ # x\n 1 # y\n // z\n 2 ]", "{a=[1 2]}"),
        ("a: \"x\"# close", "{a=\"x\"}"),
        ("url: nats://host:4222 # far", "{url=\"nats://host:4222\"}"),
        ("id: a#b", "{id=\"a#b\"}"),
        ("a: 'x # y'", "{a=\"x # y\"}"),
        ("a: #b", "{a=\"#b\"}"),
        ("a: 1#b", "{a=\"1#b\"}"),
    ]);
}

#[test]
fn the_whole_file_may_stand_in_braces() {
    accepts(&[
        ("{}", "{}"),
        ("{ a: 1 }", "{a=1}"),
        ("{\n a: 1\n b: {c: 2}\n}\n# end", "{a=1 b={c=2}}"),
        ("{ { a: 1 } # inner\n}\n# outer", "{a=1}"),
        ("{\"a\": 1, \"b\": [true, \"x\"]}", "{a=1 b=[true \"x\"]}"),
        ("\u{feff}{\"a\": 1}", "{a=1}"),
    ]);
}

#[test]
fn an_unbalanced_brace_around_the_file_is_only_a_warning() -> Result<(), Fault> {
    for (text, place) in [("a: 1 }", "1:6"), ("m {}\n}\n", "2:1"), ("{ a: 1", "1:1")] {
        let warnings = parse(text)?.warnings;
        let said: Vec<_> = warnings.iter().map(|fault| fault.text(Lang::En)).collect();
        assert_eq!(said.len(), 1, "{text:?}");
        assert!(
            said[0].starts_with(&format!("test.conf:{place}: this")),
            "{said:?}"
        );
    }
    refuses(&[("a: 1 }\nb: 2", "1:6", "closes nothing")]);
    Ok(())
}

#[test]
fn what_is_left_out_is_missed() {
    refuses(&[
        ("a", "1:1", "\"a\" has no value"),
        ("  a  ", "1:3", "\"a\" has no value"),
        ("# c\n a\n", "2:2", "\"a\" has no value"),
        ("a:", "1:1", "\"a\" has no value"),
        ("a:\nb: 1", "1:1", "on the same line"),
        ("a: ,", "1:4", "a value is missing"),
        ("m { a }", "1:5", "\"a\" has no value"),
        ("m { a: }", "1:5", "\"a\" has no value"),
        ("m { a: 1", "1:3", "this '{' is never closed; add the '}'"),
        ("m {", "1:3", "never closed"),
        ("m { a: 1 ]", "1:10", "found ']' after a value"),
        ("m { ] }", "1:5", "expected a key, found ']'"),
        (": 1", "1:1", "expected a key, found ':'"),
        ("= 1", "1:1", "expected a key, found '='"),
        ("a: 1,, b: 2", "1:6", "expected a key, found ','"),
        ("[server]", "1:1", "expected a key, found '['"),
        ("\"a: 1", "1:1", "quotes around this key"),
        ("a: 1 b: 2", "1:6", "found 'b' after a value"),
        ("a: \"x\" \"y\"", "1:8", "after a value"),
        ("a: 1 / b", "1:6", "after a value"),
        ("a: x\0y", "1:5", "NUL"),
        ("include", "1:1", "has no value"),
    ]);
}

#[test]
fn the_last_of_two_equal_keys_counts_and_warns() -> Result<(), Fault> {
    let parsed = parse("a: 1\nb: 2\na: 3\n")?;
    assert_eq!(show_map(&parsed.map), "{a=3 b=2}");
    let said: Vec<_> = parsed
        .warnings
        .iter()
        .map(|fault| fault.text(Lang::En))
        .collect();
    assert_eq!(
        said,
        ["test.conf:3:1: \"a\" was already given on line 1; this value takes its place"]
    );
    Ok(())
}

#[test]
fn columns_count_characters() {
    refuses(&[
        ("ñandú: 'é' x", "1:12", "found 'x'"),
        ("a: 1\r\n\tb: -x", "2:5", "not a number"),
    ]);
}

#[test]
fn values_know_where_they_are() -> Result<(), Fault> {
    let parsed = parse("a: 1\nm {\n  b:  [x, y]\n}\n")?;
    let Some(Data::Map(map)) = parsed.map.get("m").map(|value| &value.data) else {
        panic!("no map");
    };
    let entry = &map.entries()[0];
    assert_eq!(entry.place.to_string(), "test.conf:3:3");
    assert_eq!(entry.value.place.to_string(), "test.conf:3:7");
    let Data::Array(array) = &entry.value.data else {
        panic!("no array");
    };
    assert_eq!(array.values()[1].place.to_string(), "test.conf:3:11");
    Ok(())
}
