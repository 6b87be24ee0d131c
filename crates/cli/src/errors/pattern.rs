//! Texts with placeholders (`wrong last sequence: {seq}`), met in what a program printed.

/// What is around the placeholders of a text, in lower case.
#[derive(Debug)]
pub(crate) struct Pattern {
    pieces: Vec<String>,
    /// Whether it ends with a placeholder.
    open: bool,
}

impl Pattern {
    /// The pattern of a text of the catalogue.
    pub(crate) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((_, after)) = after.split_once('}') else {
                break;
            };
            pieces.push(before.to_lowercase());
            rest = after;
        }
        let open = rest.is_empty() && !pieces.is_empty();
        pieces.push(rest.to_lowercase());
        pieces.retain(|piece| !piece.is_empty());
        Self { pieces, open }
    }

    /// How many letters of it are fixed: the more, the surer is a match.
    pub(crate) fn weight(&self) -> usize {
        self.pieces.iter().map(|piece| piece.chars().count()).sum()
    }

    /// Whether `written`, in lower case, is this text, whatever stands for the placeholders.
    pub(crate) fn is(&self, written: &str) -> bool {
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else {
            return false;
        };
        written.starts_with(first.as_str())
            && (self.open || written.ends_with(last.as_str()))
            && self.is_in(written)
            && (self.open || self.pieces.len() > 1 || written.len() == first.len())
    }

    /// Whether `written`, in lower case, has this text somewhere.
    pub(crate) fn is_in(&self, written: &str) -> bool {
        let mut rest = written;
        for piece in &self.pieces {
            match rest.split_once(piece.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        !self.pieces.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_anything() {
        let pattern = Pattern::new("wrong last sequence: {seq}");
        assert!(pattern.is("wrong last sequence: 17"));
        assert!(pattern.is_in("nats: error: wrong last sequence: 17 (10071)"));
        assert!(!pattern.is_in("wrong last sequence"));
        let quoted = Pattern::new("Violation for Publish to \"{subject}\"");
        assert!(quoted.is("violation for publish to \"a.b\""));
        assert!(!quoted.is("violation for publish to \"a.b\" again"));
    }

    #[test]
    fn a_text_without_placeholders_is_only_itself() {
        let pattern = Pattern::new("bad request");
        assert!(pattern.is("bad request"));
        assert!(!pattern.is("bad request, bad request"));
        assert!(pattern.is_in("a bad request"));
    }

    #[test]
    fn a_text_that_is_all_placeholder_matches_nothing() {
        for text in ["{err}", ""] {
            let pattern = Pattern::new(text);
            assert!(!pattern.is("anything") && !pattern.is_in("anything"));
            assert_eq!(pattern.weight(), 0);
        }
    }
}
