//! Audits spending: owners' summaries, counted spending, and the days' totals of the numbers.

use anyhow::Context;
use call::{CallRef, Fence, NumberId};
use harness::testbed::Testbed;
use journal::{CallSummary, JournalEvent};
use std::collections::BTreeMap;
use store::items::{Item, from_item};
use store::keys;

/// The spending of one call, by owner, as the table has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SpendingAudit {
    /// The summary that readers get, if there is one.
    pub shown: Option<CallSummary>,
    /// What each owner left, by the fence of its assignment.
    pub left: BTreeMap<Fence, CallSummary>,
    /// What is counted of each owner, in millionths of a dollar.
    pub counted: BTreeMap<Fence, u64>,
}

impl SpendingAudit {
    pub(super) async fn of(testbed: &Testbed, call_ref: &CallRef) -> anyhow::Result<Self> {
        let mut audit = Self::default();
        for item in partition(testbed, &keys::call(call_ref)).await? {
            let sk = item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
            if sk == keys::SUMMARY {
                audit.shown = Some(from_item(item)?);
            } else if let Some(fence) = keys::fence_of_summary(&sk) {
                audit.left.insert(fence, from_item(item)?);
            } else if let Some(fence) = sk.strip_prefix(keys::SPENT_BY) {
                audit
                    .counted
                    .insert(Fence(fence.parse().context("a fence is a number")?), micro_dollars(&item)?);
            }
        }
        Ok(audit)
    }

    pub(super) fn total(&self) -> u64 {
        self.counted.values().sum()
    }

    /// What does not fit, of a call whose journal is this. Owners that were killed, by the names they write under, may have left
    /// nothing.
    pub(super) fn faults(
        &self,
        journal: &[journal::JournalEntry],
        was_killed: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut faults = vec![];
        let opened: Vec<_> =
            journal.iter().filter(|entry| matches!(entry.event, JournalEvent::Opened {})).collect();
        let may_show_nothing = opened.iter().any(|entry| was_killed(&entry.writer));
        match (&self.shown, opened.len()) {
            (Some(shown), 1) if shown.opened_at_ms.is_some() => {}
            (None, 0) => {}
            (None, 1) if may_show_nothing => {}
            (shown, lines) => faults.push(format!(
                "{lines} of its owners' lines opened, and its summary {}",
                if shown.is_some() { "is there" } else { "is missing" }
            )),
        }
        for (fence, summary) in &self.left {
            let reported = summary.micro_dollars.unwrap_or_default();
            let counted = self.counted.get(fence).copied();
            if counted != Some(reported) {
                faults.push(format!("owner {fence} reported {reported} μ$, and {counted:?} is counted"));
            }
        }
        let used = |entry: &journal::JournalEntry| match entry.event {
            JournalEvent::Usage { micro_dollars, .. } => Some(micro_dollars.unwrap_or_default()),
            _ => None,
        };
        let noted: u64 = journal.iter().filter_map(used).sum();
        let left: u64 = self.left.values().filter_map(|summary| summary.micro_dollars).sum();
        // A task that is killed may have got one of the two into the table.
        if noted != left && !journal.iter().any(|entry| was_killed(&entry.writer)) {
            faults.push(format!("its owners noted {noted} μ$ and left summaries of {left} μ$"));
        }
        faults
    }
}

/// Returns the spending of a number, all days together, in millionths of a dollar.
pub(super) async fn spent(testbed: &Testbed, number: &NumberId) -> anyhow::Result<u64> {
    partition(testbed, &keys::spent(number)).await?.iter().map(micro_dollars).sum()
}

fn micro_dollars(item: &Item) -> anyhow::Result<u64> {
    let spent =
        item.get("micro_dollars").and_then(|spent| spent.as_n().ok()).context("nothing is counted")?;
    spent.parse().context("what is counted is no number")
}

async fn partition(testbed: &Testbed, pk: &str) -> anyhow::Result<Vec<Item>> {
    Ok(testbed.stack.store.items_with_prefix(pk, "").await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::EntryBuilder;

    #[test]
    fn a_call_of_one_owner_that_talked_is_in_order() {
        let audit = audit(&[(1, 70)], &[(1, 70)], true);

        assert_eq!(audit.faults(&journal(&[70], true), |_| false), [""; 0]);
        assert_eq!(audit.total(), 70);
    }

    #[test]
    fn what_does_not_fit_is_found() {
        let faults = |audit: &SpendingAudit, used: &[u64], opened| {
            audit.faults(&journal(used, opened), |_| false).len()
        };

        assert_eq!(faults(&audit(&[(1, 70)], &[(1, 140)], true), &[70], true), 1, "counted twice");
        assert_eq!(faults(&audit(&[(1, 70)], &[], true), &[70], true), 1, "not counted");
        assert_eq!(faults(&audit(&[(1, 70)], &[(1, 70)], false), &[70], true), 1, "no summary for readers");
        assert_eq!(faults(&audit(&[(1, 70)], &[(1, 70)], true), &[70], false), 1, "a summary of no talk");
        assert_eq!(faults(&audit(&[(2, 30)], &[(2, 30)], true), &[70, 30], true), 1, "an owner left nothing");
    }

    #[test]
    fn an_owner_that_was_killed_leaves_what_was_counted() {
        let audit = audit(&[], &[(1, 70)], false);

        assert_eq!(audit.faults(&journal(&[], true), |writer| writer == "task-a"), [""; 0]);
    }

    fn audit(left: &[(u64, u64)], counted: &[(u64, u64)], is_shown: bool) -> SpendingAudit {
        let summary = |spent: u64| CallSummary {
            micro_dollars: Some(spent),
            opened_at_ms: Some(1),
            ..CallSummary::default()
        };
        SpendingAudit {
            shown: is_shown.then(|| summary(left.last().map_or(0, |(_, spent)| *spent))),
            left: left.iter().map(|(fence, spent)| (Fence(*fence), summary(*spent))).collect(),
            counted: counted.iter().map(|(fence, spent)| (Fence(*fence), *spent)).collect(),
        }
    }

    fn journal(used: &[u64], is_opened: bool) -> Vec<journal::JournalEntry> {
        let mut journal = EntryBuilder::new(&"call".into(), "task-a", 0, 1);
        let usage = used.iter().map(|spent| JournalEvent::Usage {
            agent: String::new(),
            model: String::new(),
            text_in: 0,
            text_cached: 0,
            text_out: 0,
            audio_in: 0,
            audio_cached: 0,
            audio_out: 0,
            transcript_in: 0,
            transcript_out: 0,
            transcript_ms: 0,
            micro_dollars: Some(*spent),
            transcription_priced: true,
            prices_of: String::new(),
        });
        let opened = is_opened.then_some(JournalEvent::Opened {});
        let events: Vec<_> = opened.into_iter().chain(usage).collect();
        events.into_iter().map(|event| journal.enter(event, 1)).collect()
    }
}
