//! Parses a caller's SDP offer into what decides our answer.
//!
//! One media section is answered, the first audio section that can be. The others are refused in place (RFC 3264, section 6).
//! Candidates come in the offer only: Meta does not trickle.

mod normalized;
mod sdp_lines;

use audio::ClockRate;
use sdp_lines::{Attributes, Sdp, Section};
use std::net::IpAddr;

/// The largest offer that is parsed, bytes. Meta's are about 1 kB; its limit of 10 kB is for answers.
const MAX_BYTES: usize = 64_000;

/// The profiles that mean DTLS-SRTP when there is a fingerprint. Older stacks write the last two.
const PROFILES: [&str; 4] = ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"];

/// The limits of Opus's bitrate (RFC 7587, section 6.1) and the bitrate for an offer that names none, bit/s.
const MIN_BITRATE: u32 = 6_000;
const MAX_BITRATE: u32 = 510_000;
const DEFAULT_BITRATE: u32 = 24_000;

/// The parts of an offer that decide our answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The audio section that is answered.
    pub audio: Audio,
    /// The sections before it, which are refused.
    pub before: Vec<RefusedSection>,
    /// The sections after it, which are refused.
    pub after: Vec<RefusedSection>,
}

/// The audio section that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    /// The profile, which the answer repeats.
    pub profile: String,
    /// The section's `mid`, if it has one.
    pub mid: Option<String>,
    /// Whether the section is in a BUNDLE group.
    pub is_bundled: bool,
    /// The payload type of Opus.
    pub opus: u8,
    /// The format parameters of Opus, as offered.
    pub fmtp: Option<String>,
    /// The RTCP feedback offered for Opus.
    pub feedback: Vec<String>,
    /// The payload types of DTMF (`telephone-event`), with the clocks of their durations.
    pub dtmf: Vec<(u8, ClockRate)>,
    /// `ptime` and `maxptime`, as offered, ms.
    pub packet_times: Vec<(String, String)>,
    /// Whether RTCP is multiplexed on RTP's port.
    pub rtcp_mux: bool,
    /// The SSRCs of the caller's audio, if the offer names them.
    pub ssrcs: Vec<u32>,
    /// The direction in the answer.
    pub direction: &'static str,
    /// The far side's transport.
    pub remote: RemoteDescription,
}

/// The far side's transport: ICE credentials, DTLS fingerprint, candidates.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteDescription {
    /// Whether the far side is ICE-lite: it only answers checks.
    pub is_lite: bool,
    /// ICE user name fragment.
    pub ufrag: String,
    /// ICE password.
    pub pwd: String,
    /// SHA-256 fingerprint of the far side's certificate.
    pub fingerprint: String,
    /// The DTLS role that is offered: `actpass`, `active` or `passive`.
    pub setup: String,
    /// The candidates, as offered.
    pub candidates: Vec<String>,
}

impl std::fmt::Debug for RemoteDescription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteDescription").field("is_lite", &self.is_lite).finish_non_exhaustive()
    }
}

/// A media section that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedSection {
    /// The kind of media, such as `video`.
    pub media: String,
    /// The profile, as offered.
    pub profile: String,
    /// The formats, as offered.
    pub formats: String,
    /// The section's `mid`, if it has one.
    pub mid: Option<String>,
}

/// Why an offer cannot be answered: the call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// The offer is larger than 64 kB.
    #[error("the offer is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The offer is not SDP.
    #[error("the offer is not SDP")]
    NotSdp,
    /// No media section is for audio.
    #[error("none of the offer's {0} media sections is for audio")]
    NoAudio(usize),
    /// The audio section is not DTLS-SRTP.
    #[error("the offer is for audio over {0}, not for audio over UDP/TLS/RTP/SAVPF")]
    Transport(String),
    /// A required attribute or codec is missing.
    #[error("the offer has no {0}")]
    Missing(&'static str),
    /// The offer leaves us no DTLS role.
    #[error("the offer's setup is neither actpass, active nor passive")]
    Setup,
    /// The WebRTC stack refuses the offer.
    #[error("the WebRTC stack cannot take the offer")]
    Unacceptable,
}

