//! Ends calls whose item cannot be read or saved: at Meta after a few ticks, then taken out of the index, so that they are not ticked for
//! the thirty days until DynamoDB deletes them.

use crate::Switchboard;
use anyhow::Context;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use internal_api::order::{Order, Reply};
use journal::{EntryBuilder, JournalEvent};
use std::time::Duration;
use store::WriteError;
use store::items::{Item, number, text};
use store::keys;
use whatsapp::{Graph, GraphError};

/// The least number of ticks before the call is ended, together with [`MIN_WAIT`]: during a deployment one release may read what another
/// wrote.
const MIN_TICKS: u64 = 3;
/// The least time before the call is ended.
const MIN_WAIT: Duration = Duration::from_secs(20);

/// The number of ticks after which the call is set aside even without an answer from Meta.
const MAX_TICKS: u64 = 10;

/// Attributes of the item: the number of ticks, when they began, and that the call is set aside.
const TRIED: &str = "poisoned_tries";
const SINCE: &str = "poisoned_since_ms";
const ASIDE: &str = "is_set_aside";

/// The error about a call whose item cannot be parsed or saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the item of the call cannot be used: {why}")]
pub struct UnreadableCalls {
    call_ref: String,
    /// The call at Meta (the number's id, Meta's id of the call), if the item has them.
    at_meta: Option<(String, String)>,
    is_aside: bool,
    why: String,
}

/// What a tick does about the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing yet: the item may be readable next time.
    Wait,
    /// End it at Meta, and set it aside once Meta has answered.
    End,
    /// End it at Meta, and set it aside even without an answer.
    EndAndSetAside,
}

impl UnreadableCalls {
    /// Returns the error for an item that does not parse.
    pub(crate) fn unreadable(call_ref: &str, item: &Item, error: &anyhow::Error) -> Self {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Self {
            call_ref: call_ref.to_owned(),
            at_meta: text("number").zip(text("wacid")),
            is_aside: item.contains_key(ASIDE),
            why: format!("cannot be read: {}", without_values(&error.to_string())),
        }
    }

    /// Returns the error for a state that DynamoDB does not accept; `code` is DynamoDB's.
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
    /// Replies to an order about such a call. Only ticks count towards setting it aside: every other order is retried a few times at most.
    pub(crate) async fn reply_about(
        &self,
        order: &Order,
        unreadable: UnreadableCalls,
    ) -> anyhow::Result<Reply> {
        match order {
            Order::Tick { .. } => self.tick_unreadable(&unreadable).await.map(|()| Reply::Over),
            Order::MediaConnected { .. }
            | Order::TaskEnded { .. }
            | Order::SendMessage { .. }
            | Order::MessageFailed { .. }
            | Order::UserChanged { .. } => Err(unreadable.into()),
        }
    }

    async fn tick_unreadable(&self, unreadable: &UnreadableCalls) -> anyhow::Result<()> {
        let call_ref = &unreadable.call_ref;
        if unreadable.is_aside {
            // The webhook made the call due again.
            return self.set_aside(call_ref).await.map(drop);
        }
        let Some((tries, since_ms)) = self.count_tick(call_ref).await? else { return Ok(()) };
        if tries == 1 {
            tracing::warn!(call_ref, "the call's item {}; the next tick tries again", unreadable.why);
        }
        let waited = Duration::from_millis(self.now().0.saturating_sub(since_ms));
        let next = next(tries, waited);
        if next == Next::Wait {
            return Ok(());
        }
        let is_answered = self.end_at_meta(unreadable).await;
        if (is_answered || next == Next::EndAndSetAside) && self.set_aside(call_ref).await? {
            self.report_set_aside(unreadable, is_answered).await;
        }
        Ok(())
    }

