//! Step 5: the server is killed in the middle of its work, and started again.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::super::cast::Actor;
use super::{GAP, Stage, up_to_gap};
use crate::exit::Status;
use crate::failure::Failure;
use crate::text::{ping, talk, tour as text, waiting as waiting_text};

/// How long the server is down at least: long enough that the clients try in vain a few times.
const DOWN: Duration = Duration::from_millis(400);

/// What two clients notice of it, and a third that comes while the server is down. The new server is
/// handed on.
pub(in super::super) async fn killed(
    stage: &mut Stage<'_>,
    server: Actor,
    responder: &mut Actor,
) -> Result<Actor, Failure> {
    let (narrator, cast) = stage;
    let url = cast.url();
    narrator.step(text::title_crash()).await?;
    let ping = ["ping", "--count", "0", "--interval", "200ms", "--retry"];
    let mut pinging = cast.client(narrator, &ping)?;
    pinging.says(narrator, &pong(1, cast.port)).await?;
    pinging.says(narrator, &pong(2, cast.port)).await?;
    narrator.done(&format!("kill -9 {}", server.pid))?;
    server.kill().await;
    pinging.says(narrator, &ping::broke("")).await?;
    responder.says(narrator, &talk::gone(&url)).await?;
    let ask = ["request", text::subject(), text::still_there()];
    let mut waiting = cast.client(narrator, &[&ask[..], &["--retry", "--wait"]].concat())?;
    waiting.says(narrator, &waiting_text::waiting("")).await?;
    narrator.explain(text::why_crash())?;
    narrator.breathe().await;
    tokio::time::sleep(DOWN).await;

    let mut server = cast.server(narrator, cast.port, &[])?;
    server.announces(narrator, cast.port).await?;
    let back = talk::back(&url, GAP);
    responder.says(narrator, up_to_gap(&back)).await?;
    waiting.says(narrator, text::hello_to_you()).await?;
    waiting.ends(narrator, Status::Done).await?;
    let back = ping::back(GAP, 0);
    pinging.says(narrator, up_to_gap(&back)).await?;
    pinging.says(narrator, "pong ").await?;
    pinging.signal(Signal::SIGINT);
    pinging.ends_quietly(narrator, Status::Done).await?;
    narrator.explain(text::why_recovered())?;
    Ok(server)
}

/// How a pong's line begins.
fn pong(number: u64, port: u16) -> String {
    ping::pong(number, &format!("127.0.0.1:{port}"), "")
}
