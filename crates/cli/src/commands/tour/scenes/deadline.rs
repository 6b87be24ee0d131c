//! Step 6: a responder that is there but does not answer, and one that is not there at all.

use nix::sys::signal::Signal;

use super::super::cast::Actor;
use super::Stage;
use crate::exit::Status;
use crate::failure::Failure;
use crate::text::tour as text;

/// Stops the responder, asks in vain, and lets it go on.
pub(in super::super) async fn passes(
    stage: &mut Stage<'_>,
    responder: &mut Actor,
) -> Result<(), Failure> {
    let (narrator, cast) = stage;
    narrator.step(text::title_deadline()).await?;
    narrator.done(&format!("kill -STOP {}", responder.pid))?;
    responder.signal(Signal::SIGSTOP);
    let ask = ["request", text::subject(), text::hello()];
    let mut late = cast.client(narrator, &[&ask[..], &["--timeout", "500ms"]].concat())?;
    late.ends(narrator, Status::Deadline).await?;
    narrator.explain(text::why_deadline())?;
    narrator.breathe().await;
    narrator.done(&format!("kill -CONT {}", responder.pid))?;
    responder.signal(Signal::SIGCONT);
    let mut answered = cast.client(narrator, &ask)?;
    answered.says(narrator, text::hello_to_you()).await?;
    answered.ends(narrator, Status::Done).await?;
    let nobody = ["request", text::nobody(), text::hello()];
    let mut nobody = cast.client(narrator, &nobody)?;
    nobody.ends(narrator, Status::NoResponders).await?;
    narrator.explain(text::why_nobody())
}
