//! What a caller is told by WhatsApp message when there is no conversation.

/// The messages: the operator's own words, or those of the agent's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// Outside the hours.
    pub closed: String,
    /// The call could not be taken: no capacity, or no model.
    pub busy: String,
    /// The line broke.
    pub lost: String,
    /// What may be spent in a day is spent.
    pub spent: String,
    /// This caller has called too often within the hour.
    pub too_many_calls: String,
}
