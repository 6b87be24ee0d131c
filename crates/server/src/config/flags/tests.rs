//! Command lines of both personalities.

use std::path::{Path, PathBuf};

use super::*;
use crate::config::options::{LogFormat, PlainListener, SyslogTarget};
use crate::config::surroundings::Imagined;

fn run_in(line: &str, surroundings: &Imagined) -> Result<CommandLine, Box<Refusal>> {
    read_command_line(line.split(' ').map(OsString::from), surroundings)
}

fn run(line: &str) -> Result<CommandLine, Box<Refusal>> {
    run_in(line, &Imagined::default())
}

#[track_caller]
fn invocation(line: &str) -> Invocation {
    match run(line) {
        Ok(command_line) => command_line.invocation,
        Err(refusal) => panic!("{line}: {}", refusal.text()),
    }
}

#[track_caller]
fn serve_in(line: &str, surroundings: &Imagined) -> Serve {
    match run_in(line, surroundings) {
        Ok(CommandLine {
            invocation: Invocation::Serve(serve),
            ..
        }) => *serve,
        Ok(other) => panic!("{line}: {other:?}"),
        Err(refusal) => panic!("{line}: {}", refusal.text()),
    }
}

#[track_caller]
fn options(line: &str) -> Options {
    serve_in(line, &Imagined::default()).options
}

#[track_caller]
fn refuses_in(line: &str, surroundings: &Imagined, exit_code: u8, part: &str) {
    match run_in(line, surroundings) {
        Ok(other) => panic!("{line}: {other:?}"),
        Err(refusal) => {
            assert!(refusal.text().contains(part), "{line}: {}", refusal.text());
            assert_eq!(refusal.exit_code, exit_code, "{line}: {}", refusal.text());
        }
    }
}

#[track_caller]
fn refuses(line: &str, part: &str) {
    refuses_in(line, &Imagined::default(), 2, part);
}

#[test]
fn the_name_it_is_called_by_decides_the_manners() {
    let recado = options("/usr/bin/recado-server");
    assert_eq!(recado.personality, Personality::Recado);
    assert_eq!((recado.host, recado.builtin_service), (None, true));
    assert_eq!(recado.log.format, LogFormat::Auto);
    let nats = options("./bin/nats-server");
    assert_eq!(nats.personality, Personality::NatsServer);
    assert_eq!(
        (nats.host.as_deref(), nats.builtin_service),
        (Some("0.0.0.0"), false)
    );
    assert_eq!(nats.log.format, LogFormat::Nats);
    assert_eq!(
        options("nats-server.exe").personality,
        Personality::NatsServer
    );
    assert_eq!(options("my-nats-server").personality, Personality::Recado);
}

#[test]
fn dashes_and_values_are_written_in_every_way_of_go() {
    for line in [
        "s -p 4333",
        "s -p=4333",
        "s --p 4333",
        "s -port 4333",
        "s --port 4333",
        "s --port=4333",
        "s -port=4333",
        "s -p 1 -p 4333",
        "s -D --port 4333",
    ] {
        assert_eq!(options(line).port, 4333, "{line}");
    }
    assert_eq!(options("s -p -1").port, 0);
    assert_eq!(options("nats-server -p 0").port, 4222);
    assert!(options("s -D").log.debug);
    assert!(!options("s -D=false").log.debug);
    assert!(options("s --debug=T").log.debug);
    refuses("s -p", "-p needs a value");
    refuses("s -p x", "-p takes an integer, not \"x\"");
    refuses("s -p 65536", "\"65536\" is not a port");
    refuses("s -D=maybe", "-D is true or false, not \"maybe\"");
    refuses("s -D false", "unrecognized command: \"false\"");
}

