//! Delays the start of tasks while those before them die young, as ECS' "service throttle logic" does.

use std::time::{Duration, SystemTime};

/// A task that lives shorter than this died young.
pub(super) const YOUNG: Duration = Duration::from_secs(5);
/// How long to wait before replacing the first task that died young; doubled for each further one.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest such wait. ECS itself goes up to 27 minutes ("Service throttle logic").
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pause before a service whose tasks die young starts another.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StartThrottle {
    in_a_row: u32,
    pub(super) pause_until: Option<SystemTime>,
}

impl StartThrottle {
    /// A task died by itself after this lifetime.
    pub(super) fn lost(&mut self, lived: Duration, now: SystemTime) {
        if lived >= YOUNG {
            *self = Self::default();
            return;
        }
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.in_a_row)).min(LONGEST_PAUSE);
        *self = Self { in_a_row: self.in_a_row + 1, pause_until: Some(now + pause) };
    }
}
