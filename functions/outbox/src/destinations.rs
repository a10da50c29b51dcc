//! Where an event goes: the `[after]` table of its agent's file, each file read once an invocation.

use crate::Outbox;
use agents::{After, AfterEvent, Agent};
use std::collections::HashMap;
use std::sync::Arc;
use store::{OutboxEvent, OutboxItem};

/// The agents that events of this invocation are of, by name.
#[derive(Default)]
pub(crate) struct Destinations {
    agents: HashMap<String, Option<Arc<Agent>>>,
}

/// Where an event goes.
#[derive(Clone)]
pub(crate) struct Destination {
    pub(crate) agent: Arc<Agent>,
    pub(crate) after: After,
    pub(crate) what: AfterEvent,
}

/// What is known of where an event goes.
pub(crate) enum Addressee {
    Found(Box<Destination>),
    /// No file asks for it.
    Unwanted,
    /// The file or the event is of a later release.
    Unreadable,
}

impl Destinations {
    /// Returns where an event goes.
    pub(crate) async fn of(&mut self, outbox: &Outbox, item: &OutboxItem) -> store::Result<Addressee> {
        let Some(what) = item.event.known().map(after_event) else { return Ok(Addressee::Unreadable) };
        let Some(agent) = self.agent(outbox, item).await? else { return Ok(Addressee::Unreadable) };
        Ok(match agent.after.clone().filter(|after| after.on.contains(&what)) {
            Some(after) => Addressee::Found(Box::new(Destination { agent, after, what })),
            None => Addressee::Unwanted,
        })
    }

    /// Returns the agent of an event: the one that it names, else that of its number, else the deployment's own. `None` for a file that this
    /// release cannot read.
    async fn agent(&mut self, outbox: &Outbox, item: &OutboxItem) -> store::Result<Option<Arc<Agent>>> {
        let default = &outbox.default_agent;
        let assigned = match item.agent.clone() {
            Some(named) if named == default.name => Some(named),
            Some(named) if self.named(outbox, &named).await?.is_some() => Some(named),
            Some(_) | None => outbox.store.number(&item.number).await?.agent,
        };
        let Some(name) = assigned else { return Ok(Some(Arc::new(default.clone()))) };
        Ok(match self.named(outbox, &name).await? {
            Some(stored) => stored,
            None => Some(Arc::new(default.clone())),
        })
    }

    /// Returns the pushed agent with this name, if there is one.
    async fn named(&mut self, outbox: &Outbox, name: &str) -> store::Result<Option<Option<Arc<Agent>>>> {
        if let Some(known) = self.agents.get(name) {
            return Ok(Some(known.clone()));
        }
        let Some(stored) = outbox.store.agent(name).await? else { return Ok(None) };
        let agent = Agent::read(&stored.text).map(Arc::new);
        let agent = agent.inspect_err(|wrong| {
            tracing::error!(agent = name, "cannot parse agent {name}, its events wait: {wrong}")
        });
        Ok(Some(self.agents.entry(name.to_owned()).or_insert(agent.ok()).clone()))
    }
}

fn after_event(event: OutboxEvent) -> AfterEvent {
    match event {
        OutboxEvent::CallEnded => AfterEvent::CallEnded,
        OutboxEvent::CallRejected => AfterEvent::CallRejected,
        OutboxEvent::MessageTaken => AfterEvent::MessageTaken,
        OutboxEvent::CallbackRequested => AfterEvent::CallbackRequested,
        OutboxEvent::PersonWanted => AfterEvent::PersonWanted,
        OutboxEvent::SpendingNearCap => AfterEvent::NearCap,
    }
}