#[test]
fn the_flags_of_nats_server_are_understood() {
    let read = options(
        "nats-server -a :: -n uno -P a.pid --ports_file_dir /tmp -l x.log --log_size_limit 10MB \
         --max_traced_msg_len 7 -T=false --logtime_utc --client_advertise h:1 --user ana --pass x",
    );
    assert_eq!(read.host.as_deref(), Some("::"));
    assert_eq!(read.server_name.as_deref(), Some("uno"));
    assert_eq!(read.pid_file, Some(PathBuf::from("a.pid")));
    assert_eq!(read.ports_file_dir, Some(PathBuf::from("/tmp")));
    assert_eq!(read.log.file, Some(PathBuf::from("x.log")));
    assert_eq!(
        (read.log.size_limit, read.log.max_traced_msg_len),
        (10 << 20, 7)
    );
    assert!(read.log.no_time && read.log.utc);
    assert_eq!(read.client_advertise.as_deref(), Some("h:1"));
    assert_eq!(read.authorization.user.as_deref(), Some("ana"));
    assert_eq!(read.authorization.password.as_deref(), Some("x"));
    for name in ["--addr", "--net", "-addr"] {
        assert_eq!(
            options(&format!("nats-server {name} h")).host.as_deref(),
            Some("h")
        );
    }
    for name in ["--name", "-server_name", "--server-name"] {
        assert_eq!(
            options(&format!("s {name} h")).server_name.as_deref(),
            Some("h")
        );
    }
}

#[test]
fn debug_and_trace_come_in_bundles() {
    let log = |line| {
        let log = options(line).log;
        (log.debug, log.trace)
    };
    assert_eq!(log("s -DV"), (true, true));
    assert_eq!(log("s --DVV"), (true, true));
    assert_eq!(log("s -V"), (false, true));
    assert_eq!(log("s -VV"), (false, true));
    assert_eq!(log("s -trace"), (false, true));
    assert_eq!(log("s -DV=false"), (false, false));
}

#[test]
fn our_own_flags_are_understood() {
    let read = options(
        "recado-server --plain 5000 --plain=5001:a.b --no-service --log-format json --lang es \
         --allow-anonymous",
    );
    let plain = |port, subject: &str| PlainListener {
        port,
        subject: subject.to_owned(),
    };
    assert_eq!(read.plain, [plain(5000, "plain"), plain(5001, "a.b")]);
    assert!(!read.builtin_service && read.allow_anonymous);
    assert_eq!(read.log.format, LogFormat::Json);
    assert_eq!(read.lang, Lang::Es);
    refuses("s --plain x", "\"x\" is not PORT or PORT:SUBJECT");
    refuses("s --log-format xml", "--log-format\" can't be \"xml\"");
    refuses("s --lang fr", "one of en, es");
}

#[test]
fn flags_go_over_the_file_and_the_file_over_the_defaults() {
    let files = Imagined::default().file(
        "a.conf",
        "port: 4443, max_payload: 1k, debug: true, plain: 5000, host: 127.0.0.1
         authorization {token: x, timeout: 5}",
    );
    let file = serve_in("s -c a.conf", &files);
    assert_eq!(file.options.port, 4443);
    assert_eq!(file.config, Some(PathBuf::from("a.conf")));
    assert!(
        file.digest
            .is_some_and(|digest| digest.starts_with("sha256:"))
    );

    let both = serve_in(
        "s -p -1 -D=false --plain 5001 --user a --pass b --config=a.conf",
        &files,
    )
    .options;
    assert_eq!(both.port, 0);
    assert_eq!(both.limits.max_payload, 1000);
    assert!(!both.log.debug);
    assert_eq!(both.plain.len(), 1);
    assert_eq!(both.plain[0].port, 5001);
    // A credential of the command line replaces the file's, whatever its kind.
    assert_eq!(both.authorization.token, None);
    assert_eq!(both.authorization.user.as_deref(), Some("a"));
    assert_eq!(
        both.authorization.timeout.map(|timeout| timeout.as_secs()),
        Some(5)
    );
}

