//! Carries calls from step to step: load → step → save call and effects → perform → save the outcome.
//!
//! [`Switchboard::handle`] is what call-control does with an order. It decides nothing itself: the `call`
//! crate decides, this one remembers ([`store`]), looks for tasks (`seats`), knocks at their doors ([`door`]), starts more
//! of them ([`launch`]), writes down what happened (`news`), puts calls into the list by which people find them (`listing`),
//! speaks to Meta ([`meta`]), sends callers what agents write (`message`) and sets calls aside that it cannot read (`poisoned`).
//! [`intake`] is the webhook's half: it records what Meta tells us.

mod appointed;
pub mod door;
pub mod intake;
pub mod launch;
mod listing;
mod message;
pub mod meta;
mod names;
mod news;
mod over;
mod perform;
mod poisoned;
mod record;
mod seats;
mod secrets;
pub mod store;
mod switchboard;
mod turning_away;

pub use appointed::Appointed;
pub use poisoned::Poisoned;
pub use record::{HungUp, Record, SeatToken, call_ref};
pub use secrets::{DoorSecret, MetaSecret};
pub use store::Store;
pub use switchboard::Switchboard;
