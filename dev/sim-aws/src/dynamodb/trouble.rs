//! Decides the outcome of each request to DynamoDB while a fault is injected.

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

/// What a program sees of a DynamoDB that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Its connection is cut without an answer, as when nothing listens there.
    Cut,
    /// No answer ever comes; when DynamoDB is back, the connection is cut.
    Silent,
    /// `InternalServerError`, status 500.
    Failing,
}

/// Why DynamoDB cancels a transaction for its first item, as far as mischief goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
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

impl Cancelled {
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

/// The outcome of one request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is carried out, after a while.
    Reached { after: Duration },
    /// It is refused.
    Refused(Refusal),
    /// It is a transaction, and is cancelled for its first item.
    Cancelled(Cancelled),
    /// Its connection is cut.
    Cut,
    /// It waits until DynamoDB is back, and then its connection is cut.
    Silenced,
    /// It is carried out, and its connection is cut before the answer.
    Unanswered,
}

/// The trouble there is. It meets the children of the cloud; the rehearsal's own clients are spared.
#[derive(Debug)]
pub(crate) struct Trouble {
    plan: Mutex<Plan>,
    outage: watch::Sender<Option<Outage>>,
}

#[derive(Debug)]
struct Plan {
    throttles: usize,
    cancelled: (usize, Cancelled),
    unanswered: usize,
    throttled_share: f64,
    rng: Rng,
    delay: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    how: Gone,
    until: Instant,
}

impl Trouble {
    pub(super) fn new(seed: u64) -> Self {
        let (throttled_share, delay, rng) = (0.0, Duration::ZERO, Rng::with_seed(seed));
        let cancelled = (0, Cancelled::Conflict);
        let plan = Plan { throttles: 0, cancelled, unanswered: 0, throttled_share, rng, delay };
        Self { plan: Mutex::new(plan), outage: watch::Sender::default() }
    }

    pub(crate) fn throttle(&self, times: usize) {
        self.plan().throttles = times;
    }

    pub(crate) fn throttle_share(&self, share: f64) {
        self.plan().throttled_share = share;
    }

    pub(crate) fn cancel(&self, times: usize, why: Cancelled) {
        self.plan().cancelled = (times, why);
    }

    pub(crate) fn leave_unanswered(&self, times: usize) {
        self.plan().unanswered = times;
    }

    pub(crate) fn delay(&self, delay: Duration) {
        self.plan().delay = delay;
    }

    pub(crate) fn begin_outage(&self, how: Gone, lasts: Duration) {
        self.outage.send_replace(Some(Outage { how, until: Instant::now() + lasts }));
    }

    pub(crate) fn end_outage(&self) {
        self.outage.send_replace(None);
    }

    /// Decides about one request.
    pub(super) fn fate(&self, asker: &str, action: &str) -> Fate {
        if asker == OUTSIDER {
            return Fate::Reached { after: Duration::ZERO };
        }
        let outage = self.outage.borrow().filter(|outage| outage.until > Instant::now());
        match outage.map(|outage| outage.how) {
            Some(Gone::Cut) => Fate::Cut,
            Some(Gone::Silent) => Fate::Silenced,
            Some(Gone::Failing) => Fate::Refused(failure()),
            None => self.plan().fate(action),
        }
    }

    /// Resolves when DynamoDB is back.
    pub(super) async fn over(&self) {
        let mut outage = self.outage.subscribe();
        loop {
            let Some(Outage { until, .. }) = *outage.borrow_and_update() else { return };
            tokio::select! {
                () = sleep_until(until) => return,
                Ok(()) = outage.changed() => {}
            }
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().expect("no thread panics while planning trouble")
    }
}

impl Plan {
    fn fate(&mut self, action: &str) -> Fate {
        if take(&mut self.throttles) || self.rng.f64() < self.throttled_share {
            return Fate::Refused(throttled());
        }
        if action == "TransactWriteItems" && take(&mut self.cancelled.0) {
            return Fate::Cancelled(self.cancelled.1);
        }
        if take(&mut self.unanswered) {
            return Fate::Unanswered;
        }
        Fate::Reached { after: self.delay }
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
pub(super) fn cancelled(request: &Value, why: Cancelled) -> Response {
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

    const REACHED: Fate = Fate::Reached { after: Duration::ZERO };

    #[test]
    fn without_trouble_every_request_is_carried_out() {
        assert_eq!(Trouble::new(0).fate("webhook-1", "PutItem"), REACHED);
    }

    #[test]
    fn the_rehearsal_itself_meets_no_trouble() {
        let trouble = Trouble::new(0);
        trouble.throttle(1);

        assert_eq!(trouble.fate(OUTSIDER, "PutItem"), REACHED);
        assert_eq!(trouble.fate("webhook-1", "PutItem"), Fate::Refused(throttled()));
        assert_eq!(trouble.fate("webhook-1", "PutItem"), REACHED);
    }

    #[test]
    fn only_transactions_are_cancelled() {
        let trouble = Trouble::new(0);
        trouble.cancel(1, Cancelled::Validation);

        assert_eq!(trouble.fate("webhook-1", "PutItem"), REACHED);
        let cancelled = Fate::Cancelled(Cancelled::Validation);
        assert_eq!(trouble.fate("webhook-1", "TransactWriteItems"), cancelled);
        assert_eq!(trouble.fate("webhook-1", "TransactWriteItems"), REACHED);
    }

    #[test]
    fn the_same_seed_throttles_the_same_requests() {
        let fates = |seed| {
            let trouble = Trouble::new(seed);
            trouble.throttle_share(0.3);
            (0..32).map(|_| trouble.fate("webhook-1", "PutItem")).collect::<Vec<_>>()
        };

        assert_eq!(fates(1), fates(1));
        assert!(fates(1).contains(&REACHED) && fates(1).contains(&Fate::Refused(throttled())));
    }

    #[test]
    fn an_outage_ends_by_itself_or_when_told() {
        let trouble = Trouble::new(0);

        trouble.begin_outage(Gone::Cut, Duration::ZERO);
        assert_eq!(trouble.fate("webhook-1", "PutItem"), REACHED);
        trouble.begin_outage(Gone::Silent, Duration::from_secs(60));
        assert_eq!(trouble.fate("webhook-1", "PutItem"), Fate::Silenced);
        trouble.end_outage();
        assert_eq!(trouble.fate("webhook-1", "PutItem"), REACHED);
    }
}
