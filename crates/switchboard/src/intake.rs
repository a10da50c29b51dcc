//! The webhook's half: records what Meta tells us, each thing once, and says which calls to look at.
//!
//! What a batch tells of one call is one transaction with the call's state; anything else is one conditional put.

mod apart;
mod failed;
mod forgotten;
mod group;
mod meaning;
mod recording;
mod strangers;
mod writing;

pub use apart::keeps_content;
pub use failed::Sent;
pub use forgotten::Forgotten;
pub use group::{Group, groups};
pub use strangers::Strangers;

use journal::Entry;
use protocol::order::Order;
use std::time::Duration;

/// Which calls are answered, and for how long they may ring.
#[derive(Debug, Clone)]
pub struct House {
    /// Which business numbers are ours.
    pub numbers: Numbers,
    /// How long a call may ring before it is refused.
    pub ring_budget: Duration,
}

/// Which business numbers are ours. Meta tells every app of an account about all of its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbers {
    /// Those with these ids.
    Listed(Vec<String>),
    /// Those whose settings name an agent.
    WithAgents,
}

/// What came of taking in a group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    /// What was recorded of a call, for the log. Nothing, when it had been before.
    pub entries: Vec<Entry>,
    /// The call that call-control should look at now.
    pub tick: Option<String>,
    /// What else call-control has to hear.
    pub orders: Vec<Order>,
}
