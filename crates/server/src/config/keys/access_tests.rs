//! Users, permissions and accounts, with the mistakes that can be made.

use std::time::Duration;

use recado_auth::{ConnectionType, NameOrKey, PermissionsSpec, Responses, Rules};

use super::tests::{options, read, refuses, said, warns};
use crate::config::access::{
    AccountLimits, AccountStreams, AccountTrace, Destination, Export, Import, ImportName, Kind,
    Latency, Mapping, ResponseType, Sampling, UserOptions,
};
use crate::config::locale::Lang;

const USER_KEY: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
const ACCOUNT_KEY: &str = "ADMHMDX2LEUJRZQHGVSVRWZEJ2CPNHYO6TB4ZCZ37LXAX5SYNEW252GF";

fn user(name: &str, password: &str) -> UserOptions {
    UserOptions {
        name: NameOrKey::Name(name.into()),
        password: Some(password.into()),
        permissions: None,
        connection_types: Vec::new(),
        proxy_required: false,
    }
}

fn list(rules: &[&str]) -> Vec<String> {
    rules.iter().map(|&rule| rule.to_owned()).collect()
}

fn allowed(rules: &[&str]) -> Rules {
    Rules {
        allow: Some(list(rules)),
        deny: Vec::new(),
    }
}

#[test]
fn users_are_read_under_all_their_names() {
    let text = format!(
        "authorization {{ users: [
            {{ user: ana, password: clave, clients: [websocket, Standard] }}
            {{ username: eva, pass: otra, proxy_required: true }}
            {{ nkey: {USER_KEY} }}
        ] }}"
    );
    let options = options(&text);
    assert_eq!(
        options.authorization.users,
        vec![
            UserOptions {
                connection_types: vec![ConnectionType::Websocket, ConnectionType::Standard],
                ..user("ana", "clave")
            },
            UserOptions {
                proxy_required: true,
                ..user("eva", "otra")
            },
            UserOptions {
                name: NameOrKey::Nkey(USER_KEY.into()),
                password: None,
                ..user("", "")
            },
        ]
    );
    assert!(options.asks_for_credential());
    assert!(!format!("{options:?}").contains("clave"));
}

#[test]
fn permissions_have_several_forms() {
    let permissions = |text: &str| {
        let text = format!("authorization {{ users: [{{ user: a, permissions: {text} }}] }}");
        options(&text).authorization.users[0].permissions.clone()
    };
    assert_eq!(
        permissions("{ publish: 'a.>', sub: [b, 'c q.*'] }"),
        Some(PermissionsSpec {
            publish: allowed(&["a.>"]),
            subscribe: allowed(&["b", "c q.*"]),
            responses: None,
        })
    );
    assert_eq!(
        permissions("{ import: { allow: a, deny: [b] }, export: { deny: '>' } }"),
        Some(PermissionsSpec {
            publish: Rules {
                deny: list(&["b"]),
                ..allowed(&["a"])
            },
            subscribe: Rules {
                allow: None,
                deny: list(&[">"]),
            },
            responses: None,
        })
    );
    let responses = |text: &str| permissions(text).and_then(|spec| spec.responses);
    assert_eq!(responses("{ allow_responses: false }"), None);
    let default = Some(Responses::default());
    assert_eq!(responses("{ allow_responses: true }"), default);
    assert_eq!(
        responses("{ allow_responses: { max: 0, ttl: \"0s\" } }"),
        default
    );
    assert_eq!(
        responses("{ publish_allow_responses: { max_msgs: -5, expires: \"-1s\" } }"),
        Some(Responses {
            max: -1,
            expires: Duration::ZERO,
        })
    );
    assert_eq!(
        responses("{ allow_responses: { max: 3, expires: \"1m\" } }"),
        Some(Responses {
            max: 3,
            expires: Duration::from_secs(60),
        })
    );
}

