//! Decides which metrics a journal event counts toward.

use super::Metric;
use journal::{JournalEvent, Level};

/// Returns the metrics of an event, `since_ring_ms` after the ring.
pub(super) fn counted(event: &JournalEvent, since_ring_ms: Option<u64>) -> Vec<(Metric, u64)> {
    let once = |metric| vec![(metric, 1)];
    match event {
        JournalEvent::Connect { .. } => once(Metric::Calls),
        JournalEvent::Accepted {} => {
            let took = since_ring_ms.map(|ms| (Metric::AnswerMs, ms));
            once(Metric::Answered).into_iter().chain(took).collect()
        }
        JournalEvent::Refused { .. } => once(Metric::Missed),
        JournalEvent::Ended { ending, .. } if ending == "caller_gave_up" => once(Metric::Missed),
        JournalEvent::Lost { .. } => once(Metric::LostCalls),
        JournalEvent::WebhookRefused { count, .. } => vec![(Metric::RefusedSignatures, *count)],
        JournalEvent::MediaVerdict { .. } if event.level() > Level::Info => once(Metric::MediaVerdicts),
        JournalEvent::Tool { outcome, .. } if outcome != "done" => once(Metric::FailedTools),
        JournalEvent::MetaTrouble { .. } => once(Metric::MetaTroubles),
        JournalEvent::MessageFailed { cure, .. } if !cure.is_empty() => once(Metric::MetaTroubles),
        JournalEvent::SessionLost { .. } => once(Metric::SessionsLost),
        JournalEvent::FirstWord { after_open_ms } => vec![(Metric::FirstWordMs, *after_open_ms)],
        JournalEvent::Turn { took_ms, .. } => vec![(Metric::TurnMs, *took_ms)],
        // A call whose line never opened has sent no frames.
        JournalEvent::Media { late_p99_ms, sent, .. } if *sent > 0 => {
            vec![(Metric::LateFramesMs, *late_p99_ms)]
        }
        JournalEvent::NotOurs { .. }
        | JournalEvent::Stale { .. }
        | JournalEvent::Over { .. }
        | JournalEvent::MediaAtMeta { .. }
        | JournalEvent::Forgotten { .. }
        | JournalEvent::PermissionReply { .. }
        | JournalEvent::Notice { .. }
        | JournalEvent::Claimed { .. }
        | JournalEvent::SeatRefused { .. }
        | JournalEvent::TaskLaunched { .. }
        | JournalEvent::Answered { .. }
        | JournalEvent::OfferUnanswerable { .. }
        | JournalEvent::PreAccepted {}
        | JournalEvent::AgentReady { .. }
        | JournalEvent::MediaConnected { .. }
        | JournalEvent::Opened {}
        | JournalEvent::Interrupted { .. }
        | JournalEvent::Tool { .. }
        | JournalEvent::Keys { .. }
        | JournalEvent::KeysDropped {}
        | JournalEvent::Nudged { .. }
        | JournalEvent::SessionRestored { .. }
        | JournalEvent::AgentFailed { .. }
        | JournalEvent::Usage { .. }
        | JournalEvent::CapNear { .. }
        | JournalEvent::ActionRefused { .. }
        | JournalEvent::TurnedAway { .. }
        | JournalEvent::AgentTrouble { .. }
        | JournalEvent::ResponseLacking { .. }
        | JournalEvent::ToolsMissing { .. }
        | JournalEvent::PartRefused { .. }
        | JournalEvent::TranscriptionFailed { .. }
        | JournalEvent::Media { .. }
        | JournalEvent::MediaVerdict { .. }
        | JournalEvent::CallerTold { .. }
        | JournalEvent::MessageFailed { .. }
        | JournalEvent::TaskSilent { .. }
        | JournalEvent::GivenUp { .. }
        | JournalEvent::Ended { .. }
        | JournalEvent::Other(_) => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_call_counts_with_its_answer_time() {
        assert_eq!(
            counted(&JournalEvent::Accepted {}, Some(412)),
            [(Metric::Answered, 1), (Metric::AnswerMs, 412)]
        );
    }

    #[test]
    fn a_call_given_up_is_missed_a_call_turned_away_is_not() {
        let gave_up =
            JournalEvent::Ended { ending: "caller_gave_up".into(), by: "caller".into(), lasted_ms: 0 };

        assert_eq!(counted(&gave_up, None), [(Metric::Missed, 1)]);
        assert_eq!(counted(&JournalEvent::TurnedAway { why: "closed".into() }, None), []);
    }

    #[test]
    fn refused_webhooks_count_each_request() {
        let refused = JournalEvent::WebhookRefused { why: "signature".into(), count: 40 };

        assert_eq!(counted(&refused, None), [(Metric::RefusedSignatures, 40)]);
    }

    #[test]
    fn a_muted_caller_does_not_count_as_a_fault() {
        let verdict = |verdict: &str| JournalEvent::MediaVerdict {
            verdict: verdict.into(),
            evidence: String::new(),
            cure: String::new(),
        };

        assert_eq!(counted(&verdict("caller_muted"), None), []);
        assert_eq!(counted(&verdict("path_died"), None), [(Metric::MediaVerdicts, 1)]);
    }
}
