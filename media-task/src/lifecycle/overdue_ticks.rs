//! Spreads the ticks of overdue calls over time: decides when each is due, and has Lambda invoke call-control for it.
//!
//! Calls that were taken together are overdue together. Ticked at once, a hundred of them would reach one task's control API at
//! once, and those that wait longest there would be taken for silent.

use call::CallRef;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use internal_api::client::CallControl;
use std::collections::VecDeque;
use std::future::pending;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The time within which all are ticked: before the next heartbeat, which reads the overdue calls again.
const SPREAD: Duration = Duration::from_secs(3);

/// The longest gap between two ticks. With few calls the wait is negligible.
const MAX_GAP: Duration = Duration::from_millis(20);

/// How many invocations of Lambda may be in flight.
const MAX_INVOCATIONS: usize = 16;

/// The calls that wait to be ticked, and when the next one is due.
#[derive(Debug, Default)]
pub(crate) struct TickSchedule {
    waiting: VecDeque<CallRef>,
    gap: Duration,
    next: Option<Instant>,
}

impl TickSchedule {
    /// Replaces the queue with the calls that are overdue now, the longest overdue first. A call that was queued and is still
    /// overdue is among them.
    pub(crate) fn handle_due(&mut self, due: Vec<CallRef>, now: Instant) {
        let calls = u32::try_from(due.len()).unwrap_or(u32::MAX).max(1);
        self.gap = MAX_GAP.min(SPREAD / calls);
        self.waiting = due.into();
        self.next.get_or_insert(now);
    }

    /// Returns the call to tick now, if one is due.
    pub(crate) fn poll_tick(&mut self, now: Instant) -> Option<CallRef> {
        self.next.filter(|next| *next <= now)?;
        let call_ref = self.waiting.pop_front();
        self.next = call_ref.as_ref().map(|_| now + self.gap);
        call_ref
    }

    /// Returns when the next call is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }
}

/// Ticks the calls that `due` holds, until its sender is dropped. Only this task waits for Lambda.
pub(crate) async fn run(call_control: CallControl, mut due: watch::Receiver<Vec<CallRef>>) {
    let mut schedule = TickSchedule::default();
    let mut invocations = FuturesUnordered::new();
    let mut failed = 0;
    loop {
        tokio::select! {
            changed = due.changed() => {
                if changed.is_err() {
                    return;
                }
                if failed > 0 {
                    tracing::warn!(failed, "Lambda invocation failed for {failed} overdue calls; retry with the next heartbeat");
                    failed = 0;
                }
                schedule.handle_due(due.borrow_and_update().clone(), Instant::now());
            }
            () = sleep_until(schedule.poll_timeout()), if invocations.len() < MAX_INVOCATIONS => {
                invocations.extend(schedule.poll_tick(Instant::now()).map(|call_ref| call_control.tick(call_ref)));
            }
            Some(invoked) = invocations.next() => failed += usize::from(invoked.is_err()),
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_overdue_call_is_ticked_at_once() {
        let (mut schedule, now) = (TickSchedule::default(), Instant::now());

        schedule.handle_due(calls(1), now);

        assert_eq!(tick_times(&mut schedule, now), [Duration::ZERO]);
        assert_eq!(schedule.poll_timeout(), None);
    }

    #[test]
    fn a_hundred_calls_are_ticked_apart_and_before_the_next_heartbeat() {
        let (mut schedule, now) = (TickSchedule::default(), Instant::now());

        schedule.handle_due(calls(100), now);

        let tick_times = tick_times(&mut schedule, now);
        assert_eq!(tick_times.len(), 100);
        assert!(tick_times.windows(2).all(|two| two[1] - two[0] == MAX_GAP), "{tick_times:?}");
        assert!(tick_times[99] < SPREAD, "{:?}", tick_times[99]);
    }

    #[test]
    fn a_thousand_calls_are_ticked_before_the_next_heartbeat() {
        let (mut schedule, now) = (TickSchedule::default(), Instant::now());

        schedule.handle_due(calls(1_000), now);

        let tick_times = tick_times(&mut schedule, now);
        assert!(tick_times.len() == 1_000 && tick_times[999] < SPREAD, "{:?}", tick_times.last());
    }

    #[test]
    fn the_next_heartbeat_replaces_the_queue_and_keeps_the_gap() {
        let (mut schedule, now) = (TickSchedule::default(), Instant::now());
        schedule.handle_due(calls(100), now);
        assert_eq!(schedule.poll_tick(now), Some("0".into()));

        schedule.handle_due(vec!["late".into()], now);

        assert_eq!(schedule.poll_tick(now), None, "the gap after the last one is kept");
        assert_eq!(schedule.poll_tick(now + MAX_GAP), Some("late".into()));
    }

    #[test]
    fn no_tick_is_due_without_overdue_calls() {
        let (mut schedule, now) = (TickSchedule::default(), Instant::now());
        assert_eq!(schedule.poll_timeout(), None);

        schedule.handle_due(vec![], now);

        assert_eq!(schedule.poll_tick(now), None);
        assert_eq!(schedule.poll_timeout(), None);
    }

    fn calls(n: usize) -> Vec<CallRef> {
        (0..n).map(|n| n.to_string().into()).collect()
    }

    /// Returns when each call is ticked, on a clock that goes from timeout to timeout.
    fn tick_times(schedule: &mut TickSchedule, from: Instant) -> Vec<Duration> {
        let mut tick_times = vec![];
        while let Some(now) = schedule.poll_timeout() {
            tick_times.extend(schedule.poll_tick(now).map(|_| now - from));
        }
        tick_times
    }
}
