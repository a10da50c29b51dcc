//! The outcome of a call that ends, for the business: written with the call's state, and delivered by the outbox.

use crate::Switchboard;
use crate::handled_call::HandledCall;
use agents::Agent;
use store::{OutboxEvent, OutboxItem, OutboxKey, StoredCall};

impl Switchboard {
    /// Returns the outcome to write with a call that this save ends, if the agent's file asks for it. Where the file cannot be read or
    /// parsed, or is missing, the outbox decides.
    pub(crate) async fn outcome(&self, before: &StoredCall, handled: &HandledCall) -> Option<OutboxItem> {
        let record = &handled.record;
        if before.call.has_ended() {
            return None;
        }
        let mut outcome = OutboxItem::of_ended(record, None, self.now().0)?;
        match self.agent_of(handled).await {
            Ok(resolved) => {
                let named = self.agent_name_of(handled).await.filter(|name| *name != resolved.agent.name);
                if named.is_some() {
                    // Another agent took the call.
                    outcome.agent = named;
                    return Some(outcome);
                }
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

    /// Returns the name of the agent whose call it is: the one that the business's lookup chose, else that of the number.
    async fn agent_name_of(&self, handled: &HandledCall) -> Option<String> {
        if let Some(chosen) = handled.record.chosen_agent() {
            return Some(chosen.to_owned());
        }
        // It was read for the agent before.
        self.number_settings(handled).await.ok()?.agent.clone()
    }

    /// Has the outbox deliver the outcome that was saved with a call's end, if it is due. Where it cannot be invoked, its schedule delivers.
    pub(crate) async fn deliver_outcome(&self, outcome: &OutboxItem) {
        let Some(outbox) = &self.outbox else { return };
        let call_ref = outcome.call_ref();
        if !self.is_due(outcome).await {
            return;
        }
        if let Err(error) = outbox.deliver(call_ref.clone()).await {
            tracing::warn!(%call_ref, "cannot invoke the outbox, its schedule delivers the outcome: {error:#}");
        }
    }

    /// Whether an outcome is due: one that waits for a summary is as well, if its task concluded before the call's end was saved.
    async fn is_due(&self, outcome: &OutboxItem) -> bool {
        let now_ms = self.now().0;
        let is_due = |outcome: &OutboxItem| outcome.due_ms().is_some_and(|due_ms| due_ms <= now_ms);
        if is_due(outcome) {
            return true;
        }
        let call_ref = outcome.call_ref();
        match self.store.outbox_of(&call_ref).await {
            Ok(saved) => saved.iter().any(|saved| saved.key() == outcome.key() && is_due(saved)),
            Err(error) => {
                tracing::warn!(%call_ref, "cannot read whether an outcome is due, the outbox's schedule delivers it: {error:#}");
                false
            }
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
