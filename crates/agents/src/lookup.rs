//! The lookup: the business's endpoint that is asked about a caller before the call.

use std::fmt;
use std::time::Duration;
use url::Url;

/// The business's endpoint that is asked about a caller before the call.
#[derive(Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The URL: https, or http to a loopback host.
    pub url: Url,
    /// The name of the secret that signs the request, never the secret itself.
    pub sign_with: String,
    /// How long the reply may take; 800 ms by default, at most 1.5 s.
    pub timeout: Duration,
    /// The agents that a reply may choose instead; none by default.
    pub may_override: Vec<String>,
}

impl fmt::Debug for Lookup {
    /// Leaves out path and query, which belong to the operator.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup")
            .field("host", &self.url.host_str())
            .field("timeout", &self.timeout)
            .field("may_override", &self.may_override)
            .finish_non_exhaustive()
    }
}
