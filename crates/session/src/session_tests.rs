//! The session driven with a clock of its own.

use super::*;

fn settings(auth_required: bool) -> Arc<Settings> {
    Arc::new(Settings {
        parse: ParseLimits {
            max_control_line: 4096,
            max_payload: 1024,
        },
        payload_room: 0,
        auth_required,
        auth_timeout: Duration::from_secs(2),
        ping_interval: Duration::from_secs(120),
        first_ping: Duration::from_secs(2),
        ping_max: 2,
        headers: true,
        max_subscriptions: 0,
        max_sub_tokens: 0,
    })
}

fn connect(json: &str) -> Connect {
    Connect::parse(json.as_bytes()).unwrap()
}

#[test]
fn with_a_credential_asked_for_the_first_verb_must_be_connect() {
    let now = Instant::now();
    for input in ["PING\r\n", "PUB a 1\r\nx\r\n", "INFO {}\r\n", "x"] {
        let mut session = Session::new(settings(true), now);
        let (step, _) = session.step(input.as_bytes(), now);
        let Step::Close(goodbye) = step else {
            panic!("{input:?} gave {step:?}")
        };
        assert_eq!(goodbye.told, Some(ProtocolError::AuthorizationViolation));
    }
    let mut session = Session::new(settings(true), now);
    assert!(matches!(session.step(b"CONN", now), (Step::More(_), 0)));
    assert!(matches!(
        session.step(b"CONNECT {}\r\n", now),
        (Step::Authenticate(_), 12)
    ));
    assert!(!session.admitted());
}

#[test]
fn without_connect_in_time_the_session_ends() {
    let now = Instant::now();
    let mut session = Session::new(settings(true), now);
    assert_eq!(session.tick(now + Duration::from_millis(1999)), Tick::Wait);
    let Tick::Close(goodbye) = session.tick(session.deadline()) else {
        panic!("should close")
    };
    assert_eq!(goodbye.told, Some(ProtocolError::AuthenticationTimeout));
}

