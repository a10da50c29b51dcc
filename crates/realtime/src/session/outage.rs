//! Times the tries to connect while no session is ready.

use crate::AudioPath;
use std::time::{Duration, Instant};

/// The wait before the second try; it doubles with each further try.
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// How often a connection is tried in all.
const TRIES: u32 = 5;

/// The wait before each further try to attach a sideband.
const ATTACH_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// An outage: no session is ready.
#[derive(Debug)]
pub(super) struct Outage {
    pub(super) since: Instant,
    tries: u32,
}

impl Outage {
    /// Returns an outage that begins now.
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, tries: 0 }
    }

    /// Returns an outage whose first try is under way.
    pub(super) fn with_first_try(now: Instant) -> Self {
        Self { since: now, tries: 1 }
    }

    /// Counts a try, and returns how long to wait before it; `None` after the last one. A sideband is tried until its deadline.
    pub(super) fn next_try(&mut self, audio: AudioPath) -> Option<Duration> {
        if self.tries >= TRIES && audio == AudioPath::Socket {
            return None;
        }
        self.tries += 1;
        Some(match (self.tries, audio) {
            (1, _) => Duration::ZERO,
            (_, AudioPath::Service) => ATTACH_AGAIN_AFTER,
            (tries, AudioPath::Socket) => FIRST_WAIT * 2_u32.pow(tries - 2),
        })
    }
}
