//! The port to the model behind an agent: audio in, audio and tool calls out, and how much of an answer the caller has heard.
//!
//! Joins a conversation with OpenAI's Realtime API, which is sans-IO, and the WebSockets that it asks for.

mod websockets;

use crate::settings::MediaSecret;
use audio::PlayedItem;
use realtime::connection::Endpoint;
use realtime::{ItemId, Session, SessionConfig, SessionEvent, ToolCallId};
use service::secrets::Secret;
use std::time::Instant;
pub(crate) use websockets::SocketInput;
use websockets::WebSockets;

/// The model that answers one call: a conversation over as many WebSockets as it takes.
pub(crate) struct ModelPort {
    session: Session,
    websockets: WebSockets,
}

impl ModelPort {
    /// Starts connecting. The API key is read from `secret` at each connect, and replaces the endpoint's.
    pub(crate) fn connect(endpoint: Endpoint, secret: Secret<MediaSecret>, session: Session) -> Self {
        let mut port = Self { session, websockets: WebSockets::new(endpoint, secret) };
        port.websockets.perform(&mut port.session);
        port
    }

    /// Gives a held session its configuration.
    pub(crate) fn release(&mut self, config: SessionConfig, now: Instant) {
        self.act(|session| session.release(config, now));
    }

    /// Replaces the instructions for what the model says from now on.
    pub(crate) fn set_instructions(&mut self, instructions: String, now: Instant) {
        self.act(|session| session.set_instructions(instructions, now));
    }

    /// Waits for the next input. Cancel safe.
    pub(crate) async fn next(&mut self) -> SocketInput {
        self.websockets.next().await
    }

    /// Handles an input.
    pub(crate) fn handle(&mut self, input: SocketInput, now: Instant) {
        self.websockets.deliver(input, &mut self.session, now);
        self.websockets.perform(&mut self.session);
    }

    /// Returns the next event of the conversation.
    pub(crate) fn poll_event(&mut self) -> Option<SessionEvent> {
        self.session.poll_event()
    }

    /// Returns when [`ModelPort::handle_timeout`] is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.session.poll_timeout()
    }

    /// Runs the timers that are due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            self.act(|session| session.handle_timeout(now));
        }
    }

    /// Starts to pass the caller's audio on: the call is open.
    pub(crate) fn open(&mut self, now: Instant) {
        self.act(|session| session.open(now));
    }

    /// Appends the caller's audio: 24 kHz, mono.
    pub(crate) fn append_audio(&mut self, samples: &[i16], now: Instant) {
        self.act(|session| session.append(samples, now));
    }

    /// Sets whether audio is being played to the caller.
    pub(crate) fn set_playing(&mut self, playing: bool, now: Instant) {
        self.act(|session| session.set_playing(playing, now));
    }

    /// Replaces a session that does not react to the caller's speech.
    pub(crate) fn replace_deaf(&mut self, now: Instant) {
        self.act(|session| session.replace_deaf(now));
    }

    /// Truncates an item in the conversation to what the caller heard before the barge-in.
    pub(crate) fn note_interrupted(&mut self, heard: &PlayedItem, now: Instant) {
        let item = ItemId::from(heard.item.0.as_str());
        self.act(|session| session.truncate(&item, heard.heard, heard.of, now));
    }

    /// Notes that an item was played to its end.
    pub(crate) fn note_played(&mut self, item: &ItemId, now: Instant) {
        self.act(|session| session.was_played(item, now));
    }

    /// Cancels the response after a barge-in that this side detected.
    pub(crate) fn interrupt(&mut self, now: Instant) {
        self.act(|session| session.interrupt(now));
    }

    /// Ends the caller's turn where this side detects turns; `answer` requests a response.
    pub(crate) fn yield_turn(&mut self, answer: bool, now: Instant) {
        self.act(|session| session.yield_turn(answer, now));
    }

    /// Sends a tool's output; `speak` requests a response to it.
    pub(crate) fn answer_tool(&mut self, call_id: &ToolCallId, output: &str, speak: bool, now: Instant) {
        self.act(|session| session.answer_tool(call_id, output, speak, now));
    }

    /// Sends a text item in the caller's name, and requests a response to it.
    pub(crate) fn send_text(&mut self, text: &str, now: Instant) {
        self.act(|session| session.tell(text, now));
    }

    /// Requests a response with these instructions. With `insists` it is generated even if the caller speaks first.
    pub(crate) fn request_response(&mut self, instructions: &str, insists: bool, now: Instant) {
        self.act(|session| session.ask(instructions, insists, now));
    }

    /// Sets whether the call is about to end: after the goodbye, empty responses are not repeated.
    pub(crate) fn set_leaving(&mut self, leaving: bool) {
        self.act(|session| session.set_leaving(leaving));
    }

    /// Withdraws a requested response that has not begun.
    pub(crate) fn withdraw_request(&mut self, now: Instant) {
        self.act(|session| session.withdraw(now));
    }

    /// Returns how many appends of the caller's audio were dropped because the socket was too slow.
    pub(crate) fn dropped(&self) -> u64 {
        self.websockets.dropped()
    }

    fn act(&mut self, act: impl FnOnce(&mut Session)) {
        act(&mut self.session);
        self.websockets.perform(&mut self.session);
    }
}