#[test]
fn the_second_info_follows_the_first_pong_once() {
    let now = Instant::now();
    let mut session = Session::new(settings(false), now);
    assert!(matches!(session.step(b"PING\r\n", now), (Step::Say(_), 6)));
    session.admit(&connect(r#"{"protocol":1}"#), now).unwrap();
    assert!(!session.takes_async_info());
    assert!(matches!(
        session.step(b"PING\r\n", now),
        (Step::PongAndInfo, 6)
    ));
    assert!(matches!(session.step(b"PING\r\n", now), (Step::Say(_), 6)));
    assert!(session.takes_async_info());

    let mut old = Session::new(settings(false), now);
    old.admit(&connect("{}"), now).unwrap();
    assert!(matches!(old.step(b"PING\r\n", now), (Step::Say(_), 6)));
    assert!(!old.takes_async_info());
}

#[test]
fn senseless_connects_are_refused() {
    let now = Instant::now();
    let mut session = Session::new(settings(false), now);
    let refused = session
        .admit(&connect(r#"{"protocol":2}"#), now)
        .unwrap_err();
    assert_eq!(refused.told, Some(ProtocolError::InvalidClientProtocol));
    let refused = session
        .admit(&connect(r#"{"no_responders":true}"#), now)
        .unwrap_err();
    assert_eq!(refused.told, Some(ProtocolError::NoRespondersNeedsHeaders));
    let refused = session
        .admit(&connect(r#"{"account":"A"}"#), now)
        .unwrap_err();
    assert_eq!(refused.told, Some(ProtocolError::AuthorizationViolation));
    let (step, _) = session.step(b"CONNECT {\r\n", now);
    assert!(matches!(step, Step::Close(Goodbye { told: None, .. })));
}

#[test]
fn headers_must_have_been_asked_for() {
    let now = Instant::now();
    let input = b"HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n";
    let mut session = Session::new(settings(false), now);
    assert!(matches!(
        session.step(input, now).0,
        Step::Close(Goodbye { told: None, .. })
    ));
    session.admit(&connect(r#"{"headers":true}"#), now).unwrap();
    assert!(matches!(session.step(input, now).0, Step::Publish(_)));
}

#[test]
fn silence_is_pinged_and_then_stale() {
    let start = Instant::now();
    let mut session = Session::new(settings(false), start);
    session.admit(&connect("{}"), start).unwrap();
    assert_eq!(session.deadline(), start + Duration::from_secs(2));
    assert_eq!(session.tick(session.deadline()), Tick::Ping);
    let answered = session.deadline() - Duration::from_secs(119);
    session.heard(answered);
    let _ = session.step(b"PONG\r\n", answered);
    assert_eq!(session.round_trip(), Some(Duration::from_secs(1)));
    assert_eq!(
        session.tick(session.deadline()),
        Tick::Wait,
        "heard within the interval"
    );
    assert_eq!(session.tick(session.deadline()), Tick::Ping);
    assert_eq!(session.tick(session.deadline()), Tick::Ping);
    let Tick::Close(goodbye) = session.tick(session.deadline()) else {
        panic!("should be stale")
    };
    assert_eq!(goodbye.told, Some(ProtocolError::StaleConnection));
}

#[test]
fn subscriptions_are_held_against_their_limits() {
    let mut limited = (*settings(false)).clone();
    limited.max_subscriptions = 2;
    limited.max_sub_tokens = 3;
    let session = Session::new(Arc::new(limited), Instant::now());
    assert_eq!(session.check_subscription(b"a.b.c", 1), Ok(()));
    assert_eq!(
        session.check_subscription(b"a", 2),
        Err(ProtocolError::MaxSubscriptions)
    );
    assert_eq!(
        session.check_subscription(b"a..b", 0),
        Err(ProtocolError::InvalidSubject)
    );
    let refused = session.check_subscription(b"a.b.c.d", 0).unwrap_err();
    assert_eq!(
        refused.text(),
        "Permissions Violation for Subscription to \"a.b.c.d\", too many tokens"
    );
}

#[test]
fn reserved_subjects_are_refused_and_odd_ones_only_told() {
    let now = Instant::now();
    let mut session = Session::new(settings(false), now);
    session
        .admit(&connect(r#"{"pedantic":false}"#), now)
        .unwrap();
    let publish = |subject: &'static [u8], reply: &'static [u8]| Publish {
        subject,
        reply,
        header_len: 0,
        body: b"",
        tail: b"",
        with_headers: false,
    };
    assert!(session.check_publish(&publish(b"a.*", b"")).is_ok());
    assert!(matches!(
        session.check_publish(&publish(b"_GR_.x", b"")),
        Err((_, false))
    ));
    assert!(matches!(
        session.check_publish(&publish(b"a", b"$JS.ACK.x")),
        Err((_, false))
    ));
    session.admit(&connect("{}"), now).unwrap();
    let told = session.check_publish(&publish(b"a.*", b"")).unwrap_err();
    assert_eq!(told, (ProtocolError::InvalidPublishSubject, true));
}

#[test]
fn the_hot_path_leaves_what_needs_a_second_look_to_the_other() {
    let now = Instant::now();
    let input = b"PUB a 1\r\nx\r\n";
    let mut session = Session::new(settings(true), now);
    assert!(session.publish(input).is_none(), "not admitted");
    session.admit(&connect("{}"), now).unwrap();
    assert!(session.publish(input).is_none(), "pedantic");
    session
        .admit(&connect(r#"{"pedantic":false}"#), now)
        .unwrap();
    assert!(session.publish(input).is_some());
    assert!(session.publish(b"PUB a _INBOX.x 1\r\nx\r\n").is_some());
    assert!(session.publish(b"PUB _GR_.a 1\r\nx\r\n").is_none());
    assert!(session.publish(b"PUB a $JS.ACK.x 1\r\nx\r\n").is_none());
    assert!(session.publish(b"PUB a 1\r\nx").is_none(), "not whole");
}

#[test]
fn a_header_block_of_no_bytes_is_none() {
    let now = Instant::now();
    let mut session = Session::new(settings(false), now);
    session.admit(&connect(r#"{"headers":true}"#), now).unwrap();
    let (step, _) = session.step(b"HPUB a 0 3\r\nabc\r\n", now);
    let Step::Publish(publish) = step else {
        panic!("a publish")
    };
    assert_eq!((publish.with_headers, publish.tail), (false, &b""[..]));
}

#[test]
fn a_long_line_without_arguments_is_passed_over_and_counts_at_its_end() {
    let now = Instant::now();
    let mut session = Session::new(settings(false), now);
    session
        .admit(&connect(r#"{"pedantic":false}"#), now)
        .unwrap();
    let start = format!("PING{}", "x".repeat(5000));
    let (step, length) = session.step(start.as_bytes(), now);
    assert!(matches!(step, Step::Nothing));
    assert_eq!(length, start.len());
    // Whatever looks like an operation on the rest of the line is none.
    let publish = b"PUB a 1\r\nx\r\n";
    assert!(session.publish(publish).is_none());
    assert!(matches!(session.step(b"xxx", now), (Step::Nothing, 3)));
    assert!(matches!(session.step(publish, now), (Step::Say(_), 9)));
    assert!(session.publish(publish).is_some());
}

fn with_rights(rights: Rights, now: Instant) -> Session {
    let mut session = Session::new(settings(true), now);
    session
        .admit(&connect(r#"{"verbose":false,"pedantic":false}"#), now)
        .unwrap();
    session.set_rights(rights);
    session
}

#[test]
fn a_session_ends_with_its_credential_or_its_account_whichever_is_first() {
    let now = Instant::now();
    let at = |seconds| Some(now + Duration::from_secs(seconds));
    for (user, account, told) in [
        (at(5), None, ProtocolError::UserExpired),
        (None, at(5), ProtocolError::AccountExpired),
        (at(5), at(9), ProtocolError::UserExpired),
        (at(9), at(5), ProtocolError::AccountExpired),
    ] {
        let rights = Rights {
            expires: user,
            account_expires: account,
            ..Rights::default()
        };
        let mut session = with_rights(rights, now);
        let mut time = now;
        let goodbye = loop {
            time = time.max(session.deadline());
            match session.tick(time) {
                Tick::Close(goodbye) => break goodbye,
                Tick::Ping | Tick::Wait => session.heard(time),
            }
        };
        assert_eq!(goodbye.told, Some(told));
        assert_eq!(time, now + Duration::from_secs(5));
    }
}

#[test]
fn what_the_server_adds_to_a_message_is_not_held_against_the_rights() {
    let now = Instant::now();
    for (allowed, most) in [(Some(4), 104), (Some(1000), 1024), (None, 1024)] {
        let room = Settings {
            payload_room: 100,
            ..(*settings(false)).clone()
        };
        let mut session = Session::new(Arc::new(room), now);
        session.set_rights(Rights {
            max_payload: allowed,
            ..Rights::default()
        });
        assert_eq!(session.max_payload(), most, "{allowed:?}");
    }
}

#[test]
fn what_may_be_published_is_asked_for_each_subject_and_bounded_by_the_rights() {
    let now = Instant::now();
    let spec = recado_auth::PermissionsSpec {
        publish: recado_auth::Rules {
            allow: Some(vec!["a.>".into()]),
            deny: vec!["a.no".into()],
        },
        ..recado_auth::PermissionsSpec::default()
    };
    let rights = Rights {
        permissions: Some(Arc::new(Permissions::new(spec).unwrap())),
        max_payload: Some(4),
        max_subscriptions: Some(1),
        ..Rights::default()
    };
    let mut session = with_rights(rights, now);
    for (line, passes) in [
        (&b"PUB a.b 1\r\nx\r\n"[..], true),
        (b"PUB a.b 1\r\nx\r\n", true),
        (b"PUB a.no 1\r\nx\r\n", false),
        (b"PUB b 1\r\nx\r\n", false),
        (b"PUB a.c 1\r\nx\r\n", true),
        (b"PUB a.b 5\r\nxxxxx\r\n", false),
    ] {
        assert_eq!(
            session.publish(line).is_some(),
            passes,
            "{}",
            line.escape_ascii()
        );
    }
    let (step, _) = session.step(b"PUB a.b 5\r\nxxxxx\r\n", now);
    assert!(
        matches!(step, Step::Close(goodbye) if goodbye.told == Some(ProtocolError::MaxPayload))
    );
    assert_eq!(session.check_subscription(b"x", 0), Ok(()));
    assert_eq!(
        session.check_subscription(b"x", 1),
        Err(ProtocolError::MaxSubscriptions)
    );
}
