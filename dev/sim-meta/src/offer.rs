//! Writes the SDP offer of a call, in exactly the shape Meta's have.
//!
//! The newer form is that of every live capture from 2025 on, the older one that of Meta's documentation.
//! Both are checked byte for byte against the fixtures. [`OfferVariant`] has what no offer of Meta's has had so far.

mod variant;

use base64::{Engine, prelude::BASE64_STANDARD};
use fastrand::Rng;
use std::iter::repeat_with;
use std::net::SocketAddr;
pub use variant::{OfferVariant, UnknownVariant};

const OLD_EXTMAPS: [&str; 3] = [
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
];

/// The media section both forms are about.
const MID: &str = "audio";

/// What an offer says, besides what all offers say.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// Session id: Unix milliseconds in the newer form, any number in the older one.
    pub(crate) origin: u64,
    /// The media stream's name, a UUID.
    pub(crate) stream: String,
    /// The foundations of the IPv4 and the IPv6 candidate.
    pub(crate) foundations: [u32; 2],
    pub(crate) address: SocketAddr,
    /// Whether there is a candidate of the other address family too, on the same port.
    pub(crate) both_families: bool,
    /// Whether the relay checks and controls, as no relay of Meta's does.
    pub(crate) full_ice: bool,
    pub(crate) ufrag: String,
    /// The relay's ICE password: base64 with `==`, which RFC 8839 does not allow and Meta sends.
    pub(crate) pwd: String,
    /// SHA-256 of the relay's certificate, as `AA:BB:...`.
    pub(crate) fingerprint: String,
    pub(crate) ssrc: u32,
    /// Present in the older form only.
    pub(crate) old: Option<OldForm>,
    /// What else is different.
    pub(crate) variants: Vec<OfferVariant>,
}

#[derive(Debug, Clone)]
pub(crate) struct OldForm {
    pub(crate) cname: String,
    pub(crate) label: String,
}

impl Offer {
    /// A fresh offer for a relay at `address` with this certificate.
    pub(crate) fn fresh(
        address: SocketAddr,
        fingerprint: String,
        unix_ms: u64,
        form: Form,
        rng: &mut Rng,
    ) -> Offer {
        let old = form
            .old
            .then(|| OldForm { cname: letters(rng, 16), label: format!("audio#{}", letters(rng, 11)) });
        Offer {
            origin: if form.old { rng.u64(..) >> 1 } else { unix_ms },
            stream: uuid::Builder::from_random_bytes(rng.u128(..).to_ne_bytes()).into_uuid().to_string(),
            foundations: [rng.u32(..), rng.u32(..)],
            address,
            both_families: form.both_families,
            full_ice: form.full_ice,
            ufrag: if form.old { format!("{}/2", letters(rng, 12)) } else { letters(rng, 16) },
            pwd: if form.old { letters(rng, 32) } else { BASE64_STANDARD.encode(rng.u128(..).to_ne_bytes()) },
            fingerprint,
            ssrc: rng.u32(..),
            old,
            variants: form.variants,
        }
    }

    /// The offer as it goes over the wire, with CRLF.
    pub(crate) fn sdp(&self) -> String {
        let lines = match &self.old {
            None => self.new_lines(),
            Some(old) => self.old_lines(old),
        };
        let mut lines = lines.concat();
        self.variants.iter().for_each(|variant| variant.apply(self, &mut lines));
        lines.into_iter().map(|line| line + "\r\n").collect()
    }

    fn new_lines(&self) -> Vec<Vec<String>> {
        let Offer { stream, ssrc, .. } = self;
        vec![
            self.session(),
            self.candidates([2_122_260_223, 2_122_262_783], ""),
            self.credentials(),
            vec![
                format!("a=mid:{MID}"),
                "a=sendrecv".to_owned(),
                format!("a=msid:{stream} WhatsAppTrack1"),
                "a=rtcp-mux".to_owned(),
            ],
            codecs(
                "maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;sprop-maxcapturerate=16000;useinbandfec=1",
            ),
            vec![
                "a=maxptime:20".to_owned(),
                "a=ptime:20".to_owned(),
                format!("a=ssrc:{ssrc} cname:WhatsAppAudioStream1"),
            ],
        ]
    }

    fn old_lines(&self, old: &OldForm) -> Vec<Vec<String>> {
        let Offer { stream, ssrc, .. } = self;
        let OldForm { cname, label } = old;
        vec![
            self.session(),
            self.candidates([2_113_937_151, 2_113_939_711], &format!(" ufrag {}", self.ufrag)),
            self.credentials(),
            vec![format!("a=mid:{MID}")],
            OLD_EXTMAPS.iter().zip(1..).map(|(uri, id)| format!("a=extmap:{id} {uri}")).collect(),
            vec!["a=sendrecv".to_owned(), "a=rtcp-mux".to_owned()],
            codecs("minptime=10;useinbandfec=1"),
            vec![
                format!("a=ssrc:{ssrc} cname:{cname}"),
                format!("a=ssrc:{ssrc} msid:{stream} {label}"),
                format!("a=ssrc:{ssrc} mslabel:{stream}"),
                format!("a=ssrc:{ssrc} label:{label}"),
            ],
        ]
    }

