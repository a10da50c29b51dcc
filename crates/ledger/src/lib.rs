//! What functions and media tasks share: the one table, and the way to call-control.
//!
//! - [`Ledger`]: which calls are due, which media tasks there are, and the journals of calls.
//! - [`CallControl`]: orders to call-control, and its replies.
//! - [`StoredAgent`], [`NumberSettings`]: the agents that were pushed, and what is set for one business number.
//! - [`CallerCall`]: a call that counts among its caller's.
//! - [`Claim`]: who may send a message to a caller.
//! - [`items`]: between our types and DynamoDB's items.

mod agents;
mod control;
mod counts;
pub mod items;
mod number;
mod sent;
mod table;

pub use agents::StoredAgent;
pub use control::CallControl;
pub use counts::CallerCall;
pub use number::{Assigned, NumberSettings};
pub use sent::Claim;
pub use table::Ledger;
