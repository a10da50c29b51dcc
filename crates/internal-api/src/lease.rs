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
    /// [`keys::READY`] while the task takes calls, [`keys::CLOSED`] while it takes none. Tasks of earlier releases that take none
    /// are in no partition.
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
    /// Whether its orders have the token of their assignment: call-control demands it then. A task of an older release does not say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returns_tokens: bool,
    /// When the lease lapses, ms since 1970.
    pub until_ms: u64,
    /// When DynamoDB may forget it, seconds since 1970.
    pub ttl: u64,
}

impl Lease {
    /// The lease of a task that takes calls and has none yet, renewed at `now_ms`.
    pub fn new(task: &str, door: &str, pin: &str, revision: &str, slots: u64, now_ms: u64) -> Self {
        Self {
            pk: keys::task(task),
            sk: keys::LEASE.to_owned(),
            gsi1pk: Some(keys::READY.to_owned()),
            gsi1sk: Some(keys::sortable(0)),
            task: task.to_owned(),
            door: door.to_owned(),
            pin: pin.to_owned(),
            revision: revision.to_owned(),
            slots,
            used: 0,
            returns_tokens: true,
            until_ms: now_ms + HOLDS.as_millis() as u64,
            ttl: keys::forget_at(now_ms),
        }
    }

    /// The same, with so many calls.
    #[must_use]
    pub fn using(self, used: u64) -> Self {
        Self { gsi1sk: Some(keys::sortable(used)), used, ..self }
    }

    /// The same of a task that takes no calls.
    #[must_use]
    pub fn closed(self) -> Self {
        Self { gsi1pk: Some(keys::CLOSED.to_owned()), ..self }
    }

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
