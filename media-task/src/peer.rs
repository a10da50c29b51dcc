//! The WebRTC peer of one call: the one file that names the WebRTC crate.
//!
//! Built on `rtc`, the sans-IO core of `webrtc` 0.21: datagrams and time go in, datagrams and [`PeerEvent`]s come out.
//! Meta is ICE-lite, so we check, control and start DTLS, on a socket of our own for each call.

use crate::answer::{self, Ours};
use crate::offer::{Offer, Unanswerable};
use bytes::{Bytes, BytesMut};
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_TELEPHONE_EVENT, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::message::{RTCMessage, TaggedRTCMessage};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCDtlsRole, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::{rtp, shared};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How often ICE asks while nobody answers. The crate's own 200 ms would cost the caller as much.
const CHECK_EVERY: Duration = Duration::from_millis(20);

/// So many checks cover a ring time of 40 s: Meta answers only once it has our SDP.
const CHECKS: u16 = 2_000;

/// ICE gives up for good after this, longer than any ring time.
const ICE_FAILS_AFTER: Duration = Duration::from_secs(60);

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
}

#[derive(Debug, Clone, Copy)]
struct PayloadTypes {
    opus: u8,
    keys: Option<u8>,
}

/// Something that happened on the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// ICE and DTLS are done.
    Connected,
    /// The connection failed. The other side's goodbye is not told: its absence, and Meta's notice, are.
    Closed,
    /// A packet of the caller's sound.
    Sound {
        /// RTP sequence number.
        sequence: u16,
        /// Opus.
        payload: Bytes,
    },
    /// A packet that tells of a key press: no sound, but a place in the sequence.
    Key {
        /// RTP sequence number.
        sequence: u16,
        /// RTP timestamp: all packets of one press share it.
        timestamp: u32,
        /// As RFC 4733 has it.
        payload: Bytes,
    },
}

impl Peer {
    /// Answers an offer. `address` is where media can reach us, with the port of this call's socket.
    ///
    /// # Errors
    /// Why the offer cannot be answered.
    pub fn answer(offer: &Offer, address: SocketAddr, now: Instant) -> Result<(Self, String), Unanswerable> {
        let ssrc = random() as u32;
        let stream = uuid::Uuid::new_v4().to_string();
        let (connection, sender) = connect(offer, address, ssrc, &stream, now).map_err(unacceptable)?;
        let local = connection.local_description().map(|local| local.sdp).unwrap_or_default();
        let ours = Ours {
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
            payload_type: offer.opus,
            sequence_number: random() as u16,
            timestamp: random() as u32,
            ssrc,
            ..Default::default()
        };
        let payload_types = PayloadTypes { opus: offer.opus, keys: offer.keys };
        let peer = Self { connection, sender, address, payload_types, next, is_open: false };
        Ok((peer, answer::write(offer, &ours)))
    }

    /// Lets media through. Before, nothing but STUN and DTLS leaves: sound before the accept would count as the pick-up.
    pub fn open(&mut self) {
        self.is_open = true;
    }

