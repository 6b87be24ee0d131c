//! Requests about accounts' claims (A118): who asks is told what came of it.

use std::io;

use recado_wire::push_publish;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::OwnedWriteHalf;

use super::Sources;
use super::answer::{Asked, server};
use crate::resolver::{Answer, ClaimsRequest};

/// Bytes of an answer in many messages that are gathered before they are sent.
const PACK_BYTES: usize = 256 * 1024;

/// Answers a request about claims into `out`, or right away what is long. `false`: it is about something else.
///
/// # Errors
/// When the connection to the engine is gone.
pub(super) async fn answer(
    sources: &Sources,
    asked: &Asked,
    out: &mut Vec<u8>,
    write: &mut OwnedWriteHalf,
) -> io::Result<bool> {
    let Some(request) = ClaimsRequest::of(&asked.subject) else {
        return Ok(false);
    };
    let answered = sources
        .reloader
        .ask(request, &asked.payload, &asked.asker());
    if asked.reply.is_empty() {
        return Ok(true);
    }
    let payload = match answered {
        None => return Ok(true),
        Some(Answer::Pack(accounts)) => {
            send_pack(sources, &asked.reply, &accounts, out, write).await?;
            return Ok(true);
        }
        Some(Answer::Token(token)) => token,
        Some(Answer::Json(mut value)) => {
            value["server"] = server(sources);
            let most = sources.observed.info().max_payload;
            match value.to_string().into_bytes() {
                fits if fits.len() <= most => fits,
                _ => {
                    let error =
                        json!({"code": 500, "description": "the answer is above max_payload"});
                    let told = json!({"server": server(sources), "error": error});
                    told.to_string().into_bytes()
                }
            }
        }
    };
    push_publish(out, &asked.reply, b"", None, &payload);
    Ok(true)
}

/// Sends the claims of these accounts, a message each, and an empty one behind them.
async fn send_pack(
    sources: &Sources,
    reply: &[u8],
    accounts: &[String],
    out: &mut Vec<u8>,
    write: &mut OwnedWriteHalf,
) -> io::Result<()> {
    for account in accounts {
        if let Some(line) = sources.reloader.packed(account) {
            push_publish(out, reply, b"", None, &line);
        }
        if out.len() > PACK_BYTES {
            write.write_all(out).await?;
            out.clear();
        }
    }
    push_publish(out, reply, b"", None, b"");
    Ok(())
}
