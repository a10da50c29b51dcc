//! Launch slots: limit how many media tasks are started at once, however many callers ring.
//!
//! A slot is held until its task stops: at first for a fixed time, then while the task is in the registry, taking calls or not. Tasks
//! without a slot, those of the ECS service, reduce the number of slots.

use crate::Store;
use crate::error::{Context, Result};
use crate::items::{Item, from_item, number, text};
use crate::keys;
use crate::table::all;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use call::{CallRef, TaskId};
use serde::Deserialize;
use std::collections::HashSet;
use std::time::Duration;

/// How long a slot is held for a task that is not in the registry yet. Most register within a minute; Fargate can take several.
const LAUNCH_TIMEOUT: Duration = Duration::from_secs(300);

/// How many slots are tried. Where there are more, it is unlikely that all of these are taken.
const MAX_TRIES: usize = 8;

#[derive(Debug, Clone, Deserialize)]
struct LaunchSlot {
    sk: String,
    call_ref: CallRef,
    until_ms: u64,
    /// The id of the launched task, once it is known.
    #[serde(default)]
    task: Option<TaskId>,
    /// How often ECS refused to start a task for the call.
    #[serde(default)]
    refusals: u32,
}

/// A launch slot that a call has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchClaim {
    /// The number of the slot, from 0.
    pub slot: u32,
    /// The task that was already launched for the call, if it is known.
    pub task: Option<TaskId>,
    /// How often ECS refused to start one.
    pub refusals: u32,
    /// When the slot expires, which tells this claim from a later one.
    until_ms: u64,
}

