//! The relay's WebRTC peer: the one file that knows how to set str0m up as Meta is, ICE-lite and DTLS server; or,
//! for comparison, with full ICE.

use super::microphone::Payload;
use crate::sdp_check::Answer;
use std::net::SocketAddr;
use std::time::Instant;
use str0m::config::Fingerprint;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Frequency, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, Ssrc};
use str0m::{Candidate, IceCreds, Input, Output, Rtc, RtcError};

const OPUS: u8 = 111;
const PCMU: u8 = 0;
/// The payload types of telephone events. They bear the time of the voice, so that here their clock is the voice's.
const KEYS: [u8; 2] = [126, 110];

/// str0m, told what Meta's SDP says. The SDP itself is ours, so that it has Meta's shape.
pub(crate) struct Peer {
    rtc: Rtc,
    address: SocketAddr,
    full_ice: bool,
    ssrc: Ssrc,
    /// The payload type of the phone's voice.
    voice: u8,
    heard: Option<Ssrc>,
}

impl Peer {
    /// A peer behind `address`, with a fresh certificate.
    pub(crate) fn new(address: SocketAddr, full_ice: bool, now: Instant) -> Result<Peer, RtcError> {
        let mut config = Rtc::builder()
            .set_rtp_mode(true)
            .set_ice_lite(!full_ice)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_pcmu(true, false);
        for keys in KEYS {
            let (pt, clock) = (Pt::from(keys), Frequency::FORTY_EIGHT_KHZ);
            config.codec_config().add_config(pt, None, Codec::Tele, clock, None, FormatParams::default());
        }
        let mut rtc = config.build(now);
        let candidate = Candidate::host(address, Protocol::Udp).expect("a bound address is a host candidate");
        rtc.add_local_candidate(candidate);
        rtc.direct_api().set_ice_controlling(full_ice);
        Ok(Peer { rtc, address, full_ice, ssrc: Ssrc::from(0), voice: OPUS, heard: None })
    }

    /// SHA-256 of its certificate, as `AA:BB:...`.
    pub(crate) fn fingerprint(&mut self) -> String {
        let fingerprint = self.rtc.direct_api().local_dtls_fingerprint().to_string();
        fingerprint.trim_start_matches("sha-256 ").to_owned()
    }

    /// Takes on what the offer says of ICE and of the caller's stream.
    pub(crate) fn handle_offer(&mut self, ufrag: &str, pwd: &str, ssrc: u32) {
        self.ssrc = Ssrc::from(ssrc);
        let creds = IceCreds { ufrag: ufrag.to_owned(), pass: pwd.to_owned() };
        let mut api = self.rtc.direct_api();
        api.set_local_ice_credentials(creds);
        api.declare_media(mid(), MediaKind::Audio);
        api.declare_stream_tx(self.ssrc, None, mid(), None);
    }

    /// Lets the agent in. A lite peer needs no candidates of it: it replies to where checks come from.
    pub(crate) fn handle_answer(&mut self, answer: &Answer) -> Result<(), RtcError> {
        if self.full_ice {
            for address in &answer.candidates {
                self.rtc.add_remote_candidate(Candidate::host(*address, Protocol::Udp)?);
            }
        }
        let mut api = self.rtc.direct_api();
        api.set_remote_ice_credentials(IceCreds { ufrag: answer.ufrag.clone(), pass: answer.pwd.clone() });
        api.set_remote_fingerprint(Fingerprint {
            hash_func: "sha-256".to_owned(),
            bytes: answer.fingerprint.clone(),
        });
        api.start_dtls(answer.relay_starts_dtls)
    }

    /// From now on the phone's voice bears payload type 0, as PCMU does.
    pub(crate) fn mislabel(&mut self) {
        self.voice = PCMU;
    }

    /// Listens to the first stream that comes, and to no other.
    pub(crate) fn listen_to(&mut self, ssrc: u32) {
        if self.heard.is_none() {
            self.heard = Some(Ssrc::from(ssrc));
            self.rtc.direct_api().expect_stream_rx(Ssrc::from(ssrc), None, mid(), None).suppress_nack(true);
        }
    }

    /// Sends a packet of the caller's stream.
    pub(crate) fn send(
        &mut self,
        n: u32,
        timestamp: u32,
        marker: bool,
        payload: Payload,
        now: Instant,
    ) -> Result<(), RtcError> {
        let (pt, payload) = match payload {
            Payload::Voice(voice) => (self.voice, voice),
            Payload::Key(event) => (event.payload_type, event.payload.to_vec()),
            Payload::Recorded(packet) => (packet.key.payload_type, packet.key.payload.to_vec()),
        };
        let packet = RtpWrite::new(Pt::from(pt), u64::from(n).into(), timestamp, now, payload).marker(marker);
        let ssrc = self.ssrc;
        if let Some(stream) = self.rtc.direct_api().stream_tx(&ssrc) {
            stream.write_rtp(packet);
        }
        self.rtc.handle_input(Input::Timeout(now))
    }

    /// A datagram came. What str0m cannot read is dropped, as any relay would.
    pub(crate) fn handle_datagram(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
    ) -> Result<(), RtcError> {
        match Receive::new(Protocol::Udp, from, self.address, datagram) {
            Ok(receive) => self.rtc.handle_input(Input::Receive(now, receive)),
            Err(_) => Ok(()),
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), RtcError> {
        self.rtc.handle_input(Input::Timeout(now))
    }

    /// What it wants: to send, to tell, or to be woken.
    pub(crate) fn poll_output(&mut self) -> Result<Output, RtcError> {
        self.rtc.poll_output()
    }

    /// Says goodbye by RTCP BYE and DTLS close_notify.
    pub(crate) fn close(&mut self) -> Result<(), RtcError> {
        self.rtc.close()
    }
}

fn mid() -> Mid {
    Mid::from("aud")
}
