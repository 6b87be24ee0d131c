//! Step 8: everybody is asked to end, as Ctrl-C does, and does.

use nix::sys::signal::Signal;

use super::super::cast::Actor;
use super::Stage;
use crate::exit::Status;
use crate::failure::Failure;
use crate::text::tour as text;

/// First the responder, which answers what it has and says goodbye; then the servers.
pub(in super::super) async fn ended(
    stage: &mut Stage<'_>,
    responder: Actor,
    servers: [Actor; 2],
) -> Result<(), Failure> {
    let (narrator, _) = stage;
    narrator.step(text::title_end()).await?;
    let [server, guarded] = servers;
    for mut actor in [responder, server, guarded] {
        narrator.done(&format!("kill -INT {}", actor.pid))?;
        actor.signal(Signal::SIGINT);
        actor.ends_with_a_word(narrator, Status::Done).await?;
    }
    narrator.explain(text::why_end())
}