    /// Ends the call with `terminate`, or `reject` if Meta refuses that, and returns whether Meta has answered.
    async fn end_at_meta(&self, unreadable: &UnreadableCalls) -> bool {
        let Some((number, wacid)) = &unreadable.at_meta else { return true };
        let end = async |graph: &Graph| match graph.terminate(number, wacid).await {
            Err(error) if !error.is_worth_another_try() => graph.reject(number, wacid).await,
            ended => ended,
        };
        let ended = self.send_to_meta(end, |ended| ended.as_ref().err()).await;
        !ended.is_err_and(|error: GraphError| error.is_worth_another_try())
    }

    /// Counts a tick in the item itself, and returns the count and when counting began; `None` when the item is gone.
    async fn count_tick(&self, call_ref: &str) -> anyhow::Result<Option<(u64, u64)>> {
        let update = self.calls.client.update_item().table_name(&self.calls.table);
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
                _ => return Err(error).context("cannot count the ticks of an unreadable call"),
            },
        };
        let read = |name: &str| updated.get(name)?.as_n().ok()?.parse().ok();
        Ok(read(TRIED).zip(read(SINCE)))
    }

    /// Takes the call out of the index of due calls, and returns whether it was not set aside before.
    async fn set_aside(&self, call_ref: &str) -> anyhow::Result<bool> {
        let update = self.calls.client.update_item().table_name(&self.calls.table);
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
                _ => Err(error).context("cannot take an unreadable call out of the index of due calls"),
            },
        }
    }

    async fn report_set_aside(&self, unreadable: &UnreadableCalls, is_answered: bool) {
        let unanswered = if is_answered { "" } else { "; Meta did not answer when it was to be ended" };
        let reason = format!("{}{unanswered}", unreadable.why);
        let given_up = JournalEvent::GivenUp { what: "item".to_owned(), reason };
        // The call's version is unknown, so the entry has version 0, under a writer name of its own: it cannot overwrite another entry of
        // the call.
        let entry = EntryBuilder::new(&unreadable.call_ref, "call-control-aside", None, 0)
            .enter(given_up, self.now().0);
        (self.log)(&entry);
        if let Err(error) = self.store.write(&entry).await {
            tracing::warn!(
                call_ref = unreadable.call_ref,
                "cannot write the journal entry that the call is set aside: {error:#}"
            );
        }
    }
}

fn next(tries: u64, waited: Duration) -> Next {
    if tries < MIN_TICKS || waited < MIN_WAIT {
        Next::Wait
    } else if tries < MAX_TICKS {
        Next::End
    } else {
        Next::EndAndSetAside
    }
}

/// Returns a parser's error without the values it quotes: they may be personal.
fn without_values(error: &str) -> String {
    let outside = error.split('"').step_by(2).collect::<Vec<_>>();
    outside.join("…").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sets_an_item_aside_after_enough_ticks_and_time() {
        let (soon, later) = (Duration::from_secs(19), Duration::from_secs(20));

        assert_eq!(next(1, later), Next::Wait);
        assert_eq!(next(100, soon), Next::Wait, "many tasks tick at once");
        assert_eq!(next(3, later), Next::End);
        assert_eq!(next(10, later), Next::EndAndSetAside);
    }

    #[test]
    fn the_error_about_an_item_quotes_no_value() {
        let wrong = serde_json::from_value::<u64>(json!("+919900000001")).expect_err("it is no number");

        let why = without_values(&wrong.to_string());

        assert_eq!(why, "invalid type: string …, expected u64");
    }

    #[test]
    fn finds_the_call_at_meta_in_an_unreadable_item() {
        let item = Item::from([
            ("number".to_owned(), text("220")),
            ("wacid".to_owned(), text("wacid.A")),
            ("call".to_owned(), number(7)),
        ]);

        let unreadable = UnreadableCalls::unreadable("ab12", &item, &anyhow::anyhow!("missing field `ttl`"));

        assert_eq!(unreadable.at_meta, Some(("220".to_owned(), "wacid.A".to_owned())));
        assert!(!unreadable.is_aside && unreadable.why.contains("missing field"));
    }
}
