//! Audits outcomes: the business took the outcome of each call that ended, under one id, and nothing waits in the outbox.

use harness::testbed::Testbed;
use local::eventually_every;
use service::time::now_ms;
use sim_business::Delivery;
use std::time::Duration;
use store::StoredCall;

/// How often the outbox is run until nothing waits.
const RUN_EVERY: Duration = Duration::from_secs(2);

/// How many events are looked at in a round.
const AT_MOST: u32 = 200;

/// Makes all that waits due, again and again, until the business has it, or this time is over.
pub(super) async fn deliver_all(testbed: &Testbed, within: Duration) -> anyhow::Result<()> {
    let store = &testbed.stack.store;
    eventually_every(RUN_EVERY, within, || async {
        let waiting = store.waiting_in_outbox(AT_MOST).await?;
        for item in &waiting {
            // One that is being delivered is left alone.
            store.deliver_again(&item.key(), now_ms()).await?;
        }
        testbed.stack.cloud.run_schedule("outbox").await?;
        Ok(waiting.is_empty().then_some(()))
    })
    .await?;
    Ok(())
}

/// Returns what is wrong with the outcome of a call: the business must have taken it, under one id.
pub(super) fn fault(record: Option<&StoredCall>, deliveries: &[Delivery]) -> Option<String> {
    let record = record.filter(|record| record.call.has_ended())?;
    let call_ref = record.call_ref();
    let of_it =
        deliveries.iter().filter(|it| it.body["call"] == call_ref.as_str() && it.answered == Some(200));
    let mut taken: Vec<&str> = of_it.map(|it| it.id.as_str()).collect();
    taken.dedup();
    let ids = ["call.ended", "call.rejected"].map(|event| format!("{call_ref}:{event}"));
    match &taken[..] {
        [one] if ids.iter().any(|id| id == one) => None,
        taken => Some(format!("the business was told its outcome as {taken:?}")),
    }
}
