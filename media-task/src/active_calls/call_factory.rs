//! Builds a call's session: answers its offer, opens its socket, connects the model, prepares to ask the business who calls.

use super::admission::{AdmissionError, COMMAND_QUEUE};
use crate::agent_side::{AgentSideParts, CallIdentity, Services};
use crate::call_agent::{Agents, CallAgent, CallAgentContext};
use crate::caller_lookup::{CallerLookup, LookupPost, Waits};
use crate::lateness_meter::LatenessMeter;
use crate::session::{self, CallSessionParts, CallSocket, MediaPath};
use crate::session_command::SessionCommand;
use crate::sideband::{self, SidebandParts, TakenOver};
use crate::webrtc::Peer;
use crate::webrtc::offer::Offer;
use call::{CallRef, Line, Stage, TaskId};
use internal_api::control_api;
use journal::{EntryBuilder, EntryContext};
use lookup::LookupRequest;
use media_diagnosis::{MediaContext, MediaMonitor};
use secrecy::SecretString;
use service::time::now_ms;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::keys;
use tokio::sync::mpsc;

/// How long call-control may take to confirm that this task has taken over a call from another.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(10);

/// Builds the sessions of all calls.
pub(crate) struct CallFactory {
    /// The IP address that calls' sockets bind.
    pub(crate) bind_ip: IpAddr,
    /// The public IP address of these sockets.
    pub(crate) public_ip: IpAddr,
    /// The agents that answer, and their models.
    pub(crate) agents: Arc<Agents>,
    /// The id of this task.
    pub(crate) task: TaskId,
    /// What the sessions share to reach others.
    pub(crate) services: Services,
}

/// A call that is ready to run.
pub(super) struct PreparedCall {
    /// What its session is built from.
    pub(super) parts: SessionParts,
    /// The answer to its offer.
    pub(super) answer: String,
    /// The command queue of its session.
    pub(super) commands: mpsc::Sender<SessionCommand>,
}

/// What a call's session is built from.
pub(super) enum SessionParts {
    /// The sound is ours, over WebRTC.
    WebRtc(Box<CallSessionParts>),
    /// The sound is OpenAI's.
    Sideband(Box<SidebandParts>),
}

impl SessionParts {
    /// Runs the call until it is over.
    pub(super) async fn run(self) {
        match self {
            Self::WebRtc(parts) => session::run(*parts).await,
            Self::Sideband(parts) => sideband::run(*parts).await,
        }
    }
}

impl CallFactory {
    /// Prepares a call on any line.
    ///
    /// # Errors
    /// [`AdmissionError`] when the offer or the agent file cannot be used, or no socket can be opened.
    pub(super) fn prepare(
        &self,
        call_ref: &CallRef,
        request: &control_api::Offer,
        lateness: Arc<LatenessMeter>,
    ) -> Result<PreparedCall, AdmissionError> {
        match request.line {
            Line::WhatsApp => self.answer(call_ref, request, lateness),
            Line::Sip => self.attach(call_ref, request),
        }
    }

    /// Prepares a call whose sound OpenAI carries. Nothing is connected before the call is accepted.
    fn attach(
        &self,
        call_ref: &CallRef,
        request: &control_api::Offer,
    ) -> Result<PreparedCall, AdmissionError> {
        if request.realtime_call.is_none() {
            return Err(AdmissionError::NoRoom("the offer does not name OpenAI's call"));
        }
        let taken_over = taken_over(request);
        let ring_time =
            if taken_over.is_some() { TAKEN_OVER_WITHIN } else { time_until(request.ring_deadline_ms) };
        let deadline = Instant::now() + ring_time;
        let agent = self.agent_side(call_ref, request, deadline)?;
        let (commands, receiver) = mpsc::channel(COMMAND_QUEUE);
        let parts = SidebandParts { agent, deadline, taken_over, commands: receiver };
        Ok(PreparedCall { parts: SessionParts::Sideband(Box::new(parts)), answer: String::new(), commands })
    }

