//! The DynamoDB table: everything that reads or writes it, in one module for each kind of item.
//!
//! - [`Store`]: due calls, leases of media tasks, and the journals of calls.
//! - [`keys`]: the keys of all items.
//! - [`lease`]: the lease by which a media task registers itself.
//! - [`pseudonym`]: how a caller is identified without saying who they are.
//! - [`StoredAgent`], [`NumberSettings`]: agent files, and the settings of a business number.
//! - [`CallerCall`]: a call that counts toward its caller's hourly limit.
//! - [`CallOwner`], [`CallOutcome`]: the spending and the summary of a call's owner.
//! - [`BudgetedAction`]: an action for a caller that has an hourly limit.
//! - [`CallListing`], [`CallQuery`]: the list of calls, by number, day, user and reference.
//! - [`AudioLevels`]: the loudness of each side of a call.
//! - [`MessageClaim`]: the right to send a message to a caller, held by one process.
//! - [`LaunchClaim`]: the right to launch a media task, limited in number.
//! - [`WriteError`]: why DynamoDB refused a write.
//! - [`all`]: the items of all pages of a query.
//! - [`items`]: conversion between Rust types and items.

mod agents;
mod audio_levels;
mod budgets;
mod call_list;
mod caller_counts;
pub mod items;
pub mod keys;
mod launches;
pub mod lease;
mod linked_pseudonyms;
mod number_settings;
pub mod pseudonym;
mod sent_messages;
mod spending;
mod summaries;
mod table;
mod write_error;

pub use agents::StoredAgent;
pub use audio_levels::{AudioLevels, MOMENT_MS, Side};
pub use budgets::BudgetedAction;
pub use call_list::{CallListing, CallQuery, TimeRange};
pub use caller_counts::CallerCall;
pub use launches::LaunchClaim;
pub use number_settings::{Assigned, NumberSettings};
pub use sent_messages::MessageClaim;
pub use spending::{CallOutcome, CallOwner, DaySpent, SpendingConflict};
pub use table::{Store, all};
pub use write_error::WriteError;
