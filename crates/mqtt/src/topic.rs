//! Topics and the subjects that stand for them (B19).
//!
//! A topic's levels are a subject's tokens. What a token can't be is written in another way: an empty level is the token
//! `/`, and a `.` within a level is `//`. Whitespace and DEL can't be written at all.

use std::fmt;

/// Subjects that a filter stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    /// What it matches.
    pub filter: String,
    /// `#` stands for the level above it, too: that is a subject of its own.
    pub parent: Option<String>,
}

/// Why a topic stands for no subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTopic {
    /// It is empty.
    Empty,
    /// Whitespace, a NUL or DEL.
    Unwritable,
    /// `+` or `#` in the topic of a message.
    Wildcard,
    /// `+` or `#` where it is not the whole level, or `#` before the last one.
    Misplaced,
    /// A level that is `*` or `>`: subjects have these for wildcards.
    SubjectWildcard,
}

impl fmt::Display for InvalidTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::Unwritable => "it holds whitespace, a NUL or DEL, which subjects can't hold",
            Self::Wildcard => "a message's topic must not hold + or #",
            Self::Misplaced => "+ and # must be a whole level, and # the last one",
            Self::SubjectWildcard => "a level must not be * or >: these are wildcards of subjects",
        })
    }
}

impl std::error::Error for InvalidTopic {}

/// The subject that messages on `topic` are published to.
///
/// # Errors
/// When there is none.
pub fn topic_to_subject(topic: &str) -> Result<String, InvalidTopic> {
    check(topic)?;
    if topic.contains(['+', '#']) {
        return Err(InvalidTopic::Wildcard);
    }
    let mut subject = String::with_capacity(topic.len() + 8);
    for (at, level) in topic.split('/').enumerate() {
        push_token(&mut subject, at, level)?;
    }
    Ok(subject)
}

/// The subjects that a subscription to `filter` is one to.
///
/// # Errors
/// When there are none.
pub fn filter_to_subjects(filter: &str) -> Result<Subjects, InvalidTopic> {
    check(filter)?;
    let mut subject = String::with_capacity(filter.len() + 8);
    let mut parent = None;
    let mut levels = filter.split('/').enumerate().peekable();
    while let Some((at, level)) = levels.next() {
        let wildcard = match level {
            "+" => '*',
            "#" if levels.peek().is_none() => {
                parent = (at > 0).then(|| subject.clone());
                '>'
            }
            _ if level.contains(['+', '#']) => return Err(InvalidTopic::Misplaced),
            _ => {
                push_token(&mut subject, at, level)?;
                continue;
            }
        };
        if at > 0 {
            subject.push('.');
        }
        subject.push(wildcard);
    }
    Ok(Subjects {
        filter: subject,
        parent,
    })
}

/// The topic that messages on `subject` have. What no topic is written as loses a `/` that means nothing.
pub fn subject_to_topic(subject: &str) -> String {
    let mut topic = String::with_capacity(subject.len());
    for (at, token) in subject.split('.').enumerate() {
        if at > 0 {
            topic.push('/');
        }
        let mut letters = token.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter != '/' {
                topic.push(letter);
            } else if letters.next_if_eq(&'/').is_some() {
                topic.push('.');
            }
        }
    }
    topic
}

/// Whether a filter begins with a wildcard. Such a one is not for topics that begin with `$`.
pub fn begins_with_wildcard(filter: &str) -> bool {
    filter.starts_with(['+', '#'])
}

fn check(topic: &str) -> Result<(), InvalidTopic> {
    let unwritable = |letter| matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0c' | '\0' | '\x7f');
    if topic.is_empty() {
        return Err(InvalidTopic::Empty);
    }
    match topic.contains(unwritable) {
        true => Err(InvalidTopic::Unwritable),
        false => Ok(()),
    }
}

