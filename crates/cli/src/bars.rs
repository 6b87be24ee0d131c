//! Bars drawn with characters, and how wide the terminal is.

/// How wide what goes to a pipe is drawn.
const COLUMNS: usize = 80;
const COLUMNS_MIN: usize = 40;
const COLUMNS_MAX: usize = 120;

/// The columns that a drawing may take: those of the terminal, of `COLUMNS`, or of a usual one.
pub(crate) fn columns() -> usize {
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal
        .map(|(width, _)| usize::from(width.0))
        .or_else(told)
        .unwrap_or(COLUMNS)
        .clamp(COLUMNS_MIN, COLUMNS_MAX)
}

/// A bar for `value` where `most` fills the width; whatever is not zero is seen.
pub(crate) fn bar(value: f64, most: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    if value <= 0.0 || most <= 0.0 {
        return String::new();
    }
    let eighths = (value / most * (width * 8) as f64).round() as usize;
    let eighths = eighths.clamp(1, width.max(1) * 8);
    let mut bar: String = std::iter::repeat_n('█', eighths / 8).collect();
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8 - 1]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_their_value_and_never_leave_their_width() {
        assert_eq!(bar(0.0, 10.0, 4), "");
        assert_eq!(bar(1e-9, 10.0, 4), "▏");
        assert_eq!(bar(5.0, 10.0, 4), "██");
        assert_eq!(bar(10.0, 10.0, 4), "████");
        assert_eq!(bar(99.0, 10.0, 4), "████");
        assert_eq!(bar(5.0, 8.0, 1), "▋");
    }
}
