//! `ahoy agents list`: the agents that were pushed, and which numbers have which.

use crate::output;
use crate::{Common, cloud};
use agents::Agent;
use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, ContentArrangement, Table};
use jiff::Timestamp;
use serde::Serialize;
use std::process::ExitCode;
use store::{Assigned, StoredAgent};

#[derive(Debug, Args)]
pub struct List {}

/// What there is.
#[derive(Debug, Serialize)]
struct Listed {
    agents: Vec<Row>,
    /// Numbers whose agent is not there.
    astray: Vec<Astray>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// Whether this release can read its file.
    readable: bool,
    language: Option<String>,
    /// Nothing when it is the deployment's.
    model: Option<String>,
    numbers: Vec<String>,
    pushed_at_ms: u64,
    digest: String,
}

#[derive(Debug, Serialize)]
struct Astray {
    number: String,
    agent: String,
}

impl List {
    /// Does it.
    pub async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let ledger = cloud::ledger(common).await?;
        let (agents, numbers) = tokio::try_join!(ledger.agents(), ledger.numbers())?;
        let listed = Listed::of(agents, &numbers);
        if common.json {
            output::json(&listed)
        } else {
            listed.say()
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Listed {
    fn of(agents: Vec<StoredAgent>, numbers: &[Assigned]) -> Self {
        let is_there = |number: &&Assigned| agents.iter().any(|agent| agent.name == number.agent);
        let astray = numbers.iter().filter(|number| !is_there(number));
        let astray = astray.map(|it| Astray { number: it.number.clone(), agent: it.agent.clone() }).collect();
        Self { agents: agents.into_iter().map(|agent| Row::of(agent, numbers)).collect(), astray }
    }

    fn say(&self) {
        if self.agents.is_empty() {
            output::line("No agents yet. Push one: ahoy agents push FILE --number ID");
        } else {
            output::line(self.table());
        }
        for Astray { number, agent } in &self.astray {
            output::wrong(format!("Number {number} has the agent {agent}, which was never pushed."));
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        let heads = ["NAME", "LANGUAGE", "MODEL", "NUMBERS", "PUSHED"];
        table.set_header(heads.map(|head| Cell::new(head).add_attribute(Attribute::Bold)));
        table.add_rows(self.agents.iter().map(Row::cells));
        table
    }
}

impl Row {
    fn of(stored: StoredAgent, numbers: &[Assigned]) -> Self {
        let read = Agent::read(&stored.text).ok();
        let readable = read.is_some();
        let (language, model) = read.map(|agent| (agent.language, agent.model.name)).unzip();
        let model = model.flatten();
        let numbers = numbers.iter().filter(|number| number.agent == stored.name);
        let numbers = numbers.map(|number| number.number.clone()).collect();
        let StoredAgent { name, digest, pushed_at_ms, .. } = stored;
        Self { name, readable, language, model, numbers, pushed_at_ms, digest }
    }

    fn cells(&self) -> [String; 5] {
        let otherwise = if self.readable { "default" } else { "cannot be read" };
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| otherwise.to_owned());
        let numbers = if self.numbers.is_empty() { "none".to_owned() } else { self.numbers.join(", ") };
        [self.name.clone(), or(&self.language), or(&self.model), numbers, date(self.pushed_at_ms)]
    }
}

/// A date and time in UTC.
fn date(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok());
    at.map_or_else(|| "unknown".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_in_utc() {
        assert_eq!(date(1_795_305_600_000), "2026-11-22 00:00 UTC");
        assert_eq!(date(u64::MAX), "unknown");
    }
}
