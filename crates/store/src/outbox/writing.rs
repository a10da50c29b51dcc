//! Puts events into the outbox: with the item that they are about, or with the state of the call that ends.

use super::{OutboxItem, OutboxKey, OutboxState};
use crate::error::{Context, Result};
use crate::items::{Item, number, text, to_item};
use crate::table::{Written, transact_put};
use crate::{OutboxEvent, Store, keys, retry};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use call::{CallRef, Fence};

/// How often the outcome and a task's word that it has concluded may cross.
const CROSSINGS: u32 = 3;

impl Store {
    /// Puts an event into the outbox, once.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn put_into_outbox(&self, item: &OutboxItem) -> Result<Written> {
        self.put_once(to_item(item), "cannot put an event into the outbox").await
    }

    /// Writes an item, replacing the one with its keys, together with the event that it is there; if that event is in the outbox already,
    /// the item alone.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn put_with_event(&self, item: Item, event: &OutboxItem) -> Result<()> {
        let writes = vec![transact_put(self.put_of(item.clone())), self.put_if_absent(to_item(event))];
        let write = retry::while_contended(retry::WAITED_FOR, || self.transact(writes.clone())).await;
        match write {
            Err(error) if error.is_condition() => self.put(item).await,
            written => written.context("cannot write an item with its event"),
        }
    }

    /// Makes the outcome of a call due, now that the task with this assignment has written its summary, and returns whether it is. If the
    /// call's end is not saved yet, the outcome is due as soon as it is.
    ///
    /// A media task may write but not read.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn call_concluded(&self, call_ref: &CallRef, fence: Fence, now_ms: u64) -> Result<bool> {
        for _ in 0..CROSSINGS {
            if self.make_outcome_due(call_ref, fence, now_ms).await? {
                return Ok(true);
            }
            if self.note_concluded(call_ref, fence, now_ms).await? {
                return Ok(false);
            }
        }
        // There is an outcome, which does not wait for this task.
        Ok(false)
    }

    async fn make_outcome_due(&self, call_ref: &CallRef, fence: Fence, now_ms: u64) -> Result<bool> {
        let key = OutboxKey::of(call_ref, OutboxEvent::CallEnded);
        let update = self.update_of(keys::call(call_ref), key.sort_key());
        let update = update
            .update_expression("SET #when = :now")
            .condition_expression("#state = :waiting AND #fence = :fence AND #when > :now")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#fence", "fence")
            .expression_attribute_values(":now", text(keys::sortable(now_ms)))
            .expression_attribute_values(":waiting", text(OutboxState::Waiting.to_string()))
            .expression_attribute_values(":fence", number(fence.0));
        let made = retry::while_contended(retry::WAITED_FOR, || {
            let update = update.clone();
            async { update.send().await.if_condition_holds("cannot make the outcome of a call due") }
        });
        Ok(made.await?.is_some())
    }

    /// Notes where the outcome will be that the task has concluded, and returns false when there is an outcome.
    async fn note_concluded(&self, call_ref: &CallRef, fence: Fence, now_ms: u64) -> Result<bool> {
        let key = OutboxKey::of(call_ref, OutboxEvent::CallEnded);
        let update = self.update_of(keys::call(call_ref), key.sort_key());
        let update = update
            .update_expression("SET #concluded = :now, #ttl = :ttl")
            .condition_expression("attribute_not_exists(#event)")
            .expression_attribute_names("#concluded", concluded(fence))
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_names("#event", "event")
            .expression_attribute_values(":now", text(keys::sortable(now_ms)))
            .expression_attribute_values(":ttl", number(keys::forget_at(now_ms)));
        let noted = retry::while_contended(retry::WAITED_FOR, || {
            let update = update.clone();
            async { update.send().await.if_condition_holds("cannot note that a task has concluded a call") }
        });
        Ok(noted.await?.is_some())
    }

    /// Returns the write of the outcome of a call that ends. It is due when its task concluded, if that is noted.
    pub(crate) fn outcome_write(&self, outcome: &OutboxItem) -> TransactWriteItem {
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(&outcome.pk))
            .key("sk", text(&outcome.sk));
        let mut sets = vec![];
        for (place, (name, value)) in attributes(outcome).into_iter().enumerate() {
            let is_due = name == "gsi1sk" && outcome.fence.is_some();
            let value_of = |place| format!(":a{place}");
            sets.push(if is_due {
                format!("#a{place} = if_not_exists(#concluded, {})", value_of(place))
            } else {
                format!("#a{place} = {}", value_of(place))
            });
            update = update
                .expression_attribute_names(format!("#a{place}"), name)
                .expression_attribute_values(value_of(place), value);
        }
        if let Some(fence) = outcome.fence {
            update = update.expression_attribute_names("#concluded", concluded(fence));
        }
        let update = update.update_expression(format!("SET {}", sets.join(", "))).build();
        TransactWriteItem::builder().update(update.expect("key and expression are set")).build()
    }

    /// Deletes an event of the outbox, because what it is about is gone or has no receiver.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn drop_from_outbox(&self, key: &OutboxKey) -> Result<()> {
        let delete = self.delete_of(keys::call(&key.call_ref), key.sort_key());
        delete.send().await.context("cannot delete an event of the outbox")?;
        Ok(())
    }

    /// Makes an event due again, with all its tries, and returns false if there is none or it is being delivered. For the end of a call whose
    /// model gave nothing, the model is asked again.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn deliver_again(&self, key: &OutboxKey, now_ms: u64) -> Result<bool> {
        let update = self.update_of(keys::call(&key.call_ref), key.sort_key());
        let update = update
            .update_expression(
                "SET #state = :waiting, #tries = :none, #pk = :outbox, #when = :now REMOVE #until ADD #retried :one",
            )
            .condition_expression(
                "attribute_exists(#event) AND (attribute_not_exists(#until) OR #until <= :at)",
            )
            .expression_attribute_names("#event", "event")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_names("#retried", "retried")
            .expression_attribute_names("#until", "claimed_until_ms")
            .expression_attribute_names("#pk", "gsi1pk")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_values(":waiting", text(OutboxState::Waiting.to_string()))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":outbox", text(keys::OUTBOX))
            .expression_attribute_values(":now", text(keys::sortable(now_ms)))
            .expression_attribute_values(":at", number(now_ms));
        let made = update.send().await.if_condition_holds("cannot make an event due again")?;
        if made.is_some() && key.event.known() == Some(OutboxEvent::CallEnded) {
            self.delete_failed_extraction(&key.call_ref).await?;
        }
        Ok(made.is_some())
    }
}

/// Returns the attribute by which a task notes that it has concluded, in the place of an outcome that is not there yet.
fn concluded(fence: Fence) -> String {
    format!("concluded_{fence}")
}

/// Returns the attributes of an item but its keys, in a fixed order.
fn attributes(item: &OutboxItem) -> Vec<(String, AttributeValue)> {
    let attributes = to_item(item).into_iter().filter(|(name, _)| name != "pk" && name != "sk");
    let mut attributes: Vec<_> = attributes.collect();
    attributes.sort_by(|(one, _), (other, _)| one.cmp(other));
    attributes
}
