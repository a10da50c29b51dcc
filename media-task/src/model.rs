//! The port to the model behind an agent: audio in, audio and tool calls out, and how much of an answer the caller has heard.
//!
//! A further provider is one more variant of `ModelPort`. Today there is one, `Provider`, for OpenAI's Realtime API.

mod realtime;

pub(crate) use realtime::Provider;

use ::realtime::{EmptyResponseAction, HostedOutcome, OptionalPart, Purpose, Usage};
use audio::{AgentEvent as AudioEvent, ItemId, PlayedItem};
use std::time::{Duration, Instant};

/// The model that answers one call.
pub(crate) enum ModelPort {
    /// OpenAI's Realtime API.
    Realtime(Provider),
}

/// An event of the model's session. It holds what people say, so it does not implement `Debug`.
pub(crate) enum AgentEvent {
    /// The session is configured and generates its greeting.
    Ready,
    /// An event for the audio bridge: audio, or the beginning or end of speech.
    Audio(AudioEvent),
    /// The response of this id is the one that was [requested](ModelPort::request_response).
    RequestedResponseBegan(String),
    /// The caller starts to speak; the conversation item of this turn.
    CallerStarted(ItemId),
    /// The transcript of the caller's turn.
    CallerSaid(ItemId, String),
    /// The item was silent by our own level meter: its transcript is a hallucination.
    CallerWasSilent(ItemId),
    /// The caller's turn cannot be transcribed, with the provider's error code.
    TranscriptionFailed(ItemId, String),
    /// The transcript of the agent's item, as far as its audio came, and the duration of that audio.
    AgentSaid(ItemId, String, Duration),
    /// The model calls a tool.
    ToolCalled {
        /// The model's id of the call, for [`ModelPort::answer_tool`].
        call_id: String,
        /// The tool's name.
        tool: String,
        /// The arguments: JSON as the model wrote it, unchecked.
        arguments: String,
    },
    /// The provider itself calls an MCP tool.
    HostedToolCalled,
    /// An MCP tool, `server.tool`, ended after this long, with this outcome.
    HostedToolEnded(String, Duration, HostedOutcome),
    /// The tools of this MCP server cannot be listed: the session continues without them.
    ToolsMissing(String),
    /// A response had no audio, or was cut off.
    EmptyResponse {
        /// What the response was for.
        purpose: Purpose,
        /// Its status, as the provider names it.
        status: String,
        /// The reason, as the provider names it.
        reason: Option<String>,
        /// What the session does about it.
        then: EmptyResponseAction,
    },
    /// Further usage of tokens.
    Usage(Usage),
    /// The session broke for this reason; a replacement is being opened.
    SessionLost(String),
    /// A replacement session has taken over, after this long; `true` if the rollover was planned.
    SessionRestored(Duration, bool),
    /// The provider refused an optional part of the session with this code; the session continues without it.
    PartRefused(OptionalPart, String),
    /// The provider reported this error code; the session continues.
    ApiError(String),
    /// The session has failed for good.
    Failed {
        /// The cause, as a code.
        code: String,
        /// What the operator can do about it.
        cure: String,
    },
}

/// Input from the provider's side, for [`ModelPort::handle`].
#[derive(Debug)]
pub(crate) enum ModelInput {
    /// From OpenAI's Realtime API.
    Realtime(realtime::RealtimeInput),
}

impl ModelPort {
    /// Waits for the next input. Cancel safe.
    pub(crate) async fn next(&mut self) -> ModelInput {
        match self {
            Self::Realtime(provider) => ModelInput::Realtime(provider.next().await),
        }
    }

    /// Handles an input.
    pub(crate) fn handle(&mut self, input: ModelInput, now: Instant) {
        match (self, input) {
            (Self::Realtime(provider), ModelInput::Realtime(input)) => provider.handle(input, now),
        }
    }

    /// Returns the next event.
    pub(crate) fn poll_event(&mut self) -> Option<AgentEvent> {
        match self {
            Self::Realtime(provider) => provider.poll_event(),
        }
    }

    /// Returns when [`ModelPort::handle_timeout`] is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Realtime(provider) => provider.session.poll_timeout(),
        }
    }

    /// Runs the timers that are due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.session(|session| session.handle_timeout(now));
    }

    /// Starts to pass the caller's audio on: the call is open.
    pub(crate) fn open(&mut self, now: Instant) {
        self.session(|session| session.open(now));
    }

    /// Appends the caller's audio: 24 kHz, mono.
    pub(crate) fn append_audio(&mut self, samples: &[i16], now: Instant) {
        self.session(|session| session.append(samples, now));
    }

    /// Sets whether audio is being played to the caller.
    pub(crate) fn set_playing(&mut self, playing: bool, now: Instant) {
        self.session(|session| session.set_playing(playing, now));
    }

    /// Replaces a session that does not react to the caller's speech.
    pub(crate) fn replace_deaf(&mut self, now: Instant) {
        self.session(|session| session.replace_deaf(now));
    }

    /// Truncates an item in the conversation to what the caller heard before the barge-in.
    pub(crate) fn note_interrupted(&mut self, heard: &PlayedItem, now: Instant) {
        self.session(|session| session.truncate(&heard.item.0, heard.heard, heard.of, now));
    }

    /// Notes that an item was played to its end.
    pub(crate) fn note_played(&mut self, item: &ItemId, now: Instant) {
        self.session(|session| session.was_played(&item.0, now));
    }

    /// Cancels the response after a barge-in that this side detected.
    pub(crate) fn interrupt(&mut self, now: Instant) {
        self.session(|session| session.interrupt(now));
    }

    /// Ends the caller's turn where this side detects turns; `answer` requests a response.
    pub(crate) fn yield_turn(&mut self, answer: bool, now: Instant) {
        self.session(|session| session.yield_turn(answer, now));
    }

    /// Sends a tool's output; `speak` requests a response to it.
    pub(crate) fn answer_tool(&mut self, call_id: &str, output: &str, speak: bool, now: Instant) {
        self.session(|session| session.answer_tool(call_id, output, speak, now));
    }

    /// Sends a text item in the caller's name, and requests a response to it.
    pub(crate) fn send_text(&mut self, text: &str, now: Instant) {
        self.session(|session| session.tell(text, now));
    }

    /// Requests a response with these instructions. With `insists` it is generated even if the caller speaks first.
    pub(crate) fn request_response(&mut self, instructions: &str, insists: bool, now: Instant) {
        self.session(|session| session.ask(instructions, insists, now));
    }

    /// Sets whether the call is about to end: after the goodbye, empty responses are not repeated.
    pub(crate) fn set_leaving(&mut self, leaving: bool) {
        self.session(|session| session.set_leaving(leaving));
    }

    /// Withdraws a requested response that has not begun.
    pub(crate) fn withdraw_request(&mut self, now: Instant) {
        self.session(|session| session.withdraw(now));
    }

    /// Returns how many appends of the caller's audio were dropped because the socket was too slow.
    pub(crate) fn dropped(&self) -> u64 {
        match self {
            Self::Realtime(provider) => provider.dropped(),
        }
    }

    fn session(&mut self, act: impl FnOnce(&mut ::realtime::Session)) {
        match self {
            Self::Realtime(provider) => provider.act(act),
        }
    }
}
