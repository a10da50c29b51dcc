//! Messages that agents have sent to their callers: that there was one, so that an order that is given again sends no second one.

use crate::Store;
use crate::items::{number, text};
use anyhow::Context;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use internal_api::keys;

/// Who may send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageClaim {
    /// Who asked, and nobody else.
    Yours,
    /// Nobody: it was sent.
    Sent,
    /// Nobody: somebody set out to send it, and what came of it is not known.
    Begun,
}

/// The attribute that has the id of the order for a message.
const ORDER: &str = "order";

/// The attribute that has the call of a message.
const CALL_REF: &str = "call_ref";

/// The attribute that says that a message was sent.
const IS_SENT: &str = "is_sent";

impl Store {
    /// Asks to be the one who sends this message of a call.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn claim_message(&self, call_ref: &str, id: &str, now_ms: u64) -> anyhow::Result<MessageClaim> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .item("pk", text(keys::call(call_ref)))
            .item("sk", text(keys::sent(id)))
            .item(keys::TTL, number(keys::forget_at(now_ms)))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", "pk")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(MessageClaim::Yours) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(there)) => {
                let is_sent = there.item().is_some_and(|item| item.contains_key(IS_SENT));
                Ok(if is_sent { MessageClaim::Sent } else { MessageClaim::Begun })
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

    /// Keeps by which name Meta may say later that a message of a call failed; `id` is that of the order, empty for none.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn note_message_ref(
        &self,
        call_ref: &str,
        message: &str,
        id: &str,
        now_ms: u64,
    ) -> anyhow::Result<()> {
        let forget_at = number(keys::forget_at(now_ms));
        let of_call = Put::builder().item("pk", text(keys::call(call_ref)));
        let of_call = of_call.item("sk", text(keys::message(message))).item(ORDER, text(id));
        let own = Put::builder().item("pk", text(keys::message(message)));
        let own = own.item("sk", text(keys::OF_CALL)).item(CALL_REF, text(call_ref));
        let writes = [of_call, own].map(|put| {
            let put = put.item(keys::TTL, forget_at.clone()).table_name(&self.table);
            TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
        });
        let write = self.client.transact_write_items().set_transact_items(Some(writes.to_vec()));
        write.send().await.context("cannot keep the name of a message")?;
        Ok(())
    }

    /// The call of a message, if it is one of ours.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn call_of_message(&self, message: &str) -> anyhow::Result<Option<String>> {
        self.part_of(keys::message(message), keys::OF_CALL.to_owned(), CALL_REF).await
    }

    /// The id of the order by which a message of a call was sent; empty when no agent had asked for it.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn order_of_message(&self, call_ref: &str, message: &str) -> anyhow::Result<Option<String>> {
        self.part_of(keys::call(call_ref), keys::message(message), ORDER).await
    }

    async fn part_of(&self, pk: String, sk: String, name: &str) -> anyhow::Result<Option<String>> {
        let item = self.item(&pk, &sk).await.context("cannot look a message up")?;
        Ok(item.and_then(|item| item.get(name)?.as_s().ok().cloned()))
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
