//! Holds the sessions of a simulator, for their sockets and for reports.

use crate::greetings::Greetings;
use crate::responses::api::Requests;
use crate::session::{Connection, Session};
use crate::{Config, InjectedFault, Observation, SessionReport};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};
use tracing::info;

/// Observations a slow subscriber may fall behind by.
const BACKLOG: usize = 16_384;

#[derive(Debug)]
pub(crate) struct SessionRegistry {
    pub config: Arc<Config>,
    key: Mutex<String>,
    sessions: Mutex<Vec<Shared>>,
    connections: AtomicUsize,
    greetings: Greetings,
    /// What the Responses API was asked for.
    pub responses: Requests,
    watchers: broadcast::Sender<Observation>,
    /// Until when no socket is read or written.
    held: watch::Sender<Option<Instant>>,
}

/// A session, with its socket and with the registry. Locked for one step at a time, never while waiting.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Mutex<Session>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Session> {
        self.0.lock().expect("a session that panicked is a bug of the simulator")
    }
}

impl SessionRegistry {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            key: Mutex::new(config.key.clone()),
            config: Arc::new(config),
            sessions: Mutex::default(),
            connections: AtomicUsize::new(0),
            greetings: Greetings::default(),
            responses: Requests::default(),
            watchers: broadcast::Sender::new(BACKLOG),
            held: watch::Sender::default(),
        }
    }

    /// The only API key let in.
    pub(crate) fn key(&self) -> String {
        self.key.lock().expect("no thread panics while holding the key").clone()
    }

    pub(crate) fn set_key(&self, key: String) {
        *self.key.lock().expect("no thread panics while holding the key") = key;
    }

    /// Counts one more; how many there were before.
    pub(crate) fn count_connection(&self) -> usize {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Begins a session and gives it the next place.
    pub(crate) fn begin(
        &self,
        connection: usize,
        model: String,
        begin: impl FnOnce(Arc<Config>, Connection) -> Session,
    ) -> Shared {
        let mut sessions = self.sessions();
        let session = sessions.len();
        let fault = self.config.fault_of(connection, session);
        let greetings = self.greetings.clone();
        let connection = Connection { session, fault, model, unix_now: unix_now(), greetings };
        let session = Shared(Arc::new(Mutex::new(begin(self.config.clone(), connection))));
        sessions.push(session.clone());
        session
    }

    pub(crate) fn reports(&self) -> Vec<SessionReport> {
        self.sessions().iter().map(|session| session.lock().report().clone()).collect()
    }

    /// What befalls a connection before anything is known of it.
    pub(crate) fn fault_of(&self, connection: usize) -> Option<InjectedFault> {
        self.config.fault_of(connection, self.sessions().len())
    }

    /// Holds all sockets for this duration: nothing is read or written.
    pub(crate) fn hold(&self, lasts: Duration) {
        self.held.send_replace(Some(Instant::now() + lasts));
    }

    /// Resolves once sockets may be read and written.
    pub(crate) async fn released(&self) {
        let mut held = self.held.subscribe();
        loop {
            let Some(until) = held.borrow_and_update().filter(|until| *until > Instant::now()) else {
                return;
            };
            tokio::select! {
                () = sleep_until(until) => return,
                Ok(()) = held.changed() => {}
            }
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Observation> {
        self.watchers.subscribe()
    }

    pub(crate) fn publish(&self, observation: Observation) {
        info!(session = observation.session, "{}", observation.kind);
        // There may be no subscriber.
        let _unwatched = self.watchers.send(observation);
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<Shared>> {
        self.sessions.lock().expect("no thread panics while adding a session")
    }
}

pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}
