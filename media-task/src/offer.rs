//! Reads a caller's SDP offer: what of it decides our answer.
//!
//! Of its media sections, one is answered: the first of audio that we can take. The others are refused, in their places
//! (RFC 3264, section 6).

mod normalized;
mod sdp_lines;

use audio::ClockRate;
use sdp_lines::{Attributes, Sdp, Section};
use std::net::IpAddr;

/// The largest offer we read, bytes. Meta's are about one kilobyte; its limit of ten is for answers.
const LARGEST: usize = 64_000;

/// The profiles that are DTLS-SRTP where there is a fingerprint. The last two are what older stacks write.
const PROFILES: [&str; 4] = ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"];

/// What Opus's rate may be, bit/s (RFC 7587, 6.1), and what it is taken for if the offer does not say.
const LEAST_RATE: u32 = 6_000;
const MOST_RATE: u32 = 510_000;
const UNSAID_RATE: u32 = 24_000;

/// What of an offer decides our answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The audio section that is answered.
    pub audio: Audio,
    /// The sections before it, which are refused.
    pub before: Vec<OfferRefusal>,
    /// The sections after it, which are refused.
    pub after: Vec<OfferRefusal>,
}

/// The audio section that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    /// Its profile; the answer's is the same.
    pub profile: String,
    /// Names the section; not every offer does.
    pub mid: Option<String>,
    /// Whether it is in a BUNDLE group.
    pub is_bundled: bool,
    /// The payload type of Opus.
    pub opus: u8,
    /// The format parameters of Opus, as offered.
    pub fmtp: Option<String>,
    /// The feedback offered for Opus.
    pub feedback: Vec<String>,
    /// The payload types of telephone events, which are keys the caller presses, and the clocks of their durations.
    pub keys: Vec<(u8, ClockRate)>,
    /// `ptime` and `maxptime`, as offered, ms.
    pub times: Vec<(String, String)>,
    /// Whether RTCP may share the port.
    pub rtcp_mux: bool,
    /// The SSRCs its sound has, if it says so.
    pub ssrcs: Vec<u32>,
    /// Which way sound flows in the answer.
    pub direction: &'static str,
    /// How the far side is reached, and known.
    pub far: RemoteDescription,
}

/// What an offer says of the far side's transport.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteDescription {
    /// Whether it only answers checks.
    pub is_lite: bool,
    /// ICE user name fragment.
    pub ufrag: String,
    /// ICE password.
    pub pwd: String,
    /// SHA-256 of its certificate.
    pub fingerprint: String,
    /// Which side of DTLS it takes.
    pub setup: String,
    /// Its candidates, as offered.
    pub candidates: Vec<String>,
}

impl std::fmt::Debug for RemoteDescription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Far").field("is_lite", &self.is_lite).finish_non_exhaustive()
    }
}

/// A section that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferRefusal {
    /// Its kind, such as `video`.
    pub media: String,
    /// Its profile.
    pub profile: String,
    /// Its formats.
    pub formats: String,
    /// Its name, if it has one.
    pub mid: Option<String>,
}

/// Why an offer cannot be answered: the call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// It is too large.
    #[error("the offer is larger than {LARGEST} bytes")]
    TooLarge,
    /// It is not SDP.
    #[error("the offer is not SDP")]
    NotSdp,
    /// It offers no audio.
    #[error("none of the offer's {0} media sections is for audio")]
    NoAudio(usize),
    /// Its audio section is not DTLS-SRTP.
    #[error("the offer is for audio over {0}, not for audio over UDP/TLS/RTP/SAVPF")]
    Transport(String),
    /// Something that we need is missing.
    #[error("the offer has no {0}")]
    Missing(&'static str),
    /// It leaves us no role in DTLS.
    #[error("the offer's setup is neither actpass, active nor passive")]
    Setup,
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
        // A lone CR would be part of a value, and our answer would repeat it.
        if sdp.replace("\r\n", "\n").contains('\r') {
            return Err(Unanswerable::NotSdp);
        }
        let sdp = Sdp::split(sdp).ok_or(Unanswerable::NotSdp)?;
        let mut refusal = Unanswerable::NoAudio(sdp.sections.len());
        for (n, section) in sdp.sections.iter().enumerate() {
            if section.media != "audio" || !section.is_offered() {
                continue;
            }
            match Audio::read(section, &sdp) {
                Ok(audio) => {
                    let refused =
                        |sections: &[Section<'_>]| sections.iter().map(OfferRefusal::read).collect();
                    let (before, after) = (refused(&sdp.sections[..n]), refused(&sdp.sections[n + 1..]));
                    return Ok(Self { audio, before, after });
                }
                // The first audio section says best what is wrong with the offer.
                Err(error) if matches!(refusal, Unanswerable::NoAudio(_)) => refusal = error,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    /// How many bits a second of sound the far side takes: `maxaveragebitrate`, or what RFC 7587 recommends for wideband.
    pub fn bits_per_second(&self) -> u32 {
        let parameters = self.audio.fmtp.iter().flat_map(|fmtp| fmtp.split(';'));
        let mut values =
            parameters.filter_map(|parameter| parameter.trim().strip_prefix("maxaveragebitrate="));
        let offered = values.find_map(|value| value.parse().ok());
        offered.unwrap_or(UNSAID_RATE).clamp(LEAST_RATE, MOST_RATE)
    }

    /// The addresses of its candidates.
    pub fn relays(&self) -> Vec<IpAddr> {
        self.audio.far.candidates.iter().filter_map(|candidate| udp_address(candidate)).collect()
    }
}

impl Audio {
    fn read(section: &Section<'_>, sdp: &Sdp<'_>) -> Result<Self, Unanswerable> {
        let Section { profile, attributes, .. } = section;
        if !PROFILES.contains(profile) {
            return Err(Unanswerable::Transport((*profile).to_owned()));
        }
        let transports = sdp.transports(section);
        let far = RemoteDescription::read(&transports, &sdp.session)?;
        let opus = section.payload_type("opus/48000").ok_or(Unanswerable::Missing("Opus"))?;
        let mid = attributes.value("mid").map(str::to_owned);
        let of_opus =
            |name| attributes.of_format(name, &opus.to_string()).map(str::to_owned).collect::<Vec<_>>();
        let clocks = [ClockRate::Khz8, ClockRate::Khz48];
        let mut keys: Vec<(u8, ClockRate)> = clocks
            .into_iter()
            .filter_map(|clock| {
                Some((section.payload_type(&format!("telephone-event/{}", clock.rate()))?, clock))
            })
            .collect();
        // What is preferred comes first, in the answer as in the offer.
        keys.sort_by_key(|(keys, _)| section.formats.iter().position(|format| *format == keys.to_string()));
        Ok(Self {
            profile: (*profile).to_owned(),
            is_bundled: mid.as_deref().is_some_and(|mid| sdp.bundles(mid)),
            mid,
            opus,
            fmtp: of_opus("fmtp").into_iter().next(),
            // Feedback is what the F of a profile stands for.
            feedback: if profile.ends_with('F') { of_opus("rtcp-fb") } else { vec![] },
            keys,
            times: ["maxptime", "ptime"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), attributes.value(name)?.to_owned())))
                .collect(),
            rtcp_mux: transports.iter().any(|part| part.has("rtcp-mux")),
            ssrcs: ssrcs(attributes),
            direction: answering(attributes, &sdp.session),
            far,
        })
    }
}

