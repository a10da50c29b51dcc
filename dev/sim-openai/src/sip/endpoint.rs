//! A webhook endpoint of the project: where events go, which of them, and what signs them.

use std::net::IpAddr;

/// Where webhooks go.
#[derive(Debug, Clone)]
pub struct WebhookEndpoint {
    pub(crate) url: String,
    /// Each signs, the first one first.
    pub(crate) secrets: Vec<String>,
    is_insecure: bool,
}

/// A webhook's URL is not https.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Webhook endpoints must use https: {0}")]
pub struct NotHttps(String);

impl WebhookEndpoint {
    /// An endpoint with its secret, `whsec_` and base64.
    pub fn new(url: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { url: url.into(), secrets: vec![secret.into()], is_insecure: false }
    }

    /// An endpoint on this machine, which may do without TLS.
    pub fn on_loopback(url: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { is_insecure: true, ..Self::new(url, secret) }
    }

    /// A secret that was rotated less than a day ago: it signs, too.
    #[must_use]
    pub fn with_old_secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.insert(0, secret.into());
        self
    }

    pub(crate) fn check(self) -> Result<Self, NotHttps> {
        if self.is_insecure || self.url.starts_with("https://") { Ok(self) } else { Err(NotHttps(self.url)) }
    }
}

/// Whether a URL is on this machine, by its address.
pub(crate) fn is_on_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_without_tls_is_refused_unless_it_is_on_loopback() {
        let url = "http://127.0.0.1:8080/openai";

        assert!(WebhookEndpoint::new(url, "whsec_YQ==").check().is_err());
        assert!(WebhookEndpoint::on_loopback(url, "whsec_YQ==").check().is_ok());
        assert!(WebhookEndpoint::new("https://ahoy.example/openai", "whsec_YQ==").check().is_ok());
    }
}
