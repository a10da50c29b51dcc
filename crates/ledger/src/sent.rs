//! Messages that agents have sent to their callers: that there was one, so that an order that is given again sends no second one.

use crate::Ledger;
use crate::items::{number, text};
use anyhow::Context;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use protocol::keys;

/// Who may send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Who asked, and nobody else.
    Yours,
    /// Nobody: it was sent.
    Sent,
    /// Nobody: somebody set out to send it, and what came of it is not known.
    Begun,
}

/// The attribute that says that a message was sent.
const IS_SENT: &str = "is_sent";

impl Ledger {
    /// Asks to be the one who sends this message of a call.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn claim_message(&self, call_ref: &str, id: &str, now_ms: u64) -> anyhow::Result<Claim> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .item("pk", text(keys::call(call_ref)))
            .item("sk", text(keys::sent(id)))
            .item(keys::TTL, number(keys::forget_at(now_ms)))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", "pk")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Claim::Yours) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(there)) => {
                let is_sent = there.item().is_some_and(|item| item.contains_key(IS_SENT));
                Ok(if is_sent { Claim::Sent } else { Claim::Begun })
            }
            Some(_) | None => Err(error).context("cannot claim a message"),
        }
    }

    /// The claimed message was sent.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn note_message_sent(&self, call_ref: &str, id: &str) -> anyhow::Result<()> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update
            .key("pk", text(keys::call(call_ref)))
            .key("sk", text(keys::sent(id)))
            .update_expression("SET #sent = :sent")
            .expression_attribute_names("#sent", IS_SENT)
            .expression_attribute_values(":sent", aws_sdk_dynamodb::types::AttributeValue::Bool(true));
        update.send().await.context("cannot note that a message was sent")?;
        Ok(())
    }

    /// The claimed message was certainly not sent: another order may.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn give_up_message(&self, call_ref: &str, id: &str) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("pk", text(keys::call(call_ref))).key("sk", text(keys::sent(id)));
        delete.send().await.context("cannot give up a message")?;
        Ok(())
    }
}
