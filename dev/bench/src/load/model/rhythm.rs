//! The turns of a conversation, in time.

use std::time::Duration;

/// The times of a turn, each from the beginning of a reply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rhythm {
    /// How long a reply is when it is played.
    pub(crate) reply: Duration,
    /// How many times faster than that it is sent.
    pub(crate) pace: f64,
    pub(crate) caller_begins: Duration,
    pub(crate) caller_stops: Duration,
    /// When the next reply begins.
    pub(crate) next: Duration,
}

impl Default for Rhythm {
    /// The agent speaks 40 % of the time.
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self {
            reply: ms(4_000),
            pace: 6.0,
            caller_begins: ms(5_500),
            caller_stops: ms(9_500),
            next: ms(10_000),
        }
    }
}
