//! Where an event goes: the `[after]` table of its agent's file, each file read once an invocation.

use crate::Outbox;
use agents::{After, AfterEvent, Agent, Extract};
use std::collections::HashMap;
use std::sync::Arc;
use store::{LoadedCall, OutboxEvent, OutboxItem};

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

impl Destination {
    /// Returns what a model is to extract for the event.
    pub(crate) fn extract(&self) -> Option<&Extract> {
        self.after.extract.as_ref().filter(|_| self.what == AfterEvent::CallEnded)
    }
}

/// What is known of where an event goes.
pub(crate) enum Addressee {
    Found(Box<Destination>),
    /// No file asks for it.
    Unwanted,
    /// The file or the event is of a later release.
    Unreadable,
    /// The agent is not there.
    Missing,
}

/// What is known of an agent.
enum Named {
    Found(Arc<Agent>),
    /// Its file is of a later release, or wrong.
    Unreadable,
    Missing,
}

impl Destinations {
    /// Returns where an event goes.
    pub(crate) async fn of(&mut self, outbox: &Outbox, item: &OutboxItem) -> store::Result<Addressee> {
        let Some(what) = item.event.known().map(after_event) else { return Ok(Addressee::Unreadable) };
        let agent = match self.agent(outbox, item).await? {
            Named::Found(agent) => agent,
            Named::Unreadable => return Ok(Addressee::Unreadable),
            Named::Missing => return Ok(Addressee::Missing),
        };
        Ok(match agent.after.clone().filter(|after| after.on.contains(&what)) {
            Some(after) => Addressee::Found(Box::new(Destination { agent, after, what })),
            None => Addressee::Unwanted,
        })
    }

    /// Returns the agent of an event: the one that it names, else that of its call. No other agent's business is told instead.
    async fn agent(&mut self, outbox: &Outbox, item: &OutboxItem) -> store::Result<Named> {
        let default = || Named::Found(Arc::new(outbox.default_agent.clone()));
        let Some(named) = &item.agent else {
            return match agent_of_call(outbox, item).await? {
                Some(name) => self.pushed(outbox, &name).await,
                None => Ok(default()),
            };
        };
        let pushed = self.pushed(outbox, named).await?;
        if *named != outbox.default_agent.name {
            return Ok(pushed);
        }
        // Numbers without an agent have the deployment's own, whatever is pushed under its name.
        let is_pushed = !matches!(pushed, Named::Missing)
            && agent_of_call(outbox, item).await?.is_some_and(|name| name == *named);
        Ok(if is_pushed { pushed } else { default() })
    }

    /// Returns the pushed agent with this name.
    async fn pushed(&mut self, outbox: &Outbox, name: &str) -> store::Result<Named> {
        let known = match self.agents.get(name) {
            Some(known) => known.clone(),
            None => {
                let Some(stored) = outbox.store.agent(name).await? else { return Ok(Named::Missing) };
                let agent = Agent::read(&stored.text).map(Arc::new);
                let agent = agent.inspect_err(|wrong| {
                    tracing::error!(agent = name, "cannot parse agent {name}, its events wait: {wrong}")
                });
                self.agents.entry(name.to_owned()).or_insert(agent.ok()).clone()
            }
        };
        Ok(known.map_or(Named::Unreadable, Named::Found))
    }
}

/// Returns the name of the pushed agent that a call is of: the one that the business's lookup chose, else that of the number, if it has one.
async fn agent_of_call(outbox: &Outbox, item: &OutboxItem) -> store::Result<Option<String>> {
    if let LoadedCall::Found(call) = outbox.store.load_call(&item.call_ref()).await?
        && let Some(chosen) = call.chosen_agent()
    {
        return Ok(Some(chosen.to_owned()));
    }
    Ok(outbox.store.number(&item.number).await?.agent)
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
