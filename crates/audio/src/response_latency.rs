//! Times the agent's answers: from the caller's last word to the agent's first.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs from when the caller stops until the agent's answer begins.
#[derive(Debug, Default)]
pub(crate) struct ResponseLatency {
    waiting: Option<Waiting>,
    busy_since: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    /// What was still being said when the caller stopped: more of that is no answer.
    over: Option<Arc<str>>,
    for_tools: Duration,
}

/// How long an answer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measurement {
    /// In all.
    pub(crate) took: Duration,
    /// Of it, while the agent was busy.
    pub(crate) waited_for_tools: Duration,
}

impl ResponseLatency {
    /// Notes that the caller stopped, perhaps while a response was still being played.
    pub(crate) fn start(&mut self, over: Option<&Arc<str>>, now: Instant) {
        self.waiting = Some(Waiting { since: now, over: over.cloned(), for_tools: Duration::ZERO });
    }

    /// Notes that the caller goes on, or expects no answer.
    pub(crate) fn clear(&mut self) {
        self.waiting = None;
    }

    /// Notes whether the agent waits for its tools.
    pub(crate) fn note_busy(&mut self, is_busy: bool, now: Instant) {
        self.add_busy(now);
        self.busy_since = is_busy.then_some(now);
    }

    /// Notes that some of a response was played. How long the caller waited for it, if it is an answer.
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
    fn only_the_tools_that_the_caller_waited_for_count() {
        let start = Instant::now();
        let mut watch = ResponseLatency::default();
        watch.note_busy(true, start);
        watch.start(None, start + ms(100));
        watch.note_busy(false, start + ms(300));
        watch.note_busy(true, start + ms(400));

        let lap = watch.note_played("r1", start + ms(500));

        assert_eq!(lap, Some(Measurement { took: ms(400), waited_for_tools: ms(300) }));
        assert_eq!(watch.note_played("r1", start + ms(520)), None);
    }

    #[test]
    fn what_the_agent_was_saying_anyway_is_no_answer() {
        let start = Instant::now();
        let mut watch = ResponseLatency::default();
        watch.start(Some(&"greeting".into()), start);

        assert_eq!(watch.note_played("greeting", start + ms(20)), None);
        assert_eq!(watch.note_played("r2", start + ms(40)).map(|lap| lap.took), Some(ms(40)));
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }
}
