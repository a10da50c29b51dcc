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
mod audio_levels;
mod budgets;
mod call_control;
mod call_list;
mod caller_counts;
pub mod items;
mod launches;
mod linked_pseudonyms;
mod number_settings;
mod sent_messages;
mod spending;
mod summaries;
mod table;
mod write_error;

pub use agents::StoredAgent;
pub use audio_levels::{AudioLevels, MOMENT_MS, Side};
pub use budgets::BudgetedAction;
pub use call_control::{CallControl, ProcessFailed};
pub use call_list::{CallListing, CallQuery, TimeRange};
pub use caller_counts::CallerCall;
pub use launches::LaunchClaim;
pub use number_settings::{Assigned, NumberSettings};
pub use sent_messages::MessageClaim;
pub use spending::{CallOutcome, CallOwner, DaySpent, SpendingConflict};
pub use table::{Store, all};
pub use write_error::WriteError;
