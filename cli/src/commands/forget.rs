//! `ahoy forget USER`: deletes all that is stored of one person, on all numbers.

use crate::figures::plural;
use crate::output;
use crate::person::{Marker, Person};
use crate::prompt::{consent, is_anybody_there};
use crate::site::MediaKeys;
use crate::stored_person::StoredPerson;
use crate::{Common, cloud};
use clap::Args;
use service::time::now_ms;
use std::process::ExitCode;
use store::Store;

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
    /// Does it. 1 when something is left to forget, 2 when something of theirs may be left that cannot be known.
    pub async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let ledger = cloud::ledger(common).await?;
        let marker = Marker::fetch(&self.media, common).await?;
        let traces = StoredPerson::find(&ledger, &marker, &self.user, now_ms()).await?;
        if traces.items() == 0 {
            if !self.dry_run {
                traces.bury(&ledger, now_ms()).await?;
            }
            self.say(common, &traces, false, "Nothing is stored of them.");
            self.warn_without_marks(common, &marker);
            return Ok(known(&traces));
        }
        let what = told(&traces);
        if traces.unfinished > 0 {
            self.say(common, &traces, false, &format!("{what}\nA call of theirs is still under way, or is just being written down: nothing was deleted. Try again in a minute."));
            return Ok(ExitCode::FAILURE);
        }
        if self.dry_run || !(self.yes || is_wanted(&what)?) {
            self.say(common, &traces, false, &format!("{what}\nNothing was deleted."));
            return Ok(if self.dry_run { known(&traces) } else { ExitCode::FAILURE });
        }
        traces.bury(&ledger, now_ms()).await?;
        let forgotten = self.erase(&ledger, &marker).await?;
        if forgotten.unfinished > 0 {
            let what = told(&forgotten);
            self.say(common, &forgotten, false, &format!("Deleted: {what}\nThey have called since, and that call is still under way: it was left. Try again in a minute."));
            return Ok(ExitCode::FAILURE);
        }
        self.say(common, &forgotten, true, &format!("Forgotten: {}", told(&forgotten)));
        self.warn_without_marks(common, &marker);
        Ok(known(&forgotten))
    }

    /// Finds and deletes until nothing is found: something may have come between a look and the tombstones.
    async fn erase(&self, ledger: &Store, marker: &Marker) -> anyhow::Result<StoredPerson> {
        let mut erased = StoredPerson::default();
        loop {
            let traces = StoredPerson::find(ledger, marker, &self.user, now_ms()).await?;
            (erased.unfinished, erased.unknown) = (traces.unfinished, traces.unknown.clone());
            if traces.items() == 0 || traces.unfinished > 0 {
                return Ok(erased);
            }
            traces.erase(ledger, now_ms()).await?;
            erased.add(traces);
        }
    }

    fn warn_without_marks(&self, common: &Common, marker: &Marker) {
        if marker.made_at_ms().is_none() {
            output::wrong(format!(
                "There is no secret {}: what Meta still tells of them is kept with their name. make secrets makes it.",
                self.media.mark_secret(common)
            ));
        }
    }

    fn say(&self, common: &Common, traces: &StoredPerson, is_done: bool, text: &str) {
        if common.json {
            output::json(
                &serde_json::json!({"forgotten": is_done, "calls": traces.total(), "items": traces.items(),
                "numbers": traces.calls, "unfinished": traces.unfinished, "also": self.user.also(), "unknown": traces.unknown}),
            );
        } else {
            if let Some(also) = self.user.also() {
                output::wrong(also);
            }
            output::line(text);
            traces.unknown.iter().for_each(output::wrong);
        }
    }
}

/// 2 when there is something that cannot be known.
fn known(traces: &StoredPerson) -> ExitCode {
    if traces.unknown.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn told(traces: &StoredPerson) -> String {
    let numbers: Vec<_> =
        traces.calls.iter().map(|(id, n)| format!("{} to {}", plural(*n, "call"), named(id))).collect();
    let numbers = if numbers.is_empty() { "no call".to_owned() } else { numbers.join(", ") };
    format!("{numbers}; {} with what was said, left and sent in them.", plural(traces.items() as u64, "item"))
}

fn named(number: &str) -> &str {
    if number.is_empty() { "a number that cannot be read" } else { number }
}

/// Asks at the terminal. Without one there is no answer.
fn is_wanted(what: &str) -> anyhow::Result<bool> {
    if !is_anybody_there() {
        anyhow::bail!("there is no terminal to ask at: say --yes, or --dry-run to see what there is");
    }
    Ok(consent(&format!("{what}\nDelete it for good?")))
}
