//! What a media task writes into the registry, so that it can be found.

use crate::keys;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a lease holds when nobody renews it.
pub const HOLDS: Duration = Duration::from_secs(15);

/// How often a task renews it, and ticks the calls that are due.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

/// A media task in the registry. A lapsed lease only stops new claims: its calls go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// `TASK#<task>`.
    pub pk: String,
    /// [`keys::LEASE`].
    pub sk: String,
    /// [`keys::READY`] while the task takes calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gsi1pk: Option<String>,
    /// Slots used, sortable: calls go to the fullest task that has room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gsi1sk: Option<String>,
    /// The task's id: the last part of its ARN.
    pub task: String,
    /// Where its door is: `host:port`.
    pub door: String,
    /// Hex SHA-256 of the door's certificate: call-control trusts this one and no other.
    pub pin: String,
    /// The revision of the task definition it runs.
    pub revision: String,
    /// How many calls it can take.
    pub slots: u64,
    /// How many it has.
    pub used: u64,
    /// When the lease lapses, ms since 1970.
    pub until_ms: u64,
    /// When DynamoDB may forget it, seconds since 1970.
    pub ttl: u64,
}

impl Lease {
    /// Whether it may be given a call at `now_ms`.
    pub fn takes_calls(&self, now_ms: u64) -> bool {
        self.gsi1pk.as_deref() == Some(keys::READY) && self.is_current(now_ms) && self.used < self.slots
    }

    /// Whether it holds at `now_ms`.
    pub fn is_current(&self, now_ms: u64) -> bool {
        self.until_ms > now_ms
    }

    /// Whether its task runs a later revision than `revision`. Revisions that are no numbers are never later.
    pub fn is_newer_than(&self, revision: &str) -> bool {
        let number = |revision: &str| revision.parse::<u64>().ok();
        number(&self.revision).zip(number(revision)).is_some_and(|(ours, theirs)| ours > theirs)
    }

    /// Whether more than 80 % of its slots are used.
    pub fn is_crowded(&self) -> bool {
        self.used * 5 >= self.slots * 4
    }
}
