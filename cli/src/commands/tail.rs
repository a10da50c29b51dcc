//! `ahoy tail`: calls and their events, as they happen.

use crate::figures::{day, moment, short};
use crate::output;
use crate::whole_call;
use crate::{Common, cloud};
use anstyle::{AnsiColor, Style};
use clap::Args;
use internal_api::keys;
use journal::{JournalEntry, Level};
use service::time::now_ms;
use std::collections::{HashMap, HashSet};
use std::process::ExitCode;
use std::time::Duration;
use store::items::{from_item, text};
use store::{CallQuery, Store};

/// How often the table is asked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// So long after its end a call is still looked at: its media task writes the last of it.
const AFTER_MS: u64 = 15_000;

/// So many calls are followed at once.
const CALLS: usize = 100;

#[derive(Debug, Args)]
pub struct Tail {
    /// Only calls to this number: Meta's id of it.
    #[arg(long, value_name = "ID")]
    number: Option<String>,
    /// Stop by itself after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// What was told already.
#[derive(Debug, Default)]
struct Told(HashMap<String, HashSet<(u64, String, u64)>>);

impl Tail {
    /// Does it, until Ctrl-C.
    pub async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let ledger = cloud::ledger(common).await?;
        let patience = Duration::from_secs(self.seconds.unwrap_or(u64::MAX / 4));
        tokio::select! {
            failed = self.follow(&ledger, common.json) => failed.map(|()| ExitCode::SUCCESS),
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(patience) => Ok(ExitCode::SUCCESS),
        }
    }

    async fn follow(&self, ledger: &Store, in_json: bool) -> anyhow::Result<()> {
        let (began_ms, mut told) = (now_ms(), Told::default());
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            look.tick().await;
            for call_ref in self.under_way(ledger, began_ms).await? {
                for entry in told.news(journal_of(ledger, &call_ref).await?) {
                    if in_json { output::line(entry.to_line()) } else { output::line(line(&entry)) }
                }
            }
        }
    }

    /// Calls that are not over, or were not when this began, and not for long.
    async fn under_way(&self, ledger: &Store, began_ms: u64) -> anyhow::Result<Vec<String>> {
        let now_ms = now_ms();
        // A call may have begun before midnight.
        let days: HashSet<_> = [day(now_ms), day(now_ms.saturating_sub(60 * 60 * 1_000))].into();
        let mut calls = vec![];
        for day in days {
            calls.extend(ledger.calls(&CallQuery::On(day), None, None, CALLS).await?);
        }
        calls.sort_by_key(|call| call.rang_at_ms);
        let since = began_ms.max(now_ms.saturating_sub(AFTER_MS));
        calls.retain(|call| call.ended_at_ms.is_none_or(|ended| ended >= since));
        calls.retain(|call| self.number.as_ref().is_none_or(|number| *number == call.number));
        Ok(calls.into_iter().map(|call| call.call_ref).collect())
    }
}

impl Told {
    fn news(&mut self, mut entries: Vec<JournalEntry>) -> Vec<JournalEntry> {
        entries.retain(|entry| {
            let known = self.0.entry(entry.call_ref.clone()).or_default();
            known.insert((entry.version, entry.writer.clone(), entry.sequence))
        });
        entries.sort_by_key(|entry| entry.at_ms);
        entries
    }
}

async fn journal_of(ledger: &Store, call_ref: &str) -> anyhow::Result<Vec<JournalEntry>> {
    let query = ledger.partition(keys::call(call_ref));
    let query = query
        .key_condition_expression("#pk = :pk AND begins_with(#sk, :events)")
        .expression_attribute_names("#sk", "sk")
        .expression_attribute_values(":events", text(keys::EVENTS));
    let items = store::all(query).await?;
    Ok(items.into_iter().filter_map(|item| from_item(item).ok()).collect())
}

fn line(entry: &JournalEntry) -> String {
    let colour = match entry.event.level() {
        Level::Info => Style::new(),
        Level::Warn => AnsiColor::Yellow.on_default(),
        Level::Error => AnsiColor::Red.on_default(),
    };
    let (call, name) = (short(&entry.call_ref), whole_call::name(entry));
    let since = entry.since_ring_ms.map_or_else(String::new, |ms| ms.to_string());
    let clock = moment(entry.at_ms);
    format!(
        "{} {call} {since:>7} {colour}{name:<18}{colour:#} {}",
        clock.get(11..).unwrap_or(&clock),
        whole_call::details(entry)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::{EntryBuilder, JournalEvent};

    #[test]
    fn an_event_of_a_later_release_is_shown_by_its_name() {
        let later = serde_json::json!({"call_ref": "ab12", "at_ms": 7, "version": 4, "writer": "task-0a", "sequence": 1,
            "event": "WA_CALL_HELD", "words": "planted", "pk": "CALL#ab12", "sk": "EV#4", "ttl": 9});

        let shown = line(&serde_json::from_value(later).expect("a later release's events are read"));

        assert!(shown.contains("held") && !shown.contains("planted"), "{shown}");
    }

    #[test]
    fn an_event_is_told_once_and_in_the_order_of_time() {
        let mut journal = EntryBuilder::new("ab12", "task", 0, 1);
        let late = journal.enter(JournalEvent::Opened {}, 20);
        let early = journal.enter(JournalEvent::Accepted {}, 10);
        let mut told = Told::default();

        assert_eq!(told.news(vec![late.clone(), early.clone()]), [early.clone(), late.clone()]);
        assert_eq!(told.news(vec![late, early]), []);
    }
}
