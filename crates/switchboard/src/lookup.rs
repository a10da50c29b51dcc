//! Carries out what the business's lookup decided about a call: another agent, a language, or a refusal. Decided once, before the accept.

use crate::Switchboard;
use crate::handled_call::HandledCall;
use call::{CallEvent, Ending, Fence};
use internal_api::order::{LONGEST_MESSAGE, Rejection, Reply};
use journal::JournalEvent;
use store::{Chosen, StoredCall};

/// How often the decision is saved again when another process changed the call first.
const SAVES: u32 = 20;

/// What the lookup asks for, as the task passes it on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LookupOrder<'a> {
    /// The name of the agent that is to take the call.
    pub(crate) agent: Option<&'a str>,
    /// The language of the call.
    pub(crate) language: Option<&'a str>,
    /// The refusal of the call.
    pub(crate) reject: Option<&'a Rejection>,
}

/// What is done of it, and what the journal says about the rest.
struct Decision {
    chosen: Chosen,
    events: Vec<JournalEvent>,
}

impl Switchboard {
    /// Saves what the lookup decided, unless an earlier order has, and replies with the agent that takes the call; ends a call that is
    /// refused, or whose chosen agent is closed, over budget or called too often.
    pub(crate) async fn decide_by_lookup(
        &self,
        mut handled: HandledCall,
        fence: Fence,
        asked: LookupOrder<'_>,
    ) -> anyhow::Result<Reply> {
        if may_decide(&handled.record, fence) {
            let decision = self.decision(&handled, asked).await?;
            self.save_decision(&mut handled, fence, &decision).await?;
            if let Some(ending) = self.rejection_by_lookup(&handled).await? {
                self.drive(&mut handled, CallEvent::TurnedAway { fence, ending }).await?;
            }
        } else if handled.record.chosen.is_none() && handled.record.call.is_held_by(fence) {
            self.append_to_journal(handled.record.clone(), &too_late()).await?;
        }
        self.reply_with_agent(&handled, fence).await
    }

    /// Decides what is done of what the lookup asks for. A decision that was saved stands.
    async fn decision(&self, handled: &HandledCall, asked: LookupOrder<'_>) -> anyhow::Result<Decision> {
        if let Some(chosen) = handled.record.chosen.clone() {
            return Ok(Decision { chosen, events: vec![] });
        }
        if let Some(rejection) = asked.reject {
            let message = rejection.message.clone().filter(|message| is_sendable(message));
            let chosen = Chosen { is_refused: true, message, ..Chosen::default() };
            return Ok(Decision { chosen, events: vec![] });
        }
        let language = asked.language.filter(|tag| agents::is_language_tag(tag)).map(str::to_owned);
        let mut events = vec![];
        if asked.language.is_some() && language.is_none() {
            events.push(JournalEvent::LookupRefused { reason: "language is no language tag".to_owned() });
        }
        let mut decision = Decision { chosen: Chosen { language, ..Chosen::default() }, events };
        let own = &self.own_agent_of(handled).await?.agent;
        let Some(name) = asked.agent.filter(|name| *name != own.name) else { return Ok(decision) };
        match self.reason_against(name, handled).await? {
            Some(reason) => decision.events.push(JournalEvent::LookupRefused { reason }),
            None => {
                decision.events.push(JournalEvent::AgentChosen { agent: name.to_owned() });
                decision.chosen.agent = Some(name.to_owned());
            }
        }
        Ok(decision)
    }

    /// Returns why the agent with this name does not take the call. Which names the number's agent allows is its file's to say; any other
    /// may be anything, a person's among them, and is not journalled.
    async fn reason_against(&self, name: &str, handled: &HandledCall) -> anyhow::Result<Option<String>> {
        if !may_override(&self.own_agent_of(handled).await?.agent, name) {
            return Ok(Some("override_agent_id is not in may_override".to_owned()));
        }
        let is_there = self.stored_agent(name).await?.is_some();
        Ok((!is_there).then(|| format!("agent {name} was not pushed, or cannot be read")))
    }

    /// Saves the decision with its journal entries, unless another process has saved one, or the call has been accepted or lost meanwhile.
    async fn save_decision(
        &self,
        handled: &mut HandledCall,
        fence: Fence,
        decision: &Decision,
    ) -> anyhow::Result<()> {
        for read in 0..SAVES {
            if handled.record.chosen.is_some() || !may_decide(&handled.record, fence) {
                return Ok(());
            }
            handled.record.chosen = Some(decision.chosen.clone());
            let call = handled.record.call.clone();
            if self.save(handled, call, decision.events.clone(), false).await? {
                return Ok(());
            }
            self.read_again(handled, read).await?;
        }
        anyhow::bail!("cannot save what the lookup decided: the call changed {SAVES} times meanwhile")
    }

    /// Returns the ending of a call that the lookup refuses, or whose chosen agent turns it away.
    async fn rejection_by_lookup(&self, handled: &HandledCall) -> anyhow::Result<Option<Ending>> {
        match &handled.record.chosen {
            Some(chosen) if chosen.is_refused => Ok(Some(Ending::RefusedByLookup)),
            Some(chosen) if chosen.agent.is_some() => self.rejection_by_agent(handled).await,
            Some(_) | None => Ok(None),
        }
    }

    async fn reply_with_agent(&self, handled: &HandledCall, fence: Fence) -> anyhow::Result<Reply> {
        let record = &handled.record;
        if record.call.has_ended() || !record.call.is_held_by(fence) {
            return Ok(Reply::Over);
        }
        let text = match record.chosen_agent() {
            Some(_) => self.agent_of(handled).await?.text.clone(),
            None => None,
        };
        let language = record.chosen.as_ref().and_then(|chosen| chosen.language.clone());
        Ok(Reply::Agent { text, language })
    }
}

/// Whether the lookup may still decide about the call: once caller and agent are talking, it is too late.
fn may_decide(record: &StoredCall, fence: Fence) -> bool {
    record.call.is_held_by(fence) && !record.call.has_ended() && record.call.accepted_at.is_none()
}

fn too_late() -> JournalEvent {
    JournalEvent::LookupRefused { reason: "the call was accepted before".to_owned() }
}

fn may_override(agent: &agents::Agent, name: &str) -> bool {
    let lookup = agent.lookup.as_ref();
    lookup.is_some_and(|lookup| lookup.may_override.iter().any(|allowed| allowed == name))
}

fn is_sendable(message: &str) -> bool {
    !message.trim().is_empty() && message.chars().count() <= LONGEST_MESSAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_whatsapp_does_not_take_is_not_sent() {
        assert!(is_sendable(&"é".repeat(LONGEST_MESSAGE)));
        assert!(!is_sendable(&"é".repeat(LONGEST_MESSAGE + 1)) && !is_sendable(" \n"));
    }
}
