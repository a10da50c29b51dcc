//! What functions and media tasks share: the one table, and the way to call-control.
//!
//! - [`Ledger`]: which calls are due, which media tasks there are, and the journals of calls.
//! - [`CallControl`]: orders to call-control, and its replies.
//! - [`StoredAgent`], [`NumberSettings`]: the agents that were pushed, and what is set for one business number.
//! - [`CallerCall`]: a call that counts among its caller's.
//! - [`Spender`], [`Conclusion`]: what the owner of a call spends, and what it leaves of it.
//! - [`Action`]: what is done for a caller, and has a budget.
//! - [`Listed`], [`Calls`]: the list of calls, by number, day, user and name.
//! - [`Levels`]: how loud each side of a call was.
//! - [`Claim`]: who may send a message to a caller.
//! - [`Claimed`]: a place for a media task that is started.
//! - [`Refusal`]: why DynamoDB did not write.
//! - [`all`]: what a query finds.
//! - [`items`]: between our types and DynamoDB's items.

mod agents;
mod budgets;
mod calls;
mod control;
mod counts;
pub mod items;
mod launches;
mod levels;
mod marks;
mod number;
mod refusal;
mod sent;
mod spending;
mod summaries;
mod table;

pub use agents::StoredAgent;
pub use budgets::Action;
pub use calls::{Calls, Listed, Stretch};
pub use control::{CallControl, ProcessFailed};
pub use counts::CallerCall;
pub use launches::Claimed;
pub use levels::{Levels, MOMENT_MS, Side};
pub use number::{Assigned, NumberSettings};
pub use refusal::Refusal;
pub use sent::Claim;
pub use spending::{Conclusion, DaySpent, Miscounted, Spender};
pub use table::{Ledger, all};
