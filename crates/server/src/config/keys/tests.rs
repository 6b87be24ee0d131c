//! Keys to settings, with the mistakes that can be made.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::config::lang::parse_text;
use crate::config::locale::Lang;
use crate::config::options::{LogFormat, Personality, PlainListener, SyslogTarget, WriteTimeout};
use crate::config::surroundings::Imagined;

pub(super) fn read_as(
    personality: Personality,
    text: &str,
    surroundings: &Imagined,
) -> Result<(Options, Findings), Fault> {
    let path = Path::new("etc/test.conf");
    let parsed = parse_text(text, path, surroundings)?;
    let mut options = Options::of(personality);
    let mut findings = Findings {
        errors: Vec::new(),
        warnings: parsed.warnings,
    };
    apply(&parsed.map, path, &mut options, surroundings, &mut findings);
    Ok((options, findings))
}

pub(super) fn read(text: &str) -> (Options, Findings) {
    match read_as(Personality::Recado, text, &Imagined::default()) {
        Ok(read) => read,
        Err(fault) => panic!("{text:?}: {fault}"),
    }
}

/// The settings of a text without mistakes.
#[track_caller]
pub(super) fn options(text: &str) -> Options {
    let (options, findings) = read(text);
    assert_eq!(findings.errors, [], "{text:?}");
    options
}

pub(super) fn said(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(|fault| fault.text(Lang::En)).collect()
}

#[track_caller]
pub(super) fn refuses(text: &str, place: &str, part: &str) {
    let errors = said(&read(text).1.errors);
    assert_eq!(errors.len(), 1, "{text:?}: {errors:?}");
    assert!(
        errors[0].starts_with(&format!("etc/test.conf:{place}: ")),
        "{errors:?}"
    );
    assert!(errors[0].contains(part), "{errors:?}");
}

#[track_caller]
pub(super) fn warns(text: &str, part: &str) {
    let (_, findings) = read(text);
    assert_eq!(findings.errors, [], "{text:?}");
    let warnings = said(&findings.warnings);
    assert_eq!(warnings.len(), 1, "{text:?}: {warnings:?}");
    assert!(warnings[0].contains(part), "{warnings:?}");
}

#[test]
fn listening_addresses_have_several_forms() {
    let address = |text| {
        let options = options(text);
        (options.host, options.port)
    };
    let host = |host: &str| Some(host.to_owned());
    assert_eq!(address("listen: 4333"), (None, 4333));
    assert_eq!(address("listen: -1"), (None, 0));
    assert_eq!(
        address("listen: \"10.0.0.1:4333\""),
        (host("10.0.0.1"), 4333)
    );
    assert_eq!(address("listen: localhost:-1"), (host("localhost"), 0));
    assert_eq!(address("listen: \":4333\""), (host("0.0.0.0"), 4333));
    assert_eq!(address("listen: '[::1]:4333'"), (host("::1"), 4333));
    assert_eq!(address("host: ::1, port: 4333"), (host("::1"), 4333));
    assert_eq!(
        address("net: 127.0.0.1\nPort = 4333"),
        (host("127.0.0.1"), 4333)
    );
    refuses("listen: localhost", "1:9", "not an address");
    refuses("listen: '::1:4222'", "1:9", "brackets");
    refuses("listen: 'a:70000'", "1:9", "\"70000\" is not a port");
    refuses(
        "listen: true",
        "1:9",
        "a port or \"HOST:PORT\", not true or false",
    );
    refuses("port: 65536", "1:7", "not a port");
    refuses("port: -2", "1:7", "not a port");
    refuses("port: \"4222\"", "1:7", "write it without quotes");
}

#[test]
fn port_zero_is_a_free_one_except_for_nats_server() -> Result<(), Fault> {
    assert_eq!(options("port: 0").port, 0);
    let (options, _) = read_as(Personality::NatsServer, "port: 0", &Imagined::default())?;
    assert_eq!(options.port, 4222);
    assert_eq!(options.host.as_deref(), Some("0.0.0.0"));
    Ok(())
}

