//! Meta's webhooks: what they say, how they are written and signed, and how often they are sent.

pub(crate) mod batch;
pub(crate) mod delivery;
pub(crate) mod json;
pub(crate) mod notice;
pub(crate) mod signature;
