//! `ahoy agents list`: lists the stored agents with their numbers.

use crate::output;
use crate::{Common, cloud};
use agents::Agent;
use call::NumberId;
use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, ContentArrangement, Table};
use jiff::Timestamp;
use serde::Serialize;
use std::process::ExitCode;
use store::{Assigned, StoredAgent};

#[derive(Debug, Args)]
pub(crate) struct List {}

/// The JSON output.
#[derive(Debug, Serialize)]
struct AgentList {
    agents: Vec<Row>,
    /// Numbers whose agent is not stored.
    astray: Vec<Astray>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// Whether this release can parse the stored file.
    readable: bool,
    language: Option<String>,
    /// `None` when the file names none: calls use the deployment's model.
    model: Option<String>,
    numbers: Vec<NumberId>,
    pushed_at_ms: u64,
    digest: String,
}

#[derive(Debug, Serialize)]
struct Astray {
    number: NumberId,
    agent: String,
}

impl List {
    pub(crate) async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let store = cloud::store(common).await?;
        let (agents, numbers) = tokio::try_join!(store.agents(), store.numbers())?;
        let listed = AgentList::of(agents, &numbers);
        if common.json {
            output::json(&listed)
        } else {
            listed.print()
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl AgentList {
    fn of(agents: Vec<StoredAgent>, numbers: &[Assigned]) -> Self {
        let is_stored = |number: &&Assigned| agents.iter().any(|agent| agent.name == number.agent);
        let astray = numbers.iter().filter(|number| !is_stored(number));
        let astray = astray.map(|it| Astray { number: it.number.clone(), agent: it.agent.clone() }).collect();
        Self { agents: agents.into_iter().map(|agent| Row::of(agent, numbers)).collect(), astray }
    }

    fn print(&self) {
        if self.agents.is_empty() {
            output::line("No agents yet. Push one: ahoy agents push FILE --number ID");
        } else {
            output::line(self.table());
        }
        for Astray { number, agent } in &self.astray {
            output::error_line(format!(
                "Number {number} is assigned to the agent {agent}, which is not stored: push its file."
            ));
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
        let otherwise = if self.readable { "default" } else { "unreadable" };
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| otherwise.to_owned());
        let numbers: Vec<_> = self.numbers.iter().map(NumberId::as_str).collect();
        let numbers = if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") };
        [self.name.clone(), or(&self.language), or(&self.model), numbers, date(self.pushed_at_ms)]
    }
}

/// Formats a time in UTC, to the minute.
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