impl Offer {
    /// Parses an offer.
    ///
    /// # Errors
    /// [`Unanswerable`] says what is missing or not supported: the first audio section's fault, if there is an audio section.
    pub fn read(sdp: &str) -> Result<Self, Unanswerable> {
        if sdp.len() > MAX_BYTES {
            return Err(Unanswerable::TooLarge);
        }
        // A lone CR would become part of a value, and our answer would repeat it.
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
                        |sections: &[Section<'_>]| sections.iter().map(RefusedSection::read).collect();
                    let (before, after) = (refused(&sdp.sections[..n]), refused(&sdp.sections[n + 1..]));
                    return Ok(Self { audio, before, after });
                }
                // The fault of the first audio section is the one to report.
                Err(error) if matches!(refusal, Unanswerable::NoAudio(_)) => refusal = error,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    /// Returns the highest bitrate the far side accepts, bit/s: `maxaveragebitrate`, or what RFC 7587 recommends for wideband.
    pub fn bits_per_second(&self) -> u32 {
        let parameters = self.audio.fmtp.iter().flat_map(|fmtp| fmtp.split(';'));
        let mut values =
            parameters.filter_map(|parameter| parameter.trim().strip_prefix("maxaveragebitrate="));
        let offered = values.find_map(|value| value.parse().ok());
        offered.unwrap_or(DEFAULT_BITRATE).clamp(MIN_BITRATE, MAX_BITRATE)
    }

    /// Returns the addresses of the candidates: Meta's relays.
    pub fn relays(&self) -> Vec<IpAddr> {
        self.audio.remote.candidates.iter().filter_map(|candidate| udp_address(candidate)).collect()
    }
}

impl Audio {
    fn read(section: &Section<'_>, sdp: &Sdp<'_>) -> Result<Self, Unanswerable> {
        let Section { profile, attributes, .. } = section;
        if !PROFILES.contains(profile) {
            return Err(Unanswerable::Transport((*profile).to_owned()));
        }
        let transports = sdp.transports(section);
        let remote = RemoteDescription::read(&transports, &sdp.session)?;
        let opus = section.payload_type("opus/48000").ok_or(Unanswerable::Missing("Opus"))?;
        let mid = attributes.value("mid").map(str::to_owned);
        let of_opus =
            |name| attributes.of_format(name, &opus.to_string()).map(str::to_owned).collect::<Vec<_>>();
        let clocks = [ClockRate::Khz8, ClockRate::Khz48];
        let mut dtmf: Vec<(u8, ClockRate)> = clocks
            .into_iter()
            .filter_map(|clock| {
                Some((section.payload_type(&format!("telephone-event/{}", clock.rate()))?, clock))
            })
            .collect();
        // In the order of the offer's preference.
        dtmf.sort_by_key(|(dtmf, _)| section.formats.iter().position(|format| *format == dtmf.to_string()));
        Ok(Self {
            profile: (*profile).to_owned(),
            is_bundled: mid.as_deref().is_some_and(|mid| sdp.bundles(mid)),
            mid,
            opus,
            fmtp: of_opus("fmtp").into_iter().next(),
            // Only profiles that end in F have feedback.
            feedback: if profile.ends_with('F') { of_opus("rtcp-fb") } else { vec![] },
            dtmf,
            packet_times: ["maxptime", "ptime"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), attributes.value(name)?.to_owned())))
                .collect(),
            rtcp_mux: transports.iter().any(|part| part.has("rtcp-mux")),
            ssrcs: ssrcs(attributes),
            direction: answer_direction(attributes, &sdp.session),
            remote,
        })
    }
}

/// Returns the SSRCs of a section, each once (RFC 5576, section 4.1).
fn ssrcs(section: &Attributes<'_>) -> Vec<u32> {
    let lines = section.values("ssrc").filter_map(|value| value.split_whitespace().next()?.parse().ok());
    let mut ssrcs: Vec<u32> = lines.collect();
    ssrcs.sort_unstable();
    ssrcs.dedup();
    ssrcs
}

/// Returns the direction that answers the offered one (RFC 3264, section 6.1).
fn answer_direction(section: &Attributes<'_>, session: &Attributes<'_>) -> &'static str {
    let answers = [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")];
    let of = |part: &Attributes<'_>| {
        answers.iter().find(|(offered, _)| part.has(offered)).map(|(_, answer)| *answer)
    };
    let is_said = section.has("sendrecv");
    of(section).or_else(|| of(session).filter(|_| !is_said)).unwrap_or("sendrecv")
}

impl RemoteDescription {
    /// Reads the transport from the sections that share it; for each attribute, the first section that has it counts.
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

    /// Whether the far side is the DTLS client, so that we wait for it (RFC 8842, section 5.3).
    pub fn starts_dtls(&self) -> bool {
        self.setup == "active"
    }
}

/// Returns the SHA-256 fingerprint. An offer may have one for each of several hashes (RFC 8122, section 5).
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

impl RefusedSection {
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
