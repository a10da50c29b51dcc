//! Writes an offer once more as the WebRTC stack is to read it: one audio section, one codec, one fingerprint.
//!
//! What the stack would refuse (two fingerprints, a section without a name), misread (payload types) or take up although we
//! do not (video, data) never reaches it, whatever phones and Meta come to offer.

use super::{Offer, udp_address};
use std::fmt::Write;
use std::net::IpAddr;

/// The name of a section that has none.
const UNNAMED: &str = "0";

impl Offer {
    /// The offer with what is answered of it, and without the candidates our one socket cannot reach: those of another
    /// address family (Meta prefers IPv6, and a socket that has none would only fail at it), those over TCP, and the names in
    /// `.local` by which browsers hide their addresses, for which the stack would ask the whole network.
    pub fn for_family_of(&self, local: IpAddr) -> String {
        let (audio, far) = (&self.audio, &self.audio.far);
        let (mid, opus) = (audio.mid.as_deref().unwrap_or(UNNAMED), audio.opus);
        let mut sdp = format!("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n");
        let mut line =
            |line: std::fmt::Arguments<'_>| write!(sdp, "{line}\r\n").expect("a text takes any line");
        if far.is_lite {
            line(format_args!("a=ice-lite"));
        }
        line(format_args!("m=audio 9 UDP/TLS/RTP/SAVPF {opus}"));
        line(format_args!("c=IN IP4 0.0.0.0"));
        let reached = far.candidates.iter().filter(|candidate| {
            udp_address(candidate).is_some_and(|address| address.is_ipv4() == local.is_ipv4())
        });
        for candidate in reached {
            line(format_args!("a=candidate:{candidate}"));
        }
        line(format_args!("a=ice-ufrag:{}", far.ufrag));
        line(format_args!("a=ice-pwd:{}", far.pwd));
        line(format_args!("a=fingerprint:sha-256 {}", far.fingerprint));
        line(format_args!("a=setup:{}", far.setup));
        line(format_args!("a=mid:{mid}"));
        line(format_args!("a=sendrecv"));
        line(format_args!("a=rtcp-mux"));
        line(format_args!("a=rtpmap:{opus} opus/48000/2"));
        if let Some(fmtp) = &audio.fmtp {
            line(format_args!("a=fmtp:{opus} {fmtp}"));
        }
        sdp
    }
}
