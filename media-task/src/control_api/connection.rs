//! Decides when a connection of the control API expires: within seconds, unless it sends validly signed requests.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// How long a connection may take to send a validly signed request.
const UNAUTHENTICATED_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an authenticated connection is kept without another signed request. Call-control asks after each call every fifteen
/// to twenty seconds, and must not need a new handshake for each.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection's source address, and when it expires.
pub(super) struct ControlConnection {
    pub(super) from: IpAddr,
    expires_at: Mutex<Instant>,
}

impl ControlConnection {
    pub(super) fn begin(from: IpAddr, at: Instant) -> Self {
        Self { from, expires_at: Mutex::new(at + UNAUTHENTICATED_TIMEOUT) }
    }

    /// Notes that a validly signed request came, which extends the connection's life.
    pub(super) fn note_authenticated(&self, now: Instant) {
        *self.expires_at.lock().expect("nothing panics while it holds this lock") = now + IDLE_TIMEOUT;
    }

    fn expires_at(&self) -> Instant {
        *self.expires_at.lock().expect("nothing panics while it holds this lock")
    }

    /// Returns once the connection has expired.
    pub(super) async fn expired(&self) {
        while self.expires_at() > Instant::now() {
            sleep_until(self.expires_at().into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_lasts_a_minute_after_each_valid_signature() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let connection = ControlConnection::begin(IpAddr::from([192, 0, 2, 1]), start);

        assert_eq!(connection.expires_at(), start + 3 * second);
        connection.note_authenticated(start + second);
        assert_eq!(connection.expires_at(), start + 61 * second);
        connection.note_authenticated(start + 50 * second);
        assert_eq!(connection.expires_at(), start + 110 * second);
    }
}
