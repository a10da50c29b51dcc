//! Rewrites an offer of any make into WhatsApp's form, and the answer to it back: what a phone of Meta's would do.
//!
//! The form is that of the newest captured offer (`fixtures/whatsapp-sdp`), without `ice-lite`, which no browser is.

use anyhow::Context;
use std::fmt::Write;

/// What Meta calls the audio section.
const MID: &str = "audio";

/// An offer in WhatsApp's form, with the keys, the addresses and the stream of this one.
pub(super) fn whatsapp(own: &str) -> anyhow::Result<String> {
    let only = |name: &'static str| attributes(own, name).next().with_context(|| format!("no {name}"));
    let mut fingerprints = attributes(own, "fingerprint");
    let fingerprint = fingerprints.find(|value| value.starts_with("sha-256 ")).context("no SHA-256")?;
    let ssrc = only("ssrc")?.split(' ').next().context("no SSRC")?;
    let candidates: Vec<String> = attributes(own, "candidate").filter_map(udp_host).collect();
    let port = candidates.first().and_then(|first| first.split(' ').nth(5)).context("no UDP candidate")?;
    let mut sdp = String::new();
    let mut line = |text: &str| write!(sdp, "{text}\r\n").expect("a text takes any line");
    line("v=0");
    line("o=- 1790963543407 2 IN IP4 127.0.0.1");
    line("s=-");
    line("t=0 0");
    line(&format!("a=group:BUNDLE {MID}"));
    line("a=msid-semantic: WMS 7da83f2b-4810-4fe9-b568-5c88eb1b1724");
    line(&format!("m=audio {port} UDP/TLS/RTP/SAVPF 111 126"));
    line("c=IN IP4 127.0.0.1");
    line("a=rtcp:9 IN IP4 0.0.0.0");
    candidates.iter().for_each(|candidate| line(&format!("a=candidate:{candidate}")));
    line(&format!("a=ice-ufrag:{}", only("ice-ufrag")?));
    line(&format!("a=ice-pwd:{}", only("ice-pwd")?));
    line(&format!("a=fingerprint:{fingerprint}"));
    line("a=setup:actpass");
    line(&format!("a=mid:{MID}"));
    line("a=sendrecv");
    line("a=msid:7da83f2b-4810-4fe9-b568-5c88eb1b1724 WhatsAppTrack1");
    line("a=rtcp-mux");
    line("a=rtpmap:111 opus/48000/2");
    line("a=rtcp-fb:111 transport-cc");
    line(
        "a=fmtp:111 maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;sprop-maxcapturerate=16000;useinbandfec=1",
    );
    line("a=rtpmap:126 telephone-event/8000");
    line("a=maxptime:20");
    line("a=ptime:20");
    line(&format!("a=ssrc:{ssrc} cname:WhatsAppAudioStream1"));
    Ok(sdp)
}

/// The answer to such an offer, as the one who wrote the original understands it: its own name for the audio section.
pub(super) fn back(answer: &str, own: &str) -> String {
    let mid = attributes(own, "mid").next().unwrap_or(MID);
    answer
        .replace(&format!("a=mid:{MID}\r\n"), &format!("a=mid:{mid}\r\n"))
        .replace(&format!("a=group:BUNDLE {MID}\r\n"), &format!("a=group:BUNDLE {mid}\r\n"))
}

fn udp_host(candidate: &str) -> Option<String> {
    let words: Vec<&str> = candidate.split(' ').collect();
    let [foundation, "1", transport, priority, ip, port, "typ", "host", ..] = words[..] else { return None };
    let meant = format!("{foundation} 1 udp {priority} {ip} {port} typ host generation 0 network-cost 50");
    transport.eq_ignore_ascii_case("udp").then_some(meant)
}

fn attributes<'a>(sdp: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    sdp.lines().filter_map(move |line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const AIORTC: &str = include_str!("../../../../fixtures/sdp/aiortc-1.16.0-offer-ipv6.sdp");
    const CHROMIUM: &str = include_str!("../../../../fixtures/sdp/chromium-156-offer-ipv4.sdp");
    const METAS: &str = include_str!("../../../../fixtures/whatsapp-sdp/live-uic-offer-2026-10-02.sdp");

    #[test]
    fn the_form_has_the_lines_of_metas_newest_offer_but_ice_lite() {
        for own in [AIORTC, CHROMIUM] {
            let written = whatsapp(own).expect("it has all that is needed");

            let names = |sdp: &str| sdp.lines().map(|line| line[..line.len().min(7)].to_owned()).collect();
            let (ours, metas): (BTreeSet<String>, BTreeSet<String>) = (names(&written), names(METAS));
            let only_metas: Vec<_> = metas.difference(&ours).collect();
            assert_eq!(only_metas, ["a=ice-l"]);
            assert_eq!(written.matches("a=candidate").count(), 1, "none over TCP");
        }
    }

    #[test]
    fn the_answer_comes_back_with_the_callers_own_name_for_the_section() {
        let answer = "a=group:BUNDLE audio\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:audio\r\n";

        let back = back(answer, CHROMIUM);

        assert_eq!(back, "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n");
    }
}
