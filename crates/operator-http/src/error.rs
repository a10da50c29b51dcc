//! Why a request to an operator's system has no reply.

use std::time::Duration;

/// Why a request to an operator's system has no reply. The messages name neither host nor URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OperatorHttpError {
    /// The host is not in the agent's `allowed_hosts`, or the URL is not https.
    #[error("the host is not allowed, or not https")]
    Host,
    /// The host resolves to an address that is not public.
    #[error("the host's address is not a public one")]
    Address,
    /// No connection was made, so nothing was sent.
    #[error("no connection")]
    Connection,
    /// The connection broke, or the reply was not HTTP.
    #[error("the connection broke")]
    Broken,
    /// The whole reply did not come in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
}
