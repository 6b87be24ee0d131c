//! Which language the program speaks: chosen once, before anything is said.
//!
//! It must never be read from a message's content or changed while the program runs: a screen
//! that is half English and half Spanish helps nobody.

use std::ffi::{OsStr, OsString};
use std::sync::OnceLock;

/// A language of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Lang {
    /// English, which is also what every unknown locale gets.
    En,
    /// Spanish.
    Es,
}

static CHOSEN: OnceLock<Lang> = OnceLock::new();

/// The language of this run; English before [`choose`] was called.
pub(crate) fn current() -> Lang {
    CHOSEN.get().copied().unwrap_or(Lang::En)
}

/// Fixes the language of this run: `--lang` if it stands among the arguments, the locale's otherwise.
///
/// The arguments are looked at before they are parsed, because the parser's own help and errors
/// must already be in the right language.
pub(crate) fn choose(arguments: &[OsString]) {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    let lang = from_arguments(arguments).or_else(|| locale.as_deref().map(from_locale));
    let _ = CHOSEN.set(lang.unwrap_or(Lang::En));
}

fn from_arguments(arguments: &[OsString]) -> Option<Lang> {
    let mut rest = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(argument) = rest.next() {
        let value = match argument {
            _ if ends_ours(argument.as_ref()) => return None,
            "--lang" => rest.next()?,
            _ => match argument.strip_prefix("--lang=") {
                Some(value) => value,
                None => continue,
            },
        };
        return match value {
            "es" => Some(Lang::Es),
            "en" => Some(Lang::En),
            _ => None,
        };
    }
    None
}

/// Whether what follows is not for us: a program's arguments, or text.
pub(crate) fn ends_ours(argument: &OsStr) -> bool {
    argument == "--" || argument == "--exec"
}

/// `es`, `es_AR.UTF-8`, `es-ES` are Spanish; all else is English.
fn from_locale(locale: &str) -> Lang {
    let language = locale
        .split(['_', '-', '.', '@'])
        .next()
        .unwrap_or_default();
    if language.eq_ignore_ascii_case("es") {
        Lang::Es
    } else {
        Lang::En
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(list: &[&str]) -> Vec<OsString> {
        list.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_flag_is_found_in_both_spellings_and_not_behind_the_double_dash() {
        assert_eq!(
            from_arguments(&arguments(&["recado", "--lang", "es"])),
            Some(Lang::Es)
        );
        assert_eq!(
            from_arguments(&arguments(&["recado", "pub", "--lang=en"])),
            Some(Lang::En)
        );
        assert_eq!(
            from_arguments(&arguments(&["recado", "pub", "--", "--lang=es"])),
            None
        );
        let program = ["recado", "reply", "x", "--exec", "ls", "--lang=es"];
        assert_eq!(from_arguments(&arguments(&program)), None);
        assert_eq!(from_arguments(&arguments(&["recado", "--lang"])), None);
    }

    #[test]
    fn a_spanish_locale_of_any_country_is_spanish_and_an_estonian_one_is_not() {
        for locale in ["es", "es_AR.UTF-8", "es-ES", "ES_mx"] {
            assert_eq!(from_locale(locale), Lang::Es, "{locale}");
        }
        for locale in ["est", "C", "en_US.UTF-8", "POSIX"] {
            assert_eq!(from_locale(locale), Lang::En, "{locale}");
        }
    }
}
