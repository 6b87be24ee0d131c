//! What is told of a message's way, in small worlds.

use std::os::unix::net::UnixStream;

use recado_auth::jwt::NotImported;
use recado_auth::{Identity, Method, PermissionsSpec, Rules};

use super::*;
use crate::engine::connection::Connection;
use crate::engine::drops::Loss;
use crate::engine::link::Link;
use crate::engine::mapping::Weighted;
use crate::engine::operations::judge;
use crate::engine::plan::{AccountPlan, ExportPlan, ImportPlan, Kind};
use crate::engine::registry::Limit;
use crate::internal_client::tests::{engine, run};

const EVERYTHING: View<'_> = View {
    publisher: None,
    sees_all: true,
};

/// An engine with clients whose other ends are held open.
struct World {
    engine: Arc<Engine>,
    ends: Vec<UnixStream>,
}

impl World {
    fn new(plans: &[AccountPlan]) -> Self {
        let engine = engine();
        let prepared = engine.prepare_accounts(plans).unwrap();
        engine.put_accounts_in_force(prepared);
        Self {
            engine,
            ends: Vec::new(),
        }
    }

    fn account(&self, name: &str) -> Arc<Account> {
        self.engine.accounts.get_or_add(name)
    }

    /// Subscribes a new client, as its permissions allow.
    fn subscribe(
        &mut self,
        account: &str,
        permissions: Option<PermissionsSpec>,
        filter: &str,
        queue: Option<&str>,
    ) -> u64 {
        let standing = self.user(account, permissions);
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        self.ends.push(theirs);
        let (link, _) = Link::internal(ours).unwrap();
        let limits = Arc::clone(&self.engine.write);
        let allowed = standing.permissions().cloned();
        let account = Arc::clone(&standing.account);
        let peer = "192.0.2.1:1".parse().unwrap();
        let connection = self
            .engine
            .connections
            .add(Limit::Clients(None), |id, slot| {
                Connection::new(id, slot, Some(peer), false, link, limits, standing)
            });
        let connection = connection.unwrap();
        let (filter, queue) = (filter.as_bytes(), queue.map(str::as_bytes));
        let special = judge(allowed.as_ref(), filter, queue).expect("an allowed subscription");
        let sub = Subscription::new(&connection, true, filter, queue, b"1");
        let sub = Arc::new(sub.with_special(special));
        connection.subscriptions.lock().insert(Arc::clone(&sub));
        account.enter(sub);
        connection.id
    }

    fn user(&self, account: &str, permissions: Option<PermissionsSpec>) -> Arc<Standing> {
        let mut identity = Identity::new(Method::Password, account.into());
        identity.user = Some("ana".to_owned());
        identity.permissions =
            permissions.map(|spec| Arc::new(Permissions::new(spec).expect("permissions")));
        Arc::new(Standing::of(identity, &self.engine.accounts, None))
    }

    fn explain(&self, account: &str, subject: &str, view: &View<'_>) -> Explained {
        explain(
            &self.engine,
            &self.account(account),
            subject.as_bytes(),
            view,
        )
    }
}

fn plan(name: &str) -> AccountPlan {
    AccountPlan {
        name: name.to_owned(),
        ..AccountPlan::default()
    }
}

fn rules(allow: &[&str], deny: &[&str]) -> Rules {
    let list = |rules: &[&str]| rules.iter().map(|&rule| rule.to_owned()).collect();
    Rules {
        allow: (!allow.is_empty()).then(|| list(allow)),
        deny: list(deny),
    }
}

#[test]
fn a_mapping_is_told_with_the_share_of_each_subject() {
    run(async {
        let weighted = Weighted {
            dest: "new.$1".to_owned(),
            weight: 80,
        };
        let mut mapped = plan("A");
        mapped.mappings = vec![("old.*".to_owned(), vec![weighted])];
        let mut world = World::new(&[mapped]);
        world.subscribe("A", None, "new.>", None);
        let told = world.explain("A", "old.x", &EVERYTHING);
        assert_eq!(told.mapping.as_deref(), Some("old.*"));
        let ways = told.outcomes.iter();
        let ways: Vec<_> = ways
            .map(|one| (one.percent, one.subject.as_str(), one.subscribers.len()))
            .collect();
        assert_eq!(ways, [(80, "new.x", 1), (20, "old.x", 0)]);
    });
}

