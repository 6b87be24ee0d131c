//! `recado consumer graph`: what a consumer has to do and how fast it does it, drawn over time.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::Args;
use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{RenderDirection, Sparkline};
use serde_json::{Value, json};

use super::Named;
use crate::amount;
use crate::connect::Session;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::jetstream::api;
use crate::jetstream::fields::number;
use crate::screen::{self, Screen};
use crate::shown;
use crate::span;
use crate::table::Table;
use crate::terminal::{Out, harmless};
use crate::text::{consumer as text, help, jetstream as common};

/// The shortest interval: to look costs the server something too.
const EVERY_MIN: Duration = Duration::from_millis(100);

/// How many looks are kept to be drawn: more columns than terminals have.
const KEPT_MAX: usize = 1024;

/// `recado consumer graph`.
#[derive(Debug, Args)]
pub(super) struct Graph {
    #[command(flatten)]
    named: Named,
    #[arg(short, long, value_name = help::value_span(), default_value = "1s",
        value_parser = span::parse, help = common::interval())]
    interval: Duration,
    #[arg(long, help = common::once())]
    once: bool,
}

impl Graph {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let mut interrupt = Interrupt::new()?;
        let title = format!("{}/{}", self.named.stream, self.named.name);
        let mut looks = Looks {
            named: &self.named,
            every: self.interval.max(EVERY_MIN),
            before: None,
        };
        let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        if on_terminal && !self.once && !as_json {
            // What can't be looked at is told before the terminal is taken.
            looks.first(session).await?;
            return live(session, looks, &title, &mut interrupt).await;
        }
        let mut out = Out::new();
        loop {
            let look = tokio::select! {
                biased;
                () = interrupt.asked() => return Ok(()),
                look = looks.next(session) => look?,
            };
            match as_json {
                true => out.json(&look.json(&self.named))?,
                false => look.show(&mut out, &self.named)?,
            }
            out.flush()?;
            // Without a terminal nobody could end a view that goes on; JSON is for programs, which can.
            if self.once || !as_json {
                return Ok(());
            }
        }
    }
}

/// What is counted of a consumer, and when it was.
struct Counts {
    delivered: u64,
    acknowledged: u64,
    at: Instant,
}

impl Counts {
    fn of(info: &Value) -> Self {
        Self {
            delivered: number(info, "/delivered/consumer_seq"),
            acknowledged: number(info, "/ack_floor/consumer_seq"),
            at: Instant::now(),
        }
    }
}

/// One look at it: what there is, and how fast it went since the look before.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    pending: u64,
    unacked: u64,
    delivered: f64,
    acknowledged: f64,
}

impl Look {
    fn new(info: &Value, before: &Counts, now: &Counts) -> Self {
        let passed = now.at.duration_since(before.at).as_secs_f64().max(1e-3);
        // One that was removed and made again, or reset, counts from its beginning.
        let rate = |then: u64, now: u64| now.saturating_sub(then) as f64 / passed;
        Self {
            pending: number(info, "/num_pending"),
            unacked: number(info, "/num_ack_pending"),
            delivered: rate(before.delivered, now.delivered),
            acknowledged: rate(before.acknowledged, now.acknowledged),
        }
    }

    fn json(self, named: &Named) -> Value {
        let round = |rate: f64| (rate * 10.0).round() / 10.0;
        json!({
            "time": shown::timestamp(), "stream": named.stream, "consumer": named.name,
            "pending": self.pending, "unacked": self.unacked,
            "delivered_rate": round(self.delivered), "acknowledged_rate": round(self.acknowledged),
        })
    }

    fn show(self, out: &mut Out, named: &Named) -> Result<(), Failure> {
        let mut table = Table::new(&[
            common::column_stream(),
            common::column_consumer(),
            common::column_pending(),
            common::column_unacked(),
            text::column_delivered_rate(),
            text::column_acknowledged_rate(),
        ]);
        table.row([
            named.stream.clone(),
            named.name.clone(),
            amount::show(self.pending),
            amount::show(self.unacked),
            rate(self.delivered),
            rate(self.acknowledged),
        ]);
        table.show(out)
    }
}

fn rate(rate: f64) -> String {
    match rate {
        rate if rate < 100.0 => format!("{rate:.1}"),
        rate => amount::show(rate as u64),
    }
}

/// What looks, at each interval.
struct Looks<'a> {
    named: &'a Named,
    every: Duration,
    before: Option<Counts>,
}

impl Looks<'_> {
    /// The first: it has no rates yet.
    async fn first(&mut self, session: &mut Session) -> Result<(), Failure> {
        let info = api::consumer(session, &self.named.stream, &self.named.name).await?;
        self.before = Some(Counts::of(&info));
        Ok(())
    }

    /// The next, when it is time.
    async fn next(&mut self, session: &mut Session) -> Result<Look, Failure> {
        if self.before.is_none() {
            self.first(session).await?;
        }
        tokio::select! {
            biased;
            trouble = session.trouble() => return Err(trouble),
            () = tokio::time::sleep(self.every) => {}
        }
        let info = api::consumer(session, &self.named.stream, &self.named.name).await?;
        let now = Counts::of(&info);
        let before = self.before.as_ref().unwrap_or(&now);
        let look = Look::new(&info, before, &now);
        self.before = Some(now);
        Ok(look)
    }
}

