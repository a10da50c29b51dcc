//! The end of a call that ended here: call-control is told until it has heard it.

use call::Ending;
use ledger::CallControl;
use protocol::order::Order;
use std::time::Duration;

/// So long one report may take: call-control may be waiting for Meta.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before an unanswered report is made again.
const REPORT_AGAIN: Duration = Duration::from_secs(2);

/// So often the end is reported. After that it is for whoever finds the call overdue.
const REPORTS: u32 = 30;

/// Tells call-control that a call is over, and why.
pub(super) async fn report(control: &CallControl, call_ref: String, fence: u64, ending: Ending) {
    let order = Order::TaskEnded { call_ref, fence, ending: word(ending) };
    for _ in 0..REPORTS {
        match tokio::time::timeout(PATIENCE, control.ask(&order)).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => tracing::warn!("Call-control did not hear of the end yet: {error:#}"),
            Err(_) => tracing::warn!("Call-control took too long to hear of the end"),
        }
        tokio::time::sleep(REPORT_AGAIN).await;
    }
}

fn word(ending: Ending) -> String {
    let word = serde_json::to_value(ending).ok().and_then(|word| word.as_str().map(str::to_owned));
    word.expect("an ending is written as a word")
}
