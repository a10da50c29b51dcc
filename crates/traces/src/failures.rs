//! Decides which events are failures: their spans get an error status.

use journal::JournalEvent;
use serde_json::{Map, Value};

/// Endings on this side that the agent's rules ask for, and so no failures.
const TURNED_AWAY: [&str; 3] = ["closed", "over_budget", "called_too_often"];

/// Returns the description of a failure, from the fields of the log line; `None` where the event is no failure.
pub(crate) fn failure(event: &JournalEvent, fields: &Map<String, Value>) -> Option<String> {
    let word = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match event {
        JournalEvent::Lost { .. } => Some("the media task is gone".to_owned()),
        JournalEvent::TaskSilent { .. } => Some("the media task did not answer".to_owned()),
        JournalEvent::Refused { .. } => Some(word("why")),
        JournalEvent::Tool { outcome, .. } if outcome != "done" => Some(word("outcome")),
        JournalEvent::SeatRefused { .. }
        | JournalEvent::OfferUnanswerable { .. }
        | JournalEvent::SessionLost { .. }
        | JournalEvent::MetaTrouble { .. }
        | JournalEvent::MessageFailed { .. } => Some(word("reason")),
        JournalEvent::AgentFailed { .. }
        | JournalEvent::AgentTrouble { .. }
        | JournalEvent::PartRefused { .. }
        | JournalEvent::TranscriptionFailed { .. } => Some(word("code")),
        JournalEvent::ResponseLacking { then, .. } if then != "done" => Some(word("then")),
        JournalEvent::ToolsMissing { .. } => Some(word("server")),
        JournalEvent::GivenUp { .. } => Some(word("what")),
        JournalEvent::Ended { ending, by, .. } if is_failure(ending, by) => Some(word("ending")),
        JournalEvent::Connect { .. }
        | JournalEvent::NotOurs { .. }
        | JournalEvent::Stale { .. }
        | JournalEvent::WebhookRefused { .. }
        | JournalEvent::Over { .. }
        | JournalEvent::MediaAtMeta { .. }
        | JournalEvent::PermissionReply { .. }
        | JournalEvent::Notice { .. }
        | JournalEvent::Claimed { .. }
        | JournalEvent::TaskLaunched { .. }
        | JournalEvent::Answered { .. }
        | JournalEvent::PreAccepted {}
        | JournalEvent::AgentReady { .. }
        | JournalEvent::MediaConnected { .. }
        | JournalEvent::Accepted {}
        | JournalEvent::Opened {}
        | JournalEvent::FirstWord { .. }
        | JournalEvent::Turn { .. }
        | JournalEvent::Interrupted { .. }
        | JournalEvent::Tool { .. }
        | JournalEvent::ResponseLacking { .. }
        | JournalEvent::Keys { .. }
        | JournalEvent::KeysDropped {}
        | JournalEvent::Nudged { .. }
        | JournalEvent::SessionRestored { .. }
        | JournalEvent::Usage { .. }
        | JournalEvent::CapNear { .. }
        | JournalEvent::ActionRefused { .. }
        | JournalEvent::TurnedAway { .. }
        | JournalEvent::Media { .. }
        | JournalEvent::MediaVerdict { .. }
        | JournalEvent::CallerTold { .. }
        | JournalEvent::Forgotten { .. }
        | JournalEvent::Ended { .. }
        | JournalEvent::Other(_) => None,
    }
}

fn is_failure(ending: &str, by: &str) -> bool {
    match by {
        "us" | "meta" => !TURNED_AWAY.contains(&ending),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::Ending;
    use serde_json::json;

    #[test]
    fn an_ending_by_us_or_meta_is_a_failure() {
        let failed = |ending: Ending| {
            let name = |value| serde_json::to_value(value).unwrap().as_str().unwrap().to_owned();
            let by = serde_json::to_value(ending.by()).unwrap().as_str().unwrap().to_owned();
            let ending = name(ending);
            let event = JournalEvent::Ended { ending: ending.clone(), by, lasted_ms: 0 };
            let failure = failure(&event, &Map::from_iter([("ending".to_owned(), json!(ending))]));
            assert!(failure.is_none() || failure == Some(ending));
            failure.is_some()
        };

        for well in [Ending::CallerHungUp, Ending::CallerGaveUp, Ending::AgentSaidGoodbye] {
            assert!(!failed(well), "{well:?}");
        }
        for turned_away in [Ending::Closed, Ending::OverBudget, Ending::CalledTooOften] {
            assert!(turned_away.is_turned_away() && !failed(turned_away), "{turned_away:?}");
        }
        for bad in [Ending::Lost, Ending::NoCapacity, Ending::MetaRefused, Ending::AgentUnavailable] {
            assert!(failed(bad), "{bad:?}");
        }
    }
}
