//! How long the gate waits for what it asked for, and what a silence that lasts longer asks for.

use super::{BEGINS_WITHIN, Ongoing, ResponseQueue, ResponseTimeout, Turn};
use std::time::{Duration, Instant};

/// So long a response may show no sign of life while a hosted tool works.
const SILENT_WITH_TOOL: Duration = Duration::from_secs(60);

/// So long a cancelled response may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

impl ResponseQueue {
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let begins = self.asked.as_ref().map(|asked| asked.at + BEGINS_WITHIN);
        let lives = self.ongoing.as_ref().map(|ongoing| self.dead_at(ongoing));
        let wishes = self.owes_answer || self.owes_greeting || self.owes_ask.is_some();
        let again = self.not_before.filter(|_| wishes && self.is_free());
        [begins, lives, again, self.turn_until()].into_iter().flatten().min()
    }

    /// Time has passed. What a silence asks for, if it lasted too long.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<ResponseTimeout> {
        if self.turn_until().is_some_and(|until| until <= now) {
            let collided = matches!(self.turn, Turn::Over { collided: true, .. });
            self.yielded(true);
            return if collided { None } else { self.another_silence(None) };
        }
        if let Some(asked) = self.asked.take_if(|asked| asked.at + BEGINS_WITHIN <= now) {
            self.late = Some(asked.event_id);
            // Whoever waits for the answer to a turn has waited as long: it is one silence, not two.
            if let Turn::Over { .. } = self.turn {
                self.yielded(true);
            }
            if !asked.cancelled {
                self.wish_again(asked.wish);
            }
            return self.another_silence(None);
        }
        let ongoing = self.ongoing.as_ref().filter(|ongoing| self.dead_at(ongoing) <= now)?;
        if ongoing.cancelled_at.is_some() {
            return Some(ResponseTimeout::Dead);
        }
        let id = ongoing.id.clone();
        self.ongoing
            .iter_mut()
            .for_each(|ongoing| (ongoing.stalled, ongoing.cancelled_at) = (true, Some(now)));
        self.another_silence(Some(ResponseTimeout::Cancel(id)))
    }

    fn another_silence(&mut self, first: Option<ResponseTimeout>) -> Option<ResponseTimeout> {
        self.silences += 1;
        if self.silences > 1 { Some(ResponseTimeout::Dead) } else { first }
    }

    fn dead_at(&self, ongoing: &Ongoing) -> Instant {
        match ongoing.cancelled_at {
            Some(cancelled_at) => cancelled_at + ENDS_WITHIN,
            None if self.tools > 0 => ongoing.alive_at + SILENT_WITH_TOOL,
            None => ongoing.alive_at + ongoing.may_be_silent,
        }
    }

    fn turn_until(&self) -> Option<Instant> {
        match self.turn {
            Turn::Over { until, .. } if self.is_free() => Some(until),
            Turn::Over { .. } | Turn::None | Turn::Speaking => None,
        }
    }
}
