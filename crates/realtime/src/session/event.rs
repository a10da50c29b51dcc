//! The actions that a session requests, and the events that it reports.

use crate::{
    ApiError, ClientEvent, Failure, ItemId, LinkId, OptionalPart, Redacted, ResponseId, ToolCallId, Usage,
};
use std::time::Duration;

/// An action for the owner of the session to perform, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionAction {
    /// Open a connection under this id. Its loss, or the failure to open it, goes to [`crate::Session::handle_connection_loss`].
    Connect(LinkId),
    /// Send an event on an open connection.
    Send(LinkId, ClientEvent),
    /// Close a connection, and ignore what it still delivers.
    Close(LinkId),
}

/// An event of the conversation. Ids are unique within a conversation, even if servers reuse theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// The first session is configured, and the greeting was requested. Reported once in a conversation.
    Ready {
        /// When the session expires, in seconds since 1970.
        expires_at: Option<u64>,
    },
    /// The server started a response.
    ResponseStarted {
        /// The id of the response.
        response: ResponseId,
        /// Whether it is the response to [`crate::Session::ask`].
        is_asked: bool,
    },
    /// Audio of the agent's speech arrived.
    Audio {
        /// The response that the audio belongs to.
        response: ResponseId,
        /// The item that the audio belongs to.
        item: ItemId,
        /// The samples, 24 kHz mono.
        samples: Redacted<Vec<i16>>,
    },
    /// All audio of an item has arrived. An item that was cut short ends with its response.
    ItemDone {
        /// The id of the item.
        item: ItemId,
    },
    /// A response is about to end without audio or a call, and was neither cancelled nor failed.
    ResponseEmpty {
        /// The id of the response.
        response: ResponseId,
    },
    /// A response has ended, whatever its status.
    ResponseDone {
        /// The id of the response.
        response: ResponseId,
    },
    /// The server VAD detected the start of the caller's speech.
    SpeechStarted {
        /// The id of the caller's item; empty until [`SessionEvent::CallerNamed`] if the server does not give it yet.
        item: ItemId,
    },
    /// The server gave the id of a caller's item that started without one.
    CallerNamed {
        /// The id of the item.
        item: ItemId,
    },
    /// The caller's speech ended, by the server VAD or because its session was lost.
    SpeechStopped,
    /// The local level meter found only silence in a caller's item. Reported before the item's transcript.
    CallerWasSilent {
        /// The id of the item.
        item: ItemId,
    },
    /// The agent calls a function. Reported once for each call.
    ToolCalled {
        /// The id of the call, for [`crate::Session::answer_tool`].
        call_id: ToolCallId,
        /// The name of the function.
        name: String,
        /// The arguments, raw JSON text as the model wrote it.
        arguments: Redacted<String>,
    },
    /// The service started a hosted MCP call, which the agent waits for.
    HostedToolCalled,
    /// A hosted MCP call ended.
    HostedToolEnded {
        /// The server and its tool, as `server.tool`.
        tool: String,
        /// How long the call took.
        took: Duration,
        /// How the call ended.
        outcome: HostedOutcome,
    },
    /// The tools of an MCP server cannot be listed, and the agent knows that they are unavailable.
    ToolsMissing {
        /// The label of the server in the session's configuration.
        server: String,
    },
    /// A response has no audio and no call, or ended in the middle of a sentence.
    ResponseLacking {
        /// The id of the response.
        response: ResponseId,
        /// What the response was requested for.
        purpose: Purpose,
        /// The response's status, `completed` or `incomplete`.
        status: String,
        /// The server's reason, such as `max_output_tokens`.
        reason: Option<String>,
        /// What is done about the response.
        then: EmptyResponseAction,
    },
    /// The transcript of what the caller said: a guide only, and it may be late.
    CallerTranscript {
        /// The id of the item.
        item: ItemId,
        /// The text of the transcript.
        text: Redacted<String>,
    },
    /// The transcription of a caller's item failed.
    TranscriptionFailed {
        /// The id of the item; empty if the server does not give it.
        item: ItemId,
        /// The error code that OpenAI reported.
        code: String,
    },
    /// The transcript of an agent's item, cut to the audio that arrived, whether it was played or not.
    AgentTranscript {
        /// The id of the item.
        item: ItemId,
        /// The text of the transcript.
        text: Redacted<String>,
        /// The duration of the audio; unknown where the service carries it.
        audio: Option<Duration>,
    },
    /// The service has speech of an item to play to the caller. This and the following only where the service carries the audio.
    Speaking {
        /// The response that the item belongs to.
        response: ResponseId,
        /// The id of the item.
        item: ItemId,
    },
    /// The service began to play a response to the caller.
    PlaybackStarted {
        /// The id of the response.
        response: ResponseId,
    },
    /// The connection was lost while the service played a response. It plays on, unless the call is over.
    PlaybackLost {
        /// The items of its speech, in order.
        items: Vec<ItemId>,
        /// How much of the last item was heard by then.
        heard: Duration,
    },
    /// The service has played a response.
    PlaybackEnded {
        /// The id of the response.
        response: ResponseId,
        /// The items of its speech, in order; none if its connection was lost meanwhile.
        items: Vec<ItemId>,
        /// How much of the last item was heard.
        heard: Duration,
        /// Whether the rest was discarded.
        is_cut: bool,
    },
    /// The caller pressed a key: `0` to `9`, `*`, `#`, or `A` to `D`.
    KeyPressed {
        /// The key.
        key: Redacted<String>,
    },
    /// The session ends in a minute, and with it the call.
    EndsSoon,
    /// The call is over at the service, or never had a session there. The last event of a conversation.
    CallGone {
        /// Whether a connection was ever attached to the call.
        was_attached: bool,
    },
    /// The tokens or time that a response or a transcription used.
    Usage(Usage),
    /// The session was lost; another one is being opened.
    SessionLost {
        /// The reason, in one word for logs.
        reason: String,
    },
    /// Another session has taken over, with the conversation history replayed to it.
    SessionRestored {
        /// The time since the loss, or since the rollover was started.
        took: Duration,
        /// Whether it was a session rollover, before the old session expired.
        planned: bool,
    },
    /// The service refuses an optional part of the configuration; the conversation continues without it.
    PartRefused {
        /// The part that is left out.
        part: OptionalPart,
        /// The error code that OpenAI reported.
        code: String,
    },
    /// An error that the conversation survives.
    ApiError(ApiError),
    /// No session can be opened any more. The last event of a conversation.
    Failed(Failure),
}