    /// Takes a datagram. Whether the connection could make anything of it.
    pub fn handle_datagram(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> bool {
        let transport = TransportContext {
            local_addr: self.address,
            peer_addr: from,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = BytesMut::from(datagram);
        // Anybody can send anything to a UDP port: what the stack cannot read is dropped.
        match self.connection.handle_read(TaggedBytesMut { now, transport, message }) {
            Ok(()) => true,
            Err(error) => {
                tracing::trace!("Dropped a datagram: {error}");
                false
            }
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Err(error) = self.connection.handle_timeout(now) {
            tracing::debug!("A timer of the connection failed: {error}");
        }
    }

    /// When [`Peer::handle_timeout`] has something to do.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        self.connection.poll_timeout()
    }

    /// A datagram to send.
    pub fn poll_datagram(&mut self) -> Option<(SocketAddr, BytesMut)> {
        loop {
            let transmit = self.connection.poll_write()?;
            if self.is_open || !is_media(&transmit.message) {
                return Some((transmit.transport.peer_addr, transmit.message));
            }
        }
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<PeerEvent> {
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
        while let Some(TaggedRTCMessage { message, .. }) = self.connection.poll_read() {
            if let RTCMessage::RtpPacket(_, packet) = message
                && let Some(event) = self.read(packet)
            {
                return Some(event);
            }
        }
        None
    }

    /// Sends a frame: one SSRC, one step of sequence and clock at a time. `begins` marks the first of some speech.
    pub fn send(&mut self, payload: Bytes, begins: bool, now: Instant) {
        let header = rtp::header::Header { marker: begins, ..self.next.clone() };
        self.next.sequence_number = self.next.sequence_number.wrapping_add(1);
        self.next.timestamp = self.next.timestamp.wrapping_add(FRAME_TICKS);
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

    fn read(&self, packet: rtp::Packet) -> Option<PeerEvent> {
        let (sequence, timestamp) = (packet.header.sequence_number, packet.header.timestamp);
        if packet.header.payload_type == self.payload_types.opus {
            return Some(PeerEvent::Sound { sequence, payload: packet.payload });
        }
        let is_key = Some(packet.header.payload_type) == self.payload_types.keys;
        is_key.then_some(PeerEvent::Key { sequence, timestamp, payload: packet.payload })
    }
}

fn connect(
    offer: &Offer,
    address: SocketAddr,
    ssrc: u32,
    stream: &str,
    now: Instant,
) -> Result<(RTCPeerConnection, RTCRtpSenderId), shared::error::Error> {
    let mut connection = RTCPeerConnectionBuilder::new()
        .with_setting_engine(settings())
        .with_media_engine(codecs(offer)?)
        .with_interceptor_registry(configure_rtcp_reports(Registry::new()))
        .build(now)?;
    let sender = connection.add_track(voice(offer, ssrc, stream))?;
    let remote = RTCSessionDescription::offer(offer.for_family_of(address.ip()))?;
    connection.set_remote_description(now, remote)?;
    connection.add_local_candidate(candidate(address)?)?;
    let local = connection.create_answer(None)?;
    connection.set_local_description(now, local)?;
    Ok((connection, sender))
}

fn settings() -> SettingEngine {
    SettingEngineBuilder::new()
        // Against an ICE-lite offer the crate would wait for the other side's DTLS.
        .with_answering_dtls_role(RTCDtlsRole::Client)
        .with_ice_connection_attempts(Some(CHECK_EVERY), Some(CHECKS))
        .with_ice_timeouts(Some(Duration::from_secs(10)), Some(ICE_FAILS_AFTER), Some(Duration::from_secs(2)))
        .build()
}

/// Exactly the codecs of the offer, by its numbers: the crate drops Opus without a word when its format parameters
/// differ from the offer's while telephone-event's are alike.
fn codecs(offer: &Offer) -> Result<MediaEngine, shared::error::Error> {
    let mut engine = MediaEngine::default();
    engine.register_codec(
        RTCRtpCodecParameters { rtp_codec: opus(offer), payload_type: offer.opus },
        RtpCodecKind::Audio,
    )?;
    if let Some(keys) = offer.keys {
        let rtp_codec = RTCRtpCodec {
            mime_type: MIME_TYPE_TELEPHONE_EVENT.to_owned(),
            clock_rate: 8_000,
            ..Default::default()
        };
        let keys = RTCRtpCodecParameters { rtp_codec, payload_type: keys };
        engine.register_codec(keys, RtpCodecKind::Audio)?;
    }
    Ok(engine)
}

fn opus(offer: &Offer) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: offer.fmtp.clone().unwrap_or_default(),
        rtcp_feedback: vec![],
    }
}

fn voice(offer: &Offer, ssrc: u32, stream: &str) -> MediaStreamTrack {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
        codec: opus(offer),
        ..Default::default()
    };
    MediaStreamTrack::new(
        stream.to_owned(),
        "audio0".to_owned(),
        "agent".to_owned(),
        RtpCodecKind::Audio,
        vec![coding],
    )
}

fn candidate(
    address: SocketAddr,
) -> Result<rtc::peer_connection::transport::RTCIceCandidateInit, shared::error::Error> {
    let base_config = CandidateConfig {
        network: "udp".to_owned(),
        address: address.ip().to_string(),
        port: address.port(),
        component: 1,
        ..Default::default()
    };
    let host = CandidateHostConfig { base_config, ..Default::default() }.new_candidate_host()?;
    RTCIceCandidate::from(&host).to_json()
}

/// The stack's words can quote the offer, which nobody's journal should hold.
fn unacceptable(error: shared::error::Error) -> Unanswerable {
    tracing::debug!("The WebRTC stack cannot take an offer: {error}");
    Unanswerable::Unacceptable
}

/// Whether a datagram is SRTP or SRTCP, by its first byte (RFC 7983).
fn is_media(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| (128..=191).contains(first))
}

fn attribute(sdp: &str, name: &str) -> String {
    let prefix = format!("a={name}:");
    let value = sdp.lines().find_map(|line| line.strip_prefix(&prefix));
    value.unwrap_or_default().trim().to_owned()
}

fn random() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1
}
