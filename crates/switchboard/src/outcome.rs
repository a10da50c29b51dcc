//! The outcome of a call that ends, for the business: written with the call's state, and delivered by the outbox.

use crate::Switchboard;
use crate::handled_call::HandledCall;
use agents::Agent;
use call::CallRef;
use store::{OutboxEvent, OutboxItem, OutboxKey, StoredCall};

impl Switchboard {
    /// Returns the outcome to write with a call that this save ends, if the agent's file asks for it. Where the file cannot be read, the
    /// outbox reads it.
    pub(crate) async fn outcome(&self, before: &StoredCall, handled: &HandledCall) -> Option<OutboxItem> {
        let record = &handled.record;
        if before.call.has_ended() {
            return None;
        }
        let mut outcome = OutboxItem::of_ended(record, None, self.now().0)?;
        match self.agent_of(handled).await {
            Ok(resolved) => {
                outcome.agent = Some(resolved.agent.name.clone());
                tells(&resolved.agent, &outcome).then_some(outcome)
            }
            Err(error) => {
                let call_ref = record.call_ref();
                tracing::error!(
                    %call_ref,
                    "cannot read the agent of a call that has ended, its outcome is kept: {error:#}"
                );
                Some(outcome)
            }
        }
    }

    /// Has the outbox deliver an outcome that is due. Where it cannot be invoked, its schedule delivers.
    pub(crate) async fn deliver_outcome(&self, call_ref: CallRef) {
        let Some(outbox) = &self.outbox else { return };
        if let Err(error) = outbox.deliver(call_ref.clone()).await {
            tracing::warn!(%call_ref, "cannot invoke the outbox, its schedule delivers the outcome: {error:#}");
        }
    }

    /// Puts the event that four fifths of a day's money are spent into the outbox, if the agent's file asks for it.
    pub(crate) async fn tell_near_cap(&self, record: &StoredCall, agent: &Agent) {
        let key = OutboxKey::of(&record.call_ref(), OutboxEvent::SpendingNearCap);
        let event = OutboxItem::new(&key, &record.number, Some(&agent.name), self.now().0);
        if !tells(agent, &event) {
            return;
        }
        if let Err(error) = self.store.put_into_outbox(&event).await {
            let call_ref = record.call_ref();
            tracing::error!(%call_ref, "cannot put into the outbox that the day's cap is near: {error:#}");
        }
    }
}

/// Whether an agent's file asks for an event.
fn tells(agent: &Agent, event: &OutboxItem) -> bool {
    let event = event.event.to_string();
    agent.after.as_ref().is_some_and(|after| after.on.iter().any(|on| on.as_str() == event))
}
