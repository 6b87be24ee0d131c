//! The full screen: keys in, pictures out, until `q` or Ctrl-C. However it ends, the terminal is
//! given back as it was.

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::Heading;
use super::draw;
use super::figures::Sort;
use super::sampler::Sample;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::screen::{self, Screen};

/// What is on the screen.
pub(super) struct View<'a> {
    pub(super) heading: &'a Heading,
    pub(super) sample: Option<Sample>,
    pub(super) sort: Sort,
    /// How many rows of the table are scrolled past.
    pub(super) skipped: usize,
    /// Whether the picture stands still.
    pub(super) paused: bool,
}

/// Shows the samples until the person has seen enough.
pub(super) async fn run(
    heading: &Heading,
    mut samples: mpsc::Receiver<Sample>,
    sort: Sort,
    interrupt: &mut Interrupt,
) -> Result<(), Failure> {
    let mut screen = Screen::take()?;
    let mut keys = EventStream::new();
    let mut view = View {
        heading,
        sample: None,
        sort,
        skipped: 0,
        paused: false,
    };
    loop {
        view.sort_rows();
        screen.draw(|frame| draw::all(frame, &mut view))?;
        tokio::select! {
            biased;
            () = interrupt.asked() => return Ok(()),
            event = keys.next() => match event {
                Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => {
                    if view.pressed(key) {
                        return Ok(());
                    }
                }
                // A new size is asked for when the picture is drawn.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(screen::failed(&error)),
                None => return Ok(()),
            },
            Some(sample) = samples.recv() => {
                if !view.paused {
                    view.sample = Some(sample);
                }
            }
        }
    }
}

impl View<'_> {
    /// A key; true when it was the last one.
    fn pressed(&mut self, key: KeyEvent) -> bool {
        if screen::is_end(key) {
            return true;
        }
        match key.code {
            KeyCode::Char('m') => self.sort_by(Sort::Msgs),
            KeyCode::Char('b') => self.sort_by(Sort::Bytes),
            KeyCode::Char('p') => self.sort_by(Sort::Pending),
            KeyCode::Char('s') => self.sort_by(Sort::Subs),
            KeyCode::Char('c') => self.sort_by(Sort::Cid),
            KeyCode::Char('n') => self.sort_by(Sort::Name),
            KeyCode::Char(' ') => self.paused = !self.paused,
            // How far down it can go is known when it is drawn.
            KeyCode::Down => self.skipped = self.skipped.saturating_add(1),
            KeyCode::PageDown => self.skipped = self.skipped.saturating_add(10),
            KeyCode::Up => self.skipped = self.skipped.saturating_sub(1),
            KeyCode::PageUp => self.skipped = self.skipped.saturating_sub(10),
            KeyCode::Home => self.skipped = 0,
            _ => {}
        }
        false
    }

    fn sort_by(&mut self, sort: Sort) {
        self.sort = sort;
        self.skipped = 0;
    }

    fn sort_rows(&mut self) {
        if let Some(Sample {
            figures: Ok(figures),
            ..
        }) = &mut self.sample
        {
            figures.sort(self.sort);
        }
    }
}
