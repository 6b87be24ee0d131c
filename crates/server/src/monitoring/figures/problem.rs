//! Why there is no document.

/// A request that can't be answered, with a status of HTTP and a text for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: u16,
    text: String,
}

impl Problem {
    /// It makes no sense.
    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self {
            status: 400,
            text: text.into(),
        }
    }

    /// Whoever asks may not know.
    pub(crate) fn forbidden(text: impl Into<String>) -> Self {
        Self {
            status: 403,
            text: text.into(),
        }
    }

    /// A parameter is none of its kind.
    pub(crate) fn bad_parameter(kind: &str, name: &str, value: &str) -> Self {
        const SHOWN_CHARS: usize = 64;
        let shown: String = value.chars().take(SHOWN_CHARS).collect();
        Self::bad_request(format!(
            "Error decoding {kind} for '{name}': {:?} is none",
            shown
        ))
    }

    /// What is asked for does not answer.
    pub(crate) fn unavailable(text: impl Into<String>) -> Self {
        Self {
            status: 503,
            text: text.into(),
        }
    }

    /// It could not be made.
    pub(crate) fn internal(text: impl Into<String>) -> Self {
        Self {
            status: 500,
            text: text.into(),
        }
    }

    /// There are more streams and consumers than one document may hold.
    pub(crate) fn too_many(assets_max: usize) -> Self {
        Self {
            status: 500,
            text: format!(
                "there are more than {assets_max} streams and consumers; ask for less (without consumers), or over the JetStream API"
            ),
        }
    }

    /// There is more than one document may hold.
    pub(crate) fn too_large(bytes_max: usize) -> Self {
        Self {
            status: 500,
            text: format!(
                "there is more to tell than {bytes_max} bytes; ask for a part (limit, acc)"
            ),
        }
    }

    /// Status of HTTP.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// What was wrong.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}