#[test]
fn a_token_comes_from_a_file_or_for_all_to_see() {
    let files = Imagined::default()
        .file("t", "abc\n")
        .file_with_mode("open", b"abc", 0o644)
        .file_with_mode("group", b"abc", 0o640);
    let file = serve_in("recado-server --token-file t", &files);
    assert_eq!(file.options.authorization.token.as_deref(), Some("abc"));
    assert_eq!(file.warnings, []);
    assert_eq!(serve_in("s --token_file group", &files).warnings.len(), 1);
    refuses_in("s --token-file open", &files, 2, "run: chmod 600 open");
    refuses_in(
        "s --token-file none",
        &files,
        2,
        "can't read the token file none",
    );
    refuses_in(
        "s --token-file t --auth x",
        &files,
        2,
        "keep one of the two",
    );

    let seen = serve_in("recado-server --auth secret", &files);
    assert_eq!(seen.options.authorization.token.as_deref(), Some("secret"));
    assert!(seen.warnings[0].to_string().contains("list of processes"));
    assert_eq!(serve_in("nats-server --auth secret", &files).warnings, []);
    refuses("s --auth ", "\"--auth\" is empty");
    refuses_in("s --user a", &files, 1, "without a password");
}

#[test]
fn an_open_server_must_be_asked_for() {
    refuses_in(
        "recado-server -a 0.0.0.0",
        &Imagined::default(),
        1,
        "--allow-anonymous",
    );
    assert!(options("recado-server -a 0.0.0.0 --allow-anonymous").allow_anonymous);
    assert_eq!(
        options("nats-server -a 0.0.0.0").host.as_deref(),
        Some("0.0.0.0")
    );
}

#[test]
fn the_log_may_go_to_a_daemon() {
    let target = |line: &str| options(line).log.syslog_target();
    assert_eq!(target("nats-server -s"), Some(SyslogTarget::Local));
    assert_eq!(target("recado-server --syslog=false"), None);
    let elsewhere = SyslogTarget::Tcp("logs:601".into());
    assert_eq!(target("nats-server -s -r tcp://logs:601"), Some(elsewhere));
    refuses("nats-server -r logs", "udp://HOST:PORT");
}

#[test]
fn flags_that_are_not_there_yet_are_refused_by_name() {
    for (flag, part) in [
        ("--cluster nats://h:1", "clusters"),
        ("--routes x", "clusters"),
    ] {
        refuses(&format!("nats-server {flag}"), part);
    }
    for flag in ["-m 0", "--tls=false", "--no_advertise=false", "-ms 0"] {
        options(&format!("nats-server {flag}"));
    }
}

#[test]
fn monitoring_is_served_at_the_port_that_is_named() {
    for (line, port) in [
        ("nats-server", None),
        ("nats-server -m 8222", Some(8222)),
        ("recado-server --http_port=8222", Some(8222)),
        ("recado-server -m -1", Some(0)),
        ("nats-server -m 0", None),
    ] {
        assert_eq!(options(line).monitoring.port, port, "{line}");
    }
    refuses("s -m x", "-m");
    refuses_in("s -ms 1", &Imagined::default(), 1, "needs certificates");
    refuses_in(
        "s -ms 1 -m 2",
        &Imagined::default(),
        1,
        "keep one of the two",
    );
}

#[test]
fn tls_comes_with_a_certificate_and_its_key_and_can_be_turned_off() {
    let given =
        options("recado-server --tlscert c.pem --tlskey k.pem --tlsverify --tlscacert a.pem");
    let tls = given.tls.unwrap();
    assert_eq!(tls.certificates.len(), 1);
    assert_eq!(tls.certificates[0].cert_file, Path::new("c.pem"));
    assert_eq!(tls.certificates[0].key_file, Path::new("k.pem"));
    assert_eq!(tls.ca_file.as_deref(), Some(Path::new("a.pem")));
    assert!(tls.asks_for_certificates());
    let off = options("nats-server --tlscert c.pem --tlskey k.pem --tls=false");
    assert_eq!(off.tls, None);
    for line in ["nats-server --tls", "nats-server --tlscert x"] {
        let part = "tls needs a certificate and its private key";
        refuses_in(line, &Imagined::default(), 1, part);
    }
}

#[test]
fn monitoring_takes_no_port_that_another_listener_has() {
    for line in ["s -p 5000 -m 5000", "s --plain 5000 -m 5000"] {
        refuses_in(line, &Imagined::default(), 1, "port 5000 is monitoring's");
    }
}

