//! Permissions held against a plain model: every rule tried on every subject, token by token.

use std::time::Duration;

use proptest::prelude::*;
use recado_wire::filter_matches;

use super::*;

fn spec(publish: Rules, subscribe: Rules) -> PermissionsSpec {
    PermissionsSpec {
        publish,
        subscribe,
        responses: None,
    }
}

fn rules(allow: Option<&[&str]>, deny: &[&str]) -> Rules {
    let owned = |list: &[&str]| list.iter().map(|&rule| rule.to_owned()).collect();
    Rules {
        allow: allow.map(owned),
        deny: owned(deny),
    }
}

fn subscribing(subscribe: Rules) -> Permissions {
    Permissions::new(spec(Rules::default(), subscribe)).unwrap()
}

fn publishing(publish: Rules) -> Permissions {
    Permissions::new(spec(publish, Rules::default())).unwrap()
}

// What nats-server's lists mean, told plainly.
mod model {
    use super::*;

    fn parts(rule: &str) -> (&str, Option<&str>) {
        match rule.split_once(' ') {
            Some((subject, queue)) => (subject, Some(queue)),
            None => (rule, None),
        }
    }

    fn fits(filter: &str, subject: &str) -> bool {
        filter_matches(filter.as_bytes(), subject.as_bytes())
    }

    /// An allowed filter ends in `>` only below a rule that does.
    fn covers(rule: &str, asked: &str) -> bool {
        fits(rule, asked) && (!asked.ends_with('>') || rule.ends_with('>'))
    }

    fn group_fits(rule: &str, queue: &str) -> bool {
        if rule == queue {
            return true;
        }
        let (rule, queue): (Vec<_>, Vec<_>) =
            (rule.split('.').collect(), queue.split('.').collect());
        let head = rule.len() - usize::from(rule.last() == Some(&">"));
        let whole = head < rule.len();
        (if whole {
            queue.len() > head
        } else {
            queue.len() == head
        }) && queue[..head.min(queue.len())]
            .iter()
            .zip(&rule)
            .all(|(token, wanted)| *token != ">" && (*wanted == "*" || token == wanted))
    }

    pub(super) fn publish(rules: &Rules, subject: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|rule| fits(rule, subject));
        rules.allow.as_deref().is_none_or(named) && !named(&rules.deny)
    }

    pub(super) fn subscribe(rules: &Rules, filter: &str, queue: Option<&str>) -> bool {
        let allowed = match rules.allow.as_deref() {
            None | Some([]) => true,
            Some(list) => {
                let hits: Vec<_> = list
                    .iter()
                    .map(|rule| parts(rule))
                    .filter(|(rule, _)| covers(rule, filter))
                    .collect();
                let groups: Vec<_> = hits.iter().filter_map(|(_, group)| *group).collect();
                match queue {
                    Some(queue) if !groups.is_empty() => {
                        groups.iter().any(|group| group_fits(group, queue))
                    }
                    _ => hits.iter().any(|(_, group)| group.is_none()),
                }
            }
        };
        allowed && deliver(rules, filter, queue)
    }

    pub(super) fn deliver(rules: &Rules, subject: &str, queue: Option<&str>) -> bool {
        !rules.deny.iter().any(|rule| {
            let (rule, group) = parts(rule);
            fits(rule, subject)
                && match (group, queue) {
                    (None, _) => true,
                    (Some(group), Some(queue)) => group_fits(group, queue),
                    (Some(_), None) => false,
                }
        })
    }
}

fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "a*"])
}

fn subject() -> impl Strategy<Value = String> {
    prop::collection::vec(token(), 1..4).prop_map(|tokens| tokens.join("."))
}

fn filter() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec!["a", "a", "b", "c", "*", "a*"]);
    (prop::collection::vec(token, 0..4), any::<bool>()).prop_map(|(mut tokens, tail)| {
        if tail || tokens.is_empty() {
            tokens.push(">");
        }
        tokens.join(".")
    })
}

fn group() -> impl Strategy<Value = String> {
    let names = vec!["q", "q.one", "q.two", "q.*", "q.>", "*", ">", "other"];
    prop::sample::select(names).prop_map(str::to_owned)
}

fn queue_rule() -> impl Strategy<Value = String> {
    prop_oneof![
        filter(),
        (filter(), group()).prop_map(|(filter, group)| format!("{filter} {group}")),
    ]
}

