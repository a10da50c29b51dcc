//! Clients watch a call from sideband sockets: any number of them, from the accept to the end.

use super::super::sockets::ToSocket;
use super::super::{AgentSpeech, SocketEventKind};
use super::{Call, FRAME, Phase};
use crate::session::Output;
use serde_json::Value;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedReceiver;

impl Call {
    /// Whether a sideband is let in now.
    pub(crate) fn has_sideband(&self, now: Instant) -> bool {
        self.phase == Phase::Talking && now >= self.opens
    }

    /// A socket came too early or too late.
    pub(crate) fn note_sideband_not_found(&mut self, now: Instant) {
        self.note_socket(SocketEventKind::NotFound, now);
    }

    /// Attaches a socket, if one is let in.
    pub(crate) fn attach(&mut self, now: Instant) -> Option<UnboundedReceiver<ToSocket>> {
        let session = self.session.as_ref().filter(|_| self.has_sideband(now))?;
        let welcome = session.lock().welcome(now);
        self.note_socket(SocketEventKind::Attached, now);
        let receiver = self.sockets.attach(welcome);
        self.pump(now);
        Some(receiver)
    }

    /// A client sends an event from one of its sockets.
    pub(crate) fn handle_socket(&mut self, text: &str, now: Instant) {
        if let Some(session) = self.session.as_ref().filter(|_| self.phase == Phase::Talking) {
            session.lock().handle_client(text, now);
        }
        self.pump(now);
    }

    pub(super) fn caller_is_answered(&mut self, now: Instant) {
        self.caller.answered(now);
        self.next_frame = Some(now + FRAME);
    }

    /// Does what the session wants done.
    pub(super) fn pump(&mut self, now: Instant) {
        while let Some(output) = self.session.as_ref().and_then(|session| session.lock().poll_output()) {
            match output {
                Output::Send(event) => {
                    self.note_playback(&event, now);
                    self.sockets.send(&ToSocket::Send(event));
                }
                Output::Observe(observation) => self.observations.push_back(observation),
                Output::Close { code, reason } => self.end_session(code, &reason, now),
                Output::Break => self.drop_sockets(now),
            }
        }
    }

    fn note_playback(&mut self, event: &Value, now: Instant) {
        let was_cut = match event["type"].as_str() {
            Some("output_audio_buffer.started") => {
                let response = event["response_id"].as_str().unwrap_or_default().to_owned();
                self.report.agent.push(AgentSpeech { response, started: now, stopped: None, was_cut: false });
                return self.note_answer(now);
            }
            Some("output_audio_buffer.stopped") => false,
            Some("output_audio_buffer.cleared") => true,
            _ => return,
        };
        if let Some(speech) = self.report.agent.last_mut() {
            (speech.stopped, speech.was_cut) = (Some(now), was_cut);
        }
    }
}