#[test]
fn streams_are_on_except_for_nats_server_which_is_asked_for_them() {
    for (line, enabled) in [
        ("recado-server", true),
        ("recado-server --no-streams", false),
        ("recado-server --no-streams=false", true),
        ("recado-server -js=false", false),
        ("nats-server", false),
        ("nats-server -sd /data", false),
        ("nats-server -js", true),
        ("nats-server --jetstream", true),
        ("nats-server -js --no-streams", false),
    ] {
        assert_eq!(options(line).streams.enabled, enabled, "{line}");
    }
    refuses("s -js=perhaps", "-js is true or false");
}

#[test]
fn streams_are_stored_where_a_flag_says() {
    let directory = |line: &str| options(line).streams.directory();
    let at = |path: &str| Some(PathBuf::from(path));
    for flag in [
        "-sd /data",
        "-sd=/data",
        "--store_dir /data",
        "--store-dir=/data",
        "-store_dir /data",
        "-sd /data -sd ",
    ] {
        assert_eq!(directory(&format!("recado-server {flag}")), at("/data"));
        let nats = directory(&format!("nats-server -js {flag}"));
        assert_eq!(nats, at("/data/jetstream"), "{flag}");
    }
    assert_eq!(
        directory("recado-server"),
        at("/home/ana/.local/state/recado")
    );
    assert_eq!(directory("nats-server"), None);

    let files = Imagined::default().file("a.conf", "jetstream {store_dir: /file}");
    let both = serve_in("nats-server -c a.conf -sd /flag -js=false", &files);
    assert_eq!(both.options.streams.directory(), at("/flag/jetstream"));
    assert!(!both.options.streams.enabled);
    let file = serve_in("nats-server -c a.conf", &files).options.streams;
    assert_eq!(
        (file.directory(), file.enabled),
        (at("/file/jetstream"), true)
    );
}

#[test]
fn a_store_in_a_temporary_directory_is_warned_of() {
    let serve = serve_in("nats-server -js", &Imagined::default());
    let directory = serve.options.streams.directory();
    assert_eq!(directory, Some(PathBuf::from("/tmp/nats/jetstream")));
    let warned = serve.warnings[0].to_string();
    assert!(
        warned.contains("temporary directory /tmp/nats/jetstream"),
        "{warned}"
    );
    assert_eq!(serve.warnings.len(), 1);
    assert_eq!(serve_in("recado-server", &Imagined::default()).warnings, []);
}

#[test]
fn without_a_home_a_place_for_streams_is_asked_for() {
    let homeless = Imagined::homeless();
    refuses_in("recado-server", &homeless, 1, "--store-dir DIR");
    refuses_in("recado-server --lang es", &homeless, 1, "--no-streams");
    let without = serve_in("recado-server --no-streams", &homeless).options;
    assert!(!without.streams.enabled);
    let named = serve_in("recado-server --store-dir x", &homeless).options;
    assert_eq!(named.streams.directory(), Some(PathBuf::from("x")));
    assert!(!serve_in("nats-server", &homeless).options.streams.enabled);
}

