//! How a call ends: who ended it, and why.

use crate::Line;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a call ended. Every call ends exactly once, with one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The caller hung up a call that had been answered.
    CallerHungUp,
    /// The caller hung up while it rang.
    CallerGaveUp,
    /// No RTP, RTCP or STUN response arrived from the caller's side any more.
    CallerVanished,
    /// The agent said goodbye.
    AgentSaidGoodbye,
    /// The agent's limit on the length of a call was reached.
    TookTooLong,
    /// Caller and agent were silent for too long.
    BothSilent,
    /// The day's spending cap was reached during the call.
    CapReached,
    /// The model behind the agent was unavailable, or became so.
    AgentUnavailable,
    /// The business is closed by its opening hours: the call was turned away.
    Closed,
    /// The day's spending cap was reached before: the call was turned away.
    OverBudget,
    /// This caller has made as many calls as allowed within an hour: the call was turned away.
    CalledTooOften,
    /// No media task had a free slot within the ring time.
    NoCapacity,
    /// No task can answer the SDP offer.
    OfferUnanswerable,
    /// Meta refused the answer, or another action that the call depends on.
    MetaRefused,
    /// The offer was answered, but media did not connect within the ring time.
    MediaNeverConnected,
    /// Meta ended the call because no media arrived.
    MediaFailed,
    /// The media task was drained before the call was over.
    Drained,
    /// The media task died.
    Lost,
    /// The agent transferred the call to another number.
    Transferred,
    /// The service of another line than WhatsApp refused an action that the call depends on.
    LineRefused,
    /// The agent could not be joined to a call on another line than WhatsApp, or lost it.
    LineFailed,
    /// The call lacked the key that proves its trunk: it was turned away.
    Untrusted,
    /// The business's lookup refused the caller: the call was turned away.
    RefusedByLookup,
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The person on WhatsApp.
    Caller,
    /// The agent, of its own accord or by its limits.
    Agent,
    /// This system, because something was missing or broke.
    Us,
    /// Meta ended it.
    Meta,
    /// The service of another line than WhatsApp ended it.
    Line,
}

impl fmt::Display for Ending {
    /// Writes the word that is stored, logged and sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Party {
    /// Writes the word that is stored, logged and sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Ending {
    /// Returns who ended the call.
    pub fn by(self) -> Party {
        match self {
            Self::CallerHungUp | Self::CallerGaveUp | Self::CallerVanished => Party::Caller,
            Self::AgentSaidGoodbye | Self::TookTooLong | Self::BothSilent | Self::CapReached => Party::Agent,
            Self::Transferred => Party::Agent,
            Self::MetaRefused | Self::MediaFailed => Party::Meta,
            Self::LineRefused => Party::Line,
            Self::AgentUnavailable
            | Self::Closed
            | Self::OverBudget
            | Self::CalledTooOften
            | Self::NoCapacity
            | Self::OfferUnanswerable
            | Self::MediaNeverConnected
            | Self::Drained
            | Self::Lost
            | Self::LineFailed
            | Self::Untrusted
            | Self::RefusedByLookup => Party::Us,
        }
    }

    /// Returns the nearest ending that the previous release knows: it must be able to read what is stored and sent.
    pub fn for_previous_release(self) -> Self {
        match self {
            Self::CapReached => Self::TookTooLong,
            Self::Transferred => Self::AgentSaidGoodbye,
            Self::LineRefused => Self::MetaRefused,
            Self::LineFailed => Self::MediaNeverConnected,
            Self::Untrusted | Self::RefusedByLookup => Self::Closed,
            Self::CallerHungUp
            | Self::CallerGaveUp
            | Self::CallerVanished
            | Self::AgentSaidGoodbye
            | Self::TookTooLong
            | Self::BothSilent
            | Self::AgentUnavailable
            | Self::Closed
            | Self::OverBudget
            | Self::CalledTooOften
            | Self::NoCapacity
            | Self::OfferUnanswerable
            | Self::MetaRefused
            | Self::MediaNeverConnected
            | Self::MediaFailed
            | Self::Drained
            | Self::Lost => self,
        }
    }

    /// Whether the call was turned away by the agent's rules or the business's lookup, before it was accepted.
    pub fn is_turned_away(self) -> bool {
        match self {
            Self::Closed
            | Self::OverBudget
            | Self::CalledTooOften
            | Self::Untrusted
            | Self::RefusedByLookup => true,
            Self::CallerHungUp
            | Self::CallerGaveUp
            | Self::CallerVanished
            | Self::AgentSaidGoodbye
            | Self::TookTooLong
            | Self::BothSilent
            | Self::CapReached
            | Self::AgentUnavailable
            | Self::NoCapacity
            | Self::OfferUnanswerable
            | Self::MetaRefused
            | Self::MediaNeverConnected
            | Self::MediaFailed
            | Self::Drained
            | Self::Lost
            | Self::Transferred
            | Self::LineRefused
            | Self::LineFailed => false,
        }
    }

    /// Whether the line's service already knows that the call is over, because the end came from there. On a line that carries the audio
    /// itself, a call that was answered is over only by a task's word, which has it from a connection that was refused once.
    pub(crate) fn is_known_to(self, line: Line) -> bool {
        match self {
            Self::CallerGaveUp | Self::MediaFailed => true,
            Self::CallerHungUp | Self::Transferred => !line.outlives_task(),
            Self::CallerVanished
            | Self::AgentSaidGoodbye
            | Self::TookTooLong
            | Self::BothSilent
            | Self::CapReached
            | Self::AgentUnavailable
            | Self::Closed
            | Self::OverBudget
            | Self::CalledTooOften
            | Self::NoCapacity
            | Self::OfferUnanswerable
            | Self::MetaRefused
            | Self::MediaNeverConnected
            | Self::Drained
            | Self::Lost
            | Self::LineRefused
            | Self::LineFailed
            | Self::Untrusted
            | Self::RefusedByLookup => false,
        }
    }

    /// Whether the caller gets a message, where the line can carry one: they wanted to talk, and the call failed on this side.
    pub(crate) fn owes_message(self) -> bool {
        match self {
            Self::AgentUnavailable
            | Self::Closed
            | Self::OverBudget
            | Self::CalledTooOften
            | Self::NoCapacity
            | Self::OfferUnanswerable
            | Self::MetaRefused
            | Self::MediaNeverConnected
            | Self::Lost
            | Self::LineRefused
            | Self::LineFailed
            | Self::RefusedByLookup => true,
            Self::CallerHungUp
            | Self::CallerGaveUp
            | Self::CallerVanished
            | Self::AgentSaidGoodbye
            | Self::TookTooLong
            | Self::BothSilent
            | Self::CapReached
            | Self::MediaFailed
            | Self::Drained
            | Self::Transferred
            | Self::Untrusted => false,
        }
    }
}
