//! `ahoy tail`: prints the journal events of live calls as they are written.

use crate::call_details;
use crate::figures::{day, moment, short};
use crate::output;
use crate::{Common, cloud};
use anstyle::{AnsiColor, Style};
use call::{CallRef, NumberId};
use clap::Args;
use journal::{JournalEntry, Level};
use service::time::now_ms;
use std::collections::{HashMap, HashSet};
use std::process::ExitCode;
use std::time::Duration;
use store::{CallQuery, Store};

/// How often the table is queried.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long a call is followed after its end, in ms: its media task still writes its last events.
const LINGER_MS: u64 = 15_000;

/// The most calls that are followed at once.
const MAX_CALLS: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Only calls to this number, by Meta's phone number id.
    #[arg(long, value_name = "ID")]
    number: Option<NumberId>,
    /// Stop after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// The entries that are printed already.
#[derive(Debug, Default)]
struct Printed(HashMap<CallRef, HashSet<(u64, String, u64)>>);

impl Tail {
    /// Runs the command until Ctrl-C, or until `--seconds` have passed.
    pub(crate) async fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let store = cloud::store(common).await?;
        let time_limit = Duration::from_secs(self.seconds.unwrap_or(u64::MAX / 4));
        tokio::select! {
            failed = self.follow(&store, common.json) => failed.map(|()| ExitCode::SUCCESS),
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(time_limit) => Ok(ExitCode::SUCCESS),
        }
    }

    async fn follow(&self, store: &Store, in_json: bool) -> anyhow::Result<()> {
        let (began_ms, mut printed) = (now_ms(), Printed::default());
        let mut poll = tokio::time::interval(POLL_INTERVAL);
        loop {
            poll.tick().await;
            for call_ref in self.followed_calls(store, began_ms).await? {
                for entry in printed.add_new(store.journal_of(&call_ref).await?) {
                    if in_json { output::line(entry.to_line()) } else { output::line(line(&entry)) }
                }
            }
        }
    }

    /// Returns live calls, and those that ended since `began_ms` and within the last seconds.
    async fn followed_calls(&self, store: &Store, began_ms: u64) -> anyhow::Result<Vec<CallRef>> {
        let now_ms = now_ms();
        // A live call may have begun before midnight.
        let days: HashSet<_> = [day(now_ms), day(now_ms.saturating_sub(60 * 60 * 1_000))].into();
        let mut calls = vec![];
        for day in days {
            calls.extend(store.calls(&CallQuery::On(day), None, None, MAX_CALLS).await?.calls);
        }
        calls.sort_by_key(|call| call.rang_at_ms);
        let since = began_ms.max(now_ms.saturating_sub(LINGER_MS));
        calls.retain(|call| call.ended_at_ms.is_none_or(|ended| ended >= since));
        calls.retain(|call| self.number.as_ref().is_none_or(|number| *number == call.number));
        Ok(calls.into_iter().map(|call| call.call_ref).collect())
    }
}

impl Printed {
    /// Returns the entries that are not printed yet, by time, and remembers them.
    fn add_new(&mut self, mut entries: Vec<JournalEntry>) -> Vec<JournalEntry> {
        entries.retain(|entry| {
            let of_call = self.0.entry(entry.call_ref.clone()).or_default();
            of_call.insert((entry.version, entry.writer.clone(), entry.sequence))
        });
        entries.sort_by_key(|entry| entry.at_ms);
        entries
    }
}

fn line(entry: &JournalEntry) -> String {
    let colour = match entry.event.level() {
        Level::Info => Style::new(),
        Level::Warn => AnsiColor::Yellow.on_default(),
        Level::Error => AnsiColor::Red.on_default(),
    };
    let (call, name) = (short(&entry.call_ref), call_details::event_name(entry));
    let since = entry.since_ring_ms.map_or_else(String::new, |ms| ms.to_string());
    let clock = moment(entry.at_ms);
    format!(
        "{} {call} {since:>7} {colour}{name:<18}{colour:#} {}",
        clock.get(11..).unwrap_or(&clock),
        call_details::event_details(entry)
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
    fn each_event_is_printed_once_in_order_of_time() {
        let mut journal = EntryBuilder::new(&"ab12".into(), "task", 0, 1);
        let late = journal.enter(JournalEvent::Opened {}, 20);
        let early = journal.enter(JournalEvent::Accepted {}, 10);
        let mut printed = Printed::default();

        assert_eq!(printed.add_new(vec![late.clone(), early.clone()]), [early.clone(), late.clone()]);
        assert_eq!(printed.add_new(vec![late, early]), []);
    }
}