#[test]
fn the_rule_that_allows_or_denies_a_publish_is_named() {
    run(async {
        let world = World::new(&[plan("A")]);
        let spec = PermissionsSpec {
            publish: rules(&["a.>"], &["a.secret.*"]),
            ..PermissionsSpec::default()
        };
        let user = world.user("A", Some(spec));
        let view = View {
            publisher: Some(&user),
            sees_all: false,
        };
        for (subject, allowed, by, rule) in [
            ("a.b", true, "allow", Some("a.>")),
            ("a.secret.x", false, "deny", Some("a.secret.*")),
            ("b", false, "not_allowed", None),
        ] {
            let told = world.explain("A", subject, &view);
            let publish = &told.outcomes[0].publish;
            let found = (publish.allowed, publish.by, publish.rule.as_deref());
            assert_eq!(found, (allowed, by, rule), "{subject}");
        }
        let open = world.explain("A", "b", &EVERYTHING);
        assert_eq!(open.outcomes[0].publish.by, "open");
    });
}

#[test]
fn a_subscriber_that_a_rule_keeps_a_subject_from_is_told_with_the_rule() {
    run(async {
        let mut world = World::new(&[plan("A")]);
        let spec = PermissionsSpec {
            subscribe: rules(&[], &["a.secret", "a.q workers"]),
            ..PermissionsSpec::default()
        };
        let cid = world.subscribe("A", Some(spec.clone()), "a.*", None);
        world.subscribe("A", Some(spec), "a.*", Some("workers"));
        let told = world.explain("A", "a.secret", &EVERYTHING);
        let denied = &told.outcomes[0].subscribers[0];
        assert_eq!((denied.cid, denied.gets), (Some(cid), false));
        assert_eq!(denied.denied_by.as_deref(), Some("a.secret"));
        assert_eq!(denied.user.as_deref(), Some("ana"));
        let told = world.explain("A", "a.q", &EVERYTHING);
        assert!(told.outcomes[0].subscribers[0].gets);
        let member = &told.outcomes[0].queue_groups[0].members[0];
        assert_eq!(member.denied_by.as_deref(), Some("a.q workers"));
    });
}

#[test]
fn a_queue_group_is_told_with_its_members_and_users_only_to_who_may_see_them() {
    run(async {
        let mut world = World::new(&[plan("A")]);
        let one = world.subscribe("A", None, "jobs", Some("w"));
        let two = world.subscribe("A", None, "*", Some("w"));
        let view = View {
            publisher: None,
            sees_all: false,
        };
        let told = world.explain("A", "jobs", &view);
        let groups = &told.outcomes[0].queue_groups;
        assert_eq!((groups.len(), groups[0].name.as_str()), (1, "w"));
        assert_eq!(groups[0].member_count, 2);
        let mut cids: Vec<_> = groups[0].members.iter().filter_map(|one| one.cid).collect();
        cids.sort_unstable();
        assert_eq!(cids, [one, two]);
        assert!(groups[0].members.iter().all(|member| member.user.is_none()));
    });
}

/// A exports a stream and a service, B imports both.
fn sharing() -> [AccountPlan; 2] {
    let export = |kind, subject: &str| ExportPlan {
        needs_activation: false,
        kind,
        subject: subject.to_owned(),
        accounts: None,
        token_position: None,
        response_type: crate::engine::ResponseType::Singleton,
        response_threshold: Some(std::time::Duration::from_nanos(1)),

        allow_trace: false,
        latency: None,
    };
    let import = |kind, subject: &str, to: &str| ImportPlan {
        kind,
        account: "A".to_owned(),
        subject: subject.to_owned(),
        to: to.to_owned(),
        share: false,

        allow_trace: false,
    };
    let (mut a, mut b) = (plan("A"), plan("B"));
    a.exports = vec![export(Kind::Stream, "news.>"), export(Kind::Service, "ask")];
    b.imports = vec![
        import(Kind::Stream, "news.>", "from.a.news.>"),
        import(Kind::Service, "ask", "ask.a"),
    ];
    [a, b]
}

#[test]
fn what_crosses_to_other_accounts_is_told_without_their_clients_names() {
    run(async {
        let mut world = World::new(&sharing());
        world.subscribe("B", None, "from.a.>", None);
        world.subscribe("A", None, "ask", None);
        let own = View {
            publisher: None,
            sees_all: false,
        };
        let told = world.explain("A", "news.today", &own);
        let there = &told.outcomes[0].subscribers[0];
        assert_eq!(there.account.as_deref(), Some("B"));
        assert_eq!(there.subject.as_deref(), Some("from.a.news.today"));
        assert!(there.gets && there.cid.is_none() && there.filter.is_none());
        let all = world.explain("A", "news.today", &EVERYTHING);
        assert!(all.outcomes[0].subscribers[0].cid.is_some());
        let told = world.explain("B", "ask.a", &own);
        let service = &told.outcomes[0].services[0];
        let found = (service.account.as_str(), service.subject.as_str());
        assert_eq!((found, service.responders), (("A", "ask"), 1));
        assert!(told.outcomes[0].subscribers.is_empty());
    });
}

