//! A guard between a client and a server that lets only some subjects pass, and refuses the rest
//! in the server's own words: what a server with permissions looks like from a client.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use recado_wire::{Op, ParseLimits, Parsed, ProtocolError, parse, push_err};

const LIMITS: ParseLimits = ParseLimits {
    max_control_line: 64 * 1024,
    max_payload: 1024 * 1024,
};

/// Starts a guard in front of `server` and returns its URL. It lives as long as the test program.
pub(crate) fn guarded(server: SocketAddr, allowed: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let behind = TcpStream::connect(server).unwrap();
            let (to_client, from_server) =
                (client.try_clone().unwrap(), behind.try_clone().unwrap());
            std::thread::spawn(move || pass_everything(from_server, to_client));
            std::thread::spawn(move || pass_what_is_allowed(client, behind, allowed));
        }
    });
    url
}

fn pass_everything(mut from: TcpStream, mut to: TcpStream) {
    // Either side may go at any time: then the other is told.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

fn pass_what_is_allowed(mut client: TcpStream, mut server: TcpStream, allowed: &[&str]) {
    let mut input = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = client.read(&mut chunk) {
        input.extend_from_slice(&chunk[..count]);
        while let Ok(Parsed::Complete(op, length)) = parse(&input, &LIMITS) {
            let passed = match refusal(&op, allowed) {
                None => server.write_all(&input[..length]),
                Some(error) => {
                    let mut told = Vec::new();
                    push_err(&mut told, &error);
                    client.write_all(&told)
                }
            };
            if passed.is_err() {
                return;
            }
            input.drain(..length);
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

fn refusal(op: &Op<'_>, allowed: &[&str]) -> Option<ProtocolError> {
    let subject = match op {
        Op::Publish(message) => message.subject,
        Op::Subscribe { filter, .. } => filter,
        _ => return None,
    };
    let subject = String::from_utf8_lossy(subject).into_owned();
    if allowed.iter().any(|prefix| subject.starts_with(prefix)) {
        return None;
    }
    Some(match op {
        Op::Publish(_) => ProtocolError::PublishViolation(subject),
        _ => ProtocolError::SubscriptionViolation {
            subject,
            detail: "".into(),
        },
    })
}
