//! Steps 1 to 3: a client without a server, a server without a responder, and then all three.

use super::super::cast::Actor;
use super::super::sight;
use super::{GAP, Stage, up_to_gap};
use crate::exit::Status;
use crate::failure::Failure;
use crate::text::{talk, tour as text, waiting as waiting_text};

/// A client finds no server: once it fails, and once it waits. The waiting one is handed on.
pub(in super::super) async fn nobody_there(stage: &mut Stage<'_>) -> Result<Actor, Failure> {
    let (narrator, cast) = stage;
    narrator.step(text::title_nobody()).await?;
    narrator.done(&format!("export NATS_URL={}", cast.url()))?;
    let ask = ["request", text::subject(), text::hello()];
    let mut refused = cast.client(narrator, &ask)?;
    refused.ends(narrator, Status::Refused).await?;
    narrator.explain(text::why_refused())?;
    narrator.breathe().await;
    let mut waiting = cast.client(narrator, &[&ask[..], &["--retry", "--wait"]].concat())?;
    let refused = waiting_text::waiting("");
    waiting.says(narrator, &refused).await?;
    Ok(waiting)
}

/// The server starts, and the waiting client finds it.
pub(in super::super) async fn server_starts(
    stage: &mut Stage<'_>,
    mut waiting: Actor,
) -> Result<(Actor, Actor), Failure> {
    let (narrator, cast) = stage;
    narrator.step(text::title_server()).await?;
    let mut server = cast.server(narrator, cast.port, &[])?;
    server.announces(narrator, cast.port).await?;
    waiting
        .says(narrator, up_to_gap(&waiting_text::connected(GAP)))
        .await?;
    let nobody = talk::waiting_for_responder(text::subject());
    waiting.says(narrator, &nobody).await?;
    narrator.explain(text::why_waiting())?;
    Ok((server, waiting))
}

/// A responder starts, and the waiting client gets its reply.
pub(in super::super) async fn somebody_answers(
    stage: &mut Stage<'_>,
    server: &Actor,
    mut waiting: Actor,
) -> Result<Actor, Failure> {
    let (narrator, cast) = stage;
    narrator.step(text::title_responder()).await?;
    let reply = ["reply", text::subject(), "--text", text::hello_to_you()];
    let mut responder = cast.client(narrator, &reply)?;
    responder.says(narrator, text::subject()).await?;
    waiting.says(narrator, text::hello_to_you()).await?;
    waiting.ends(narrator, Status::Done).await?;
    responder
        .says(narrator, &format!("{}: {}", text::subject(), text::hello()))
        .await?;
    narrator.explain(text::why_processes())?;
    let (lines, figures) = sight::seen(&[server, &responder]);
    narrator.picture("processes", &lines, figures)?;
    narrator.explain(&text::see_processes(server.pid, responder.pid))?;
    Ok(responder)
}
