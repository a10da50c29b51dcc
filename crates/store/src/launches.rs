//! Places for media tasks that are being started: as many callers as may ring at once, no more tasks are started than there may be.
//!
//! A place is held until its task stops: at first for a while, then for as long as the task is in the registry, taking calls or
//! not. Tasks without a place, those of the service, leave so many fewer places.

use crate::items::{Item, from_item, number, text};
use crate::table::all;
use crate::{Store, WriteError};
use anyhow::Context;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use internal_api::keys;
use serde::Deserialize;
use std::collections::HashSet;
use std::time::Duration;

/// How long a place is kept for a task that is not in the registry yet. Most are within a minute; Fargate can take several.
const TAKES: Duration = Duration::from_secs(300);

/// How many places are tried. Where there are more, hardly any caller finds all of these taken.
const TRIES: usize = 8;

/// A place as it is stored.
#[derive(Debug, Clone, Deserialize)]
struct LaunchSlot {
    sk: String,
    call_ref: String,
    until_ms: u64,
    /// The id of the task that was started, once it is known.
    #[serde(default)]
    task: Option<String>,
    /// How often ECS has refused to start a task for the call.
    #[serde(default)]
    refusals: u32,
}

/// A place that a call has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchClaim {
    /// Which one.
    pub place: u32,
    /// The task that was started for the call already, if it is known.
    pub task: Option<String>,
    /// How often ECS has refused to start one.
    pub refusals: u32,
    /// Until when the place is held: tells this claim from a later one.
    until_ms: u64,
}

