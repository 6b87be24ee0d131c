//! Which language the server speaks to people. It never reads the environment by itself: the
//! caller hands in how to look a variable up.

/// A language that every text for people exists in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

impl Lang {
    /// The language of a code such as `es`, `en` or a locale name such as `es_ES.UTF-8`; `None`
    /// for a language that there are no texts in.
    pub fn from_code(code: &str) -> Option<Self> {
        let language = code.split(['_', '-', '.', '@']).next().unwrap_or_default();
        match language.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "es" => Some(Self::Es),
            _ => None,
        }
    }

    /// The language of the environment: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is
    /// set and not empty decides, as POSIX has it. English where it names another language.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Self {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| variable(name))
            .find(|value| !value.is_empty())
            .and_then(|value| Self::from_code(&value))
            .unwrap_or_default()
    }

    /// The code that `--lang` takes.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;

    fn from(set: &[(&str, &str)]) -> Lang {
        Lang::from_env(|name| {
            set.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_variable_that_is_set_decides() {
        assert_eq!(from(&[]), Lang::En);
        assert_eq!(from(&[("LANG", "es_ES.UTF-8")]), Lang::Es);
        assert_eq!(from(&[("LANG", "es_ES.UTF-8"), ("LC_ALL", "C")]), Lang::En);
        assert_eq!(from(&[("LANG", "en_GB"), ("LC_MESSAGES", "es")]), Lang::Es);
        assert_eq!(from(&[("LANG", "es-419"), ("LC_ALL", "")]), Lang::Es);
    }

    #[test]
    fn a_language_without_texts_falls_back_to_english() {
        assert_eq!(from(&[("LANG", "fr_FR.UTF-8")]), Lang::En);
        assert_eq!(Lang::from_code("fr"), None);
        assert_eq!(Lang::from_code("ES"), Some(Lang::Es));
    }
}
