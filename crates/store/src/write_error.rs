//! Reads why DynamoDB did not do what it was asked: the one place that knows its codes, those of a cancelled transaction included.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use std::error::Error;

/// Codes of a write that can never succeed: it is not valid, or too large.
const UNFIT: [&str; 3] = ["ValidationE", "ItemCollectionSizeLimitExceeded", "SerializationE"];

/// Codes of a process without the right, or of a table that is not there.
const DENIED: [&str; 5] =
    ["AccessDenied", "ResourceNotFound", "UnrecognizedClient", "InvalidSignature", "MissingAuthentication"];

/// Codes of an item that another transaction is at work on.
const CONFLICT: [&str; 3] = ["TransactionConflict", "TransactionInProgress", "ReplicatedWriteConflict"];

/// Codes of too many requests.
const BUSY: [&str; 3] = ["Throttling", "ProvisionedThroughput", "RequestLimit"];

/// The code of a condition that does not hold.
const CONDITION: &str = "ConditionalCheckFailed";

/// Why DynamoDB did not do what it was asked. But for [`Refusal::Unanswered`], nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// A condition does not hold. For each item of the request, whether it is that one's.
    Condition(Vec<bool>),
    /// Another transaction is at work on an item: DynamoDB's code. Whether a condition holds is not known.
    Conflict(String),
    /// There are too many requests for now: DynamoDB's code.
    Busy(String),
    /// The same request can never succeed: DynamoDB's code.
    Unfit(String),
    /// Only an operator can change it: DynamoDB's code.
    Denied(String),
    /// There was no answer, or a fault of DynamoDB's own. The write may have been done.
    Unanswered,
}

impl WriteError {
    /// Reads the error of a request for one item.
    pub fn of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Self {
        Self::of_codes(&[error.code().unwrap_or_default()])
    }

    /// Reads the error of `TransactWriteItems`: a cancelled one has a reason for each item.
    pub fn of_transaction<R>(error: &SdkError<TransactWriteItemsError, R>) -> Self {
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons().iter();
                Self::of_codes(&reasons.map(|reason| reason.code().unwrap_or_default()).collect::<Vec<_>>())
            }
            Some(_) | None => Self::of(error),
        }
    }

    /// Reads an error that a function of this crate returned for a write.
    pub fn of_write(error: &anyhow::Error) -> Self {
        error.chain().find_map(of_cause).unwrap_or(Self::Unanswered)
    }

    /// What the codes of the items, or the one of the whole request, mean.
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
        // A conflict says nothing about conditions: the other transaction may yet fail.
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
    fn only_a_failed_condition_is_a_condition() {
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
    fn a_missing_right_is_told_from_a_fault() {
        assert_eq!(
            WriteError::of_codes(&["AccessDeniedException"]),
            WriteError::Denied("AccessDeniedException".into())
        );
        for code in ["", "InternalServerError", "ExpiredTokenException"] {
            assert_eq!(WriteError::of_codes(&[code]), WriteError::Unanswered, "{code}");
        }
    }
}
