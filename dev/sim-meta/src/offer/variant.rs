//! Variants of an offer that Meta has not sent so far, by name, as in `--offer video,red`.

use super::{MID, Offer};
use std::str::FromStr;
use strum::{Display, VariantArray};

/// A way in which an offer differs from Meta's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum OfferVariant {
    /// A section of video after the audio, bundled with it. Meta has announced video.
    Video,
    /// The section of video comes first.
    VideoFirst,
    /// A section for a data channel after the audio, bundled with it.
    Data,
    /// RED for Opus, and preferred to it, as browsers offer it.
    Red,
    /// Telephone events at 48 kHz beside those at 8 kHz, as browsers offer them. A phone that may uses them.
    #[strum(serialize = "keys-48k")]
    Keys48k,
    /// A second fingerprint, of SHA-512.
    TwoFingerprints,
    /// The profile without feedback, `UDP/TLS/RTP/SAVP`.
    Savp,
    /// No section has a name, so none is bundled.
    NoMid,
    /// The section has a name, and there is no BUNDLE group.
    NoBundle,
    /// The section of video comes first and alone describes the transport: that of audio is `bundle-only` (RFC 9143).
    BundleOnly,
    /// The relay starts DTLS: `setup:active`.
    SetupActive,
}

impl OfferVariant {
    /// All there are.
    pub const ALL: &[OfferVariant] = OfferVariant::VARIANTS;

    pub(super) fn apply(self, offer: &Offer, lines: &mut Vec<String>) {
        match self {
            OfferVariant::Video => {
                bundle(lines, "video", true);
                lines.extend(video(offer));
            }
            OfferVariant::VideoFirst => {
                bundle(lines, "video", false);
                let audio = position(lines, "m=audio");
                lines.splice(audio..audio, video(offer));
            }
            OfferVariant::Data => {
                bundle(lines, "data", true);
                lines.extend(data(offer));
            }
            OfferVariant::Red => {
                change(lines, "m=audio", |line| line.replace(" 111", " 63 111"));
                append(lines, &["a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111"]);
            }
            OfferVariant::Keys48k => {
                change(lines, "m=audio", |line| line.replace(" 126", " 110 126"));
                append(lines, &["a=rtpmap:110 telephone-event/48000", "a=fmtp:110 0-16"]);
            }
            OfferVariant::TwoFingerprints => {
                let after = position(lines, "a=fingerprint:sha-256") + 1;
                lines.insert(after, format!("a=fingerprint:sha-512 {}", vec!["AB"; 64].join(":")));
            }
            OfferVariant::Savp => {
                change(lines, "m=audio", |line| line.replace("SAVPF", "SAVP"));
                lines.retain(|line| !line.starts_with("a=rtcp-fb:"));
            }
            OfferVariant::NoMid => {
                lines.retain(|line| !line.starts_with("a=mid:") && !line.starts_with("a=group:"));
            }
            OfferVariant::NoBundle => lines.retain(|line| !line.starts_with("a=group:")),
            OfferVariant::BundleOnly => {
                bundle(lines, "video", false);
                let audio = position(lines, "m=audio");
                let (transport, rest): (Vec<_>, Vec<_>) = lines
                    .drain(audio..)
                    .partition(|line| TRANSPORT.iter().any(|name| line.starts_with(name)));
                let (head, tail) = VIDEO;
                lines.extend(owned(&head).into_iter().chain(transport).chain(owned(&tail)).chain(rest));
                let port = format!("m=audio {}", offer.address.port());
                change(lines, "m=audio", |line| line.replace(&port, "m=audio 0"));
                append(lines, &["a=bundle-only"]);
            }
            OfferVariant::SetupActive => change(lines, "a=setup:", |_| "a=setup:active".to_owned()),
        }
    }
}

