//! Carries calls from step to step: load → step → save call and effects → perform → save the outcome.
//!
//! [`Switchboard::handle`] is what call-control does with an order. It decides nothing itself: the `call`
//! crate decides, this one remembers ([`store`]), looks for tasks ([`registry`]), knocks at their doors
//! ([`door`]), starts more of them ([`launch`]) and speaks to Meta ([`meta`]).
//! [`intake`] is the webhook's half: it records what Meta tells us.

pub mod door;
pub mod intake;
mod items;
pub mod launch;
pub mod meta;
mod perform;
mod record;
pub mod registry;
pub mod store;
mod switchboard;

pub use record::{HungUp, Record, call_ref};
pub use registry::Registry;
pub use store::Store;
pub use switchboard::Switchboard;
