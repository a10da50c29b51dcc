//! Moves events between a conversation and OpenAI's Realtime API: opens and closes the WebSockets that it asks for.
//!
//! Each WebSocket runs in a task of its own, so that a slow network never delays a frame of audio.

use crate::settings::MediaSecret;
use realtime::connection::{Connection, ConnectionError, Endpoint};
use realtime::{ClientEvent, ConnectionLoss, LinkId, ServerEvent, Session, SessionAction};
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

/// The WebSockets of one conversation.
pub(super) struct WebSockets {
    endpoint: Endpoint,
    secret: Secret<MediaSecret>,
    inputs: mpsc::Receiver<SocketInput>,
    input_sender: mpsc::Sender<SocketInput>,
    links: HashMap<LinkId, mpsc::Sender<ClientEvent>>,
    stuck: Vec<LinkId>,
    dropped: u64,
}

/// An input from one WebSocket.
#[derive(Debug)]
pub(crate) struct SocketInput {
    link: LinkId,
    kind: InputKind,
}

#[derive(Debug)]
enum InputKind {
    Event(Box<ServerEvent>),
    Down(ConnectionLoss),
}

impl WebSockets {
    pub(super) fn new(endpoint: Endpoint, secret: Secret<MediaSecret>) -> Self {
        let (input_sender, inputs) = mpsc::channel(INCOMING_QUEUE);
        Self { endpoint, secret, inputs, input_sender, links: HashMap::new(), stuck: vec![], dropped: 0 }
    }

    /// Waits for the next input of any WebSocket. Cancel safe.
    pub(super) async fn next(&mut self) -> SocketInput {
        self.inputs.recv().await.expect("we hold a sender ourselves")
    }

    /// Delivers an input to the conversation.
    pub(super) fn deliver(&mut self, input: SocketInput, session: &mut Session, now: Instant) {
        match input.kind {
            InputKind::Event(event) => {
                session.handle_event(input.link, *event, now, service::time::now_ms() / 1_000);
            }
            InputKind::Down(down) => {
                self.links.remove(&input.link);
                session.handle_connection_loss(input.link, down, now);
            }
        }
    }

    /// Performs what the conversation asks for.
    pub(super) fn perform(&mut self, session: &mut Session) {
        while let Some(action) = session.poll_action() {
            match action {
                SessionAction::Connect(link) => self.open(link),
                SessionAction::Send(link, event) => self.send(link, event),
                // Dropping the sender lets the socket's task close the WebSocket.
                SessionAction::Close(link) => drop(self.links.remove(&link)),
            }
        }
        for link in std::mem::take(&mut self.stuck) {
            self.links.remove(&link);
            session.handle_connection_loss(
                link,
                ConnectionLoss::Failed("its socket takes nothing any more".into()),
                Instant::now(),
            );
        }
    }

    /// Returns how many appends of audio were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
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
    inputs: mpsc::Sender<SocketInput>,
    mut outgoing: mpsc::Receiver<ClientEvent>,
) {
    let forward = async |kind| inputs.send(SocketInput { link, kind }).await;
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