    fn session(&self) -> Vec<String> {
        let ice = (!self.full_ice).then(|| "a=ice-lite".to_owned());
        let mut lines = vec![
            "v=0".to_owned(),
            format!("o=- {} 2 IN IP4 127.0.0.1", self.origin),
            "s=-".to_owned(),
            "t=0 0".to_owned(),
            format!("a=group:BUNDLE {MID}"),
            format!("a=msid-semantic: WMS {}", self.stream),
        ];
        lines.extend(ice);
        lines.extend([
            format!("m=audio {} UDP/TLS/RTP/SAVPF 111 126", self.address.port()),
            "c=IN IP4 127.0.0.1".to_owned(),
            "a=rtcp:9 IN IP4 0.0.0.0".to_owned(),
        ]);
        lines
    }

    /// Meta prefers IPv6: its candidate comes second and has the higher priority.
    fn candidates(&self, [v4, v6]: [u32; 2], suffix: &str) -> Vec<String> {
        let port = self.address.port();
        let [foundation4, foundation6] = self.foundations;
        let candidate = |foundation, priority, ip: &str| {
            format!(
                "a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host generation 0 network-cost 50{suffix}"
            )
        };
        let (has_v4, has_v6) = (self.address.is_ipv4(), self.address.is_ipv6());
        let v4 = (has_v4 || self.both_families).then(|| candidate(foundation4, v4, "127.0.0.1"));
        let v6 = (has_v6 || self.both_families).then(|| candidate(foundation6, v6, "::1"));
        v4.into_iter().chain(v6).collect()
    }

    fn credentials(&self) -> Vec<String> {
        vec![
            format!("a=ice-ufrag:{}", self.ufrag),
            format!("a=ice-pwd:{}", self.pwd),
            format!("a=fingerprint:sha-256 {}", self.fingerprint),
            "a=setup:actpass".to_owned(),
        ]
    }
}

/// Which of the forms an offer has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    pub(crate) old: bool,
    pub(crate) both_families: bool,
    pub(crate) full_ice: bool,
    pub(crate) variants: Vec<OfferVariant>,
}

fn codecs(fmtp: &str) -> Vec<String> {
    vec![
        "a=rtpmap:111 opus/48000/2".to_owned(),
        "a=rtcp-fb:111 transport-cc".to_owned(),
        format!("a=fmtp:111 {fmtp}"),
        "a=rtpmap:126 telephone-event/8000".to_owned(),
    ]
}

fn letters(rng: &mut Rng, count: usize) -> String {
    repeat_with(|| rng.alphanumeric()).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_form_is_that_of_the_newest_capture() {
        let offer = Offer {
            origin: 1_790_963_543_407,
            stream: "7da83f2b-4810-4fe9-b568-5c88eb1b1724".to_owned(),
            foundations: [2_275_956_755, 2_684_782_176],
            address: ([127, 0, 0, 1], 3480).into(),
            both_families: true,
            full_ice: false,
            ufrag: "NvPeRHRlBReaRYCZ".to_owned(),
            pwd: "+219v9nKr3xSQIn8s+Fy8g==".to_owned(),
            fingerprint: "75:85:02:48:2F:A1:97:65:81:65:4C:B3:2D:13:72:84:8F:D4:BE:31:6E:A0:71:34:52:C3:7A:28:76:43:C6:71".to_owned(),
            ssrc: 613_016_344,
            old: None,
            variants: vec![],
        };

        assert_eq!(offer.sdp(), include_str!("../../../fixtures/whatsapp-sdp/live-uic-offer-2026-10-02.sdp"));
    }

    #[test]
    fn the_older_form_is_that_of_the_documentation() {
        let offer = Offer {
            origin: 7_602_563_789_789_945_080,
            stream: "6932bc1c-db1a-4abe-b437-0c4168be8a13".to_owned(),
            foundations: [1_972_637_320, 1_652_262_791],
            address: ([127, 0, 0, 1], 40_012).into(),
            both_families: true,
            full_ice: false,
            ufrag: "6k2qP1R6kBfI/2".to_owned(),
            pwd: "UApvJw3NcwFRDvIMKdM0vWCdlXah25E9".to_owned(),
            fingerprint: "1B:B6:6B:40:A5:0B:8C:75:0D:8C:CB:90:2F:99:74:1E:26:45:AE:AF:45:C1:51:60:8F:73:C9:2D:10:6D:8A:88".to_owned(),
            ssrc: 4_208_138_518,
            old: Some(OldForm { cname: "gAXq2V9TKltrnapv".to_owned(), label: "audio#R5wfXFcdmT6".to_owned() }),
            variants: vec![],
        };

        assert_eq!(offer.sdp(), include_str!("../../../fixtures/whatsapp-sdp/metadocs-uic-offer.sdp"));
    }

    #[test]
    fn fresh_values_have_the_lengths_metas_have() {
        let offer = |old| {
            let form = Form { old, ..Form::default() };
            Offer::fresh(([127, 0, 0, 1], 3480).into(), String::new(), 1, form, &mut Rng::with_seed(3))
        };

        let (new, old) = (offer(false), offer(true));

        assert_eq!((new.ufrag.len(), new.pwd.len(), new.pwd.ends_with("==")), (16, 24, true));
        assert_eq!((old.ufrag.len(), old.pwd.len(), old.pwd.ends_with("==")), (14, 32, false));
        assert!(!new.sdp().contains("::1"));
    }
}
