//! What each event means to an operator: the level of its log line, its metrics, its span, and whether it is a failure.

use super::JournalEvent;
use super::level::Level::{self, Error, Info, Warn};
use super::redaction::redact;
use crate::metric::Metric;
use call::{Ending, Party, Recorded};

/// What an event means, as plain data: `service` writes the log line and the metrics, `traces` makes the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMeaning {
    /// The level of the log line.
    pub level: Level,
    /// The metrics that the event counts toward, with their values.
    pub metrics: Vec<(Metric, u64)>,
    /// The event's span in the call's trace.
    pub span: EventSpan,
    /// The duration of the span, which ended when the event was recorded; 0 for a moment.
    pub took_ms: u64,
    /// The description of the failure, if the event is one. Long numbers are redacted.
    pub failure: Option<String>,
}

/// The place of an event's span in the call's trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSpan {
    /// The root span: the whole call, since it began to ring. Its last [`EventMeaning::took_ms`] are the talk.
    Call,
    /// A child of the call.
    InCall,
    /// A child of the talk: the event only happens while caller and agent hear each other.
    InTalk,
}

impl JournalEvent {
    /// Returns what this event means, `since_ring_ms` after the ring.
    pub fn meaning(&self, since_ring_ms: Option<u64>) -> EventMeaning {
        match self {
            Self::Connect { .. } => of(Info).counts(Metric::Calls),
            // Such a call has no other entry that could be its root span.
            Self::NotOurs { .. } => of(Info).whole_call(),
            Self::Stale { .. } => of(Warn).whole_call(),
            Self::WebhookRefused { count, .. } => of(Warn).adds(Metric::RefusedSignatures, *count),
            Self::Over { .. } | Self::MediaAtMeta { .. } => of(Info),
            Self::PermissionReply { .. } | Self::Notice { .. } => of(Info),

            Self::Claimed { .. } | Self::TaskLaunched { .. } => of(Info),
            Self::SeatRefused { reason, .. } | Self::OfferUnanswerable { reason } => of(Warn).fails(reason),
            Self::Answered { took_ms, .. } => of(Info).took(*took_ms),
            Self::AgentReady { took_ms } | Self::MediaConnected { took_ms } => of(Info).took(*took_ms),
            Self::Lookup { took_ms, outcome, .. } if is_answered(outcome) => of(Info).took(*took_ms),
            Self::Lookup { took_ms, outcome, .. } => of(Warn).took(*took_ms).fails(outcome),
            Self::PreAccepted {} | Self::Opened {} => of(Info),
            Self::Accepted {} => {
                let accepted = of(Info).counts(Metric::Answered);
                match since_ring_ms {
                    Some(took_ms) => accepted.took(took_ms).adds(Metric::AnswerMs, took_ms),
                    None => accepted,
                }
            }

            Self::FirstWord { after_open_ms: took_ms } => {
                of(Info).in_talk().took(*took_ms).adds(Metric::FirstWordMs, *took_ms)
            }
            Self::Turn { took_ms, .. } => of(Info).in_talk().took(*took_ms).adds(Metric::TurnMs, *took_ms),
            Self::Interrupted { .. } | Self::Keys { .. } | Self::Nudged { .. } => of(Info).in_talk(),
            Self::KeysDropped {} => of(Warn).in_talk(),
            Self::Tool { outcome, took_ms, .. } if outcome == "done" => of(Info).in_talk().took(*took_ms),
            Self::Tool { outcome, took_ms, .. } => {
                of(Warn).in_talk().took(*took_ms).counts(Metric::FailedTools).fails(outcome)
            }

            Self::SessionLost { reason } => of(Warn).counts(Metric::SessionsLost).fails(reason),
            Self::SessionRestored { took_ms, .. } => of(Info).took(*took_ms),
            Self::SidebandLost { reason } => of(Warn).in_talk().counts(Metric::SessionsLost).fails(reason),
            Self::SidebandBack { took_ms } => of(Info).in_talk().took(*took_ms),
            Self::Transferred { .. } => of(Info).in_talk(),
            Self::AgentFailed { code, .. } => of(Error).fails(code),
            Self::AgentTrouble { code } => of(Warn).fails(code),
            Self::PartRefused { code, .. } | Self::TranscriptionFailed { code, .. } => of(Warn).fails(code),
            Self::ResponseLacking { then, .. } if then == "done" => of(Info),
            Self::ResponseLacking { then, .. } => of(Warn).fails(then),
            Self::ToolsMissing { server } => of(Warn).fails(server),

            Self::Usage { .. } => of(Info),
            Self::CapNear { .. } | Self::ActionRefused { .. } | Self::TurnedAway { .. } => of(Warn),
            Self::AgentChosen { .. } => of(Info),
            Self::LookupRefused { reason } => of(Warn).fails(reason),
            // A call whose line never opened has sent no frames.
            Self::Media { sent: 0, .. } => of(Info),
            Self::Media { late_p99_ms, .. } => of(Info).adds(Metric::LateFramesMs, *late_p99_ms),
            // A muted caller is not a fault.
            Self::MediaVerdict { verdict, .. } if verdict == "caller_muted" => of(Info),
            Self::MediaVerdict { .. } => of(Warn).counts(Metric::MediaVerdicts),

            Self::MetaTrouble { cure, reason, .. } => {
                of(error_with(cure)).counts(Metric::MetaTroubles).fails(reason)
            }
            Self::LineTrouble { cure, reason, .. } => of(error_with(cure)).fails(reason),
            Self::LineInsecure {} => of(Warn),
            Self::MessageFailed { cure, reason, .. } if cure.is_empty() => of(Warn).fails(reason),
            Self::MessageFailed { reason, .. } => of(Error).counts(Metric::MetaTroubles).fails(reason),
            Self::CallerTold { .. } => of(Warn),
            Self::TaskSilent { .. } => of(Warn).fails("the media task did not answer"),
            Self::GivenUp { what, .. } => of(Error).fails(what),
            Self::AfterSent { outcome, took_ms, .. } if outcome == "delivered" => of(Info).took(*took_ms),
            Self::AfterSent { outcome, took_ms, .. } => of(Warn).took(*took_ms).fails(outcome),
            Self::AfterGivenUp { what, .. } => of(Error).counts(Metric::Undelivered).fails(what),
            Self::AfterExtracted { outcome, took_ms, .. } if outcome == "done" => of(Info).took(*took_ms),
            Self::AfterExtracted { code, took_ms, .. } => of(Warn).took(*took_ms).fails(code),
            Self::Forgotten { .. } => of(Info),

            Self::Refused { why } => of(Warn).counts(Metric::Missed).fails(&why.to_string()),
            Self::Lost { .. } => of(Error).counts(Metric::LostCalls).fails("the media task is gone"),
            Self::Ended { ending, by, lasted_ms } => ended(ending, by).took(*lasted_ms),
            Self::Other(_) => of(Info),
        }
    }