#[test]
fn permissions_that_mean_nothing_are_refused_where_they_stand() {
    for (text, place, part) in [
        ("{publish: 'a..b'}", "1:57", "not a valid subject"),
        ("{publish: ['a', 'b q']}", "1:63", "names a queue group"),
        ("{subscribe: 'a q r'}", "1:59", "more than a subject"),
        ("{sub: {alow: a}}", "1:54", "did you mean \"allow\""),
        ("{allow_responses: 1}", "1:65", "true, false or a block"),
        (
            "{allow_responses: {expires: 1}}",
            "1:75",
            "takes text, not an integer",
        ),
        (
            "{allow_responses: {expires: '-x'}}",
            "1:75",
            "not a duration",
        ),
        ("7", "1:47", "takes a block"),
    ] {
        let text = format!("authorization {{users: [{{user: a, permissions: {text}}}]}}");
        refuses(&text, place, part);
    }
    warns(
        "authorization {users: [{user: a, permissions: {publish: []}}]}",
        "allows everything",
    );
}

#[test]
fn default_permissions_are_for_those_without_their_own() {
    let options = options(
        "authorization { users: [{user: a}, {user: b, permissions: {publish: own}}]
            default_permissions: {publish: theirs} }
         accounts { A { users: [{user: c}], default_permissions: {publish: hers} }
                    B { users: [{user: d}] } }",
    );
    let published: Vec<_> = options
        .users()
        .map(|(account, user)| {
            let spec = user.permissions.as_ref();
            let allow = spec.and_then(|spec| spec.publish.allow.clone());
            (account, user.name.as_str(), allow.map(|list| list.concat()))
        })
        .collect();
    assert_eq!(
        published,
        vec![
            ("$G", "a", Some("theirs".into())),
            ("$G", "b", Some("own".into())),
            ("A", "c", Some("hers".into())),
            ("B", "d", None),
        ]
    );
}

#[test]
fn users_that_cannot_be_told_apart_or_do_not_exist_are_refused() {
    refuses(
        "authorization {users: [{user: a}]}, accounts {A {users: [{user: a}]}}",
        "1:58",
        "user \"a\" is there twice",
    );
    refuses(
        "authorization {user: a, password: b, users: [{user: c}]}",
        "1:45",
        "keep one of the two ways",
    );
    refuses(
        "authorization {token: t}, accounts {A {users: [{user: a}]}}",
        "1:48",
        "keep one of the two ways",
    );
    refuses(
        "authorization {users: [{password: a}]}",
        "1:24",
        "a user needs a name",
    );
    refuses(
        &format!("authorization {{users: [{{nkey: {USER_KEY}, user: a}}]}}"),
        "1:24",
        "no name and no password",
    );
    refuses(
        &format!("authorization {{users: [{{nkey: {ACCOUNT_KEY}}}]}}"),
        "1:31",
        "it begins with U",
    );
    refuses(
        "authorization {users: [{user: ana}]}, no_auth_user: anna",
        "1:53",
        "did you mean \"ana\"?",
    );
    refuses(
        "authorization {users: [{user: a, connection_types: [TCP]}]}",
        "1:52",
        "it is one of STANDARD",
    );
}

#[test]
fn websocket_clients_may_have_a_token_a_user_or_a_default_of_their_own() {
    let users = "authorization {users: [{user: a}]}";
    let own = |inner: &str| format!("websocket {{port: 1, no_tls: true, {inner}}}");
    let read = options(&own("authorization {token: t, timeout: 3}"));
    let read = read.websocket.unwrap();
    assert_eq!(read.authorization.token.as_deref(), Some("t"));
    assert_eq!(read.authorization.timeout, Some(Duration::from_secs(3)));
    assert!(read.has_own_access());
    let read = options(&format!("{users}, {}", own("no_auth_user: a")));
    assert_eq!(read.websocket.unwrap().no_auth_user.as_deref(), Some("a"));
    refuses(
        &format!("{users}, {}", own("no_auth_user: b")),
        "1:85",
        "\"b\"",
    );
    let single = own("authorization {user: b, pass: c}");
    refuses(&format!("{users}, {single}"), "1:85", "users");
    refuses(&own("authorization {users: []}"), "1:50", "users");
}

#[test]
fn with_no_auth_user_no_credential_is_asked_for() {
    let options =
        options("accounts {A {users: [{user: a}]}}, no_auth_user: a, allow_anonymous: true");
    assert_eq!(options.no_auth_user.as_deref(), Some("a"));
    assert!(!options.asks_for_credential() && options.knows_credentials());
}

