//! Runs one call: a single loop that joins its WebRTC peer, the audio bridge and the model. The loop alone owns the call's
//! state, so there are no locks, and it awaits nothing but the next input.
//!
//! Its parts each own one idea, and know nothing of the session:
//!
//! | module | what it does |
//! |---|---|
//! | `call_identity` | the call, and this task's assignment of it |
//! | `services` | what the sessions of a task share to reach others |
//! | `media_path` | socket, WebRTC peer, Opus codec and media diagnosis |
//! | `acceptance` | when a ringing call may be accepted, and the requests to do so |
//! | `tool_uses` | the tool calls under way, their caps, and each one's execution beside the call |
//! | `record` | journal entries, transcript, audio levels and summary |
//! | `accounts` | token usage, cost, and the day's spending |
//! | `closing` | how far the call is on its way to its end |
//! | `instruction`, `outage_message` | what the agent file has the model say; what callers hear without a model |
//!
//! What happens between them is methods of the session:
//!
//! | module | what it does |
//! |---|---|
//! | `incoming_media` | the caller's datagrams: RTP audio, DTMF |
//! | `outgoing_media` | the bridge's outputs: frames to send, barge-in, DTMF digits, nudges |
//! | `model_events` | the model's events: speech, transcripts, tool calls, session losses |
//! | `tool_calls` | the model's tool calls, and those of hosted tools |
//! | `accepting` | the accept, and the opening of the media path |
//! | `goodbye` | the agent's last words before the call is hung up |
//! | `media_statistics` | loss, jitter, MOS, for journal and summary |
//! | `ending` | writes transcript and summary, and reports the end to call-control |

mod acceptance;
mod accepting;
mod accounts;
mod call_identity;
mod closing;
mod ending;
mod goodbye;
mod incoming_media;
mod instruction;
mod media_path;
mod media_statistics;
mod model_events;
mod outage_message;
mod outgoing_media;
mod record;
mod services;
mod tool_calls;
mod tool_uses;

use crate::agent_cache::LoadedAgent;
use crate::model::{ModelPort, SocketInput};
use acceptance::{Acceptance, ControlReply};
use accounts::{Accounts, SpendingCount};
use audio::Bridge;
use bytes::Bytes;
pub(crate) use call_identity::CallIdentity;
use closing::{Closing, SessionEnd};
use internal_api::client::CallControl;
use journal::EntryBuilder;
use media_path::MAX_DATAGRAM;
pub(crate) use media_path::{CallSocket, MediaPath};
use record::CallRecord;
pub(crate) use services::Services;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tool_uses::{ToolUsed, ToolUses};

/// Everything a [`CallSession`] is built from.
pub(crate) struct CallSessionParts {
    /// The call, and this task's assignment of it.
    pub(crate) call: CallIdentity,
    /// When the ring time is over.
    pub(crate) deadline: Instant,
    /// The way of sound between the caller and the bridge.
    pub(crate) media: MediaPath,
    /// The agent that answers, from its file.
    pub(crate) agent: Arc<LoadedAgent>,
    /// The name of the Realtime model.
    pub(crate) model_name: String,
    /// The connection to the model.
    pub(crate) model: ModelPort,
    /// Builds the call's journal entries.
    pub(crate) entries: EntryBuilder,
    /// What the sessions of this task share.
    pub(crate) services: Services,
    /// Commands from the control API.
    pub(crate) commands: mpsc::Receiver<SessionCommand>,
}

/// A command for a running call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionCommand {
    /// The call is over, as call-control says.
    Release,
    /// The task is draining: the agent says goodbye, then the call ends. A second one ends the call at once.
    Drain,
    /// The WhatsApp message that the agent sent under this id has failed.
    MessageFailed(String),
}

/// An input of the session's loop.
enum SessionInput {
    Datagram(usize, SocketAddr),
    /// An ICMP error for an earlier datagram; later ones may still arrive.
    IcmpError(std::io::Error),
    Model(SocketInput),
    Reply(ControlReply),
    ToolEnded(ToolUsed),
    SpendingCounted(SpendingCount),
    Command(Option<SessionCommand>),
    Timeout,
}

