//! CONNECT: the JSON that a client introduces itself with.

use recado_auth::{Authenticator, ConnectionType, Login, Secret};
use recado_wire::{Connect, Op, ParseLimits, Parsed};
use serde_json::{Map, Value};

const LIMITS: ParseLimits = ParseLimits {
    max_control_line: 1 << 20,
    max_payload: 0,
};

/// What is read survives being written and read again, also inside its line, and is read the same
/// whatever unknown keys stand beside it; the last of repeated keys counts; secrets stay out of the
/// debug text; only the right credential is let in.
pub fn connect(input: &[u8]) {
    let Ok(connect) = Connect::parse(input) else {
        return;
    };
    let json = serde_json::to_vec(&connect).expect("strings, numbers and flags");
    assert_eq!(Connect::parse(&json), Ok(connect.clone()));
    keys_are_read_in_any_case(&json, &connect);
    unknown_keys_change_nothing(&json, &connect);
    the_last_of_repeated_keys_counts(input, &json, &connect);

    let line = [b"CONNECT ", &json[..], b"\r\n"].concat();
    match recado_wire::parse(&line, &LIMITS) {
        Ok(Parsed::Complete(Op::Connect(read), length)) => {
            assert_eq!((read, length), (&json[..], line.len()));
        }
        other => panic!("{:?} gave {other:?}", line.escape_ascii()),
    }
    secrets_stay_out_of_the_debug_text(&connect);
    only_the_right_credential_is_let_in(&connect);
}

fn keys_are_read_in_any_case(json: &[u8], connect: &Connect) {
    let written: Map<String, Value> = serde_json::from_slice(json).expect("what was written");
    let shouted: Map<String, Value> = written
        .into_iter()
        .map(|(key, value)| (key.to_ascii_uppercase(), value))
        .collect();
    let json = serde_json::to_vec(&shouted).expect("what was read");
    assert_eq!(Connect::parse(&json).as_ref(), Ok(connect));
}

/// Numbers that no machine holds, half a surrogate pair and deep nesting among them.
fn unknown_keys_change_nothing(json: &[u8], connect: &Connect) {
    let deep = [&b"["[..]; 500].concat();
    let ends = [&b"]"[..]; 500].concat();
    let odd: [&[u8]; 4] = [b"1e999", b"\"\\ud800\"", b"null", &[deep, ends].concat()];
    for value in odd {
        let known = json.strip_prefix(b"{").expect("an object");
        let more = [b"{\"x\\udc00\":", value, b",", known].concat();
        assert_eq!(Connect::parse(&more).as_ref(), Ok(connect));
    }
}

/// The keys of the input, once more in capitals behind others that say the opposite.
fn the_last_of_repeated_keys_counts(input: &[u8], json: &[u8], connect: &Connect) {
    let opposite = format!(
        r#"{{"verbose":{},"echo":{},"protocol":{}}}"#,
        !connect.verbose,
        !connect.echo,
        connect.protocol.wrapping_add(1)
    );
    let known = json.strip_prefix(b"{").expect("an object");
    let both = [opposite.trim_end_matches('}').as_bytes(), b",", known].concat();
    assert_eq!(
        Connect::parse(&both).as_ref(),
        Ok(connect),
        "{}",
        input.escape_ascii()
    );
    let shouted = [
        json.strip_suffix(b"}").expect("an object"),
        br#","VERBOSE":true,"Verbose":null}"#,
    ];
    assert!(Connect::parse(&shouted.concat()).is_ok_and(|read| read.verbose));
}

fn secrets_stay_out_of_the_debug_text(connect: &Connect) {
    let other = |secret: &Option<String>| secret.as_ref().map(|_| "another".to_owned());
    let with_others = Connect {
        auth_token: other(&connect.auth_token),
        pass: other(&connect.pass),
        ..connect.clone()
    };
    assert_eq!(format!("{connect:?}"), format!("{with_others:?}"));
}

/// A login over TCP with what CONNECT says, and nothing else.
pub(crate) fn login_with(connect: &Connect) -> Login<'_> {
    Login {
        connect,
        nonce: b"",
        transport: ConnectionType::Standard,
        peer: None,
        certificate: None,
        now_s: 0,
    }
}

fn only_the_right_credential_is_let_in(connect: &Connect) {
    assert!(Authenticator::Open.decide(&login_with(connect)).is_ok());
    let token = Authenticator::Token(Secret::new("s3cr3t"));
    let right = connect.auth_token.as_deref() == Some("s3cr3t");
    assert_eq!(token.decide(&login_with(connect)).is_ok(), right);
    let user = Authenticator::User {
        user: "ana".into(),
        password: Secret::new("clave"),
    };
    let right = connect.user.as_deref() == Some("ana") && connect.pass.as_deref() == Some("clave");
    assert_eq!(user.decide(&login_with(connect)).is_ok(), right);
}
