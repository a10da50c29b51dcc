//! Runs the WebRTC peer of one call: ICE, DTLS-SRTP, RTP and RTCP. Only this file and its submodules name the WebRTC crate.
//!
//! Built on `rtc`, the sans-IO core of `webrtc` 0.21: datagrams and time go in, datagrams and [`PeerEvent`]s come out.
//! Meta is ICE-lite, so this side sends the checks, is controlling and starts DTLS, on a socket of its own for each call.

mod answer;
pub(crate) mod datagram;
mod datagram_filter;
mod event;
mod nomination;
pub mod offer;
mod rtcp;
mod rtp_tap;
mod stack;

use answer::LocalDescription;
use audio::{ClockRate, RtcpReports};
use bytes::{Bytes, BytesMut};
use datagram::{is_media, kind};
use datagram_filter::{DatagramFilter, SrtcpTrailer};
pub use event::{PeerEvent, PeerReport};
use media_diagnosis::DatagramKind;
use nomination::PairNomination;
use offer::{Offer, Unanswerable};
use rtc::interceptor::Packet;
use rtc::peer_connection::RTCPeerConnection;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::statistics::StatsSelector;
use rtc::{rtp, shared};
use rtcp::RtcpReceived;
use rtp_tap::RtpTap;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Ticks of Opus's RTP clock in a frame of 20 ms.
const FRAME_TICKS: u32 = 960;

/// One call's WebRTC connection.
pub struct Peer {
    connection: RTCPeerConnection,
    sender: RTCRtpSenderId,
    address: SocketAddr,
    payload_types: PayloadTypes,
    next: rtp::header::Header,
    is_open: bool,
    nomination: PairNomination,
    filter: DatagramFilter,
    /// The format of encrypted RTCP, once DTLS has agreed on it.
    srtcp: Option<SrtcpTrailer>,
    packets: Receiver<Packet>,
    arrived: VecDeque<Packet>,
    reports: RtcpReports,
    unreadable: u64,
    repeated: u64,
}

#[derive(Debug, Clone)]
struct PayloadTypes {
    opus: u8,
    dtmf: Vec<(u8, ClockRate)>,
}

