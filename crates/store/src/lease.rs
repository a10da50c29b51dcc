//! The lease of a media task: its entry in the registry, renewed with each heartbeat.

use crate::keys;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a lease is valid without renewal.
pub const HOLDS: Duration = Duration::from_secs(15);

/// The heartbeat interval: a task renews its lease and ticks the calls that are due.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

/// The registry entry of a media task. An expired lease only stops new assignments: the task's calls continue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// `TASK#<task>`.
    pub pk: String,
    /// [`keys::LEASE`].
    pub sk: String,
    /// [`keys::READY`] while the task takes calls, [`keys::CLOSED`] while it does not. Tasks of earlier releases that take no calls are in
    /// no partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gsi1pk: Option<String>,
    /// Slots used, sortable: a call goes to the fullest task with a free slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gsi1sk: Option<String>,
    /// The task's id: the last part of its ARN.
    pub task: String,
    /// The address of its control API: `host:port`.
    pub door: String,
    /// Hex SHA-256 of the control API's certificate, the only one that call-control trusts (certificate pinning).
    pub pin: String,
    /// The revision of its task definition.
    pub revision: String,
    /// How many calls it can hold.
    pub slots: u64,
    /// How many calls it holds.
    pub used: u64,
    /// Whether its orders carry the token of their assignment, which call-control then requires. Tasks of older releases do not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returns_tokens: bool,
    /// When the lease expires, ms since 1970.
    pub until_ms: u64,
    /// When DynamoDB may delete the item (TTL), seconds since 1970.
    pub ttl: u64,
}

impl Lease {
    /// Returns the lease of a task that takes calls and holds none yet, renewed at `now_ms`.
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

    /// Returns the lease with this many slots used.
    #[must_use]
    pub fn using(self, used: u64) -> Self {
        Self { gsi1sk: Some(keys::sortable(used)), used, ..self }
    }

    /// Returns the lease of a task that takes no calls.
    #[must_use]
    pub fn closed(self) -> Self {
        Self { gsi1pk: Some(keys::CLOSED.to_owned()), ..self }
    }

    /// Whether the task may be assigned a call at `now_ms`.
    pub fn takes_calls(&self, now_ms: u64) -> bool {
        self.gsi1pk.as_deref() == Some(keys::READY) && self.is_current(now_ms) && self.used < self.slots
    }

    /// Whether the lease is valid at `now_ms`.
    pub fn is_current(&self, now_ms: u64) -> bool {
        self.until_ms > now_ms
    }

    /// Whether the task runs a later revision than `revision`. A revision that is not a number is never later.
    pub fn is_newer_than(&self, revision: &str) -> bool {
        let number = |revision: &str| revision.parse::<u64>().ok();
        number(&self.revision).zip(number(revision)).is_some_and(|(ours, theirs)| ours > theirs)
    }

    /// Whether 80 % of the slots, or more, are used.
    pub fn is_crowded(&self) -> bool {
        self.used * 5 >= self.slots * 4
    }
}