#[test]
fn limits_are_read_under_all_their_names() {
    let limits = options(
        "max_connections: 10k, max_control_line: 2KB, MAX_PAYLOAD: 64KiB, max_pending: 1m
         max_subs: 7, max_sub_tokens: 16, ping_interval: 30s, ping_max: 5
         write_deadline: \"1.5s\", no_fast_producer_stall: yes, no_header_support: on",
    )
    .limits;
    assert_eq!(limits.max_connections, Some(10_000));
    assert_eq!(limits.max_control_line, 2048);
    assert_eq!(limits.max_payload, 65_536);
    assert_eq!(limits.max_pending, 1_000_000);
    assert_eq!(limits.max_subscriptions, 7);
    assert_eq!(limits.max_sub_tokens, 16);
    assert_eq!(limits.ping_interval, Duration::from_secs(30));
    assert_eq!(limits.ping_max, 5);
    assert_eq!(limits.write_deadline, Duration::from_millis(1500));
    assert!(limits.no_fast_producer_stall && limits.no_header_support);
    assert_eq!(options("max_conn: 5").limits.max_connections, Some(5));
    assert_eq!(options("max_subscriptions: -1").limits.max_subscriptions, 0);
    assert_eq!(
        options("max_subscription_tokens: 3").limits.max_sub_tokens,
        3
    );
}

#[test]
fn zero_stands_for_the_default_where_it_does_for_nats_server() {
    let zeros = options(
        "max_payload: 0, max_pending: 0, max_control_line: 0, ping_max: 0
         ping_interval: \"0s\", write_deadline: \"0\", lame_duck_grace_period: \"0s\"",
    );
    assert_eq!(zeros.limits, Options::default().limits);
    assert_eq!(zeros.lame_duck_grace_period, Duration::from_secs(10));
    warns("max_connections: 0", "no client is admitted");
    assert_eq!(
        options("max_connections: -1").limits.max_connections,
        Some(0)
    );
}

#[test]
fn limits_out_of_range_are_refused() {
    refuses("max_payload: 3GB", "1:14", "between 0 and 2147483647");
    refuses("max_payload: -1", "1:14", "between 0 and 2147483647");
    refuses("max_control_line: 3g", "1:19", "between");
    refuses("max_sub_tokens: 0", "1:17", "between 1 and 255");
    refuses("max_sub_tokens: 256", "1:17", "between 1 and 255");
    refuses("max_payload: 1.5", "1:14", "takes an integer, not a number");
    refuses("max_payload: '1MB'", "1:14", "without quotes");
}

#[test]
fn durations_are_text_and_bare_numbers_warn() {
    assert_eq!(
        options("lame_duck_duration: \"1m30s\"").lame_duck_duration,
        Duration::from_secs(90)
    );
    assert_eq!(
        options("ping_interval: 15").limits.ping_interval,
        Duration::from_secs(15)
    );
    warns("ping_interval: 15", "taken as seconds; write \"15s\"");
    warns("write_deadline: 2", "taken as seconds");
    refuses("ping_interval: soon", "1:16", "not a duration");
    refuses("ping_interval: -5", "1:16", "not a duration");
    refuses("write_deadline: \"-5s\"", "1:17", "not a duration");
    refuses("write_deadline: 1.5", "1:17", "a duration such as");
    refuses("lame_duck_duration: 10s", "1:21", "the minimum is 30s");
}