#[test]
fn a_store_can_be_verified() {
    let verify = |line| match invocation(line) {
        Invocation::Verify(verify) => verify,
        other => panic!("{other:?}"),
    };
    let expected = |directory: &str, salvage: Option<&str>, json| Verify {
        directory: directory.into(),
        salvage: salvage.map(PathBuf::from),
        key_file: None,
        json,
    };
    assert_eq!(verify("s verify d"), expected("d", None, false));
    assert_eq!(
        verify("s verify --json d --salvage=n"),
        expected("d", Some("n"), true)
    );
    assert_eq!(
        verify("s --lang es verify -salvage n -- --json"),
        expected("--json", Some("n"), false)
    );
    for line in ["s verify d --lang es", "s verify --lang=es d"] {
        assert_eq!(verify(line), expected("d", None, false));
    }
    for line in ["s verify d --key-file k", "s verify -key_file=k d"] {
        assert_eq!(verify(line).key_file, Some(PathBuf::from("k")));
    }
    refuses("s verify d --keyfile k", "did you mean --key-file?");
    refuses(
        "s verify",
        "write: verify DIR [--salvage NEW] [--key-file FILE] [--json]",
    );
    refuses("s verify ", "write: verify DIR");
    refuses("s verify a b", "write: verify DIR");
    refuses("s verify a --salvage", "--salvage needs a value");
    refuses("s verify a --salvage=", "--salvage needs a value");
    refuses("s verify a --salvage a", "another directory");
    refuses("s verify a --lang", "--lang needs a value");
    refuses("s verify -- a --lang", "write: verify DIR");
    refuses("s verify a --savage b", "did you mean --salvage?");
    refuses("s verify a --json=1", "there is no flag --json");
    refuses("s -D verify a", "does not go with the flags");
    refuses("s verfy a", "did you mean \"verify\"?");
}

#[test]
fn an_unknown_flag_gets_its_nearest() {
    refuses(
        "s --prot 1",
        "there is no flag --prot; did you mean --port?",
    );
    refuses("s --token-fil x", "did you mean --token-file?");
    refuses("s -q", "there is no flag -q; --help");
    refuses("s ---port 1", "there is no flag ---port");
    refuses("s serve", "unrecognized command: \"serve\"");
    refuses("s verson", "did you mean \"version\"?");
    // All of them at once.
    refuses("s --foo --bar", "no flag --bar");
    refuses("s --foo --bar", "no flag --foo");
}

#[test]
fn profiles_are_served_at_the_port_that_is_named() {
    for (line, port) in [
        ("recado-server", None),
        ("recado-server --profile 65432", Some(65432)),
        ("recado-server --profile=-1", Some(0)),
        ("recado-server --profile 0", None),
    ] {
        assert_eq!(options(line).monitoring.profile_port, port, "{line}");
    }
    refuses("s --profile x", "x");
    for line in [
        "s -p 5000 --profile 5000",
        "s -m 5000 --profile 5000",
        "s --plain 5000 --profile 5000",
    ] {
        refuses_in(line, &Imagined::default(), 1, "port 5000 is for profiles");
    }
}

#[test]
fn the_configuration_can_be_checked() {
    let files = Imagined::default()
        .file("good", "port: 4222\nping_interval: 15\n")
        .file("bad", "port: x\nfoo: 1\n")
        .file("broken", "port: {");
    let Ok(CommandLine {
        invocation: Invocation::CheckConfig(checked),
        personality,
        lang,
    }) = run_in("nats-server -t -c good", &files)
    else {
        panic!("not checked");
    };
    let text = checked.text(personality, lang);
    assert!(
        text.contains("\nnats-server: configuration file good is valid (sha256:"),
        "{text}"
    );
    assert!(text.starts_with("nats-server: good:2:16: "), "{text}");
    assert!(text.ends_with(")\n"), "{text}");
    refuses_in("s -t -c bad", &files, 1, "recado-server: bad:1:7: ");
    refuses_in(
        "s -t -c bad",
        &files,
        1,
        "recado-server: bad:2:1: unknown field \"foo\"",
    );
    refuses_in("s -c broken -t", &files, 1, "broken:1:7: Parse error: ");
    refuses_in(
        "s -c missing",
        &files,
        1,
        "recado-server: can't read missing",
    );
    refuses("s -t", "name it with -c FILE");
    refuses("s -t -c ", "name it with -c FILE");
}

#[test]
fn mistakes_in_file_and_flags_are_reported_together() {
    let files = Imagined::default().file("bad", "port: x\n");
    refuses_in("s -c bad --plain y", &files, 2, "bad:1:7: ");
    refuses_in("s -c bad --plain y", &files, 2, "\"y\" is not PORT");
}

