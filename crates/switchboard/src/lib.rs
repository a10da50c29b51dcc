//! The call-control state machine's runner: loads a call, steps it, saves the call with its effects, performs them, and saves each outcome.
//!
//! [`Switchboard::handle`] is what call-control does with an order. It decides nothing itself: the `call` crate decides. The parts:
//!
//! - `assignment`: chooses the media task; [`control_api`]: sends requests to it; [`task_launcher`]: starts more tasks with `RunTask`.
//! - [`graph_actions`]: performs call actions at Meta's Graph API; `caller_message`: sends the messages that agents write to callers.
//! - [`openai_actions`]: performs call actions of the SIP line at OpenAI; `transfer`: transfers a call to its agent's one target.
//! - `handled_call`: a call while one invocation handles it, with its agent and the lease of its task, each read once.
//! - `lookup`: carries out what the business's lookup decided about a call.
//! - `transitions`: journal events of a change of state; `call_listing`: the list of calls by day, number and caller.
//! - `outcome`: what the business learns of a call that ends.
//! - `admission`: opening hours, spending and call caps; `unreadable_calls`: ends and sets aside calls whose item cannot be read.
//! - [`intake`]: the webhook's half, which records what Meta reports.

mod admission;
mod assignment;
mod call_listing;
mod caller_message;
pub mod control_api;
mod ending_message;
pub mod graph_actions;
mod handled_call;
pub mod intake;
mod linked_names;
mod lookup;
mod meta_endings;
pub mod openai_actions;
mod outcome;
mod perform;
mod resolved_agent;
mod secrets;
mod switchboard;
pub mod task_launcher;
mod transfer;
mod transitions;
mod unassigned_calls;
mod unreadable_calls;

pub use resolved_agent::ResolvedAgent;
pub use secrets::{ControlApiSecret, GraphSecret};
pub use switchboard::Switchboard;