#[test]
fn the_log_is_told_where_and_how() {
    let log = options(
        "debug: true, trace: true, logtime: false, logtime_utc: true, logfile: /tmp/x.log
         logfile_size_limit: 10MB, log_max_num: 3, max_traced_msg_len: 100, log_format: json",
    )
    .log;
    assert!(log.debug && log.trace && log.no_time && log.utc && !log.trace_headers);
    assert_eq!(log.file, Some(PathBuf::from("/tmp/x.log")));
    assert_eq!(
        (log.size_limit, log.max_num, log.max_traced_msg_len),
        (10 << 20, 3, 100)
    );
    assert_eq!(log.format, LogFormat::Json);
    assert_eq!(
        options("syslog: true").log.syslog_target(),
        Some(SyslogTarget::Local)
    );
    let remote = options("syslog: true, remote_syslog: \"udp://logs:514\"").log;
    let elsewhere = SyslogTarget::Udp("logs:514".into());
    assert_eq!(remote.syslog_target(), Some(elsewhere));
    let why = "one of udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH";
    for wrong in ["logs:514", "udp://logs", "unix://x", "http://logs:514"] {
        refuses(&format!("remote_syslog: \"{wrong}\""), "1:16", why);
    }
    let headers = options("trace_headers: true").log;
    assert!(headers.trace && headers.trace_headers);
    assert!(options("trace_verbose: true").log.trace);
    assert!(!options("trace_verbose: false").log.trace);
    refuses("log_format: xml", "1:13", "one of auto, text, json, nats");
    refuses(
        "debug: \"true\"",
        "1:8",
        "takes true or false, not text; write it without quotes",
    );
}

#[test]
fn tags_are_words_in_lower_case_and_metadata_is_text() {
    let read =
        options("server_tags: [Madrid, ' ssd ', madrid], server_metadata: {rack: '7', Owner: ana}");
    assert_eq!(read.server_tags, ["madrid", "ssd"]);
    assert_eq!(read.server_metadata["rack"], "7");
    assert_eq!(read.server_metadata["Owner"], "ana");
    assert_eq!(options("server_tags: One").server_tags, ["one"]);
    refuses("server_tags: 1", "1:14", "a list");
    refuses("server_metadata: {rack: 7}", "1:25", "text");
}

#[test]
fn the_other_settings_are_read() {
    let read = options(
        "server_name: uno, client_advertise: 'example.org:4222', pidfile: a.pid
         ports_file_dir: /tmp, lame_duck_grace_period: 5s, service: false, lang: es
         allow_anonymous: true",
    );
    assert_eq!(read.server_name.as_deref(), Some("uno"));
    assert_eq!(read.client_advertise.as_deref(), Some("example.org:4222"));
    assert_eq!(read.pid_file, Some(PathBuf::from("a.pid")));
    assert_eq!(read.ports_file_dir, Some(PathBuf::from("/tmp")));
    assert_eq!(read.lame_duck_grace_period, Duration::from_secs(5));
    assert!(!read.builtin_service && read.allow_anonymous);
    assert_eq!(read.lang, Lang::Es);
    refuses("server_name: \"a b\"", "1:14", "must not contain spaces");
    refuses(
        "server_name: 7",
        "1:14",
        "takes text, not an integer; put it in quotes",
    );
    refuses("pid_file: \"\"", "1:11", "is empty");
    refuses("lang: fr", "1:7", "one of en, es");
}

#[test]
fn plain_listeners_are_one_or_many() {
    let plain = |port, subject: &str| PlainListener {
        port,
        subject: subject.to_owned(),
    };
    assert_eq!(options("plain: 5000").plain, [plain(5000, "plain")]);
    assert_eq!(options("plain: -1").plain, [plain(0, "plain")]);
    assert_eq!(options("plain: '5000:a.b'").plain, [plain(5000, "a.b")]);
    assert_eq!(
        options("plain: [5000, 5001:x, {port: 5002, subject: y}, {port: 5003}]").plain,
        [
            plain(5000, "plain"),
            plain(5001, "x"),
            plain(5002, "y"),
            plain(5003, "plain")
        ]
    );
    refuses("plain: x", "1:8", "not PORT or PORT:SUBJECT");
    refuses("plain: '5000:a b'", "1:8", "not a subject");
    refuses("plain: [1, '5000:a.>']", "1:12", "not a subject");
    refuses("plain: '5000:'", "1:8", "not a subject");
    refuses("plain: 70000", "1:8", "not a port");
    refuses("plain: {subject: x}", "1:8", "takes a port");
    refuses(
        "plain: {port: 1, subjet: x}",
        "1:18",
        "did you mean \"subject\"",
    );
    refuses("plain: true", "1:8", "takes a port");
}

