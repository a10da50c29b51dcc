//! Reads any SDP offer: what an answer to it is held against.

use std::collections::BTreeSet;

/// What of an offer decides whether an answer is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) sections: Vec<OfferedSection>,
    pub(crate) audio: usize,
    /// Whether a BUNDLE group names the audio section.
    pub(crate) is_bundled: bool,
    pub(crate) rtcp_mux: bool,
    pub(crate) opus: String,
    /// The payload types of telephone events, and their clocks.
    pub(crate) keys: Vec<(u8, u32)>,
    /// The header extensions an answer may take up.
    pub(crate) extmaps: Vec<String>,
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    /// SHA-256 of the offerer's certificate, as `AA:BB:...`.
    pub(crate) fingerprint: String,
    /// Whether the offerer starts DTLS, and nothing else will do.
    pub(crate) starts_dtls: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OfferedSection {
    /// Such as `audio`.
    pub(crate) kind: String,
    /// Such as `UDP/TLS/RTP/SAVPF`.
    pub(crate) profile: String,
    pub(crate) formats: BTreeSet<String>,
    /// Its name, if it has one.
    pub(crate) mid: Option<String>,
}

/// A text that no call can ring with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the offer has no {0}")]
pub struct NotAnOffer(&'static str);

impl Offered {
    /// Reads an offer.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn read(sdp: &str) -> Result<Offered, NotAnOffer> {
        let mut parts = split(sdp).into_iter();
        let session = parts.next().unwrap_or_default();
        let parts: Vec<Vec<&str>> = parts.collect();
        let sections: Vec<OfferedSection> =
            parts.iter().filter_map(|part| OfferedSection::read(part)).collect();
        let audio = sections.iter().position(|section| section.kind == "audio").ok_or(NotAnOffer("audio"))?;
        let part = parts.get(audio).ok_or(NotAnOffer("audio"))?;
        // A section that is `bundle-only` has the transport of another one.
        let carrier = parts.iter().find(|part| attributes(part, "ice-ufrag").next().is_some());
        let carrier = if part.contains(&"a=bundle-only") { carrier.unwrap_or(part) } else { part };
        let attribute = |name: &'static str| {
            attributes(carrier, name).chain(attributes(&session, name)).next().ok_or(NotAnOffer(name))
        };
        let opus = attributes(part, "rtpmap").find_map(|map| map.strip_suffix(" opus/48000/2"));
        let all = attributes(carrier, "fingerprint").chain(attributes(&session, "fingerprint"));
        let fingerprint = all.filter_map(|value| value.strip_prefix("sha-256 ")).next();
        let mid = sections[audio].mid.as_deref();
        Ok(Offered {
            is_bundled: attributes(&session, "group")
                .filter_map(|group| group.strip_prefix("BUNDLE "))
                .any(|group| group.split(' ').any(|name| Some(name) == mid)),
            rtcp_mux: part.contains(&"a=rtcp-mux"),
            opus: opus.ok_or(NotAnOffer("Opus"))?.to_owned(),
            keys: keys(part),
            extmaps: attributes(part, "extmap")
                .filter_map(|value| Some(value.split(' ').nth(1)?.to_owned()))
                .collect(),
            ufrag: attribute("ice-ufrag")?.to_owned(),
            pwd: attribute("ice-pwd")?.to_owned(),
            fingerprint: fingerprint.ok_or(NotAnOffer("fingerprint of SHA-256"))?.to_owned(),
            starts_dtls: attribute("setup").is_ok_and(|setup| setup == "active"),
            sections,
            audio,
        })
    }

    pub(crate) fn audio(&self) -> &OfferedSection {
        &self.sections[self.audio]
    }
}

impl OfferedSection {
    fn read(part: &[&str]) -> Option<OfferedSection> {
        let mut words = part.first()?.strip_prefix("m=")?.split(' ');
        let (kind, _, profile) = (words.next()?, words.next()?, words.next()?);
        Some(OfferedSection {
            kind: kind.to_owned(),
            profile: profile.to_owned(),
            formats: words.map(str::to_owned).collect(),
            mid: attributes(part, "mid").next().map(str::to_owned),
        })
    }
}

/// The lines of the session, and those of each section: a section begins with its m-line.
pub(crate) fn split(sdp: &str) -> Vec<Vec<&str>> {
    let mut parts = vec![vec![]];
    for line in sdp.lines() {
        if line.starts_with("m=") {
            parts.push(vec![]);
        }
        parts.last_mut().expect("there is the session").push(line);
    }
    parts
}

/// The payload types of telephone events among these lines, and their clocks.
pub(crate) fn keys(part: &[&str]) -> Vec<(u8, u32)> {
    let maps = attributes(part, "rtpmap").filter_map(|map| map.split_once(" telephone-event/"));
    maps.filter_map(|(number, clock)| Some((number.parse().ok()?, clock.parse().ok()?))).collect()
}

fn attributes<'a>(part: &[&'a str], name: &str) -> impl Iterator<Item = &'a str> {
    part.iter().filter_map(move |line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metas_documented_offer_is_read() {
        let sdp = include_str!("../../../fixtures/whatsapp-sdp/metadocs-uic-offer.sdp");

        let offered = Offered::read(sdp).expect("Meta printed it");

        let audio = offered.audio();
        assert_eq!((audio.mid.as_deref(), offered.opus.as_str()), (Some("audio"), "111"));
        assert_eq!(audio.formats, BTreeSet::from(["111".to_owned(), "126".to_owned()]));
        assert_eq!((offered.keys, offered.is_bundled), (vec![(126, 8_000)], true));
        assert_eq!(offered.extmaps.len(), 3);
        assert_eq!(offered.fingerprint.len(), 95);
    }

    #[test]
    fn sections_are_kept_apart() {
        let sdp = include_str!("../../../fixtures/sdp-variants/audio-and-video.sdp");

        let offered = Offered::read(sdp).expect("it is an offer");

        let [audio, video] = &offered.sections[..] else { panic!("{offered:?}") };
        assert_eq!((audio.kind.as_str(), video.kind.as_str()), ("audio", "video"));
        assert_eq!(video.formats, BTreeSet::from(["97".to_owned()]));
        assert_eq!(video.mid.as_deref(), Some("video"));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(Offered::read("v=0\r\n"), Err(NotAnOffer("audio")));
    }
}
