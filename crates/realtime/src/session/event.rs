//! What a session wants done, and what happened in it.

use super::{EmptyResponseAction, HostedOutcome, Purpose};
use crate::{ApiError, ClientEvent, Failure, LinkId, OptionalPart, Redacted, Usage};
use std::time::Duration;

/// What the shell is to do, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionAction {
    /// Open a connection, and call it this. Its end, or that it never came, goes to [`crate::Session::handle_down`].
    Connect(LinkId),
    /// Send an event.
    Send(LinkId, ClientEvent),
    /// Close a connection. Nothing of it matters any more.
    Close(LinkId),
}

/// Something that happened in the conversation. Its ids are never used twice in one, whatever servers call theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// It is configured, and the agent has been asked to greet. Once in a conversation.
    Ready {
        /// When the session ends, seconds since 1970.
        expires_at: Option<u64>,
    },
    /// A response began.
    Began {
        /// Its id.
        response: String,
        /// Whether it is what [`crate::Session::ask`] asked for.
        is_asked: bool,
    },
    /// The agent said something.
    Said {
        /// The response this belongs to.
        response: String,
        /// The item this belongs to.
        item: String,
        /// 24 kHz, mono.
        samples: Redacted<Vec<i16>>,
    },
    /// All sound of an item has come. One that was cut short is over with its response.
    Finished {
        /// The item.
        item: String,
    },
    /// A response is ending that brought neither sound nor a call, though it was not stopped and did not fail.
    SaidNothing {
        /// Its id.
        response: String,
    },
    /// A response is over.
    Ended {
        /// Its id.
        response: String,
    },
    /// The caller is heard to speak.
    CallerStarted {
        /// The item that it will be; empty if the server does not say yet: see [`Happening::CallerNamed`].
        item: String,
    },
    /// What the caller says goes by this name: it began without one.
    CallerNamed {
        /// The item.
        item: String,
    },
    /// The caller is heard no more.
    CallerStopped,
    /// By our own meter there was no sound in what the caller is said to have said. Comes before the words of it.
    CallerWasSilent {
        /// The item.
        item: String,
    },
    /// The agent calls a tool. Comes once for each call.
    ToolCalled {
        /// For [`crate::Session::answer_tool`].
        call_id: String,
        /// The tool.
        name: String,
        /// Raw JSON text, as the model wrote it.
        arguments: Redacted<String>,
    },
    /// The service calls a tool of a remote server itself: the agent waits for it.
    HostedCalled,
    /// It waits no more.
    HostedEnded {
        /// The server and its tool, as `server.tool`.
        tool: String,
        /// How long it took.
        took: Duration,
        /// How it ended.
        outcome: HostedOutcome,
    },
    /// The tools of a remote server cannot be listed: the agent has to do without them, and was told so.
    ToolsMissing {
        /// The server, as the session names it.
        server: String,
    },
    /// A response brought no sound and no call of a tool, or ended in the middle of a sentence.
    Lacked {
        /// Its id.
        response: String,
        /// What it was for.
        purpose: Purpose,
        /// `completed` or `incomplete`.
        status: String,
        /// The server's word for why, such as `max_output_tokens`.
        reason: Option<String>,
        /// What is done about it.
        then: EmptyResponseAction,
    },
    /// What the caller said, in writing: a guide, and maybe late.
    CallerSaid {
        /// The item.
        item: String,
        /// The words.
        text: Redacted<String>,
    },
    /// What the caller said could not be written down.
    TranscriptionFailed {
        /// The item; empty if the server does not say which.
        item: String,
        /// OpenAI's code.
        code: String,
    },
    /// What the agent said in an item, as far as its sound came, heard or not.
    AgentSaid {
        /// The item.
        item: String,
        /// The words.
        text: Redacted<String>,
        /// How long it takes.
        audio: Duration,
    },
    /// What a response, or a transcript, took.
    Used(Usage),
    /// The session broke; another one is on its way.
    SessionLost {
        /// Why, in a word.
        reason: String,
    },
    /// Another session has taken over.
    Restored {
        /// Since the loss, or since it was asked for.
        took: Duration,
        /// Whether it came before the old one ended.
        planned: bool,
    },
    /// The service does not take an optional part of the configuration; the conversation goes on without it.
    PartRefused {
        /// The part.
        part: OptionalPart,
        /// OpenAI's code.
        code: String,
    },
    /// Something went wrong, and the conversation goes on.
    Troubled(ApiError),
    /// There is no session to be had any more. The last happening.
    Failed(Failure),
}
