//! The call's own UDP socket: sends without waiting, and passes on what ICMP errors say about the network.

use crate::webrtc::datagram::kind;
use media_diagnosis::{MediaMonitor, SendError};
use nix::sys::socket::{MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::Instant;
use tokio::net::UdpSocket;

/// How many errors are taken off the socket's error queue at once.
const ERRORS_CLEARED: usize = 32;

/// The UDP socket of one call.
pub(crate) struct CallSocket(UdpSocket);

impl CallSocket {
    /// Opens a socket on a free port: many calls share one address and port of Meta's relay, so the local port tells them apart.
    ///
    /// # Errors
    /// When no port is free, or the kernel refuses a socket option.
    pub(crate) fn open(ip: IpAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(SocketAddr::new(ip, 0))?;
        enable_icmp_errors(&socket)?;
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket).map(Self)
    }

    /// Returns the address that the socket is bound to.
    ///
    /// # Errors
    /// When the kernel does not return it.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Waits for the next datagram, or the ICMP error of an earlier one. Cancel safe.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.recv_from(buffer).await
    }

    /// Sends a datagram without waiting: if the socket's buffer is full, the datagram is lost, as on the network.
    pub(super) fn send(&self, datagram: &[u8], to: SocketAddr, monitor: &mut MediaMonitor, now: Instant) {
        let mut sent = self.0.try_send_to(datagram, to);
        if let Some(refusal) = sent.as_ref().err().and_then(refusal) {
            monitor.handle_refusal(refusal, now);
            self.clear_error_queue();
            // The error may be an earlier datagram's; then this one has not been sent yet.
            sent = self.0.try_send_to(datagram, to);
        }
        if sent.is_ok() {
            monitor.handle_out(kind(datagram), now);
        }
    }

    /// Sends a datagram after the call's end, when nothing is diagnosed any more.
    pub(super) fn send_last(&self, datagram: &[u8], to: SocketAddr) {
        let _ = self.0.try_send_to(datagram, to);
    }

    /// Handles an ICMP error for an earlier datagram.
    pub(super) fn handle_error(&self, error: &io::Error, monitor: &mut MediaMonitor, now: Instant) {
        if let Some(refusal) = refusal(error) {
            monitor.handle_refusal(refusal, now);
        }
        self.clear_error_queue();
    }

    /// Empties the socket's error queue: returned datagrams take up its receive buffer.
    fn clear_error_queue(&self) {
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        for _ in 0..ERRORS_CLEARED {
            let mut nothing = [0; 1];
            let mut parts = [IoSliceMut::new(&mut nothing)];
            if recvmsg::<SockaddrStorage>(self.0.as_raw_fd(), &mut parts, None, flags).is_err() {
                return;
            }
        }
    }
}

/// Enables ICMP errors on a socket (`IP_RECVERR`). By default Linux does not report them to unconnected sockets.
fn enable_icmp_errors(socket: &std::net::UdpSocket) -> io::Result<()> {
    if socket.local_addr()?.is_ipv4() {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use media_diagnosis::{Diagnosis, MediaContext};
    use std::time::Duration;

    #[tokio::test]
    async fn an_icmp_error_is_noted_and_the_next_datagram_is_sent() {
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        let nowhere = closed.local_addr().expect("it is bound");
        // Connected to itself, it receives from no other socket, and no other socket can bind its port.
        closed.connect(nowhere).expect("it may");
        let listener = UdpSocket::bind("127.0.0.1:0").await.expect("there is a free port");
        let somewhere = listener.local_addr().expect("it is bound");
        let socket = CallSocket::open([127, 0, 0, 1].into()).expect("there is a free port");
        socket.0.writable().await.expect("nothing was sent yet");
        let start = Instant::now();
        let mut monitor = monitor(nowhere, start);

        // More than would fit into the socket's buffer.
        for _ in 0..2_000 {
            socket.send(&[0, 1, 0, 0], nowhere, &mut monitor, start);
            socket.send(&[1, 1, 0, 0], somewhere, &mut monitor, start);
            let mut buffer = [0; 4];
            let received = tokio::time::timeout(Duration::from_secs(5), listener.recv_from(&mut buffer));
            received.await.expect("it arrives").expect("it can be read");
        }
        listener.send_to(&[7], socket.address().expect("it is bound")).await.expect("it is sent");
        let mut buffer = [0; 4];
        let answered = async {
            // An error of an earlier datagram may be returned first.
            while socket.receive(&mut buffer).await.is_err() {}
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
