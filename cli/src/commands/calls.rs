//! `ahoy calls`: lists calls, newest first, with ending, duration, cost and media diagnosis.

use crate::deployment_args::SecretArgs;
use crate::figures::{day, dollars, duration, moment, short, start_of_day, words};
use crate::linked_names::LinkedNames;
use crate::output;
use crate::person::{Person, Pseudonymizer};
use crate::search::{Cursor, Found, Search};
use crate::{Common, cloud};
use call::{CallRef, Line, NumberId, Party, Recorded};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};
use journal::CallSummary;
use serde::Serialize;
use service::time::now_ms;
use std::collections::HashMap;
use std::process::ExitCode;
use store::items::from_item;
use store::keys;
use store::{CallListing, Store};

#[derive(Debug, Args)]
pub(crate) struct Calls {
    /// Only calls to this number, by Meta's phone number id or, on the telephone line, by its name.
    #[arg(long, value_name = "ID")]
    number: Option<NumberId>,
    /// Only calls on this line; `sip` is the telephone line.
    #[arg(long, value_name = "LINE", value_parser = line_parser())]
    line: Option<Line>,
    /// Only calls that rang on this UTC day: yyyy-mm-dd, today or yesterday.
    #[arg(long, value_name = "DAY", value_parser = read_day)]
    day: Option<String>,
    /// Only calls of this user, by phone number or Meta's user id; it is neither stored nor printed.
    #[arg(long, value_name = "USER", value_parser = Person::read)]
    user: Option<Person>,
    /// Only calls with this ending, such as caller_hung_up, agent_said_goodbye or no_capacity.
    #[arg(long, value_name = "ENDING")]
    ending: Option<String>,
    /// The most calls to list.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Continue after the previous page: the cursor it printed.
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    #[command(flatten)]
    secrets: SecretArgs,
}

/// A call of the JSON output: its entry in the list, with fields of its summary.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    listed: CallListing,
    lasted_ms: Option<u64>,
    agent: Option<String>,
    turns: Option<u64>,
    micro_dollars: Option<u64>,
    /// The media diagnosis; `fine` if nothing was wrong, `None` where the sound is not ours.
    verdict: Option<String>,
}

