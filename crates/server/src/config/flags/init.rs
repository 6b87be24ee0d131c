//! `init [DIR] [--users A,B] [--host NAMES] [--no-tls]`: its own few flags, which stand behind the word.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::arguments::{Flaglike, read_flag};
use crate::config::fault::Fault;
use crate::config::keys::nearest_word;
use crate::config::messages::FlagProblem;

/// Users that are made in one go.
const USERS_MAX: usize = 1000;
/// Names that one certificate holds.
const HOSTS_MAX: usize = 100;
/// Longest name of a user; it names a file too.
const USER_CHARS_MAX: usize = 64;
/// Longest name of a machine (RFC 1035).
const HOST_CHARS_MAX: usize = 253;

/// What configuration to write, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// Directory for all files; `None`: where the user's, or for root the machine's, configuration belongs.
    pub directory: Option<PathBuf>,
    /// Users, each with a password of its own; none: one token for all.
    pub users: Vec<String>,
    /// Names and addresses that clients know the machine by, beside those that it has anyway.
    pub hosts: Vec<String>,
    /// Make a certificate authority and a certificate, and speak TLS.
    pub tls: bool,
}

/// Reads what follows the word.
pub(super) fn read(words: &[OsString]) -> Result<Init, Box<Fault>> {
    let fault = |problem| Box::new(Fault::anywhere(problem));
    let mut init = Init {
        directory: None,
        users: Vec::new(),
        hosts: Vec::new(),
        tls: true,
    };
    let mut rest = words.iter();
    let mut only_words = false;
    while let Some(word) = rest.next() {
        let (name, value, written) = match read_flag(word) {
            Flaglike::End if !only_words => {
                only_words = true;
                continue;
            }
            Flaglike::Named {
                name,
                value,
                written,
            } if !only_words => (name, value, written),
            _ if init.directory.is_some() || word.is_empty() => {
                return Err(fault(FlagProblem::InitWords));
            }
            _ => {
                init.directory = Some(PathBuf::from(word));
                continue;
            }
        };
        match name.as_str() {
            "no-tls" if value.is_none() => init.tls = false,
            "users" | "user" | "host" | "hosts" => {
                let value = value.or_else(|| rest.next().cloned());
                let value = value.filter(|value| !value.is_empty());
                let value = value.ok_or_else(|| fault(FlagProblem::NeedsValue(written.clone())))?;
                let (list, is_good): (_, fn(&str) -> bool) = match name.starts_with("user") {
                    true => (&mut init.users, is_user),
                    false => (&mut init.hosts, is_host),
                };
                add(list, &written, &value.to_string_lossy(), is_good)?;
            }
            _ => {
                let nearest = nearest_word(["users", "host", "no-tls"].into_iter(), &name);
                return Err(fault(FlagProblem::UnknownFlag {
                    flag: written,
                    nearest: nearest.map(|name| format!("--{name}")),
                }));
            }
        }
    }
    for (flag, list, most) in [
        ("--users", &init.users, USERS_MAX),
        ("--host", &init.hosts, HOSTS_MAX),
    ] {
        if list.len() > most {
            let flag = flag.to_owned();
            return Err(fault(FlagProblem::TooManyNames { flag, most }));
        }
    }
    Ok(init)
}

/// Adds names that are separated by commas, each once.
fn add(
    list: &mut Vec<String>,
    flag: &str,
    value: &str,
    is_good: fn(&str) -> bool,
) -> Result<(), Box<Fault>> {
    let mut seen: BTreeSet<String> = list.iter().cloned().collect();
    for name in value.split(',').map(str::trim) {
        if !is_good(name) {
            return Err(Box::new(Fault::anywhere(FlagProblem::BadName {
                flag: flag.to_owned(),
                name: name.to_owned(),
            })));
        }
        if seen.insert(name.to_owned()) {
            list.push(name.to_owned());
        }
    }
    Ok(())
}

/// A name that a file can be called by, and nobody mistakes for something else.
fn is_user(name: &str) -> bool {
    let plain = |found: char| found.is_alphanumeric() || "._-@".contains(found);
    (1..=USER_CHARS_MAX).contains(&name.chars().count())
        && name.starts_with(char::is_alphanumeric)
        && name.chars().all(plain)
}

/// A name or an address of a machine; a `*` may stand for the first part.
fn is_host(name: &str) -> bool {
    if name.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&part.len()) && part.bytes().all(plain) && !part.starts_with('-')
    };
    name.len() <= HOST_CHARS_MAX && rest.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::locale::Lang;

    fn read_words(line: &str) -> Result<Init, String> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        read(&words).map_err(|fault| fault.text(Lang::En))
    }

    #[test]
    fn names_are_gathered_from_lists_and_repeated_flags() {
        let init =
            read_words("here --users ana,luis --users=ana,eva --host a.example,::1 --no-tls");
        let init = init.unwrap();
        assert_eq!(init.directory, Some("here".into()));
        assert_eq!(init.users, ["ana", "luis", "eva"]);
        assert_eq!(init.hosts, ["a.example", "::1"]);
        assert!(!init.tls);
        assert!(read_words("").unwrap().tls);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for line in [
            "--users ../ana",
            "--users .ana",
            "--users ana,",
            "--users a/b",
            "--host bad_host!",
            "--host -x",
            "--host a..b",
            "--users",
            "one two",
            "--tls",
        ] {
            let said = read_words(line);
            assert!(said.is_err(), "{line}: {said:?}");
        }
    }
}
