//! Rewrites an offer for the WebRTC stack: one audio section, one codec, one fingerprint.
//!
//! What the stack would refuse (two fingerprints, a section without `mid`), misread (payload types) or accept although we do not
//! (video, data) never reaches it.

use super::{Offer, udp_address};
use std::fmt::Write;
use std::net::IpAddr;

/// The `mid` of a section that has none.
const UNNAMED: &str = "0";

impl Offer {
    /// Returns the offer reduced to what is answered, and to the candidates that our one socket can reach. Left out are those of the
    /// other address family (Meta prefers IPv6, which an IPv4 socket cannot reach), those over TCP, and the `.local` names by which
    /// browsers hide their addresses, which the stack would resolve by multicast DNS.
    pub fn for_family_of(&self, local: IpAddr) -> String {
        let (audio, remote) = (&self.audio, &self.audio.remote);
        let (mid, opus) = (audio.mid.as_deref().unwrap_or(UNNAMED), audio.opus);
        let mut sdp = format!("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n");
        let mut line =
            |line: std::fmt::Arguments<'_>| write!(sdp, "{line}\r\n").expect("a text takes any line");
        if remote.is_lite {
            line(format_args!("a=ice-lite"));
        }
        line(format_args!("m=audio 9 UDP/TLS/RTP/SAVPF {opus}"));
        line(format_args!("c=IN IP4 0.0.0.0"));
        let reached = remote.candidates.iter().filter(|candidate| {
            udp_address(candidate).is_some_and(|address| address.is_ipv4() == local.is_ipv4())
        });
        for candidate in reached {
            line(format_args!("a=candidate:{candidate}"));
        }
        line(format_args!("a=ice-ufrag:{}", remote.ufrag));
        line(format_args!("a=ice-pwd:{}", remote.pwd));
        line(format_args!("a=fingerprint:sha-256 {}", remote.fingerprint));
        line(format_args!("a=setup:{}", remote.setup));
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
