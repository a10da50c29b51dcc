//! Decides the outcome of each request to DynamoDB while faults are injected.

use crate::environment::OUTSIDER;
use crate::refusal::Refusal;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fastrand::Rng;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// What a program sees of a DynamoDB that is unreachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Its connection is cut without an answer, as when nothing listens there.
    Cut,
    /// No answer ever comes; when DynamoDB is back, the connection is cut.
    Silent,
    /// `InternalServerError`, status 500.
    Failing,
}

/// Why DynamoDB cancels a transaction for its first item, as an injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancellationReason {
    /// Another transaction is at work on it.
    Conflict,
    /// It is not valid: too large, say.
    Validation,
    /// Its table or index is throttled.
    Throttling,
    /// Its table's provisioned throughput is used up.
    Throughput,
    /// The items of its partition key are too large together, which only tables with local indexes know.
    CollectionSize,
}

impl CancellationReason {
    fn code_and_message(self) -> (&'static str, &'static str) {
        match self {
            Self::Conflict => ("TransactionConflict", "Transaction is ongoing for the item"),
            Self::Validation => {
                ("ValidationError", "Item size to update has exceeded the maximum allowed size")
            }
            Self::Throttling => {
                ("ThrottlingError", "Throughput exceeds the current capacity of your table or index")
            }
            Self::Throughput => (
                "ProvisionedThroughputExceeded",
                "The level of configured provisioned throughput for the table was exceeded",
            ),
            Self::CollectionSize => ("ItemCollectionSizeLimitExceeded", "Collection size exceeded"),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is carried out, after a while.
    Reached {
        after: Duration,
    },
    Refused(Refusal),
    /// It is a transaction, and is cancelled for its first item.
    Cancelled(CancellationReason),
    Cut,
    /// It waits until DynamoDB is back, and then its connection is cut.
    Silenced,
    /// It is carried out, and its connection is cut before the answer.
    Unanswered,
}

/// The faults injected into DynamoDB. They apply to the children of the cloud, not to the rehearsal's own clients.
#[derive(Debug)]
pub(crate) struct DynamoDbFaults {
    plan: Mutex<Plan>,
    outage: watch::Sender<Option<CurrentOutage>>,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) throttles: usize,
    pub(crate) cancelled: (usize, CancellationReason),
    pub(crate) unanswered: usize,
    pub(crate) throttled_share: f64,
    pub(crate) delay: Duration,
    rng: Rng,
}

#[derive(Debug, Clone, Copy)]
struct CurrentOutage {
    kind: Outage,
    until: Instant,
}

impl DynamoDbFaults {
    pub(super) fn new(seed: u64) -> Self {
        let (throttled_share, delay, rng) = (0.0, Duration::ZERO, Rng::with_seed(seed));
        let cancelled = (0, CancellationReason::Conflict);
        let plan = Plan { throttles: 0, cancelled, unanswered: 0, throttled_share, rng, delay };
        Self { plan: Mutex::new(plan), outage: watch::Sender::default() }
    }

    pub(crate) fn begin_outage(&self, kind: Outage, lasts: Duration) {
        self.outage.send_replace(Some(CurrentOutage { kind, until: Instant::now() + lasts }));
    }

    pub(crate) fn end_outage(&self) {
        self.outage.send_replace(None);
    }

    pub(super) fn outcome(&self, client: &str, action: &str) -> Outcome {
        if client == OUTSIDER {
            return Outcome::Reached { after: Duration::ZERO };
        }
        let outage = self.outage.borrow().filter(|outage| outage.until > Instant::now());
        match outage.map(|outage| outage.kind) {
            Some(Outage::Cut) => Outcome::Cut,
            Some(Outage::Silent) => Outcome::Silenced,
            Some(Outage::Failing) => Outcome::Refused(failure()),
            None => self.plan().outcome(action),
        }
    }

