//! The media path of a call: its socket, WebRTC peer, Opus codec, and the diagnosis of its media.

mod agent_audio;
mod call_socket;
mod caller_audio;

use crate::lateness_meter::LatenessMeter;
use crate::webrtc::datagram::kind;
use crate::webrtc::{Peer, PeerEvent, PeerReport};
use agent_audio::AgentAudio;
use audio::{DecodeStep, Frame};
pub(crate) use call_socket::CallSocket;
use caller_audio::CallerAudio;
use media_diagnosis::{Finding, MediaMonitor};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The largest datagram that is read whole, bytes.
pub(super) const MAX_DATAGRAM: usize = 2_048;

/// The way of sound between the caller and the bridge.
pub(crate) struct MediaPath {
    socket: CallSocket,
    peer: Peer,
    monitor: MediaMonitor,
    /// How late this task sends frames, all of its calls together.
    lateness: Arc<LatenessMeter>,
    caller: CallerAudio,
    agent: AgentAudio,
}

impl MediaPath {
    /// Creates the path of a call; `bits_per_second` is the highest Opus bitrate that the far side accepts.
    pub(crate) fn new(
        socket: CallSocket,
        peer: Peer,
        monitor: MediaMonitor,
        lateness: Arc<LatenessMeter>,
        bits_per_second: u32,
    ) -> Self {
        let (caller, agent) = (CallerAudio::new(), AgentAudio::new(bits_per_second));
        Self { socket, peer, monitor, lateness, caller, agent }
    }

    /// Waits for the next datagram, or the ICMP error of an earlier one. Cancel safe.
    pub(super) async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.receive(buffer).await
    }

    /// Handles a datagram, and returns whether it was valid.
    pub(super) fn handle_datagram(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> bool {
        self.monitor.handle_in(kind(datagram), now);
        self.peer.handle_datagram(datagram, from, now)
    }

    /// Handles an ICMP error for an earlier datagram.
    pub(super) fn handle_icmp_error(&mut self, error: &io::Error, now: Instant) {
        self.socket.handle_error(error, &mut self.monitor, now);
    }

    /// Notes how much later than asked the call's loop was woken.
    pub(super) fn note_wake(&mut self, late: Duration, now: Instant) {
        self.monitor.handle_wake(late, now);
    }

    /// Lets media out: the call is accepted.
    pub(super) fn open(&mut self, now: Instant) {
        self.peer.open();
        self.monitor.open(now);
    }

    /// Runs the WebRTC timers that are due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.peer.handle_timeout(now);
        }
    }

    /// Returns when a timer of the peer or of the diagnosis is due.
    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        [self.peer.poll_timeout(), self.monitor.poll_timeout()].into_iter().flatten().min()
    }

    /// Returns the peer's next event.
    pub(super) fn poll_event(&mut self, now: Instant) -> Option<PeerEvent> {
        let event = self.peer.poll_event(now)?;
        match event {
            PeerEvent::Connected => self.monitor.handle_connected(now),
            PeerEvent::RtcpReport => self.adapt_to_loss(),
            PeerEvent::Closed
            | PeerEvent::Audio { .. }
            | PeerEvent::Dtmf { .. }
            | PeerEvent::Foreign { .. } => {}
        }
        Some(event)
    }

    /// Decodes what the jitter buffer released. Returns its samples, and whether the packet could be decoded.
    pub(super) fn decode(&mut self, step: &DecodeStep<bytes::Bytes>, now: Instant) -> (&mut [i16], bool) {
        let (samples, is_decoded) = self.caller.decode(step);
        if matches!(step, DecodeStep::Decode(_)) {
            self.monitor.handle_sound(caller_audio::activity(samples), now);
        }
        (samples, is_decoded)
    }

    /// Passes the caller's samples on once there are enough for one append to the model.
    pub(super) fn append_when_full(&mut self, append: impl FnOnce(&[i16])) {
        self.caller.append_when_full(append);
    }

    /// Sends a frame of the agent's, or comfort noise; `late` is how long after it was due.
    pub(super) fn play(&mut self, frame: Option<&Frame>, late: Duration, now: Instant) {
        self.lateness.note_late(late, now);
        let (packet, begins) = self.agent.encode(frame);
        self.peer.send(packet, begins, now);
    }

    /// Adapts the Opus encoder to packet loss and to the load of this machine.
    pub(super) fn tune(&mut self, now: Instant) {
        self.agent.tune(self.lateness.last_load_level(), now);
    }

    fn adapt_to_loss(&mut self) {
        if let Some(remote) = self.peer.report().remote {
            self.agent.handle_loss(remote.loss);
        }
    }

    /// Sends every datagram that the peer has queued.
    pub(super) fn transmit(&mut self, now: Instant) {
        while let Some((to, datagram)) = self.peer.poll_datagram() {
            self.socket.send(&datagram, to, &mut self.monitor, now);
        }
    }

    /// Runs the diagnosis' timers.
    pub(super) fn diagnose(&mut self, now: Instant) {
        self.monitor.handle_timeout(now);
    }

    /// Has the diagnosis say what was missing in a call that ends because media never connected.
    pub(super) fn give_up(&mut self, now: Instant) {
        self.monitor.give_up(now);
    }

    /// Returns the next finding of the diagnosis.
    pub(super) fn poll_finding(&mut self) -> Option<Finding> {
        self.monitor.poll_finding()
    }

    /// Returns the statistics of the call's packets so far.
    pub(super) fn report(&self) -> PeerReport {
        self.peer.report()
    }

    /// Closes the WebRTC connection.
    pub(super) fn close(mut self) {
        self.peer.close();
        while let Some((to, datagram)) = self.peer.poll_datagram() {
            // A lost DTLS close_notify changes nothing: call-control ends the call at Meta.
            self.socket.send_last(&datagram, to);
        }
    }
}