/// What is told of other accounts: which, why, and what the subject is called here.
fn elsewhere(
    world: &World,
    account: &str,
    subject: &str,
    sees_all: bool,
) -> Vec<(String, &'static str, String)> {
    let view = View {
        publisher: None,
        sees_all,
    };
    let told = world.explain(account, subject, &view);
    let elsewhere = told.outcomes.into_iter().flat_map(|one| one.elsewhere);
    elsewhere
        .map(|one| (one.account, one.why, one.here.unwrap_or_default()))
        .collect()
}

fn entry(account: &str, why: &'static str, here: &str) -> (String, &'static str, String) {
    (account.to_owned(), why, here.to_owned())
}

#[test]
fn exports_that_are_not_imported_or_have_another_name_here_are_told() {
    run(async {
        let world = World::new(&[sharing(), [plan("C"), plan("D")]].concat());
        let renamed = entry("A", "other_name", "from.a.news.today");
        assert_eq!(elsewhere(&world, "B", "news.today", false), [renamed]);
        let renamed = entry("A", "other_name", "ask.a");
        assert_eq!(elsewhere(&world, "B", "ask", false), [renamed]);
        let missing = entry("A", "not_imported", "");
        assert_eq!(elsewhere(&world, "C", "ask", false), [missing]);
        // What an import brings under its own name is no trouble, nor is what nobody exports.
        assert_eq!(elsewhere(&world, "B", "ask.a", false), []);
        assert_eq!(elsewhere(&world, "A", "ask", true), []);
    });
}

#[test]
fn who_may_not_import_an_export_does_not_learn_of_it() {
    run(async {
        let [mut a, _] = sharing();
        a.exports[0].accounts = Some(vec!["C".to_owned()]);
        a.exports[1].needs_activation = true;
        let world = World::new(&[a, plan("B"), plan("C")]);
        for subject in ["news.today", "ask"] {
            assert_eq!(elsewhere(&world, "B", subject, false), []);
            let kept = entry("A", "not_granted", "");
            assert_eq!(elsewhere(&world, "B", subject, true), [kept]);
        }
        let missing = entry("A", "not_imported", "");
        assert_eq!(elsewhere(&world, "C", "news.today", false), [missing]);
    });
}

#[test]
fn an_import_without_effect_is_told_to_both_sides_and_its_reason_to_who_may_know() {
    run(async {
        let [a, mut b] = sharing();
        let idle = |at: usize, why| (b.imports[at].clone(), why);
        b.idle_imports = vec![
            idle(0, NotImported::ActivationOver),
            idle(1, NotImported::OfOthers),
        ];
        b.imports.clear();
        let world = World::new(&[a, b]);
        let over = entry("A", "activation_over", "from.a.news.>");
        for subject in ["news.today", "from.a.news.today"] {
            let told = elsewhere(&world, "B", subject, false);
            assert_eq!(told, std::slice::from_ref(&over));
        }
        let kept = |why| entry("A", why, "ask.a");
        assert_eq!(
            elsewhere(&world, "B", "ask.a", false),
            [kept("not_exported")]
        );
        assert_eq!(elsewhere(&world, "B", "ask.a", true), [kept("not_granted")]);
        assert_eq!(elsewhere(&world, "A", "ask", true), [kept("not_granted")]);
        assert_eq!(elsewhere(&world, "A", "ask", false), []);
    });
}

#[test]
fn an_answer_of_a_service_that_never_came_is_told_in_the_account_that_asked() {
    run(async {
        let world = World::new(&sharing());
        let services = &world.account("B").terms().services;
        let mut imports = services
            .iter()
            .filter_map(|sub| sub.special()?.service.as_ref());
        let import = imports.find(|import| &*import.renaming.ours == b"ask.a");
        let responses = &world.account("A").responses;
        let asked = Instant::now() - std::time::Duration::from_secs(1);
        responses.owe(import.unwrap(), b"inbox", 7, asked);
        let told = world.explain("B", "ask.a", &EVERYTHING);
        assert_eq!(told.drops.len(), 1);
        assert_eq!(told.drops[0].loss, Loss::Unanswered);
        assert!(world.explain("A", "ask", &EVERYTHING).drops.is_empty());
    });
}
