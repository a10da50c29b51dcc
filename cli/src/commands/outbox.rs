//! `ahoy outbox`: lists the events that businesses are to be told, and makes them due again.

use super::show;
use crate::call_details::named;
use crate::figures::{moment, plural, short, words};
use crate::{Common, cloud, output};
use anyhow::bail;
use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};
use serde_json::{Value, json};
use service::time::now_ms;
use std::process::ExitCode;
use std::str::FromStr;
use store::{OutboxItem, OutboxKey, OutboxState, Store};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The most failed events that one run makes due again.
const RETRIED: u32 = 1_000;

#[derive(Debug, Args)]
pub(crate) struct Outbox {
    /// Deliver this event again, by the id that the list shows; may be repeated.
    #[arg(long, value_name = "ID")]
    retry: Vec<EventId>,
    /// Deliver all events again that were refused or given up.
    #[arg(long, conflicts_with = "retry")]
    all_failed: bool,
    /// The most events to list of each kind: waiting, failed within a week, delivered within a day.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
}

/// The name of an event: of its call, the beginning is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EventId(OutboxKey);

impl Outbox {
    pub(crate) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let store = cloud::store(common).await?;
        let is_retry = self.all_failed || !self.retry.is_empty();
        if is_retry {
            let retried = if self.all_failed {
                retry_failed(&store).await?
            } else {
                retry(&store, &self.retry).await?
            };
            if common.json {
                let ids: Vec<_> = retried.iter().map(ToString::to_string).collect();
                output::json(&json!({"due": ids}));
            } else {
                let events = plural(retried.len() as u64, "event");
                output::line(format!("{events} due again; deliveries begin within a minute."));
            }
            return Ok(ExitCode::SUCCESS);
        }
        let (now, limit) = (now_ms(), u32::from(self.limit));
        let (waiting, failed, delivered) = tokio::try_join!(
            store.waiting_in_outbox(limit),
            store.failed_in_outbox(now.saturating_sub(7 * DAY_MS), limit),
            store.delivered_from_outbox(now.saturating_sub(DAY_MS), limit),
        )?;
        let is_cut = [&waiting, &failed, &delivered].iter().any(|listed| listed.len() == limit as usize);
        let events: Vec<_> = waiting.into_iter().chain(failed).chain(delivered).collect();
        if common.json {
            let events: Vec<_> = events.iter().map(to_json).collect();
            output::json(&json!({"events": events, "more": is_cut}));
            return Ok(ExitCode::SUCCESS);
        }
        if events.is_empty() {
            output::line("No events.");
        } else {
            output::line(table(&events).trim_fmt());
        }
        if is_cut {
            output::error_line(format!("There may be more than {limit} of a kind: use --limit."));
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn retry(store: &Store, ids: &[EventId]) -> anyhow::Result<Vec<OutboxKey>> {
    let mut due = vec![];
    for EventId(key) in ids {
        let call_ref = named(store, key.call_ref.as_str()).await?.call_ref;
        let key = OutboxKey { call_ref, ..key.clone() };
        if !store.deliver_again(&key, now_ms()).await? {
            bail!("there is no event {}, or it is being delivered", id(&key));
        }
        due.push(key);
    }
    Ok(due)
}

async fn retry_failed(store: &Store) -> anyhow::Result<Vec<OutboxKey>> {
    let mut due = vec![];
    for event in store.failed_in_outbox(0, RETRIED).await? {
        if store.deliver_again(&event.key(), now_ms()).await? {
            due.push(event.key());
        }
    }
    Ok(due)
}

fn to_json(event: &OutboxItem) -> Value {
    json!({
        "id": event.key().to_string(), "event": event.event, "call_ref": event.call_ref(), "number": event.number,
        "agent": event.agent, "at_ms": event.at_ms, "state": event.state, "tries": event.tries,
        "tried_at_ms": event.tried_at_ms, "status": event.status, "why": event.why, "due_ms": event.due_ms(),
    })
}

fn table(events: &[OutboxItem]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let heads = ["EVENT", "NUMBER", "AGENT", "STATE", "TRIES", "LAST", "TRIED (UTC)", "NEXT (UTC)"];
    table.set_header(heads.map(|head| Cell::new(head).add_attribute(Attribute::Bold)));
    table.add_rows(events.iter().map(cells));
    table
}

fn cells(event: &OutboxItem) -> Vec<Cell> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let state = Cell::new(words(&event.state.to_string()));
    let state = match event.state.known() {
        Some(OutboxState::GivenUp | OutboxState::Refused) => state.fg(Color::Yellow),
        Some(OutboxState::Waiting | OutboxState::Delivered) | None => state,
    };
    let last = event.status.map(|status| status.to_string()).or(event.why.as_deref().map(words));
    vec![
        Cell::new(id(&event.key())),
        Cell::new(&event.number),
        Cell::new(or_dash(event.agent.clone())),
        state,
        Cell::new(event.tries).set_alignment(CellAlignment::Right),
        Cell::new(or_dash(last)),
        Cell::new(or_dash(event.tried_at_ms.map(moment))),
        Cell::new(or_dash(event.due_ms().map(moment))),
    ]
}

/// Returns an event's id with its call shortened.
fn id(key: &OutboxKey) -> String {
    OutboxKey { call_ref: short(&key.call_ref).into(), ..key.clone() }.to_string()
}

impl FromStr for EventId {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let key: OutboxKey = typed.parse().map_err(|wrong: store::OutboxKeyError| wrong.to_string())?;
        let call_ref = show::call_ref(key.call_ref.as_str())?.as_str().into();
        Ok(Self(OutboxKey { call_ref, ..key }))
    }
}
