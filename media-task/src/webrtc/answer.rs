//! Writes the SDP answer in the form that WhatsApp accepts.
//!
//! The WebRTC stack's own answer suits browsers, but it lists candidates twice, leaves out ports, packet times and our SSRC, and
//! adds what was not offered; Meta refuses some of that with error 138008. So the answer is written here, from the offer and the
//! stack's credentials.
//!
//! Source: Meta's documentation of user-initiated calls (sample answer), and answers that Graph accepted.

use super::offer::{Audio, Offer, RefusedSection};
use std::fmt::Write;
use std::net::SocketAddr;

/// Our CNAME, in the answer and in RTCP.
pub(crate) const NAME: &str = "agent-1";

/// Our side of the answer: ICE credentials, fingerprint, address, SSRC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalDescription {
    /// ICE user name fragment.
    pub(crate) ufrag: String,
    /// ICE password.
    pub(crate) pwd: String,
    /// SHA-256 of our certificate, upper-case hex with colons.
    pub(crate) fingerprint: String,
    /// The public address for media.
    pub(crate) address: SocketAddr,
    /// The SSRC of the agent's audio.
    pub(crate) ssrc: u32,
    /// The id of the media stream.
    pub(crate) stream: String,
    /// The session id of the `o=` line; any number.
    pub(crate) session: u64,
}

/// Returns the answer to an offer: full ICE, DTLS client unless the far side is, Opus and DTMF, one candidate, CRLF line ends. It
/// has the offer's sections in their order; all but the answered one are refused.
pub(crate) fn write(offer: &Offer, ours: &LocalDescription) -> String {
    let mut sdp = Lines::default();
    session(&mut sdp, &offer.audio, ours);
    offer.before.iter().for_each(|section| refuse(&mut sdp, section));
    transport(&mut sdp, &offer.audio, ours);
    codecs(&mut sdp, &offer.audio);
    sdp.line(format_args!("a=ssrc:{} cname:{NAME}", ours.ssrc));
    sdp.line(format_args!("a=ssrc:{} msid:{} audio0", ours.ssrc, ours.stream));
    offer.after.iter().for_each(|section| refuse(&mut sdp, section));
    sdp.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        write!(self.0, "{line}\r\n").expect("a text takes any line");
    }
}

fn session(sdp: &mut Lines, audio: &Audio, ours: &LocalDescription) {
    sdp.line(format_args!("v=0"));
    sdp.line(format_args!("o=- {} 2 IN IP4 127.0.0.1", ours.session));
    sdp.line(format_args!("s=-"));
    sdp.line(format_args!("t=0 0"));
    if let Some(mid) = audio.mid.as_deref().filter(|_| audio.is_bundled) {
        sdp.line(format_args!("a=group:BUNDLE {mid}"));
    }
    sdp.line(format_args!("a=msid-semantic: WMS {}", ours.stream));
}

/// Writes a refused section: port 0 refuses it (RFC 3264, section 6), the rest of its m-line is the offer's.
fn refuse(sdp: &mut Lines, section: &RefusedSection) {
    let RefusedSection { media, profile, formats, mid } = section;
    sdp.line(format_args!("m={media} 0 {profile} {formats}"));
    sdp.line(format_args!("c=IN IP4 0.0.0.0"));
    if let Some(mid) = mid {
        sdp.line(format_args!("a=mid:{mid}"));
    }
    sdp.line(format_args!("a=inactive"));
}

fn transport(sdp: &mut Lines, audio: &Audio, ours: &LocalDescription) {
    let (ip, port) = (ours.address.ip(), ours.address.port());
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    let dtmf: String = audio.dtmf.iter().map(|(dtmf, _)| format!(" {dtmf}")).collect();
    sdp.line(format_args!("m=audio {port} {} {}{dtmf}", audio.profile, audio.opus));
    sdp.line(format_args!("c=IN {family} {ip}"));
    sdp.line(format_args!("a=rtcp:9 IN IP4 0.0.0.0"));
    sdp.line(format_args!("a=candidate:1 1 udp 2130706431 {ip} {port} typ host generation 0"));
    sdp.line(format_args!("a=end-of-candidates"));
    sdp.line(format_args!("a=ice-ufrag:{}", ours.ufrag));
    sdp.line(format_args!("a=ice-pwd:{}", ours.pwd));
    sdp.line(format_args!("a=fingerprint:sha-256 {}", ours.fingerprint));
    sdp.line(format_args!("a=setup:{}", if audio.remote.starts_dtls() { "passive" } else { "active" }));
    if let Some(mid) = &audio.mid {
        sdp.line(format_args!("a=mid:{mid}"));
    }
    sdp.line(format_args!("a={}", audio.direction));
    if audio.rtcp_mux {
        sdp.line(format_args!("a=rtcp-mux"));
    }
}

fn codecs(sdp: &mut Lines, audio: &Audio) {
    let opus = audio.opus;
    sdp.line(format_args!("a=rtpmap:{opus} opus/48000/2"));
    for feedback in &audio.feedback {
        sdp.line(format_args!("a=rtcp-fb:{opus} {feedback}"));
    }
    if let Some(fmtp) = &audio.fmtp {
        sdp.line(format_args!("a=fmtp:{opus} {fmtp}"));
    }
    for (dtmf, clock) in &audio.dtmf {
        sdp.line(format_args!("a=rtpmap:{dtmf} telephone-event/{}", clock.rate()));
    }
    for (name, value) in &audio.packet_times {
        sdp.line(format_args!("a={name}:{value}"));
    }
}
