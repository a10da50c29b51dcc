//! Feeds the media diagnosis with what the call's socket shows (datagrams, ICMP errors), and writes its findings to the journal.

use super::CallSession;
use crate::webrtc::datagram::kind;
use journal::JournalEvent;
use media_diagnosis::{AudioActivity, Diagnosis, Finding, MediaMonitor, SendError};
use nix::sys::socket::{MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Instant;
use tokio::net::UdpSocket;

/// The largest sample of a silent frame: -60 dBFS.
const SILENCE: u16 = 32;

/// How many errors are taken off the socket's error queue at once.
const ERRORS_CLEARED: usize = 32;

/// Enables ICMP errors on a socket (`IP_RECVERR`). By default Linux does not report them to unconnected sockets.
///
/// # Errors
/// When the kernel refuses the socket option.
pub(crate) fn enable_icmp_errors(socket: &std::net::UdpSocket) -> io::Result<()> {
    if socket.local_addr()?.is_ipv4() {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)?;
    }
    Ok(())
}

/// Sends a datagram without waiting: if the socket's buffer is full, the datagram is lost, as on the network.
pub(super) fn send(
    socket: &UdpSocket,
    datagram: &[u8],
    to: SocketAddr,
    monitor: &mut MediaMonitor,
    now: Instant,
) {
    let mut sent = socket.try_send_to(datagram, to);
    if let Some(refusal) = sent.as_ref().err().and_then(refusal) {
        monitor.handle_refusal(refusal, now);
        clear_error_queue(socket);
        // The error may be an earlier datagram's; then this one has not been sent yet.
        sent = socket.try_send_to(datagram, to);
    }
    if sent.is_ok() {
        monitor.handle_out(kind(datagram), now);
    }
}

/// Returns what an error of the socket says about the network.
fn refusal(error: &io::Error) -> Option<SendError> {
    match error.kind() {
        ErrorKind::ConnectionRefused => Some(SendError::Refused),
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown => {
            Some(SendError::Unreachable)
        }
        ErrorKind::PermissionDenied => Some(SendError::Forbidden),
        _ => None,
    }
}

/// Empties the socket's error queue: returned datagrams take up its receive buffer.
fn clear_error_queue(socket: &UdpSocket) {
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    for _ in 0..ERRORS_CLEARED {
        let mut nothing = [0; 1];
        let mut parts = [IoSliceMut::new(&mut nothing)];
        if recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, None, flags).is_err() {
            return;
        }
    }
}

impl CallSession {
    /// Notes how much later than asked the loop was woken.
    pub(super) fn note_wake(&mut self, wanted: Instant, now: Instant) {
        let late = now.saturating_duration_since(wanted);
        self.parts.monitor.handle_wake(late, now);
    }

    /// Notes an ICMP error for an earlier datagram.
    pub(super) fn note_icmp_error(&mut self, error: &io::Error, now: Instant) {
        if let Some(refusal) = refusal(error) {
            self.parts.monitor.handle_refusal(refusal, now);
        }
        clear_error_queue(&self.parts.socket);
    }

    /// Notes whether the samples that were just decoded, from index `from` on, are audible.
    pub(super) fn note_audio_activity(&mut self, from: usize, now: Instant) {
        let is_audible = self.caller_samples[from..].iter().any(|sample| sample.unsigned_abs() > SILENCE);
        let sound = if is_audible { AudioActivity::Audible } else { AudioActivity::Silent };
        self.parts.monitor.handle_sound(sound, now);
    }

    /// Writes new findings about the call's media to the journal.
    pub(super) fn poll_monitor(&mut self, now: Instant) {
        self.parts.monitor.handle_timeout(now);
        while let Some(finding) = self.parts.monitor.poll_finding() {
            self.note_finding(finding);
        }
    }

    /// Writes what was missing in a call that ends because media never connected.
    pub(super) fn diagnose_missing_media(&mut self, now: Instant) {
        self.parts.monitor.give_up(now);
        self.poll_monitor(now);
    }

    fn note_finding(&mut self, finding: Finding) {
        let Finding { verdict, evidence, cure } = finding;
        if self.summary.verdict.is_none() || is_fault(verdict) {
            self.summary.verdict = Some(verdict.to_string());
        }
        self.note(JournalEvent::MediaVerdict { verdict: verdict.to_string(), evidence, cure });
    }
}

/// Whether a diagnosis is a fault: a muted caller is not.
fn is_fault(verdict: Diagnosis) -> bool {
    verdict != Diagnosis::CallerMuted
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_diagnosis::MediaContext;
    use std::time::Duration;

    #[tokio::test]
    async fn an_icmp_error_is_noted_and_the_next_datagram_is_sent() {
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        let nowhere = closed.local_addr().expect("it is bound");
        // Connected to itself, it receives from no other socket, and no other socket can bind its port.
        closed.connect(nowhere).expect("it may");
        let listener = UdpSocket::bind("127.0.0.1:0").await.expect("there is a free port");
        let somewhere = listener.local_addr().expect("it is bound");
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        enable_icmp_errors(&socket).expect("the kernel knows how");
        socket.set_nonblocking(true).expect("it may");
        let socket = UdpSocket::from_std(socket).expect("there is a runtime");
        socket.writable().await.expect("nothing was sent yet");
        let start = Instant::now();
        let mut monitor = monitor(nowhere, start);

        // More than would fit into the socket's buffer.
        for _ in 0..2_000 {
            send(&socket, &[0, 1, 0, 0], nowhere, &mut monitor, start);
            send(&socket, &[1, 1, 0, 0], somewhere, &mut monitor, start);
            let mut buffer = [0; 4];
            let received = tokio::time::timeout(Duration::from_secs(5), listener.recv_from(&mut buffer));
            received.await.expect("it arrives").expect("it can be read");
        }
        listener.send_to(&[7], socket.local_addr().expect("it is bound")).await.expect("it is sent");
        let mut buffer = [0; 4];
        let answered = async {
            // An error of an earlier datagram may be returned first.
            while socket.recv_from(&mut buffer).await.is_err() {}
        };
        tokio::time::timeout(Duration::from_secs(5), answered).await.expect("there is room for it");

        monitor.handle_timeout(start + Duration::from_secs(60));
        let finding = monitor.poll_finding().expect("something is wrong");
        assert_eq!(finding.verdict, Diagnosis::PortBlocked, "{finding:?}");
    }

    fn monitor(relay: SocketAddr, now: Instant) -> MediaMonitor {
        let context = MediaContext {
            advertised: relay.ip(),
            bound: relay.ip(),
            relays: vec![relay.ip()],
            opus: 111,
            keys: vec![],
        };
        MediaMonitor::new(context, now)
    }
}