/// The owner of one call, and of everything that belongs to it.
struct CallSession {
    call: CallIdentity,
    agent: Arc<LoadedAgent>,
    model: ModelPort,
    media: MediaPath,
    bridge: Bridge<Bytes>,
    acceptance: Acceptance,
    tools: ToolUses,
    record: CallRecord,
    accounts: Accounts,
    closing: Closing,
    control: CallControl,
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
        let CallSessionParts { call, deadline, media, agent, model_name, model, entries, services, commands } =
            parts;
        Self {
            bridge: Bridge::new(agent.limits(), agent.turns(), agent.keypad()),
            acceptance: Acceptance::new(call.clone(), &services, deadline, Instant::now()),
            record: CallRecord::new(&call, &agent, &model_name, entries, services.journal.clone()),
            accounts: Accounts::new(call.clone(), agent.clone(), model_name, services.store.clone()),
            closing: Closing::default(),
            control: services.control.clone(),
            tools: ToolUses::new(call.clone(), &agent, services),
            call,
            agent,
            model,
            media,
            commands,
        }
    }

    async fn run(&mut self) -> SessionEnd {
        let mut datagram = [0; MAX_DATAGRAM];
        loop {
            let deadline = self.advance();
            if let Some(end) = self.closing.end {
                return end;
            }
            let input = self.wait(&mut datagram, deadline).await;
            let now = Instant::now();
            self.media.note_wake(now.saturating_duration_since(deadline), now);
            match input {
                SessionInput::Datagram(length, from) => self.handle_datagram(&datagram[..length], from, now),
                SessionInput::IcmpError(error) => self.media.handle_icmp_error(&error, now),
                SessionInput::Model(input) => self.model.handle(input, now),
                SessionInput::Reply(reply) => self.handle_reply(reply, now),
                SessionInput::ToolEnded(used) => self.answer_tool(used, now),
                SessionInput::SpendingCounted(counted) => self.handle_count(&counted),
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
            used = self.tools.next() => SessionInput::ToolEnded(used),
            counted = self.accounts.next() => SessionInput::SpendingCounted(counted),
            received = self.media.receive(datagram) => match received {
                Ok((length, from)) => SessionInput::Datagram(length, from),
                Err(error) => SessionInput::IcmpError(error),
            },
            input = self.model.next() => SessionInput::Model(input),
        }
    }

    /// Runs what is due, drains every state machine into the next one, and returns when the next timeout is due.
    fn advance(&mut self) -> Instant {
        let now = Instant::now();
        self.media.handle_timeout(now);
        self.model.handle_timeout(now);
        self.poll_peer(now);
        self.poll_model(now);
        self.bridge.handle_timeout(now);
        self.send_to_model(now);
        self.media.tune(now);
        self.handle_outputs(now);
        self.accept_when_ready(now);
        self.accounts.count_when_due(now);
        self.media.transmit(now);
        self.note_findings(now);
        let due = [
            self.media.poll_timeout(),
            self.model.poll_timeout(),
            self.bridge.poll_timeout(),
            self.acceptance.progress.poll_timeout(),
            self.accounts.poll_timeout(),
        ];
        due.into_iter().flatten().min().unwrap_or(now + Duration::from_secs(1))
    }

    fn handle_command(&mut self, command: Option<SessionCommand>, now: Instant) {
        match command {
            Some(SessionCommand::Drain) => self.drain(),
            Some(SessionCommand::MessageFailed(id)) => self.handle_failed_message(&id, now),
            // The command queue closes when the call was reassigned to a newer session of this task.
            Some(SessionCommand::Release) | None => self.closing.note_reported(),
        }
    }

    /// Handles the result of a count: if the day's cap is reached, the call ends.
    fn handle_count(&mut self, counted: &SpendingCount) {
        if let Some(cap_near) = self.accounts.handle_count(counted) {
            self.record.note(cap_near);
        }
        if self.accounts.is_cap_reached(counted) {
            self.bridge.reach_spending_cap();
        }
    }
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