impl Store {
    /// Takes one of the places that are left where `most` tasks may be, for a call; asked again for the call, it is the same one.
    /// `None`: there are as many tasks as there may be, or soon will be.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn claim_launch(
        &self,
        most: u32,
        call_ref: &str,
        now_ms: u64,
    ) -> anyhow::Result<Option<LaunchClaim>> {
        let (leases, places) = tokio::try_join!(self.tasks(), self.launches())?;
        let current = leases.into_iter().filter(|lease| lease.is_current(now_ms));
        let tasks: HashSet<String> = current.map(|lease| lease.task).collect();
        for place in claimable(most, &tasks, &places, call_ref, now_ms) {
            if let Some(claimed) = self.claim_place(place, &places, call_ref, now_ms).await? {
                return Ok(Some(claimed));
            }
        }
        Ok(None)
    }

    /// Notes which task was started for a place: the place is held as long as the task is in the registry.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn note_launch(
        &self,
        place: u32,
        call_ref: &str,
        task: &str,
        now_ms: u64,
    ) -> anyhow::Result<()> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(item(place, call_ref, now_ms))).item("task", text(task));
        let put = put
            .condition_expression("#call = :call")
            .expression_attribute_names("#call", "call_ref")
            .expression_attribute_values(":call", text(call_ref));
        put.send().await.context("cannot note a task that was started")?;
        Ok(())
    }

    /// Counts that ECS has refused to start a task for a claim: the next request is another one. Whether it is counted: if not, another
    /// process has gone on with the call.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn note_launch_refused(
        &self,
        claimed: &mut LaunchClaim,
        call_ref: &str,
    ) -> anyhow::Result<bool> {
        let more = claimed.refusals + 1;
        let update = self.place_of(claimed, call_ref).update_expression("SET #refusals = :refusals");
        let update = update
            .expression_attribute_names("#refusals", "refusals")
            .expression_attribute_values(":refusals", number(more.into()));
        let is_counted = written(update, "cannot count that no media task was started").await?;
        claimed.refusals = more;
        Ok(is_counted)
    }

    /// Gives a place back, unless it was claimed anew: no task was started for it. How often ECS refused one stays known until another
    /// call takes the place.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn give_up_launch(
        &self,
        claimed: &LaunchClaim,
        call_ref: &str,
        now_ms: u64,
    ) -> anyhow::Result<()> {
        let update = self.place_of(claimed, call_ref).update_expression("SET #until = :now");
        let update = update.expression_attribute_values(":now", number(now_ms));
        written(update, "cannot give up a place for a media task").await?;
        Ok(())
    }

    /// Gives back the place of a task that has stopped, if it had one.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn give_up_launch_of(&self, task: &str) -> anyhow::Result<()> {
        for place in self.launches().await? {
            if place.task.as_deref() == Some(task) {
                self.delete_place(&place.sk, task).await?;
            }
        }
        Ok(())
    }

    /// Unless it is another task's by now.
    async fn delete_place(&self, sk: &str, task: &str) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("pk", text(keys::LAUNCHES)).key("sk", text(sk));
        let delete = delete
            .condition_expression("#task = :task")
            .expression_attribute_names("#task", "task")
            .expression_attribute_values(":task", text(task));
        match delete.send().await {
            Err(error) if !matches!(WriteError::of(&error), WriteError::Condition(_)) => {
                Err(error).context("cannot give up a place for a media task")
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// An update of a place that is still as it was claimed, and has no task.
    fn place_of(&self, claimed: &LaunchClaim, call_ref: &str) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.table);
        update
            .key("pk", text(keys::LAUNCHES))
            .key("sk", text(keys::launch(claimed.place)))
            .condition_expression("#call = :call AND #until = :claimed AND attribute_not_exists(#task)")
            .expression_attribute_names("#call", "call_ref")
            .expression_attribute_values(":call", text(call_ref))
            .expression_attribute_names("#until", "until_ms")
            .expression_attribute_values(":claimed", number(claimed.until_ms))
            .expression_attribute_names("#task", "task")
    }

    async fn launches(&self) -> anyhow::Result<Vec<LaunchSlot>> {
        let query =
            self.partition(keys::LAUNCHES).key_condition_expression("#pk = :pk").consistent_read(true);
        let items = all(query).await.context("cannot ask which media tasks are being started")?;
        items.into_iter().map(from_item).collect()
    }

    /// The call's own place keeps its task and its refusals; another one, which is free, takes over the refusals.
    async fn claim_place(
        &self,
        place: u32,
        places: &[LaunchSlot],
        call_ref: &str,
        now_ms: u64,
    ) -> anyhow::Result<Option<LaunchClaim>> {
        let sk = keys::launch(place);
        let own = places.iter().find(|known| known.call_ref == call_ref);
        if own.is_some_and(|own| own.sk == sk) {
            return self.claim_again(place, call_ref, now_ms).await;
        }
        let refusals = own.map(|own| own.refusals).unwrap_or_default();
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(item(place, call_ref, now_ms))).item("refusals", number(refusals.into()));
        let put = put
            .condition_expression("attribute_not_exists(#until) OR #until <= :now")
            .expression_attribute_names("#until", "until_ms")
            .expression_attribute_values(":now", number(now_ms));
        match put.send().await {
            Ok(_) => Ok(Some(LaunchClaim { place, task: None, refusals, until_ms: until(now_ms) })),
            Err(error) if matches!(WriteError::of(&error), WriteError::Condition(_)) => Ok(None),
            Err(error) => Err(error).context("cannot claim a place for a media task"),
        }
    }

    async fn claim_again(
        &self,
        place: u32,
        call_ref: &str,
        now_ms: u64,
    ) -> anyhow::Result<Option<LaunchClaim>> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update.key("pk", text(keys::LAUNCHES)).key("sk", text(keys::launch(place)));
        let update = update
            .update_expression("SET #until = :until, #ttl = :ttl")
            .condition_expression("#call = :call")
            .expression_attribute_names("#call", "call_ref")
            .expression_attribute_values(":call", text(call_ref))
            .expression_attribute_names("#until", "until_ms")
            .expression_attribute_values(":until", number(until(now_ms)))
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":ttl", number(until(now_ms) / 1_000))
            .return_values(ReturnValue::AllNew);
        match update.send().await {
            Ok(updated) => {
                let LaunchSlot { task, refusals, until_ms, .. } =
                    from_item(updated.attributes.unwrap_or_default())?;
                Ok(Some(LaunchClaim { place, task, refusals, until_ms }))
            }
            Err(error) if matches!(WriteError::of(&error), WriteError::Condition(_)) => Ok(None),
            Err(error) => Err(error).context("cannot claim a place for a media task"),
        }
    }
}

/// Whether it is written: its condition holds.
async fn written(update: UpdateItemFluentBuilder, cannot: &'static str) -> anyhow::Result<bool> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(error) if matches!(WriteError::of(&error), WriteError::Condition(_)) => Ok(false),
        Err(error) => Err(error).context(cannot),
    }
}

fn until(now_ms: u64) -> u64 {
    now_ms + TAKES.as_millis() as u64
}

