//! Delivers the outbox: which events are due, the claim to one, and the result of a try.

use super::{OutboxItem, OutboxKey, OutboxState};
use crate::error::{Context, Result};
use crate::items::{from_item, number, text};
use crate::{Store, keys};
use aws_sdk_dynamodb::types::ReturnValue;

/// The result of a claim to deliver an event.
#[derive(Debug, Clone, PartialEq)]
pub enum OutboxClaim {
    /// The claimer may try it until the claim ends. The try is counted.
    Yours(Box<OutboxItem>),
    /// It is not due, gone, or another process tries it.
    NotYours,
    /// It does not have the shape that this release knows; it is claimed and counted all the same.
    Unreadable {
        /// How many tries were begun.
        tries: u32,
    },
}

/// The result of a try to deliver an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxTry<'a> {
    /// What is next.
    pub next: Delivery,
    /// The HTTP status; `None` without a reply.
    pub status: Option<u16>,
    /// Why it failed, where no status says it: a word of ours.
    pub why: Option<&'a str>,
}

/// What is next for an event after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The business has it.
    Delivered,
    /// The business wants no more of it.
    Refused,
    /// No further try is made.
    GivenUp,
    /// It is tried again at this time, ms since 1970.
    Again(u64),
}

impl Store {
    /// Returns events of the outbox that are due by `now_ms`, the longest due first, as many as `at_most`.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn due_outbox(&self, now_ms: u64, at_most: u32) -> Result<Vec<OutboxKey>> {
        let query = self.index(keys::OUTBOX).key_condition_expression("#pk = :pk AND #sk <= :now");
        let query = query
            .expression_attribute_names("#sk", "gsi1sk")
            .expression_attribute_values(":now", text(keys::sortable(now_ms)))
            .limit(i32::try_from(at_most).unwrap_or(i32::MAX));
        let page = query.send().await.context("cannot query the events that are due")?;
        Ok(super::listing::keys_of(&page.items.unwrap_or_default()))
    }

    /// Claims an event that is due, until a time: one process gets it.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn claim_from_outbox(
        &self,
        key: &OutboxKey,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<OutboxClaim> {
        let update = self.update_of(keys::call(&key.call_ref), key.sort_key());
        let update = update
            .update_expression("SET #until = :until ADD #tries :one")
            .condition_expression(
                "#state = :waiting AND #when <= :now AND (attribute_not_exists(#until) OR #until <= :at)",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#until", "claimed_until_ms")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_values(":waiting", text(OutboxState::Waiting.to_string()))
            .expression_attribute_values(":now", text(keys::sortable(now_ms)))
            .expression_attribute_values(":at", number(now_ms))
            .expression_attribute_values(":until", number(until_ms))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew);
        let claimed = update.send().await.if_condition_holds("cannot claim an event of the outbox")?;
        let Some(claimed) = claimed else { return Ok(OutboxClaim::NotYours) };
        let item = claimed.attributes.unwrap_or_default();
        let tries = item.get("tries").and_then(|tries| tries.as_n().ok()?.parse().ok());
        let unreadable = OutboxClaim::Unreadable { tries: tries.unwrap_or_default() };
        Ok(from_item(item).map_or(unreadable, OutboxClaim::Yours))
    }

    /// Records the result of a try and ends its claim; returns false if the claim had ended and another process has the event.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn finish_outbox_try(
        &self,
        claimed: &OutboxItem,
        tried: &OutboxTry<'_>,
        now_ms: u64,
    ) -> Result<bool> {
        let (state, partition, at_ms) = match tried.next {
            Delivery::Delivered => (OutboxState::Delivered, keys::OUTBOX_DELIVERED, now_ms),
            Delivery::Refused => (OutboxState::Refused, keys::OUTBOX_FAILED, now_ms),
            Delivery::GivenUp => (OutboxState::GivenUp, keys::OUTBOX_FAILED, now_ms),
            Delivery::Again(at_ms) => (OutboxState::Waiting, keys::OUTBOX, at_ms),
        };
        let mut sets = "#state = :state, #pk = :pk, #when = :when, #tried = :now".to_owned();
        let mut gone = "#until".to_owned();
        let update = self.update_of(&claimed.pk, &claimed.sk);
        let mut update = update
            .condition_expression("#until = :mine")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#pk", "gsi1pk")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#tried", "tried_at_ms")
            .expression_attribute_names("#until", "claimed_until_ms")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#why", "why")
            .expression_attribute_values(":state", text(state.to_string()))
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":when", text(keys::sortable(at_ms)))
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":mine", number(claimed.claimed_until_ms.unwrap_or_default()));
        for (name, value) in
            [("status", tried.status.map(|status| number(status.into()))), ("why", tried.why.map(text))]
        {
            match value {
                Some(value) => {
                    sets += &format!(", #{name} = :{name}");
                    update = update.expression_attribute_values(format!(":{name}"), value);
                }
                None => gone += &format!(", #{name}"),
            }
        }
        let update = update.update_expression(format!("SET {sets} REMOVE {gone}"));
        let finished = update.send().await.if_condition_holds("cannot record a try to deliver an event")?;
        Ok(finished.is_some())
    }

    /// Gives a claim back without a try, and makes the event due at a time; returns false if the claim had ended.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn release_outbox_claim(&self, claimed: &OutboxItem, due_ms: u64) -> Result<bool> {
        let update = self.update_of(&claimed.pk, &claimed.sk);
        let update = update
            .update_expression("SET #when = :when, #tries = :tries REMOVE #until")
            .condition_expression("#until = :mine")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_names("#until", "claimed_until_ms")
            .expression_attribute_values(":when", text(keys::sortable(due_ms)))
            .expression_attribute_values(":tries", number(claimed.tries.saturating_sub(1).into()))
            .expression_attribute_values(":mine", number(claimed.claimed_until_ms.unwrap_or_default()));
        let released = update.send().await.if_condition_holds("cannot give back an event of the outbox")?;
        Ok(released.is_some())
    }

    /// Gives back the claim, which ends at `until_ms`, to an event that this release cannot read, and makes it due at a time.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn put_off_unreadable(&self, key: &OutboxKey, until_ms: u64, due_ms: u64) -> Result<()> {
        let update = self.update_of(keys::call(&key.call_ref), key.sort_key());
        let update = update
            .update_expression("SET #when = :when REMOVE #until")
            .condition_expression("#until = :mine")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#until", "claimed_until_ms")
            .expression_attribute_values(":when", text(keys::sortable(due_ms)))
            .expression_attribute_values(":mine", number(until_ms));
        update.send().await.if_condition_holds("cannot give back an event of the outbox")?;
        Ok(())
    }

    /// Takes an event that this release cannot read out of those that are due, and lists it as given up.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn set_event_aside(&self, key: &OutboxKey, now_ms: u64) -> Result<()> {
        let update = self.update_of(keys::call(&key.call_ref), key.sort_key());
        let update = update
            .update_expression("SET #state = :state, #pk = :failed, #when = :now REMOVE #until")
            .condition_expression("attribute_exists(#event)")
            .expression_attribute_names("#event", "event")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#pk", "gsi1pk")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#until", "claimed_until_ms")
            .expression_attribute_values(":state", text(OutboxState::GivenUp.to_string()))
            .expression_attribute_values(":failed", text(keys::OUTBOX_FAILED))
            .expression_attribute_values(":now", text(keys::sortable(now_ms)));
        update.send().await.if_condition_holds("cannot set an event of the outbox aside")?;
        Ok(())
    }

    /// Claims a host for one delivery, until a time, and returns false if another process delivers to it.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn claim_host(&self, host: &str, now_ms: u64, until_ms: u64) -> Result<bool> {
        let update = self.update_of(keys::outbox_host(host), keys::HOST);
        let update = update
            .update_expression("SET #until = :until, #ttl = :ttl")
            .condition_expression("attribute_not_exists(#until) OR #until <= :now")
            .expression_attribute_names("#until", "claimed_until_ms")
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":until", number(until_ms))
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":ttl", number(keys::forget_at(now_ms)));
        let claimed = update.send().await.if_condition_holds("cannot claim a host of the outbox")?;
        Ok(claimed.is_some())
    }

    /// Gives up the claim to a host that ends at this time.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn release_host(&self, host: &str, until_ms: u64) -> Result<()> {
        let delete = self.delete_of(keys::outbox_host(host), keys::HOST);
        let delete = delete
            .condition_expression("#until = :mine")
            .expression_attribute_names("#until", "claimed_until_ms")
            .expression_attribute_values(":mine", number(until_ms));
        delete.send().await.if_condition_holds("cannot give up a host of the outbox")?;
        Ok(())
    }
}
