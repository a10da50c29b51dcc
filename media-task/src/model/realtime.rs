//! OpenAI's Realtime API behind the agent: opens and closes the sockets that the session asks for, and moves events.
//!
//! Each socket lives in a task of its own, so that a slow network never keeps a frame waiting.

use super::AgentEvent;
use crate::settings::MediaSecret;
use audio::{AgentEvent as Doing, ItemId};
use realtime::connection::{Connection, ConnectionError, Endpoint};
use realtime::{
    ClientEvent, ConnectionLoss, LinkId, ServerEvent, Session, SessionAction, SessionConfig, SessionEvent,
};
use service::secrets::Secret;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// So many events may wait for a socket: ten seconds of sound. Then sound is dropped, and counted.
const WAITING_OUT: usize = 256;

/// So many events may wait for the owner; then the socket waits.
const WAITING_IN: usize = 64;

/// A socket that takes nothing for so long is dead.
const STALLED: Duration = Duration::from_secs(10);

/// A conversation over as many sockets as it takes.
pub struct Provider {
    pub(super) session: Session,
    endpoint: Endpoint,
    secret: Secret<MediaSecret>,
    lines: mpsc::Receiver<Line>,
    lines_in: mpsc::Sender<Line>,
    links: HashMap<LinkId, mpsc::Sender<ClientEvent>>,
    stuck: Vec<LinkId>,
    next_news: Option<AgentEvent>,
    dropped: u64,
}

/// What comes from a socket.
#[derive(Debug)]
pub struct Line {
    link: LinkId,
    what: What,
}

#[derive(Debug)]
enum What {
    Event(Box<ServerEvent>),
    Down(ConnectionLoss),
}

impl Provider {
    /// Begins to connect, with the key that is in the secret now: the endpoint's is only the first.
    pub fn connect(
        endpoint: Endpoint,
        secret: Secret<MediaSecret>,
        config: SessionConfig,
        now: Instant,
    ) -> Self {
        let (lines_in, lines) = mpsc::channel(WAITING_IN);
        let mut provider = Self {
            session: Session::new(config, now),
            endpoint,
            secret,
            lines,
            lines_in,
            links: HashMap::new(),
            stuck: vec![],
            next_news: None,
            dropped: 0,
        };
        provider.perform();
        provider
    }

    pub(super) async fn next(&mut self) -> Line {
        self.lines.recv().await.expect("we hold a sender ourselves")
    }

    pub(super) fn handle(&mut self, line: Line, now: Instant) {
        match line.what {
            What::Event(event) => {
                self.session.handle_event(line.link, *event, now, service::time::now_ms() / 1_000);
            }
            What::Down(down) => {
                self.links.remove(&line.link);
                self.session.handle_connection_loss(line.link, down, now);
            }
        }
        self.perform();
    }

    pub(super) fn act(&mut self, act: impl FnOnce(&mut Session)) {
        act(&mut self.session);
        self.perform();
    }

    pub(super) fn poll_news(&mut self) -> Option<AgentEvent> {
        if let Some(news) = self.next_news.take() {
            return Some(news);
        }
        let (first, second) = news(self.session.poll_event()?);
        self.next_news = second;
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
                // Its task closes the socket properly once nobody gives it orders any more.
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
        let (orders_in, orders) = mpsc::channel(WAITING_OUT);
        self.links.insert(link, orders_in);
        let opening = open(self.endpoint.clone(), self.secret.clone());
        tokio::spawn(hold_line(link, opening, self.lines_in.clone(), orders));
    }

    fn send(&mut self, link: LinkId, event: ClientEvent) {
        let Some(orders) = self.links.get(&link) else { return };
        match orders.try_send(event) {
            Ok(()) => {}
            Err(TrySendError::Full(ClientEvent::Append { .. })) => self.dropped += 1,
            // Without the rest the session is not what we think it is.
            Err(TrySendError::Full(_)) => self.stuck.push(link),
            // It is down, and will say so.
            Err(TrySendError::Closed(_)) => {}
        }
    }
}

