//! Reads an SDP offer, whoever wrote it: what an answer to it is held against.

use std::collections::BTreeSet;

/// What of an offer decides whether an answer is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offered {
    /// Names the audio section.
    pub(crate) mid: String,
    /// Every payload type of the m-line.
    pub(crate) payload_types: BTreeSet<String>,
    /// The payload type of Opus.
    pub(crate) opus: String,
    /// The header extensions an answer may take up.
    pub(crate) extmaps: Vec<String>,
    /// ICE user.
    pub(crate) ufrag: String,
    /// ICE password.
    pub(crate) pwd: String,
    /// SHA-256 of the offerer's certificate, as `AA:BB:...`.
    pub(crate) fingerprint: String,
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
        let attribute = |name: &'static str| attributes(sdp, name).next().ok_or(NotAnOffer(name));
        let media = sdp.lines().find_map(|line| line.strip_prefix("m=audio ")).ok_or(NotAnOffer("audio"))?;
        let opus = attributes(sdp, "rtpmap").find_map(|map| map.strip_suffix(" opus/48000/2"));
        let fingerprint = attributes(sdp, "fingerprint").find_map(|value| value.strip_prefix("sha-256 "));
        Ok(Offered {
            mid: attribute("mid")?.to_owned(),
            payload_types: media.split(' ').skip(2).map(str::to_owned).collect(),
            opus: opus.ok_or(NotAnOffer("Opus"))?.to_owned(),
            extmaps: attributes(sdp, "extmap")
                .filter_map(|value| Some(value.split(' ').nth(1)?.to_owned()))
                .collect(),
            ufrag: attribute("ice-ufrag")?.to_owned(),
            pwd: attribute("ice-pwd")?.to_owned(),
            fingerprint: fingerprint.ok_or(NotAnOffer("fingerprint of SHA-256"))?.to_owned(),
        })
    }
}

fn attributes<'a>(sdp: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    sdp.lines().filter_map(move |line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metas_documented_offer_is_read() {
        let sdp = include_str!("../../../fixtures/whatsapp-sdp/metadocs-uic-offer.sdp");

        let offered = Offered::read(sdp).expect("Meta printed it");

        assert_eq!((offered.mid.as_str(), offered.opus.as_str()), ("audio", "111"));
        assert_eq!(offered.payload_types, BTreeSet::from(["111".to_owned(), "126".to_owned()]));
        assert_eq!(offered.extmaps.len(), 3);
        assert_eq!(offered.fingerprint.len(), 95);
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(Offered::read("v=0\r\n"), Err(NotAnOffer("audio")));
    }
}