#[test]
fn accounts_may_be_names_alone() {
    let options = options("accounts: [A, B]");
    let names: Vec<_> = options.accounts.iter().map(|one| &*one.name).collect();
    assert_eq!(names, ["A", "B"]);
    refuses("accounts: [A, A]", "1:15", "there twice");
    refuses("accounts: ['$G']", "1:12", "belong to no other");
    refuses("accounts {$G {}}", "1:11", "belong to no other");
    refuses("accounts {A: 1}", "1:14", "takes a block");
    refuses("accounts {A {user: []}}", "1:14", "did you mean \"users\"?");
}

#[test]
fn bounds_and_streams_of_an_account_are_read() {
    let account =
        |text: &str| options(&format!("accounts {{A {{ {text} }} }}")).accounts[0].clone();
    assert_eq!(
        account("limits {max_conn: 5, max_subs: -1, max_payload: 1k, max_leafs: 0}").limits,
        AccountLimits {
            max_connections: Some(5),
            max_subscriptions: None,
            max_payload: Some(1000),
            max_leafnodes: Some(0),
        }
    );
    let all = Some(AccountStreams::default());
    assert_eq!(account("").streams, None);
    for (text, expected) in [
        ("true", all.clone()),
        ("enabled", all.clone()),
        ("disabled", None),
        ("{}", all),
    ] {
        assert_eq!(account(&format!("jetstream: {text}")).streams, expected);
    }
    assert_eq!(
        account("jetstream {max_mem: 1M, disk: -1, max_streams: 0, consumers: 7, max_bytes: true}")
            .streams,
        Some(AccountStreams {
            max_memory_bytes: Some(1_000_000),
            max_streams: Some(0),
            max_consumers: Some(7),
            max_bytes_required: true,
            ..AccountStreams::default()
        })
    );
    assert_eq!(
        account("msg_trace: {dest: a.b, sampling: \"20%\"}").trace,
        Some(AccountTrace {
            destination: "a.b".into(),
            sampling_percent: 20,
        })
    );
    refuses(
        "accounts {A {trace_dest: 'a.*'}}",
        "1:26",
        "without wildcards",
    );
    refuses(
        "accounts {A {jetstream: on_it}}",
        "1:25",
        "enabled, disabled",
    );
}

#[test]
fn exports_and_imports_are_read() {
    let options = options(
        "accounts {
            A { exports: [
                { stream: 'a.>', accounts: [B] }
                { service: 'q.*', response: stream, threshold: \"5s\"
                  allow_trace: true }
                { service: 'own.*', account_token_position: 2, latency: { subject: lat, sampling: 50 } }
            ] }
            B { imports: [
                { stream: {account: A, subject: 'a.>'}, prefix: in }
                { service: {account: A, subject: 'q.*'}, to: 'ask.$1', share: true }
                { service: {account: A, subject: own.B} }
            ] }
        }",
    );
    let [a, b] = &options.accounts[..] else {
        panic!("two accounts");
    };
    let export = |kind, subject: &str| Export {
        needs_activation: false,
        kind,
        subject: subject.into(),
        accounts: None,
        response_type: ResponseType::Singleton,
        response_threshold: None,
        latency: None,
        token_position: None,
        allow_trace: false,
    };
    assert_eq!(
        a.exports,
        vec![
            Export {
                accounts: Some(list(&["B"])),
                ..export(Kind::Stream, "a.>")
            },
            Export {
                response_type: ResponseType::Stream,
                response_threshold: Some(Duration::from_secs(5)),
                allow_trace: true,
                ..export(Kind::Service, "q.*")
            },
            Export {
                token_position: Some(2),
                latency: Some(Latency {
                    subject: "lat".into(),
                    sampling: Sampling::Percent(50),
                }),
                ..export(Kind::Service, "own.*")
            },
        ]
    );
    let import = |kind, subject: &str, name| Import {
        kind,
        from_account: "A".into(),
        subject: subject.into(),
        name,
        share: false,
        allow_trace: false,
    };
    assert_eq!(
        b.imports,
        vec![
            import(Kind::Stream, "a.>", ImportName::Prefix("in".into())),
            Import {
                share: true,
                ..import(Kind::Service, "q.*", ImportName::To("ask.$1".into()))
            },
            import(Kind::Service, "own.B", ImportName::Same),
        ]
    );
    assert_eq!(b.imports[0].local(), "in.a.>");
}