#[test]
fn one_credential_can_be_asked_for() {
    let token = options("authorization { token: 'abc', timeout: 0.5 }").authorization;
    assert_eq!(token.token.as_deref(), Some("abc"));
    assert_eq!(token.timeout, Some(Duration::from_millis(500)));
    let user = options("authorization: {username: ana, pass: clave, timeout: '3s'}").authorization;
    assert_eq!(user.user.as_deref(), Some("ana"));
    assert_eq!(user.password.as_deref(), Some("clave"));
    assert_eq!(user.timeout, Some(Duration::from_secs(3)));
    assert_eq!(
        options("authorization {timeout: 0}").authorization.timeout,
        None
    );
    warns("authorization {timeout: 90}", "90 s is a lot");
    refuses("authorization {timeout: -1}", "1:25", "not a duration");
    refuses("authorization {token: ''}", "1:23", "is empty");
    refuses("authorization {token: 123}", "1:23", "put it in quotes");
    refuses("authorization {tokn: x}", "1:16", "did you mean \"token\"");
    refuses("authorization: x", "1:16", "takes a block");
}

#[test]
fn secrets_never_show() {
    let (read, findings) =
        read("authorization { user: ana, password: clave, token: prenda, x: 1 }");
    let shown = format!("{read:?} {:?}", said(&findings.errors));
    assert!(
        !shown.contains("clave") && !shown.contains("prenda"),
        "{shown}"
    );
}

#[test]
fn monitoring_listens_where_it_is_told_to_and_not_at_all_for_a_port_of_0() {
    let at = |text: &str| {
        let monitoring = options(text).monitoring;
        (monitoring.host, monitoring.port)
    };
    let host = |name: &str| Some(name.to_owned());
    assert_eq!(at(""), (None, None));
    assert_eq!(at("http: 8222"), (None, Some(8222)));
    assert_eq!(at("http: \"0.0.0.0:8222\""), (host("0.0.0.0"), Some(8222)));
    assert_eq!(at("http: \":8222\""), (host("0.0.0.0"), Some(8222)));
    assert_eq!(at("http: \"[::1]:8222\""), (host("::1"), Some(8222)));
    assert_eq!(at("monitor_port: -1"), (None, Some(0)));
    assert_eq!(at("http: 1, http_port: 0"), (None, None));
    assert_eq!(at("http: 0"), (None, None));
    let secure = options("https: \"0.0.0.0:8443\"").monitoring;
    assert_eq!(
        (secure.host, secure.https_port),
        (host("0.0.0.0"), Some(8443))
    );
    assert_eq!(options("https_port: -1").monitoring.https_port, Some(0));
    assert_eq!(
        options("https_port: 1, https: 0").monitoring.https_port,
        None
    );
    refuses("http_port: 70000", "1:12", "70000");
    refuses("http: localhost", "1:7", "localhost");
}

#[test]
fn monitoring_has_a_path_of_its_own_a_token_and_a_memory() {
    let monitoring =
        options("http_base_path: nats/, monitor_token: clave, max_closed_clients: 7").monitoring;
    assert_eq!(monitoring.base_path, "/nats");
    assert_eq!(monitoring.token.as_deref(), Some("clave"));
    assert_eq!(monitoring.max_closed_clients, 7);
    let standard = options("max_closed_clients: 0").monitoring;
    assert_eq!(standard.max_closed_clients, 10_000);
    refuses("http_base_path: \"a?b\"", "1:17", "is no path");
    refuses("monitor_token: \"\"", "1:16", "is empty");
}

#[test]
fn a_token_of_monitoring_may_lie_in_a_file_that_only_its_owner_can_read() -> Result<(), Fault> {
    let machine = Imagined::default()
        .file("etc/m.token", "clave\n")
        .file_with_mode("etc/open.token", b"clave\n", 0o644);
    let read = |text: &str| read_as(Personality::Recado, text, &machine);
    let (good, findings) = read("monitor_token_file: m.token")?;
    assert_eq!(findings.errors, []);
    assert_eq!(good.monitoring.token.as_deref(), Some("clave"));
    for (text, part) in [
        ("monitor_token_file: open.token", "chmod 600"),
        (
            "monitor_token: x, monitor_token_file: m.token",
            "keep one of the two",
        ),
    ] {
        let errors = said(&read(text)?.1.errors);
        assert!(
            errors.iter().any(|error| error.contains(part)),
            "{errors:?}"
        );
    }
    Ok(())
}

