//! `ahoy forget USER`: deletes everything that is stored about one person, on all numbers.

use crate::deployment_args::SecretArgs;
use crate::figures::plural;
use crate::output;
use crate::person::{Person, Pseudonymizer};
use crate::prompt::{confirm, is_interactive};
use crate::stored_person::StoredPerson;
use crate::{Common, cloud};
use call::NumberId;
use clap::Args;
use service::time::now_ms;
use std::process::ExitCode;
use store::Store;

#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The person's phone number or Meta's user id; it is neither stored nor printed.
    #[arg(value_name = "USER", value_parser = Person::read)]
    user: Person,
    /// Delete without asking.
    #[arg(long)]
    yes: bool,
    /// Only print what would be deleted.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    secrets: SecretArgs,
}

impl Forget {
    /// Runs the command. The exit code is 1 when items are left to delete, and 2 when some may be left that could not be searched.
    pub(crate) async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let store = cloud::store(common).await?;
        let pseudonymizer = Pseudonymizer::fetch(&self.secrets, common).await?;
        let stored = StoredPerson::find(&store, &pseudonymizer, &self.user, now_ms()).await?;
        if stored.items() == 0 {
            if !self.dry_run {
                stored.put_tombstones(&store, now_ms()).await?;
            }
            self.print(common, &stored, false, "Nothing is stored about this person.");
            self.warn_without_pseudonym_keys(common, &pseudonymizer);
            return Ok(exit_code(&stored));
        }
        let what = summary(&stored);
        if stored.unfinished > 0 {
            self.print(common, &stored, false, &format!("{what}\nA call of this person is live, or its last items are still being written: nothing was deleted. Try again in a minute."));
            return Ok(ExitCode::FAILURE);
        }
        if self.dry_run || !(self.yes || confirm_deletion(&what)?) {
            self.print(common, &stored, false, &format!("{what}\nNothing was deleted."));
            return Ok(if self.dry_run { exit_code(&stored) } else { ExitCode::FAILURE });
        }
        stored.put_tombstones(&store, now_ms()).await?;
        let forgotten = self.erase(&store, &pseudonymizer).await?;
        if forgotten.unfinished > 0 {
            let what = summary(&forgotten);
            self.print(common, &forgotten, false, &format!("Deleted: {what}\nThe person has called again, and that call is live: it was left. Try again in a minute."));
            return Ok(ExitCode::FAILURE);
        }
        self.print(common, &forgotten, true, &format!("Forgotten: {}", summary(&forgotten)));
        self.warn_without_pseudonym_keys(common, &pseudonymizer);
        Ok(exit_code(&forgotten))
    }

    /// Finds and deletes until nothing is found: a notice may arrive between the first search and the tombstones.
    async fn erase(&self, store: &Store, pseudonymizer: &Pseudonymizer) -> anyhow::Result<StoredPerson> {
        let mut erased = StoredPerson::default();
        loop {
            let stored = StoredPerson::find(store, pseudonymizer, &self.user, now_ms()).await?;
            (erased.unfinished, erased.unknown) = (stored.unfinished, stored.unknown.clone());
            if stored.items() == 0 || stored.unfinished > 0 {
                return Ok(erased);
            }
            stored.erase(store, now_ms()).await?;
            erased.add(stored);
        }
    }

    fn warn_without_pseudonym_keys(&self, common: &Common, pseudonymizer: &Pseudonymizer) {
        if pseudonymizer.made_at_ms().is_none() {
            output::error_line(format!(
                "There is no secret {}: later notices from Meta are stored with this person's name. Create it with make secrets.",
                self.secrets.mark_secret(common)
            ));
        }
    }

    fn print(&self, common: &Common, stored: &StoredPerson, is_done: bool, text: &str) {
        if common.json {
            output::json(
                &serde_json::json!({"forgotten": is_done, "calls": stored.total(), "items": stored.items(),
                "numbers": stored.calls, "unfinished": stored.unfinished, "also": self.user.also(), "unknown": stored.unknown}),
            );
        } else {
            if let Some(also) = self.user.also() {
                output::error_line(also);
            }
            output::line(text);
            stored.unknown.iter().for_each(output::error_line);
        }
    }
}

/// Returns 2 when something could not be searched.
fn exit_code(stored: &StoredPerson) -> ExitCode {
    if stored.unknown.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn summary(stored: &StoredPerson) -> String {
    let numbers: Vec<_> =
        stored.calls.iter().map(|(id, n)| format!("{} to {}", plural(*n, "call"), number_text(id))).collect();
    let numbers = if numbers.is_empty() { "no call".to_owned() } else { numbers.join(", ") };
    format!(
        "{numbers}; {} with their transcripts, messages and notices.",
        plural(stored.items() as u64, "item")
    )
}

fn number_text(number: &NumberId) -> &str {
    if number.as_str().is_empty() { "an unreadable number" } else { number.as_str() }
}

/// Asks for confirmation on the terminal.
///
/// # Errors
/// When there is no terminal.
fn confirm_deletion(what: &str) -> anyhow::Result<bool> {
    if !is_interactive() {
        anyhow::bail!(
            "there is no terminal to ask on: use --yes to delete, or --dry-run to see what there is"
        );
    }
    Ok(confirm(&format!("{what}\nDelete it for good?")))
}
