//! Priority groups (ADR-42).

use super::*;

fn grouped(policy: PriorityPolicy) -> ConsumerConfig {
    ConsumerConfig {
        priority_policy: policy,
        priority_groups: vec!["g".to_owned()],
        priority_timeout: 10 * SECOND,
        ..pull_config()
    }
}

#[test]
fn overflow_is_served_only_once_there_is_enough() {
    let mut world = World::new(grouped(PriorityPolicy::Overflow), &["a", "b"]);
    world.pull("x", r#"{"batch": 5, "group": "g", "min_pending": 3}"#);
    assert_eq!(world.delivered(), [0u64; 0]);
    world.publish("c");
    assert_eq!(world.delivered(), vec![1]);
    world.pull("y", r#"{"batch": 1, "group": "g"}"#);
    assert_eq!(world.delivered(), vec![2]);
}

#[test]
fn one_client_has_the_group_until_it_is_gone() {
    let mut world = World::new(grouped(PriorityPolicy::PinnedClient), &["a"]);
    world.pull("x", r#"{"batch": 1, "group": "g"}"#);
    let sent = world.sent();
    let headers = sent
        .first()
        .map(|sent| sent.headers.clone())
        .expect("a message");
    let id = headers
        .split("Nats-Pin-Id: ")
        .nth(1)
        .and_then(|rest| rest.lines().next())
        .expect("an id");
    let pinned = Event::Pinned {
        group: "g".to_owned(),
        pin_id: id.to_owned(),
    };
    assert_eq!(world.events(), [pinned]);
    assert_eq!(
        world
            .info()
            .priority_groups
            .first()
            .map(|state| state.pinned_client_id.clone()),
        Some(id.to_owned())
    );
    world.pull("y", r#"{"batch": 1, "group": "g"}"#);
    world.publish("b");
    assert_eq!(world.delivered(), [0u64; 0]);
    world.pull("z", r#"{"batch": 1, "group": "g", "id": "other"}"#);
    assert_eq!(world.statuses(), ["423 Nats-Pin-Id mismatch"]);
    world.pull(
        "x",
        &format!(r#"{{"batch": 1, "group": "g", "id": "{id}"}}"#),
    );
    let sent = world.sent();
    assert_eq!(sent.first().map(|sent| sent.inbox.as_str()), Some("x"));
    world.publish("c");
    world.pass(10 * SECOND);
    let sent = world.sent();
    assert_eq!(sent.first().map(|sent| sent.inbox.as_str()), Some("y"));
    assert!(matches!(
        world.events().first(),
        Some(Event::Unpinned {
            reason: "timeout",
            ..
        })
    ));
    world.pull(
        "x",
        &format!(r#"{{"batch": 1, "group": "g", "id": "{id}"}}"#),
    );
    assert_eq!(world.statuses(), ["423 Nats-Pin-Id mismatch"]);
}

#[test]
fn unpinning_is_told_of_also_where_nobody_is_pinned() {
    let config = ConsumerConfig {
        priority_policy: PriorityPolicy::PinnedClient,
        priority_groups: vec!["g".to_owned()],
        ..pull_config()
    };
    let mut world = World::new(config, &[]);
    assert!(world.consumer.unpin("g"));
    let unpinned = Event::Unpinned {
        group: "g".to_owned(),
        reason: "admin",
    };
    assert_eq!(world.events(), [unpinned]);
}

#[test]
fn an_unpinned_group_refuses_the_old_pin_and_gives_a_new_one() {
    let mut world = World::new(grouped(PriorityPolicy::PinnedClient), &["a"]);
    world.pull("x", r#"{"batch": 1, "group": "g"}"#);
    world.events();
    assert!(!world.consumer.unpin("other"));
    assert!(world.consumer.unpin("g"));
    let unpinned = Event::Unpinned {
        group: "g".to_owned(),
        reason: "admin",
    };
    assert_eq!(world.events(), [unpinned]);
    world.sent();
    world.pull("x", r#"{"batch": 1, "group": "g", "id": "old"}"#);
    world.publish("b");
    assert_eq!(world.statuses(), ["423 Nats-Wrong-Pin-Id"]);
}

#[test]
fn the_lowest_priority_number_is_served_first() {
    let mut world = World::new(grouped(PriorityPolicy::Prioritized), &[]);
    world.pull("x", r#"{"batch": 2, "group": "g", "priority": 2}"#);
    world.pull("y", r#"{"batch": 2, "group": "g", "priority": 1}"#);
    world.pull("z", r#"{"batch": 2, "group": "g", "priority": 1}"#);
    for _ in 0..6 {
        world.publish("a");
    }
    let inboxes: Vec<String> = world.sent().into_iter().map(|sent| sent.inbox).collect();
    assert_eq!(inboxes.concat(), "yzyzxx");
}

#[test]
fn requests_that_do_not_fit_the_policy_are_refused_in_words() {
    let refusals = [
        (
            PriorityPolicy::None,
            r#"{"min_pending": 1}"#,
            "Not a Overflow Priority consumer",
        ),
        (
            PriorityPolicy::None,
            r#"{"id": "x"}"#,
            "Not a Pinned Client Priority consumer",
        ),
        (
            PriorityPolicy::Prioritized,
            r#"{"group": "g", "priority": 10}"#,
            "Priority must be between 0 and 9",
        ),
        (
            PriorityPolicy::Overflow,
            r#"{"batch": 1}"#,
            "Priority Group missing",
        ),
        (
            PriorityPolicy::Overflow,
            r#"{"group": "h"}"#,
            "Invalid Priority Group",
        ),
    ];
    for (policy, body, words) in refusals {
        let mut world = World::new(grouped(policy), &[]);
        world.pull("x", body);
        assert_eq!(world.statuses(), [format!("400 Bad Request - {words}")]);
    }
}
