//! Builds a call's session: answers its offer, opens its socket, connects the model.

use super::admission::{AdmissionError, COMMAND_QUEUE};
use crate::agent_cache::{AgentCache, LoadedAgent};
use crate::agent_side::{AgentSideParts, CallIdentity, Services};
use crate::lateness_meter::LatenessMeter;
use crate::model::ModelPort;
use crate::session::{self, CallSessionParts, CallSocket, MediaPath};
use crate::session_command::SessionCommand;
use crate::settings::ModelSettings;
use crate::sideband::{self, SidebandParts, TakenOver};
use crate::webrtc::Peer;
use crate::webrtc::offer::Offer;
use call::{CallRef, Line, Stage, TaskId};
use internal_api::control_api;
use journal::{EntryBuilder, EntryContext};
use media_diagnosis::{MediaContext, MediaMonitor};
use realtime::connection::{Auth, Endpoint};
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
    /// The endpoint and default name of the model.
    pub(crate) model: ModelSettings,
    /// The agents that answer.
    pub(crate) agents: AgentCache,
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
        let Some(call) = request.realtime_call.clone() else {
            return Err(AdmissionError::NoRoom("the offer does not name OpenAI's call"));
        };
        let agent = self.agents.load(request.agent.as_deref(), request.line)?;
        let model_name = self.model_of(&agent);
        let endpoint = Endpoint {
            call: Some(SecretString::from(call)),
            ..self.endpoint(&model_name, request.caller.as_deref())
        };
        let now = Instant::now();
        let taken_over = taken_over(request);
        let is_greeted = taken_over.is_some_and(|before| before.is_greeted);
        let config = agent.sideband(&model_name, is_greeted);
        let model = ModelPort::connect(endpoint, self.services.secret.clone(), config, now);
        let (commands, receiver) = mpsc::channel(COMMAND_QUEUE);
        let ring_time =
            if taken_over.is_some() { TAKEN_OVER_WITHIN } else { time_until(request.ring_deadline_ms) };
        let parts = SidebandParts {
            agent: self.agent_side(call_ref, request, agent, model_name, model),
            deadline: now + ring_time,
            taken_over,
            commands: receiver,
        };
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
        let agent = self.agents.load(request.agent.as_deref(), request.line)?;
        let model_name = self.model_of(&agent);
        // Before the answer, which takes milliseconds: the model's first word takes longest of all.
        let model = ModelPort::connect(
            self.endpoint(&model_name, request.caller.as_deref()),
            self.services.secret.clone(),
            agent.session(&model_name),
            Instant::now(),
        );
        let (peer, answer) = Peer::answer(&offer, address, Instant::now())?;
        let monitor = MediaMonitor::new(media_context(&offer, address.ip(), bound.ip()), Instant::now());
        let (commands, receiver) = mpsc::channel(COMMAND_QUEUE);
        let parts = CallSessionParts {
            agent: self.agent_side(call_ref, request, agent, model_name, model),
            deadline: Instant::now() + time_until(request.ring_deadline_ms),
            media: MediaPath::new(socket, peer, monitor, lateness, offer.bits_per_second()),
            commands: receiver,
        };
        Ok(PreparedCall { parts: SessionParts::WebRtc(Box::new(parts)), answer, commands })
    }

    fn agent_side(
        &self,
        call_ref: &CallRef,
        request: &control_api::Offer,
        agent: Arc<LoadedAgent>,
        model_name: String,
        model: ModelPort,
    ) -> AgentSideParts {
        AgentSideParts {
            call: identity(call_ref, request),
            agent,
            model_name,
            model,
            entries: self.entries(call_ref, request),
            services: self.services.clone(),
        }
    }

    /// Returns the name of the model that an agent uses.
    fn model_of(&self, agent: &LoadedAgent) -> String {
        agent.file.model.name.clone().unwrap_or_else(|| self.model.name.clone())
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

    /// Returns the model's endpoint. The caller is named by a pseudonym, by which OpenAI can tell an abusive caller from the others.
    fn endpoint(&self, model: &str, caller: Option<&str>) -> Endpoint {
        Endpoint {
            url: self.model.url.clone(),
            model: model.to_owned(),
            call: None,
            key: self.services.secret.value().openai_api_key.clone(),
            safety_identifier: caller.map(str::to_owned),
            auth: Auth::Bearer,
            headers: vec![],
            trust: self.model.trust.clone(),
        }
    }
}

fn identity(call_ref: &CallRef, request: &control_api::Offer) -> CallIdentity {
    CallIdentity {
        call_ref: call_ref.clone(),
        line: request.line,
        number: request.number.clone(),
        hides_number: request.hides_number,
        caller: request.caller.clone(),
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
