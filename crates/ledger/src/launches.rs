//! Places for media tasks that are being started: as many callers as may ring at once, no more tasks are started than there may be.

use crate::Ledger;
use crate::items::{number, text};
use anyhow::Context;
use protocol::keys;
use std::time::Duration;

/// So long a task that was asked for may take until it is in the registry. Its place is kept for it until then.
const TAKES: Duration = Duration::from_secs(60);

/// So many places are tried. Where there are more, hardly anybody finds all of these taken.
const TRIES: usize = 8;

impl Ledger {
    /// Takes one of the places that are left where `most` tasks may be, for a call; asked again for the call, it is the same one.
    /// `None`: there are as many tasks as there may be, or soon will be.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn claim_launch(&self, most: u32, call_ref: &str, now_ms: u64) -> anyhow::Result<Option<u32>> {
        let there = self.ready_tasks().await?.iter().filter(|lease| lease.is_current(now_ms)).count();
        for place in places(most.saturating_sub(u32::try_from(there).unwrap_or(u32::MAX)), call_ref) {
            if self.claim_place(place, call_ref, now_ms).await? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Gives a place back: no task was started for it.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn give_up_launch(&self, place: u32) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("pk", text(keys::LAUNCHES)).key("sk", text(keys::launch(place)));
        delete.send().await.context("cannot give up a place for a media task")?;
        Ok(())
    }

    async fn claim_place(&self, place: u32, call_ref: &str, now_ms: u64) -> anyhow::Result<bool> {
        let until_ms = now_ms + TAKES.as_millis() as u64;
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .item("pk", text(keys::LAUNCHES))
            .item("sk", text(keys::launch(place)))
            .item("call_ref", text(call_ref))
            .item("until_ms", number(until_ms))
            .item(keys::TTL, number(until_ms / 1_000))
            .condition_expression("attribute_not_exists(#until) OR #until <= :now OR #call = :call")
            .expression_attribute_names("#call", "call_ref")
            .expression_attribute_values(":call", text(call_ref))
            .expression_attribute_names("#until", "until_ms")
            .expression_attribute_values(":now", number(now_ms));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(error).context("cannot claim a place for a media task"),
        }
    }
}

/// Which of so many places to try, beginning with one of the call's own: its name is as good as random.
fn places(left: u32, call_ref: &str) -> impl Iterator<Item = u32> {
    let beginning = call_ref.get(..8).and_then(|beginning| u32::from_str_radix(beginning, 16).ok());
    let first = beginning.unwrap_or_default().checked_rem(left).unwrap_or_default();
    (first..left).chain(0..first).take(TRIES)
}
