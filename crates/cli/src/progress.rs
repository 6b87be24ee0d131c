//! Progress bars: on a terminal, and nowhere else.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `all` things called `name`, or a mark that something goes on where `all` is not known. Without
/// a terminal, or with `quiet`, it shows nothing.
pub(crate) fn bar(all: Option<u64>, name: &'static str, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(all, ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(style(all.is_some()));
    bar.set_prefix(name);
    // At once, whatever the thread that draws it again finds when it gets its turn.
    bar.tick();
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// The look of all bars; without colours, so that `NO_COLOR` needs no second one.
fn style(bounded: bool) -> ProgressStyle {
    let template = match bounded {
        true => "{prefix:>12} {wide_bar} {percent:>3} % {msg}",
        false => "{prefix:>12} {spinner} {elapsed} {msg}",
    };
    // Both are constants that the constructor accepts.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("█▉▊▋▌▍▎▏ ")
}
