//! The webhook's half: records what Meta tells us, each thing once, and says which calls to look at.
//!
//! What a batch tells of one call is one transaction with the call's state; anything else is one conditional put.

mod conditional_write;
mod failed_messages;
mod grouping;
mod journal_events;
mod other_notices;
mod recording;
mod tombstones;
mod unknown_numbers;

pub use failed_messages::SentMessages;
pub use grouping::{NoticeGroup, groups};
pub use other_notices::keeps_content;
pub use tombstones::Tombstones;
pub use unknown_numbers::UnknownNumbers;

use internal_api::order::Order;
use journal::JournalEntry;
use std::time::Duration;

/// Which calls are answered, and for how long they may ring.
#[derive(Debug, Clone)]
pub struct IntakeSettings {
    /// Which business numbers are ours.
    pub numbers: KnownNumbers,
    /// How long a call may ring before it is refused.
    pub ring_budget: Duration,
}

/// Which business numbers are ours. Meta tells every app of an account about all of its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownNumbers {
    /// Those with these ids.
    Listed(Vec<String>),
    /// Those whose settings name an agent.
    WithAgents,
}

/// What came of taking in a group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IntakeResult {
    /// What was recorded of a call, for the log. Nothing, when it had been before.
    pub entries: Vec<JournalEntry>,
    /// The call that call-control should look at now.
    pub tick: Option<String>,
    /// What else call-control has to hear.
    pub orders: Vec<Order>,
}
