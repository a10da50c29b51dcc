//! Builds a call's session: answers its offer, opens its socket, connects the model.

use super::admission::{AdmissionError, COMMAND_QUEUE};
use crate::agent_cache::AgentCache;
use crate::journal_writer::JournalWriter;
use crate::lateness_meter::LatenessMeter;
use crate::lifecycle::task_protection::TaskProtection;
use crate::model::ModelPort;
use crate::session::{CallSessionParts, SessionCommand, enable_icmp_errors};
use crate::settings::{MediaSecret, ModelSettings};
use crate::webrtc::Peer;
use crate::webrtc::offer::Offer;
use call::Stage;
use internal_api::client::CallControl;
use internal_api::control_api;
use journal::{EntryBuilder, EntryContext};
use media_diagnosis::{MediaContext, MediaMonitor};
use realtime::connection::{Auth, Endpoint};
use service::secrets::Secret;
use service::time::now_ms;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;
use store::keys;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// What the sessions of all calls share.
pub(crate) struct CallFactory {
    /// The IP address that calls' sockets bind.
    pub(crate) bind_ip: IpAddr,
    /// The public IP address of these sockets.
    pub(crate) public_ip: IpAddr,
    /// The endpoint and default name of the model.
    pub(crate) model: ModelSettings,
    /// The agents that answer.
    pub(crate) agents: AgentCache,
    /// The model's API key, and the keys that sign tools' requests.
    pub(crate) secret: Secret<MediaSecret>,
    /// Writes journals, transcripts and summaries to the table.
    pub(crate) journal: JournalWriter,
    /// The table, in which spending is counted.
    pub(crate) store: Store,
    /// Asks call-control, which alone talks to Meta.
    pub(crate) control: CallControl,
    /// The id of this task.
    pub(crate) task: String,
    /// ECS task protection; `None` where the task belongs to no service, and ECS never stops it.
    pub(crate) protection: Option<Arc<TaskProtection>>,
}

/// A call that is ready to run.
pub(super) struct PreparedCall {
    /// What its session is built from.
    pub(super) parts: CallSessionParts,
    /// The answer to its offer.
    pub(super) answer: String,
    /// The command queue of its session.
    pub(super) commands: mpsc::Sender<SessionCommand>,
}

impl CallFactory {
    /// Answers an offer, and starts to connect the model.
    ///
    /// # Errors
    /// [`AdmissionError`] when the offer or the agent file cannot be used, or no socket can be opened.
    pub(super) fn prepare(
        &self,
        call_ref: &str,
        request: &control_api::Offer,
        lateness: Arc<LatenessMeter>,
    ) -> Result<PreparedCall, AdmissionError> {
        let offer = Offer::read(&request.offer)?;
        let socket = socket(self.bind_ip)?;
        let address = SocketAddr::new(self.public_ip, socket.local_addr()?.port());
        let agent = self.agents.load(request.agent.as_deref())?;
        let model_name = agent.file.model.name.clone().unwrap_or_else(|| self.model.name.clone());
        let endpoint = self.endpoint(&model_name, request.caller.as_deref());
        // Before the answer, which takes milliseconds: the model's first word takes longest of all.
        let model =
            ModelPort::connect(endpoint, self.secret.clone(), agent.session(&model_name), Instant::now());
        let (peer, answer) = Peer::answer(&offer, address, Instant::now())?;
        let monitor = MediaMonitor::new(media_context(&offer, address.ip(), &socket)?, Instant::now());
        let (commands, receiver) = mpsc::channel(COMMAND_QUEUE);
        let parts = CallSessionParts {
            call_ref: call_ref.to_owned(),
            number: request.number.clone(),
            hides_number: request.hides_number,
            caller: request.caller.clone(),
            fence: request.fence,
            token: request.token.clone(),
            deadline: Instant::now() + time_until(request.ring_deadline_ms),
            socket,
            peer,
            bits_per_second: offer.bits_per_second(),
            monitor,
            model_name,
            model,
            agent,
            secret: self.secret.clone(),
            entries: EntryBuilder::new(
                call_ref,
                &keys::task_writer(&self.task),
                request.rang_at_ms,
                request.version,
            )
            .at(EntryContext {
                number: Some(request.number.clone()),
                task: Some(self.task.clone()),
                phase: Some(Stage::Answering.into()),
            }),
            journal: self.journal.clone(),
            store: self.store.clone(),
            control: self.control.clone(),
            protection: self.protection.clone(),
            lateness,
            commands: receiver,
        };
        Ok(PreparedCall { parts, answer, commands })
    }

    /// Returns the model's endpoint. The caller is named by a pseudonym, by which OpenAI can tell an abusive caller from the others.
    fn endpoint(&self, model: &str, caller: Option<&str>) -> Endpoint {
        Endpoint {
            url: self.model.url.clone(),
            model: model.to_owned(),
            key: self.secret.value().openai_api_key.clone(),
            safety_identifier: caller.map(str::to_owned),
            auth: Auth::Bearer,
            headers: vec![],
            trust: self.model.trust.clone(),
        }
    }
}

/// Opens the call's own socket on a free port: many calls share one address and port of Meta's relay, so the local port tells them
/// apart.
fn socket(ip: IpAddr) -> std::io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(SocketAddr::new(ip, 0))?;
    enable_icmp_errors(&socket)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

fn media_context(offer: &Offer, advertised: IpAddr, socket: &UdpSocket) -> std::io::Result<MediaContext> {
    let bound = socket.local_addr()?.ip();
    let keys = offer.audio.dtmf.iter().map(|(dtmf, _)| *dtmf).collect();
    Ok(MediaContext { advertised, bound, relays: offer.relays(), opus: offer.audio.opus, keys })
}

fn time_until(deadline_ms: u64) -> Duration {
    Duration::from_millis(deadline_ms.saturating_sub(now_ms()))
}