    /// Returns the level of this event's log line.
    pub fn level(&self) -> Level {
        self.meaning(None).level
    }
}

fn ended(ending: &Recorded<Ending>, by: &Recorded<Party>) -> EventMeaning {
    let ended = of(Info).whole_call();
    match (by.known(), ending.known()) {
        // The agent's rules ask for these: they are no failures.
        (_, Some(ending)) if ending.is_turned_away() => ended,
        (Some(Party::Us | Party::Meta | Party::Line), _) => ended.fails(&ending.to_string()),
        (_, Some(Ending::CallerGaveUp)) => ended.counts(Metric::Missed),
        _ => ended,
    }
}

/// Whether a lookup has an answer that can be read, whatever it says.
fn is_answered(outcome: &str) -> bool {
    matches!(outcome, "used" | "refused")
}

/// Returns the level of a failure at Meta: an error if the operator can do something about it.
fn error_with(cure: &str) -> Level {
    if cure.is_empty() { Warn } else { Error }
}

/// Returns the meaning of an event that happens in a call, has no metrics, takes no time, and is no failure.
fn of(level: Level) -> EventMeaning {
    EventMeaning { level, metrics: vec![], span: EventSpan::InCall, took_ms: 0, failure: None }
}

impl EventMeaning {
    fn counts(self, metric: Metric) -> Self {
        self.adds(metric, 1)
    }

