//! The WebRTC peer of one call: the one file that, with its parts, names the WebRTC crate.
//!
//! Built on `rtc`, the sans-IO core of `webrtc` 0.21: datagrams and time go in, datagrams and [`PeerEvent`]s come out.
//! Meta is ICE-lite, so we check, control and start DTLS, on a socket of our own for each call.

mod datagram_filter;
mod event;
mod nomination;
mod rtcp;
mod rtp_tap;
mod stack;

use crate::answer::{self, LocalDescription};
use crate::datagram::{is_media, kind};
use crate::offer::{Offer, Unanswerable};
use audio::{ClockRate, RtcpReports};
use bytes::{Bytes, BytesMut};
use datagram_filter::{DatagramFilter, Encryption};
pub use event::{PeerEvent, PeerReport};
use media_diagnosis::DatagramKind;
use nomination::PairNomination;
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
    admission: DatagramFilter,
    /// How SRTCP is sealed, once that is agreed.
    sealing: Option<Encryption>,
    packets: Receiver<Packet>,
    arrived: VecDeque<Packet>,
    reports: RtcpReports,
    unreadable: u64,
    repeated: u64,
}

#[derive(Debug, Clone)]
struct PayloadTypes {
    opus: u8,
    keys: Vec<(u8, ClockRate)>,
}

impl Peer {
    /// Answers an offer. `address` is where media can reach us, with the port of this call's socket.
    ///
    /// # Errors
    /// Why the offer cannot be answered.
    pub fn answer(offer: &Offer, address: SocketAddr, now: Instant) -> Result<(Self, String), Unanswerable> {
        let ssrc = random() as u32;
        let stream = uuid::Uuid::new_v4().to_string();
        let (tap, packets) = RtpTap::new();
        let (connection, sender) =
            stack::connect(offer, address, ssrc, &stream, tap, now).map_err(unacceptable)?;
        let local = connection.local_description().map(|local| local.sdp).unwrap_or_default();
        let ours = LocalDescription {
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
        let payload_types = PayloadTypes { opus: offer.audio.opus, keys: offer.audio.keys.clone() };
        let nomination = PairNomination::new(&offer.audio.far.pwd).map_err(unacceptable)?;
        let admission =
            DatagramFilter::new(&ours.pwd, &offer.audio.far.pwd, &offer.audio.ssrcs).map_err(unacceptable)?;
        // A clock before 1970 would only blur how our stream relates to others, of which there are none.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let peer = Self {
            connection,
            sender,
            address,
            payload_types,
            next,
            is_open: false,
            nomination,
            admission,
            sealing: None,
            packets,
            arrived: VecDeque::new(),
            reports: RtcpReports::new(now, unix),
            unreadable: 0,
            repeated: 0,
        };
        Ok((peer, answer::write(offer, &ours)))
    }

    /// Lets media through. Before, nothing but STUN and DTLS leaves: sound before the accept would count as the pick-up.
    pub fn open(&mut self) {
        self.is_open = true;
    }

