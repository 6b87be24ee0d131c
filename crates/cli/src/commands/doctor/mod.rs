//! `recado doctor`: walks to each server step by step, says where the way breaks and what to do, or
//! that nothing is wrong.

mod clock;
mod walk;

use clap::Args;
use serde_json::{Value, json};

use crate::exit::Status;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::settings::Settings;
use crate::span;
use crate::terminal::{Out, harmless};
use crate::text::doctor as text;
use walk::{Finding, Step, Verdict};

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = "URL", help = text::help_url())]
    pub(crate) urls: Vec<String>,
}

/// Runs the command. The settings' servers are those to look at.
pub(crate) async fn run(settings: &Settings, as_json: bool) -> Result<(), Failure> {
    let mut interrupt = Interrupt::new()?;
    let mut doctor = Doctor {
        out: Out::new(),
        as_json,
        first: None,
    };
    tokio::select! {
        biased;
        () = interrupt.asked() => return Err(Failure::Interrupted),
        result = doctor.all(settings) => result?,
    }
    match doctor.first {
        // The report has said all there is to say.
        Some(status) => Err(Failure::Told(status)),
        None => Ok(()),
    }
}

struct Doctor {
    out: Out,
    as_json: bool,
    /// The status of the first server that has a failure.
    first: Option<Status>,
}

impl Doctor {
    async fn all(&mut self, settings: &Settings) -> Result<(), Failure> {
        for server in &settings.servers {
            let mut alone = settings.clone();
            alone.servers = vec![server.clone()];
            let label = alone.label();
            if !self.as_json {
                self.out.line(&self.out.bold(&label))?;
                self.out.flush()?;
            }
            let mut findings = Vec::new();
            let mut walk = walk::Walk::new(&alone, server);
            while let Some(finding) = walk.next().await {
                if !self.as_json {
                    self.show(&finding)?;
                }
                findings.push(finding);
            }
            self.sum_up(&label, &findings)?;
        }
        Ok(())
    }

    /// One step, as soon as it is done: the next one may take its time.
    fn show(&mut self, finding: &Finding) -> Result<(), Failure> {
        let (mark, words) = match &finding.verdict {
            Verdict::Fine(words) => ("✓", words.clone()),
            Verdict::Note(words) => ("–", words.clone()),
            Verdict::Failed(failure) => ("✗", failure.what()),
            Verdict::Skipped => (" ", text::not_tried().to_owned()),
        };
        let took = match finding.took {
            Some(took) => self.out.dim(&format!(" ({})", span::millis(took))),
            None => String::new(),
        };
        let step = format!("{:<15}", finding.step.shown());
        let words = harmless(&words);
        let line = match finding.verdict {
            Verdict::Skipped | Verdict::Note(_) => self.out.dim(&format!("{mark} {step} {words}")),
            _ => format!("{mark} {step} {words}"),
        };
        self.out.line(&format!("  {line}{took}"))?;
        self.out.flush()
    }

    fn sum_up(&mut self, label: &str, findings: &[Finding]) -> Result<(), Failure> {
        let broken = findings.iter().find_map(Finding::breaks);
        if let Some((_, failure)) = broken {
            self.first.get_or_insert(failure.status());
        }
        if self.as_json {
            self.out.json(&summary(label, findings, broken))?;
            return self.out.flush();
        }
        match broken {
            None => self.out.line(&format!("  {}", text::all_well()))?,
            Some((step, failure)) => {
                self.out
                    .line(&format!("  {}", text::breaks_at(step.shown())))?;
                for line in failure.next().lines() {
                    self.out.line(&format!("  → {}", harmless(line)))?;
                }
            }
        }
        self.out.flush()
    }
}

fn summary(label: &str, findings: &[Finding], broken: Option<(Step, &Failure)>) -> Value {
    let steps: Vec<Value> = findings.iter().map(step_json).collect();
    let mut object = json!({ "server": label, "ok": broken.is_none(), "steps": steps });
    if let Some((step, failure)) = broken {
        let status = failure.status();
        object["error"] = json!({
            "step": step.name(), "status": status.code(), "name": status.name(),
            "message": failure.what(), "next": failure.next(),
        });
    }
    object
}

fn step_json(finding: &Finding) -> Value {
    let (result, words) = match &finding.verdict {
        Verdict::Fine(words) => ("ok", words.clone()),
        Verdict::Note(words) => ("note", words.clone()),
        Verdict::Failed(failure) => ("failed", failure.what()),
        Verdict::Skipped => ("skipped", String::new()),
    };
    let mut object = json!({ "step": finding.step.name(), "result": result, "detail": words });
    if let Some(took) = finding.took {
        object["took_ms"] = json!(span::millis_number(took));
    }
    if let Some(offset_ms) = finding.offset_ms {
        object["offset_ms"] = json!(offset_ms);
    }
    object
}
