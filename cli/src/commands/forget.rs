//! `ahoy forget USER`: deletes all that is stored of one person, on all numbers.

use crate::ask::{consent, is_anybody_there};
use crate::figures::plural;
use crate::person::{Marker, Person};
use crate::say;
use crate::site::MediaKeys;
use crate::traces::Traces;
use crate::{Common, cloud};
use clap::Args;
use service::time::now_ms;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct Forget {
    /// Their phone number, or their user id. It is neither stored nor printed.
    #[arg(value_name = "USER", value_parser = Person::read)]
    user: Person,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Only say what would be deleted.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    media: MediaKeys,
}

impl Forget {
    /// Does it. 1 when something is left to forget.
    pub async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let ledger = cloud::ledger(common).await?;
        let marker = Marker::fetch(&self.media).await?;
        let traces = Traces::find(&ledger, &marker, &self.user, now_ms()).await?;
        if traces.items() == 0 {
            self.say(common, &traces, false, "Nothing is stored of them.");
            return Ok(ExitCode::SUCCESS);
        }
        let what = told(&traces);
        if traces.unfinished > 0 {
            self.say(common, &traces, false, &format!("{what}\nA call of theirs is still under way, or is just being written down: nothing was deleted. Try again in a minute."));
            return Ok(ExitCode::FAILURE);
        }
        if self.dry_run || !(self.yes || is_wanted(&what)?) {
            self.say(common, &traces, false, &format!("{what}\nNothing was deleted."));
            return Ok(if self.dry_run { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        traces.erase(&ledger, now_ms()).await?;
        self.say(common, &traces, true, &format!("Forgotten: {what}"));
        Ok(ExitCode::SUCCESS)
    }

    fn say(&self, common: &Common, traces: &Traces, is_done: bool, text: &str) {
        if common.json {
            say::json(
                &serde_json::json!({"forgotten": is_done, "calls": traces.total(), "items": traces.items(),
                "numbers": traces.calls, "unfinished": traces.unfinished, "also": self.user.also()}),
            );
        } else {
            if let Some(also) = self.user.also() {
                say::wrong(also);
            }
            say::line(text);
        }
    }
}

fn told(traces: &Traces) -> String {
    let numbers: Vec<_> =
        traces.calls.iter().map(|(id, n)| format!("{} to {id}", plural(*n, "call"))).collect();
    let numbers = if numbers.is_empty() { "no call".to_owned() } else { numbers.join(", ") };
    format!("{numbers}; {} with what was said, left and sent in them.", plural(traces.items() as u64, "item"))
}

/// Asks whoever sits at the terminal. Nobody there is no answer.
fn is_wanted(what: &str) -> anyhow::Result<bool> {
    if !is_anybody_there() {
        anyhow::bail!("nobody is there to ask: say --yes, or --dry-run to see what there is");
    }
    Ok(consent(&format!("{what}\nDelete it for good?")))
}
