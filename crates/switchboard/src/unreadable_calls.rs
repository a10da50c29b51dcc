//! Calls whose item cannot be read or saved: ended at Meta after a few ticks, and then set aside, so that nothing ticks them
//! for the thirty days that DynamoDB keeps them.

use crate::Switchboard;
use anyhow::Context;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use internal_api::keys;
use internal_api::order::{Order, Reply};
use journal::{EntryBuilder, JournalEvent as Happened};
use std::time::Duration;
use store::WriteError;
use store::items::{Item, number, text};
use whatsapp::{Graph, GraphError};

/// How many ticks such a call gets at least, and for how long: a deployment may read by one release what another one wrote.
const TRIES: u64 = 3;
const PATIENCE: Duration = Duration::from_secs(20);

/// How many ticks it gets when Meta does not answer.
const TRIES_AT_META: u64 = 10;

/// The attributes that say how often it was tried, since when, and that it is tried no more.
const TRIED: &str = "poisoned_tries";
const SINCE: &str = "poisoned_since_ms";
const ASIDE: &str = "is_set_aside";

/// A call whose item cannot be read, or not be saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the item of the call cannot be used: {why}")]
pub struct UnreadableCalls {
    call_ref: String,
    /// The call at Meta: the number's id and Meta's id of it, as far as they can be read.
    at_meta: Option<(String, String)>,
    is_aside: bool,
    why: String,
}

/// What to do about it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It may be readable the next time.
    Wait,
    /// It is to be ended at Meta, and set aside once that is answered.
    End,
    /// It is set aside, whatever Meta says.
    EndOrNot,
}

impl UnreadableCalls {
    /// An item that does not parse.
    pub(crate) fn unreadable(call_ref: &str, item: &Item, error: &anyhow::Error) -> Self {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Self {
            call_ref: call_ref.to_owned(),
            at_meta: text("number").zip(text("wacid")),
            is_aside: item.contains_key(ASIDE),
            why: format!("cannot be read: {}", without_values(&error.to_string())),
        }
    }

    /// A state that DynamoDB does not take: its code.
    pub(crate) fn unfit(call_ref: &str, at_number: &str, wacid: &str, code: &str) -> Self {
        Self {
            call_ref: call_ref.to_owned(),
            at_meta: Some((at_number.to_owned(), wacid.to_owned())),
            is_aside: false,
            why: format!("cannot be saved: {code}"),
        }
    }
}

impl Switchboard {
    /// Replies to an order about such a call. Only ticks count against it: each other order is given a few times at most.
    pub(crate) async fn reply_about(
        &self,
        order: &Order,
        poisoned: UnreadableCalls,
    ) -> anyhow::Result<Reply> {
        match order {
            Order::Tick { .. } => self.bear(&poisoned).await.map(|()| Reply::Over),
            Order::MediaConnected { .. }
            | Order::TaskEnded { .. }
            | Order::SendMessage { .. }
            | Order::MessageFailed { .. }
            | Order::UserChanged { .. } => Err(poisoned.into()),
        }
    }

    async fn bear(&self, poisoned: &UnreadableCalls) -> anyhow::Result<()> {
        let call_ref = &poisoned.call_ref;
        if poisoned.is_aside {
            // The webhook made it due once more.
            return self.set_aside(call_ref).await.map(drop);
        }
        let Some((tries, since_ms)) = self.count_try(call_ref).await? else { return Ok(()) };
        if tries == 1 {
            tracing::warn!(call_ref, "A call's item {}; it is tried again", poisoned.why);
        }
        let waited = Duration::from_millis(self.now().0.saturating_sub(since_ms));
        let next = next(tries, waited);
        if next == Next::Wait {
            return Ok(());
        }
        let is_answered = self.end_at_meta(poisoned).await;
        if (is_answered || next == Next::EndOrNot) && self.set_aside(call_ref).await? {
            self.tell_of(poisoned, is_answered).await;
        }
        Ok(())
    }

    /// Ends the call at Meta, in whichever way Meta takes. Whether Meta has answered.
    async fn end_at_meta(&self, poisoned: &UnreadableCalls) -> bool {
        let Some((number, wacid)) = &poisoned.at_meta else { return true };
        let end = async |graph: &Graph| match graph.terminate(number, wacid).await {
            Err(error) if !error.is_worth_another_try() => graph.reject(number, wacid).await,
            ended => ended,
        };
        let ended = self.at_meta(end, |ended| ended.as_ref().err()).await;
        !ended.is_err_and(|error: GraphError| error.is_worth_another_try())
    }

