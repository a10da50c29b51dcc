//! The webhook's half: records what Meta tells us, each thing once, and says which calls to look at.
//!
//! What a batch tells of one call is one transaction with the call's state; anything else is one conditional put.

mod apart;
mod group;
mod meaning;
mod recording;
mod writing;

pub use group::{Group, groups};

use journal::Entry;
use std::time::Duration;

/// Which calls are answered, and for how long they may ring.
#[derive(Debug, Clone)]
pub struct House {
    /// The ids of the business numbers that are ours. Meta tells every app of an account about all of its numbers.
    pub numbers: Vec<String>,
    /// How long a call may ring before it is refused.
    pub ring_budget: Duration,
}

/// What came of taking in a group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    /// What was recorded of a call, for the log. Nothing, when it had been before.
    pub entries: Vec<Entry>,
    /// The call that call-control should look at now.
    pub tick: Option<String>,
}