impl Peer {
    /// Creates the peer for an offer, and returns it with the SDP answer. `address` is the public IP with the port of this call's socket.
    ///
    /// # Errors
    /// [`Unanswerable::Unacceptable`] when the WebRTC stack refuses the offer.
    pub fn answer(offer: &Offer, address: SocketAddr, now: Instant) -> Result<(Self, String), Unanswerable> {
        let ssrc = random() as u32;
        let stream = uuid::Uuid::new_v4().to_string();
        let (tap, packets) = RtpTap::new();
        let (connection, sender) =
            stack::connect(offer, address, ssrc, &stream, tap, now).map_err(refused)?;
        let local = connection.local_description().map(|local| local.sdp).unwrap_or_default();
        let local_description = LocalDescription {
            ufrag: attribute(&local, "ice-ufrag"),
            pwd: attribute(&local, "ice-pwd"),
            fingerprint: attribute(&local, "fingerprint").replace("sha-256 ", ""),
            address,
            ssrc,
            stream,
            session: random() >> 1,
        };
        let next = rtp::header::Header {
            version: 2,
            payload_type: offer.audio.opus,
            sequence_number: random() as u16,
            timestamp: random() as u32,
            ssrc,
            ..Default::default()
        };
        let payload_types = PayloadTypes { opus: offer.audio.opus, dtmf: offer.audio.dtmf.clone() };
        let nomination = PairNomination::new(&offer.audio.remote.pwd).map_err(refused)?;
        let filter = DatagramFilter::new(&local_description.pwd, &offer.audio.remote.pwd, &offer.audio.ssrcs)
            .map_err(refused)?;
        // A clock before 1970 is harmless: NTP time only relates our stream to others, and there are none.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let peer = Self {
            connection,
            sender,
            address,
            payload_types,
            next,
            is_open: false,
            nomination,
            filter,
            srtcp: None,
            packets,
            arrived: VecDeque::new(),
            reports: RtcpReports::new(now, unix),
            unreadable: 0,
            repeated: 0,
        };
        Ok((peer, answer::write(offer, &local_description)))
    }

    /// Lets media out. Before, only STUN and DTLS are sent: Meta would count audio before the accept as the pick-up.
    pub fn open(&mut self) {
        self.is_open = true;
    }

    /// Handles a datagram, and returns whether it was valid: STUN and DTLS that the stack accepts, SRTP and SRTCP that it can decrypt.
    pub fn handle_datagram(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> bool {
        if kind(datagram) == DatagramKind::Rtcp && self.srtcp.is_none() && self.filter.has_passed(from) {
            let stats = self.connection.get_stats(now, StatsSelector::None);
            self.srtcp = stats.transport().and_then(|transport| SrtcpTrailer::of(&transport.srtp_cipher));
        }
        if !self.filter.admits(datagram, from, self.srtcp, now) {
            self.unreadable += u64::from(is_media(datagram));
            tracing::trace!("dropped a datagram that the filter refuses");
            return false;
        }
        let transport = TransportContext {
            local_addr: self.address,
            peer_addr: from,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = BytesMut::from(datagram);
        let read = self.connection.handle_read(TaggedBytesMut { now, transport, message });
        // The stack reports no decryption failures: a datagram is genuine if a packet comes out.
        let is_genuine = self.take_packets() > 0;
        if !is_media(datagram) {
            return read.is_ok();
        }
        if is_genuine {
            self.filter.note_genuine(datagram);
        } else if self.filter.knows(datagram) {
            self.repeated += 1;
        } else {
            self.unreadable += 1;
        }
        is_genuine
    }

    /// Runs the timers that are due: ICE checks, consent checks, RTCP reports.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Err(error) = self.connection.handle_timeout(now) {
            tracing::debug!("WebRTC stack failed at a timer: {error}");
        }
        if let Some(report) = self.reports.poll(now)
            && let Some(mut sender) = self.connection.rtp_sender(self.sender)
        {
            let packets = rtcp::write(self.next.ssrc, answer::NAME, &report);
            if let Err(error) = sender.write_rtcp(now, packets) {
                tracing::warn!("writing an RTCP report failed: {error}");
            }
        }
    }

    /// Returns when [`Peer::handle_timeout`] is due.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let timeouts = [self.connection.poll_timeout(), self.reports.poll_timeout()];
        timeouts.into_iter().flatten().min()
    }

    /// Returns the statistics of the call's packets so far.
    pub fn report(&self) -> PeerReport {
        PeerReport {
            unreadable: self.unreadable,
            repeated: self.repeated,
            jitter: self.reports.jitter(),
            remote: self.reports.remote(),
        }
    }

    /// Returns the next datagram to send, and where to.
    pub fn poll_datagram(&mut self) -> Option<(SocketAddr, BytesMut)> {
        loop {
            let TaggedBytesMut { transport, message, .. } = self.connection.poll_write()?;
            let to = transport.peer_addr;
            match kind(&message) {
                DatagramKind::StunRequest => {
                    self.filter.note_check(&message, to);
                    return Some((to, self.nomination.rewrite_check(message, to)));
                }
                DatagramKind::Rtp { .. } | DatagramKind::Rtcp if !self.is_open => {}
                DatagramKind::Rtp { .. }
                | DatagramKind::Rtcp
                | DatagramKind::StunSuccess
                | DatagramKind::StunError(_)
                | DatagramKind::Dtls
                | DatagramKind::Other => return Some((to, message)),
            }
        }
    }

    /// Returns the next event.
    pub fn poll_event(&mut self, now: Instant) -> Option<PeerEvent> {
        while let Some(event) = self.connection.poll_event() {
            match event {
                RTCPeerConnectionEvent::OnConnectionStateChangeEvent(RTCPeerConnectionState::Connected) => {
                    return Some(PeerEvent::Connected);
                }
                RTCPeerConnectionEvent::OnConnectionStateChangeEvent(
                    RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed,
                ) => return Some(PeerEvent::Closed),
                _ => {}
            }
        }
        self.take_packets();
        while let Some(packet) = self.arrived.pop_front() {
            match packet {
                Packet::Rtp(packet) => return Some(self.event(packet, now)),
                Packet::Rtcp(packets) if self.handle_rtcp(&packets, now) => {
                    return Some(PeerEvent::RtcpReport);
                }
                // The remaining kinds of packet only occur inside stacks that use them.
                _ => {}
            }
        }
        None
    }

    /// Sends a frame as the next RTP packet. `begins` sets the marker bit, for the first packet of a talkspurt.
    pub fn send(&mut self, payload: Bytes, begins: bool, now: Instant) {
        let header = rtp::header::Header { marker: begins, ..self.next.clone() };
        self.next.sequence_number = self.next.sequence_number.wrapping_add(1);
        self.next.timestamp = self.next.timestamp.wrapping_add(FRAME_TICKS);
        if self.is_open {
            self.reports.note_sent(header.timestamp, payload.len(), now);
        }
        let packet = rtp::Packet { header, payload };
        let Some(mut sender) = self.connection.rtp_sender(self.sender) else { return };
        if let Err(error) = sender.write_rtp(now, packet) {
            tracing::warn!("writing an RTP packet failed: {error}");
        }
    }

    /// Closes the connection; [`Peer::poll_datagram`] then returns the last datagrams, DTLS's close_notify among them.
    pub fn close(&mut self) {
        let _ = self.connection.close();
    }

    /// Takes the packets that the stack has decrypted since, and returns how many.
    fn take_packets(&mut self) -> usize {
        let before = self.arrived.len();
        // Packets reach the tap only while the stack is polled.
        while self.connection.poll_read().is_some() {}
        self.arrived.extend(self.packets.try_iter());
        self.arrived.len() - before
    }

    fn event(&mut self, packet: rtp::Packet, now: Instant) -> PeerEvent {
        let rtp::Packet { header, payload } = packet;
        let (stream, sequence, timestamp) = (header.ssrc, header.sequence_number, header.timestamp);
        let is_audio = header.payload_type == self.payload_types.opus;
        let dtmf = self.payload_types.dtmf.iter().find(|(dtmf, _)| *dtmf == header.payload_type);
        let event = match (is_audio, dtmf) {
            (true, _) => PeerEvent::Audio { stream, sequence, timestamp, payload },
            (false, Some((_, clock))) => {
                PeerEvent::Dtmf { stream, sequence, timestamp, clock: *clock, payload }
            }
            (false, None) => return PeerEvent::Foreign { stream, sequence, timestamp },
        };
        self.reports.note_received(stream, sequence, is_audio.then_some(timestamp), now);
        event
    }

    /// Handles RTCP packets, and returns whether one of them reports on our stream.
    fn handle_rtcp(&mut self, packets: &[rtcp::RtcpPacket], now: Instant) -> bool {
        let (ours, reports) = (self.next.ssrc, &mut self.reports);
        let mut is_about_us = false;
        rtcp::read(packets, |received| match received {
            RtcpReceived::Clock(stream, ntp) => reports.handle_sender_report(stream, ntp, now),
            RtcpReceived::Block(block) if block.stream == ours => {
                is_about_us = true;
                reports.handle_report_block(&block, now);
            }
            RtcpReceived::Block(_) => {}
        });
        is_about_us
    }
}

/// Hides the stack's error text, which can quote the offer: its IP addresses belong in no journal.
fn refused(error: shared::error::Error) -> Unanswerable {
    tracing::debug!("WebRTC stack refused an offer: {error}");
    Unanswerable::Unacceptable
}

fn attribute(sdp: &str, name: &str) -> String {
    let prefix = format!("a={name}:");
    let value = sdp.lines().find_map(|line| line.strip_prefix(&prefix));
    value.unwrap_or_default().trim().to_owned()
}

fn random() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1
}
