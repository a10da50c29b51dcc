//! The state machine of a call: decides what happens next, without a runtime, a clock or a socket (sans-IO).
//!
//! [`step`] takes a [`Call`], a [`CallEvent`] and the time, and returns the call and the [`Effect`]s to perform. Effects are saved with the
//! call before they are performed: if a process dies in between, the next [`CallEvent::Tick`] returns them again.

mod assignment;
mod call;
mod caller_details;
mod ending;
mod event;
mod fencing_token;
mod ids;
mod line;
mod phase;
mod recorded;
mod step;
#[cfg(test)]
mod step_properties;
mod timestamp;

pub use assignment::Assignment;
pub use call::{AnswerAttempt, Call};
pub use caller_details::CallerDetails;
pub use ending::{Ending, Party};
pub use event::{CallEvent, Effect};
pub use fencing_token::Fence;
pub use ids::{CallRef, NumberId, TaskId};
pub use line::Line;
pub use phase::{Phase, Stage};
pub use recorded::Recorded;
pub use step::step;
pub use timestamp::Timestamp;
