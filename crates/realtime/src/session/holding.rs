//! Holds a conversation whose configuration is not known yet: a session is opened meanwhile, and configured once the configuration is given.

use super::Session;
use super::greeting::GreetingState;
use super::outage::Outage;
use crate::audio_encoding::AudioEncoder;
use crate::link::Stage;
use crate::{ClientEvent, SessionConfig};
use std::time::Instant;

impl Session {
    /// Creates a conversation whose sessions are opened and not configured before [`Session::release`].
    ///
    /// Until then `config` decides only which side carries the audio. A held session that is lost is replaced.
    pub fn held(config: SessionConfig, now: Instant) -> Self {
        Self::create(config, true, now)
    }

    /// Gives a held conversation its configuration, once. The time that a session may take to be configured counts from here.
    pub fn release(&mut self, config: SessionConfig, now: Instant) {
        if !std::mem::replace(&mut self.is_held, false) {
            return;
        }
        self.greeting = GreetingState::of(&config.greeting);
        self.encoder = AudioEncoder::new(config.options.input_format);
        self.config = config;
        if self.link.stage == Stage::Held {
            self.link.since = now;
            self.outage = Some(Outage::with_first_try(now));
            self.configure();
        }
        self.advance(now);
    }

    /// Replaces the instructions for what the model says from now on, with an update that changes nothing else.
    pub fn set_instructions(&mut self, instructions: String, now: Instant) {
        if self.config.instructions == instructions {
            return;
        }
        self.config.instructions = instructions;
        self.instructions_revision += 1;
        if self.link.is_ready() && !self.is_over {
            self.send_newer_instructions();
        }
        self.advance(now);
    }

    /// Sends the instructions to a link that was configured with earlier ones.
    pub(super) fn send_newer_instructions(&mut self) {
        if self.link.instructions_revision != self.instructions_revision {
            self.link.instructions_revision = self.instructions_revision;
            let (event_id, session) = (self.new_id(), self.config.instructions_update());
            self.send(ClientEvent::SessionUpdate { event_id, session });
        }
    }

    /// Whether the link in use waits for its configuration: then nothing of the service is late.
    pub(super) fn is_link_held(&self) -> bool {
        self.link.stage == Stage::Held
    }
}
