//! The model behind the agent, as the owner of a call sees it: it hears, it says, it is told what was heard.
//!
//! The socket lives in a task of its own, so that a slow network never keeps a frame waiting.

use bridge::{Agent as Doing, Heard, ItemId};
use realtime::connection::{Connection, Endpoint};
use realtime::{ClientEvent, Happening, ServerEvent, Session, Trouble};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// So many events may wait for the socket: ten seconds of sound. Then sound is dropped, and counted.
const WAITING_OUT: usize = 256;

/// So many events may wait for the owner; then the socket waits.
const WAITING_IN: usize = 64;

/// A socket that takes nothing for so long is dead.
const STALLED: Duration = Duration::from_secs(10);

/// A session with the model.
pub struct Agent {
    session: Session,
    events: mpsc::Receiver<Line>,
    orders: mpsc::Sender<ClientEvent>,
    dropped: u64,
    is_stuck: bool,
}

/// What comes from the socket.
#[derive(Debug)]
pub enum Line {
    /// The server says something.
    Event(ServerEvent),
    /// There is no connection, or not any more.
    Down(String),
}

/// What the agent does, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It is configured and prepares its greeting.
    Ready,
    /// It does something.
    Doing(Doing),
    /// Something went wrong; it goes on.
    Troubled(String),
    /// It is gone.
    Gone(String),
}

impl Agent {
    /// Connects to the model. How that goes, [`Agent::next`] tells.
    pub fn connect(endpoint: Endpoint, config: realtime::Config) -> Self {
        let (events_in, events) = mpsc::channel(WAITING_IN);
        let (orders, orders_out) = mpsc::channel(WAITING_OUT);
        // It ends, and closes the socket properly, when this `Agent` is gone.
        tokio::spawn(hold_line(endpoint, events_in, orders_out));
        Self { session: Session::new(config), events, orders, dropped: 0, is_stuck: false }
    }

    /// What comes next from the socket. Safe to drop while it waits; waits for ever once the line is down.
    pub async fn next(&mut self) -> Line {
        match self.events.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }

    /// Takes what came from the socket. What it means, is told.
    pub fn handle(&mut self, line: Line) -> Vec<News> {
        match line {
            _ if self.is_stuck => vec![News::Gone("the model's socket takes nothing any more".to_owned())],
            Line::Down(reason) => vec![News::Gone(reason)],
            Line::Event(event) => {
                self.session.handle_server(event);
                self.send();
                std::iter::from_fn(|| self.session.poll_happening()).map(news).collect()
            }
        }
    }

    /// Lets it hear the caller: 24 kHz, mono.
    pub fn hear(&mut self, samples: &[i16]) {
        self.session.append(samples);
        self.send();
    }

    /// Tells it how much of what it said was heard.
    pub fn was_heard(&mut self, heard: &Heard) {
        self.session.truncate(&heard.item.0, heard.heard.as_millis() as u64);
        self.send();
    }

    /// Pieces of the caller's sound that were dropped, because the socket took no more.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn send(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match self.orders.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(ClientEvent::Append { .. })) => self.dropped += 1,
                // Without the rest the session is not what we think it is.
                Err(TrySendError::Full(_)) => self.is_stuck = true,
                Err(TrySendError::Closed(_)) => {}
            }
        }
    }
}

fn news(happening: Happening) -> News {
    match happening {
        Happening::Ready { .. } => News::Ready,
        Happening::Began { response } => News::Doing(Doing::Began { response }),
        Happening::Said { response, item, samples } => {
            News::Doing(Doing::Said { response, item: ItemId(item), samples })
        }
        Happening::Finished { item } => News::Doing(Doing::Finished { item: ItemId(item) }),
        Happening::Ended { response } => News::Doing(Doing::Ended { response }),
        Happening::CallerStarted => News::Doing(Doing::HearsCaller),
        Happening::CallerStopped => News::Doing(Doing::HearsCallerStop),
        Happening::Troubled(Trouble { code, .. }) => News::Troubled(code),
        // OpenAI's message can quote the key: its code says enough.
        Happening::Broken(Trouble { code, .. }) => News::Gone(code),
    }
}

/// Holds the line until either side lets go of it.
async fn hold_line(endpoint: Endpoint, events: mpsc::Sender<Line>, mut orders: mpsc::Receiver<ClientEvent>) {
    let mut connection = match Connection::open(&endpoint).await {
        Ok(connection) => connection,
        Err(error) => {
            let _ = events.send(Line::Down(error.to_string())).await;
            return;
        }
    };
    let down = loop {
        tokio::select! {
            event = connection.next() => match event {
                Ok(event) => if events.send(Line::Event(event)).await.is_err() { return },
                Err(error) => break error.to_string(),
            },
            order = orders.recv() => match order {
                Some(order) => match tokio::time::timeout(STALLED, connection.send(&order)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => break error.to_string(),
                    Err(_) => break format!("the Realtime API took nothing for {} s", STALLED.as_secs()),
                },
                None => return connection.close().await,
            },
        }
    };
    let _ = events.send(Line::Down(down)).await;
}
