//! What servers send, as clients and the server's own services read it.

use recado_wire::{Info, ServerFrame, ServerParsed, parse_server_frame, push_message};

use crate::cuts::cuts;

/// Lengths are true; the beginning of a frame is never taken for a whole one or for no frame;
/// messages and INFO written out again read the same.
pub fn server_frame(input: &[u8]) {
    let mut rest = input;
    loop {
        match parse_server_frame(rest) {
            ServerParsed::Complete(frame, length) => {
                assert!(length > 0 && length <= rest.len(), "length {length}");
                for cut in cuts(length) {
                    let beginning = parse_server_frame(&rest[..cut]);
                    assert_eq!(beginning, ServerParsed::Incomplete, "first {cut} bytes");
                }
                written_out_reads_the_same(&frame);
                rest = &rest[length..];
            }
            ServerParsed::Incomplete => {
                for cut in cuts(rest.len()) {
                    let beginning = parse_server_frame(&rest[..cut]);
                    assert_eq!(beginning, ServerParsed::Incomplete, "first {cut} bytes");
                }
                return;
            }
            ServerParsed::Malformed => {
                for cut in cuts(rest.len()) {
                    let beginning = parse_server_frame(&rest[..cut]);
                    assert!(
                        !matches!(beginning, ServerParsed::Complete(..)),
                        "first {cut} bytes"
                    );
                }
                return;
            }
        }
    }
}

fn written_out_reads_the_same(frame: &ServerFrame<'_>) {
    match frame {
        ServerFrame::Message {
            subject,
            sid,
            reply,
            headers,
            payload,
        } => {
            let mut out = Vec::new();
            let block = (!headers.is_empty()).then_some(*headers);
            push_message(&mut out, subject, sid, reply, block, payload);
            let again = ServerFrame::Message {
                subject,
                sid,
                reply,
                headers,
                payload,
            };
            assert_eq!(
                parse_server_frame(&out),
                ServerParsed::Complete(again, out.len())
            );
        }
        ServerFrame::Info(json) => {
            let Ok(info) = serde_json::from_slice::<Info>(json) else {
                return;
            };
            let line = info.line();
            let ServerParsed::Complete(ServerFrame::Info(json), length) = parse_server_frame(&line)
            else {
                panic!("{:?} is no INFO", line.escape_ascii());
            };
            assert_eq!(length, line.len());
            let again: Info = serde_json::from_slice(json).expect("what was written");
            assert_eq!(again, info);
        }
        ServerFrame::Ping | ServerFrame::Pong | ServerFrame::Ok | ServerFrame::Err(_) => {}
    }
}
