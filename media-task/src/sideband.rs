//! Runs one call whose sound OpenAI carries, such as a call by SIP: a single loop over the agent's side of the call and the sideband of its
//! session.
//!
//! It is the smaller counterpart of [`crate::session`]: no socket, no codec, no playout. The call is accepted first, and attached to then.
//!
//! | module | what it does |
//! |---|---|
//! | `accepting` | the accept, and the attaching |
//! | `model_events` | what OpenAI reports: speech, playback, keys, the end of the call |
//! | `outage` | what a lost sideband leaves open |

mod accepting;
mod model_events;
mod outage;

use crate::acceptance::{Acceptance, ControlReply};
use crate::agent_side::{AgentInput, AgentSide, AgentSideParts};
use crate::session_command::SessionCommand;
use audio::RemoteAudio;
use outage::Outage;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Everything a [`SidebandSession`] is built from.
pub(crate) struct SidebandParts {
    /// The agent's side of the call.
    pub(crate) agent: AgentSideParts,
    /// When the ring time is over.
    pub(crate) deadline: Instant,
    /// What was done in the call before, if another task had it.
    pub(crate) taken_over: Option<TakenOver>,
    /// Commands from the control API.
    pub(crate) commands: mpsc::Receiver<SessionCommand>,
}

/// What was done in a call before this task took it over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TakenOver {
    /// How long ago the call was accepted.
    pub(crate) accepted: Duration,
    /// Whether another task had attached to the call's session, and had its caller greeted.
    pub(crate) is_greeted: bool,
}

/// The owner of one call whose sound OpenAI carries.
struct SidebandSession {
    agent: AgentSide,
    audio: RemoteAudio,
    acceptance: Acceptance,
    commands: mpsc::Receiver<SessionCommand>,
    /// Whether the call has a session at OpenAI, as another task knew.
    had_session: bool,
    outage: Outage,
}

/// An input of the session's loop.
enum SidebandInput {
    Agent(AgentInput),
    Reply(ControlReply),
    Command(Option<SessionCommand>),
    Timeout,
}

/// Runs a call until it is over and everything about it is written.
pub(crate) async fn run(parts: SidebandParts) {
    let mut session = SidebandSession::new(parts);
    session.run().await;
    session.settle_outage();
    let SidebandSession { mut agent, .. } = session;
    let end = agent.closing.end.take().expect("the loop ends with one");
    agent.record.note_over();
    agent.finish(end, &[], || {}).await;
}

impl SidebandSession {
    fn new(parts: SidebandParts) -> Self {
        let SidebandParts { agent, deadline, taken_over, commands } = parts;
        let now = Instant::now();
        let loaded = agent.agent.loaded();
        let limits =
            taken_over.map_or_else(|| loaded.limits(), |before| loaded.limits_after(before.accepted));
        let audio = RemoteAudio::new(limits, loaded.turns(), loaded.keypad());
        let mut acceptance = Acceptance::new(agent.call.clone(), &agent.services, deadline, now);
        // No media of ours connects, and the agent is joined after the accept: a place is all that the call waits for, and its lookup.
        acceptance.progress.note_connected();
        acceptance.progress.note_ready();
        acceptance.progress.await_reply();
        if agent.lookup.is_awaited() {
            acceptance.progress.hold();
        }
        Self {
            audio,
            acceptance,
            agent: AgentSide::new(agent),
            commands,
            had_session: taken_over.is_some_and(|before| before.is_greeted),
            outage: Outage::default(),
        }
    }

    async fn run(&mut self) {
        loop {
            let deadline = self.advance();
            if self.agent.closing.end.is_some() {
                return;
            }
            let input = self.wait(deadline).await;
            let now = Instant::now();
            match input {
                SidebandInput::Agent(input) => self.agent.handle(input, &mut self.audio, now),
                SidebandInput::Reply(reply) => self.handle_reply(reply, now),
                SidebandInput::Command(command) => self.handle_command(command, now),
                SidebandInput::Timeout => {}
            }
        }
    }

    async fn wait(&mut self, deadline: Instant) -> SidebandInput {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(deadline.into()) => SidebandInput::Timeout,
            command = self.commands.recv() => SidebandInput::Command(command),
            reply = self.acceptance.next() => SidebandInput::Reply(reply),
            input = self.agent.next() => SidebandInput::Agent(input),
        }
    }

    /// Runs what is due, drains every state machine into the next one, and returns when the next timeout is due.
    fn advance(&mut self) -> Instant {
        let now = Instant::now();
        self.agent.model.handle_timeout(now);
        self.agent.continue_lookup(&mut self.audio, now);
        self.poll_model(now);
        if self.audio.poll_timeout().is_some_and(|due| due <= now) {
            self.audio.handle_timeout(now);
        }
        self.handle_outputs(now);
        self.agent.continue_transfer(&mut self.audio, now);
        self.accept_when_ready(now);
        self.agent.accounts.count_when_due(now);
        let due =
            [self.agent.poll_timeout(), self.audio.poll_timeout(), self.acceptance.progress.poll_timeout()];
        due.into_iter().flatten().min().unwrap_or(now + Duration::from_secs(1))
    }

    fn handle_outputs(&mut self, now: Instant) {
        while let Some(output) = self.audio.poll_output() {
            self.agent.handle_output(output, now);
            self.agent.record.keep_lines();
        }
    }

    fn handle_command(&mut self, command: Option<SessionCommand>, now: Instant) {
        match command {
            Some(SessionCommand::Drain) => self.agent.drain(&mut self.audio),
            Some(SessionCommand::MessageFailed(id)) => self.agent.handle_failed_message(&id, now),
            // The command queue closes when the call was reassigned to a newer session of this task.
            Some(SessionCommand::Release) | None => self.agent.closing.note_reported(),
        }
    }
}
