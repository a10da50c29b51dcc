//! The lease of a media task: its entry in the registry, renewed with each heartbeat; and the requests for leases.

use crate::error::{Context, Result};
use crate::items::{from_item, to_item};
use crate::table::all;
use crate::{Store, keys};
use call::{Line, Recorded, TaskId};
use futures_util::future::try_join_all;
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
    pub task: TaskId,
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
    /// The lines besides WhatsApp whose calls the task takes. Tasks of older releases name none, and [`Store::ready_tasks`] returns none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Recorded<Line>>,
    /// When the lease expires, ms since 1970.
    pub until_ms: u64,
    /// When DynamoDB may delete the item (TTL), seconds since 1970.
    pub ttl: u64,
}

impl Lease {
    /// Returns the lease of a task that takes calls and holds none yet, renewed at `now_ms`.
    pub fn new(task: &TaskId, door: &str, pin: &str, revision: &str, slots: u64, now_ms: u64) -> Self {
        Self {
            pk: keys::task(task),
            sk: keys::LEASE.to_owned(),
            gsi1pk: Some(keys::READY.to_owned()),
            gsi1sk: Some(keys::sortable(0)),
            task: task.clone(),
            door: door.to_owned(),
            pin: pin.to_owned(),
            revision: revision.to_owned(),
            slots,
            used: 0,
            returns_tokens: true,
            lines: vec![],
            until_ms: now_ms + HOLDS.as_millis() as u64,
            ttl: keys::forget_at(now_ms),
        }
    }

    /// Returns the lease with this many slots used.
    #[must_use]
    pub fn using(self, used: u64) -> Self {
        Self { gsi1sk: Some(keys::sortable(used)), used, ..self }
    }

    /// Returns the lease of a task that takes calls of these lines, too.
    #[must_use]
    pub fn serving(self, lines: &[Line]) -> Self {
        Self { lines: lines.iter().copied().map(Recorded::Known).collect(), ..self }
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

    /// Whether the task may be assigned a call of this line at `now_ms`. Only WhatsApp calls are bounded by slots here: the task has its own
    /// bound for others.
    pub fn takes_calls_of(&self, line: Line, now_ms: u64) -> bool {
        let is_ready = self.gsi1pk.as_deref() == Some(keys::READY) && self.is_current(now_ms);
        if line.is_default() { self.takes_calls(now_ms) } else { is_ready && self.serves(line) }
    }

    /// Whether the task takes calls of this line.
    pub fn serves(&self, line: Line) -> bool {
        line.is_default() || self.lines.contains(&Recorded::Known(line))
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

impl Store {
    /// Returns the leases of media tasks that take calls, expired ones included.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn ready_tasks(&self) -> Result<Vec<Lease>> {
        let query = self.index(keys::READY).key_condition_expression("#pk = :pk");
        let items = all(query).await.context("cannot query the ready media tasks")?;
        // A lease that cannot be read, of a newer release for example, must not hide the others.
        Ok(items.into_iter().filter_map(|item| from_item(item).ok()).collect())
    }

    /// Returns the leases of media tasks that take calls, with the lines that they serve.
    ///
    /// The index projects no lines, and what an index projects cannot be changed where it exists: each lease is read by itself.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn ready_tasks_with_lines(&self) -> Result<Vec<Lease>> {
        let ready = self.ready_tasks().await?;
        let leases = try_join_all(ready.iter().map(|listed| self.lease(&listed.task))).await?;
        Ok(leases.into_iter().flatten().collect())
    }

    /// Returns the leases of all media tasks, those that take no calls included.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn tasks(&self) -> Result<Vec<Lease>> {
        let closed = self.index(keys::CLOSED).key_condition_expression("#pk = :pk");
        let (mut tasks, closed) = tokio::try_join!(self.ready_tasks(), async {
            all(closed).await.context("cannot query the closed media tasks")
        })?;
        tasks.extend(closed.into_iter().filter_map(|item| from_item(item).ok()));
        Ok(tasks)
    }

    /// Returns the lease of a media task, if it has one.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn lease(&self, task: &TaskId) -> Result<Option<Lease>> {
        let item = self.item(&keys::task(task), keys::LEASE).await;
        let item = item.context("cannot read a media task's lease")?;
        item.map(|item| from_item(item).context("cannot parse a media task's lease")).transpose()
    }

    /// Writes the lease of a media task, which only that task does.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn renew(&self, lease: &Lease) -> Result<()> {
        self.put(to_item(lease)).await.context("cannot write a media task's lease")
    }

    /// Deletes the lease of a media task.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn delete_lease(&self, task: &TaskId) -> Result<()> {
        let delete = self.delete_of(keys::task(task), keys::LEASE);
        delete.send().await.context("cannot delete a media task's lease")?;
        Ok(())
    }
}
