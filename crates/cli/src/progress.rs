//! Progress bars: on a terminal, and nowhere else.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `all` things called `name`. Without a terminal, or with `quiet`, it shows nothing.
pub(crate) fn bar(all: u64, name: &'static str, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(style());
    bar.set_prefix(name);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// The look of all bars; without colours, so that `NO_COLOR` needs no second one.
fn style() -> ProgressStyle {
    // The template is a constant that the constructor accepts.
    ProgressStyle::with_template(
        "{prefix:>12} {wide_bar} {human_pos}/{human_len} {elapsed}/{duration}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
    .progress_chars("█▉▊▋▌▍▎▏ ")
}