/// `A` exports, `B` imports.
fn crossing(export: &str, import: &str) -> String {
    format!("accounts {{A {{exports: [{{{export}}}]}}\nB {{imports: [{{{import}}}]}}}}")
}

#[test]
fn imports_rest_on_exports() {
    let service = "service: {account: A, subject: 'a.*'}";
    for (export, part) in [
        ("stream: 'a.*'", "does not export the service"),
        ("service: a.b", "does not export"),
        ("service: 'a.*', accounts: [C]", "no account \"C\""),
        ("service: 'a.*', accounts: []", "to \"B\""),
        ("service: '*.*', account_token_position: 1", "to \"B\""),
    ] {
        let errors = said(&read(&crossing(export, service)).1.errors);
        assert!(
            errors.iter().any(|error| error.contains(part)),
            "{errors:?}"
        );
    }
    options(&crossing("service: 'a.>'", service));
    refuses(
        &crossing("service: x", "service: {account: Z, subject: x}"),
        "2:14",
        "no account \"Z\"",
    );
    refuses(
        &crossing(
            "stream: 'a.*.*'",
            "stream: {account: A, subject: 'a.*.*'}, to: 'x.$2'",
        ),
        "2:14",
        "use every wildcard once",
    );
}

#[test]
fn keys_of_exports_and_imports_must_fit_each_other() {
    let export = |text: &str, place, part| {
        refuses(
            &format!("accounts {{A {{exports: [{{{text}}}]}}}}"),
            place,
            part,
        );
    };
    export("stream: a, response: stream", "1:36", "is for services");
    export(
        "stream: a, service: b",
        "1:36",
        "either a stream or a service",
    );
    export("accounts: [A]", "1:24", "stream / service is missing");
    export("stream: 'a b'", "1:33", "not a subject");
    export(
        "service: 'a.b', account_token_position: 2",
        "1:65",
        "must be a \"*\"",
    );
    export(
        "service: a, response: x",
        "1:47",
        "singleton, stream, chunked",
    );
    export("service: a, latency: {}", "1:46", "subject is missing");
    export("service: a, latency: 'b.*'", "1:46", "wildcard");
    export(
        "service: a, latency: b, response: stream",
        "1:37",
        "gives one answer",
    );
    export(
        "service: a, latency: {subject: b, sampling: 0}",
        "1:69",
        "from 1 to 100",
    );
    let import = |text: &str, place, part| refuses(&crossing("stream: a", text), place, part);
    import(
        "stream: {account: A}",
        "2:23",
        "account, subject is missing",
    );
    import(
        "stream: {account: A, subject: a}, prefix: b, to: c",
        "2:64",
        "keep one of the two",
    );
    import(
        "service: {account: A, subject: a}, prefix: b",
        "2:58",
        "is for streams",
    );
    import(
        "stream: {account: A, subject: a}, prefix: 'b.*'",
        "2:57",
        "without wildcards",
    );
}

#[test]
fn imports_that_lead_in_a_circle_are_refused() {
    let text = |back: &str| {
        format!(
            "accounts {{
                A {{ exports: [{{service: x}}], imports: [{{service: {{account: B, subject: x}}{back}}}] }}
                B {{ exports: [{{service: x}}], imports: [{{service: {{account: A, subject: x}}}}] }}
            }}"
        )
    };
    let errors = said(&read(&text("")).1.errors);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("lead in a circle, A → B → A"),
        "{errors:?}"
    );
    // What comes back has another name there, so it goes no further.
    options(&text(", to: y"));
}