    pub(super) async fn outage_ended(&self) {
        let mut outage = self.outage.subscribe();
        loop {
            let Some(CurrentOutage { until, .. }) = *outage.borrow_and_update() else { return };
            tokio::select! {
                () = sleep_until(until) => return,
                Ok(()) = outage.changed() => {}
            }
        }
    }

    /// Returns what is to happen to the next requests, to be changed.
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().expect("no thread panics while planning faults")
    }
}

impl Plan {
    fn outcome(&mut self, action: &str) -> Outcome {
        if take(&mut self.throttles) || self.rng.f64() < self.throttled_share {
            return Outcome::Refused(throttled());
        }
        if action == "TransactWriteItems" && take(&mut self.cancelled.0) {
            return Outcome::Cancelled(self.cancelled.1);
        }
        if take(&mut self.unanswered) {
            return Outcome::Unanswered;
        }
        Outcome::Reached { after: self.delay }
    }
}

fn take(left: &mut usize) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

fn throttled() -> Refusal {
    let message = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.";
    Refusal::new("ProvisionedThroughputExceededException", message)
}

fn failure() -> Refusal {
    Refusal::new("InternalServerError", "Internal server error").with_status(500)
}

/// What DynamoDB says to a transaction that it cancels for its first item. One reason for each item.
pub(super) fn cancelled(request: &Value, why: CancellationReason) -> Response {
    let items = request["TransactItems"].as_array().map_or(1, Vec::len).max(1);
    let (first, message) = why.code_and_message();
    let mut codes = vec!["None"; items];
    codes[0] = first;
    let reason = |code: &&str| match *code {
        "None" => json!({"Code": "None"}),
        code => json!({"Code": code, "Message": message}),
    };
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": codes.iter().map(reason).collect::<Vec<_>>(),
        "Message": message,
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACHED: Outcome = Outcome::Reached { after: Duration::ZERO };

    #[test]
    fn without_trouble_every_request_is_carried_out() {
        assert_eq!(DynamoDbFaults::new(0).outcome("webhook-1", "PutItem"), REACHED);
    }

    #[test]
    fn the_rehearsal_itself_meets_no_trouble() {
        let faults = DynamoDbFaults::new(0);
        faults.plan().throttles = 1;

        assert_eq!(faults.outcome(OUTSIDER, "PutItem"), REACHED);
        assert_eq!(faults.outcome("webhook-1", "PutItem"), Outcome::Refused(throttled()));
        assert_eq!(faults.outcome("webhook-1", "PutItem"), REACHED);
    }

    #[test]
    fn only_transactions_are_cancelled() {
        let faults = DynamoDbFaults::new(0);
        faults.plan().cancelled = (1, CancellationReason::Validation);

        assert_eq!(faults.outcome("webhook-1", "PutItem"), REACHED);
        let cancelled = Outcome::Cancelled(CancellationReason::Validation);
        assert_eq!(faults.outcome("webhook-1", "TransactWriteItems"), cancelled);
        assert_eq!(faults.outcome("webhook-1", "TransactWriteItems"), REACHED);
    }

    #[test]
    fn the_same_seed_throttles_the_same_requests() {
        let outcomes = |seed| {
            let faults = DynamoDbFaults::new(seed);
            faults.plan().throttled_share = 0.3;
            (0..32).map(|_| faults.outcome("webhook-1", "PutItem")).collect::<Vec<_>>()
        };

        assert_eq!(outcomes(1), outcomes(1));
        assert!(outcomes(1).contains(&REACHED) && outcomes(1).contains(&Outcome::Refused(throttled())));
    }

    #[test]
    fn an_outage_ends_by_itself_or_when_told() {
        let faults = DynamoDbFaults::new(0);

        faults.begin_outage(Outage::Cut, Duration::ZERO);
        assert_eq!(faults.outcome("webhook-1", "PutItem"), REACHED);
        faults.begin_outage(Outage::Silent, Duration::from_secs(60));
        assert_eq!(faults.outcome("webhook-1", "PutItem"), Outcome::Silenced);
        faults.end_outage();
        assert_eq!(faults.outcome("webhook-1", "PutItem"), REACHED);
    }
}
