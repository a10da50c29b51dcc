//! Reads a caller's SDP offer: what of it decides our answer.

use rtc::sdp::{MediaDescription, SessionDescription};
use std::io::Cursor;
use std::net::IpAddr;

/// The largest offer we read, bytes. Meta's are about one kilobyte.
const LARGEST: usize = 10_000;

/// What Opus's rate may be, bit/s (RFC 7587, 6.1), and what it is taken for if the offer does not say.
const LEAST_RATE: u32 = 6_000;
const MOST_RATE: u32 = 510_000;
const UNSAID_RATE: u32 = 24_000;

/// What of an offer decides our answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Names the one audio section.
    pub mid: String,
    /// The payload type of Opus.
    pub opus: u8,
    /// The format parameters of Opus, as offered.
    pub fmtp: Option<String>,
    /// The feedback offered for Opus.
    pub feedback: Vec<String>,
    /// The payload type of telephone events at 8 kHz: keys the caller presses.
    pub keys: Option<u8>,
    /// `ptime` and `maxptime`, as offered, ms.
    pub times: Vec<(String, String)>,
    /// The offer itself.
    pub sdp: String,
}

/// Why an offer cannot be answered. Nobody could: the call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// It is too large.
    #[error("the offer is larger than {LARGEST} bytes")]
    TooLarge,
    /// It is not SDP.
    #[error("the offer is not SDP")]
    NotSdp,
    /// It has not exactly one audio section.
    #[error("the offer has {0} media sections, not one")]
    Sections(usize),
    /// Its audio section is not DTLS-SRTP.
    #[error("the offer is for {0}, not for audio over UDP/TLS/RTP/SAVPF")]
    Transport(String),
    /// Something that we need is missing.
    #[error("the offer has no {0}")]
    Missing(&'static str),
    /// The WebRTC stack does not like it.
    #[error("the WebRTC stack cannot take the offer")]
    Unacceptable,
}

impl Offer {
    /// Reads an offer.
    ///
    /// # Errors
    /// Why it cannot be answered.
    pub fn read(sdp: &str) -> Result<Self, Unanswerable> {
        if sdp.len() > LARGEST {
            return Err(Unanswerable::TooLarge);
        }
        // The parser takes a lone CR for part of a value, and our answer would repeat it.
        if sdp.replace("\r\n", "\n").contains('\r') {
            return Err(Unanswerable::NotSdp);
        }
        let session =
            SessionDescription::unmarshal(&mut Cursor::new(sdp)).map_err(|_| Unanswerable::NotSdp)?;
        let [audio] = &session.media_descriptions[..] else {
            return Err(Unanswerable::Sections(session.media_descriptions.len()));
        };
        let transport = audio.media_name.protos.join("/");
        if audio.media_name.media != "audio" || transport != "UDP/TLS/RTP/SAVPF" {
            return Err(Unanswerable::Transport(format!("{} over {transport}", audio.media_name.media)));
        }
        for needed in ["ice-ufrag", "ice-pwd", "fingerprint"] {
            if value(audio, needed).is_none() && !session.has_attribute(needed) {
                return Err(Unanswerable::Missing(needed));
            }
        }
        let opus = payload_type(audio, "opus/48000").ok_or(Unanswerable::Missing("Opus"))?;
        Ok(Self {
            mid: value(audio, "mid").ok_or(Unanswerable::Missing("mid"))?.to_owned(),
            opus,
            fmtp: of_payload_type(audio, "fmtp", opus).next().map(str::to_owned),
            feedback: of_payload_type(audio, "rtcp-fb", opus).map(str::to_owned).collect(),
            keys: payload_type(audio, "telephone-event/8000"),
            times: ["maxptime", "ptime"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), value(audio, name)?.to_owned())))
                .collect(),
            sdp: sdp.to_owned(),
        })
    }

    /// How many bits a second of sound the far side takes: `maxaveragebitrate`, or what RFC 7587 recommends for wideband.
    pub fn bits_per_second(&self) -> u32 {
        let parameters = self.fmtp.iter().flat_map(|fmtp| fmtp.split(';'));
        let mut values =
            parameters.filter_map(|parameter| parameter.trim().strip_prefix("maxaveragebitrate="));
        let offered = values.find_map(|value| value.parse().ok());
        offered.unwrap_or(UNSAID_RATE).clamp(LEAST_RATE, MOST_RATE)
    }

    /// The offer without the candidates our one socket cannot reach: those of another address family (Meta prefers
    /// IPv6, and a socket that has none would only fail at it), those over TCP, and the names in `.local` by which
    /// browsers hide their addresses, for which the stack would ask the whole network.
    pub fn for_family_of(&self, local: IpAddr) -> String {
        let keep = |line: &&str| match line.strip_prefix("a=candidate:") {
            Some(candidate) => udp_address(candidate).is_some_and(|ip| ip.is_ipv4() == local.is_ipv4()),
            None => true,
        };
        self.sdp.lines().filter(keep).fold(String::new(), |sdp, line| sdp + line + "\r\n")
    }

    /// The addresses of its candidates.
    pub fn relays(&self) -> Vec<IpAddr> {
        self.sdp.lines().filter_map(|line| udp_address(line.strip_prefix("a=candidate:")?)).collect()
    }
}

fn udp_address(candidate: &str) -> Option<IpAddr> {
    let mut words = candidate.split_whitespace();
    let transport = words.nth(2)?;
    let address = words.nth(1)?.parse().ok()?;
    transport.eq_ignore_ascii_case("udp").then_some(address)
}

fn value<'a>(audio: &'a MediaDescription, name: &str) -> Option<&'a str> {
    audio.attribute(name).flatten()
}

/// The values of `a=name:<payload type> …`.
fn of_payload_type<'a>(
    audio: &'a MediaDescription,
    name: &'a str,
    wanted: u8,
) -> impl Iterator<Item = &'a str> {
    let values = audio.attributes.iter().filter(move |attribute| attribute.key == name);
    values.filter_map(move |attribute| {
        let (number, rest) = attribute.value.as_deref()?.split_once(' ')?;
        (number.parse() == Ok(wanted)).then_some(rest)
    })
}

/// The payload type that is mapped to a codec, whatever its number of channels.
fn payload_type(audio: &MediaDescription, codec: &str) -> Option<u8> {
    audio.attributes.iter().filter(|attribute| attribute.key == "rtpmap").find_map(|attribute| {
        let (number, name) = attribute.value.as_deref()?.split_once(' ')?;
        let is_codec = name
            .to_lowercase()
            .strip_prefix(codec)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        number.parse().ok().filter(|_| is_codec)
    })
}
