//! The end of a call for its owner: its sound is counted, the model let go, and call-control told until it has heard it.

use super::{Over, Owner, Parts, transmit};
use call::Ending;
use journal::Event;
use ledger::CallControl;
use protocol::order::Order;
use std::time::Duration;

/// So long one report may take: call-control may be waiting for Meta.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before an unanswered report is made again.
const REPORT_AGAIN: Duration = Duration::from_secs(2);

/// So often the end is reported. After that it is for whoever finds the call overdue.
const REPORTS: u32 = 30;

impl Owner {
    /// Leaves the call.
    pub(super) async fn leave(mut self, over: Over) {
        let meter = self.bridge.meter();
        let counted = Event::Media {
            received: meter.received,
            lost: meter.lost,
            recovered: meter.recovered,
            sent: meter.sent,
            late_p99_ms: meter.late.percentile(99),
            unsent_to_agent: self.parts.agent.dropped(),
        };
        self.note(counted);
        let Parts { agent, mut peer, socket, control, call_ref, fence, .. } = self.parts;
        // The model's session ends with the conversation, however long the rest takes.
        drop(agent);
        if let Over::Because(ending) = over {
            report(&control, call_ref, fence, ending).await;
        }
        peer.close();
        transmit(&mut peer, &socket);
    }
}

/// Tells call-control that a call is over, and why.
async fn report(control: &CallControl, call_ref: String, fence: u64, ending: Ending) {
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
