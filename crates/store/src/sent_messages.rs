//! Records that an agent's message was sent to the caller, so that a repeated order sends no second one.

use crate::Store;
use crate::error::{Context, Result};
use crate::items::{number, text};
use crate::keys;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use call::CallRef;

/// The result of a claim to send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageClaim {
    /// The claimer may send it; no one else may.
    Yours,
    /// It was sent already.
    Sent,
    /// Another process began to send it, and the outcome is unknown.
    Begun,
}

/// The attribute with the id of the order for a message.
const ORDER: &str = "order";

/// The attribute with the call of a message.
const CALL_REF: &str = "call_ref";

/// The attribute that a sent message has.
const IS_SENT: &str = "is_sent";

impl Store {
    /// Claims the right to send a message of a call: one process gets it.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn claim_message(&self, call_ref: &CallRef, id: &str, now_ms: u64) -> Result<MessageClaim> {
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

    /// Records that a claimed message was sent.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn note_message_sent(&self, call_ref: &CallRef, id: &str) -> Result<()> {
        let update = self.update_of(keys::call(call_ref), keys::sent(id));
        let update = update
            .update_expression("SET #sent = :sent")
            .expression_attribute_names("#sent", IS_SENT)
            .expression_attribute_values(":sent", aws_sdk_dynamodb::types::AttributeValue::Bool(true));
        update.send().await.context("cannot record a sent message")?;
        Ok(())
    }

    /// Records the id that Meta uses to report later that a message of a call failed; `id` is that of the order, empty without one.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn note_message_ref(
        &self,
        call_ref: &CallRef,
        message: &str,
        id: &str,
        now_ms: u64,
    ) -> Result<()> {
        let forget_at = number(keys::forget_at(now_ms));
        let of_call = Put::builder().item("pk", text(keys::call(call_ref)));
        let of_call = of_call.item("sk", text(keys::message(message))).item(ORDER, text(id));
        let own = Put::builder().item("pk", text(keys::message(message)));
        let own = own.item("sk", text(keys::OF_CALL)).item(CALL_REF, text(call_ref.as_str()));
        let writes = [of_call, own].map(|put| {
            let put = put.item(keys::TTL, forget_at.clone()).table_name(&self.table);
            TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
        });
        let write = self.client.transact_write_items().set_transact_items(Some(writes.to_vec()));
        write.send().await.context("cannot record the id of a message")?;
        Ok(())
    }

    /// Returns the call of a message, if the message is known.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn call_of_message(&self, message: &str) -> Result<Option<CallRef>> {
        let call_ref = self.attribute(keys::message(message), keys::OF_CALL.to_owned(), CALL_REF).await?;
        Ok(call_ref.map(CallRef::from))
    }

    /// Returns the id of the order for a message of a call; empty when no agent ordered it.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn order_of_message(&self, call_ref: &CallRef, message: &str) -> Result<Option<String>> {
        self.attribute(keys::call(call_ref), keys::message(message), ORDER).await
    }

    async fn attribute(&self, pk: String, sk: String, name: &str) -> Result<Option<String>> {
        let item = self.item(&pk, &sk).await.context("cannot look up a message")?;
        Ok(item.and_then(|item| item.get(name)?.as_s().ok().cloned()))
    }

    /// Gives up a claim: the message was certainly not sent, and another order may send it.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn release_message_claim(&self, call_ref: &CallRef, id: &str) -> Result<()> {
        let delete = self.delete_of(keys::call(call_ref), keys::sent(id));
        delete.send().await.context("cannot give up the claim to a message")?;
        Ok(())
    }
}