    fn adds(mut self, metric: Metric, value: u64) -> Self {
        self.metrics.push((metric, value));
        self
    }

    fn whole_call(self) -> Self {
        Self { span: EventSpan::Call, ..self }
    }

    fn in_talk(self) -> Self {
        Self { span: EventSpan::InTalk, ..self }
    }

    fn took(self, took_ms: u64) -> Self {
        Self { took_ms, ..self }
    }

    fn fails(self, why: &str) -> Self {
        Self { failure: Some(redact(why)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_call_counts_with_its_answer_time() {
        assert_eq!(
            JournalEvent::Accepted {}.meaning(Some(412)).metrics,
            [(Metric::Answered, 1), (Metric::AnswerMs, 412)]
        );
    }

    #[test]
    fn a_call_given_up_is_missed_a_call_turned_away_is_not() {
        let gave_up = ended_by(Ending::CallerGaveUp);

        assert_eq!(gave_up.meaning(None).metrics, [(Metric::Missed, 1)]);
        assert_eq!(JournalEvent::TurnedAway { why: Ending::Closed.into() }.meaning(None).metrics, []);
    }

    #[test]
    fn refused_webhooks_count_each_request() {
        let refused = JournalEvent::WebhookRefused { why: "signature".into(), count: 40 };

        assert_eq!(refused.meaning(None).metrics, [(Metric::RefusedSignatures, 40)]);
    }

    #[test]
    fn a_muted_caller_does_not_count_as_a_fault() {
        let verdict = |verdict: &str| JournalEvent::MediaVerdict {
            verdict: verdict.into(),
            evidence: String::new(),
            cure: String::new(),
        };

        assert_eq!(verdict("caller_muted").meaning(None).metrics, []);
        assert_eq!(verdict("path_died").meaning(None).metrics, [(Metric::MediaVerdicts, 1)]);
    }

    #[test]
    fn an_ending_by_us_or_meta_is_a_failure() {
        let failed = |ending: Ending| {
            let failure = ended_by(ending).meaning(None).failure;
            assert!(failure.is_none() || failure == Some(ending.to_string()));
            failure.is_some()
        };

        for well in [Ending::CallerHungUp, Ending::CallerGaveUp, Ending::AgentSaidGoodbye] {
            assert!(!failed(well), "{well:?}");
        }
        let lookup = Ending::RefusedByLookup;
        for turned_away in [Ending::Closed, Ending::OverBudget, Ending::CalledTooOften, lookup] {
            assert!(turned_away.is_turned_away() && !failed(turned_away), "{turned_away:?}");
        }
        for bad in [Ending::Lost, Ending::NoCapacity, Ending::MetaRefused, Ending::AgentUnavailable] {
            assert!(failed(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_lookup_without_an_answer_is_a_failure() {
        let failure = |outcome: &str| {
            let lookup = JournalEvent::Lookup { took_ms: 800, outcome: outcome.into(), status: None };
            lookup.meaning(None).failure
        };

        assert_eq!([failure("used"), failure("refused")], [None, None]);
        assert_eq!(failure("late").as_deref(), Some("late"));
    }

    fn ended_by(ending: Ending) -> JournalEvent {
        JournalEvent::Ended { ending: ending.into(), by: ending.by().into(), lasted_ms: 0 }
    }
}
