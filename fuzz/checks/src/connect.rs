//! CONNECT: the JSON that a client introduces itself with.

use recado_auth::{Authenticator, Secret};
use recado_wire::{Connect, Op, ParseLimits, Parsed};
use serde_json::{Map, Value};

const LIMITS: ParseLimits = ParseLimits {
    max_control_line: 1 << 20,
    max_payload: 0,
};

/// What is read survives being written and read again, also inside its line; secrets stay out of
/// the debug text; only the right credential is let in.
pub fn connect(input: &[u8]) {
    let Ok(connect) = Connect::parse(input) else {
        return;
    };
    let json = serde_json::to_vec(&connect).expect("strings, numbers and flags");
    assert_eq!(Connect::parse(&json), Ok(connect.clone()));
    keys_are_read_in_any_case(&json, &connect);

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

fn secrets_stay_out_of_the_debug_text(connect: &Connect) {
    let other = |secret: &Option<String>| secret.as_ref().map(|_| "another".to_owned());
    let with_others = Connect {
        auth_token: other(&connect.auth_token),
        pass: other(&connect.pass),
        ..connect.clone()
    };
    assert_eq!(format!("{connect:?}"), format!("{with_others:?}"));
}

fn only_the_right_credential_is_let_in(connect: &Connect) {
    assert!(Authenticator::Open.decide(connect).is_ok());
    let token = Authenticator::Token(Secret::new("s3cr3t"));
    let right = connect.auth_token.as_deref() == Some("s3cr3t");
    assert_eq!(token.decide(connect).is_ok(), right);
    let user = Authenticator::User {
        user: "ana".into(),
        password: Secret::new("clave"),
    };
    let right = connect.user.as_deref() == Some("ana") && connect.pass.as_deref() == Some("clave");
    assert_eq!(user.decide(connect).is_ok(), right);
}
