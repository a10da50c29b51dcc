//! The agent as the owner of a call sees it: it hears, it says, it uses tools, it is told what was heard.
//!
//! [`Agent`] is the port: another provider is one more arm of it. Today there is one, [`realtime::Provider`], OpenAI's Realtime API.

mod realtime;

pub use realtime::Provider;

use ::realtime::{EmptyResponseAction, HostedOutcome, OptionalPart, Purpose, Usage};
use audio::{AgentEvent as Doing, ItemId, PlayedItem};
use std::time::{Duration, Instant};

/// A model that answers one call.
pub enum ModelPort {
    /// OpenAI's Realtime API.
    Realtime(Provider),
}

/// What the agent does, or what became of it. It holds what people say, so nobody can print it.
pub enum AgentEvent {
    /// It is configured and prepares its greeting.
    Ready,
    /// It does something that can be heard.
    Doing(Doing),
    /// The response that begins is what it was [asked](Agent::ask) to say.
    BeginsWhatWasAsked(String),
    /// The caller began to say something, which goes by this name.
    CallerBegan(ItemId),
    /// What the caller said, in words.
    CallerSaid(ItemId, String),
    /// There was no sound in this item, by our own meter: what is written down of it is made up.
    CallerWasSilent(ItemId),
    /// What the caller said cannot be written down: the provider's code for why.
    NotWritten(ItemId, String),
    /// What the agent says, in words, as far as its sound came; and how long that takes.
    AgentSaid(ItemId, String, Duration),
    /// It wants to use a tool. The arguments are JSON, as text, as the model wrote it.
    Uses {
        /// To be named when the tool has answered.
        call_id: String,
        /// The tool.
        tool: String,
        /// Its arguments.
        arguments: String,
    },
    /// It waits for a tool that its provider calls itself.
    UsesHosted,
    /// Such a tool, as `server.tool`, has answered after so long, or has not.
    HostedEnded(String, Duration, HostedOutcome),
    /// The tools of a remote server cannot be listed: it has to do without them.
    ToolsMissing(String),
    /// What it did brought nothing to hear, or half a sentence.
    Lacked {
        /// What it was for.
        purpose: Purpose,
        /// How it ended, in the model's word.
        status: String,
        /// Why, in the model's word, if it has one.
        reason: Option<String>,
        /// What is done about it.
        then: EmptyResponseAction,
    },
    /// It has taken so many tokens more.
    Used(Usage),
    /// Its session broke; another one is being opened.
    Lost(String),
    /// Another session has taken over, after so long. It may have been planned.
    Restored(Duration, bool),
    /// It does without an optional part of its session, which the provider refuses with this code.
    DoesWithout(OptionalPart, String),
    /// Something went wrong; it goes on.
    Troubled(String),
    /// It is gone for good: a code, and what somebody can do about it.
    Failed {
        /// The cause, in a word.
        code: String,
        /// What somebody can do about it.
        cure: String,
    },
}

/// Something that came from the provider's side, for [`Agent::handle`].
#[derive(Debug)]
pub enum ModelLine {
    /// From OpenAI's Realtime API.
    Realtime(realtime::Line),
}

impl ModelPort {
    /// What comes next. Safe to drop while it waits.
    pub async fn next(&mut self) -> ModelLine {
        match self {
            Self::Realtime(provider) => ModelLine::Realtime(provider.next().await),
        }
    }

    /// Takes what came.
    pub fn handle(&mut self, line: ModelLine, now: Instant) {
        match (self, line) {
            (Self::Realtime(provider), ModelLine::Realtime(line)) => provider.handle(line, now),
        }
    }

    /// What the agent does.
    pub fn poll_news(&mut self) -> Option<AgentEvent> {
        match self {
            Self::Realtime(provider) => provider.poll_news(),
        }
    }

    /// When [`Agent::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Realtime(provider) => provider.session.poll_timeout(),
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.session(|session| session.handle_timeout(now));
    }

    /// The line is open: from now on it hears the caller.
    pub fn open(&mut self, now: Instant) {
        self.session(|session| session.open(now));
    }

    /// Lets it hear the caller: 24 kHz, mono.
    pub fn hear(&mut self, samples: &[i16], now: Instant) {
        self.session(|session| session.append(samples, now));
    }

    /// Whether the caller is being played something.
    pub fn set_playing(&mut self, playing: bool, now: Instant) {
        self.session(|session| session.set_playing(playing, now));
    }

    /// It does not hear the caller, who speaks: another session is to take its place.
    pub fn replace_deaf(&mut self, now: Instant) {
        self.session(|session| session.replace_deaf(now));
    }

    /// It was interrupted: so much of an item was heard.
    pub fn was_heard(&mut self, heard: &PlayedItem, now: Instant) {
        self.session(|session| session.truncate(&heard.item.0, heard.heard, heard.of, now));
    }

    /// An item was heard to its end.
    pub fn was_played(&mut self, item: &ItemId, now: Instant) {
        self.session(|session| session.was_played(&item.0, now));
    }

    /// Has it stop: the caller interrupted, and the provider was not to decide that.
    pub fn interrupt(&mut self, now: Instant) {
        self.session(|session| session.interrupt(now));
    }

    /// The caller's turn is over, and it is for us to say whether it wants an answer.
    pub fn yield_turn(&mut self, answer: bool, now: Instant) {
        self.session(|session| session.yield_turn(answer, now));
    }

    /// Tells it what a tool answered, and whether it is to speak about it.
    pub fn answer_tool(&mut self, call_id: &str, output: &str, speak: bool, now: Instant) {
        self.session(|session| session.answer_tool(call_id, output, speak, now));
    }

    /// Tells it something in the caller's name, which it answers.
    pub fn tell(&mut self, text: &str, now: Instant) {
        self.session(|session| session.tell(text, now));
    }

    /// Has it say something out of turn. What it `insists` on is said even if the caller speaks first.
    pub fn ask(&mut self, instructions: &str, insists: bool, now: Instant) {
        self.session(|session| session.ask(instructions, insists, now));
    }

    /// Whether the call is about to end: goodbye was said, or is asked for. It need not say anything more then.
    pub fn set_leaving(&mut self, leaving: bool) {
        self.session(|session| session.set_leaving(leaving));
    }

    /// What it was asked to say is not wanted any more, unless it is saying it.
    pub fn withdraw(&mut self, now: Instant) {
        self.session(|session| session.withdraw(now));
    }

    /// Pieces of the caller's sound that were dropped, because the provider took no more.
    pub fn dropped(&self) -> u64 {
        match self {
            Self::Realtime(provider) => provider.dropped(),
        }
    }

    fn session(&mut self, act: impl FnOnce(&mut ::realtime::Session)) {
        match self {
            Self::Realtime(provider) => provider.act(act),
        }
    }
}
