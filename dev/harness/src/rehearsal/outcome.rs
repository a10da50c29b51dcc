//! The outcome of a rehearsed call: for a person, and as one JSON line for a program.

use super::sound::{self, Heard};
use super::{Check, Evidence, Figures, Step, checks};
use serde_json::{Value, json};
use sim_meta::CallReport;
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// A phone that is later than this itself, at p99, proves nothing about the product.
const TRUSTED: Duration = Duration::from_millis(3);

/// How a rehearsed call went.
#[derive(Debug, Clone)]
pub struct Outcome {
    service: &'static str,
    /// What happened.
    pub steps: Vec<Step>,
    /// What was measured.
    pub figures: Figures,
    /// What had to be right.
    pub checks: Vec<Check>,
    /// How the product says the call ended.
    pub ending: Option<String>,
    /// Where the recordings and logs are.
    pub files: Vec<PathBuf>,
    caller_heard: Heard,
    agent_heard: Heard,
    causes: Vec<String>,
    cures: Vec<String>,
    is_disturbed: bool,
    excuse: Option<String>,
}

impl Outcome {
    pub(super) fn judge(evidence: &Evidence<CallReport>, steps: Vec<Step>, files: Vec<PathBuf>) -> Self {
        let is_late = evidence.report.traffic.own_lateness.p99 > TRUSTED;
        Self {
            is_disturbed: evidence.disturbance.is_some() || is_late,
            excuse: excuse(evidence),
            ..Self::of(evidence, "Meta", Figures::of(evidence), checks::all(evidence), steps, files)
        }
    }

    /// The outcome of a call that this service placed.
    pub(super) fn of<R>(
        evidence: &Evidence<R>,
        service: &'static str,
        figures: Figures,
        checks: Vec<Check>,
        steps: Vec<Step>,
        files: Vec<PathBuf>,
    ) -> Self {
        let ending = evidence.record.as_ref().and_then(|record| record.call.ending());
        Self {
            service,
            steps,
            figures,
            checks,
            ending: ending.map(|ending| ending.to_string()),
            files,
            caller_heard: sound::by_caller(evidence),
            agent_heard: sound::by_agent(evidence),
            is_disturbed: evidence.disturbance.is_some(),
            excuse: None,
            causes: evidence.journal.iter().filter_map(|entry| cause(&entry.event)).collect(),
            cures: evidence.journal.iter().filter_map(|entry| cure(&entry.event)).collect(),
        }
    }

    /// Whether all of it was right.
    pub fn is_right(&self) -> bool {
        self.checks.iter().all(Check::holds)
    }

    /// Whether this machine, or the caller's phone on it, was too late itself for timing to be judged.
    pub fn is_disturbed(&self) -> bool {
        self.is_disturbed
    }

    /// One JSON object, for programs.
    pub fn to_json(&self) -> Value {
        let wrong = self.checks.iter().filter_map(|check| check.wrong.clone());
        let mut json = json!({
            "ok": self.is_right(),
            "steps": self.steps,
            "caller_heard": self.caller_heard,
            "agent_heard": self.agent_heard,
            "ending": self.ending,
            "cures": self.cures,
            "wrong": self.causes.iter().cloned().chain(wrong).collect::<Vec<_>>(),
        });
        let Ok(Value::Object(figures)) = serde_json::to_value(&self.figures) else { return json };
        figures.into_iter().for_each(|(name, figure)| json[name] = figure);
        json
    }

