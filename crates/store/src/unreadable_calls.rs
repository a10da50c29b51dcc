//! Calls whose item cannot be read or saved: their ticks are counted in the item, until they are set aside.

use crate::error::{Context, Result};
use crate::items::{Item, ItemError, number};
use crate::{Store, StoredCall, keys};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use call::{CallRef, Line, NumberId};

/// Attributes of the item: the number of ticks, when they began, and that the call is set aside.
const TRIED: &str = "poisoned_tries";
const SINCE: &str = "poisoned_since_ms";
const ASIDE: &str = "is_set_aside";

/// A call whose item cannot be parsed or saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the item of the call cannot be used: {why}")]
pub struct UnreadableCall {
    /// The call's reference.
    pub call_ref: CallRef,
    /// The call at Meta (the number's id, Meta's id of the call), if the item has them.
    pub at_meta: Option<(NumberId, String)>,
    /// OpenAI's id of the call, if the item has it.
    pub realtime_call: Option<String>,
    /// Whether the call is set aside already.
    pub is_set_aside: bool,
    /// The reason, without values of the item.
    pub why: String,
}

impl UnreadableCall {
    /// Returns a call whose item does not parse.
    pub(crate) fn unreadable(call_ref: &CallRef, item: &Item, error: &ItemError) -> Self {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Self {
            call_ref: call_ref.clone(),
            at_meta: text("number").map(NumberId::from).zip(text("wacid")),
            realtime_call: text("realtime_call"),
            is_set_aside: item.contains_key(ASIDE),
            why: format!("cannot be read: {}", without_values(&error.to_string())),
        }
    }

    /// Returns the line that the call came in on, by whose id of it the item has.
    pub fn line(&self) -> Line {
        if self.realtime_call.is_some() { Line::Sip } else { Line::WhatsApp }
    }

    /// Returns a call whose state DynamoDB does not accept; `code` is DynamoDB's.
    pub fn unsaved(call: &StoredCall, code: &str) -> Self {
        Self {
            call_ref: call.call_ref(),
            at_meta: call.wacid.clone().map(|wacid| (call.number.clone(), wacid)),
            realtime_call: call.realtime_call.clone(),
            is_set_aside: false,
            why: format!("cannot be saved: {code}"),
        }
    }
}

impl Store {
    /// Counts a tick in the call's item itself, and returns the count and when counting began, ms since 1970; `None` when the item is gone.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn count_unreadable_tick(&self, call_ref: &CallRef, now_ms: u64) -> Result<Option<(u64, u64)>> {
        let update = self.update_of(keys::call(call_ref), keys::STATE);
        let update = update
            .update_expression("SET #since = if_not_exists(#since, :now) ADD #tried :one")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#since", SINCE)
            .expression_attribute_names("#tried", TRIED)
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew);
        let updated =
            update.send().await.if_condition_holds("cannot count the ticks of an unreadable call")?;
        let Some(updated) = updated.and_then(|updated| updated.attributes) else { return Ok(None) };
        let read = |name: &str| updated.get(name)?.as_n().ok()?.parse().ok();
        Ok(read(TRIED).zip(read(SINCE)))
    }

    /// Takes an unreadable call out of the index of due calls, and returns whether it was not set aside before.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn set_call_aside(&self, call_ref: &CallRef) -> Result<bool> {
        let update = self.update_of(keys::call(call_ref), keys::STATE);
        let update = update
            .update_expression("REMOVE #due, #when SET #aside = :yes")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#due", "gsi1pk")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#aside", ASIDE)
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .return_values(ReturnValue::UpdatedOld);
        let before = update.send().await;
        let before =
            before.if_condition_holds("cannot take an unreadable call out of the index of due calls")?;
        Ok(before.is_some_and(|before| !before.attributes.unwrap_or_default().contains_key(ASIDE)))
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
    use crate::items::from_item;
    use crate::items::text;
    use serde_json::json;

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
            ("version".to_owned(), number(7)),
        ]);
        let error = from_item::<crate::StoredCall>(item.clone()).expect_err("it has no ttl");

        let unreadable = UnreadableCall::unreadable(&"ab12".into(), &item, &error);

        assert_eq!(unreadable.at_meta, Some(("220".into(), "wacid.A".to_owned())));
        assert!(!unreadable.is_set_aside && unreadable.why.contains("missing field"));
    }
}
