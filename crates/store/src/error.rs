//! Why a request to the table failed: the one place that knows DynamoDB's error codes, those of a cancelled transaction included.

use crate::items::ItemError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use std::error::Error;
use std::fmt::{self, Debug};

/// Error codes of a write that can never succeed: it is invalid or too large.
const PERMANENT: [&str; 3] = ["ValidationE", "ItemCollectionSizeLimitExceeded", "SerializationE"];

/// Error codes of missing permissions, or of a table that does not exist.
const DENIED: [&str; 5] =
    ["AccessDenied", "ResourceNotFound", "UnrecognizedClient", "InvalidSignature", "MissingAuthentication"];

/// Error codes of an item that another transaction is changing.
const CONFLICT: [&str; 3] = ["TransactionConflict", "TransactionInProgress", "ReplicatedWriteConflict"];

/// Error codes of throttling.
const THROTTLED: [&str; 3] = ["Throttling", "ProvisionedThroughput", "RequestLimit"];

/// The error code of a failed condition check.
const CONDITION: &str = "ConditionalCheckFailed";

/// The result of a request to the table.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A request to the table that failed: what could not be done, and of which kind the failure is. Its source is DynamoDB's own error.
#[derive(Debug)]
pub struct StoreError {
    operation: &'static str,
    kind: ErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

/// The kind of a failure, which says whether a repeat can help. Except after [`ErrorKind::Unavailable`], nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// A condition check failed: for each item of the request, whether its condition did.
    Condition(Vec<bool>),
    /// Another transaction is changing an item: DynamoDB's error code. Whether conditions hold is not known.
    Conflict(String),
    /// DynamoDB throttles requests: its error code.
    Throttled(String),
    /// The same request can never succeed: DynamoDB's error code.
    Permanent(String),
    /// Only an operator can correct the cause: DynamoDB's error code.
    Denied(String),
    /// DynamoDB did not respond, or failed internally. A write may have been done.
    Unavailable,
    /// An item does not have the shape that this release knows.
    Unreadable,
    /// The counted spending of a call is not what its owner has counted: the same outcome can never be written.
    SpendingConflict,
}

impl StoreError {
    /// Returns the kind of the failure.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Whether a condition check failed.
    pub(crate) fn is_condition(&self) -> bool {
        matches!(self.kind, ErrorKind::Condition(_))
    }

    /// Returns an error about an item that cannot be used as it is.
    pub(crate) fn unreadable(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { operation: "cannot parse an item", kind: ErrorKind::Unreadable, source: why.into() }
    }

    /// Returns the error of an owner whose spending was counted otherwise.
    pub(crate) fn spending_conflict() -> Self {
        let why = "the counted spending of a call is not what its owner has counted";
        Self {
            operation: "cannot write the outcome of a call",
            kind: ErrorKind::SpendingConflict,
            source: why.into(),
        }
    }
}

impl fmt::Display for StoreError {
    /// Names the operation, and with `{:#}` also the causes, as `anyhow` does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        let mut cause = self.source().filter(|_| f.alternate());
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// Names the operation that failed, and classifies the failure.
pub(crate) trait Context<T> {
    /// Returns the result, with an error that says what could not be done.
    fn context(self, operation: &'static str) -> Result<T>;

    /// Returns `None` where a condition check failed, and any other error as [`context`](Self::context) does.
    fn if_condition_holds(self, operation: &'static str) -> Result<Option<T>>
    where
        Self: Sized,
    {
        match self.context(operation) {
            Ok(done) => Ok(Some(done)),
            Err(error) if error.is_condition() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<T, E, R> Context<T> for Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    fn context(self, operation: &'static str) -> Result<T> {
        self.map_err(|error| {
            let code = error.code().unwrap_or_default().to_owned();
            let source: Box<dyn Error + Send + Sync> = Box::new(error);
            let cancelled = source.downcast_ref().and_then(cancellation_codes);
            let kind = ErrorKind::of_codes(&cancelled.unwrap_or_else(|| vec![code.as_str()]));
            StoreError { operation, kind, source }
        })
    }
}

impl<T> Context<T> for Result<T> {
    fn context(self, operation: &'static str) -> Result<T> {
        self.map_err(|error| StoreError { operation, ..error })
    }
}

impl<T> Context<T> for Result<T, ItemError> {
    fn context(self, operation: &'static str) -> Result<T> {
        self.map_err(StoreError::from).context(operation)
    }
}

impl From<ItemError> for StoreError {
    fn from(error: ItemError) -> Self {
        Self::unreadable(error)
    }
}

/// Returns the error codes of the items of a cancelled transaction, in the order of its writes.
fn cancellation_codes(error: &SdkError<TransactWriteItemsError>) -> Option<Vec<&str>> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let reasons = cancelled.cancellation_reasons().iter();
            Some(reasons.map(|reason| reason.code().unwrap_or_default()).collect())
        }
        _ => None,
    }
}

impl ErrorKind {
    /// Classifies the error codes of the items, or that of the whole request.
    fn of_codes(codes: &[&str]) -> Self {
        let find = |known: &[&str]| {
            let found = codes.iter().find(|code| known.iter().any(|known| code.starts_with(known)));
            found.map(|code| (*code).to_owned())
        };
        if let Some(code) = find(&PERMANENT) {
            return Self::Permanent(code);
        }
        if let Some(code) = find(&DENIED) {
            return Self::Denied(code);
        }
        // A conflict does not tell whether conditions hold: the other transaction may still fail.
        if let Some(code) = find(&CONFLICT) {
            return Self::Conflict(code);
        }
        if let Some(code) = find(&THROTTLED) {
            return Self::Throttled(code);
        }
        let conditions: Vec<bool> = codes.iter().map(|code| code.starts_with(CONDITION)).collect();
        if conditions.contains(&true) { Self::Condition(conditions) } else { Self::Unavailable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_condition_check_names_its_item() {
        let first = ErrorKind::of_codes(&["None", "ConditionalCheckFailed"]);
        assert_eq!(first, ErrorKind::Condition(vec![false, true]));
        let whole = ErrorKind::of_codes(&["ConditionalCheckFailedException"]);
        assert_eq!(whole, ErrorKind::Condition(vec![true]));
        let conflict = ErrorKind::of_codes(&["ConditionalCheckFailed", "TransactionConflict"]);
        assert_eq!(conflict, ErrorKind::Conflict("TransactionConflict".into()));
    }

    #[test]
    fn validation_and_throttling_are_no_conflicts() {
        for code in ["ValidationError", "ValidationException", "ItemCollectionSizeLimitExceeded"] {
            assert_eq!(ErrorKind::of_codes(&["None", code]), ErrorKind::Permanent(code.into()));
        }
        for code in ["ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"] {
            assert_eq!(ErrorKind::of_codes(&[code, "None"]), ErrorKind::Throttled(code.into()));
        }
        for code in ["TransactionConflictException", "TransactionInProgressException"] {
            assert_eq!(ErrorKind::of_codes(&[code]), ErrorKind::Conflict(code.into()));
        }
    }

    #[test]
    fn a_missing_permission_is_not_an_internal_error() {
        assert_eq!(
            ErrorKind::of_codes(&["AccessDeniedException"]),
            ErrorKind::Denied("AccessDeniedException".into())
        );
        for code in ["", "InternalServerError", "ExpiredTokenException"] {
            assert_eq!(ErrorKind::of_codes(&[code]), ErrorKind::Unavailable, "{code}");
        }
    }
}
