//! Configures the WebRTC stack for one offer: ICE checks and timeouts, DTLS role, codecs, candidate.

use super::offer::Offer;
use super::rtp_tap::RtpTap;
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::{
    CandidateConfig, CandidateHostConfig, RTCDtlsRole, RTCIceCandidate, RTCIceCandidateInit,
};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::shared;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How often an unanswered ICE check is repeated. With the crate's own 200 ms, the caller would wait up to that much longer.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// How many checks are sent: they cover a ring time of 40 s, since Meta answers only once it has our SDP.
const MAX_CHECKS: u16 = 2_000;

/// The crate never gives up a connection by itself. It counts only answered checks; here a caller whose audio arrives is present,
/// and [`audio::CallTimers`] decides when one has vanished, as the session does when media never connects.
const NEVER: Duration = Duration::ZERO;

/// Returns a connection that has answered the offer, and the sender of the agent's audio.
pub(super) fn connect(
    offer: &Offer,
    address: SocketAddr,
    ssrc: u32,
    stream: &str,
    tap: RtpTap,
    now: Instant,
) -> Result<(RTCPeerConnection, RTCRtpSenderId), shared::error::Error> {
    let mut connection = RTCPeerConnectionBuilder::new()
        .with_setting_engine(settings(offer))
        .with_media_engine(codecs(offer)?)
        .with_interceptor_registry(Registry::new().with(Slot::ReceiverReport, tap))
        .build(now)?;
    let sender = connection.add_track(voice(offer, ssrc, stream))?;
    let remote = RTCSessionDescription::offer(offer.for_family_of(address.ip()))?;
    connection.set_remote_description(now, remote)?;
    connection.add_local_candidate(candidate(address)?)?;
    let local = connection.create_answer(None)?;
    connection.set_local_description(now, local)?;
    Ok((connection, sender))
}

fn settings(offer: &Offer) -> SettingEngine {
    // Left to itself, the crate waits for the far side to start DTLS when the offer is ICE-lite.
    let role = if offer.audio.remote.starts_dtls() { RTCDtlsRole::Server } else { RTCDtlsRole::Client };
    SettingEngineBuilder::new()
        .with_answering_dtls_role(role)
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(MAX_CHECKS))
        .with_ice_timeouts(Some(Duration::from_secs(10)), Some(NEVER), Some(Duration::from_secs(2)))
        .build()
}

/// Registers Opus alone, with the offer's payload type and parameters: the crate silently drops Opus if its parameters differ from
/// the offer's while another codec's match. DTMF packets reach the tap all the same.
fn codecs(offer: &Offer) -> Result<MediaEngine, shared::error::Error> {
    let mut engine = MediaEngine::default();
    let opus = RTCRtpCodecParameters { rtp_codec: opus(offer), payload_type: offer.audio.opus };
    engine.register_codec(opus, RtpCodecKind::Audio)?;
    Ok(engine)
}

fn opus(offer: &Offer) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: offer.audio.fmtp.clone().unwrap_or_default(),
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

fn candidate(address: SocketAddr) -> Result<RTCIceCandidateInit, shared::error::Error> {
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
