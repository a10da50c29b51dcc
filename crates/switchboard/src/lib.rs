//! Carries calls from step to step: load → step → save call and effects → perform → save the outcome.
//!
//! [`Switchboard::handle`] is what call-control does with an order. It decides nothing itself: the `call`
//! crate decides, this one remembers ([`store`]), looks for tasks (`assignments`), knocks at their doors ([`door`]), starts more
//! of them ([`launch`]), writes down what happened (`news`), puts calls into the list by which people find them (`listing`),
//! speaks to Meta ([`meta`]), sends callers what agents write (`message`) and sets calls aside that it cannot read (`poisoned`).
//! [`intake`] is the webhook's half: it records what Meta tells us.

mod admission;
mod assignment;
mod call_listing;
pub mod call_store;
mod caller_message;
pub mod control_api;
pub mod graph_actions;
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
pub use stored_call::{AssignmentToken, HungUp, StoredCall, call_ref};
pub use switchboard::Switchboard;
pub use unreadable_calls::UnreadableCalls;