impl Store {
    /// Claims a free slot for a call, where at most `most` tasks may run; a repeated claim of the call returns the same slot. `None`: as
    /// many tasks run as may, or soon will.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn claim_launch(
        &self,
        most: u32,
        call_ref: &CallRef,
        now_ms: u64,
    ) -> Result<Option<LaunchClaim>> {
        let (leases, slots) = tokio::try_join!(self.tasks(), self.launches())?;
        let current = leases.into_iter().filter(|lease| lease.is_current(now_ms));
        let tasks: HashSet<TaskId> = current.map(|lease| lease.task).collect();
        for slot in claimable(most, &tasks, &slots, call_ref, now_ms) {
            if let Some(claimed) = self.claim_slot(slot, &slots, call_ref, now_ms).await? {
                return Ok(Some(claimed));
            }
        }
        Ok(None)
    }

    /// Records which task was launched for a slot: the slot is held while the task is in the registry.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn note_launch(&self, slot: u32, call_ref: &CallRef, task: &TaskId, now_ms: u64) -> Result<()> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(item(slot, call_ref, now_ms))).item("task", text(task.as_str()));
        let put = put
            .condition_expression("#call = :call")
            .expression_attribute_names("#call", "call_ref")
            .expression_attribute_values(":call", text(call_ref.as_str()));
        put.send().await.context("cannot record a launched media task")?;
        Ok(())
    }

    /// Counts that ECS refused to start a task for a claim, so that the next request has a new client token. Returns whether it was
    /// counted: if not, another process has continued with the call.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn note_launch_refused(&self, claimed: &mut LaunchClaim, call_ref: &CallRef) -> Result<bool> {
        let more = claimed.refusals + 1;
        let update = self.update_claimed(claimed, call_ref).update_expression("SET #refusals = :refusals");
        let update = update
            .expression_attribute_names("#refusals", "refusals")
            .expression_attribute_values(":refusals", number(more.into()));
        let counted = update.send().await.if_condition_holds("cannot count a refused launch")?;
        claimed.refusals = more;
        Ok(counted.is_some())
    }

    /// Releases a slot for which no task was launched, unless it was claimed again. The count of refusals is kept until another call claims
    /// the slot.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn release_launch(&self, claimed: &LaunchClaim, call_ref: &CallRef, now_ms: u64) -> Result<()> {
        let update = self.update_claimed(claimed, call_ref).update_expression("SET #until = :now");
        let update = update.expression_attribute_values(":now", number(now_ms));
        update.send().await.if_condition_holds("cannot release a launch slot")?;
        Ok(())
    }

    /// Releases the slot of a task that has stopped, if it had one.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn release_launch_of(&self, task: &TaskId) -> Result<()> {
        for slot in self.launches().await? {
            if slot.task.as_ref() == Some(task) {
                self.delete_slot(&slot.sk, task).await?;
            }
        }
        Ok(())
    }

    /// Deletes a slot, unless another task has it by now.
    async fn delete_slot(&self, sk: &str, task: &TaskId) -> Result<()> {
        let delete = self.delete_of(keys::LAUNCHES, sk);
        let delete = delete
            .condition_expression("#task = :task")
            .expression_attribute_names("#task", "task")
            .expression_attribute_values(":task", text(task.as_str()));
        delete.send().await.if_condition_holds("cannot release a launch slot")?;
        Ok(())
    }

    /// Returns an update of a slot that is still held by this claim and has no task.
    fn update_claimed(&self, claimed: &LaunchClaim, call_ref: &CallRef) -> UpdateItemFluentBuilder {
        let update = self.update_of(keys::LAUNCHES, keys::launch(claimed.slot));
        update
            .condition_expression("#call = :call AND #until = :claimed AND attribute_not_exists(#task)")
            .expression_attribute_names("#call", "call_ref")
            .expression_attribute_values(":call", text(call_ref.as_str()))
            .expression_attribute_names("#until", "until_ms")
            .expression_attribute_values(":claimed", number(claimed.until_ms))
            .expression_attribute_names("#task", "task")
    }

    async fn launches(&self) -> Result<Vec<LaunchSlot>> {
        let query =
            self.partition(keys::LAUNCHES).key_condition_expression("#pk = :pk").consistent_read(true);
        let items = all(query).await.context("cannot read the launch slots")?;
        items.into_iter().map(|item| from_item(item).context("cannot parse a launch slot")).collect()
    }

    /// Claims one slot. The call's own slot keeps its task and its refusals; a free slot takes over the refusals of the call's expired one.
    async fn claim_slot(
        &self,
        slot: u32,
        slots: &[LaunchSlot],
        call_ref: &CallRef,
        now_ms: u64,
    ) -> Result<Option<LaunchClaim>> {
        let sk = keys::launch(slot);
        let own = slots.iter().find(|known| known.call_ref == *call_ref);
        if own.is_some_and(|own| own.sk == sk) {
            return self.claim_again(slot, call_ref, now_ms).await;
        }
        let refusals = own.map(|own| own.refusals).unwrap_or_default();
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(item(slot, call_ref, now_ms))).item("refusals", number(refusals.into()));
        let put = put
            .condition_expression("attribute_not_exists(#until) OR #until <= :now")
            .expression_attribute_names("#until", "until_ms")
            .expression_attribute_values(":now", number(now_ms));
        let claimed = put.send().await.if_condition_holds("cannot claim a launch slot")?;
        Ok(claimed.map(|_| LaunchClaim { slot, task: None, refusals, until_ms: until(now_ms) }))
    }

    async fn claim_again(&self, slot: u32, call_ref: &CallRef, now_ms: u64) -> Result<Option<LaunchClaim>> {
        let update = self.update_of(keys::LAUNCHES, keys::launch(slot));
        let update = update
            .update_expression("SET #until = :until, #ttl = :ttl")
            .condition_expression("#call = :call")
            .expression_attribute_names("#call", "call_ref")
            .expression_attribute_values(":call", text(call_ref.as_str()))
            .expression_attribute_names("#until", "until_ms")
            .expression_attribute_values(":until", number(until(now_ms)))
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":ttl", number(until(now_ms) / 1_000))
            .return_values(ReturnValue::AllNew);
        let updated = update.send().await.if_condition_holds("cannot claim a launch slot")?;
        let Some(updated) = updated else { return Ok(None) };
        let LaunchSlot { task, refusals, until_ms, .. } =
            from_item(updated.attributes.unwrap_or_default()).context("cannot parse a launch slot")?;
        Ok(Some(LaunchClaim { slot, task, refusals, until_ms }))
    }
}

fn until(now_ms: u64) -> u64 {
    now_ms + LAUNCH_TIMEOUT.as_millis() as u64
}

