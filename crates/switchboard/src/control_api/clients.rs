//! HTTP clients, one per task certificate, kept across requests and dropped when unused: tasks come and go while a function may live for
//! hours.

use super::pinned;
use anyhow::Context;
use reqwest::Client;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long a task has to reply.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// How long an unused connection is kept: longer than the interval between checks of a call, and shorter than the minute after which the
/// task closes it, so that a request never meets a connection closed by the task.
const IDLE: Duration = Duration::from_secs(45);

/// How long an unused client is kept.
const UNUSED_AFTER: Duration = Duration::from_secs(300);

/// The clients by certificate hash, with the time of their last use.
#[derive(Debug, Default)]
pub(super) struct PinnedClients(HashMap<String, (Client, Instant)>);

impl PinnedClients {
    /// Returns the client that trusts only this certificate.
    ///
    /// # Errors
    /// When the hash is not hex, or no TLS client can be made.
    pub(super) fn client(&mut self, pin: &str, now: Instant) -> anyhow::Result<Client> {
        self.0.retain(|_, (_, used_at)| now.duration_since(*used_at) < UNUSED_AFTER);
        let client = match self.0.get(pin) {
            Some((client, _)) => client.clone(),
            None => build(pin)?,
        };
        self.0.insert(pin.to_owned(), (client.clone(), now));
        Ok(client)
    }
}

fn build(pin: &str) -> anyhow::Result<Client> {
    let client = Client::builder().tls_backend_preconfigured(pinned::tls(pin)?).no_proxy();
    let client = client.timeout(TIMEOUT).pool_idle_timeout(IDLE).build();
    client.context("cannot build an HTTP client for a media task's control API")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_a_client_unused_for_five_minutes() {
        let (mut clients, start) = (PinnedClients::default(), Instant::now());
        let later = start + Duration::from_secs(200);
        clients.client(&pin(1), start).expect("a pin is hex");
        clients.client(&pin(2), start).expect("a pin is hex");

        clients.client(&pin(2), later).expect("a pin is hex");
        clients.client(&pin(3), start + UNUSED_AFTER).expect("a pin is hex");

        let mut kept: Vec<_> = clients.0.keys().cloned().collect();
        kept.sort();
        assert_eq!(kept, [pin(2), pin(3)]);
    }

    fn pin(n: u8) -> String {
        hex::encode([n; 32])
    }
}