    /// Answers an offer, and starts to connect the model.
    ///
    /// # Errors
    /// [`AdmissionError`] when the offer or the agent file cannot be used, or no socket can be opened.
    fn answer(
        &self,
        call_ref: &CallRef,
        request: &control_api::Offer,
        lateness: Arc<LatenessMeter>,
    ) -> Result<PreparedCall, AdmissionError> {
        let offer = Offer::read(&request.offer)?;
        let socket = CallSocket::open(self.bind_ip)?;
        let bound = socket.address()?;
        let address = SocketAddr::new(self.public_ip, bound.port());
        let deadline = Instant::now() + time_until(request.ring_deadline_ms);
        // Before the answer, which takes milliseconds: the model's first word takes longest of all.
        let agent = self.agent_side(call_ref, request, deadline)?;
        let (peer, answer) = Peer::answer(&offer, address, Instant::now())?;
        let monitor = MediaMonitor::new(media_context(&offer, address.ip(), bound.ip()), Instant::now());
        let (commands, receiver) = mpsc::channel(COMMAND_QUEUE);
        let media = MediaPath::new(socket, peer, monitor, lateness, offer.bits_per_second());
        let parts = CallSessionParts { agent, deadline, media, commands: receiver };
        Ok(PreparedCall { parts: SessionParts::WebRtc(Box::new(parts)), answer, commands })
    }

    /// Prepares to ask the business who calls, and starts to connect the model of a call that rings until `deadline`.
    fn agent_side(
        &self,
        call_ref: &CallRef,
        request: &control_api::Offer,
        deadline: Instant,
    ) -> Result<AgentSideParts, AdmissionError> {
        let agent = CallAgent::load(&self.agents, request.agent.as_deref(), context(request))?;
        let (call, now) = (identity(call_ref, request), Instant::now());
        let lookup = self.look_up(&call, request, &agent, deadline, now);
        Ok(AgentSideParts {
            call,
            model: agent.connect(lookup.is_awaited(), now),
            agent,
            lookup,
            entries: self.entries(call_ref, request),
            services: self.services.clone(),
        })
    }

    fn look_up(
        &self,
        call: &CallIdentity,
        request: &control_api::Offer,
        agent: &CallAgent,
        deadline: Instant,
        now: Instant,
    ) -> CallerLookup {
        let is_ringing = request.accepted_at_ms.is_none();
        let waits = match is_ringing && agent.file().waits_for_lookup() {
            true => Waits::UntilSettled { ring_deadline: deadline },
            false => Waits::No,
        };
        // The business decides once, and before caller and agent talk.
        let may_decide = is_ringing && !request.is_chosen;
        let details = call.details.clone().unwrap_or_default();
        let file = agent.file();
        let asked =
            LookupRequest { agent: &file.name, call_ref: &call.call_ref, line: call.line, details: &details };
        let Services { http, secret, .. } = &self.services;
        match LookupPost::of(file, asked, http.as_ref(), secret) {
            Some(post) => CallerLookup::begin(post, waits, may_decide, now),
            None => CallerLookup::none(),
        }
    }

    /// Returns the builder of the call's journal entries.
    fn entries(&self, call_ref: &CallRef, request: &control_api::Offer) -> EntryBuilder {
        let writer = keys::task_writer(&self.task);
        EntryBuilder::new(call_ref, &writer, request.rang_at_ms, request.version).at(EntryContext {
            line: request.line.into(),
            number: Some(request.number.clone()),
            task: Some(self.task.clone()),
            phase: Some(Stage::Answering.into()),
        })
    }
}

fn context(request: &control_api::Offer) -> CallAgentContext {
    CallAgentContext {
        line: request.line,
        details: request.details.clone(),
        pseudonym: request.caller.clone(),
        realtime_call: request.realtime_call.clone().map(SecretString::from),
        language: request.language.clone(),
        is_greeted: taken_over(request).is_some_and(|before| before.is_greeted),
    }
}

fn identity(call_ref: &CallRef, request: &control_api::Offer) -> CallIdentity {
    CallIdentity {
        call_ref: call_ref.clone(),
        line: request.line,
        number: request.number.clone(),
        hides_number: request.hides_number,
        caller: request.caller.clone(),
        details: request.details.clone(),
        fence: request.fence,
        token: request.token.clone(),
    }
}

/// Returns what was done in the call before, if another task had it.
fn taken_over(request: &control_api::Offer) -> Option<TakenOver> {
    let accepted = Duration::from_millis(now_ms().saturating_sub(request.accepted_at_ms?));
    Some(TakenOver { accepted, is_greeted: !request.is_ungreeted })
}

fn media_context(offer: &Offer, advertised: IpAddr, bound: IpAddr) -> MediaContext {
    let keys = offer.audio.dtmf.iter().map(|(dtmf, _)| *dtmf).collect();
    MediaContext { advertised, bound, relays: offer.relays(), opus: offer.audio.opus, keys }
}

fn time_until(deadline_ms: u64) -> Duration {
    Duration::from_millis(deadline_ms.saturating_sub(now_ms()))
}
