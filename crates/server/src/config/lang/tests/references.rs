//! Variables and includes, and what keeps them from running away.

use super::*;

#[test]
fn variables_are_looked_up_from_the_nearest_block_outward() {
    accepts(&[
        ("x = 7\na = $x", "{x=7 a=7}"),
        ("x = 7\nm { x = 8, n { a = $x } }", "{x=7 m={x=8 n={a=8}}}"),
        ("x = 7\nm { n { a = $x }, x = 8 }", "{x=7 m={n={a=7} x=8}}"),
        ("m { x = 1 }\nx = 2\na = $x", "{m={x=1} x=2 a=2}"),
        (
            "x = {b = [1]}\na = [$x, $x]",
            "{x={b=[1]} a=[{b=[1]} {b=[1]}]}",
        ),
        ("x = 1\na = [$x,$x]", "{x=1 a=[1 1]}"),
        ("x = '$y'\na = $x", "{x=\"$y\" a=\"$y\"}"),
        ("x = 1\nx = $x", "{x=1}"),
    ]);
    refuses(&[
        ("a = $x", "1:5", "$x is neither"),
        ("a = $x\nx = 1", "1:5", "$x is neither"),
        ("a = $a", "1:5", "$a is neither"),
        ("X = 1\na = $x", "2:5", "$x is neither"),
        ("m { x = 1 }\na = $x", "2:5", "$x is neither"),
        ("a = $", "1:5", "written $NAME"),
        ("a = ${x}", "1:5", "without braces"),
    ]);
}

#[test]
fn a_key_that_served_as_variable_is_marked() -> Result<(), Fault> {
    let parsed = parse("x = 7\ny = 8\na = $x")?;
    let used: Vec<_> = parsed
        .map
        .entries()
        .iter()
        .map(|entry| (entry.key.as_ref(), entry.used_as_variable))
        .collect();
    assert_eq!(used, [("x", true), ("y", false), ("a", false)]);
    Ok(())
}

#[test]
fn the_environment_is_the_outermost_block_and_is_read_as_the_language() -> Result<(), Fault> {
    let environment = Imagined::default()
        .variable("NUMBER", "4222")
        .variable("SIZE", " 1kb\n")
        .variable("QUOTED", "'a b'")
        .variable("LIST", "[1, {x: on}]")
        .variable("OTHER", "$NUMBER")
        .variable("HASH", "$2a$10$abc")
        .variable("NOTHING", "");
    let read = |text| parse_with(text, &environment).map(|parsed| show_map(&parsed.map));
    assert_eq!(read("a: $NUMBER")?, "{a=4222}");
    assert_eq!(read("a: $SIZE")?, "{a=1024}");
    assert_eq!(read("a: $QUOTED")?, "{a=\"a b\"}");
    assert_eq!(read("a: $LIST")?, "{a=[1 {x=true}]}");
    assert_eq!(read("a: $OTHER")?, "{a=4222}");
    assert_eq!(read("a: $HASH")?, "{a=\"$2a$10$abc\"}");
    assert_eq!(read("a: $NOTHING")?, "{a=\"\"}");
    assert_eq!(read("NUMBER: 1\na: $NUMBER")?, "{NUMBER=1 a=1}");
    Ok(())
}

#[test]
fn a_bad_value_in_the_environment_is_told_where_it_is_used() {
    let environment = Imagined::default()
        .variable("A", "$B")
        .variable("B", "$A")
        .variable("SELF", "[$SELF]")
        .variable("WORDS", "two words")
        .variable("OPEN", "[1");
    let said = |text| match parse_with(text, &environment) {
        Ok(parsed) => panic!("{}", show_map(&parsed.map)),
        Err(fault) => fault.text(Lang::En),
    };
    assert!(
        said("x: $A").starts_with("test.conf:1:4: Parse error: in the environment variable A: ")
    );
    assert!(said("x: $A").ends_with("the environment variable A refers to itself"));
    assert!(said("x: $SELF").ends_with("the environment variable SELF refers to itself"));
    assert!(said("\nx: $WORDS").starts_with("test.conf:2:4: "));
    assert!(said("x: $WORDS").contains("quote the whole value"));
    assert!(said("x: $OPEN").contains("never closed"));
}

#[test]
fn includes_are_relative_to_the_including_file_and_merge_into_the_block() -> Result<(), Fault> {
    let files = Imagined::default()
        .file(
            "etc/main.conf",
            "a: 1\ninclude sub/one.conf\nm { include 'two.conf' }\nb: $x; include \"three.conf\"",
        )
        .file("etc/sub/one.conf", "x: 10\na: 2\ninclude ./deep.conf")
        .file("etc/sub/deep.conf", "{ \"d\": [1] }")
        .file("etc/two.conf", "t: 2")
        .file("etc/three.conf", "");
    let parsed = parse_file(Path::new("etc/main.conf"), &files)?;
    assert_eq!(show_map(&parsed.map), "{a=2 x=10 d=[1] m={t=2} b=10}");
    assert_eq!(parsed.warnings, []);
    let d = &parsed.map.entries()[2];
    assert_eq!(d.place.to_string(), "etc/sub/./deep.conf:1:3");
    Ok(())
}