#[test]
fn a_running_server_can_be_signalled() {
    let signal = |line| match invocation(line) {
        Invocation::Signal { command, target } => (command, target),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        signal("s -sl ldm=77"),
        (SignalCommand::LameDuck, SignalTarget::Pid(77))
    );
    assert_eq!(
        signal("s --signal stop"),
        (SignalCommand::Stop, SignalTarget::TheOnly)
    );
    assert_eq!(
        signal("s --signal=quit=1"),
        (SignalCommand::Quit, SignalTarget::Pid(1))
    );
    assert_eq!(
        signal("s -signal term=/run/x.pid"),
        (
            SignalCommand::Term,
            SignalTarget::PidFile("/run/x.pid".into())
        )
    );
    assert_eq!(
        signal("s -sl reopen=12*"),
        (
            SignalCommand::Reopen,
            SignalTarget::PidsBeginningWith("12".into())
        )
    );
    assert_eq!(
        signal("s -sl ldm=*"),
        (
            SignalCommand::LameDuck,
            SignalTarget::PidsBeginningWith(String::new())
        )
    );
    refuses("s -sl hup", "no signal \"hup\"");
}

#[test]
fn a_port_is_for_one_listener_only() {
    let refuses = |line, part| refuses_in(line, &Imagined::default(), 1, part);
    refuses(
        "s -p 4305 --plain 4305",
        "port 4305 is both the clients' and a plain listener's",
    );
    refuses("s --plain 4222:a", "port 4222 is both");
    refuses(
        "s --plain 7 --plain 8 --plain 7:a",
        "port 7 is given to two",
    );
    let spanish = Imagined::default().variable("LANG", "es_AR.UTF-8");
    let said = "el puerto 4305 es a la vez el de los clientes y el de una entrada";
    refuses_in("s -p 4305 --plain 4305", &spanish, 1, said);
    let free = options("s -p -1 --plain -1 --plain -1");
    assert_eq!((free.port, free.plain.len()), (0, 2));
}

#[test]
fn the_value_of_an_unknown_flag_is_no_command() {
    for (line, errors) in [
        ("s --prot 3", 1),
        ("s --prot=3", 1),
        ("s --prot 3 --trase", 2),
        // A switch has no value: what follows stands for itself.
        ("s --trase 3", 2),
        ("s --prot -D", 1),
    ] {
        let refusal = run(line).map(|_| ()).expect_err(line);
        assert_eq!(
            refusal.findings.errors.len(),
            errors,
            "{line}: {}",
            refusal.text()
        );
    }
}

#[test]
fn a_token_can_be_made() {
    let token_new = |line| match invocation(line) {
        Invocation::TokenNew(token_new) => token_new,
        other => panic!("{other:?}"),
    };
    let expected = |path: &str, force, print| TokenNew {
        path: path.into(),
        force,
        print,
    };
    assert_eq!(
        token_new("s token new"),
        expected("recado.token", false, false)
    );
    assert_eq!(token_new("s token new a.t"), expected("a.t", false, false));
    assert_eq!(
        token_new("s token new --force a.t -print"),
        expected("a.t", true, true)
    );
    assert_eq!(
        token_new("s --lang es token new -- --force"),
        expected("--force", false, false)
    );
    refuses("s token", "token new [FILE]");
    refuses("s token old", "token new [FILE]");
    refuses("s token new a b", "takes one file");
    refuses("s token new --forse", "did you mean --force?");
    refuses("s -D token new", "does not go with the flags");
}

#[test]
fn a_made_token_is_only_shown_when_asked_for() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("a.token");
    let quiet = TokenNew {
        path: path.clone(),
        force: false,
        print: false,
    };
    let made = quiet.run(Lang::En, Programs::INSTALLED)?;
    let token = std::fs::read_to_string(&path)?;
    assert_eq!(made.shown, None);
    let notice = made.notice;
    assert!(!notice.contains(token.trim()), "{notice}");
    for command in [
        "recado-server --token-file {}",
        "recado --token-file {} ping",
    ] {
        let command = command.replace("{}", &path.display().to_string());
        assert!(notice.contains(&command), "{notice}");
    }

    let refused = quiet.run(Lang::Es, Programs::INSTALLED);
    let refused = refused.map(|_| ()).map_err(|fault| fault.text(Lang::Es));
    assert!(refused.is_err_and(|text| text.contains("ya existe") && text.contains("--force")));

    let loud = TokenNew {
        force: true,
        print: true,
        ..quiet
    };
    let shown = loud.run(Lang::En, Programs::INSTALLED)?.shown;
    let fresh = std::fs::read_to_string(&path)?;
    assert_ne!(fresh, token);
    assert_eq!(shown.as_deref(), Some(fresh.trim()));
    Ok(())
}

