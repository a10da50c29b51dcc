//! Response latency: measures the time from the end of the caller's speech to the agent's first audio.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Measures from the end of the caller's speech until the agent's answer is played.
#[derive(Debug, Default)]
pub(crate) struct ResponseLatency {
    waiting: Option<Waiting>,
    busy_since: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    /// The response that was being played when the caller stopped: more of it is no answer.
    over: Option<Arc<str>>,
    for_tools: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measurement {
    pub(crate) took: Duration,
    /// The part of it during which tool calls ran.
    pub(crate) waited_for_tools: Duration,
}

impl ResponseLatency {
    /// Notes that the caller stopped speaking; `over` is the response that is still being played.
    pub(crate) fn start(&mut self, over: Option<&Arc<str>>, now: Instant) {
        self.waiting = Some(Waiting { since: now, over: over.cloned(), for_tools: Duration::ZERO });
    }

    /// Notes that the caller goes on speaking, or that no answer is due.
    pub(crate) fn clear(&mut self) {
        self.waiting = None;
    }

    /// Notes whether tool calls are running.
    pub(crate) fn note_busy(&mut self, is_busy: bool, now: Instant) {
        self.add_busy(now);
        self.busy_since = is_busy.then_some(now);
    }

    /// Notes that audio of a response is played, and returns the latency if it is the answer.
    pub(crate) fn note_played(&mut self, response: &str, now: Instant) -> Option<Measurement> {
        self.waiting.as_ref().filter(|waiting| waiting.over.as_deref() != Some(response))?;
        self.add_busy(now);
        let waiting = self.waiting.take()?;
        Some(Measurement {
            took: now.saturating_duration_since(waiting.since),
            waited_for_tools: waiting.for_tools,
        })
    }

    fn add_busy(&mut self, now: Instant) {
        if let Some((waiting, busy_since)) = self.waiting.as_mut().zip(self.busy_since.as_mut()) {
            let from = waiting.since.max(*busy_since);
            waiting.for_tools += now.saturating_duration_since(from);
            *busy_since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tool_time_within_the_latency_counts() {
        let start = Instant::now();
        let mut latency = ResponseLatency::default();
        latency.note_busy(true, start);
        latency.start(None, start + ms(100));
        latency.note_busy(false, start + ms(300));
        latency.note_busy(true, start + ms(400));

        let measured = latency.note_played("r1", start + ms(500));

        assert_eq!(measured, Some(Measurement { took: ms(400), waited_for_tools: ms(300) }));
        assert_eq!(latency.note_played("r1", start + ms(520)), None);
    }

    #[test]
    fn the_response_already_playing_is_no_answer() {
        let start = Instant::now();
        let mut latency = ResponseLatency::default();
        latency.start(Some(&"greeting".into()), start);

        assert_eq!(latency.note_played("greeting", start + ms(20)), None);
        assert_eq!(latency.note_played("r2", start + ms(40)).map(|measured| measured.took), Some(ms(40)));
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }
}