    /// Counts a tick in the item itself. How many there were and since when; `None` when there is no item any more.
    async fn count_try(&self, call_ref: &str) -> anyhow::Result<Option<(u64, u64)>> {
        let update = self.store.client.update_item().table_name(&self.store.table);
        let update = update.key("pk", text(keys::call(call_ref))).key("sk", text(keys::STATE));
        let update = update
            .update_expression("SET #since = if_not_exists(#since, :now) ADD #tried :one")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#since", SINCE)
            .expression_attribute_names("#tried", TRIED)
            .expression_attribute_values(":now", number(self.now().0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew);
        let updated = match update.send().await {
            Ok(updated) => updated.attributes.unwrap_or_default(),
            Err(error) => match WriteError::of(&error) {
                WriteError::Condition(_) => return Ok(None),
                _ => return Err(error).context("cannot count the tries of a call's item"),
            },
        };
        let read = |name: &str| updated.get(name)?.as_n().ok()?.parse().ok();
        Ok(read(TRIED).zip(read(SINCE)))
    }

    /// Takes the call out of the index of what is due. Whether this was the first time.
    async fn set_aside(&self, call_ref: &str) -> anyhow::Result<bool> {
        let update = self.store.client.update_item().table_name(&self.store.table);
        let update = update.key("pk", text(keys::call(call_ref))).key("sk", text(keys::STATE));
        let update = update
            .update_expression("REMOVE #due, #when SET #aside = :yes")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#due", "gsi1pk")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#aside", ASIDE)
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .return_values(ReturnValue::UpdatedOld);
        match update.send().await {
            Ok(before) => Ok(!before.attributes.unwrap_or_default().contains_key(ASIDE)),
            Err(error) => match WriteError::of(&error) {
                WriteError::Condition(_) => Ok(false),
                _ => Err(error).context("cannot set a call aside"),
            },
        }
    }

    async fn tell_of(&self, poisoned: &UnreadableCalls, is_answered: bool) {
        let unanswered = if is_answered { "" } else { "; Meta did not answer when it was to be ended" };
        let reason = format!("{}{unanswered}", poisoned.why);
        let given_up = Happened::GivenUp { what: "item".to_owned(), reason };
        // Behind everything that can be in its journal: no version of it is known.
        let entry = EntryBuilder::new(&poisoned.call_ref, "call-control-aside", None, 0)
            .enter(given_up, self.now().0);
        (self.log)(&entry);
        if let Err(error) = self.ledger.write(&entry).await {
            tracing::warn!(call_ref = poisoned.call_ref, "Cannot write that a call was set aside: {error:#}");
        }
    }
}

fn next(tries: u64, waited: Duration) -> Next {
    if tries < TRIES || waited < PATIENCE {
        Next::Wait
    } else if tries < TRIES_AT_META {
        Next::End
    } else {
        Next::EndOrNot
    }
}

/// What is wrong, without the values that a parser quotes: they may be a person's.
fn without_values(error: &str) -> String {
    let outside = error.split('"').step_by(2).collect::<Vec<_>>();
    outside.join("…").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_item_is_set_aside_after_some_tries_and_some_time() {
        let (soon, later) = (Duration::from_secs(19), Duration::from_secs(20));

        assert_eq!(next(1, later), Next::Wait);
        assert_eq!(next(100, soon), Next::Wait, "many tasks tick at once");
        assert_eq!(next(3, later), Next::End);
        assert_eq!(next(10, later), Next::EndOrNot);
    }

    #[test]
    fn what_is_wrong_with_an_item_quotes_no_value() {
        let wrong = serde_json::from_value::<u64>(json!("+919900000001")).expect_err("it is no number");

        let why = without_values(&wrong.to_string());

        assert_eq!(why, "invalid type: string …, expected u64");
    }

    #[test]
    fn the_call_at_meta_is_known_though_the_rest_is_not() {
        let item = Item::from([
            ("number".to_owned(), text("220")),
            ("wacid".to_owned(), text("wacid.A")),
            ("call".to_owned(), number(7)),
        ]);

        let poisoned = UnreadableCalls::unreadable("ab12", &item, &anyhow::anyhow!("missing field `ttl`"));

        assert_eq!(poisoned.at_meta, Some(("220".to_owned(), "wacid.A".to_owned())));
        assert!(!poisoned.is_aside && poisoned.why.contains("missing field"));
    }
}
