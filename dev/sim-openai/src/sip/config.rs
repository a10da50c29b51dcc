//! The settings of the SIP side, its times above all: a test may shorten each.

use std::ops::Range;
use std::time::Duration;

/// The settings of the SIP side. [`SipConfig::default`] is as slow as the real service.
#[derive(Debug, Clone)]
pub struct SipConfig {
    /// The project that is called: `proj_…`, in the request URI and in `To`.
    pub project: String,
    /// How long a call rings until a decision is made; then the carrier receives 400. OpenAI publishes no number. Default: 10 s.
    pub decision_window: Duration,
    /// How long a webhook may take to answer; "a few seconds". Default: 5 s.
    pub webhook_patience: Duration,
    /// The pause before a webhook is sent again; it doubles each time. Default: 1 s.
    pub first_retry: Duration,
    /// How long a webhook is sent again and again. Default: 72 h.
    pub retries_for: Duration,
    /// From an accept to the moment from which a sideband opens. Default: 0 to 400 ms.
    pub sideband_opens: Range<Duration>,
    /// How long an accept takes once the caller has left. Default: 5.3 s.
    pub accept_of_a_gone_caller: Duration,
    /// From a hangup to the end of its sockets. Default: 50 to 500 ms.
    pub hangup_takes: Range<Duration>,
    /// From a refer to the end of the call, when the other side follows it. Default: 1 s.
    pub refer_takes: Duration,
    /// The only key that may manage the project's webhook endpoints. Default: the key of [`crate::Config::key`].
    pub webhooks_key: Option<String>,
    /// Whether webhook endpoints on this machine may be made without TLS. Default: no.
    pub takes_http_webhooks: bool,
    /// How long a scripted caller takes a silence of the agent for the end of what it says. Default: 600 ms.
    pub quiet: Duration,
}

impl Default for SipConfig {
    fn default() -> Self {
        Self {
            project: "proj_test".to_owned(),
            decision_window: Duration::from_secs(10),
            webhook_patience: Duration::from_secs(5),
            first_retry: Duration::from_secs(1),
            retries_for: Duration::from_secs(72 * 60 * 60),
            sideband_opens: Duration::ZERO..Duration::from_millis(400),
            accept_of_a_gone_caller: Duration::from_millis(5_300),
            hangup_takes: Duration::from_millis(50)..Duration::from_millis(500),
            refer_takes: Duration::from_secs(1),
            webhooks_key: None,
            takes_http_webhooks: false,
            quiet: Duration::from_millis(600),
        }
    }
}
