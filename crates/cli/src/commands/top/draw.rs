//! The picture: who the server is, its figures, its connections, and the keys at the bottom.
//!
//! Whatever the size, it draws what fits: columns of less interest give way first.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Row as Cells, Table, Wrap};

use super::figures::{Row, Sort, brief, brief_bytes};
use super::live::View;
use super::{missing, program, summary};
use crate::terminal::harmless;
use crate::text::top as text;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Cid,
    Name,
    Address,
    InMsgs,
    OutMsgs,
    InBytes,
    OutBytes,
    Pending,
    Subs,
    RoundTrip,
    Idle,
    Client,
}

/// All columns, as they stand side by side.
pub(super) const COLUMNS: [Column; 12] = [
    Column::Cid,
    Column::Name,
    Column::Address,
    Column::InMsgs,
    Column::OutMsgs,
    Column::InBytes,
    Column::OutBytes,
    Column::Pending,
    Column::Subs,
    Column::RoundTrip,
    Column::Idle,
    Column::Client,
];

/// The order in which they give way on a narrow screen.
const EXPENDABLE: [Column; 10] = [
    Column::Client,
    Column::Idle,
    Column::Address,
    Column::RoundTrip,
    Column::Subs,
    Column::InBytes,
    Column::OutBytes,
    Column::Pending,
    Column::InMsgs,
    Column::OutMsgs,
];

impl Column {
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Cid => "cid",
            Self::Name => text::column_name(),
            Self::Address => text::column_address(),
            Self::InMsgs => text::column_in_msgs(),
            Self::OutMsgs => text::column_out_msgs(),
            Self::InBytes => text::column_in_bytes(),
            Self::OutBytes => text::column_out_bytes(),
            Self::Pending => text::column_pending(),
            Self::Subs => text::column_subs(),
            Self::RoundTrip => "rtt",
            Self::Idle => text::column_idle(),
            Self::Client => text::column_client(),
        }
    }

    /// What a connection has in this column; names and the like are others' words.
    pub(super) fn cell(self, row: &Row) -> String {
        let one = &row.connection;
        match self {
            Self::Cid => one.cid.to_string(),
            Self::Name if one.name.is_empty() => "–".to_owned(),
            Self::Name => harmless(&one.name).replace(['\n', '\t'], " "),
            Self::Address => harmless(&one.address()).into_owned(),
            Self::InMsgs => brief(row.rates.in_msgs),
            Self::OutMsgs => brief(row.rates.out_msgs),
            Self::InBytes => brief_bytes(row.rates.in_bytes),
            Self::OutBytes => brief_bytes(row.rates.out_bytes),
            Self::Pending => brief_bytes(one.pending_bytes as f64),
            Self::Subs => one.subscriptions.to_string(),
            Self::RoundTrip => harmless(&one.rtt).into_owned(),
            Self::Idle => harmless(&one.idle).into_owned(),
            Self::Client => harmless(&one.client()).replace(['\n', '\t'], " "),
        }
    }

    fn width(self) -> u16 {
        match self {
            Self::Cid | Self::Subs => 6,
            Self::Name => 16,
            Self::Address => 21,
            Self::InMsgs | Self::OutMsgs => 8,
            Self::InBytes | Self::OutBytes | Self::Pending | Self::RoundTrip => 10,
            Self::Idle => 9,
            Self::Client => 14,
        }
    }

    fn is_sorted_by(self, sort: Sort) -> bool {
        match sort {
            Sort::Msgs => matches!(self, Self::InMsgs | Self::OutMsgs),
            Sort::Bytes => matches!(self, Self::InBytes | Self::OutBytes),
            Sort::Pending => self == Self::Pending,
            Sort::Subs => self == Self::Subs,
            Sort::Cid => self == Self::Cid,
            Sort::Name => self == Self::Name,
        }
    }
}

/// The columns that fit side by side.
fn fitting(width: u16) -> Vec<Column> {
    let mut columns = COLUMNS.to_vec();
    let needed = |columns: &[Column]| columns.iter().map(|one| one.width() + 1).sum::<u16>();
    for expendable in EXPENDABLE {
        if needed(&columns) <= width {
            break;
        }
        columns.retain(|column| *column != expendable);
    }
    columns
}

/// Draws everything.
pub(super) fn all(frame: &mut Frame<'_>, view: &mut View<'_>) {
    let head = head(view);
    let head_rows = u16::try_from(head.len()).unwrap_or(u16::MAX);
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Max(head_rows),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(head), top);
    body(frame, view, middle);
    let keys = Line::from(text::keys()).style(Style::new().add_modifier(Modifier::REVERSED));
    frame.render_widget(keys, bottom);
}

fn head(view: &View<'_>) -> Vec<Line<'static>> {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let address = &view.heading.address;
    let Some(sample) = &view.sample else {
        return vec![Line::from(text::looking(address)).style(bold)];
    };
    let mut title = format!("{address} · {}", program(&sample.info));
    if view.paused {
        title.push_str(" · ");
        title.push_str(text::paused());
    }
    let mut lines = vec![Line::from(title).style(bold)];
    lines.extend(summary(sample).into_iter().map(Line::from));
    lines.push(Line::default());
    lines
}

fn body(frame: &mut Frame<'_>, view: &mut View<'_>, area: Rect) {
    let figures = match view.sample.as_ref().map(|sample| &sample.figures) {
        None => return,
        Some(Err(why)) => {
            let words = missing(&view.heading.monitor, why);
            frame.render_widget(Paragraph::new(words).wrap(Wrap { trim: true }), area);
            return;
        }
        Some(Ok(figures)) => figures,
    };
    let visible = usize::from(area.height.saturating_sub(1));
    view.skipped = view.skipped.min(figures.rows.len().saturating_sub(visible));
    let columns = fitting(area.width);
    let headings = columns.iter().map(|column| {
        let style = match column.is_sorted_by(view.sort) {
            true => Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            false => Style::new().add_modifier(Modifier::DIM),
        };
        Line::from(column.heading()).style(style)
    });
    let headings = Cells::new(headings.collect::<Vec<_>>());
    let rows = figures.rows.iter().skip(view.skipped).take(visible);
    let rows = rows.map(|row| Cells::new(columns.iter().map(|column| column.cell(row))));
    let widths = columns.iter().map(|column| match column {
        Column::Name => Constraint::Min(column.width()),
        _ => Constraint::Length(column.width()),
    });
    let table = Table::new(rows, widths).header(headings);
    frame.render_widget(table, area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_narrow_screen_the_columns_of_least_interest_give_way() {
        assert_eq!(fitting(200), COLUMNS);
        assert!(!fitting(100).contains(&Column::Client));
        assert_eq!(fitting(10), [Column::Cid, Column::Name]);
        assert!(fitting(60).contains(&Column::OutMsgs));
    }
}