/// Appends a level as a token.
fn push_token(subject: &mut String, at: usize, level: &str) -> Result<(), InvalidTopic> {
    if at > 0 {
        subject.push('.');
    }
    match level {
        "" => subject.push('/'),
        "*" | ">" => return Err(InvalidTopic::SubjectWildcard),
        _ => {
            for letter in level.chars() {
                match letter {
                    '.' => subject.push_str("//"),
                    _ => subject.push(letter),
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn topics_are_written_as_nats_server_writes_them() {
        for (topic, subject) in [
            ("foo", "foo"),
            ("foo/bar", "foo.bar"),
            ("/foo", "/.foo"),
            ("foo/", "foo./"),
            ("/", "/./"),
            ("//", "/././"),
            ("foo//bar", "foo./.bar"),
            ("foo///bar", "foo././.bar"),
            ("foo.bar", "foo//bar"),
            (".", "//"),
            ("a/.b/c", "a.//b.c"),
            ("$SYS/x", "$SYS.x"),
        ] {
            assert_eq!(topic_to_subject(topic).as_deref(), Ok(subject), "{topic}");
            assert_eq!(subject_to_topic(subject), topic);
        }
    }

    #[test]
    fn filters_stand_for_the_level_above_too() {
        let subjects = |filter: &str, parent: Option<&str>| {
            Ok(Subjects {
                filter: filter.to_owned(),
                parent: parent.map(str::to_owned),
            })
        };
        for (filter, expected) in [
            ("a/+", subjects("a.*", None)),
            ("+", subjects("*", None)),
            ("#", subjects(">", None)),
            ("a/#", subjects("a.>", Some("a"))),
            ("+/b/#", subjects("*.b.>", Some("*.b"))),
            ("/#", subjects("/.>", Some("/"))),
            ("a/+/", subjects("a.*./", None)),
            ("a#", Err(InvalidTopic::Misplaced)),
            ("a/#/b", Err(InvalidTopic::Misplaced)),
            ("a+/b", Err(InvalidTopic::Misplaced)),
            ("a/*", Err(InvalidTopic::SubjectWildcard)),
            (">", Err(InvalidTopic::SubjectWildcard)),
            ("a b", Err(InvalidTopic::Unwritable)),
            ("", Err(InvalidTopic::Empty)),
        ] {
            assert_eq!(filter_to_subjects(filter), expected, "{filter}");
        }
        assert!(begins_with_wildcard("+/a") && begins_with_wildcard("#"));
        assert!(!begins_with_wildcard("$SYS/#"));
    }

    #[test]
    fn a_message_s_topic_holds_no_wildcard() {
        for (topic, why) in [
            ("a/+", InvalidTopic::Wildcard),
            ("#", InvalidTopic::Wildcard),
            ("a/>", InvalidTopic::SubjectWildcard),
            ("a\u{7f}", InvalidTopic::Unwritable),
        ] {
            assert_eq!(topic_to_subject(topic), Err(why), "{topic}");
        }
    }

    /// Whether a topic filter matches a topic, as the standard says it.
    fn matches(filter: &str, topic: &str) -> bool {
        let (mut filters, mut levels) = (filter.split('/'), topic.split('/'));
        loop {
            match (filters.next(), levels.next()) {
                (Some("#"), _) => return true,
                (Some("+"), Some(_)) => {}
                (Some(one), Some(other)) if one == other => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }

    /// The same of a subject.
    fn subject_matches(filter: &str, subject: &str) -> bool {
        let (mut filters, mut tokens) = (filter.split('.'), subject.split('.'));
        loop {
            match (filters.next(), tokens.next()) {
                (Some(">"), Some(_)) => return true,
                (Some("*"), Some(_)) => {}
                (Some(one), Some(other)) if one == other => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }

    proptest! {
        #[test]
        fn a_topic_comes_back_from_its_subject(topic in "[a-c./$é]{1,12}") {
            let subject = topic_to_subject(&topic).unwrap();
            prop_assert!(!subject.is_empty() && subject.split('.').all(|token| !token.is_empty()));
            prop_assert_eq!(subject_to_topic(&subject), topic);
        }

        #[test]
        fn filters_match_the_same_topics_as_their_subjects_do(
            filter in "(\\+|[ab.]{0,2})(/(\\+|[ab.]{0,2})){0,3}(/#)?",
            topic in "[ab./]{1,6}",
        ) {
            prop_assume!(!filter.is_empty());
            let subject = topic_to_subject(&topic).unwrap();
            let subjects = filter_to_subjects(&filter).unwrap();
            let by_subject = subject_matches(&subjects.filter, &subject)
                || subjects.parent.is_some_and(|parent| subject_matches(&parent, &subject));
            prop_assert_eq!(by_subject, matches(&filter, &topic));
        }

        #[test]
        fn any_text_is_written_or_refused(text in any::<String>(), subject in any::<String>()) {
            let _ = (topic_to_subject(&text), filter_to_subjects(&text));
            let _ = subject_to_topic(&subject);
        }
    }
}
