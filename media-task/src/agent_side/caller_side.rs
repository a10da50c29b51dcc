//! The caller's side of a call, as far as the agent's side needs it.

use audio::{BargeInPolicy, Bridge, CallLimits, DtmfOptions, RemoteAudio, TimeoutReason};
use bytes::Bytes;
use std::time::Instant;

/// The caller's side of a call: what they hear, and when they are hung up on.
pub(crate) trait CallerSide {
    /// Whether speech is being played to the caller.
    fn is_playing(&self) -> bool;

    /// Notes whether tools are at work: the line is not idle then.
    fn note_busy(&mut self, is_busy: bool, now: Instant);

    /// Requests the hang-up once the agent's speech has been played.
    fn hang_up_when_silent(&mut self, now: Instant);

    /// Follows the rules of another agent: the call is not open yet, and no speech has arrived.
    fn adopt(&mut self, limits: CallLimits, turns: BargeInPolicy, keypad: DtmfOptions);

    /// Requests a goodbye at once. Returns whether there is a caller to say goodbye to.
    fn end_now(&mut self, reason: TimeoutReason) -> bool;
}

macro_rules! caller_side {
    ($side:ty) => {
        impl CallerSide for $side {
            fn is_playing(&self) -> bool {
                <$side>::is_playing(self)
            }

            fn note_busy(&mut self, is_busy: bool, now: Instant) {
                <$side>::note_busy(self, is_busy, now);
            }

            fn hang_up_when_silent(&mut self, now: Instant) {
                <$side>::hang_up_when_silent(self, now);
            }

            fn adopt(&mut self, limits: CallLimits, turns: BargeInPolicy, keypad: DtmfOptions) {
                *self = <$side>::new(limits, turns, keypad);
            }

            fn end_now(&mut self, reason: TimeoutReason) -> bool {
                <$side>::end_now(self, reason)
            }
        }
    };
}

caller_side!(Bridge<Bytes>);
caller_side!(RemoteAudio);