#[test]
fn a_token_file_lies_beside_the_file_that_names_it() -> Result<(), Fault> {
    let files = Imagined::default()
        .file("etc/a.token", "abc\n")
        .file("/run/b.token", "def")
        .file_with_mode("etc/open.token", b"x", 0o644);
    let token = |text| {
        read_as(Personality::Recado, text, &files)
            .map(|(options, findings)| (options.authorization.token, said(&findings.errors)))
    };
    let some = |token: &str| (Some(token.to_owned()), Vec::new());
    assert_eq!(token("token_file: a.token")?, some("abc"));
    assert_eq!(token("authorization {token_file: a.token}")?, some("abc"));
    assert_eq!(token("token_file: '/run/b.token'")?, some("def"));
    let (none, errors) = token("token_file: open.token")?;
    assert_eq!(none, None);
    assert!(
        errors[0].ends_with("(mode 644); run: chmod 600 etc/open.token"),
        "{errors:?}"
    );
    let (_, errors) = token("token_file: none")?;
    assert!(
        errors[0].contains("can't read the token file etc/none"),
        "{errors:?}"
    );
    let (_, errors) = token("authorization {token: x, token_file: a.token}")?;
    assert!(errors[0].contains("keep one of the two"), "{errors:?}");
    Ok(())
}

#[test]
fn all_mistakes_are_reported_together() {
    let (_, findings) = read("prot: 1\nport: x\ngateway {a: 1}\nauthorization {a: 1, b: 2}\nz: 1");
    let errors = said(&findings.errors);
    let places: Vec<_> = errors
        .iter()
        .filter_map(|error| error.strip_prefix("etc/test.conf:")?.split(": ").next())
        .collect();
    assert_eq!(places, ["1:1", "2:7", "3:1", "4:16", "4:22", "5:1"]);
    assert!(
        errors[0].contains("unknown field \"prot\"; did you mean \"port\"?"),
        "{errors:?}"
    );
}

#[test]
fn after_many_mistakes_the_rest_is_left_untold() {
    let text: String = (0..100_000)
        .map(|at| format!("unknown_{at}: 1\n"))
        .collect();
    let errors = read(&text).1.errors;
    assert_eq!(errors.len(), ERRORS_SHOWN_MAX + 1);
    assert!(
        errors[ERRORS_SHOWN_MAX]
            .to_string()
            .contains("may be more mistakes")
    );
    let (_, findings) = read(&"port: 1\n".repeat(100_000));
    assert_eq!(findings.warnings.len(), 100);
}

#[test]
fn an_unknown_key_is_fine_only_when_it_serves_as_variable() {
    assert_eq!(options("MY_PORT: 4333\nport: $MY_PORT").port, 4333);
    let inside = options("authorization { SECRET: x, token: $SECRET }");
    assert_eq!(inside.authorization.token.as_deref(), Some("x"));
    refuses(
        "MY_PORT: 4333\nport: 4334",
        "1:1",
        "unknown field \"MY_PORT\"",
    );
}

#[test]
fn what_is_not_there_yet_is_refused_by_name() {
    for (text, part) in [
        ("cluster {name: c}", "clusters"),
        ("leafnodes {port: 1}", "leaf nodes"),
    ] {
        refuses(text, "1:1", part);
        refuses(text, "1:1", "this version of recado-server does not have");
    }
}

#[test]
fn what_a_passed_write_deadline_means_is_one_of_three_words() {
    for (text, policy) in [
        ("", WriteTimeout::Default),
        ("write_timeout: close", WriteTimeout::Close),
        ("write_timeout: retry", WriteTimeout::Retry),
    ] {
        assert_eq!(options(text).limits.write_timeout, policy, "{text:?}");
    }
    refuses("write_timeout: wait", "1:16", "retry");
}

#[test]
fn a_list_to_choose_from_is_not_empty() {
    refuses("tls {cipher_suites: []}", "1:21", "is empty");
    refuses("tls {curve_preferences: []}", "1:25", "is empty");
}

