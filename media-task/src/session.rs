//! Runs one call: a single loop that joins its WebRTC peer, the audio bridge and the model. The loop alone owns the call's
//! state, so there are no locks, and it awaits nothing but the next input.
//!
//! The agent's side of the call, with its model, tools, record and accounts, is in [`crate::agent_side`]. The session adds the sound:
//!
//! | module | what it does |
//! |---|---|
//! | `media_path` | socket, WebRTC peer, Opus codec and media diagnosis |
//! | `incoming_media` | the caller's datagrams: RTP audio, DTMF |
//! | `outgoing_media` | the bridge's outputs: frames to send, barge-in, DTMF digits, nudges |
//! | `model_events` | the model's events: speech, session losses |
//! | `accepting` | the accept, and the opening of the media path |
//! | `media_statistics` | loss, jitter, MOS, for journal and summary |
//! | `outage_message` | what callers hear without a model |

mod accepting;
mod incoming_media;
mod media_path;
mod media_statistics;
mod model_events;
mod outage_message;
mod outgoing_media;

use crate::acceptance::{Acceptance, ControlReply};
use crate::agent_side::{AgentInput, AgentSide, AgentSideParts, SessionEnd, ms};
use crate::session_command::SessionCommand;
use audio::Bridge;
use bytes::Bytes;
use call::Ending;
use media_path::MAX_DATAGRAM;
pub(crate) use media_path::{CallSocket, MediaPath};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Everything a [`CallSession`] is built from.
pub(crate) struct CallSessionParts {
    /// The agent's side of the call.
    pub(crate) agent: AgentSideParts,
    /// When the ring time is over.
    pub(crate) deadline: Instant,
    /// The way of sound between the caller and the bridge.
    pub(crate) media: MediaPath,
    /// Commands from the control API.
    pub(crate) commands: mpsc::Receiver<SessionCommand>,
}

/// An input of the session's loop.
enum SessionInput {
    Datagram(usize, SocketAddr),
    /// An ICMP error for an earlier datagram; later ones may still arrive.
    IcmpError(std::io::Error),
    Agent(AgentInput),
    Reply(ControlReply),
    Command(Option<SessionCommand>),
    Timeout,
}

/// The owner of one call, and of everything that belongs to it.
struct CallSession {
    agent: AgentSide,
    media: MediaPath,
    bridge: Bridge<Bytes>,
    acceptance: Acceptance,
    commands: mpsc::Receiver<SessionCommand>,
}

/// Runs a call until it is over and everything about it is written.
pub(crate) async fn run(parts: CallSessionParts) {
    let mut session = CallSession::new(parts);
    let end = session.run().await;
    session.finish(end).await;
}

impl CallSession {
    fn new(parts: CallSessionParts) -> Self {
        let CallSessionParts { agent, deadline, media, commands } = parts;
        let loaded = agent.agent.loaded();
        let bridge = Bridge::new(loaded.limits(), loaded.turns(), loaded.keypad());
        let mut acceptance = Acceptance::new(agent.call.clone(), &agent.services, deadline, Instant::now());
        if agent.lookup.is_awaited() {
            acceptance.progress.hold();
        }
        Self { bridge, acceptance, agent: AgentSide::new(agent), media, commands }
    }

    async fn run(&mut self) -> SessionEnd {
        let mut datagram = [0; MAX_DATAGRAM];
        loop {
            let deadline = self.advance();
            if let Some(end) = self.agent.closing.end {
                return end;
            }
            let input = self.wait(&mut datagram, deadline).await;
            let now = Instant::now();
            self.media.note_wake(now.saturating_duration_since(deadline), now);
            match input {
                SessionInput::Datagram(length, from) => self.handle_datagram(&datagram[..length], from, now),
                SessionInput::IcmpError(error) => self.media.handle_icmp_error(&error, now),
                SessionInput::Agent(input) => self.agent.handle(input, &mut self.bridge, now),
                SessionInput::Reply(reply) => self.handle_reply(reply, now),
                SessionInput::Command(command) => self.handle_command(command, now),
                SessionInput::Timeout => {}
            }
        }
    }

    async fn wait(&mut self, datagram: &mut [u8], deadline: Instant) -> SessionInput {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(deadline.into()) => SessionInput::Timeout,
            // Polled before the socket: a flood of datagrams must not keep a call from ending.
            command = self.commands.recv() => SessionInput::Command(command),
            reply = self.acceptance.next() => SessionInput::Reply(reply),
            received = self.media.receive(datagram) => match received {
                Ok((length, from)) => SessionInput::Datagram(length, from),
                Err(error) => SessionInput::IcmpError(error),
            },
            input = self.agent.next() => SessionInput::Agent(input),
        }
    }

    /// Runs what is due, drains every state machine into the next one, and returns when the next timeout is due.
    fn advance(&mut self) -> Instant {
        let now = Instant::now();
        self.media.handle_timeout(now);
        self.agent.model.handle_timeout(now);
        self.agent.continue_lookup(&mut self.bridge, now);
        self.poll_peer(now);
        self.poll_model(now);
        self.bridge.handle_timeout(now);
        self.send_to_model(now);
        self.media.tune(now);
        self.handle_outputs(now);
        self.accept_when_ready(now);
        self.agent.accounts.count_when_due(now);
        self.media.transmit(now);
        self.note_findings(now);
        let due = [
            self.media.poll_timeout(),
            self.agent.poll_timeout(),
            self.bridge.poll_timeout(),
            self.acceptance.progress.poll_timeout(),
        ];
        due.into_iter().flatten().min().unwrap_or(now + Duration::from_secs(1))
    }

    fn handle_command(&mut self, command: Option<SessionCommand>, now: Instant) {
        match command {
            Some(SessionCommand::Drain) => self.agent.drain(&mut self.bridge),
            Some(SessionCommand::MessageFailed(id)) => self.agent.handle_failed_message(&id, now),
            // The command queue closes when the call was reassigned to a newer session of this task.
            Some(SessionCommand::Release) | None => self.agent.closing.note_reported(),
        }
    }

    /// Finishes the call: the statistics and findings of its media are written, then the agent's side finishes.
    async fn finish(mut self, end: SessionEnd) {
        if end == SessionEnd::Unreported(Ending::MediaNeverConnected) {
            let now = Instant::now();
            self.media.give_up(now);
            self.note_findings(now);
        }
        self.agent.record.note_over();
        self.note_media_statistics();
        let Self { agent, media, mut bridge, .. } = self;
        agent.finish(end, &bridge.stop(), || media.close()).await;
    }
}