#[test]
fn include_is_a_word_only_before_a_blank() -> Result<(), Fault> {
    let files = Imagined::default().file("x", "y: 1");
    for (text, expected) in [
        ("include: x", "{include=\"x\"}"),
        ("include=x", "{include=\"x\"}"),
        ("\"include\" x", "{include=\"x\"}"),
        ("INCLUDE x", "{y=1}"),
        ("m {include x}", "{m={y=1}}"),
        ("m {include x; z: 2}", "{m={y=1 z=2}}"),
    ] {
        assert_eq!(
            show_map(&parse_with(text, &files)?.map),
            expected,
            "{text:?}"
        );
    }
    Ok(())
}

#[test]
fn an_included_file_does_not_see_the_variables_around_it() {
    let files = Imagined::default().file("inner", "a: $x");
    let fault = parse_with("x: 1\ninclude inner\n", &files).map(|parsed| parsed.map);
    let said = fault.map_err(|fault| fault.text(Lang::En));
    assert!(
        matches!(&said, Err(said) if said.starts_with("inner:1:4: ")
            && said.ends_with("(included from test.conf:2:1)")),
        "{said:?}"
    );
}

#[test]
fn includes_that_can_not_be_followed_are_refused() {
    let files = Imagined::default()
        .file("loop/a.conf", "include b.conf")
        .file("loop/b.conf", "x: 1\n include ./a.conf")
        .file_with_mode("latin", b"a: 1\nb: \xf1", 0o600);
    let said = |text| match parse_with(text, &files) {
        Ok(parsed) => panic!("{}", show_map(&parsed.map)),
        Err(fault) => fault.text(Lang::En),
    };
    let cycle = said("include loop/a.conf");
    assert!(cycle.starts_with("loop/b.conf:2:2: "), "{cycle}");
    assert!(cycle.contains("includes itself"), "{cycle}");
    assert!(said("include none.conf").starts_with("test.conf:1:1: can't read none.conf"));
    assert!(said("include latin").contains("latin is not UTF-8 text (line 2)"));
    assert!(said("include {").contains("needs the name of a file"));
    assert!(said("include \n").contains("needs the name of a file"));
    assert!(said("include 'x").contains("never closed"));
    assert!(said("include latin x").len() > 1);
}

#[test]
fn includes_that_multiply_are_stopped() {
    // Each file includes the next one twice: thirty of them would be a thousand million reads.
    let files = (0..30).fold(Imagined::default(), |files, at| {
        let next = at + 1;
        files.file(
            &format!("f{at}"),
            &format!("include f{next}\ninclude f{next}"),
        )
    });
    let files = files.file("f30", "");
    let said = parse_with("include f0", &files)
        .map(|_| ())
        .map_err(|fault| fault.to_string());
    assert!(
        matches!(&said, Err(said) if said.contains("more than 1000 files")),
        "{said:?}"
    );
}

#[test]
fn nesting_is_bounded_whatever_it_is_made_of() {
    let depth = 100_000;
    let chain: String = (1..depth)
        .map(|at| format!("v{at}: [$v{}]\n", at - 1))
        .collect();
    for text in [
        format!("a: {}", "[".repeat(depth)),
        format!("a: {}{}", "[".repeat(depth), "]".repeat(depth)),
        "a {".repeat(depth),
        format!("v0: 1\n{chain}"),
    ] {
        let said = parse(&text).map(|_| ()).map_err(|fault| fault.to_string());
        assert!(
            matches!(&said, Err(said) if said.contains("more than 100 deep")),
            "{said:?}"
        );
    }
    // Braces around the file are no nesting.
    assert!(parse(&format!("{}a: 1{}", "{".repeat(depth), "}".repeat(depth))).is_ok());
    // Includes, each of them nested too.
    let block = |inner: String| format!("{}{inner}{}", "a {".repeat(50), "}".repeat(50));
    let files = (0..90).fold(Imagined::default(), |files, at| {
        files.file(&format!("f{at}"), &block(format!("include f{}\n", at + 1)))
    });
    let said = parse_with("include f0", &files)
        .map(|_| ())
        .map_err(|fault| fault.to_string());
    assert!(
        matches!(&said, Err(said) if said.contains("more than 100 deep")),
        "{said:?}"
    );
}

#[test]
fn variables_that_double_each_other_are_stopped() {
    let lines: String = (1..64)
        .map(|at| format!("v{at}: [$v{0}, $v{0}]\n", at - 1))
        .collect();
    let said = parse(&format!("v0: 1\n{lines}"))
        .map(|_| ())
        .map_err(|fault| fault.to_string());
    assert!(
        matches!(&said, Err(said) if said.contains("more than 1000000 values")),
        "{said:?}"
    );
}

#[test]
fn variables_that_multiply_a_long_text_are_stopped() {
    // 16 KB that would be 1.6 GB: a thousand times a hundred times the long text.
    let long = "x".repeat(16_000);
    for text in [
        format!(
            "t: {long}\na: [{0}]\nb: [{1}]",
            "$t, ".repeat(100),
            "$a, ".repeat(1000)
        ),
        // Texts that come in anew each time, and keys.
        "k: $E\n".repeat(3000),
        format!("m: {{ {long}: 1 }}\na: [{}]\n", "$m, ".repeat(3000)),
    ] {
        let world = Imagined::default().variable("E", &long);
        let said = parse_with(&text, &world)
            .map(|_| ())
            .map_err(|fault| fault.to_string());
        assert!(
            matches!(&said, Err(said) if said.contains("more than 32 MiB of text")),
            "{said:?}"
        );
    }
}
