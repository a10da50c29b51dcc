//! Ticks calls that are overdue, one after the other: decides when each has its turn, and has Lambda take the orders.
//!
//! Calls that were taken together are due together. Ticked at once, a hundred of them knock at one door at once, and those
//! that wait longest there are taken for silent.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::future::pending;
use std::time::{Duration, Instant};
use store::CallControl;
use tokio::sync::watch;

/// All have had their turn by then: before the next heartbeat, which looks again.
const SPREAD: Duration = Duration::from_secs(3);

/// The longest that one waits for the other. So few calls wait for hardly anything.
const LONGEST_GAP: Duration = Duration::from_millis(20);

/// So many orders may be on their way to Lambda.
const AT_ONCE: usize = 16;

/// The calls that wait for their turn.
#[derive(Debug, Default)]
pub struct Ticks {
    waiting: VecDeque<String>,
    gap: Duration,
    next: Option<Instant>,
}

impl Ticks {
    /// These are overdue now, the longest first, and no others: who had no turn until now and still wants one is among them.
    pub fn handle_due(&mut self, due: Vec<String>, now: Instant) {
        let calls = u32::try_from(due.len()).unwrap_or(u32::MAX).max(1);
        self.gap = LONGEST_GAP.min(SPREAD / calls);
        self.waiting = due.into();
        self.next.get_or_insert(now);
    }

    /// The call whose turn it is.
    pub fn poll_tick(&mut self, now: Instant) -> Option<String> {
        self.next.filter(|next| *next <= now)?;
        let call_ref = self.waiting.pop_front();
        self.next = call_ref.as_ref().map(|_| now + self.gap);
        call_ref
    }

    /// When to ask for the next one.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }
}

/// Ticks whatever is overdue, as `due` says it, for as long as somebody says it. Nobody waits for Lambda but this.
pub async fn tick(control: CallControl, mut due: watch::Receiver<Vec<String>>) {
    let mut ticks = Ticks::default();
    let mut on_their_way = FuturesUnordered::new();
    let mut failed = 0;
    loop {
        tokio::select! {
            said = due.changed() => {
                if said.is_err() {
                    return;
                }
                if failed > 0 {
                    tracing::warn!(failed, "Lambda took no order for {failed} overdue calls");
                    failed = 0;
                }
                ticks.handle_due(due.borrow_and_update().clone(), Instant::now());
            }
            () = until(ticks.poll_timeout()), if on_their_way.len() < AT_ONCE => {
                on_their_way.extend(ticks.poll_tick(Instant::now()).map(|call_ref| control.tick(call_ref)));
            }
            Some(taken) = on_their_way.next() => failed += usize::from(taken.is_err()),
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_overdue_alone_is_ticked_at_once() {
        let (mut ticks, now) = (Ticks::default(), Instant::now());

        ticks.handle_due(calls(1), now);

        assert_eq!(turns(&mut ticks, now), [Duration::ZERO]);
        assert_eq!(ticks.poll_timeout(), None);
    }

    #[test]
    fn a_hundred_calls_have_their_turns_one_by_one_and_all_before_the_next_heartbeat() {
        let (mut ticks, now) = (Ticks::default(), Instant::now());

        ticks.handle_due(calls(100), now);

        let turns = turns(&mut ticks, now);
        assert_eq!(turns.len(), 100);
        assert!(turns.windows(2).all(|two| two[1] - two[0] == LONGEST_GAP), "{turns:?}");
        assert!(turns[99] < SPREAD, "{:?}", turns[99]);
    }

    #[test]
    fn a_thousand_calls_have_had_their_turns_before_the_next_heartbeat_too() {
        let (mut ticks, now) = (Ticks::default(), Instant::now());

        ticks.handle_due(calls(1_000), now);

        let turns = turns(&mut ticks, now);
        assert!(turns.len() == 1_000 && turns[999] < SPREAD, "{:?}", turns.last());
    }

    #[test]
    fn the_next_heartbeat_knows_better_and_does_not_make_anybody_jump_the_queue() {
        let (mut ticks, now) = (Ticks::default(), Instant::now());
        ticks.handle_due(calls(100), now);
        assert_eq!(ticks.poll_tick(now).as_deref(), Some("0"));

        ticks.handle_due(vec!["late".to_owned()], now);

        assert_eq!(ticks.poll_tick(now), None, "the gap after the last one is kept");
        assert_eq!(ticks.poll_tick(now + LONGEST_GAP).as_deref(), Some("late"));
    }

    #[test]
    fn nobody_is_ticked_where_nothing_is_overdue() {
        let (mut ticks, now) = (Ticks::default(), Instant::now());
        assert_eq!(ticks.poll_timeout(), None);

        ticks.handle_due(vec![], now);

        assert_eq!(ticks.poll_tick(now), None);
        assert_eq!(ticks.poll_timeout(), None);
    }

    fn calls(n: usize) -> Vec<String> {
        (0..n).map(|n| n.to_string()).collect()
    }

    /// When each has its turn, on a clock that goes from timeout to timeout.
    fn turns(ticks: &mut Ticks, from: Instant) -> Vec<Duration> {
        let mut turns = vec![];
        while let Some(now) = ticks.poll_timeout() {
            turns.extend(ticks.poll_tick(now).map(|_| now - from));
        }
        turns
    }
}
