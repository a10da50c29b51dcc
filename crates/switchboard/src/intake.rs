//! The webhook's intake: records what Meta and OpenAI report, each notice once, and returns the calls that call-control must look at.
//!
//! A batch's notices of one call and the call's state are written in one transaction; any other notice is one conditional put. The records
//! are `store`'s, which knows nothing of Meta: here notices become such records.

mod failed_messages;
mod grouping;
mod journal_events;
mod other_notices;
mod recording;
mod sip;
mod tombstones;
mod unknown_numbers;

pub use failed_messages::SentMessages;
pub use grouping::{NoticeGroup, groups};
pub use other_notices::keeps_content;
pub use sip::TrunkCheck;
pub use tombstones::Tombstones;
pub use unknown_numbers::UnknownNumbers;

use call::{CallRef, NumberId};
use internal_api::order::Order;
use journal::JournalEntry;
use std::time::Duration;
use store::Store;
use whatsapp::Notice;

/// Records notices in the table.
#[derive(Debug, Clone)]
pub struct Intake {
    store: Store,
    settings: IntakeSettings,
}

impl Intake {
    /// Returns an intake into this table, with these settings.
    pub fn new(store: Store, settings: IntakeSettings) -> Self {
        Self { store, settings }
    }

    /// Groups the notices of a batch; see [`groups`].
    pub fn groups(
        &self,
        notices: Vec<Notice>,
        unknown_numbers: &UnknownNumbers,
        sent: &SentMessages,
        now_ms: u64,
    ) -> Vec<NoticeGroup> {
        groups(notices, &self.settings, unknown_numbers, sent, now_ms)
    }
}

/// Which calls are answered, and how long they may ring.
#[derive(Debug, Clone)]
pub struct IntakeSettings {
    /// The business numbers that we answer.
    pub numbers: KnownNumbers,
    /// How long a call may ring before it is rejected.
    pub ring_budget: Duration,
}

/// Which business numbers are ours. Meta sends every app of an account the notices of all its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownNumbers {
    /// The numbers with these ids.
    Listed(Vec<NumberId>),
    /// Every number whose settings name an agent.
    WithAgents,
}

/// The result of recording a group of notices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IntakeResult {
    /// The new journal entries, for the log; empty for a redelivery.
    pub entries: Vec<JournalEntry>,
    /// The call that call-control should tick now.
    pub tick: Option<CallRef>,
    /// Further orders for call-control.
    pub orders: Vec<Order>,
}
