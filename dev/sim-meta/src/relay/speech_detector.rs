//! Decides from voiced and unvoiced frames when the agent begins to speak, and when it has fallen silent.

use std::time::{Duration, Instant};

/// Whether the agent speaks. It falls silent only after some quiet, so that a pause for breath is none.
#[derive(Debug)]
pub(crate) struct SpeechDetector {
    quiet: Duration,
    last_voiced: Option<Instant>,
}

/// The agent began to speak, or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Began,
    FellSilent { since: Instant },
}

impl SpeechDetector {
    /// A voice that counts as silent after so much quiet.
    pub(crate) fn new(quiet: Duration) -> SpeechDetector {
        SpeechDetector { quiet, last_voiced: None }
    }

    pub(crate) fn handle_frame(&mut self, voiced: bool, now: Instant) -> Option<Change> {
        if !voiced {
            return self.handle_timeout(now);
        }
        let began = self.last_voiced.is_none();
        self.last_voiced = Some(now);
        began.then_some(Change::Began)
    }

    /// Time went by, perhaps without any frame.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<Change> {
        let since = self.last_voiced.filter(|last| now >= *last + self.quiet)?;
        self.last_voiced = None;
        Some(Change::FellSilent { since })
    }

    /// The call is over, whatever was being said.
    pub(crate) fn handle_end(&mut self) -> Option<Change> {
        self.last_voiced.take().map(|since| Change::FellSilent { since })
    }

    /// When to call [`SpeechDetector::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.last_voiced.map(|last| last + self.quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_for_breath_is_no_silence() {
        let (mut detector, t0) = (SpeechDetector::new(ms(600)), Instant::now());

        assert_eq!(detector.handle_frame(true, t0), Some(Change::Began));
        assert_eq!(detector.handle_frame(false, t0 + ms(599)), None);
        assert_eq!(detector.handle_frame(true, t0 + ms(600)), None);
        let change = detector.handle_frame(false, t0 + ms(1_200));
        assert_eq!(change, Some(Change::FellSilent { since: t0 + ms(600) }));
        assert_eq!(detector.handle_frame(true, t0 + ms(1_300)), Some(Change::Began));
    }

    #[test]
    fn silence_needs_no_frames() {
        let (mut detector, t0) = (SpeechDetector::new(ms(600)), Instant::now());
        detector.handle_frame(true, t0);

        assert_eq!(detector.poll_timeout(), Some(t0 + ms(600)));
        assert_eq!(detector.handle_timeout(t0 + ms(600)), Some(Change::FellSilent { since: t0 }));
        assert_eq!(detector.poll_timeout(), None);
    }

    #[test]
    fn the_end_of_the_call_ends_what_was_being_said() {
        let (mut detector, t0) = (SpeechDetector::new(ms(600)), Instant::now());
        detector.handle_frame(true, t0);

        assert_eq!(detector.handle_end(), Some(Change::FellSilent { since: t0 }));
        assert_eq!(detector.handle_end(), None);
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }
}
