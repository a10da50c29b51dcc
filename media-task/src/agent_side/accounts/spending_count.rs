//! Counts in the table what a call has spent, and reads what its number has spent that day.

use super::spending::{COUNT_TIMEOUT, Count, SpendingTracker};
use journal::JournalEvent;
use store::{CallOwner, DaySpent, Store};
use tokio::sync::mpsc;

/// The result of a count.
pub(crate) struct SpendingCount {
    pub(super) succeeded: bool,
    pub(super) day: Option<DaySpent>,
    /// Whether this call is the one to report that the cap is near: it is reported once a day.
    reports_cap: bool,
}

impl SpendingCount {
    /// Returns the event of a cap that is near, if this call is the one to report it.
    pub(super) fn cap_near_event(&self, cap: Option<u64>) -> Option<JournalEvent> {
        let (day, cap_micro_dollars) = self.day.as_ref().filter(|_| self.reports_cap).zip(cap)?;
        Some(JournalEvent::CapNear { spent_micro_dollars: day.micro_dollars, cap_micro_dollars })
    }
}

/// Counts what a call has spent, and reads what its number has spent on this day, if there is a cap.
pub(super) async fn count(
    store: &Store,
    by: &CallOwner,
    day: &str,
    count: Count,
    cap: Option<u64>,
) -> SpendingCount {
    match tokio::time::timeout(COUNT_TIMEOUT, count_at(store, by, day, count, cap)).await {
        Ok(Ok(counted)) => counted,
        Ok(Err(error)) => count_failed(by, &format!("{error:#}")),
        Err(_) => count_failed(by, "no answer in time"),
    }
}

async fn count_at(
    store: &Store,
    by: &CallOwner,
    day: &str,
    count: Count,
    cap: Option<u64>,
) -> anyhow::Result<SpendingCount> {
    let counted = match count.from == count.to {
        true => Ok(()),
        false => store.count_spent(by, day, count.from, count.to).await,
    };
    let Some(cap) = cap else {
        counted?;
        return Ok(SpendingCount { succeeded: true, day: None, reports_cap: false });
    };
    let succeeded = counted.is_ok();
    if let Err(error) = counted {
        tracing::warn!(call_ref = %by.call_ref, "counting the call's cost failed: {error:#}");
    }
    // Read even if the count failed: other calls may have reached the cap.
    let (day_spent, reports_cap) = match store.spent_under(&by.number, day, cap).await {
        Ok((day_spent, reports_cap)) => (Some(day_spent), reports_cap),
        Err(error) => {
            tracing::warn!(
                call_ref = %by.call_ref,
                "reading the day's spending failed, cap not checked: {error:#}"
            );
            (None, false)
        }
    };
    Ok(SpendingCount { succeeded, day: day_spent, reports_cap })
}

fn count_failed(by: &CallOwner, why: &str) -> SpendingCount {
    tracing::warn!(call_ref = %by.call_ref, "counting the call's cost failed: {why}");
    SpendingCount { succeeded: false, day: None, reports_cap: false }
}

/// Waits for a count that is under way at the end of the call, and returns its event of a cap that is near: only this call
/// would report it.
pub(super) async fn last_cap_event(
    spending: &SpendingTracker,
    counts: &mut mpsc::Receiver<SpendingCount>,
) -> Option<JournalEvent> {
    if !spending.is_counting() {
        return None;
    }
    let counted = tokio::time::timeout(COUNT_TIMEOUT, counts.recv()).await.ok().flatten()?;
    counted.cap_near_event(spending.cap())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[tokio::test]
    async fn a_count_under_way_at_the_end_reports_the_cap() {
        let (counts, mut receiver) = mpsc::channel(1);
        let (mut spending, now) = (SpendingTracker::new(Some(1.0)), Instant::now());
        assert_eq!(last_cap_event(&spending, &mut receiver).await, None, "none is under way");
        spending.open(now);
        spending.poll(7, now + COUNT_TIMEOUT * 2).expect("it is time to count");
        let day = DaySpent { micro_dollars: 800_000, is_recorded: false };
        let counted = SpendingCount { succeeded: true, day: Some(day), reports_cap: true };
        tokio::spawn(async move { counts.send(counted).await });

        let event = last_cap_event(&spending, &mut receiver).await;

        let near = JournalEvent::CapNear { spent_micro_dollars: 800_000, cap_micro_dollars: 1_000_000 };
        assert_eq!(event, Some(near));
    }
}