fn item(slot: u32, call_ref: &CallRef, now_ms: u64) -> Item {
    let until_ms = until(now_ms);
    [
        ("pk", text(keys::LAUNCHES)),
        ("sk", text(keys::launch(slot))),
        ("call_ref", text(call_ref.as_str())),
        ("until_ms", number(until_ms)),
        (keys::TTL, number(until_ms / 1_000)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Returns the slots to try, in order: the call's own where it has one, else free ones, starting at one that depends on the call, so that
/// concurrent calls seldom try the same.
fn claimable(
    most: u32,
    tasks: &HashSet<TaskId>,
    slots: &[LaunchSlot],
    call_ref: &CallRef,
    now_ms: u64,
) -> Vec<u32> {
    let is_registered = |slot: &LaunchSlot| slot.task.as_ref().is_some_and(|task| tasks.contains(task));
    let held: Vec<&LaunchSlot> =
        slots.iter().filter(|slot| slot.until_ms > now_ms || is_registered(slot)).collect();
    if let Some(own) = held.iter().find(|slot| slot.call_ref == *call_ref) {
        return keys::launched(&own.sk).into_iter().collect();
    }
    let launched = held.iter().filter(|slot| is_registered(slot)).count();
    let left = most.saturating_sub(u32::try_from(tasks.len() - launched).unwrap_or(u32::MAX));
    let vacant = usize::try_from(left).unwrap_or(usize::MAX).saturating_sub(held.len());
    let numbers: HashSet<u32> = held.iter().filter_map(|slot| keys::launched(&slot.sk)).collect();
    // Where a held slot lies outside the range, all calls must try the same ones, or more are claimed than are vacant.
    let is_crowded = numbers.iter().any(|number| *number >= left);
    let first_slot = if is_crowded { 0 } else { first_slot(left, call_ref) };
    let free = (first_slot..left).chain(0..first_slot).filter(|number| !numbers.contains(number));
    free.take(MAX_TRIES.min(vacant)).collect()
}

/// Returns the slot to start at: a call's reference is as good as random.
fn first_slot(left: u32, call_ref: &CallRef) -> u32 {
    let beginning = call_ref.as_str().get(..8).and_then(|beginning| u32::from_str_radix(beginning, 16).ok());
    beginning.unwrap_or_default().checked_rem(left).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000;

    #[test]
    fn a_task_and_its_launch_slot_count_once() {
        let slots = [slot(0, "a", NOW + 1, Some("started"))];

        assert_eq!(claimable(2, &tasks(&["started"]), &slots, &"b".into(), NOW), [1]);
        assert_eq!(claimable(2, &tasks(&["started", "service"]), &slots, &"b".into(), NOW), [0; 0]);
    }

    #[test]
    fn a_slot_is_held_until_it_expires_or_its_task_stops() {
        let lapsed = [slot(0, "a", NOW, Some("started"))];

        assert_eq!(claimable(1, &tasks(&["started"]), &lapsed, &"b".into(), NOW), [0; 0]);
        assert_eq!(claimable(1, &tasks(&[]), &lapsed, &"b".into(), NOW), [0]);
        assert_eq!(claimable(1, &tasks(&[]), &[slot(0, "a", NOW + 1, None)], &"b".into(), NOW), [0; 0]);
    }

    #[test]
    fn a_slow_task_counts_though_its_slot_is_out_of_range() {
        // Two slots existed when it was launched, one exists now.
        let slow = [slot(1, "a", NOW + 1, None)];

        assert_eq!(claimable(2, &tasks(&["service"]), &slow, &"b".into(), NOW), [0; 0]);
        assert_eq!(claimable(3, &tasks(&["service", "more"]), &slow, &"b".into(), NOW), [0; 0]);
        assert_eq!(claimable(4, &tasks(&["service", "more"]), &slow, &"b".into(), NOW), [0]);
    }

    #[test]
    fn calls_try_the_same_slots_while_an_extra_slot_is_held() {
        let slow = [slot(3, "a", NOW + 1, None)];

        for call_ref in ["00000000", "00000001", "00000002"] {
            assert_eq!(
                claimable(4, &tasks(&["service"]), &slow, &call_ref.into(), NOW),
                [0, 1],
                "{call_ref}"
            );
        }
    }

    #[test]
    fn a_call_that_claims_again_gets_its_own_slot() {
        let slots = [slot(0, "a", NOW + 1, None), slot(1, "b", NOW + 1, None)];

        assert_eq!(claimable(2, &tasks(&[]), &slots, &"b".into(), NOW), [1]);
    }

    fn tasks(names: &[&str]) -> HashSet<TaskId> {
        names.iter().map(|name| (*name).into()).collect()
    }

    fn slot(number: u32, call_ref: &str, until_ms: u64, task: Option<&str>) -> LaunchSlot {
        let (sk, call_ref) = (keys::launch(number), call_ref.into());
        LaunchSlot { sk, call_ref, until_ms, task: task.map(TaskId::from), refusals: 0 }
    }
}
