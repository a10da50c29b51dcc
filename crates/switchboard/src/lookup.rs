//! Carries out what the business's lookup decided about a call: another agent, a language, or a refusal. Decided once, before the accept.

use crate::Switchboard;
use crate::handled_call::HandledCall;
use call::{CallEvent, Ending, Fence};
use internal_api::order::{LONGEST_MESSAGE, Rejection, Reply};
use journal::JournalEvent;
use store::{Chosen, StoredCall};

/// How often the decision is saved again when another process changed the call first.
const SAVES: u32 = 20;

/// The longest language tag, in characters.
const LONGEST_TAG: usize = 35;

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
        let language = asked.language.filter(|tag| is_language_tag(tag)).map(str::to_owned);
        let mut decision = Decision { chosen: Chosen { language, ..Chosen::default() }, events: vec![] };
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

    /// Returns why the agent with this name does not take the call. Which names the number's agent allows is its file's to say.
    async fn reason_against(&self, name: &str, handled: &HandledCall) -> anyhow::Result<Option<String>> {
        if !is_agent_name(name) {
            return Ok(Some("override_agent_id is no name of an agent".to_owned()));
        }
        if !may_override(&self.own_agent_of(handled).await?.agent, name) {
            return Ok(Some(format!("agent {name} is not in may_override")));
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

/// Whether a name can be an agent's: another one may be anything, a person's among them, and is not journalled.
fn is_agent_name(name: &str) -> bool {
    let is_allowed = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    (1..=64).contains(&name.len())
        && name.bytes().all(is_allowed)
        && name.contains(|it: char| it.is_ascii_lowercase())
}

fn is_sendable(message: &str) -> bool {
    !message.trim().is_empty() && message.chars().count() <= LONGEST_MESSAGE
}

/// Whether a text has the form of a BCP 47 tag, such as `pt-BR`.
fn is_language_tag(tag: &str) -> bool {
    let is_subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_alphanumeric());
    let language = tag.split('-').next().unwrap_or_default();
    let is_language =
        (2..=8).contains(&language.len()) && language.bytes().all(|it| it.is_ascii_alphabetic());
    tag.len() <= LONGEST_TAG && is_language && tag.split('-').all(is_subtag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_the_form_of_a_tag() {
        for tag in ["fr", "pt-BR", "zh-Hant-TW", "es-419", "sl-rozaj-biske"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for tag in [
            "",
            "f",
            "-fr",
            "fr-",
            "fr_FR",
            "français",
            "1a",
            "fr-123456789",
            &"fr-".repeat(12),
            "speak French",
        ] {
            assert!(!is_language_tag(tag), "{tag}");
        }
    }

    #[test]
    fn only_what_can_be_an_agents_name_is_looked_for() {
        assert!(is_agent_name("front-desk-2"));
        for name in ["", "919900000001", "Asha", "shop/../x", "a b", &"a".repeat(65)] {
            assert!(!is_agent_name(name), "{name}");
        }
    }

    #[test]
    fn a_message_that_whatsapp_does_not_take_is_not_sent() {
        assert!(is_sendable(&"é".repeat(LONGEST_MESSAGE)));
        assert!(!is_sendable(&"é".repeat(LONGEST_MESSAGE + 1)) && !is_sendable(" \n"));
    }
}
