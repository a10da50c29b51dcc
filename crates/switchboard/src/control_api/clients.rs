//! A client for each certificate, kept as long as tasks are knocked at: tasks come and go, a function may live for hours.

use super::pinned;
use anyhow::Context;
use reqwest::Client;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// So long a task has to answer at its door.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// So long a connection is kept that nobody uses: longer than it takes until a call is asked after again. The door closes it after
/// a minute: whoever closes first is never surprised.
const IDLE: Duration = Duration::from_secs(45);

/// So long a client is kept that nobody uses.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

/// The clients by certificate, and when each was used last.
#[derive(Debug, Default)]
pub(super) struct PinnedClients(HashMap<String, (Client, Instant)>);

impl PinnedClients {
    /// The client that believes this certificate alone.
    ///
    /// # Errors
    /// When the certificate's hash is none, or there is no TLS to be had.
    pub(super) fn client(&mut self, pin: &str, now: Instant) -> anyhow::Result<Client> {
        self.0.retain(|_, (_, used_at)| now.duration_since(*used_at) < FORGOTTEN_AFTER);
        let client = match self.0.get(pin) {
            Some((client, _)) => client.clone(),
            None => make(pin)?,
        };
        self.0.insert(pin.to_owned(), (client.clone(), now));
        Ok(client)
    }
}

fn make(pin: &str) -> anyhow::Result<Client> {
    let client = Client::builder().tls_backend_preconfigured(pinned::tls(pin)?).no_proxy();
    let client = client.timeout(TIMEOUT).pool_idle_timeout(IDLE).build();
    client.context("cannot make a client for a media task's door")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_nobody_uses_for_five_minutes_is_forgotten() {
        let (mut clients, start) = (PinnedClients::default(), Instant::now());
        let later = start + Duration::from_secs(200);
        clients.client(&pin(1), start).expect("a pin is hex");
        clients.client(&pin(2), start).expect("a pin is hex");

        clients.client(&pin(2), later).expect("a pin is hex");
        clients.client(&pin(3), start + FORGOTTEN_AFTER).expect("a pin is hex");

        let mut kept: Vec<_> = clients.0.keys().cloned().collect();
        kept.sort();
        assert_eq!(kept, [pin(2), pin(3)]);
    }

    fn pin(n: u8) -> String {
        hex::encode([n; 32])
    }
}