fn lists(rule: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = Rules> {
    let allow = prop::option::of(prop::collection::vec(rule.clone(), 0..4));
    let deny = prop::collection::vec(rule, 0..4);
    (allow, deny).prop_map(|(allow, deny)| Rules { allow, deny })
}

/// All subjects of one to four of the tokens that the rules are made of.
fn every_subject() -> Vec<String> {
    let mut all: Vec<String> = vec![String::new()];
    let mut longest = all.clone();
    for _ in 0..4 {
        longest = longest
            .iter()
            .flat_map(|start| {
                ["a", "b", "c", "a*"].map(|token| match start.as_str() {
                    "" => token.to_owned(),
                    start => format!("{start}.{token}"),
                })
            })
            .collect();
        all.extend(longest.iter().cloned());
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn publishing_is_as_the_plain_model_says(
        rules in lists(filter().boxed()),
        subjects in prop::collection::vec(subject(), 1..20),
    ) {
        let permissions = publishing(rules.clone());
        for subject in &subjects {
            let expected = model::publish(&rules, subject);
            prop_assert_eq!(permissions.may_publish(subject.as_bytes()), expected, "{}", subject);
        }
    }

    #[test]
    fn subscribing_and_delivering_are_as_the_plain_model_says(
        rules in lists(queue_rule().boxed()),
        asked in filter(),
        queue in prop::option::of(group()),
        subjects in prop::collection::vec(subject(), 1..20),
    ) {
        let permissions = subscribing(rules.clone());
        let group = queue.as_deref();
        let decision = permissions.subscription(asked.as_bytes(), group.map(str::as_bytes));
        let allowed = model::subscribe(&rules, &asked, group);
        prop_assert_eq!(decision != Subscribing::Denied, allowed);
        for subject in &subjects {
            let delivered = permissions.may_deliver(subject.as_bytes(), group.map(str::as_bytes));
            prop_assert_eq!(delivered, model::deliver(&rules, subject, group), "{}", subject);
        }
    }

    /// What is not filtered needs no filter, and what is filtered has something to filter.
    #[test]
    fn only_subscriptions_with_denied_subjects_inside_are_filtered(
        rules in lists(queue_rule().boxed()),
        asked in filter(),
        queue in prop::option::of(group()),
    ) {
        let permissions = subscribing(rules.clone());
        let group = queue.as_deref();
        let decision = permissions.subscription(asked.as_bytes(), group.map(str::as_bytes));
        let denied_inside = every_subject()
            .iter()
            .filter(|subject| filter_matches(asked.as_bytes(), subject.as_bytes()))
            .any(|subject| !model::deliver(&rules, subject, group));
        match decision {
            Subscribing::Denied => {}
            // Subjects longer than those tried may be meant, where both go on for ever.
            Subscribing::Filtered if asked.split('.').count() > 3 => {}
            Subscribing::Filtered => prop_assert!(denied_inside),
            Subscribing::Allowed => prop_assert!(!denied_inside),
        }
    }

    /// Nobody receives through a filter what they could not have subscribed to by its own name,
    /// as long as no queue groups complicate the lists.
    #[test]
    fn a_wide_subscription_reaches_no_further_than_narrow_ones(
        rules in lists(filter().boxed()),
        asked in filter(),
        subjects in prop::collection::vec(subject(), 1..20),
    ) {
        let permissions = subscribing(rules);
        let decision = permissions.subscription(asked.as_bytes(), None);
        for subject in subjects.iter().map(String::as_bytes) {
            let received = filter_matches(asked.as_bytes(), subject) && match decision {
                Subscribing::Denied => false,
                Subscribing::Allowed => true,
                Subscribing::Filtered => permissions.may_deliver(subject, None),
            };
            if received {
                prop_assert_ne!(permissions.subscription(subject, None), Subscribing::Denied);
            }
        }
    }
}

#[test]
fn no_lists_allow_everything() {
    let permissions = Permissions::new(PermissionsSpec::default()).unwrap();
    assert!(permissions.may_publish(b"any.thing"));
    assert_eq!(permissions.subscription(b">", None), Subscribing::Allowed);
    assert!(permissions.may_deliver(b"any.thing", None));
    assert_eq!(permissions.responses(), None);
}

#[test]
fn an_empty_list_of_what_may_be_published_allows_nothing() {
    assert!(!publishing(rules(Some(&[]), &[])).may_publish(b"a"));
    let permissions = subscribing(rules(Some(&[]), &[]));
    assert_eq!(permissions.subscription(b"a", None), Subscribing::Allowed);
}

#[test]
fn deny_wins() {
    let permissions = publishing(rules(Some(&["orders.>"]), &["orders.secret.>"]));
    assert!(permissions.may_publish(b"orders.new"));
    assert!(!permissions.may_publish(b"orders.secret.x"));
    assert!(!permissions.may_publish(b"other"));
}

#[test]
fn a_subject_with_an_empty_token_is_in_no_list() {
    assert!(!publishing(rules(Some(&[">"]), &[])).may_publish(b"a..b"));
    assert!(!publishing(rules(Some(&[">"]), &[])).may_publish(b""));
}

#[test]
fn an_allow_with_a_queue_group_forbids_the_plain_subscription() {
    let permissions = subscribing(rules(Some(&["foo q.*"]), &[]));
    for (queue, allowed) in [
        (None, false),
        (Some("q.one"), true),
        (Some("q.one.two"), false),
        (Some("other"), false),
        (Some(""), false),
    ] {
        let decision = permissions.subscription(b"foo", queue.map(str::as_bytes));
        assert_eq!(decision == Subscribing::Allowed, allowed, "{queue:?}");
    }
}

#[test]
fn a_plain_and_a_queued_allow_leave_plain_subscriptions_and_that_queue() {
    let permissions = subscribing(rules(Some(&["foo", "foo v1"]), &[]));
    assert_eq!(permissions.subscription(b"foo", None), Subscribing::Allowed);
    let queue = |name: &[u8]| permissions.subscription(b"foo", Some(name));
    assert_eq!(queue(b"v1"), Subscribing::Allowed);
    assert_eq!(queue(b"v2"), Subscribing::Denied);
}

#[test]
fn a_denied_queue_concerns_no_other_and_no_plain_subscription() {
    let permissions = subscribing(rules(None, &["foo.bar dev.>"]));
    assert_eq!(
        permissions.subscription(b"foo.*", None),
        Subscribing::Allowed
    );
    let queue = |filter: &[u8], name: &[u8]| permissions.subscription(filter, Some(name));
    assert_eq!(queue(b"foo.*", b"prod"), Subscribing::Allowed);
    assert_eq!(queue(b"foo.*", b"dev.x"), Subscribing::Filtered);
    assert_eq!(queue(b"foo.bar", b"dev.x"), Subscribing::Denied);
    assert!(!permissions.may_deliver(b"foo.bar", Some(b"dev.x")));
    assert!(permissions.may_deliver(b"foo.bar", Some(b"prod")));
    assert!(permissions.may_deliver(b"foo.bar", None));
}

#[test]
fn an_allowed_star_does_not_reach_below_itself() {
    let permissions = subscribing(rules(Some(&["foo.*"]), &[]));
    assert_eq!(
        permissions.subscription(b"foo.>", None),
        Subscribing::Denied
    );
    assert_eq!(
        permissions.subscription(b"foo.*", None),
        Subscribing::Allowed
    );
}

#[test]
fn allowed_responses_leave_nothing_else_to_publish() {
    let allowing = |publish: Rules, responses| {
        Permissions::new(PermissionsSpec {
            publish,
            subscribe: Rules::default(),
            responses: Some(responses),
        })
        .unwrap()
    };
    let only = allowing(
        Rules::default(),
        Responses {
            max: 0,
            ..Responses::default()
        },
    );
    assert!(!only.may_publish(b"a"));
    assert_eq!(only.responses(), Some(&Responses::default()));
    let some = allowing(rules(Some(&["a"]), &[]), Responses::default());
    assert!(some.may_publish(b"a") && !some.may_publish(b"b"));
}

#[test]
fn rules_that_mean_nothing_are_refused() {
    for bad in ["", " ", "a..b", ".a", "a.>.b", "a q..x"] {
        let refused = Permissions::new(spec(Rules::default(), rules(None, &[bad])));
        assert_eq!(
            refused.err(),
            Some(InvalidPermissions::Subject(bad.to_owned()))
        );
    }
    let refused = |publish, subscribe| Permissions::new(spec(publish, subscribe)).err();
    assert_eq!(
        refused(rules(None, &["a q"]), Rules::default()),
        Some(InvalidPermissions::QueueForPublish("a q".to_owned()))
    );
    assert_eq!(
        refused(Rules::default(), rules(Some(&["a q r"]), &[])),
        Some(InvalidPermissions::TooManyWords("a q r".to_owned()))
    );
    let many = vec!["a"; RULES_MAX + 1];
    assert_eq!(
        refused(rules(Some(&many), &[]), Rules::default()),
        Some(InvalidPermissions::TooMany(RULES_MAX + 1))
    );
}

#[test]
fn they_are_shown_as_clients_know_them() {
    let permissions = Permissions::new(PermissionsSpec {
        publish: rules(None, &["x"]),
        subscribe: rules(Some(&["a q"]), &[]),
        responses: Some(Responses {
            max: -1,
            expires: Duration::ZERO,
        }),
    })
    .unwrap();
    assert_eq!(
        serde_json::to_string(permissions.spec()).unwrap(),
        r#"{"publish":{"deny":["x"]},"subscribe":{"allow":["a q"]},"responses":{"max":-1,"ttl":-1}}"#
    );
}

#[test]
fn a_deep_subject_costs_a_walk_and_no_more() {
    let deep = vec!["a"; recado_wire::FILTER_TOKENS_MAX].join(".");
    let stars = vec!["*"; recado_wire::FILTER_TOKENS_MAX].join(".");
    let permissions = publishing(rules(Some(&[&deep, &stars]), &[]));
    assert!(permissions.may_publish(deep.as_bytes()));
    assert!(!permissions.may_publish(format!("{deep}.a").as_bytes()));
}
