//! Observations of sessions, as they happen.

use std::fmt;
use std::time::Instant;

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// When.
    pub at: Instant,
    /// The session it happened in: an index into [`crate::Realtime::sessions`].
    pub session: usize,
    /// What.
    pub kind: ObservationKind,
}

/// What happened. Milliseconds of audio count from the session's first sample.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the variants say what happened and the fields what with; the rest is in their comments"
)]
pub enum ObservationKind {
    /// The upgrade was answered.
    Connected { model: String },
    /// A `session.update` was obeyed.
    Configured,
    /// A `response.create` came before the caller's first turn.
    GreetingRequested,
    /// The first `append`.
    FirstAudioReceived,
    /// The caller began to speak.
    SpeechStarted { item: String, audio_start_ms: u64 },
    /// The caller has been silent for as long as the session waits.
    SpeechStopped { item: String, audio_end_ms: u64 },
    /// The caller's turn became an item.
    Committed { item: String, audio_ms: u64 },
    /// A turn was written down.
    Transcribed { item: String, text: String },
    /// A response was created; the model thinks.
    ResponseStarted { response: String },
    /// An item's first audio delta was sent.
    FirstDelta { item: String },
    /// An item's last audio delta was sent, nothing cut it short.
    LastDelta { item: String, sent_ms: u64 },
    /// The model called a function.
    FunctionCalled { name: String, call_id: String },
    /// The client sent a function's output.
    FunctionOutput { call_id: String, output: String },
    /// A response was sent in full.
    ResponseCompleted { response: String },
    /// Cancelled by the client or by the caller's voice (`reason`).
    Cancelled { response: String, reason: &'static str },
    /// A response ended in the middle, on purpose.
    Incomplete { response: String, reason: &'static str },
    /// A response failed, on purpose.
    Failed { response: String, code: &'static str },
    /// The client said how much of an item was heard.
    Truncated { item: String, audio_end_ms: u64, of_ms: u64 },
    /// The first sound of a response is played to the caller of a telephone call.
    PlaybackStarted { response: String },
    /// All sound of a response was played to the caller of a telephone call.
    PlaybackStopped { response: String },
    /// The sound of a response was thrown away before its end.
    PlaybackCleared { response: String },
    /// The caller pressed a key of the telephone.
    KeyPressed { key: char },
    /// A client event was refused.
    Refused { why: String },
    /// The connection is over.
    Closed { why: String },
}

impl fmt::Display for ObservationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { model } => write!(f, "Connected, for {model}"),
            Self::Configured => write!(f, "Configured"),
            Self::GreetingRequested => write!(f, "Asked to greet"),
            Self::FirstAudioReceived => write!(f, "Hears the first sound"),
            Self::SpeechStarted { audio_start_ms, .. } => {
                write!(f, "The caller speaks, from {audio_start_ms} ms")
            }
            Self::SpeechStopped { audio_end_ms, .. } => write!(f, "The caller stops, at {audio_end_ms} ms"),
            Self::Committed { audio_ms, .. } => write!(f, "Took a turn of {audio_ms} ms"),
            Self::Transcribed { text, .. } => write!(f, "Understood: {text}"),
            Self::ResponseStarted { response } => write!(f, "Thinks about {response}"),
            Self::FirstDelta { item } => write!(f, "Sends the first sound of {item}"),
            Self::LastDelta { sent_ms, item } => write!(f, "Has sent all {sent_ms} ms of {item}"),
            Self::FunctionCalled { name, .. } => write!(f, "Calls {name}"),
            Self::FunctionOutput { output, .. } => write!(f, "Gets the result: {output}"),
            Self::ResponseCompleted { response } => write!(f, "Completed {response}"),
            Self::Cancelled { response, reason } => write!(f, "Cancelled {response}: {reason}"),
            Self::Incomplete { response, reason } => write!(f, "Cut {response} short: {reason}"),
            Self::Failed { response, code } => write!(f, "Failed {response}: {code}"),
            Self::Truncated { item, audio_end_ms, of_ms } => {
                write!(f, "Learns that {audio_end_ms} of {of_ms} ms of {item} were heard")
            }
            Self::PlaybackStarted { response } => write!(f, "Plays {response}"),
            Self::PlaybackStopped { response } => write!(f, "Has played {response}"),
            Self::PlaybackCleared { response } => write!(f, "Throws away the rest of {response}"),
            Self::KeyPressed { .. } => write!(f, "The caller presses a key"),
            Self::Refused { why } => write!(f, "Refuses: {why}"),
            Self::Closed { why } => write!(f, "Closed: {why}"),
        }
    }
}
