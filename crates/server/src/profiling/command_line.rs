//! How the program was called, without what is secret in it.

use std::ffi::OsString;

/// Flags whose values are secrets, with `_` for each `-`.
const SECRET: [&str; 2] = ["auth", "pass"];
/// What stands for such a value.
const HIDDEN: &str = "[redacted]";

/// The arguments, with a zero byte between each two, as `/proc` and Go have them.
pub(super) fn command_line(arguments: impl Iterator<Item = OsString>) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut is_secret = false;
    for argument in arguments {
        let argument = argument.to_string_lossy();
        if std::mem::take(&mut is_secret) {
            shown.push(HIDDEN.to_owned());
            continue;
        }
        match argument.split_once('=') {
            Some((flag, _)) if takes_secret(flag) => shown.push(format!("{flag}={HIDDEN}")),
            _ => {
                is_secret = takes_secret(&argument);
                shown.push(argument.into_owned());
            }
        }
    }
    shown.join("\0")
}

fn takes_secret(argument: &str) -> bool {
    let Some(name) = argument.strip_prefix('-') else {
        return false;
    };
    let name = name.strip_prefix('-').unwrap_or(name).replace('-', "_");
    SECRET.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        command_line(line.split(' ').map(OsString::from)).replace('\0', " ")
    }

    #[test]
    fn what_it_was_called_with_is_shown_but_for_secrets() {
        for (given, expected) in [
            ("s -p 4222 -c x", "s -p 4222 -c x"),
            ("s --auth clave -D", "s --auth [redacted] -D"),
            ("s -auth=clave -D", "s -auth=[redacted] -D"),
            (
                "s --user ana --pass clave",
                "s --user ana --pass [redacted]",
            ),
            ("s --pass=", "s --pass=[redacted]"),
            ("s --pass --auth x", "s --pass [redacted] x"),
            ("s auth x", "s auth x"),
        ] {
            assert_eq!(shown(given), expected, "{given}");
        }
    }
}
