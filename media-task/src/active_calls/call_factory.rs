//! What every call needs, and what an owner is made of: the offer is answered, the model connected to.

use super::AdmissionError;
use super::admission::COMMANDS;
use crate::agent_cache::AgentCache;
use crate::journal_writer::JournalWriter;
use crate::lateness_meter::LatenessMeter;
use crate::model::{ModelPort, Provider};
use crate::offer::Offer;
use crate::session::{CallSessionParts, SessionCommand, ask_for_icmp};
use crate::settings::{MediaSecret, ModelSettings};
use crate::task_protection::TaskProtection;
use crate::webrtc::Peer;
use internal_api::{control_api, keys};
use journal::{EntryBuilder, EntryContext, JournalPhase};
use media_diagnosis::{MediaContext, MediaMonitor};
use realtime::connection::{Auth, Endpoint};
use service::secrets::Secret;
use service::time::now_ms;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{CallControl, Store};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// What every call needs.
pub struct CallFactory {
    /// What sockets bind.
    pub bind_ip: IpAddr,
    /// Where the world reaches them.
    pub public_ip: IpAddr,
    /// Behind which model agents answer.
    pub model: ModelSettings,
    /// Who answers.
    pub roster: AgentCache,
    /// The model's key, and the tools'.
    pub secret: Secret<MediaSecret>,
    /// Where journals go.
    pub diary: JournalWriter,
    /// Where it is counted what calls cost.
    pub ledger: Store,
    /// Who speaks to Meta.
    pub control: CallControl,
    /// The id of this task.
    pub task: String,
    /// What keeps ECS from stopping it; `None` where it belongs to no service, and ECS does not think of it.
    pub protection: Option<Arc<TaskProtection>>,
}

/// A call that can be held.
pub(super) struct PreparedCall {
    /// What its owner is made of.
    pub(super) parts: CallSessionParts,
    /// The answer to its offer.
    pub(super) answer: String,
    /// To its owner.
    pub(super) commands: mpsc::Sender<SessionCommand>,
}

impl CallFactory {
    /// Answers an offer, and has the model come.
    ///
    /// # Errors
    /// Why that cannot be done.
    pub(super) fn equip(
        &self,
        call_ref: &str,
        asked: &control_api::Offer,
        load: Arc<LatenessMeter>,
    ) -> Result<PreparedCall, AdmissionError> {
        let offer = Offer::read(&asked.offer)?;
        let socket = socket(self.bind_ip)?;
        let address = SocketAddr::new(self.public_ip, socket.local_addr()?.port());
        let role = self.roster.role(asked.agent.as_deref())?;
        let model = role.agent.model.name.clone().unwrap_or_else(|| self.model.name.clone());
        let endpoint = self.endpoint(&model, asked.caller.as_deref());
        // Before the answer, which takes a while to make: the model's first word is what takes longest.
        let agent = ModelPort::Realtime(Provider::connect(
            endpoint,
            self.secret.clone(),
            role.session(&model),
            Instant::now(),
        ));
        let (peer, answer) = Peer::answer(&offer, address, Instant::now())?;
        let doctor = MediaMonitor::new(premises(&offer, address.ip(), &socket)?, Instant::now());
        let (commands, orders) = mpsc::channel(COMMANDS);
        let parts = CallSessionParts {
            call_ref: call_ref.to_owned(),
            number: asked.number.clone(),
            hides_number: asked.hides_number,
            caller: asked.caller.clone(),
            fence: asked.fence,
            token: asked.token.clone(),
            deadline: Instant::now() + until(asked.ring_deadline_ms),
            socket,
            peer,
            bits_per_second: offer.bits_per_second(),
            doctor,
            model,
            agent,
            role,
            secret: self.secret.clone(),
            journal: EntryBuilder::new(
                call_ref,
                &keys::task_writer(&self.task),
                asked.rang_at_ms,
                asked.version,
            )
            .at(EntryContext {
                number: Some(asked.number.clone()),
                task: Some(self.task.clone()),
                phase: Some(JournalPhase::Answering),
            }),
            diary: self.diary.clone(),
            ledger: self.ledger.clone(),
            control: self.control.clone(),
            protection: self.protection.clone(),
            load,
            orders,
        };
        Ok(PreparedCall { parts, answer, commands })
    }

    /// The caller goes by a mark: OpenAI can tell one who abuses it from the others, and nobody else.
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

/// A socket of the call's own, on a free port: many calls share one address and port of Meta's relay.
fn socket(ip: IpAddr) -> std::io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(SocketAddr::new(ip, 0))?;
    ask_for_icmp(&socket)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

fn premises(offer: &Offer, advertised: IpAddr, socket: &UdpSocket) -> std::io::Result<MediaContext> {
    let bound = socket.local_addr()?.ip();
    let keys = offer.audio.keys.iter().map(|(keys, _)| *keys).collect();
    Ok(MediaContext { advertised, bound, relays: offer.relays(), opus: offer.audio.opus, keys })
}

fn until(deadline_ms: u64) -> Duration {
    Duration::from_millis(deadline_ms.saturating_sub(now_ms()))
}
