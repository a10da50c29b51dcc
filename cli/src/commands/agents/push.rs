//! `ahoy agents push FILE [--number ID]…`: stores an agent, and gives it numbers.

use crate::file::AgentFile;
use crate::output::{self, GOOD, styled};
use crate::{Common, cloud};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use store::{Store, StoredAgent};

/// An id with fewer digits is most likely a telephone number.
const SHORTEST_LIKELY: usize = 14;

#[derive(Debug, Args)]
pub struct Push {
    /// The agent file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A number whose calls the agent takes from now on: Meta's id of it. May be given several times.
    #[arg(long = "number", value_name = "ID", value_parser = number_id)]
    numbers: Vec<String>,
}

/// What a push did.
#[derive(Debug, Serialize)]
struct Pushed {
    agent: String,
    change: Change,
    /// All numbers whose calls it takes now.
    numbers: BTreeSet<String>,
    /// Those of them that another agent had before, and which.
    taken_over: Vec<TakenOver>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    New,
    Updated,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct TakenOver {
    number: String,
    from: String,
}

impl Push {
    /// Does it. 1 when the file is wrong; then nothing is stored.
    pub async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let file = match AgentFile::read(&self.file) {
            Ok(file) => file,
            Err(wrong) => {
                output::wrong(wrong);
                return Ok(ExitCode::FAILURE);
            }
        };
        for doubt in file.doubts().into_iter().chain(self.numbers.iter().filter_map(|id| unlikely(id))) {
            output::wrong(format!("{}: warning: {doubt}", self.file.display()));
        }
        let ledger = cloud::ledger(common).await?;
        let change = store(&ledger, &file).await?;
        let name = &file.agent.name;
        let mut taken_over = vec![];
        for number in &self.numbers {
            let before = ledger.number(number).await?.agent.filter(|before| before != name);
            taken_over.extend(before.map(|from| TakenOver { number: number.clone(), from }));
            ledger.assign(number, name).await?;
        }
        // The index that tells of numbers may be a moment behind.
        let known = ledger.numbers().await?.into_iter().filter(|number| number.agent == *name);
        let numbers = known.map(|known| known.number).chain(self.numbers.iter().cloned()).collect();
        let pushed = Pushed { agent: name.clone(), change, numbers, taken_over };
        if common.json {
            output::json(&pushed)
        } else {
            pushed.say()
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn store(ledger: &Store, file: &AgentFile) -> anyhow::Result<Change> {
    let agent = StoredAgent::new(&file.agent.name, &file.text, service::time::now_ms());
    let change = match ledger.agent(&agent.name).await? {
        Some(before) if before.digest == agent.digest => return Ok(Change::Unchanged),
        Some(_) => Change::Updated,
        None => Change::New,
    };
    ledger.put_agent(&agent).await?;
    Ok(change)
}

impl Pushed {
    fn say(&self) {
        let change = match self.change {
            Change::New => "new",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        };
        output::line(format!("{}: {}", self.agent, styled(GOOD, change)));
        for TakenOver { number, from } in &self.taken_over {
            output::line(format!("Number {number} was with {from} before."));
        }
        if self.numbers.is_empty() {
            output::line("No number has it yet: push it with --number and Meta's id of your number.");
        } else {
            let numbers: Vec<_> = self.numbers.iter().map(String::as_str).collect();
            output::line(format!("It takes the calls of {}, from the next one on.", numbers.join(", ")));
        }
    }
}

/// A telephone number in its place would be silently wrong: Meta's ids have neither plus nor spaces, and are longer.
fn number_id(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("this is not Meta's id of a number: that has digits only".to_owned());
    }
    if !(5..=32).contains(&text.len()) {
        let length = text.len();
        return Err(format!(
            "this is not Meta's id of a number: that has 5 to 32 digits, and this has {length}"
        ));
    }
    Ok(text.to_owned())
}

/// Why an id is most likely none, without repeating it: it may be somebody's telephone number.
fn unlikely(id: &str) -> Option<String> {
    let length = id.len();
    let doubt = || {
        format!(
            "a --number has {length} digits: that is a telephone number rather than Meta's id of one, which mostly has 15 or \
             more"
        )
    };
    (length < SHORTEST_LIKELY).then(doubt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_is_told_why() {
        assert!(number_id("+15550001111").unwrap_err().ends_with("that has digits only"));
        assert!(number_id("123").unwrap_err().ends_with("that has 5 to 32 digits, and this has 3"));
        assert_eq!(number_id("220000000000002").as_deref(), Ok("220000000000002"));
    }
}
