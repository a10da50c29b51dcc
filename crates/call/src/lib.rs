//! What a call may do next. Sans-IO: no runtime, no clock, no socket; time is an argument.
//!
//! [`step`] takes a [`Call`], an [`Event`] and the time, and gives back the call and the [`Effect`]s to
//! perform. Effects are saved with the call before anybody performs them, so that whoever dies in
//! between, the next [`Event::Tick`] asks for them again.

mod call;
mod ending;
mod event;
mod step;
#[cfg(test)]
mod step_properties;
mod timestamp;

pub use call::{AnswerAttempt, Assignment, Call, Phase};
pub use ending::{Ending, Party};
pub use event::{CallEvent, Effect};
pub use step::step;
pub use timestamp::Timestamp;
