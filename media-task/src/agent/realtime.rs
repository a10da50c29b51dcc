//! OpenAI's Realtime API behind the agent: opens and closes the sockets that the session asks for, and moves events.
//!
//! Each socket lives in a task of its own, so that a slow network never keeps a frame waiting.

use super::News;
use crate::settings::MediaSecret;
use bridge::{Agent as Doing, ItemId};
use realtime::connection::{Connection, ConnectionError, Endpoint};
use realtime::{Action, ClientEvent, Config, Down, Happening, LinkId, ServerEvent, Session};
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
    next_news: Option<News>,
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
    Down(Down),
}

impl Provider {
    /// Begins to connect, with the key that is in the secret now: the endpoint's is only the first.
    pub fn connect(endpoint: Endpoint, secret: Secret<MediaSecret>, config: Config, now: Instant) -> Self {
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
                self.session.handle_down(line.link, down, now);
            }
        }
        self.perform();
    }

    pub(super) fn act(&mut self, act: impl FnOnce(&mut Session)) {
        act(&mut self.session);
        self.perform();
    }

    pub(super) fn poll_news(&mut self) -> Option<News> {
        if let Some(news) = self.next_news.take() {
            return Some(news);
        }
        let (first, second) = news(self.session.poll_happening()?);
        self.next_news = second;
        Some(first)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn perform(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Connect(link) => self.open(link),
                Action::Send(link, event) => self.send(link, event),
                // Its task closes the socket properly once nobody gives it orders any more.
                Action::Close(link) => drop(self.links.remove(&link)),
            }
        }
        for link in std::mem::take(&mut self.stuck) {
            self.links.remove(&link);
            self.session.handle_down(
                link,
                Down::Failed("its socket takes nothing any more".into()),
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
fn news(happening: Happening) -> (News, Option<News>) {
    let only = match happening {
        Happening::Ready { .. } => News::Ready,
        Happening::Began { response, is_asked: true } => {
            let began = News::Doing(Doing::Began { response: response.clone() });
            return (News::BeginsWhatWasAsked(response), Some(began));
        }
        Happening::Began { response, is_asked: false } => News::Doing(Doing::Began { response }),
        Happening::Said { response, item, samples } => {
            News::Doing(Doing::Said { response, item: ItemId(item), samples: samples.0 })
        }
        Happening::Finished { item } => News::Doing(Doing::Finished { item: ItemId(item) }),
        Happening::Ended { response } => News::Doing(Doing::Ended { response }),
        Happening::CallerStarted { item } => {
            return (News::CallerBegan(ItemId(item)), Some(News::Doing(Doing::HearsCaller)));
        }
        Happening::CallerStopped => News::Doing(Doing::HearsCallerStop),
        Happening::CallerSaid { item, text } => News::CallerSaid(ItemId(item), text.0),
        Happening::AgentSaid { item, text, audio } => News::AgentSaid(ItemId(item), text.0, audio),
        Happening::ToolCalled { call_id, name, arguments } => {
            News::Uses { call_id, tool: name, arguments: arguments.0 }
        }
        Happening::HostedCalled => News::UsesHosted,
        Happening::HostedEnded { tool, took, outcome } => News::HostedEnded(tool, took, outcome),
        Happening::ToolsMissing { server } => News::ToolsMissing(server),
        Happening::Lacked { response: _, purpose, status, reason, then } => {
            News::Lacked { purpose, status, reason, then }
        }
        Happening::Used(usage) => News::Used(usage),
        Happening::SessionLost { reason } => News::Lost(reason),
        Happening::Restored { took, planned } => News::Restored(took, planned),
        // OpenAI's message can quote the key: its code says enough.
        Happening::Troubled(trouble) => News::Troubled(trouble.code),
        Happening::Failed(failure) => News::Failed { code: failure.code, cure: failure.cure },
    };
    (only, None)
}

/// Connects; and once more with the new key, if there is one and OpenAI does not take the old one.
async fn open(mut endpoint: Endpoint, secret: Secret<MediaSecret>) -> Result<Connection, ConnectionError> {
    let used = secret.value();
    endpoint.key = used.openai_api_key.clone();
    match Connection::open(&endpoint).await {
        Err(refused @ (ConnectionError::Refused(401) | ConnectionError::Header)) => {
            let Some(newer) = secret.instead_of(&used).await else { return Err(refused) };
            endpoint.key = newer.openai_api_key.clone();
            Connection::open(&endpoint).await
        }
        opened => opened,
    }
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
                    Err(_) => break Down::Failed(format!("it took nothing for {} s", STALLED.as_secs())),
                },
                None => return connection.close().await,
            },
        }
    };
    let _ = tell(What::Down(down)).await;
}
