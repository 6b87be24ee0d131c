//! Every form of value.

use super::*;

#[test]
fn double_quotes_know_escapes() {
    accepts(&[
        (r#"a: "x y""#, r#"{a="x y"}"#),
        (r#"a: "\t\n\r\"\\""#, r#"{a="\t\n\r\"\\"}"#),
        (r#"a: "\x41\x7a\xC3\xB1""#, "{a=\"Azñ\"}"),
        ("a: \"\"", "{a=\"\"}"),
        ("a: \"two\nlines\"", "{a=\"two\\nlines\"}"),
        (r#"a: "$HOME""#, r#"{a="$HOME"}"#),
        (r#"a: "true""#, r#"{a="true"}"#),
        (r#"a: "12""#, r#"{a="12"}"#),
    ]);
    refuses(&[
        (r#"a: "\q""#, "1:5", "'\\q' is no escape"),
        (r#"a: "x\x4""#, "1:6", "two hexadecimal digits"),
        (r#"a: "\x+1""#, "1:5", "two hexadecimal digits"),
        (r#"a: "\xé""#, "1:5", "two hexadecimal digits"),
        (r#"a: "\xff""#, "1:4", "UTF-8"),
        (r#"a: "abc"#, "1:4", "never closed"),
        ("a: \"abc\\", "1:8", "is no escape"),
    ]);
}

#[test]
fn single_quotes_take_everything_as_it_is() {
    accepts(&[
        (r"a: 'x\n$Y'", r#"{a="x\\n$Y"}"#),
        ("a: ''", "{a=\"\"}"),
        ("a: '\n'", "{a=\"\\n\"}"),
        ("a: '\"'", "{a=\"\\\"\"}"),
    ]);
    refuses(&[("b: 1\na: 'abc", "2:4", "never closed")]);
}

#[test]
fn bare_words_are_text_and_know_escapes() {
    accepts(&[
        ("a: word", "{a=\"word\"}"),
        (r"a: x\ty", r#"{a="x\ty"}"#),
        (r"a: \x24HOME", r#"{a="$HOME"}"#),
        (r"a: tru\x65", r#"{a="true"}"#),
        ("a: nats://u:p@h:1,b: 2", "{a=\"nats://u:p@h:1\" b=2}"),
        ("a: :4222", "{a=\":4222\"}"),
        ("a: _INBOX.>", "{a=\"_INBOX.>\"}"),
        ("a: *", "{a=\"*\"}"),
        ("a: ./x.pid", "{a=\"./x.pid\"}"),
        ("a: ../x", "{a=\"../x\"}"),
        ("a: eyJ0eXAi.e30_-x", "{a=\"eyJ0eXAi.e30_-x\"}"),
        ("a: x\"y", "{a=\"x\\\"y\"}"),
    ]);
    refuses(&[
        ("a: x y", "1:6", "found 'y' after a value"),
        ("a: it's", "1:6", "a ' in a word"),
        (r"a: C:\foo", "1:6", "is no escape"),
        ("a: [x y]", "1:7", "after a value of a list"),
    ]);
}

#[test]
fn booleans_are_six_bare_words_in_any_case() {
    accepts(&[
        (
            "a: true, b: TRUE, c: Yes, d: on",
            "{a=true b=true c=true d=true}",
        ),
        (
            "a: false, b: False, c: NO, d: off",
            "{a=false b=false c=false d=false}",
        ),
        ("a: truely, b: offs", "{a=\"truely\" b=\"offs\"}"),
    ]);
}

#[test]
fn integers_have_64_bits_and_size_suffixes() {
    accepts(&[
        ("a: 0, b: -7, c: 007", "{a=0 b=-7 c=7}"),
        ("a: 9223372036854775807", "{a=9223372036854775807}"),
        ("a: -9223372036854775808", "{a=-9223372036854775808}"),
        (
            "a: 1k, b: 1kb, c: 1ki, d: 1kib",
            "{a=1000 b=1024 c=1024 d=1024}",
        ),
        (
            "a: 1K, b: 1KB, c: 1Ki, d: 1KiB",
            "{a=1000 b=1024 c=1024 d=1024}",
        ),
        ("a: 2m, b: 2mb", "{a=2000000 b=2097152}"),
        ("a: 1g, b: 1GiB", "{a=1000000000 b=1073741824}"),
        ("a: 1t, b: 1ti", "{a=1000000000000 b=1099511627776}"),
        ("a: 1p, b: 1PB", "{a=1000000000000000 b=1125899906842624}"),
        (
            "a: 1e, b: 1eib",
            "{a=1000000000000000000 b=1152921504606846976}",
        ),
        ("a: -1k", "{a=-1000}"),
        ("a: [1,2]", "{a=[1 2]}"),
        ("m {a: 1}", "{m={a=1}}"),
    ]);
    refuses(&[
        ("a: 9223372036854775808", "1:4", "too large"),
        ("a: 8eb", "1:4", "too large"),
        ("a: 99999999999999999999k", "1:4", "too large"),
        ("a: -x", "1:4", "not a number"),
        ("a: -", "1:4", "not a number"),
        ("a: -5s", "1:4", "not a number"),
    ]);
}

#[test]
fn words_that_begin_like_numbers_stay_words() {
    accepts(&[
        ("a: 15s", "{a=\"15s\"}"),
        ("a: 1.5s", "{a=\"1.5s\"}"),
        ("a: 2h30m", "{a=\"2h30m\"}"),
        ("a: 127.0.0.1", "{a=\"127.0.0.1\"}"),
        ("a: 0.0.0.0:4222", "{a=\"0.0.0.0:4222\"}"),
        ("a: 127.0.0.1:-1", "{a=\"127.0.0.1:-1\"}"),
        ("a: 10.0.0.0/8", "{a=\"10.0.0.0/8\"}"),
        ("a: 3nodes", "{a=\"3nodes\"}"),
        ("a: 1kk", "{a=\"1kk\"}"),
        ("a: 1kbb", "{a=\"1kbb\"}"),
        ("a: 4a-b", "{a=\"4a-b\"}"),
    ]);
}

#[test]
fn floats_have_digits_on_both_sides() {
    accepts(&[
        ("a: 1.5, b: -0.25, c: 22.2", "{a=1.5 b=-0.25 c=22.2}"),
        ("a: 1.", "{a=\"1.\"}"),
    ]);
    refuses(&[
        ("a: .5", "1:4", "write 0.5"),
        (&format!("a: {}.0", "9".repeat(400)), "1:4", "too large"),
    ]);
}

#[test]
fn times_are_whole_and_zulu() {
    accepts(&[
        ("a: 2016-05-04T18:53:41Z", "{a=@2016-05-04T18:53:41Z}"),
        ("a: [2024-02-29T00:00:00Z]", "{a=[@2024-02-29T00:00:00Z]}"),
    ]);
    for text in [
        "a: 2016-05-04",
        "a: 2016-05-04T18:53:41",
        "a: 2016-05-04T18:53:41+02:00",
        "a: 2016-05-04T18:53:41.5Z",
        "a: 2023-02-29T00:00:00Z",
        "a: 2016-13-04T18:53:41Z",
        "a: 2016-05-04T18:53:60Z",
        "a: 2016-05-04t18:53:41z",
        "a: 12-34",
        "a: 123456-1",
    ] {
        refuses(&[(text, "1:4", "is not a time like")]);
    }
}

#[test]
fn blocks_take_lines_raw() {
    accepts(&[
        ("a (\nx: {y\n)", "{a=\"\\nx: {y\\n\"}"),
        ("a: (\none\n)\nb: 2", "{a=\"\\none\\n\" b=2}"),
        (
            "a (first\nif (x) y\n ) z\n))\n)\n",
            "{a=\"first\\nif (x) y\\n ) z\\n))\\n\"}",
        ),
        ("a (\r\nx\r\n)\r\nb: 1", "{a=\"\\r\\nx\\r\\n\" b=1}"),
        ("a (\n)", "{a=\"\\n\"}"),
    ]);
    refuses(&[
        ("a (x)", "1:3", "never closed"),
        ("a (\n )\n", "1:3", "never closed"),
        ("a (\n) x\n", "1:3", "never closed"),
    ]);
}

#[test]
fn arrays_hold_anything() {
    accepts(&[
        ("a: []", "{a=[]}"),
        ("a: [1, 'x', [true], {b: 2}]", "{a=[1 \"x\" [true] {b=2}]}"),
        ("a: [\n1\n2,\n\n3\n]", "{a=[1 2 3]}"),
        ("a: [1,2,]", "{a=[1 2]}"),
        ("a: [1\n,2]", "{a=[1 2]}"),
        ("a: [x,y]", "{a=[\"x\" \"y\"]}"),
        ("a: [\"\"]", "{a=[\"\"]}"),
    ]);
    refuses(&[
        ("a: [1;2]", "1:6", "after a value of a list"),
        ("a: [1", "1:4", "this '[' is never closed; add the ']'"),
        ("a: [,]", "1:5", "a value is missing"),
        ("a: [1,,2]", "1:7", "a value is missing"),
        ("a: [1}", "1:4", "this '[' is never closed; add the ']'"),
        (
            "m {\n  a: [1,2\n}\n",
            "2:6",
            "this '[' is never closed; add the ']'",
        ),
        ("m { a: [\n}", "1:8", "this '[' is never closed"),
    ]);
}

#[test]
fn a_bcrypt_hash_is_no_variable() {
    accepts(&[
        (
            "a: $2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG",
            "{a=\"$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG\"}",
        ),
        (
            "a: $2b$10$x, b: $2y$10$y",
            "{a=\"$2b$10$x\" b=\"$2y$10$y\"}",
        ),
    ]);
}
