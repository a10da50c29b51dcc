//! The DynamoDB table: everything that reads or writes it, in one module for each kind of item.
//!
//! [`Store`] has a method for each request, and no other crate makes one. The parts:
//!
//! - [`keys`]: the keys of all items; [`items`]: conversion between Rust types and items.
//! - [`StoredCall`]: the state item of a call, loaded and saved with optimistic locking; [`UnreadableCall`]: one that does not parse;
//!   [`Chosen`]: what the business's lookup decided about it.
//! - [`lease`]: the lease by which a media task registers itself; [`LaunchClaim`]: the right to launch a media task, limited in number.
//! - [`CallReport`], [`OtherNotice`]: notices of the webhook; tombstones: who is left out of them.
//! - [`StoredAgent`], [`NumberSettings`]: agent files, and the settings of a business number; names of dialled numbers.
//! - [`CallerCall`], [`BudgetedAction`]: what counts toward a caller's hourly limits.
//! - [`CallOwner`], [`CallOutcome`]: the spending and the summary of a call's owner; [`AudioLevels`]: the loudness of each side of a call.
//! - [`CallListing`], [`CallQuery`]: the list of calls, by number, day, user and reference.
//! - [`MessageClaim`]: the right to send a message to a caller, held by one process.
//! - [`LeftItem`]: a message or a request to be called back that a caller left.
//! - [`TransferClaim`]: the right to transfer a call, once.
//! - [`OutboxItem`]: an event for the business, and how far its delivery is.
//! - [`pseudonym`]: how a caller is identified without saying who they are.
//! - [`StoreError`]: why a request failed; `retry`: which writes are repeated, and when.

mod agents;
mod audio_levels;
mod budgets;
mod call_list;
mod caller_counts;
mod calls;
mod chosen;
mod dialled_numbers;
mod error;
mod extractions;
pub mod items;
mod journal_entries;
pub mod keys;
mod launches;
pub mod lease;
mod left;
mod linked_pseudonyms;
mod notices;
mod number_settings;
mod outbox;
pub mod pseudonym;
mod retry;
mod sent_messages;
mod spending;
mod stored_call;
mod summaries;
mod table;
mod tombstones;
mod transfers;
mod unreadable_calls;

pub use agents::StoredAgent;
pub use audio_levels::{AudioLevels, MOMENT_MS, Side};
pub use budgets::BudgetedAction;
pub use call_list::{CallListing, CallPage, CallQuery, TimeRange};
pub use caller_counts::CallerCall;
pub use calls::{LoadedCall, SaveError};
pub use chosen::Chosen;
pub use error::{ErrorKind, Result, StoreError};
pub use journal_entries::entry_item;
pub use launches::LaunchClaim;
pub use left::LeftItem;
pub use notices::{CallReport, NoticeOwner, OtherNotice, ReportedChange};
pub use number_settings::{Assigned, NumberSettings};
pub use outbox::{
    Delivery, OutboxClaim, OutboxEvent, OutboxItem, OutboxKey, OutboxKeyError, OutboxState, OutboxTry,
};
pub use sent_messages::MessageClaim;
pub use spending::{CallOutcome, CallOwner, DaySpent};
pub use stored_call::{CallerNames, HungUp, StoredCall, call_ref};
pub use table::{Key, Store, Written, key_of};
pub use tombstones::{tombstone_of_call, tombstone_of_person};
pub use transfers::TransferClaim;
pub use unreadable_calls::UnreadableCall;
