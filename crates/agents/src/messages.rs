//! The WhatsApp messages that a caller gets for a call without a conversation.

/// The messages, from the agent file or the defaults of the agent's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// For a call outside the opening hours.
    pub closed: String,
    /// For a call that could not be taken: no capacity, or no model.
    pub busy: String,
    /// For a call whose connection broke.
    pub lost: String,
    /// For a call after the day's spending cap was reached.
    pub spent: String,
    /// For a caller who called too often within the hour.
    pub too_many_calls: String,
}