impl Calls {
    pub(crate) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let store = cloud::store(common).await?;
        let pseudonyms = match &self.user {
            Some(person) => {
                let pseudonymizer = Pseudonymizer::fetch(&self.secrets, common).await?;
                Some(LinkedNames::of(&store, &pseudonymizer, person).await?.pseudonyms)
            }
            None => None,
        };
        let also = self.user.as_ref().and_then(Person::also);
        let ending = self.ending.map(|ending| ending.replace([' ', '-'], "_"));
        let Self { number, line, day, after, .. } = self;
        let search = Search { number, line, day, pseudonyms, ending, after };
        let Found { calls, unreadable, next, since } =
            search.run(&store, usize::from(self.limit), now_ms()).await?;
        let rows = rows(&store, calls).await?;
        let next = next.map(|next| next.to_string());
        if common.json {
            output::json(
                &serde_json::json!({"calls": rows, "unreadable": unreadable, "next": next, "since": since, "also": also}),
            );
            return Ok(ExitCode::SUCCESS);
        }
        if rows.is_empty() {
            output::line("No calls.");
        } else {
            output::line(table(&rows).trim_fmt());
        }
        if !unreadable.is_empty() {
            output::error_line(not_listed(&unreadable));
        }
        if let Some(also) = also {
            output::error_line(also);
        }
        match (next, since) {
            (Some(next), _) => output::error_line(format!("There are more: --after {next}")),
            (None, Some(since)) => output::error_line(format!(
                "Calls before {since} were not searched: use --day, --number or --user."
            )),
            (None, None) => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Says which calls are missing in the list: entries that a newer release wrote, for example.
fn not_listed(unreadable: &[CallRef]) -> String {
    let names: Vec<_> = unreadable.iter().map(short).collect();
    format!("Not listed, because their entries cannot be read: {}. Try: ahoy show REF", names.join(", "))
}

async fn rows(store: &Store, calls: Vec<CallListing>) -> anyhow::Result<Vec<Row>> {
    let wanted = calls.iter().map(|call| (keys::call(&call.call_ref), keys::SUMMARY.to_owned()));
    let found = store.items(&wanted.collect::<Vec<_>>()).await?.into_iter();
    let summaries = found.filter_map(|item| from_item::<CallSummary>(item).ok());
    let mut summaries: HashMap<_, _> = summaries.map(|summary| (summary.call_ref.clone(), summary)).collect();
    // A call that was never accepted has only the summaries of its media tasks; one that no task answered has none.
    for call in calls.iter().filter(|call| call.start.is_some()) {
        if !summaries.contains_key(&call.call_ref)
            && let Some(item) = store.summary(&call.call_ref).await?
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
        let fine = summary.opened_at_ms.filter(|_| listed.carries_audio()).map(|_| "fine".to_owned());
        Self {
            listed,
            lasted_ms,
            agent: Some(summary.agent),
            turns: Some(summary.turns),
            micro_dollars: summary.micro_dollars,
            verdict: summary.verdict.or(fine),
        }
    }

    fn cells(&self, names_lines: bool) -> Vec<Cell> {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let right = |text: Option<String>| Cell::new(or_dash(text)).set_alignment(CellAlignment::Right);
        let listed = &self.listed;
        let ending = match &listed.ending {
            Some(ending) => Cell::new(words(&ending.to_string())),
            None => Cell::new("in progress").fg(Color::Green),
        };
        let verdict = Cell::new(or_dash(self.verdict.as_deref().map(words)));
        let is_bad = self.verdict.as_deref().is_some_and(|verdict| verdict != "fine");
        let is_our_failure =
            matches!(listed.by, Some(Recorded::Known(Party::Us | Party::Meta | Party::Line)));
        let line = names_lines.then(|| Cell::new(&listed.line));
        let first = [
            Cell::new(short(&listed.call_ref)),
            Cell::new(moment(listed.rang_at_ms)),
            Cell::new(&listed.number),
        ];
        let rest = [
            Cell::new(or_dash(listed.start.clone())),
            if is_our_failure { ending.fg(Color::Yellow) } else { ending },
            Cell::new(or_dash(listed.by.as_ref().map(ToString::to_string))),
            right(self.lasted_ms.map(duration)),
            right(self.turns.map(|turns| turns.to_string())),
            right(self.micro_dollars.map(dollars)),
            if is_bad { verdict.fg(Color::Yellow) } else { verdict },
        ];
        first.into_iter().chain(line).chain(rest).collect()
    }
}

/// Lays the calls out. Their lines are named where they are not all WhatsApp's.
fn table(rows: &[Row]) -> Table {
    let names_lines = rows.iter().any(|row| !row.listed.line.is_default());
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let first = ["CALL", "WHEN (UTC)", "NUMBER"].into_iter();
    let rest = ["BEGAN", "ENDING", "BY", "LASTED", "TURNS", "COST", "VERDICT"];
    let heads = first.chain(names_lines.then_some("LINE")).chain(rest);
    table.set_header(heads.map(|head| Cell::new(head).add_attribute(Attribute::Bold)));
    table.add_rows(rows.iter().map(|row| row.cells(names_lines)));
    table
}

/// Reads a line by its name.
fn line_parser() -> impl TypedValueParser<Value = Line> {
    PossibleValuesParser::new(Line::ALL.map(Line::name)).try_map(|name| name.parse::<Line>())
}

fn read_day(typed: &str) -> Result<String, String> {
    let now = now_ms();
    match typed {
        "today" => Ok(day(now)),
        "yesterday" => Ok(day(now.saturating_sub(24 * 60 * 60 * 1_000))),
        other if start_of_day(other).is_some() => Ok(other.to_owned()),
        _ => Err("a day is yyyy-mm-dd, today or yesterday".to_owned()),
    }
}
