//! Classifies DynamoDB's errors on writes: the one place that knows its error codes, those of a cancelled transaction included.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use std::error::Error;

/// Error codes of a write that can never succeed: it is invalid or too large.
const UNFIT: [&str; 3] = ["ValidationE", "ItemCollectionSizeLimitExceeded", "SerializationE"];

/// Error codes of missing permissions, or of a table that does not exist.
const DENIED: [&str; 5] =
    ["AccessDenied", "ResourceNotFound", "UnrecognizedClient", "InvalidSignature", "MissingAuthentication"];

/// Error codes of an item that another transaction is changing.
const CONFLICT: [&str; 3] = ["TransactionConflict", "TransactionInProgress", "ReplicatedWriteConflict"];

/// Error codes of throttling.
const BUSY: [&str; 3] = ["Throttling", "ProvisionedThroughput", "RequestLimit"];

/// The error code of a failed condition check.
const CONDITION: &str = "ConditionalCheckFailed";

/// Why DynamoDB refused a write. Except for [`WriteError::Unanswered`], nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// A condition check failed: for each item of the request, whether its condition did.
    Condition(Vec<bool>),
    /// Another transaction is changing an item: DynamoDB's error code. Whether conditions hold is not known.
    Conflict(String),
    /// DynamoDB throttles requests: its error code.
    Busy(String),
    /// The same request can never succeed: DynamoDB's error code.
    Unfit(String),
    /// Only an operator can correct the cause: DynamoDB's error code.
    Denied(String),
    /// DynamoDB did not respond, or failed internally. The write may have been done.
    Unanswered,
}

impl WriteError {
    /// Classifies the error of a request for one item.
    pub fn of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Self {
        Self::of_codes(&[error.code().unwrap_or_default()])
    }

    /// Classifies the error of `TransactWriteItems`: a cancelled transaction has a reason for each item.
    pub fn of_transaction<R>(error: &SdkError<TransactWriteItemsError, R>) -> Self {
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons().iter();
                Self::of_codes(&reasons.map(|reason| reason.code().unwrap_or_default()).collect::<Vec<_>>())
            }
            Some(_) | None => Self::of(error),
        }
    }

    /// Classifies an error that a write of this crate returned.
    pub fn of_write(error: &anyhow::Error) -> Self {
        error.chain().find_map(of_cause).unwrap_or(Self::Unanswered)
    }

    /// Classifies the error codes of the items, or that of the whole request.
    fn of_codes(codes: &[&str]) -> Self {
        let find = |known: &[&str]| {
            let found = codes.iter().find(|code| known.iter().any(|known| code.starts_with(known)));
            found.map(|code| (*code).to_owned())
        };
        if let Some(code) = find(&UNFIT) {
            return Self::Unfit(code);
        }
        if let Some(code) = find(&DENIED) {
            return Self::Denied(code);
        }
        // A conflict does not tell whether conditions hold: the other transaction may still fail.
        if let Some(code) = find(&CONFLICT) {
            return Self::Conflict(code);
        }
        if let Some(code) = find(&BUSY) {
            return Self::Busy(code);
        }
        let conditions: Vec<bool> = codes.iter().map(|code| code.starts_with(CONDITION)).collect();
        if conditions.contains(&true) { Self::Condition(conditions) } else { Self::Unanswered }
    }
}

fn of_cause(cause: &(dyn Error + 'static)) -> Option<WriteError> {
    let transaction =
        cause.downcast_ref::<SdkError<TransactWriteItemsError>>().map(WriteError::of_transaction);
    let put = || cause.downcast_ref::<SdkError<PutItemError>>().map(WriteError::of);
    let update = || cause.downcast_ref::<SdkError<UpdateItemError>>().map(WriteError::of);
    let delete = || cause.downcast_ref::<SdkError<DeleteItemError>>().map(WriteError::of);
    transaction.or_else(put).or_else(update).or_else(delete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_condition_check_names_its_item() {
        let first = WriteError::of_codes(&["None", "ConditionalCheckFailed"]);
        assert_eq!(first, WriteError::Condition(vec![false, true]));
        let whole = WriteError::of_codes(&["ConditionalCheckFailedException"]);
        assert_eq!(whole, WriteError::Condition(vec![true]));
        let conflict = WriteError::of_codes(&["ConditionalCheckFailed", "TransactionConflict"]);
        assert_eq!(conflict, WriteError::Conflict("TransactionConflict".into()));
    }

    #[test]
    fn validation_and_throttling_are_no_conflicts() {
        for code in ["ValidationError", "ValidationException", "ItemCollectionSizeLimitExceeded"] {
            assert_eq!(WriteError::of_codes(&["None", code]), WriteError::Unfit(code.into()));
        }
        for code in ["ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"] {
            assert_eq!(WriteError::of_codes(&[code, "None"]), WriteError::Busy(code.into()));
        }
        for code in ["TransactionConflictException", "TransactionInProgressException"] {
            assert_eq!(WriteError::of_codes(&[code]), WriteError::Conflict(code.into()));
        }
    }

    #[test]
    fn a_missing_permission_is_not_an_internal_error() {
        assert_eq!(
            WriteError::of_codes(&["AccessDeniedException"]),
            WriteError::Denied("AccessDeniedException".into())
        );
        for code in ["", "InternalServerError", "ExpiredTokenException"] {
            assert_eq!(WriteError::of_codes(&[code]), WriteError::Unanswered, "{code}");
        }
    }
}