/// The SSRCs of a section, each once (RFC 5576, section 4.1).
fn ssrcs(section: &Attributes<'_>) -> Vec<u32> {
    let lines = section.values("ssrc").filter_map(|value| value.split_whitespace().next()?.parse().ok());
    let mut ssrcs: Vec<u32> = lines.collect();
    ssrcs.sort_unstable();
    ssrcs.dedup();
    ssrcs
}

/// The direction that answers the one offered (RFC 3264, section 6.1).
fn answering(section: &Attributes<'_>, session: &Attributes<'_>) -> &'static str {
    let answers = [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")];
    let of = |part: &Attributes<'_>| {
        answers.iter().find(|(offered, _)| part.has(offered)).map(|(_, answer)| *answer)
    };
    let is_said = section.has("sendrecv");
    of(section).or_else(|| of(session).filter(|_| !is_said)).unwrap_or("sendrecv")
}

impl RemoteDescription {
    /// Reads it from the sections that share the transport, the first of them that says something before the others.
    fn read(sections: &[&Attributes<'_>], session: &Attributes<'_>) -> Result<Self, Unanswerable> {
        let parts = || sections.iter().copied().chain([session]);
        let value = |name| parts().find_map(|part| part.value(name));
        let needed = |name: &'static str| value(name).map(str::to_owned).ok_or(Unanswerable::Missing(name));
        let setup = value("setup").unwrap_or("actpass");
        if !["actpass", "active", "passive"].contains(&setup) {
            return Err(Unanswerable::Setup);
        }
        Ok(Self {
            is_lite: parts().any(|part| part.has("ice-lite")),
            ufrag: needed("ice-ufrag")?,
            pwd: needed("ice-pwd")?,
            fingerprint: fingerprint(parts().flat_map(|part| part.values("fingerprint")))?,
            setup: setup.to_owned(),
            candidates: sections
                .first()
                .into_iter()
                .flat_map(|part| part.values("candidate"))
                .map(str::to_owned)
                .collect(),
        })
    }

    /// Whether the far side starts DTLS, so that we wait for it (RFC 8842, section 5.3).
    pub fn starts_dtls(&self) -> bool {
        self.setup == "active"
    }
}

/// The fingerprint that can be checked. An offer may have one for each of several hashes (RFC 8122, section 5).
fn fingerprint<'a>(all: impl Iterator<Item = &'a str>) -> Result<String, Unanswerable> {
    let mut all = all.peekable();
    if all.peek().is_none() {
        return Err(Unanswerable::Missing("fingerprint"));
    }
    let sha_256 = all
        .filter_map(|value| value.split_once(' '))
        .find_map(|(hash, digest)| hash.eq_ignore_ascii_case("sha-256").then(|| digest.trim().to_owned()));
    sha_256.ok_or(Unanswerable::Missing("fingerprint of SHA-256"))
}

impl OfferRefusal {
    fn read(section: &Section<'_>) -> Self {
        Self {
            media: section.media.to_owned(),
            profile: section.profile.to_owned(),
            formats: section.formats.join(" "),
            mid: section.attributes.value("mid").map(str::to_owned),
        }
    }
}

fn udp_address(candidate: &str) -> Option<IpAddr> {
    let mut words = candidate.split_whitespace();
    let transport = words.nth(2)?;
    let address = words.nth(1)?.parse().ok()?;
    transport.eq_ignore_ascii_case("udp").then_some(address)
}
