//! Leads a session: configures it, has the agent greet, and tells what happens in it.

use crate::gate::{Asked, Gate};
use crate::pcm::Pieces;
use crate::server::Response;
use crate::{ClientEvent, Config, ServerEvent, Trouble};
use std::collections::{HashMap, VecDeque};

/// A Realtime session, from `session.created` on. Sans-IO: what to send is in [`Session::poll_event`].
#[derive(Debug)]
pub struct Session {
    config: Config,
    stage: Stage,
    gate: Gate,
    pieces: HashMap<String, Pieces>,
    events: VecDeque<ClientEvent>,
    happenings: VecDeque<Happening>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has come from the server: only its first event proves that it took us.
    Connecting,
    /// Our configuration is on its way.
    Configuring,
    /// It may be spoken to.
    Ready,
}

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// It is configured, and the agent has been asked to greet.
    Ready {
        /// When the session ends, seconds since 1970.
        expires_at: Option<u64>,
    },
    /// A response began.
    Began {
        /// Its id.
        response: String,
    },
    /// The agent said something.
    Said {
        /// The response this belongs to.
        response: String,
        /// The item this belongs to.
        item: String,
        /// 24 kHz, mono.
        samples: Vec<i16>,
    },
    /// All sound of an item has come.
    Finished {
        /// The item.
        item: String,
    },
    /// A response is over.
    Ended {
        /// Its id.
        response: String,
    },
    /// The caller is heard to speak.
    CallerStarted,
    /// The caller is heard no more.
    CallerStopped,
    /// Something went wrong, and the session goes on.
    Troubled(Trouble),
    /// Something went wrong, and the session is of no more use.
    Broken(Trouble),
}

impl Session {
    /// A session that will be configured like this as soon as the server speaks.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            stage: Stage::Connecting,
            gate: Gate::default(),
            pieces: HashMap::new(),
            events: VecDeque::new(),
            happenings: VecDeque::new(),
        }
    }

    /// Takes a server event.
    pub fn handle_server(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::SessionCreated { .. } => self.configure(),
            ServerEvent::SessionUpdated { session } => self.greet(session.expires_at),
            ServerEvent::SpeechStarted {} => {
                self.gate.forget_owed();
                self.happenings.push_back(Happening::CallerStarted);
            }
            ServerEvent::SpeechStopped {} => self.happenings.push_back(Happening::CallerStopped),
            ServerEvent::ResponseCreated { response } => {
                self.gate.began(&response.id);
                self.happenings.push_back(Happening::Began { response: response.id });
            }
            ServerEvent::AudioDelta { response_id, item_id, delta } => {
                self.hear(response_id, item_id, &delta);
            }
            ServerEvent::AudioDone { item_id } => {
                self.pieces.remove(&item_id);
                self.happenings.push_back(Happening::Finished { item: item_id });
            }
            ServerEvent::ResponseDone { response } => self.end(response),
            ServerEvent::Error { error } => self.fail(error.into()),
            ServerEvent::Other => {}
        }
    }

    /// The caller's sound, 24 kHz mono. Nothing is sent before the session is configured.
    pub fn append(&mut self, samples: &[i16]) {
        if self.stage == Stage::Ready {
            self.events.push_back(ClientEvent::append(samples));
        }
    }

    /// Tells the model how much of an item the caller heard.
    pub fn truncate(&mut self, item: &str, heard_ms: u64) {
        self.events.push_back(ClientEvent::Truncate {
            item_id: item.to_owned(),
            content_index: 0,
            audio_end_ms: heard_ms,
        });
    }

    /// What to send.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// What happened.
    pub fn poll_happening(&mut self) -> Option<Happening> {
        self.happenings.pop_front()
    }

    fn configure(&mut self) {
        self.stage = Stage::Configuring;
        let session = self.config.session();
        self.events.push_back(ClientEvent::SessionUpdate { event_id: "configure".to_owned(), session });
    }

    fn greet(&mut self, expires_at: Option<u64>) {
        if self.stage == Stage::Ready {
            return;
        }
        self.stage = Stage::Ready;
        self.happenings.push_back(Happening::Ready { expires_at });
        let event_id = "greet".to_owned();
        let response = self.config.first_response(&event_id);
        let asked = self.gate.ask(Asked { event_id, response });
        self.create(asked);
    }

    fn hear(&mut self, response: String, item: String, delta: &str) {
        let samples = self.pieces.entry(item.clone()).or_default().add(delta);
        self.happenings.push_back(Happening::Said { response, item, samples });
    }

    fn end(&mut self, response: Response) {
        let asked = self.gate.ended(&response.id);
        self.create(asked);
        self.happenings.push_back(Happening::Ended { response: response.id });
        if let Some(error) = response.status_details.and_then(|details| details.error) {
            self.fail(error.into());
        }
    }

    fn fail(&mut self, trouble: Trouble) {
        if trouble.code == "conversation_already_has_active_response" {
            self.gate.crossed();
        }
        if trouble.is_harmless() {
            return;
        }
        let is_broken = trouble.is_fatal() || self.stage != Stage::Ready;
        self.happenings.push_back(if is_broken {
            Happening::Broken(trouble)
        } else {
            Happening::Troubled(trouble)
        });
    }

    fn create(&mut self, asked: Option<Asked>) {
        let create =
            asked.map(|Asked { event_id, response }| ClientEvent::ResponseCreate { event_id, response });
        self.events.extend(create);
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
