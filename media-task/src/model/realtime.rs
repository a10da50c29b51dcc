//! Connects a call to OpenAI's Realtime API: opens and closes the WebSockets that the session asks for, and moves events.
//!
//! Each WebSocket runs in a task of its own, so that a slow network never delays a frame of audio.

use super::AgentEvent;
use crate::settings::MediaSecret;
use audio::{AgentEvent as AudioEvent, ItemId};
use realtime::connection::{Connection, ConnectionError, Endpoint};
use realtime::{
    ClientEvent, ConnectionLoss, LinkId, ServerEvent, Session, SessionAction, SessionConfig, SessionEvent,
};
use service::secrets::Secret;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// How many events may wait for a socket: ten seconds of audio. Beyond that, audio is dropped and counted.
const OUTGOING_QUEUE: usize = 256;

/// How many events may wait for the session; beyond that, the socket is not read.
const INCOMING_QUEUE: usize = 64;

/// How long a send may block before the socket counts as dead.
const STALLED: Duration = Duration::from_secs(10);

/// A conversation over as many WebSockets as it takes.
pub(crate) struct Provider {
    pub(super) session: Session,
    endpoint: Endpoint,
    secret: Secret<MediaSecret>,
    inputs: mpsc::Receiver<RealtimeInput>,
    input_sender: mpsc::Sender<RealtimeInput>,
    links: HashMap<LinkId, mpsc::Sender<ClientEvent>>,
    stuck: Vec<LinkId>,
    next_event: Option<AgentEvent>,
    dropped: u64,
}

/// An input from one WebSocket.
#[derive(Debug)]
pub(crate) struct RealtimeInput {
    link: LinkId,
    kind: InputKind,
}

#[derive(Debug)]
enum InputKind {
    Event(Box<ServerEvent>),
    Down(ConnectionLoss),
}

impl Provider {
    /// Starts connecting. The API key is read from `secret` at each connect, and replaces the endpoint's.
    pub(crate) fn connect(
        endpoint: Endpoint,
        secret: Secret<MediaSecret>,
        config: SessionConfig,
        now: Instant,
    ) -> Self {
        let (input_sender, inputs) = mpsc::channel(INCOMING_QUEUE);
        let mut provider = Self {
            session: Session::new(config, now),
            endpoint,
            secret,
            inputs,
            input_sender,
            links: HashMap::new(),
            stuck: vec![],
            next_event: None,
            dropped: 0,
        };
        provider.perform();
        provider
    }

    pub(super) async fn next(&mut self) -> RealtimeInput {
        self.inputs.recv().await.expect("we hold a sender ourselves")
    }

    pub(super) fn handle(&mut self, input: RealtimeInput, now: Instant) {
        match input.kind {
            InputKind::Event(event) => {
                self.session.handle_event(input.link, *event, now, service::time::now_ms() / 1_000);
            }
            InputKind::Down(down) => {
                self.links.remove(&input.link);
                self.session.handle_connection_loss(input.link, down, now);
            }
        }
        self.perform();
    }

    pub(super) fn act(&mut self, act: impl FnOnce(&mut Session)) {
        act(&mut self.session);
        self.perform();
    }

    pub(super) fn poll_event(&mut self) -> Option<AgentEvent> {
        if let Some(event) = self.next_event.take() {
            return Some(event);
        }
        let (first, second) = agent_events(self.session.poll_event()?);
        self.next_event = second;
        Some(first)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn perform(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                SessionAction::Connect(link) => self.open(link),
                SessionAction::Send(link, event) => self.send(link, event),
                // Dropping the sender lets the socket's task close the WebSocket.
                SessionAction::Close(link) => drop(self.links.remove(&link)),
            }
        }
        for link in std::mem::take(&mut self.stuck) {
            self.links.remove(&link);
            self.session.handle_connection_loss(
                link,
                ConnectionLoss::Failed("its socket takes nothing any more".into()),
                Instant::now(),
            );
        }
    }

    fn open(&mut self, link: LinkId) {
        let (outgoing_sender, outgoing) = mpsc::channel(OUTGOING_QUEUE);
        self.links.insert(link, outgoing_sender);
        let opening = open(self.endpoint.clone(), self.secret.clone());
        tokio::spawn(run_connection(link, opening, self.input_sender.clone(), outgoing));
    }

    fn send(&mut self, link: LinkId, event: ClientEvent) {
        let Some(outgoing) = self.links.get(&link) else { return };
        match outgoing.try_send(event) {
            Ok(()) => {}
            Err(TrySendError::Full(ClientEvent::Append { .. })) => self.dropped += 1,
            // Without the event the server's state would differ from ours: the session is replaced.
            Err(TrySendError::Full(_)) => self.stuck.push(link),
            // The socket's task has ended, and its `Down` is on the way.
            Err(TrySendError::Closed(_)) => {}
        }
    }
}