    /// Takes a datagram. Whether the connection could make anything of it.
    pub fn handle_datagram(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> bool {
        if kind(datagram) == DatagramKind::Rtcp && self.sealing.is_none() && self.admission.has_passed(from) {
            let stats = self.connection.get_stats(now, StatsSelector::None);
            self.sealing = stats.transport().and_then(|transport| Encryption::of(&transport.srtp_cipher));
        }
        if !self.admission.admits(datagram, from, self.sealing, now) {
            self.unreadable += u64::from(is_media(datagram));
            tracing::trace!("Dropped a datagram that is not let in");
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
        // The stack says nothing of what it cannot decrypt: what is genuine comes out as a packet.
        let is_genuine = self.take_packets() > 0;
        if !is_media(datagram) {
            return read.is_ok();
        }
        if is_genuine {
            self.admission.note_genuine(datagram);
        } else if self.admission.knows(datagram) {
            self.repeated += 1;
        } else {
            self.unreadable += 1;
        }
        is_genuine
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Err(error) = self.connection.handle_timeout(now) {
            tracing::debug!("A timer of the connection failed: {error}");
        }
        if let Some(report) = self.reports.poll(now)
            && let Some(mut sender) = self.connection.rtp_sender(self.sender)
        {
            let packets = rtcp::write(self.next.ssrc, answer::NAME, &report);
            if let Err(error) = sender.write_rtcp(now, packets) {
                tracing::warn!("Could not send a report: {error}");
            }
        }
    }

    /// When [`Peer::handle_timeout`] has something to do.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let timeouts = [self.connection.poll_timeout(), self.reports.poll_timeout()];
        timeouts.into_iter().flatten().min()
    }

    /// What the network did to the call's packets so far.
    pub fn report(&self) -> PeerReport {
        PeerReport {
            unreadable: self.unreadable,
            repeated: self.repeated,
            jitter: self.reports.jitter(),
            told: self.reports.remote(),
        }
    }

    /// A datagram to send.
    pub fn poll_datagram(&mut self) -> Option<(SocketAddr, BytesMut)> {
        loop {
            let TaggedBytesMut { transport, message, .. } = self.connection.poll_write()?;
            let to = transport.peer_addr;
            match kind(&message) {
                DatagramKind::StunRequest => {
                    self.admission.note_check(&message, to);
                    return Some((to, self.nomination.pass(message, to)));
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

    /// What happened.
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
                Packet::Rtp(packet) => return Some(self.read(packet, now)),
                Packet::Rtcp(packets) if self.listen(&packets, now) => return Some(PeerEvent::Told),
                // Other kinds of packet exist only inside stacks that use them.
                _ => {}
            }
        }
        None
    }

    /// Sends a frame: one SSRC, one step of sequence and clock at a time. `begins` marks the first of some speech.
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
            tracing::warn!("Could not send a frame: {error}");
        }
    }

    /// Closes the connection properly; send what [`Peer::poll_datagram`] still has.
    pub fn close(&mut self) {
        let _ = self.connection.close();
    }

    /// Takes what the stack made of datagrams since. How many packets that is.
    fn take_packets(&mut self) -> usize {
        let before = self.arrived.len();
        // What the stack knows of packets reaches the tap only as it is read.
        while self.connection.poll_read().is_some() {}
        self.arrived.extend(self.packets.try_iter());
        self.arrived.len() - before
    }

    fn read(&mut self, packet: rtp::Packet, now: Instant) -> PeerEvent {
        let rtp::Packet { header, payload } = packet;
        let (stream, sequence, timestamp) = (header.ssrc, header.sequence_number, header.timestamp);
        let is_sound = header.payload_type == self.payload_types.opus;
        let key = self.payload_types.keys.iter().find(|(keys, _)| *keys == header.payload_type);
        let event = match (is_sound, key) {
            (true, _) => PeerEvent::Sound { stream, sequence, timestamp, payload },
            (false, Some((_, clock))) => {
                PeerEvent::Key { stream, sequence, timestamp, clock: *clock, payload }
            }
            (false, None) => return PeerEvent::Foreign { stream, sequence, timestamp },
        };
        self.reports.note_received(stream, sequence, is_sound.then_some(timestamp), now);
        event
    }

    /// Whether the far side told how our packets arrive.
    fn listen(&mut self, packets: &[rtcp::RtcpPacket], now: Instant) -> bool {
        let (ours, reports) = (self.next.ssrc, &mut self.reports);
        let mut is_about_us = false;
        rtcp::read(packets, |heard| match heard {
            RtcpReceived::Clock(stream, ntp) => reports.handle_sender_report(stream, ntp, now),
            RtcpReceived::About(about) if about.stream == ours => {
                is_about_us = true;
                reports.handle_report_block(&about, now);
            }
            RtcpReceived::About(_) => {}
        });
        is_about_us
    }
}

/// The stack's words can quote the offer, which nobody's journal should hold.
fn unacceptable(error: shared::error::Error) -> Unanswerable {
    tracing::debug!("The WebRTC stack cannot take an offer: {error}");
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
