//! `ahoy agents push FILE [--number ID]… [--number +… --as NAME]`: stores an agent file and assigns numbers to the agent.

use crate::agent_file::AgentFile;
use crate::output::{self, GOOD, styled};
use crate::{Common, cloud};
use call::NumberId;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use store::{Store, StoredAgent};

/// Meta's phone number ids have about 15 digits; anything shorter than this is probably a phone number.
const SHORTEST_LIKELY: usize = 14;

/// The longest name of a telephone number.
const LONGEST_NAME: usize = 32;

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// The agent file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A number whose calls the agent takes, by Meta's phone number id, or +E.164 on the telephone line, with --as; may be repeated.
    #[arg(long = "number", value_name = "ID", value_parser = number_arg)]
    numbers: Vec<NumberArg>,
    /// The name of the telephone numbers given here, by which logs, metrics and lists know them.
    #[arg(long = "as", value_name = "NAME", value_parser = dialled_name)]
    name: Option<String>,
}

/// A number as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
enum NumberArg {
    /// Meta's phone number id.
    Id(NumberId),
    /// The digits of a number of the telephone line.
    Dialled(String),
}

/// The JSON output.
#[derive(Debug, Serialize)]
struct Pushed {
    agent: String,
    change: Change,
    /// All numbers whose calls the agent takes now.
    numbers: BTreeSet<NumberId>,
    /// The numbers that another agent had before.
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
    number: NumberId,
    from: String,
}

impl Push {
    /// Runs the command; if the file is invalid, nothing is stored and the exit code is 1.
    pub(crate) async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let dialled = self.dialled();
        let name_of_dialled = match (&self.name, dialled.is_empty()) {
            (None, false) => {
                output::error_line("a telephone number needs a name: --as NAME");
                return Ok(ExitCode::from(service::WRONG_SETTINGS));
            }
            (Some(_), true) => {
                output::error_line("--as names telephone numbers: give one with --number +…");
                return Ok(ExitCode::from(service::WRONG_SETTINGS));
            }
            (name, _) => name.clone().map(NumberId::from),
        };
        let file = match AgentFile::read(&self.file) {
            Ok(file) => file,
            Err(wrong) => {
                output::error_line(wrong);
                return Ok(ExitCode::FAILURE);
            }
        };
        for warning in file.warnings().into_iter().chain(self.ids().filter_map(short_id_warning)) {
            output::error_line(format!("{}: warning: {warning}", self.file.display()));
        }
        let store = cloud::store(common).await?;
        for missing in missing_overrides(&store, &file).await? {
            let warning = format!("lookup.may_override names {missing}, which is not pushed yet");
            output::error_line(format!("{}: warning: {warning}", self.file.display()));
        }
        let change = put_agent(&store, &file).await?;
        let name = &file.agent.name;
        let mut taken_over = vec![];
        if let Some(name) = &name_of_dialled {
            for digits in dialled {
                store.name_dialled(digits, name).await?;
            }
        }
        let assigned: Vec<_> = self.ids().cloned().chain(name_of_dialled).collect();
        for number in &assigned {
            let before = store.number(number).await?.agent.filter(|before| before != name);
            taken_over.extend(before.map(|from| TakenOver { number: number.clone(), from }));
            store.assign(number, name).await?;
        }
        // The index is eventually consistent and may lack the numbers assigned just now.
        let known = store.numbers().await?.into_iter().filter(|number| number.agent == *name);
        let numbers = known.map(|known| known.number).chain(assigned).collect();
        let pushed = Pushed { agent: name.clone(), change, numbers, taken_over };
        if common.json {
            output::json(&pushed)
        } else {
            pushed.print()
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Push {
    /// Returns Meta's ids of the numbers.
    fn ids(&self) -> impl Iterator<Item = &NumberId> {
        self.numbers.iter().filter_map(|number| match number {
            NumberArg::Id(id) => Some(id),
            NumberArg::Dialled(_) => None,
        })
    }

    /// Returns the digits of the numbers of the telephone line.
    fn dialled(&self) -> Vec<&str> {
        let dialled = self.numbers.iter().filter_map(|number| match number {
            NumberArg::Dialled(digits) => Some(digits.as_str()),
            NumberArg::Id(_) => None,
        });
        dialled.collect()
    }
}

/// Returns the agents that a lookup may choose and that are not stored.
async fn missing_overrides(store: &Store, file: &AgentFile) -> anyhow::Result<Vec<String>> {
    let mut missing = vec![];
    for name in file.agent.lookup.iter().flat_map(|lookup| &lookup.may_override) {
        if store.agent(name).await?.is_none() {
            missing.push(name.clone());
        }
    }
    Ok(missing)
}

async fn put_agent(store: &Store, file: &AgentFile) -> anyhow::Result<Change> {
    let agent = StoredAgent::new(&file.agent.name, &file.text, service::time::now_ms());
    let change = match store.agent(&agent.name).await? {
        Some(before) if before.digest == agent.digest => return Ok(Change::Unchanged),
        Some(_) => Change::Updated,
        None => Change::New,
    };
    store.put_agent(&agent).await?;
    Ok(change)
}

impl Pushed {
    fn print(&self) {
        let change = match self.change {
            Change::New => "new",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        };
        output::line(format!("{}: {}", self.agent, styled(GOOD, change)));
        for TakenOver { number, from } in &self.taken_over {
            output::line(format!("Number {number} was assigned to {from} before."));
        }
        if self.numbers.is_empty() {
            output::line(
                "No number is assigned to it yet: push it with --number and Meta's id of your number.",
            );
        } else {
            let numbers: Vec<_> = self.numbers.iter().map(NumberId::as_str).collect();
            output::line(format!("It takes calls to {} from the next call on.", numbers.join(", ")));
        }
    }
}

/// Parses a number: with a plus it is one of the telephone line.
fn number_arg(text: &str) -> Result<NumberArg, String> {
    if !text.trim_start().starts_with('+') {
        return number_id(text).map(NumberArg::Id);
    }
    let wrong = || "this is no telephone number: + and 5 to 15 digits, country code first".to_owned();
    openai_calls::digits(text.trim()).map(NumberArg::Dialled).ok_or_else(wrong)
}

/// Parses the name of a telephone number. It stands beside Meta's ids, which have digits only.
fn dialled_name(text: &str) -> Result<String, String> {
    let is_name = text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.len() <= LONGEST_NAME
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let wrong = || {
        format!(
            "a name begins with a letter and has at most {LONGEST_NAME} lower-case letters, digits and dashes"
        )
    };
    is_name.then(|| text.to_owned()).ok_or_else(wrong)
}

/// Parses Meta's id of a number. A phone number in its place would never match a call: ids have neither plus nor spaces.
fn number_id(text: &str) -> Result<NumberId, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("this is not Meta's phone number id, which has digits only".to_owned());
    }
    if !(5..=32).contains(&text.len()) {
        let length = text.len();
        return Err(format!(
            "this is not Meta's phone number id, which has 5 to 32 digits: this has {length}"
        ));
    }
    Ok(text.into())
}

