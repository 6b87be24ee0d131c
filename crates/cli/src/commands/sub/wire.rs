//! `recado sub --wire`: listens on a plain connection whose every frame is shown.

use std::time::Duration;

use super::{Arguments, silence};
use crate::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::line::Line;
use crate::settings::Settings;
use crate::terminal;
use crate::text::{talk, waiting};
use crate::wire_view::WireView;

/// The number of our only subscription.
const SID: u64 = 1;

/// Runs the command. With `--retry` a connection that breaks is opened again.
pub(super) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let view = WireView::new(as_json);
    let settings = settings.tapped(view.tap());
    let mut interrupt = Interrupt::new()?;
    loop {
        let work = listen(&settings, arguments, &view);
        let ended = tokio::select! {
            biased;
            () = interrupt.asked() => return Ok(()),
            ended = work => ended,
        };
        match ended {
            Err(failure) if settings.retry && failure.may_pass() && view.failure().is_none() => {
                terminal::notice(&waiting::waiting(&failure.what()));
                view.again();
            }
            ended => return ended,
        }
    }
}

/// Listens until the count is reached, silence is too long, or something breaks.
async fn listen(
    settings: &Settings,
    arguments: &Arguments,
    view: &WireView,
) -> Result<(), Failure> {
    let mut line: Line = connect::line(settings).await?;
    let left = arguments
        .count
        .map(|count| count - view.messages().min(count));
    line.subscribe(arguments.subject(), arguments.queue.as_deref(), SID, left);
    line.confirm(settings.reply_limit()).await?;
    terminal::notice(&talk::listening(arguments.subject(), &settings.label()));
    let limit = settings.timeout.unwrap_or(Duration::MAX);
    loop {
        if let Some(failure) = view.failure() {
            return Err(failure);
        }
        if arguments
            .count
            .is_some_and(|count| view.messages() >= count)
        {
            return Ok(());
        }
        match tokio::time::timeout(limit, line.next()).await {
            Ok(frame) => {
                frame?;
            }
            Err(_) => return silence(arguments, view.messages(), limit),
        }
    }
}
