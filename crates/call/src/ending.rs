//! How a call ended: who ended it, and why.

use serde::{Deserialize, Serialize};

/// Why a call ended. Every call ends exactly once, with one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The caller hung up a call that had been answered.
    CallerHungUp,
    /// The caller hung up while it rang.
    CallerGaveUp,
    /// No sound, no report and no STUN reply came from the caller's side any more.
    CallerVanished,
    /// The agent said goodbye.
    AgentSaidGoodbye,
    /// The longest duration the agent allows has passed.
    TookTooLong,
    /// Nobody said anything for too long.
    BothSilent,
    /// As much was spent in a day as may be, while caller and agent talked.
    CapReached,
    /// The model behind the agent could not be had, or not any more.
    AgentUnavailable,
    /// The business is closed: the call was turned away.
    Closed,
    /// As much was spent today as may be: the call was turned away.
    OverBudget,
    /// This caller has called as often as they may within an hour: the call was turned away.
    CalledTooOften,
    /// No media task had a place for the call within its ring time.
    NoCapacity,
    /// The offer is one we cannot answer.
    OfferUnanswerable,
    /// Meta refused our answer, or another action without which the call cannot go on.
    MetaRefused,
    /// The answer was given, but media never connected within the ring time.
    MediaNeverConnected,
    /// Meta ended the call because sound did not flow.
    MediaFailed,
    /// The media task had to leave before the call was over.
    Drained,
    /// The media task died.
    Lost,
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The person on WhatsApp.
    Caller,
    /// The agent, of its own accord or by its limits.
    Agent,
    /// We, because something was missing or broke.
    Us,
    /// Meta.
    Meta,
}

impl Ending {
    /// Who ended the call.
    pub fn by(self) -> Party {
        match self {
            Self::CallerHungUp | Self::CallerGaveUp | Self::CallerVanished => Party::Caller,
            Self::AgentSaidGoodbye | Self::TookTooLong | Self::BothSilent | Self::CapReached => Party::Agent,
            Self::MetaRefused | Self::MediaFailed => Party::Meta,
            Self::AgentUnavailable
            | Self::Closed
            | Self::OverBudget
            | Self::CalledTooOften
            | Self::NoCapacity
            | Self::OfferUnanswerable
            | Self::MediaNeverConnected
            | Self::Drained
            | Self::Lost => Party::Us,
        }
    }

    /// The nearest ending that the release before has a word for: what is stored and sent must be readable there.
    pub fn for_release_before(self) -> Self {
        match self {
            Self::CapReached => Self::TookTooLong,
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

    /// Whether the call was turned away before any media task was asked, as the number's agent wants it.
    pub fn is_turned_away(self) -> bool {
        match self {
            Self::Closed | Self::OverBudget | Self::CalledTooOften => true,
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
            | Self::Lost => false,
        }
    }

    /// Whether Meta knows of the end already, since it came from there.
    pub(crate) fn is_known_to_meta(self) -> bool {
        match self {
            Self::CallerHungUp | Self::CallerGaveUp | Self::MediaFailed => true,
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
            | Self::Lost => false,
        }
    }

    /// Whether the caller is owed a message: they wanted to talk, and it is our doing that they could not.
    pub fn owes_message(self) -> bool {
        match self {
            Self::AgentUnavailable
            | Self::Closed
            | Self::OverBudget
            | Self::CalledTooOften
            | Self::NoCapacity
            | Self::OfferUnanswerable
            | Self::MetaRefused
            | Self::MediaNeverConnected
            | Self::Lost => true,
            Self::CallerHungUp
            | Self::CallerGaveUp
            | Self::CallerVanished
            | Self::AgentSaidGoodbye
            | Self::TookTooLong
            | Self::BothSilent
            | Self::CapReached
            | Self::MediaFailed
            | Self::Drained => false,
        }
    }
}
