//! What functions and media tasks share: the one table, and the way to call-control.
//!
//! - [`Ledger`]: which calls are due, which media tasks there are, and the journals of calls.
//! - [`CallControl`]: orders to call-control, and its replies.
//! - [`NumberSettings`]: what is set for one business number.
//! - [`items`]: between our types and DynamoDB's items.

mod control;
pub mod items;
mod number;
mod table;

pub use control::CallControl;
pub use number::NumberSettings;
pub use table::Ledger;
