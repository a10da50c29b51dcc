//! The call-control state machine's runner: loads a call, steps it, saves the call with its effects, performs them, and saves each outcome.
//!
//! [`Switchboard::handle`] is what call-control does with an order. It decides nothing itself: the `call` crate decides. The parts:
//!
//! - [`call_store`]: the state item of a call in DynamoDB, saved with optimistic locking (`version`).
//! - `assignment`: chooses the media task; [`control_api`]: sends requests to it; [`task_launcher`]: starts more tasks with `RunTask`.
//! - [`graph_actions`]: performs call actions at Meta's Graph API; `caller_message`: sends the messages that agents write to callers.
//! - `handled_call`: a call while one invocation handles it, with its agent and the lease of its task, each read once.
//! - `transitions`: journal events of a change of state; `call_listing`: the list of calls by day, number and caller.
//! - `admission`: opening hours, spending and call caps; `unreadable_calls`: ends and sets aside calls whose item cannot be read.
//! - [`intake`]: the webhook's half, which records what Meta reports.

mod admission;
mod assignment;
mod call_listing;
pub mod call_store;
mod caller_message;
pub mod control_api;
pub mod graph_actions;
mod handled_call;
pub mod intake;
mod linked_names;
mod meta_endings;
mod perform;
mod resolved_agent;
mod secrets;
mod stored_call;
mod switchboard;
pub mod task_launcher;
mod transitions;
mod unreadable_calls;

pub use call_store::CallStore;
pub use resolved_agent::ResolvedAgent;
pub use secrets::{ControlApiSecret, GraphSecret};
pub use stored_call::{HungUp, StoredCall, call_ref};
pub use switchboard::Switchboard;
pub use unreadable_calls::UnreadableCalls;
