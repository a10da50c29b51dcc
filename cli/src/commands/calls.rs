//! `ahoy calls`: which calls there were, newest first.

use crate::figures::{begin_of, day, dollars, length, moment, short, words};
use crate::linked_names::Known;
use crate::output;
use crate::person::{Marker, Person};
use crate::search::{Cursor, Found, Search};
use crate::site::MediaKeys;
use crate::{Common, cloud};
use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};
use internal_api::keys;
use journal::CallSummary;
use serde::Serialize;
use service::time::now_ms;
use std::collections::HashMap;
use std::process::ExitCode;
use store::items::from_item;
use store::{CallListing, Store};

#[derive(Debug, Args)]
pub struct Calls {
    /// Only calls to this number: Meta's id of it.
    #[arg(long, value_name = "ID")]
    number: Option<String>,
    /// Only calls that rang on this day in UTC: yyyy-mm-dd, today or yesterday.
    #[arg(long, value_name = "DAY", value_parser = read_day)]
    day: Option<String>,
    /// Only calls of this user: their phone number or their user id. It is neither stored nor printed.
    #[arg(long, value_name = "USER", value_parser = Person::read)]
    user: Option<Person>,
    /// Only calls that ended like this, such as caller_hung_up, agent_said_goodbye or no_capacity.
    #[arg(long, value_name = "ENDING")]
    ending: Option<String>,
    /// So many at most.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Go on where the list before ended.
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    #[command(flatten)]
    media: MediaKeys,
}

/// A call, with what its summary says.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    listed: CallListing,
    lasted_ms: Option<u64>,
    agent: Option<String>,
    turns: Option<u64>,
    micro_dollars: Option<u64>,
    /// What was wrong with its media; `fine` if nothing was.
    verdict: Option<String>,
}

impl Calls {
    /// Does it.
    pub async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let ledger = cloud::ledger(common).await?;
        let marks = match &self.user {
            Some(person) => {
                let marker = Marker::fetch(&self.media, common).await?;
                Some(Known::of(&ledger, &marker, person).await?.marks)
            }
            None => None,
        };
        let also = self.user.as_ref().and_then(Person::also);
        let ending = self.ending.map(|ending| ending.replace([' ', '-'], "_"));
        let search = Search { number: self.number, day: self.day, marks, ending, after: self.after };
        let Found { calls, next, since } = search.run(&ledger, usize::from(self.limit), now_ms()).await?;
        let rows = rows(&ledger, calls).await?;
        let next = next.map(|next| next.to_string());
        if common.json {
            output::json(&serde_json::json!({"calls": rows, "next": next, "since": since, "also": also}));
            return Ok(ExitCode::SUCCESS);
        }
        if rows.is_empty() {
            output::line("No calls.");
        } else {
            output::line(table(&rows).trim_fmt());
        }
        if let Some(also) = also {
            output::wrong(also);
        }
        match (next, since) {
            (Some(next), _) => output::wrong(format!("There are more: --after {next}")),
            (None, Some(since)) => output::wrong(format!(
                "What rang before {since} was not looked at: --day, --number or --user find it."
            )),
            (None, None) => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn rows(ledger: &Store, calls: Vec<CallListing>) -> anyhow::Result<Vec<Row>> {
    let wanted = calls.iter().map(|call| (keys::call(&call.call_ref), keys::SUMMARY.to_owned()));
    let found = ledger.items(&wanted.collect::<Vec<_>>()).await?.into_iter();
    let summaries = found.filter_map(|item| from_item::<CallSummary>(item).ok());
    let mut summaries: HashMap<_, _> = summaries.map(|summary| (summary.call_ref.clone(), summary)).collect();
    // A call whose line never opened has summaries of its owners alone; one that no task answered has none.
    for call in calls.iter().filter(|call| call.start.is_some()) {
        if !summaries.contains_key(&call.call_ref)
            && let Some(item) = ledger.summary(&call.call_ref).await?
            && let Ok(summary) = from_item::<CallSummary>(item)
        {
            summaries.insert(call.call_ref.clone(), summary);
        }
    }
    Ok(calls
        .into_iter()
        .map(|listed| {
            let summary = summaries.get(&listed.call_ref).cloned();
            Row::of(listed, summary)
        })
        .collect())
}

impl Row {
    fn of(listed: CallListing, summary: Option<CallSummary>) -> Self {
        let lasted_ms = listed.lasted_ms();
        let Some(summary) = summary else {
            return Self { listed, lasted_ms, agent: None, turns: None, micro_dollars: None, verdict: None };
        };
        let fine = summary.opened_at_ms.map(|_| "fine".to_owned());
        Self {
            listed,
            lasted_ms,
            agent: Some(summary.agent),
            turns: Some(summary.turns),
            micro_dollars: summary.micro_dollars,
            verdict: summary.verdict.or(fine),
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let right = |text: Option<String>| Cell::new(or_dash(text)).set_alignment(CellAlignment::Right);
        let listed = &self.listed;
        let ending = match &listed.ending {
            Some(ending) => Cell::new(words(ending)),
            None => Cell::new("under way").fg(Color::Green),
        };
        let verdict = Cell::new(or_dash(self.verdict.as_deref().map(words)));
        let is_bad = self.verdict.as_deref().is_some_and(|verdict| verdict != "fine");
        let is_ours = matches!(listed.by.as_deref(), Some("us" | "meta"));
        vec![
            Cell::new(short(&listed.call_ref)),
            Cell::new(moment(listed.rang_at_ms)),
            Cell::new(&listed.number),
            Cell::new(or_dash(listed.start.clone())),
            if is_ours { ending.fg(Color::Yellow) } else { ending },
            Cell::new(or_dash(listed.by.clone())),
            right(self.lasted_ms.map(length)),
            right(self.turns.map(|turns| turns.to_string())),
            right(self.micro_dollars.map(dollars)),
            if is_bad { verdict.fg(Color::Yellow) } else { verdict },
        ]
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let heads =
        ["CALL", "WHEN (UTC)", "NUMBER", "BEGAN", "ENDING", "BY", "LASTED", "TURNS", "COST", "VERDICT"];
    table.set_header(heads.map(|head| Cell::new(head).add_attribute(Attribute::Bold)));
    table.add_rows(rows.iter().map(Row::cells));
    table
}

fn read_day(typed: &str) -> Result<String, String> {
    let now = now_ms();
    match typed {
        "today" => Ok(day(now)),
        "yesterday" => Ok(day(now.saturating_sub(24 * 60 * 60 * 1_000))),
        other if begin_of(other).is_some() => Ok(other.to_owned()),
        _ => Err("a day is written yyyy-mm-dd".to_owned()),
    }
}