fn item(place: u32, call_ref: &str, now_ms: u64) -> Item {
    let until_ms = until(now_ms);
    [
        ("pk", text(keys::LAUNCHES)),
        ("sk", text(keys::launch(place))),
        ("call_ref", text(call_ref)),
        ("until_ms", number(until_ms)),
        (keys::TTL, number(until_ms / 1_000)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The places to try, in order: the call's own where it has one, else free ones, beginning with one of the call's own, so that
/// calls that ask at once seldom try the same.
fn claimable(
    most: u32,
    tasks: &HashSet<String>,
    places: &[LaunchSlot],
    call_ref: &str,
    now_ms: u64,
) -> Vec<u32> {
    let is_registered = |place: &LaunchSlot| place.task.as_ref().is_some_and(|task| tasks.contains(task));
    let held: Vec<&LaunchSlot> =
        places.iter().filter(|place| place.until_ms > now_ms || is_registered(place)).collect();
    if let Some(own) = held.iter().find(|place| place.call_ref == call_ref) {
        return keys::launched(&own.sk).into_iter().collect();
    }
    let placed = held.iter().filter(|place| is_registered(place)).count();
    let left = most.saturating_sub(u32::try_from(tasks.len() - placed).unwrap_or(u32::MAX));
    let vacant = usize::try_from(left).unwrap_or(usize::MAX).saturating_sub(held.len());
    let numbers: HashSet<u32> = held.iter().filter_map(|place| keys::launched(&place.sk)).collect();
    // Where a held place lies outside, all who ask must try the same ones, lest more are taken than are vacant.
    let is_crowded = numbers.iter().any(|number| *number >= left);
    let first = if is_crowded { 0 } else { first(left, call_ref) };
    let free = (first..left).chain(0..first).filter(|number| !numbers.contains(number));
    free.take(TRIES.min(vacant)).collect()
}

/// A call's name is as good as random.
fn first(left: u32, call_ref: &str) -> u32 {
    let beginning = call_ref.get(..8).and_then(|beginning| u32::from_str_radix(beginning, 16).ok());
    beginning.unwrap_or_default().checked_rem(left).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000;

    #[test]
    fn a_task_and_the_place_it_was_started_for_count_once() {
        let places = [place(0, "a", NOW + 1, Some("started"))];

        assert_eq!(claimable(2, &tasks(&["started"]), &places, "b", NOW), [1]);
        assert_eq!(claimable(2, &tasks(&["started", "service"]), &places, "b", NOW), [0; 0]);
    }

    #[test]
    fn a_place_is_held_while_its_task_is_registered_and_for_a_while_without_it() {
        let lapsed = [place(0, "a", NOW, Some("started"))];

        assert_eq!(claimable(1, &tasks(&["started"]), &lapsed, "b", NOW), [0; 0]);
        assert_eq!(claimable(1, &tasks(&[]), &lapsed, "b", NOW), [0]);
        assert_eq!(claimable(1, &tasks(&[]), &[place(0, "a", NOW + 1, None)], "b", NOW), [0; 0]);
    }

    #[test]
    fn a_slow_task_at_a_place_that_is_no_more_still_counts() {
        // Two places were left when it was started, one is left now.
        let slow = [place(1, "a", NOW + 1, None)];

        assert_eq!(claimable(2, &tasks(&["service"]), &slow, "b", NOW), [0; 0]);
        assert_eq!(claimable(3, &tasks(&["service", "more"]), &slow, "b", NOW), [0; 0]);
        assert_eq!(claimable(4, &tasks(&["service", "more"]), &slow, "b", NOW), [0]);
    }

    #[test]
    fn calls_try_the_same_places_while_a_place_that_is_no_more_is_held() {
        let slow = [place(3, "a", NOW + 1, None)];

        for call_ref in ["00000000", "00000001", "00000002"] {
            assert_eq!(claimable(4, &tasks(&["service"]), &slow, call_ref, NOW), [0, 1], "{call_ref}");
        }
    }

    #[test]
    fn a_call_that_asks_again_has_its_place_already() {
        let places = [place(0, "a", NOW + 1, None), place(1, "b", NOW + 1, None)];

        assert_eq!(claimable(2, &tasks(&[]), &places, "b", NOW), [1]);
    }

    fn tasks(names: &[&str]) -> HashSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn place(number: u32, call_ref: &str, until_ms: u64, task: Option<&str>) -> LaunchSlot {
        let (sk, call_ref) = (keys::launch(number), call_ref.to_owned());
        LaunchSlot { sk, call_ref, until_ms, task: task.map(str::to_owned), refusals: 0 }
    }
}