/// What a response was requested for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The greeting of the call.
    Greeting,
    /// An answer to the caller, DTMF digits or a tool's output.
    Answer,
    /// The prompt of [`crate::Session::ask`].
    Asked,
}

impl Purpose {
    /// Returns the purpose's name in logs and journals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Answer => "answer",
            Self::Asked => "asked",
        }
    }
}

/// What is done about an empty or cut-off response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyResponseAction {
    /// It was empty, and is requested again.
    AskedAgain,
    /// It was empty again, and is requested from another session.
    AnotherSession,
    /// It was empty in another session, too: the conversation has [failed](SessionEvent::Failed).
    GaveUp,
    /// It ended in the middle of a sentence, which the next response continues.
    GoneOn,
    /// It ended in the middle of a sentence, and already continued another one.
    Left,
    /// It was empty, which is accepted: the goodbye was said, or was empty twice.
    Done,
}

impl EmptyResponseAction {
    /// Returns the action's name in logs and journals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AskedAgain => "asked_again",
            Self::AnotherSession => "another_session",
            Self::GaveUp => "gave_up",
            Self::GoneOn => "gone_on",
            Self::Left => "left",
            Self::Done => "done",
        }
    }
}

/// How a hosted MCP call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostedOutcome {
    /// The MCP server returned an output.
    Done,
    /// The service reported a failure.
    Failed,
    /// The outcome is unknown: the call took too long, or its session was lost.
    TimedOut,
}

impl HostedOutcome {
    /// Returns the outcome's name in logs and journals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
        }
    }
}
