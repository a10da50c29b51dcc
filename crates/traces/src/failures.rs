//! Decides which events are failures, for whoever looks for traces that went wrong.

use journal::Event;
use serde_json::{Map, Value};

/// Endings that are ours, and as the number's agent wants them.
const TURNED_AWAY: [&str; 3] = ["closed", "over_budget", "called_too_often"];

/// What went wrong, in the words that the log's line has for it; nothing if all is well.
pub(crate) fn failure(event: &Event, fields: &Map<String, Value>) -> Option<String> {
    let word = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match event {
        Event::Lost { .. } => Some("the media task is gone".to_owned()),
        Event::TaskSilent { .. } => Some("the media task did not answer".to_owned()),
        Event::Refused { .. } => Some(word("why")),
        Event::Tool { outcome, .. } if outcome != "done" => Some(word("outcome")),
        Event::SeatRefused { .. }
        | Event::OfferUnanswerable { .. }
        | Event::SessionLost { .. }
        | Event::MetaTrouble { .. }
        | Event::MessageFailed { .. } => Some(word("reason")),
        Event::AgentFailed { .. }
        | Event::AgentTrouble { .. }
        | Event::PartRefused { .. }
        | Event::TranscriptionFailed { .. } => Some(word("code")),
        Event::ResponseLacking { then, .. } if then != "done" => Some(word("then")),
        Event::ToolsMissing { .. } => Some(word("server")),
        Event::GivenUp { .. } => Some(word("what")),
        Event::Ended { ending, by, .. } if is_failure(ending, by) => Some(word("ending")),
        Event::Connect { .. }
        | Event::NotOurs { .. }
        | Event::Stale { .. }
        | Event::WebhookRefused { .. }
        | Event::Over { .. }
        | Event::MediaAtMeta { .. }
        | Event::PermissionReply { .. }
        | Event::Notice { .. }
        | Event::Claimed { .. }
        | Event::TaskLaunched { .. }
        | Event::Answered { .. }
        | Event::PreAccepted {}
        | Event::AgentReady { .. }
        | Event::MediaConnected { .. }
        | Event::Accepted {}
        | Event::Opened {}
        | Event::FirstWord { .. }
        | Event::Turn { .. }
        | Event::Interrupted { .. }
        | Event::Tool { .. }
        | Event::ResponseLacking { .. }
        | Event::Keys { .. }
        | Event::KeysDropped {}
        | Event::Nudged { .. }
        | Event::SessionRestored { .. }
        | Event::Usage { .. }
        | Event::CapNear { .. }
        | Event::ActionRefused { .. }
        | Event::TurnedAway { .. }
        | Event::Media { .. }
        | Event::MediaVerdict { .. }
        | Event::CallerTold { .. }
        | Event::Forgotten { .. }
        | Event::Ended { .. }
        | Event::Other(_) => None,
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
    fn a_call_has_failed_that_we_or_meta_ended_unless_it_was_turned_away() {
        let failed = |ending: Ending| {
            let name = |value| serde_json::to_value(value).unwrap().as_str().unwrap().to_owned();
            let by = serde_json::to_value(ending.by()).unwrap().as_str().unwrap().to_owned();
            let ending = name(ending);
            let event = Event::Ended { ending: ending.clone(), by, lasted_ms: 0 };
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
