//! The narrator: tells the steps, what the processes write and what is to be seen in it, for people
//! or, with `--json`, one object an event.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::prose::wrapped;
use crate::terminal::{Out, harmless};
use crate::text::tour as text;

/// Words are wrapped at this width.
const WIDTH: usize = 88;

/// So much of a line that a process wrote is shown, in lines of ours.
const LINES_MAX: usize = 3;

/// How many steps the tour has.
pub(super) const STEPS: usize = 8;

/// Tells the story.
pub(super) struct Narrator {
    out: Out,
    as_json: bool,
    /// How long the reader is given before each step, and until when.
    pause: Duration,
    pauses_until: Duration,
    started: Instant,
    step: usize,
    title: &'static str,
}

impl Narrator {
    /// Before the first step.
    pub(super) fn new(as_json: bool, pause: Duration, pauses_until: Duration) -> Self {
        Self {
            out: Out::new(),
            as_json,
            pause,
            pauses_until,
            started: Instant::now(),
            step: 0,
            title: "",
        }
    }

    /// How long it has been telling.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The next step begins, after a pause for reading.
    pub(super) async fn step(&mut self, title: &'static str) -> Result<(), Failure> {
        if self.step > 0 {
            self.breathe().await;
        }
        self.step += 1;
        self.title = title;
        if self.as_json {
            return self.event("step", json!({ "title": title, "of": STEPS }));
        }
        let words = format!("── {}/{STEPS} {title} ", self.step);
        let rule = "─".repeat(WIDTH.saturating_sub(words.chars().count()));
        let words = self.out.bold(&words);
        let rule = self.out.dim(&rule);
        self.write(&format!("\n{words}{rule}"))
    }

    /// A pause, if there is a reader and time.
    pub(super) async fn breathe(&self) {
        if self.elapsed() + self.pause < self.pauses_until {
            tokio::time::sleep(self.pause).await;
        }
    }

    /// A process was started by this command line.
    pub(super) fn command(&mut self, pid: u32, words: &str) -> Result<(), Failure> {
        if self.as_json {
            return self.event("process", json!({ "pid": pid, "command": words }));
        }
        let (words, pid) = (self.out.bold(words), self.out.dim(&text::process(pid)));
        self.write(&format!("  $ {words}   {pid}"))
    }

    /// Something was done that a person could type.
    pub(super) fn done(&mut self, words: &str) -> Result<(), Failure> {
        if self.as_json {
            return self.event("command", json!({ "command": words }));
        }
        let words = self.out.bold(words);
        self.write(&format!("  $ {words}"))
    }

    /// A process wrote a line.
    pub(super) fn line(&mut self, pid: u32, line: &str) -> Result<(), Failure> {
        if self.as_json {
            return self.event("output", json!({ "pid": pid, "text": line }));
        }
        let pid = self.out.dim(&format!("{pid:>7} │"));
        let line = harmless(line);
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut lines = wrapped(line.trim_start(), WIDTH - indent.len()).into_iter();
        for line in lines.by_ref().take(LINES_MAX) {
            self.write(&format!("{pid} {indent}{line}"))?;
        }
        match lines.next() {
            Some(_) => self.write(&format!("{pid} {indent}…")),
            None => Ok(()),
        }
    }

    /// Something came out as the step says.
    pub(super) fn check(&mut self, words: &str) -> Result<(), Failure> {
        if self.as_json {
            return self.event("check", json!({ "text": words }));
        }
        let mark = self.out.good("✓");
        self.write(&format!("  {mark} {words}"))
    }

    /// What is to be seen, and why it is so.
    pub(super) fn explain(&mut self, words: &str) -> Result<(), Failure> {
        if self.as_json {
            return self.event("explanation", json!({ "text": words }));
        }
        for line in wrapped(words, WIDTH) {
            self.write(&format!("  {line}"))?;
        }
        Ok(())
    }

    /// A picture of several lines, and its figures for `--json`.
    pub(super) fn picture(
        &mut self,
        name: &str,
        lines: &[String],
        figures: Value,
    ) -> Result<(), Failure> {
        if self.as_json {
            return self.event(name, figures);
        }
        for line in lines {
            self.write(&format!("    {line}"))?;
        }
        Ok(())
    }

    /// Before the first step, and after the last.
    pub(super) fn frame(&mut self, words: &str) -> Result<(), Failure> {
        if self.as_json {
            return self.event("explanation", json!({ "text": words }));
        }
        for line in words.lines().flat_map(|line| wrapped(line, WIDTH)) {
            self.write(&line)?;
        }
        Ok(())
    }

    /// All steps did what they say.
    pub(super) fn summary(&mut self, words: &str, processes: u64) -> Result<(), Failure> {
        if self.as_json {
            let took = crate::span::millis_number(self.elapsed());
            let summary = json!({
                "steps": self.step, "processes": processes, "took_ms": took, "ok": true,
            });
            self.out.json(&json!({ "summary": summary }))?;
            return self.out.flush();
        }
        self.write("")?;
        self.frame(words)
    }

    /// The failure for a step that did not do what it says.
    pub(super) fn broken(&self, expected: &str, next: String) -> Failure {
        Failure::Local {
            what: text::broken(self.step, self.title, expected),
            next,
        }
    }

    fn event(&mut self, name: &str, fields: Value) -> Result<(), Failure> {
        let mut object = json!({
            "event": name, "step": self.step, "at_ms": crate::span::millis_number(self.elapsed()),
        });
        if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
            object.extend(fields);
        }
        self.out.json(&object)?;
        self.out.flush()
    }

    fn write(&mut self, line: &str) -> Result<(), Failure> {
        self.out.line(line)?;
        self.out.flush()
    }
}
