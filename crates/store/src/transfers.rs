//! Limits transfers: one a call, and so many a day of a number's calls.

use crate::error::{Context, Result};
use crate::items::{number, text};
use crate::{BudgetedAction, Store, keys, retry};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use call::{CallRef, NumberId};

/// The result of a claim to transfer a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferClaim {
    /// The claimer may ask for the transfer; no one else may, ever.
    Yours,
    /// The same order was claimed before: the transfer was asked for, or is being asked for.
    Repeated,
    /// Another transfer of the call was claimed before.
    Used,
}

/// The attribute with the id of the order for a transfer.
const ORDER: &str = "order";

impl Store {
    /// Claims the one transfer of a call for an order.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn claim_transfer(&self, call_ref: &CallRef, id: &str, now_ms: u64) -> Result<TransferClaim> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .item("pk", text(keys::call(call_ref)))
            .item("sk", text(keys::TRANSFER))
            .item(ORDER, text(id))
            .item(keys::TTL, number(keys::forget_at(now_ms)))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", "pk")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(TransferClaim::Yours) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(there)) => {
                let claimed_for = there.item().and_then(|item| item.get(ORDER)?.as_s().ok());
                let is_same = claimed_for.is_some_and(|order| order == id);
                Ok(if is_same { TransferClaim::Repeated } else { TransferClaim::Used })
            }
            Some(_) | None => Err(error).context("cannot claim a transfer"),
        }
    }

    /// Counts a transfer of a number's call on a day, `yyyy-mm-dd`, and returns whether it is allowed: not if there were `most` that day.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn may_transfer(&self, of: &NumberId, day: &str, most: u32) -> Result<bool> {
        if most == 0 {
            return Ok(false);
        }
        let update = self.update_of(keys::spent(of), keys::day(day));
        let update = update
            .update_expression("ADD #transfer :one")
            .condition_expression("attribute_not_exists(#transfer) OR #transfer < :most")
            .expression_attribute_names("#transfer", BudgetedAction::Transfer.name())
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(most.into()));
        let counted = retry::while_contended(retry::WAITED_FOR, || {
            let update = update.clone();
            async { update.send().await.if_condition_holds("cannot count a transfer") }
        });
        Ok(counted.await?.is_some())
    }
}