/// Returns a warning about an id that is probably a phone number, and that must therefore not be printed.
fn short_id_warning(id: &NumberId) -> Option<String> {
    let length = id.as_str().len();
    let warning = || {
        format!(
            "a --number has {length} digits: it is probably a phone number, not Meta's phone number id, which has about 15 digits"
        )
    };
    (length < SHORTEST_LIKELY).then(warning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_number_is_its_digits_and_needs_a_plus() {
        assert_eq!(number_arg("+356 2100-0000"), Ok(NumberArg::Dialled("35621000000".into())));
        assert_eq!(number_arg("220000000000002"), Ok(NumberArg::Id("220000000000002".into())));
        assert!(number_arg("+356x").unwrap_err().contains("no telephone number"));
        assert!(number_arg("0035621000000x").is_err());
    }

    #[test]
    fn a_name_is_no_id_and_no_number() {
        for name in ["malta", "kigali-2"] {
            assert_eq!(dialled_name(name).as_deref(), Ok(name));
        }
        for wrong in ["", "35621000000", "-a", "Malta", "a b", "a#b", &"a".repeat(33)] {
            assert!(dialled_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_invalid_id_is_refused_with_the_reason() {
        assert!(number_id("+15550001111").unwrap_err().ends_with("has digits only"));
        assert!(number_id("123").unwrap_err().ends_with("has 5 to 32 digits: this has 3"));
        assert_eq!(number_id("220000000000002"), Ok("220000000000002".into()));
    }
}
