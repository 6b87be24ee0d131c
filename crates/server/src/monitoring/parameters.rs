//! What a query asks for: `?subs=detail&limit=10`. Unknown parameters are passed over, as nats-server does;
//! values that are none of their kind are refused by name.

use super::figures::Problem;

/// Parameters read from one query.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part of an address behind its question mark.
    pub(crate) fn new(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// The first value under a name; empty for none.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The same, owned.
    pub(super) fn string(&self, name: &str) -> String {
        self.text(name).to_owned()
    }

    /// A switch, in all the ways that Go writes one; off where nothing is said.
    pub(super) fn boolean(&self, name: &str) -> Result<bool, Problem> {
        match self.text(name) {
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            other => Err(Problem::bad_parameter("boolean", name, other)),
        }
    }

    /// A number; 0 where nothing is said. What is below 0 stands for it.
    pub(crate) fn count(&self, name: &str) -> Result<usize, Problem> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(0);
        }
        let number = text
            .parse::<i64>()
            .map_err(|_| Problem::bad_parameter("int", name, text))?;
        Ok(usize::try_from(number).unwrap_or(0))
    }

    /// A number that is never below 0; 0 where nothing is said.
    pub(super) fn id(&self, name: &str) -> Result<u64, Problem> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(0);
        }
        text.parse()
            .map_err(|_| Problem::bad_parameter("uint64", name, text))
    }

    /// `subs`: nothing, a switch, or `detail`. Whether they are listed, and whether with details.
    pub(super) fn subscriptions(&self) -> Result<(bool, bool), Problem> {
        if self.text("subs").eq_ignore_ascii_case("detail") {
            return Ok((false, true));
        }
        Ok((self.boolean("subs")?, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_the_first_of_a_name_counts() {
        let query = Query::new("acc=a%20b+c&acc=d&limit=-3&x");
        assert_eq!(query.text("acc"), "a b c");
        assert_eq!(query.count("limit").unwrap(), 0);
        assert_eq!(query.text("x"), "");
        assert_eq!(query.text("none"), "");
    }

    #[test]
    fn what_is_none_of_its_kind_is_refused_by_name() {
        let query = Query::new("auth=perhaps&limit=ten&cid=-1&subs=all");
        let texts = [
            query.boolean("auth").unwrap_err(),
            query.count("limit").unwrap_err(),
            query.id("cid").unwrap_err(),
            query.subscriptions().unwrap_err(),
        ];
        for (problem, name) in texts.iter().zip(["'auth'", "'limit'", "'cid'", "'subs'"]) {
            assert_eq!(problem.status(), 400);
            assert!(problem.text().contains(name), "{}", problem.text());
        }
    }

    #[test]
    fn subscriptions_are_listed_with_or_without_details() {
        for (text, expected) in [
            ("", (false, false)),
            ("subs=1", (true, false)),
            ("subs=Detail", (false, true)),
        ] {
            assert_eq!(Query::new(text).subscriptions().unwrap(), expected);
        }
    }
}
