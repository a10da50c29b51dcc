//! The metrics of a stack, by their names in CloudWatch.

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The share of a media task's slots in use, percent, each heartbeat. The ECS service scales on its average.
    SlotUtilization,
    /// The free slots of a media task, each heartbeat.
    FreeSlots,
    /// Calls that began to ring.
    Calls,
    /// Calls that were accepted.
    Answered,
    /// Calls that were not accepted: refused because something was missing, or given up by the caller. Calls turned away do not count.
    Missed,
    /// Calls whose media task died.
    LostCalls,
    /// Webhook requests without a valid signature of Meta.
    RefusedSignatures,
    /// Calls with a diagnosis of a media fault.
    MediaVerdicts,
    /// Tool calls that did not succeed.
    FailedTools,
    /// Requests to Meta that failed.
    MetaTroubles,
    /// Sessions with the model that were lost.
    SessionsLost,
    /// Events of calls that a business did not get, after all tries.
    Undelivered,
    /// The time from the ring until Meta accepted the call.
    AnswerMs,
    /// The time from the open line to the agent's first frame of speech.
    FirstWordMs,
    /// The response latency: from the end of the caller's speech to the first frame of the agent's answer.
    TurnMs,
    /// The 99th percentile of how late the frames of a call were sent.
    LateFramesMs,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 16] = [
        Self::SlotUtilization,
        Self::FreeSlots,
        Self::Calls,
        Self::Answered,
        Self::Missed,
        Self::LostCalls,
        Self::RefusedSignatures,
        Self::MediaVerdicts,
        Self::FailedTools,
        Self::MetaTroubles,
        Self::SessionsLost,
        Self::Undelivered,
        Self::AnswerMs,
        Self::FirstWordMs,
        Self::TurnMs,
        Self::LateFramesMs,
    ];

    /// Returns the metric's name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::SlotUtilization => "SlotUtilization",
            Self::FreeSlots => "FreeSlots",
            Self::Calls => "Calls",
            Self::Answered => "Answered",
            Self::Missed => "Missed",
            Self::LostCalls => "LostCalls",
            Self::RefusedSignatures => "RefusedSignatures",
            Self::MediaVerdicts => "MediaVerdicts",
            Self::FailedTools => "FailedTools",
            Self::MetaTroubles => "MetaTroubles",
            Self::SessionsLost => "SessionsLost",
            Self::Undelivered => "Undelivered",
            Self::AnswerMs => "AnswerMs",
            Self::FirstWordMs => "FirstWordMs",
            Self::TurnMs => "TurnMs",
            Self::LateFramesMs => "LateFramesMs",
        }
    }
}
