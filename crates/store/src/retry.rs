//! The one retry policy of writes: again, after a pause, while DynamoDB throttles or another transaction is changing the item.
//!
//! The client retries requests that fail or are throttled as a whole, by the SDK's standard policy, which `service::cloud::config` leaves as
//! it is. A transaction that DynamoDB cancels is not retried by the SDK, because its reasons are per item, nor is a contended put: that is
//! done here.

use crate::error::{ErrorKind, Result};
use std::time::Duration;

/// The pauses before each retry, ms, of a write that a caller or Meta waits for. Another process that writes the same item is soon done.
pub(crate) const WAITED_FOR: &[u64] = &[20, 60, 150, 400];

/// The pauses before each retry, ms, of an item that many calls update, as all that end at the same time do.
pub(crate) const SHARED: &[u64] = &[20, 50, 100, 200, 400, 800];

/// Sends a write that depends on what was read before, again while it is throttled.
pub(crate) async fn while_throttled<T, F: Future<Output = Result<T>>>(
    pauses_ms: &[u64],
    send: impl Fn() -> F,
) -> Result<T> {
    retry(pauses_ms, send, |kind| matches!(kind, ErrorKind::Throttled(_))).await
}

/// Sends a write that does not depend on what was read before, again while it is throttled or in conflict.
pub(crate) async fn while_contended<T, F: Future<Output = Result<T>>>(
    pauses_ms: &[u64],
    send: impl Fn() -> F,
) -> Result<T> {
    retry(pauses_ms, send, |kind| matches!(kind, ErrorKind::Throttled(_) | ErrorKind::Conflict(_))).await
}

async fn retry<T, F: Future<Output = Result<T>>>(
    pauses_ms: &[u64],
    send: impl Fn() -> F,
    is_worth_it: fn(&ErrorKind) -> bool,
) -> Result<T> {
    for pause in pauses_ms {
        match send().await {
            Err(error) if is_worth_it(error.kind()) => {
                tokio::time::sleep(Duration::from_millis(*pause)).await;
            }
            done => return done,
        }
    }
    send().await
}