/// Draws until the person has seen enough.
async fn live(
    session: &mut Session,
    mut looks: Looks<'_>,
    title: &str,
    interrupt: &mut Interrupt,
) -> Result<(), Failure> {
    let mut screen = Screen::take()?;
    let mut keys = EventStream::new();
    let mut past = VecDeque::new();
    loop {
        let next = looks.next(session);
        tokio::pin!(next);
        let look = loop {
            screen.draw(|frame| picture(frame, title, &past))?;
            tokio::select! {
                biased;
                () = interrupt.asked() => return Ok(()),
                event = keys.next() => match event {
                    Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => {
                        if screen::is_end(key) {
                            return Ok(());
                        }
                    }
                    // A new size is asked for when the picture is drawn.
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(screen::failed(&error)),
                    None => return Ok(()),
                },
                look = &mut next => break look?,
            }
        };
        past.push_front(look);
        past.truncate(KEPT_MAX);
    }
}

/// What is drawn of the looks, the newest first.
struct Panel {
    heading: fn(&str, &str) -> String,
    /// What is drawn and shown of a look.
    value: fn(&Look) -> f64,
    /// How it is written.
    written: fn(f64) -> String,
}

const PANELS: [Panel; 4] = [
    Panel {
        heading: text::graph_pending,
        value: |look| look.pending as f64,
        written: |value| amount::show(value as u64),
    },
    Panel {
        heading: text::graph_unacked,
        value: |look| look.unacked as f64,
        written: |value| amount::show(value as u64),
    },
    Panel {
        heading: text::graph_delivered,
        value: |look| look.delivered,
        written: rate,
    },
    Panel {
        heading: text::graph_acknowledged,
        value: |look| look.acknowledged,
        written: rate,
    },
];

fn picture(frame: &mut Frame<'_>, title: &str, past: &VecDeque<Look>) {
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let title = match past.is_empty() {
        true => text::graph_looking(&harmless(title)),
        false => harmless(title).into_owned(),
    };
    frame.render_widget(Line::from(title).style(bold), top);
    let areas: [Rect; PANELS.len()] =
        Layout::vertical([Constraint::Fill(1); PANELS.len()]).areas(middle);
    for (panel, area) in PANELS.iter().zip(areas) {
        panel.draw(frame, area, past);
    }
    let keys = Line::from(text::graph_keys()).style(Style::new().add_modifier(Modifier::REVERSED));
    frame.render_widget(keys, bottom);
}

impl Panel {
    fn draw(&self, frame: &mut Frame<'_>, area: Rect, past: &VecDeque<Look>) {
        let Some(newest) = past.front() else {
            return;
        };
        let drawn = past.iter().take(area.width.into()).map(self.value);
        let most = drawn.clone().fold(0.0, f64::max);
        let [head, bars] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
        let heading = (self.heading)(&(self.written)((self.value)(newest)), &(self.written)(most));
        frame.render_widget(Line::from(heading), head);
        // Bars are whole numbers: a rate below 1 has a height all the same, against the highest.
        let scaled = drawn.map(|value| match most > 0.0 {
            true => (value / most * BARS_MAX).round() as u64,
            false => 0,
        });
        let line = Sparkline::default()
            .data(scaled.collect::<Vec<u64>>())
            .max(BARS_MAX as u64)
            .direction(RenderDirection::RightToLeft);
        frame.render_widget(line, bars);
    }
}

/// The height of the highest bar.
const BARS_MAX: f64 = 10_000.0;

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn look(pending: u64) -> Look {
        Look {
            pending,
            unacked: 0,
            delivered: 0.5,
            acknowledged: 0.0,
        }
    }

    fn drawn(columns: u16, rows: u16, past: &VecDeque<Look>) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let done = terminal.draw(|frame| picture(frame, "S/c", past)).unwrap();
        let cells = done.buffer.content.chunks(columns.into());
        let line = |row: &[ratatui::buffer::Cell]| row.iter().map(|cell| cell.symbol()).collect();
        cells.map(line).collect()
    }

    #[test]
    fn rates_are_measured_between_two_looks_and_never_below_nothing() {
        let at = Instant::now();
        let counts = |delivered, acknowledged, seconds| Counts {
            delivered,
            acknowledged,
            at: at + Duration::from_secs(seconds),
        };
        let info = json!({ "num_pending": 7, "num_ack_pending": 3 });
        let look = Look::new(&info, &counts(10, 10, 0), &counts(30, 5, 2));
        assert_eq!((look.pending, look.unacked), (7, 3));
        assert_eq!((look.delivered, look.acknowledged), (10.0, 0.0));
    }

    #[test]
    fn the_newest_stands_at_the_right_and_the_highest_is_full() {
        let past = VecDeque::from([look(4), look(8)]);
        let lines = drawn(40, 14, &past);
        assert!(
            lines[1].contains('4') && lines[1].contains('8'),
            "{lines:?}"
        );
        assert!(lines[2].ends_with(" █ "), "{lines:?}");
        assert!(lines[3].ends_with(" ██"), "{lines:?}");
        // Below 1, and the highest.
        assert!(lines[8].ends_with("██"), "{lines:?}");
        assert!(lines[11].trim().is_empty(), "{lines:?}");
    }

    #[test]
    fn every_size_shows_what_fits() {
        let past = VecDeque::from([look(u64::MAX)]);
        for (columns, rows) in [(1, 1), (3, 2), (20, 5), (200, 60)] {
            drawn(columns, rows, &past);
            drawn(columns, rows, &VecDeque::new());
        }
    }
}