/// Returns the one or two events of the port that an event of the session means.
fn agent_events(event: SessionEvent) -> (AgentEvent, Option<AgentEvent>) {
    let only = match event {
        SessionEvent::Ready { .. } => AgentEvent::Ready,
        SessionEvent::Began { response, is_asked: true } => {
            let began = AgentEvent::Audio(AudioEvent::ResponseStarted { response: response.clone() });
            return (AgentEvent::RequestedResponseBegan(response), Some(began));
        }
        SessionEvent::Began { response, is_asked: false } => {
            AgentEvent::Audio(AudioEvent::ResponseStarted { response })
        }
        SessionEvent::Said { response, item, samples } => {
            AgentEvent::Audio(AudioEvent::Audio { response, item: ItemId(item), samples: samples.0 })
        }
        SessionEvent::Finished { item } => AgentEvent::Audio(AudioEvent::ItemDone { item: ItemId(item) }),
        SessionEvent::SaidNothing { response } => AgentEvent::Audio(AudioEvent::ResponseEmpty { response }),
        SessionEvent::Ended { response } => AgentEvent::Audio(AudioEvent::ResponseDone { response }),
        SessionEvent::CallerStarted { item } if item.is_empty() => {
            AgentEvent::Audio(AudioEvent::SpeechStarted)
        }
        SessionEvent::CallerStarted { item } => {
            return (
                AgentEvent::CallerStarted(ItemId(item)),
                Some(AgentEvent::Audio(AudioEvent::SpeechStarted)),
            );
        }
        SessionEvent::CallerNamed { item } => AgentEvent::CallerStarted(ItemId(item)),
        SessionEvent::CallerStopped => AgentEvent::Audio(AudioEvent::SpeechStopped),
        SessionEvent::CallerSaid { item, text } => AgentEvent::CallerSaid(ItemId(item), text.0),
        SessionEvent::CallerWasSilent { item } => AgentEvent::CallerWasSilent(ItemId(item)),
        SessionEvent::TranscriptionFailed { item, code } => {
            AgentEvent::TranscriptionFailed(ItemId(item), code)
        }
        SessionEvent::AgentSaid { item, text, audio } => AgentEvent::AgentSaid(ItemId(item), text.0, audio),
        SessionEvent::ToolCalled { call_id, name, arguments } => {
            AgentEvent::ToolCalled { call_id, tool: name, arguments: arguments.0 }
        }
        SessionEvent::HostedCalled => AgentEvent::HostedToolCalled,
        SessionEvent::HostedEnded { tool, took, outcome } => AgentEvent::HostedToolEnded(tool, took, outcome),
        SessionEvent::ToolsMissing { server } => AgentEvent::ToolsMissing(server),
        SessionEvent::EmptyResponse { response: _, purpose, status, reason, then } => {
            AgentEvent::EmptyResponse { purpose, status, reason, then }
        }
        SessionEvent::Used(usage) => AgentEvent::Usage(usage),
        SessionEvent::SessionLost { reason } => AgentEvent::SessionLost(reason),
        SessionEvent::Restored { took, planned } => AgentEvent::SessionRestored(took, planned),
        SessionEvent::PartRefused { part, code } => AgentEvent::PartRefused(part, code),
        // Only the code: OpenAI's message can quote the API key.
        SessionEvent::ApiError(trouble) => AgentEvent::ApiError(trouble.code),
        SessionEvent::Failed(failure) => AgentEvent::Failed { code: failure.code, cure: failure.cure },
    };
    (only, None)
}

/// Connects; if OpenAI refuses the key and the secret has a newer one, connects once more with that.
async fn open(mut endpoint: Endpoint, secret: Secret<MediaSecret>) -> Result<Connection, ConnectionError> {
    let used = secret.value();
    endpoint.key = used.openai_api_key.clone();
    match open_and_wait(&endpoint).await {
        Err(refused) if refused.is_about_the_key() => {
            let Some(newer) = secret.instead_of(&used).await else { return Err(refused) };
            endpoint.key = newer.openai_api_key.clone();
            open_and_wait(&endpoint).await
        }
        opened => opened,
    }
}

/// Connects, and waits for the first event: the WebSocket upgrade succeeds with any key.
async fn open_and_wait(endpoint: &Endpoint) -> Result<Connection, ConnectionError> {
    let mut connection = Connection::open(endpoint).await?;
    connection.wait_for_first_event().await?;
    Ok(connection)
}

/// Runs one WebSocket until either side closes it.
async fn run_connection(
    link: LinkId,
    opening: impl Future<Output = Result<Connection, ConnectionError>>,
    inputs: mpsc::Sender<RealtimeInput>,
    mut outgoing: mpsc::Receiver<ClientEvent>,
) {
    let forward = async |kind| inputs.send(RealtimeInput { link, kind }).await;
    let mut connection = tokio::select! {
        opened = opening => match opened {
            Ok(connection) => connection,
            Err(error) => return drop(forward(InputKind::Down(error.into())).await),
        },
        // Nothing is sent before the server's first event, so this is the sender being dropped.
        _ = outgoing.recv() => return,
    };
    let down = loop {
        tokio::select! {
            event = connection.next() => match event {
                Ok(event) => if forward(InputKind::Event(Box::new(event))).await.is_err() { return },
                Err(error) => break error.into(),
            },
            event = outgoing.recv() => match event {
                Some(event) => match tokio::time::timeout(STALLED, connection.send(&event)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => break error.into(),
                    Err(_) => break ConnectionLoss::Failed(format!("it took nothing for {} s", STALLED.as_secs())),
                },
                None => return connection.close().await,
            },
        }
    };
    let _ = forward(InputKind::Down(down)).await;
}
