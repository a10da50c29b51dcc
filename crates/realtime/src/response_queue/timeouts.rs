//! Timeouts of the response queue, and what to do after them.

use super::{Ongoing, ResponseQueue, ResponseTimeout, STARTS_WITHIN, Turn};
use std::time::{Duration, Instant};

/// How long a response may show no progress while a hosted MCP call is in progress.
const PROGRESS_WITHIN_WITH_TOOL: Duration = Duration::from_secs(60);

/// How long a cancelled response may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

impl ResponseQueue {
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let starts = self.requested.as_ref().map(|requested| requested.at + STARTS_WITHIN);
        let progresses = self.ongoing.as_ref().map(|ongoing| self.times_out_at(ongoing));
        let is_pending = self.is_answer_pending || self.is_greeting_pending || self.pending_prompt.is_some();
        let again = self.not_before.filter(|_| is_pending && self.is_idle());
        [starts, progresses, again, self.answer_expected_until()].into_iter().flatten().min()
    }

    /// Handles timeouts, and returns what to do if one expired.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<ResponseTimeout> {
        if self.answer_expected_until().is_some_and(|until| until <= now) {
            let collided = matches!(self.turn, Turn::AwaitingAnswer { collided: true, .. });
            self.end_turn(true);
            return if collided { None } else { self.count_timeout(None) };
        }
        if let Some(requested) = self.requested.take_if(|requested| requested.at + STARTS_WITHIN <= now) {
            self.late = Some(requested.event_id);
            // The caller's turn has waited as long: this is one timeout, not two.
            if let Turn::AwaitingAnswer { .. } = self.turn {
                self.end_turn(true);
            }
            if !requested.cancelled {
                self.request_again(requested.request);
            }
            return self.count_timeout(None);
        }
        let ongoing = self.ongoing.as_ref().filter(|ongoing| self.times_out_at(ongoing) <= now)?;
        if ongoing.cancelled_at.is_some() {
            return Some(ResponseTimeout::ReplaceLink);
        }
        let id = ongoing.id.clone();
        self.ongoing
            .iter_mut()
            .for_each(|ongoing| (ongoing.stalled, ongoing.cancelled_at) = (true, Some(now)));
        self.count_timeout(Some(ResponseTimeout::Cancel(id)))
    }

    fn count_timeout(&mut self, first: Option<ResponseTimeout>) -> Option<ResponseTimeout> {
        self.timeouts += 1;
        if self.timeouts > 1 { Some(ResponseTimeout::ReplaceLink) } else { first }
    }

    fn times_out_at(&self, ongoing: &Ongoing) -> Instant {
        match ongoing.cancelled_at {
            Some(cancelled_at) => cancelled_at + ENDS_WITHIN,
            None if self.hosted_tools > 0 => ongoing.last_progress_at + PROGRESS_WITHIN_WITH_TOOL,
            None => ongoing.last_progress_at + ongoing.progress_within,
        }
    }

    fn answer_expected_until(&self) -> Option<Instant> {
        match self.turn {
            Turn::AwaitingAnswer { until, .. } if self.is_idle() => Some(until),
            Turn::AwaitingAnswer { .. } | Turn::None | Turn::Speaking => None,
        }
    }
}