    fn write_summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |figure: Option<f64>| figure.map_or("–".to_owned(), |ms| format!("{ms:.0} ms"));
        writeln!(f)?;
        let Figures { answered_ms, first_word_ms, turn_added_ms, interrupt_ms, .. } = self.figures;
        let answered = format!("from the webhook to {}'s 200 for accept", self.service);
        for (what, took, of) in [
            ("answered in", answered_ms, answered.as_str()),
            ("first word", first_word_ms, "from that 200 to the agent's voice at the caller"),
            ("turn, added", turn_added_ms, "by us, to what the model takes to hear and to think"),
            ("interrupted in", interrupt_ms, "from the model hearing the caller to silence"),
        ] {
            writeln!(f, "  {what:<14}  {:>9}   {of}", ms(took))?;
        }
        writeln!(f, "  ended by        {:>9}", self.ending.as_deref().unwrap_or("no one"))?;
        writeln!(f)?;
        for (who, heard) in [("caller", &self.caller_heard), ("agent", &self.agent_heard)] {
            // A call that was not answered has nothing to hear.
            if heard.values().any(Option::is_some) {
                writeln!(f, "  the {who} heard: {}", fits(heard))?;
            }
        }
        for file in &self.files {
            writeln!(f, "  {}", file.display())?;
        }
        writeln!(f)
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(excuse) = &self.excuse {
            writeln!(f, "  {excuse}")?;
        }
        if self.is_right() {
            return writeln!(f, "  All {} checks are right.", self.checks.len());
        }
        writeln!(f, "  The call went wrong.")?;
        for cause in &self.causes {
            writeln!(f, "  why    {cause}")?;
        }
        for cure in &self.cures {
            writeln!(f, "  cure   {cure}")?;
        }
        for check in &self.checks {
            if let Some(wrong) = &check.wrong {
                writeln!(f, "  wrong  {} – {wrong}", check.what)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:>6}  {:<25}  what", "ms", "who")?;
        for step in &self.steps {
            writeln!(f, "  {:>6}  {:<25}  {}", step.at_ms, step.who, step.what)?;
        }
        self.write_summary(f)?;
        self.write_verdict(f)
    }
}

fn fits(heard: &Heard) -> String {
    heard.iter().fold(String::new(), |mut line, (clip, fit)| {
        let separator = if line.is_empty() { "" } else { ", " };
        let fit = fit.map_or("nothing".to_owned(), |fit| format!("{fit:.2}"));
        let _ = write!(line, "{separator}{clip} {fit}");
        line
    })
}

/// What is not held against the product, and why.
fn excuse(evidence: &Evidence<CallReport>) -> Option<String> {
    let late = evidence.report.violations.iter().filter(|fault| checks::is_about_time(fault)).count();
    let disturbance = evidence.disturbance.as_ref().filter(|_| late > 0)?;
    Some(format!("{late} gaps or bursts are not judged: this machine was busy otherwise ({disturbance})."))
}

/// What the journal knows of why a call went wrong.
fn cause(event: &journal::JournalEvent) -> Option<String> {
    use journal::JournalEvent;
    match event {
        JournalEvent::MetaTrouble { action, reason, .. }
        | JournalEvent::LineTrouble { action, reason, .. } => Some(format!("{action}: {reason}")),
        JournalEvent::MediaVerdict { verdict, evidence, .. } => Some(format!("{verdict}: {evidence}")),
        JournalEvent::PartRefused { part, code } => Some(format!("the model does without {part}: {code}")),
        JournalEvent::AgentTrouble { code } => Some(format!("the model: {code}")),
        JournalEvent::ResponseLacking { purpose, then, .. } => {
            Some(format!("the model's {purpose} lacked something: {then}"))
        }
        JournalEvent::ToolsMissing { server } => Some(format!("the tools of {server} cannot be listed")),
        JournalEvent::OfferUnanswerable { reason } => Some(format!("the offer: {reason}")),
        JournalEvent::SeatRefused { reason, .. } => Some(format!("a media task: {reason}")),
        JournalEvent::TaskSilent { .. } => {
            Some("the media task does not answer at its control API".to_owned())
        }
        JournalEvent::Ended { ending, by, .. } if ending.known() != Some(call::Ending::AgentSaidGoodbye) => {
            Some(format!("the call ended: {ending}, by {by}"))
        }
        _ => None,
    }
}

/// What the journal knows to do about the call's media.
fn cure(event: &journal::JournalEvent) -> Option<String> {
    match event {
        journal::JournalEvent::MediaVerdict { cure, .. } => Some(cure.clone()),
        _ => None,
    }
}
