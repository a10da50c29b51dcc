//! The message to a caller about how their call ended: whose words, filled for this caller.

use agents::{Agent, Messages, Variables};
use call::Ending;
use store::{NumberSettings, StoredCall};

/// Returns an agent's messages for the caller of a call, in the language that the lookup named.
pub(crate) fn messages_for(record: &StoredCall, agent: &Agent) -> Messages {
    let details = record.caller_details();
    let variables = Variables::of_caller(details.spoken_name().as_deref(), details.number.as_deref());
    let language = record.chosen.as_ref().and_then(|chosen| chosen.language.as_deref());
    agent.messages_for(language, &variables)
}

/// Returns the message to a caller whose call failed; `broke_off` when it failed after it was accepted.
pub(crate) fn message_text<'a>(
    ending: Ending,
    broke_off: bool,
    settings: &'a NumberSettings,
    messages: &'a Messages,
) -> &'a str {
    match ending {
        Ending::Closed => &messages.closed,
        Ending::OverBudget => &messages.spent,
        Ending::CalledTooOften => &messages.too_many_calls,
        Ending::Lost => settings.lost.as_ref().unwrap_or(&messages.lost),
        Ending::CallerHungUp
        | Ending::CallerGaveUp
        | Ending::CallerVanished
        | Ending::AgentSaidGoodbye
        | Ending::TookTooLong
        | Ending::BothSilent
        | Ending::CapReached
        | Ending::AgentUnavailable
        | Ending::NoCapacity
        | Ending::OfferUnanswerable
        | Ending::MetaRefused
        | Ending::MediaNeverConnected
        | Ending::MediaFailed
        | Ending::Drained
        | Ending::Transferred
        | Ending::LineRefused
        | Ending::LineFailed
        | Ending::Untrusted
        | Ending::RefusedByLookup => match broke_off {
            true => settings.lost.as_ref().unwrap_or(&messages.lost),
            false => settings.sorry.as_ref().unwrap_or(&messages.busy),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::{CallerDetails, Timestamp};
    use std::time::Duration;
    use store::{CallerNames, Chosen};

    #[test]
    fn a_numbers_own_messages_override_its_agents() {
        let messages = Agent::built_in().messages;
        let own = NumberSettings { sorry: Some("Sorry!".into()), lost: Some("Lost!".into()), agent: None };
        let none = NumberSettings::default();

        assert_eq!(message_text(Ending::NoCapacity, false, &own, &messages), "Sorry!");
        assert_eq!(message_text(Ending::Lost, false, &own, &messages), "Lost!");
        assert_eq!(message_text(Ending::NoCapacity, false, &none, &messages), messages.busy);
        assert_eq!(message_text(Ending::Lost, false, &none, &messages), messages.lost);
        assert_eq!(message_text(Ending::AgentUnavailable, true, &none, &messages), messages.lost);
        assert_eq!(message_text(Ending::Closed, false, &own, &messages), messages.closed);
        assert_eq!(message_text(Ending::OverBudget, false, &own, &messages), messages.spent);
        assert_eq!(message_text(Ending::CalledTooOften, false, &own, &messages), messages.too_many_calls);
    }

    #[test]
    fn an_agents_messages_are_filled_for_the_caller_and_their_language() {
        let file = "name = 'a'\ninstructions = 'b'\ngreeting.say = 'c'\nmessages.busy = 'Sorry, {{caller_name|we are busy}}.'\n";
        let agent = Agent::read(file).expect("it is a file");
        let caller = CallerNames::default();
        let mut record =
            StoredCall::ringing("wacid.A", &"1".into(), "v=0", caller, Timestamp(7), Duration::from_secs(25));
        assert_eq!(messages_for(&record, &agent).busy, "Sorry, we are busy.");

        record.details = Some(CallerDetails { name: Some("Amina".into()), ..CallerDetails::default() });
        record.chosen = Some(Chosen { language: Some("fr".into()), ..Chosen::default() });

        let messages = messages_for(&record, &agent);
        assert_eq!(messages.busy, "Sorry, Amina.");
        assert!(messages.lost.starts_with("Désolé"), "{}", messages.lost);
    }
}