/// What a happening means to the owner of the call: one thing, or one and then another.
fn news(happening: SessionEvent) -> (AgentEvent, Option<AgentEvent>) {
    let only = match happening {
        SessionEvent::Ready { .. } => AgentEvent::Ready,
        SessionEvent::Began { response, is_asked: true } => {
            let began = AgentEvent::Doing(Doing::ResponseStarted { response: response.clone() });
            return (AgentEvent::BeginsWhatWasAsked(response), Some(began));
        }
        SessionEvent::Began { response, is_asked: false } => {
            AgentEvent::Doing(Doing::ResponseStarted { response })
        }
        SessionEvent::Said { response, item, samples } => {
            AgentEvent::Doing(Doing::Audio { response, item: ItemId(item), samples: samples.0 })
        }
        SessionEvent::Finished { item } => AgentEvent::Doing(Doing::ItemDone { item: ItemId(item) }),
        SessionEvent::SaidNothing { response } => AgentEvent::Doing(Doing::ResponseEmpty { response }),
        SessionEvent::Ended { response } => AgentEvent::Doing(Doing::ResponseDone { response }),
        SessionEvent::CallerStarted { item } if item.is_empty() => AgentEvent::Doing(Doing::SpeechStarted),
        SessionEvent::CallerStarted { item } => {
            return (AgentEvent::CallerBegan(ItemId(item)), Some(AgentEvent::Doing(Doing::SpeechStarted)));
        }
        SessionEvent::CallerNamed { item } => AgentEvent::CallerBegan(ItemId(item)),
        SessionEvent::CallerStopped => AgentEvent::Doing(Doing::SpeechStopped),
        SessionEvent::CallerSaid { item, text } => AgentEvent::CallerSaid(ItemId(item), text.0),
        SessionEvent::CallerWasSilent { item } => AgentEvent::CallerWasSilent(ItemId(item)),
        SessionEvent::TranscriptionFailed { item, code } => AgentEvent::NotWritten(ItemId(item), code),
        SessionEvent::AgentSaid { item, text, audio } => AgentEvent::AgentSaid(ItemId(item), text.0, audio),
        SessionEvent::ToolCalled { call_id, name, arguments } => {
            AgentEvent::Uses { call_id, tool: name, arguments: arguments.0 }
        }
        SessionEvent::HostedCalled => AgentEvent::UsesHosted,
        SessionEvent::HostedEnded { tool, took, outcome } => AgentEvent::HostedEnded(tool, took, outcome),
        SessionEvent::ToolsMissing { server } => AgentEvent::ToolsMissing(server),
        SessionEvent::EmptyResponse { response: _, purpose, status, reason, then } => {
            AgentEvent::Lacked { purpose, status, reason, then }
        }
        SessionEvent::Used(usage) => AgentEvent::Used(usage),
        SessionEvent::SessionLost { reason } => AgentEvent::Lost(reason),
        SessionEvent::Restored { took, planned } => AgentEvent::Restored(took, planned),
        SessionEvent::PartRefused { part, code } => AgentEvent::DoesWithout(part, code),
        // OpenAI's message can quote the key: its code says enough.
        SessionEvent::ApiError(trouble) => AgentEvent::Troubled(trouble.code),
        SessionEvent::Failed(failure) => AgentEvent::Failed { code: failure.code, cure: failure.cure },
    };
    (only, None)
}

/// Connects; and once more with the new key, if there is one and OpenAI does not take the old one.
async fn open(mut endpoint: Endpoint, secret: Secret<MediaSecret>) -> Result<Connection, ConnectionError> {
    let used = secret.value();
    endpoint.key = used.openai_api_key.clone();
    match admitted(&endpoint).await {
        Err(refused) if refused.is_about_the_key() => {
            let Some(newer) = secret.instead_of(&used).await else { return Err(refused) };
            endpoint.key = newer.openai_api_key.clone();
            admitted(&endpoint).await
        }
        opened => opened,
    }
}

/// Connects, and waits until the server says whether it takes the key: the upgrade succeeds with any.
async fn admitted(endpoint: &Endpoint) -> Result<Connection, ConnectionError> {
    let mut connection = Connection::open(endpoint).await?;
    connection.wait_for_first_event().await?;
    Ok(connection)
}

/// Holds a line until either side lets go of it.
async fn hold_line(
    link: LinkId,
    opening: impl Future<Output = Result<Connection, ConnectionError>>,
    lines: mpsc::Sender<Line>,
    mut orders: mpsc::Receiver<ClientEvent>,
) {
    let tell = async |what| lines.send(Line { link, what }).await;
    let mut connection = tokio::select! {
        opened = opening => match opened {
            Ok(connection) => connection,
            Err(error) => return drop(tell(What::Down(error.into())).await),
        },
        // Nothing is sent before the server speaks: this is the session letting go.
        _ = orders.recv() => return,
    };
    let down = loop {
        tokio::select! {
            event = connection.next() => match event {
                Ok(event) => if tell(What::Event(Box::new(event))).await.is_err() { return },
                Err(error) => break error.into(),
            },
            order = orders.recv() => match order {
                Some(order) => match tokio::time::timeout(STALLED, connection.send(&order)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => break error.into(),
                    Err(_) => break ConnectionLoss::Failed(format!("it took nothing for {} s", STALLED.as_secs())),
                },
                None => return connection.close().await,
            },
        }
    };
    let _ = tell(What::Down(down)).await;
}