#[test]
fn profiles_are_served_at_a_port_of_their_own() {
    for (text, port) in [
        ("", None),
        ("prof_port: 65432", Some(65432)),
        ("prof_port: -1", Some(0)),
        ("prof_port: 0", None),
    ] {
        assert_eq!(options(text).monitoring.profile_port, port, "{text:?}");
    }
    refuses("prof_port: 65536", "1:12", "65536");
    refuses("prof_port: x", "1:12", "x");
    warns("prof_block_rate: 1", "prof_block_rate is ignored");
}

#[test]
fn flags_of_features_are_taken_when_they_are_known_and_can_be_had() {
    let flags = options("feature_flags {js_ack_fc_v2: false, js_snapshot_sources: false}");
    assert!(flags.feature_flags.values().all(|on| !on));
    assert_eq!(flags.feature_flags.len(), 2);
    warns("feature_flags {js_raft_delete_range: true}", "stands alone");
    warns("feature_flags {js_ack_fc_v3: true}", "\"js_ack_fc_v2\"");
    let flags = options("feature_flags {js_ack_fc_v2: true}");
    assert!(flags.feature_flags["js_ack_fc_v2"]);
    refuses("feature_flags {js_ack_fc_v2: 1}", "1:30", "true or false");
    refuses("feature_flags: [a]", "1:16", "block");
}

#[test]
fn what_is_not_there_may_be_said_to_be_off() {
    for text in [
        "jetstream: false",
        "jetstream: disabled",
        "jetstream {enabled: false, store_dir: x}",
        "jetstream {key: '', tpm {}}",
        "default_js_domain {}",
        "accounts {}",
        "cluster {}",
        "syslog: false",
        "write_timeout: close",
        "no_system_account: true",
        "allow_non_tls: true",
        "disable_sublist_cache: false",
        "prof_port: 0",
        "authorization {users: [], proxy_required: false}",
    ] {
        let (_, findings) = read(text);
        assert_eq!(findings, Findings::default(), "{text:?}");
    }
}

#[test]
fn an_empty_file_is_worth_a_warning() {
    warns("# nothing", "says nothing");
}

#[test]
fn settings_are_held_against_each_other() {
    let problems = |text: &str| {
        let mut options = options(text);
        options.streams.store_dir = Some("store".into());
        let findings = options.validate();
        (said(&findings.errors), said(&findings.warnings))
    };
    let none = (Vec::<String>::new(), Vec::<String>::new());
    for (text, part) in [
        (
            "max_payload: 2MB, max_pending: 1MB",
            "must not be larger than max_pending",
        ),
        (
            "lame_duck_duration: 30s, lame_duck_grace_period: 30s",
            "must be shorter",
        ),
        (
            "authorization {token: x, user: a, password: b}",
            "keep one of the two",
        ),
        ("authorization {password: b}", "without a user"),
        ("authorization {user: b}", "without a password"),
        (
            "host: 0.0.0.0",
            "0.0.0.0 can be reached from other machines",
        ),
        ("listen: ':4222'", "can be reached"),
        ("host: '::'", "can be reached"),
        ("host: example.org", "can be reached"),
        ("plain: [5000, 5000]", "port 5000 is given to two"),
    ] {
        let (errors, _) = problems(text);
        assert_eq!(errors.len(), 1, "{text:?}: {errors:?}");
        assert!(errors[0].contains(part), "{errors:?}");
    }
    for text in [
        "",
        "host: 127.0.0.2",
        "host: '::1'",
        "host: localhost",
        "authorization { PASS: s, users: [{user: a, password: $PASS}] }",
        "host: '::ffff:127.0.0.1'",
        "host: 0.0.0.0, allow_anonymous: true",
        "host: 0.0.0.0, authorization {token: x}",
        "plain: [-1, -1]",
    ] {
        assert_eq!(problems(text), none, "{text:?}");
    }
    let (errors, warnings) = problems("max_payload: 9MB");
    assert!(
        errors.is_empty() && warnings[0].contains("9437184"),
        "{warnings:?}"
    );
}