#[test]
fn help_and_version_win_over_everything() {
    for line in [
        "s -v",
        "s --version",
        "s version",
        "s -D --version",
        "s -v --foo",
    ] {
        assert!(matches!(invocation(line), Invocation::Version), "{line}");
    }
    for line in [
        "s -h",
        "s --help",
        "s help",
        "s -h --foo",
        "s token new --help",
    ] {
        assert!(matches!(invocation(line), Invocation::Help(_)), "{line}");
    }
}

#[test]
fn help_names_every_flag_in_both_languages() {
    for lang in [Lang::En, Lang::Es] {
        let text = help(Personality::Recado, lang);
        let words: Vec<_> = text.split([' ', ',', '\n', '=', '[']).collect();
        for (names, meaning) in table::FLAGS {
            if matches!(meaning, Meaning::Is(_)) {
                let shown = names.iter().any(|name| {
                    words.contains(&format!("--{name}").as_str())
                        || *name == "t" && words.contains(&"-t")
                        || *name == "DV" && words.contains(&"-DV")
                });
                assert!(shown, "{names:?} in {lang:?}");
            }
        }
        assert!(!text.contains('{') && !text.contains('}'), "{text}");
    }
    let nats = help(Personality::NatsServer, Lang::En);
    assert!(
        nats.contains("Usage: nats-server ") && nats.contains("(0.0.0.0)"),
        "{nats}"
    );
}

#[test]
fn people_are_answered_in_their_language_and_programs_in_english() {
    let spanish = Imagined::default().variable("LANG", "es_ES.UTF-8");
    refuses_in(
        "recado-server --foo",
        &spanish,
        2,
        "no existe la opción --foo",
    );
    refuses_in(
        "recado-server --foo --lang en",
        &spanish,
        2,
        "there is no flag --foo",
    );
    refuses_in("nats-server --foo", &spanish, 2, "there is no flag --foo");
    refuses_in(
        "nats-server --foo --lang=es",
        &spanish,
        2,
        "no existe la opción",
    );
    assert_eq!(serve_in("recado-server", &spanish).options.lang, Lang::Es);
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_text() {
    use std::os::unix::ffi::OsStringExt;
    let odd = OsString::from_vec(b"a\xff.log".to_vec());
    let joined = OsString::from_vec(b"--pid=a\xff.log".to_vec());
    let line = ["s".into(), "-l".into(), odd.clone(), joined];
    let Ok(CommandLine {
        invocation: Invocation::Serve(serve),
        ..
    }) = read_command_line(line, &Imagined::default())
    else {
        panic!("refused");
    };
    assert_eq!(serve.options.log.file, Some(PathBuf::from(&odd)));
    assert_eq!(serve.options.pid_file, Some(PathBuf::from(&odd)));
    let name = ["s".into(), "-n".into(), odd];
    let refusal = read_command_line(name, &Imagined::default()).map(|_| ());
    assert!(refusal.is_err_and(|refusal| refusal.text().contains("not UTF-8")));
}

proptest::proptest! {
    #[test]
    fn no_command_line_makes_it_panic(
        words in proptest::collection::vec("(-{0,3}[a-zA-Z_=*]{0,6}|[0-9:. -]{0,6}|token|new|verify|-sl|-sd|-p|--plain|\\PC{0,4})", 0..8)
    ) {
        let line = std::iter::once("s".to_owned()).chain(words).map(OsString::from);
        if let Err(refusal) = read_command_line(line, &Imagined::default()) {
            proptest::prop_assert!(!refusal.text().is_empty());
        }
    }
}