#[test]
fn what_is_imported_twice_is_refused() {
    let twice = "stream: {account: A, subject: a}}, {stream: {account: A, subject: a}, to: b";
    refuses(&crossing("stream: a", twice), "2:50", "imported twice");
    let services =
        "service: {account: A, subject: a}, to: x}, {service: {account: A, subject: b}, to: x";
    refuses(
        &crossing("service: '*'", services),
        "2:58",
        "imported twice",
    );
}

#[test]
fn mappings_have_several_forms() {
    let read = options(
        "mappings { a: b, 'c.*': {dest: 'd.$1', weight: 20}
            e: [{destination: f, weight: \"70%\"}, {dest: g, weight: 30, cluster: C}] }",
    )
    .mappings;
    let to = |dest: &str, weight_percent| Destination {
        dest: dest.into(),
        weight_percent,
        cluster: None,
    };
    let mapping = |source: &str, destinations| Mapping {
        source: source.into(),
        destinations,
    };
    assert_eq!(
        read,
        vec![
            mapping("a", vec![to("b", 100)]),
            mapping("c.*", vec![to("d.$1", 20)]),
            mapping(
                "e",
                vec![
                    to("f", 70),
                    Destination {
                        cluster: Some("C".into()),
                        ..to("g", 30)
                    }
                ]
            ),
        ]
    );
    for (text, place, part) in [
        ("'a b': c", "1:11", "not a subject"),
        ("'a.*': 'b.$2'", "1:18", "can't become"),
        ("a: 1", "1:14", "a subject or a block"),
        ("a: {dest: b}", "1:14", "weight is missing"),
        ("a: {weight: 1}", "1:14", "destination is missing"),
        ("a: {dest: b, weight: 101}", "1:32", "from 0 to 100"),
        (
            "a: [{dest: b, weight: 60}, {dest: c, weight: 60}]",
            "1:14",
            "more than 100",
        ),
        (
            "a: [{dest: b, weight: 6}, {dest: b, weight: 6}]",
            "1:14",
            "there twice",
        ),
    ] {
        refuses(&format!("mappings {{{text}}}"), place, part);
    }
}

#[test]
fn the_system_account_and_trusted_proxies_are_read() {
    let read = options(&format!(
        "accounts {{SYS {{}}}}, system: SYS, proxies {{trusted: [{{key: {ACCOUNT_KEY}}}]}}"
    ));
    assert_eq!(read.system_account.as_deref(), Some("SYS"));
    assert_eq!(read.trusted_proxies, [ACCOUNT_KEY]);
    assert!(options("no_sys_acc: true").no_system_account);
    assert_eq!(
        options("system_account: '$SYS'").system_account.as_deref(),
        Some("$SYS")
    );
    refuses("system_account: SYS", "1:17", "no account \"SYS\"");
    refuses(
        "proxies {trusted: [{key: X}]}",
        "1:26",
        "anybody that signs",
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    let errors = said(
        &read(
            "authorization {users: [{user: a}, {user: a}]}, no_auth_user: b
             system_account: C, accounts {A {imports: [{stream: {account: D, subject: x}}]}}",
        )
        .1
        .errors,
    );
    assert_eq!(errors.len(), 4, "{errors:?}");
}

#[test]
fn the_words_are_there_in_spanish_too() {
    let (_, findings) = read("accounts {A {imports: [{stream: {account: D, subject: x}}]}}");
    let text = findings.errors[0].text(Lang::Es);
    assert!(
        text.ends_with("no hay ninguna cuenta \"D\"; añádela o pon otra"),
        "{text}"
    );
}

#[test]
fn a_default_domain_is_for_accounts_without_streams() {
    let with = |domains: &str| {
        format!("default_js_domain {{{domains}}}\naccounts {{A {{jetstream: true}}, B {{}}}}")
    };
    let read = options(&with("B: hub"));
    assert_eq!(read.default_js_domain, [("B".into(), "hub".into())].into());
    assert!(options(&with("A: ''")).default_js_domain.is_empty());
    refuses(&with("A: hub"), "1:23", "has JetStream itself");
    refuses(&with("C: hub"), "1:23", "\"C\"");
    refuses(&with("$SYS: hub"), "1:26", "system's");
    refuses(&with("B: 'a b'"), "1:23", "domain");
    warns("default_js_domain {$G: hub}", "changes nothing");
}
