//! What the call's socket shows goes to the doctor, and what the doctor finds into the journal.

use super::CallSession;
use crate::datagram::kind;
use journal::JournalEvent;
use media_diagnosis::{AudioActivity, Diagnosis, Finding, MediaMonitor, SendError};
use nix::sys::socket::{MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Instant;
use tokio::net::UdpSocket;

/// A frame without a sample above this holds no sound: -60 dBFS.
const SILENCE: u16 = 32;

/// So many returned datagrams are cleared away at once.
const RETURNED: usize = 32;

/// Has the kernel tell us of ICMP errors. Without being asked, it keeps them from sockets that are not connected.
///
/// # Errors
/// When it does not know how.
pub fn ask_for_icmp(socket: &std::net::UdpSocket) -> io::Result<()> {
    if socket.local_addr()?.is_ipv4() {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)?;
    }
    Ok(())
}

/// Sends a datagram. A full socket buffer loses it, as the network may: nobody waits for it.
pub(super) fn send(
    socket: &UdpSocket,
    datagram: &[u8],
    to: SocketAddr,
    doctor: &mut MediaMonitor,
    now: Instant,
) {
    let mut sent = socket.try_send_to(datagram, to);
    if let Some(refusal) = sent.as_ref().err().and_then(refusal) {
        doctor.handle_refusal(refusal, now);
        clear_returned(socket);
        // It may have been an earlier datagram that came back. Then this one has not been sent yet.
        sent = socket.try_send_to(datagram, to);
    }
    if sent.is_ok() {
        doctor.handle_out(kind(datagram), now);
    }
}

/// What the network says of a datagram that it does not take.
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

/// Datagrams that came back wait in a queue of their own, at the expense of those that are still to come.
fn clear_returned(socket: &UdpSocket) {
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    for _ in 0..RETURNED {
        let mut nothing = [0; 1];
        let mut parts = [IoSliceMut::new(&mut nothing)];
        if recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, None, flags).is_err() {
            return;
        }
    }
}

impl CallSession {
    /// Notes how much later than it wanted to the task runs.
    pub(super) fn note_wake(&mut self, wanted: Instant, now: Instant) {
        let late = now.saturating_duration_since(wanted);
        self.parts.doctor.handle_wake(late, now);
    }

    /// Notes that an earlier datagram came back.
    pub(super) fn note_returned(&mut self, error: &io::Error, now: Instant) {
        if let Some(refusal) = refusal(error) {
            self.parts.doctor.handle_refusal(refusal, now);
        }
        clear_returned(&self.parts.socket);
    }

    /// Notes whether what the caller's sound has from there on, which was just decoded, can be heard.
    pub(super) fn note_sound(&mut self, from: usize, now: Instant) {
        let is_audible = self.uplink[from..].iter().any(|sample| sample.unsigned_abs() > SILENCE);
        let sound = if is_audible { AudioActivity::Audible } else { AudioActivity::Silent };
        self.parts.doctor.handle_sound(sound, now);
    }

    /// Tells what is wrong with the call's media, if anything is by now.
    pub(super) fn examine(&mut self, now: Instant) {
        self.parts.doctor.handle_timeout(now);
        while let Some(finding) = self.parts.doctor.poll_finding() {
            self.tell_finding(finding);
        }
    }

    /// Tells what was missing, in a call that ends for want of media.
    pub(super) fn give_up_media(&mut self, now: Instant) {
        self.parts.doctor.give_up(now);
        self.examine(now);
    }

    fn tell_finding(&mut self, finding: Finding) {
        let Finding { verdict, evidence, cure } = finding;
        if self.summary.verdict.is_none() || is_trouble(verdict) {
            self.summary.verdict = Some(verdict.to_string());
        }
        self.note(JournalEvent::MediaVerdict { verdict: verdict.to_string(), evidence, cure });
    }
}

/// A muted caller is none: the call is well.
fn is_trouble(verdict: Diagnosis) -> bool {
    verdict != Diagnosis::CallerMuted
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_diagnosis::MediaContext;
    use std::time::Duration;

    #[tokio::test]
    async fn a_closed_port_is_heard_of_and_the_next_datagram_leaves_all_the_same() {
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        let nowhere = closed.local_addr().expect("it is bound");
        // Connected to itself, it takes nothing from anybody else, and nobody else can have its port.
        closed.connect(nowhere).expect("it may");
        let listener = UdpSocket::bind("127.0.0.1:0").await.expect("there is a free port");
        let somewhere = listener.local_addr().expect("it is bound");
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        ask_for_icmp(&socket).expect("the kernel knows how");
        socket.set_nonblocking(true).expect("it may");
        let socket = UdpSocket::from_std(socket).expect("there is a runtime");
        socket.writable().await.expect("nothing was sent yet");
        let start = Instant::now();
        let mut doctor = doctor(nowhere, start);

        // More than would fit into the socket's buffer.
        for _ in 0..2_000 {
            send(&socket, &[0, 1, 0, 0], nowhere, &mut doctor, start);
            send(&socket, &[1, 1, 0, 0], somewhere, &mut doctor, start);
            let mut buffer = [0; 4];
            let received = tokio::time::timeout(Duration::from_secs(5), listener.recv_from(&mut buffer));
            received.await.expect("it arrives").expect("it can be read");
        }
        listener.send_to(&[7], socket.local_addr().expect("it is bound")).await.expect("it is sent");
        let mut buffer = [0; 4];
        let answered = async {
            // An error of an earlier datagram may be told first.
            while socket.recv_from(&mut buffer).await.is_err() {}
        };
        tokio::time::timeout(Duration::from_secs(5), answered).await.expect("there is room for it");

        doctor.handle_timeout(start + Duration::from_secs(60));
        let finding = doctor.poll_finding().expect("something is wrong");
        assert_eq!(finding.verdict, Diagnosis::PortBlocked, "{finding:?}");
    }

    fn doctor(relay: SocketAddr, now: Instant) -> MediaMonitor {
        let premises = MediaContext {
            advertised: relay.ip(),
            bound: relay.ip(),
            relays: vec![relay.ip()],
            opus: 111,
            keys: vec![],
        };
        MediaMonitor::new(premises, now)
    }
}