/// The lines of a section of video before and after those of its transport.
const VIDEO: ([&str; 2], [&str; 5]) = (
    ["m=video 3480 UDP/TLS/RTP/SAVPF 97", "c=IN IP4 0.0.0.0"],
    [
        "a=mid:video",
        "a=rtcp-mux",
        "a=sendrecv",
        "a=rtpmap:97 H264/90000",
        "a=fmtp:97 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    ],
);

/// What describes a transport.
const TRANSPORT: [&str; 5] = ["a=candidate:", "a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"];

fn video(offer: &Offer) -> Vec<String> {
    let (head, tail) = VIDEO;
    section(&head, offer, &tail)
}

fn data(offer: &Offer) -> Vec<String> {
    let head = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0"];
    section(&head, offer, &["a=mid:data", "a=sctp-port:5000", "a=max-message-size:262144"])
}

fn section(head: &[&str], offer: &Offer, tail: &[&str]) -> Vec<String> {
    [owned(head), offer.credentials(), owned(tail)].concat()
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn bundle(lines: &mut [String], mid: &str, is_after: bool) {
    let group = if is_after { format!("{MID} {mid}") } else { format!("{mid} {MID}") };
    change(lines, "a=group:BUNDLE", |line| line.replace(MID, &group));
}

/// Puts lines at the end of the audio section.
fn append(lines: &mut Vec<String>, more: &[&str]) {
    let audio = position(lines, "m=audio");
    let end = lines.iter().skip(audio + 1).position(|line| line.starts_with("m="));
    let at = end.map_or(lines.len(), |end| audio + 1 + end);
    lines.splice(at..at, more.iter().map(|line| (*line).to_owned()));
}

fn change(lines: &mut [String], prefix: &str, change: impl Fn(&str) -> String) {
    lines.iter_mut().filter(|line| line.starts_with(prefix)).for_each(|line| *line = change(line));
}

fn position(lines: &[String], prefix: &str) -> usize {
    lines.iter().position(|line| line.starts_with(prefix)).expect("every offer has it")
}

/// A name that is no variant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no variant of an offer; there are {list}", list = OfferVariant::ALL.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
pub struct UnknownVariant(String);

impl FromStr for OfferVariant {
    type Err = UnknownVariant;

    fn from_str(name: &str) -> Result<OfferVariant, UnknownVariant> {
        let mut all = OfferVariant::ALL.iter().copied();
        all.find(|variant| variant.to_string() == name).ok_or_else(|| UnknownVariant(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_itself_and_the_readme_has_it() {
        let readme = include_str!("../../README.md");
        for variant in OfferVariant::ALL {
            assert_eq!(variant.to_string().parse(), Ok(*variant));
            assert!(readme.contains(&format!("| `{variant}` | ")), "{variant} is not in README.md");
        }
        assert!("gremlins".parse::<OfferVariant>().unwrap_err().to_string().contains("two-fingerprints"));
    }

    #[test]
    fn variants_are_those_of_the_field() {
        let field = [
            (OfferVariant::Video, include_str!("../../../../fixtures/sdp-variants/audio-and-video.sdp")),
            (OfferVariant::Red, include_str!("../../../../fixtures/sdp-variants/opus-red.sdp")),
            (OfferVariant::Keys48k, include_str!("../../../../fixtures/sdp-variants/dtmf-48k-too.sdp")),
            (
                OfferVariant::TwoFingerprints,
                include_str!("../../../../fixtures/sdp-variants/two-fingerprints.sdp"),
            ),
        ];
        for (variant, sdp) in field {
            assert_eq!(offer(&[variant]).sdp(), sdp, "{variant}");
        }
    }

    #[test]
    fn variants_go_together() {
        let sdp =
            offer(&[OfferVariant::VideoFirst, OfferVariant::Red, OfferVariant::Data, OfferVariant::NoMid])
                .sdp();

        let sections: Vec<&str> = sdp.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(
            sections,
            [
                "m=video 3480 UDP/TLS/RTP/SAVPF 97",
                "m=audio 3484 UDP/TLS/RTP/SAVPF 63 111 126",
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"
            ]
        );
        assert!(!sdp.contains("a=mid:") && !sdp.contains("BUNDLE"));
        assert!(sdp.find("a=rtpmap:63") < sdp.find("m=application"));
    }

    fn offer(variants: &[OfferVariant]) -> Offer {
        let digest =
            "8E:64:08:0B:8F:CE:73:ED:E2:44:9C:FB:EA:0B:20:D5:41:B6:93:06:F9:79:6C:48:78:1A:A2:41:AD:9C:EA:68";
        Offer {
            origin: 1_762_336_250_050,
            stream: "1a8be36a-9a9c-4322-8636-f2247cfdf1b9".to_owned(),
            foundations: [707_619_806, 1_267_757_827],
            address: ([127, 0, 0, 1], 3484).into(),
            both_families: true,
            full_ice: false,
            ufrag: "VyVkdwnqGUZtqVON".to_owned(),
            pwd: "sGUUAvS/fOjzPtIoL72o2g==".to_owned(),
            fingerprint: digest.to_owned(),
            ssrc: 972_010_428,
            old: None,
            variants: variants.to_vec(),
        }
    }
}
