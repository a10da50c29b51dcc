//! Decides what an event counts as.

use super::Metric;
use journal::{Event, Level};

/// What is counted for an event, `since_ring_ms` after the ring.
pub(super) fn counted(event: &Event, since_ring_ms: Option<u64>) -> Vec<(Metric, u64)> {
    let once = |metric| vec![(metric, 1)];
    match event {
        Event::Connect { .. } => once(Metric::Calls),
        Event::Accepted {} => {
            let took = since_ring_ms.map(|ms| (Metric::AnswerMs, ms));
            once(Metric::Answered).into_iter().chain(took).collect()
        }
        Event::Refused { .. } => once(Metric::Missed),
        Event::Ended { ending, .. } if ending == "caller_gave_up" => once(Metric::Missed),
        Event::Lost { .. } => once(Metric::LostCalls),
        Event::WebhookRefused { count, .. } => vec![(Metric::RefusedSignatures, *count)],
        Event::MediaVerdict { .. } if event.level() > Level::Info => once(Metric::MediaVerdicts),
        Event::Tool { outcome, .. } if outcome != "done" => once(Metric::FailedTools),
        Event::MetaTrouble { .. } => once(Metric::MetaTroubles),
        Event::MessageFailed { cure, .. } if !cure.is_empty() => once(Metric::MetaTroubles),
        Event::SessionLost { .. } => once(Metric::SessionsLost),
        Event::FirstWord { after_open_ms } => vec![(Metric::FirstWordMs, *after_open_ms)],
        Event::Turn { took_ms, .. } => vec![(Metric::TurnMs, *took_ms)],
        // A call that never opened has sent nothing.
        Event::Media { late_p99_ms, sent, .. } if *sent > 0 => vec![(Metric::LateFramesMs, *late_p99_ms)],
        Event::NotOurs { .. }
        | Event::Stale { .. }
        | Event::Over { .. }
        | Event::MediaAtMeta { .. }
        | Event::Forgotten { .. }
        | Event::PermissionReply { .. }
        | Event::Notice { .. }
        | Event::Claimed { .. }
        | Event::SeatRefused { .. }
        | Event::TaskLaunched { .. }
        | Event::Answered { .. }
        | Event::OfferUnanswerable { .. }
        | Event::PreAccepted {}
        | Event::AgentReady { .. }
        | Event::MediaConnected { .. }
        | Event::Opened {}
        | Event::Interrupted { .. }
        | Event::Tool { .. }
        | Event::Keys { .. }
        | Event::KeysDropped {}
        | Event::Nudged { .. }
        | Event::SessionRestored { .. }
        | Event::AgentFailed { .. }
        | Event::Usage { .. }
        | Event::CapNear { .. }
        | Event::ActionRefused { .. }
        | Event::TurnedAway { .. }
        | Event::AgentTrouble { .. }
        | Event::ResponseLacking { .. }
        | Event::ToolsMissing { .. }
        | Event::PartRefused { .. }
        | Event::TranscriptionFailed { .. }
        | Event::Media { .. }
        | Event::MediaVerdict { .. }
        | Event::CallerTold { .. }
        | Event::MessageFailed { .. }
        | Event::TaskSilent { .. }
        | Event::GivenUp { .. }
        | Event::Ended { .. }
        | Event::Other(_) => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_picked_up_counts_with_how_long_that_took() {
        assert_eq!(counted(&Event::Accepted {}, Some(412)), [(Metric::Answered, 1), (Metric::AnswerMs, 412)]);
    }

    #[test]
    fn a_caller_who_gave_up_was_missed_and_one_who_was_turned_away_was_not() {
        let gave_up = Event::Ended { ending: "caller_gave_up".into(), by: "caller".into(), lasted_ms: 0 };

        assert_eq!(counted(&gave_up, None), [(Metric::Missed, 1)]);
        assert_eq!(counted(&Event::TurnedAway { why: "closed".into() }, None), []);
    }

    #[test]
    fn refused_webhooks_count_by_their_number_and_not_by_their_lines() {
        let refused = Event::WebhookRefused { why: "signature".into(), count: 40 };

        assert_eq!(counted(&refused, None), [(Metric::RefusedSignatures, 40)]);
    }

    #[test]
    fn a_muted_caller_is_no_verdict_to_worry_about() {
        let verdict = |verdict: &str| Event::MediaVerdict {
            verdict: verdict.into(),
            evidence: String::new(),
            cure: String::new(),
        };

        assert_eq!(counted(&verdict("caller_muted"), None), []);
        assert_eq!(counted(&verdict("path_died"), None), [(Metric::MediaVerdicts, 1)]);
    }
}
